"""The reconciler: proves all day that figures which must agree do, and keeps a row for each pair that does not.

Every minute it compares the SKUs that were touched since its mark, those whose turn it is (every SKU twice a day, so
that tampering which leaves no trace of time is found as well) and those with an open drift (so that a repair shows).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from warehouses.models import ReconcilerMark, StockDrift
from warehouses.selectors.drift import Drift, Scope, find_drifts, skus_of_slots, touched_skus
from warehouses.services.balances import known_until

CHUNK = 200
"""SKUs compared in one transaction."""
SLOTS = 720
"""A SKU has its turn once in so many minutes: twice a day."""
MOST_SLOTS = 30
"""After a time without runs so many turns are made up for in one."""
TOUCHED, TURNS = "touched", "turns"

_ONE_AT_A_TIME = 0x5_70C_0DD  # the key of an advisory lock


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a run did: SKUs compared, drifts that are open now, drifts that were new, drifts that were gone."""

    skus: int = 0
    open: int = 0
    new: int = 0
    gone: int = 0


def reconcile(now: datetime) -> Reconciled:
    """Compare what was touched since the last run, and the next few of everything. Safe to run twice, or at once.

    The mark moves only to the start of the oldest transaction that still runs: a level says when the transaction began
    that wrote it, so a long one commits levels that look old.
    """
    # Asked before anything is read: what began earlier has ended by now, and is seen.
    reach = known_until()
    since = _mark(TOUCHED, default=now - timedelta(days=1))
    turns_until, slots = _next_turns(now)
    wanted = {
        *touched_skus(since),
        *skus_of_slots(slots, SLOTS),
        *(pk for pk in _open_drifts().values_list("facts__sku_id", flat=True) if pk is not None),
    }
    new = gone = 0
    for chunk in _chunks(sorted(wanted)):
        with transaction.atomic():
            lock_drifts()
            counted = record_drifts(find_drifts(chunk), Scope(sku_ids=frozenset(chunk)), now)
        new, gone = new + counted.new, gone + counted.gone
    if reach is not None and reach > since:
        _move_mark(TOUCHED, reach)
    _move_mark(TURNS, turns_until)
    return Reconciled(len(wanted), _open_drifts().count(), new, gone)


def reconcile_everything(now: datetime) -> Reconciled:
    """Every check over all SKUs at once, as `manage.py audit_stock` does it, with the drifts recorded."""
    with transaction.atomic():
        lock_drifts()
        return record_drifts(find_drifts(), Scope(), now)


def record_drifts(found: Iterable[Drift], checked_scope: Scope, now: datetime) -> Reconciled:
    """Keep a row for each drift: opened once, seen again while it lasts, gone when its scope was checked without it.

    To be called in the transaction that compared, after `lock_drifts()`: so no older comparison overwrites a newer one,
    and no repair happens in between.
    """
    known = {(drift.kind, drift.subject): drift for drift in _open_drifts().select_for_update().order_by("pk")}
    fresh, seen = [], set()
    for drift in found:
        key = (str(drift.kind), drift.subject)
        seen.add(key)
        values = {"facts": {**drift.facts}, "repair": {"ways": list(drift.ways)}, "last_seen_at": now}
        if row := known.get(key):
            StockDrift.objects.filter(pk=row.pk).update(**values)
        else:
            fresh.append(StockDrift(kind=drift.kind, subject=drift.subject, found_at=now, **values))
    StockDrift.objects.bulk_create(fresh, batch_size=1000)
    gone = [row.pk for key, row in known.items() if key not in seen and checked_scope.holds(row)]
    StockDrift.objects.filter(pk__in=gone).update(state=StockDrift.State.GONE, ended_at=now)
    return Reconciled(
        skus=len(checked_scope.sku_ids or ()), open=len(known) + len(fresh) - len(gone), new=len(fresh), gone=len(gone)
    )


def lock_drifts() -> None:
    """Until the transaction ends nobody else compares or repairs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])


def _open_drifts() -> Any:
    return StockDrift.objects.filter(state=StockDrift.State.OPEN)


def _chunks(pks: Sequence[int]) -> Iterator[Collection[int]]:
    for start in range(0, len(pks), CHUNK):
        yield pks[start : start + CHUNK]


def _next_turns(now: datetime) -> tuple[datetime, list[int]]:
    """Until when the turns are done after this run, and the turns of the minutes since the last one."""
    last = _mark(TURNS, default=now - timedelta(minutes=1))
    first, until = _minute(last) + 1, _minute(now)
    first = max(first, until - SLOTS + 1)  # after a longer pause every SKU has its turn once
    until = min(until, first + MOST_SLOTS - 1)
    return datetime.fromtimestamp(60 * until, UTC), [minute % SLOTS for minute in range(first, until + 1)]


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _mark(name: str, *, default: datetime) -> datetime:
    row = ReconcilerMark.objects.filter(name=name).first()
    return row.reached if row else default


def _move_mark(name: str, reached: datetime) -> None:
    """Never backwards: a slower run may end after a faster one."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [name, reached])


_MOVE = """
INSERT INTO warehouses_reconcilermark (name, reached) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET reached = greatest(warehouses_reconcilermark.reached, excluded.reached)
"""
