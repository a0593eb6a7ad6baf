"""Bring the open clearance proposals in line with what the plan knows: planning twice changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from forecasting.models import ForecastRun
from procurement.models import ClearanceProposal
from procurement.services.aims import sku_chunks
from procurement.services.clearance.cases import Found, cases_of
from warehouses.models import StockLevel

if TYPE_CHECKING:
    from procurement.engine.clearance import WayOut

Key = tuple[int, int, str]
_LOCK = 7_203_116  # advisory lock: one at a time
_REFRESHED = (
    "run_id",
    "quantity",
    "expires_on",
    "value_at_risk",
    "expected_recovery",
    "recovery_if_kept",
    "sell_through_days",
    "alternatives",
    "explanation",
)
CHUNK = 2000
# Not worth a planner's minute: less value at risk than this, or less gained over keeping it. Company's currency.
LEAST_VALUE, LEAST_GAIN = 25.0, 5.0
# A proposal stands while the best way out is the same and the excess within this share of it.
SAME_WITHIN = Decimal("0.1")
QUIET_DAYS = 28


@dataclass(frozen=True, slots=True)
class ClearanceCounts:
    new: int
    withdrawn: int
    refreshed: int
    open: int


def propose_clearances(run: ForecastRun, *, now: datetime) -> ClearanceCounts:
    """Find excess stock, price its ways out, and propose the best where it brings more than keeping it.

    One transaction, one at a time (advisory lock). What a planner decided less than four weeks ago keeps quiet.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        today = timezone.localdate(now)
        standing = {_key(row): row for row in _open_proposals()}
        quiet = _quiet(now)
        wanted: dict[Key, ClearanceProposal] = {}
        stocked = sorted(StockLevel.objects.filter(on_hand__gt=0).values_list("sku_id", flat=True).distinct())
        for chunk in sku_chunks(stocked, CHUNK):
            found = cases_of(run, chunk, today=today)
            wanted |= {_key(row): row for row in (_proposal(run, one) for one in found) if row is not None}
        wanted = {key: row for key, row in wanted.items() if key not in quiet}
        return _reconcile(standing, wanted)


def _key(row: ClearanceProposal) -> Key:
    return row.sku_id, row.warehouse_id, row.cause


def _open_proposals() -> list[ClearanceProposal]:
    rows = ClearanceProposal.objects.filter(status=ClearanceProposal.Status.OPEN)
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _quiet(now: datetime) -> set[Key]:
    decided = ClearanceProposal.objects.filter(decided_at__gt=now - timedelta(days=QUIET_DAYS))
    return set(decided.values_list("sku_id", "warehouse_id", "cause"))


def _proposal(run: ForecastRun, found: Found) -> ClearanceProposal | None:
    """What to propose for it; None where keeping is best, or the difference is not worth the trouble."""
    from procurement.engine.clearance import weigh_ways_out
    from procurement.engine.explanation import to_records

    case = found.case
    ways = weigh_ways_out(case)
    best, kept = ways[0], next(way for way in ways if way.way == ClearanceProposal.WayOut.KEEP)
    at_risk = case.excess * case.unit_cost
    if at_risk < LEAST_VALUE or best.recovery - kept.recovery < LEAST_GAIN:
        return None
    is_return = best.way == ClearanceProposal.WayOut.RETURN
    return ClearanceProposal(
        run=run,
        sku_id=found.pair[0],
        warehouse_id=found.pair[1],
        cause=found.cause,
        way_out=best.way,
        quantity=_units(best.units if best.target or is_return else case.excess),
        discount=None if best.discount is None else Decimal(repr(best.discount)),
        target_id=found.warehouses.get(best.target),
        supplier_id=found.supplier_id if is_return else None,
        expires_on=found.expires_on,
        value_at_risk=_money(at_risk),
        expected_recovery=_money(best.recovery),
        recovery_if_kept=_money(kept.recovery),
        sell_through_days=best.sell_through_days,
        alternatives=[_summary(way) for way in ways],
        explanation=to_records(best.explanation),
    )


def _summary(way: "WayOut") -> dict[str, object]:
    return {
        "way_out": way.way,
        "recovery": round(way.recovery, 2),
        "units": way.units,
        "discount": way.discount,
        "target": way.target,
        "sell_through_days": None if way.sell_through_days is None else round(way.sell_through_days, 1),
    }


def _reconcile(standing: Mapping[Key, ClearanceProposal], wanted: Mapping[Key, ClearanceProposal]) -> ClearanceCounts:
    left, fresh, refreshed, replaced = dict(standing), [], [], []
    for key, new in wanted.items():
        old = left.pop(key, None)
        if old is None:
            fresh.append(new)
        elif not _says_the_same(old, new):
            replaced.append(old.pk)
            fresh.append(new)
        elif _take_over(old, new):
            refreshed.append(old)
    gone = [row.pk for row in left.values()]
    ClearanceProposal.objects.filter(pk__in=replaced + gone).update(status=ClearanceProposal.Status.SUPERSEDED)
    ClearanceProposal.objects.bulk_update(refreshed, _REFRESHED, batch_size=200)
    ClearanceProposal.objects.bulk_create(fresh, batch_size=500)
    return ClearanceCounts(len(fresh), len(gone), len(refreshed), len(wanted))


def _says_the_same(old: ClearanceProposal, new: ClearanceProposal) -> bool:
    asks = (old.way_out, old.discount, old.target_id, old.supplier_id)
    alike = asks == (new.way_out, new.discount, new.target_id, new.supplier_id)
    return alike and abs(old.quantity - new.quantity) <= SAME_WITHIN * old.quantity


def _take_over(old: ClearanceProposal, new: ClearanceProposal) -> bool:
    """Copy what the new plan says into the standing proposal; False when it says nothing new."""
    if all(getattr(old, name) == getattr(new, name) for name in _REFRESHED):
        return False
    for name in _REFRESHED:
        setattr(old, name, getattr(new, name))
    return True


def _units(value: float) -> Decimal:
    """Whole units where the excess is at least one: an average of parts of units is not what is picked."""
    return Decimal(max(round(value), 1))


def _money(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.01"))
