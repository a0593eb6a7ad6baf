"""The outbox: what happened is recorded in the transaction that made it happen, and read later as one ordered feed.

Ids alone are no feed: of two open transactions the one with the larger id may commit first, and a reader who went past
it would never see the other. So a position in the feed is given only to what is committed (`place_events`), by one
placer at a time: whoever has read up to position n has read everything that will ever stand at n or before. Unlike a
fence by transaction ids this holds nobody up while some long transaction is open, and survives a dump and a restore.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from config.kernel.models import OutboxEvent

# Any constant will do, as long as nobody else takes the same advisory lock.
_LOCK = 741_010
PLACED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """`channel_id` names the channel whose listeners may hear it (None: it concerns no channel in particular).

    Of several events with the same `kind` and `key` only the newest needs to be told; without a key all are.
    """

    kind: str
    key: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    channel_id: int | None = None


def record_events(events: Sequence[Event]) -> None:
    """Record the events in the caller's transaction, by one statement: they are told if and only if it commits.

    Raises TransactionManagementError outside a transaction. Takes no lock and does not touch the broker.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Events are recorded in the transaction of their effect.")
    OutboxEvent.objects.bulk_create(
        OutboxEvent(kind=e.kind, key=e.key, payload=dict(e.payload), channel_id=e.channel_id) for e in events
    )


def place_events(*, at_most: int = PLACED_AT_ONCE) -> int:
    """Give committed events their positions, oldest first; returns how many got one.

    When another placer is at it, it is left to that one (0). The lock is held until the positions are visible, so a
    position is never seen before a smaller one.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_PLACE, {"at_most": at_most})
        return cursor.rowcount


def last_position() -> int:
    """The position of the newest event that has one; 0 when there is none."""
    return OutboxEvent.objects.aggregate(last=Max("position"))["last"] or 0


def forget_events(*, before: datetime) -> int:
    """Delete events older than this that every reader could see; returns how many."""
    deleted, _by_model = OutboxEvent.objects.filter(created_at__lt=before, position__isnull=False).delete()
    return deleted


_PLACE = """
WITH placed AS MATERIALIZED (
    SELECT waiting.id, nextval('kernel_outboxevent_position') AS position
    FROM (SELECT id FROM kernel_outboxevent WHERE position IS NULL ORDER BY id LIMIT %(at_most)s) AS waiting
)
UPDATE kernel_outboxevent AS event SET position = placed.position FROM placed WHERE event.id = placed.id
"""
