"""A service as one transaction, tried again when the database chose it as the victim of a deadlock.

Lock order makes deadlocks rare, not impossible (a new row's unique index has no place in it); no client should see one.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 5
_RETRIED = {"40P01", "40001"}  # deadlock detected, serialization failure


def one_transaction(service: Callable[P, R]) -> Callable[P, R]:
    """All or nothing; up to ATTEMPTS times when it is the outermost transaction.

    Inside another transaction it is a savepoint and never tried again: the database has given up the outer one too.
    The service must therefore have no effect outside the database before it returns.
    """

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        attempts = 1 if connection.in_atomic_block else ATTEMPTS
        for left in reversed(range(attempts)):
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except OperationalError as exc:
                if not left or getattr(exc.__cause__, "pgcode", None) not in _RETRIED:
                    raise
        raise AssertionError("unreachable")

    return run
