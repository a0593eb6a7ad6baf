"""Document numbers such as PO-000042, from database sequences: gaps are possible, repeats are not."""

from django.db import connection


def next_number(sequence: str, prefix: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [sequence])
        return f"{prefix}-{cursor.fetchone()[0]:06d}"
