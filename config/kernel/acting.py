"""Who acts: the audit trail's events (config.kernel.audit) take the actor from a setting of the transaction.

The name costs one exchange with the database per transaction, sent with or before its first statement, and only where
somebody said `with acting(user)`: the admin's writes, the API's writes of master data, imports. Orders and postings are
documents that carry their actor themselves and pay nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

from django.db import connection
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS

ACTOR = "entrepot.actor"
"""The transaction's own setting that names the application user; it ends with the transaction."""

_now = local()
_WRITES = ("insert", "update", "delete", "with", "merge")


@contextmanager
def acting(user: Any) -> Iterator[None]:
    """What is written in here is written by this user; inside, another `acting` says who takes over until it ends.

    Within a transaction the name is told at once and taken back at the end. Outside, every transaction that begins in
    here is told it, also one that is tried again after a deadlock. Nothing is left on the connection afterwards. A COPY
    past Django's cursor is named only when it is not its transaction's first statement.
    """
    actor, former = _key(user), getattr(_now, "actor", None)
    if actor == former:
        yield
        return
    _now.actor = actor
    is_inside = connection.in_atomic_block
    try:
        if is_inside:
            _tell(actor)
        if former is not None or is_inside:
            yield
        else:
            with connection.execute_wrapper(_told_first):
                yield
    finally:
        _now.actor = former
        if is_inside and _is_whole():
            _tell(former)


def _key(user: Any) -> int | None:
    return getattr(user, "pk", None)


def _sql(actor: int | None) -> str:
    return f"SELECT set_config('{ACTOR}', '{'' if actor is None else int(actor)}', true)"


def _tell(actor: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_sql(actor))


def _is_whole() -> bool:
    """Whether the transaction can still be spoken to; one that is broken takes the name with it."""
    raw = connection.connection
    if raw is None or raw.closed or connection.needs_rollback:
        return False
    return bool(raw.info.transaction_status == TRANSACTION_STATUS_INTRANS)


def _told_first(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    """A transaction's first statement is preceded by the name; one that is a transaction of its own carries it."""
    database = context["connection"]
    raw, actor = database.connection, getattr(_now, "actor", None)
    if raw is None or actor is None or raw.info.transaction_status != TRANSACTION_STATUS_IDLE:
        return execute(sql, params, many, context)
    if database.in_atomic_block:
        with database.wrap_database_errors, raw.cursor() as cursor:
            cursor.execute(_sql(actor))
    elif not many and isinstance(sql, str) and sql.lstrip().lower().startswith(_WRITES):
        sql = f"{_sql(actor)}; {sql}"
    return execute(sql, params, many, context)
