"""Document numbers such as PO-000042, from database sequences: gaps are possible, repeats are not."""

from django.db import connection


def next_number(sequence: str, prefix: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [sequence])
        return f"{prefix}-{cursor.fetchone()[0]:06d}"


def next_numbers(sequence: str, prefix: str, count: int) -> list[str]:
    """So many numbers at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, count])
        return [f"{prefix}-{number:06d}" for (number,) in cursor.fetchall()]
