"""Forgetting old events of the audit trail: the one thing that is ever done to them."""

from datetime import datetime

from django.db import connection, transaction

from monitoring.models.audit import EVENT_MODELS


@transaction.atomic
def prune_audit(*, before: datetime) -> int:
    """Delete events older than this, except the newest of every row (the next change is told against it); how many.

    The guards are lifted and set again in this transaction, which the database allows the tables' owner alone; nobody
    else sees them lifted. Locks each table against writes until the end: for quiet hours. Raises ProgrammingError for
    any other role.
    """
    count = 0
    with connection.cursor() as cursor:
        for event in EVENT_MODELS.values():
            table = connection.ops.quote_name(event._meta.db_table)
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(
                f"DELETE FROM {table} old WHERE pgh_created_at < %s AND EXISTS ("  # noqa: S608
                f"SELECT FROM {table} newer WHERE newer.pgh_obj_id = old.pgh_obj_id AND newer.pgh_id > old.pgh_id)",
                [before],
            )
            count += cursor.rowcount
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return count
