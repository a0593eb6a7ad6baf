"""What changed for the channels is told to them: figures per listing, coalesced, in order, never lost.

Whoever changes stock or promises leaves a row per SKU in its own transaction (`AvailabilityChange`). The publisher
deletes the rows and writes the listings' new figures and events in one transaction, so a crash repeats the work and
loses nothing. One publisher at a time, each from one snapshot of the database that is younger than the last one's: an
older figure is never told after a newer one, and a change that the snapshot did not show has its row left.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from catalog.models import KitPart, Listing
from config.kernel.fields import plain
from config.kernel.outbox import Event, record_events
from config.kernel.transactions import one_transaction
from warehouses.models import PublishedAvailability
from warehouses.selectors.promising import listed_availability

CHANGED = "availability.changed"
CHANGES_AT_ONCE = 5000
LISTINGS_AT_ONCE = 1000
# Any constant will do, as long as nobody else takes the same advisory lock.
_LOCK = 741_020


def note_changes(sku_ids: Iterable[int]) -> None:
    """Say, in the caller's transaction and by one statement, that what can be promised of these SKUs may differ now."""
    ids = sorted(set(sku_ids))
    if ids:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO warehouses_availabilitychange (sku_id) SELECT unnest(%s::bigint[])", [ids])


@dataclass(frozen=True, slots=True)
class Published:
    changes: int = 0
    listings: int = 0
    told: int = 0

    def __add__(self, other: "Published") -> "Published":
        return Published(self.changes + other.changes, self.listings + other.listings, self.told + other.told)


def publish_changes(*, now: datetime) -> Published:
    """Tell the channels what the changes noted so far come to. Does nothing twice; may run in several workers."""
    total = Published()
    while True:
        with _only_publisher():
            done = _publish_some(now=now)
        total += done
        if done.changes < CHANGES_AT_ONCE:
            return total


def publish_all(*, now: datetime) -> Published:
    """Compare every active listing with what its channel was told: what time changed (an expiry, a day that came) and
    what was changed without a word (a buffer, a route). In portions, so that changes are told in between."""
    total, last = Published(), 0
    while True:
        listings = list(_active().filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:LISTINGS_AT_ONCE])
        if not listings:
            return total
        with _only_publisher():
            total += _publish_listings(listings, now=now)
        last = listings[-1]


@contextmanager
def _only_publisher() -> Iterator[None]:
    """Held outside the transaction: whoever waits for it takes its snapshot after the other's commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


@one_transaction
def _publish_some(*, now: datetime) -> Published:
    _one_snapshot()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [CHANGES_AT_ONCE])
        rows = cursor.fetchall()
    if not rows:
        return Published()
    since: dict[int, datetime] = {}
    for sku_id, changed_at in rows:
        since[sku_id] = min(changed_at, since.get(sku_id, changed_at))
    for kit_id, part_id in KitPart.objects.filter(part_id__in=list(since)).values_list("kit_id", "part_id"):
        since[kit_id] = min(since[part_id], since.get(kit_id, since[part_id]))
    listings = list(_active().filter(sku_id__in=list(since)).select_related("channel", "sku").order_by("pk"))
    told = _tell(listings, since=since, now=now)
    return Published(len(rows), len(listings), told)


@one_transaction
def _publish_listings(listing_ids: Sequence[int], *, now: datetime) -> Published:
    _one_snapshot()
    listings = list(_active().filter(pk__in=listing_ids).select_related("channel", "sku").order_by("pk"))
    return Published(0, len(listings), _tell(listings, since={}, now=now))


def _one_snapshot() -> None:
    """All statements of the transaction read the same state (within another transaction that is the other's matter)."""
    if not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _active() -> QuerySet[Listing]:
    return Listing.objects.filter(is_active=True, channel__is_active=True)


def _tell(listings: Sequence[Listing], *, since: dict[int, datetime], now: datetime) -> int:
    """Write the figures that differ from what was told last, and an event for each; how many."""
    figures = listed_availability(listings, now=now)
    known = PublishedAvailability.objects.in_bulk([listing.pk for listing in listings])
    rows, events = [], []
    for listing in listings:
        quantity = figures[listing.pk].now
        before = known.get(listing.pk)
        if before is not None and before.quantity == quantity:
            continue
        sequence = before.sequence + 1 if before else 1
        rows.append(
            PublishedAvailability(
                listing=listing,
                quantity=quantity,
                sequence=sequence,
                changed_at=since.get(listing.sku_id, now),
                told_at=now,
            )
        )
        events.append(_event(listing, quantity, sequence, now))
    PublishedAvailability.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["listing"],
        update_fields=["quantity", "sequence", "changed_at", "told_at"],
    )
    record_events(events)
    return len(rows)


def _event(listing: Listing, quantity: Decimal, sequence: int, now: datetime) -> Event:
    payload = {
        "channel": listing.channel.code,
        "sku": listing.sku.code,
        "external_id": listing.external_id,
        "quantity": plain(quantity),
        "sequence": sequence,
        "as_of": now.isoformat(),
    }
    return Event(CHANGED, f"listing:{listing.pk}", payload, listing.channel_id)


_TAKE = """
DELETE FROM warehouses_availabilitychange
WHERE id IN (SELECT id FROM warehouses_availabilitychange ORDER BY id LIMIT %s)
RETURNING sku_id, changed_at
"""
