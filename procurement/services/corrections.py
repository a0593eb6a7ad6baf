"""What measuring teaches the next plan: the service each segment was asked for beside the service it gave."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from config.kernel.transactions import one_transaction
from forecasting.models import Forecast
from forecasting.selectors import in_stock_panel, last_demand_day, latest_run
from procurement.models import ExperimentItem, Policy, ServiceCorrection
from procurement.services.aims import Pair, PlannedItem, planned_items, sku_chunks
from procurement.services.experiments.measures import fared_pairs
from procurement.services.inputs import segment_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DAYS = 56
LEAST_ITEMS = 10
LEAST_REALISED = 0.001
DRY = 0.5  # a day with stock for less of it counts as out of stock
Segment = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Row:
    """A pair that was measured: `weight` and `given` are the units wanted and served, or 1 and the share of intervals
    without a day out of stock."""

    kind: str
    asked: float
    weight: float
    given: float
    protection_days: int


@one_transaction
def learn_service_corrections(now: datetime) -> dict[str, int]:
    """Learn the factor of each warehouse × segment of at least `LEAST_ITEMS` SKUs from the last `DAYS` days.

    A factor is judged only by days on which it held: a segment is learned again when as many days and its protection
    interval have passed since. SKUs of running experiments are left out, and policies that aim at the least cost, for
    they ask for no service. Where a segment has both kinds of target, the one most SKUs have counts.
    """
    last = last_demand_day()
    if last is None:
        return {"learned": 0, "waiting": 0}
    known = {(row.warehouse_id, row.segment): row for row in ServiceCorrection.objects.select_for_update(no_key=True)}
    counts = {"learned": 0, "waiting": 0}
    for segment, rows in sorted(_measured(last).items()):
        chosen = _of_one_kind(rows)
        before = known.get(segment)
        if len(chosen) < LEAST_ITEMS or (before is not None and not _is_due(before, chosen, last)):
            counts["waiting"] += 1
            continue
        _learn(segment, chosen, before, now)
        counts["learned"] += 1
    return counts


def _of_one_kind(rows: Sequence[_Row]) -> list[_Row]:
    kinds = [row.kind for row in rows]
    most = max(sorted(set(kinds)), key=kinds.count)
    return [row for row in rows if row.kind == most]


def _is_due(before: ServiceCorrection, rows: Sequence[_Row], last: date) -> bool:
    first = last - timedelta(DAYS - 1)
    interval = sum(row.protection_days for row in rows) / len(rows)
    return timezone.localdate(before.learned_at) + timedelta(round(interval)) <= first


def _learn(segment: Segment, rows: Sequence[_Row], before: ServiceCorrection | None, now: datetime) -> None:
    from procurement.engine.experiments import correct_service

    weight = sum(row.weight for row in rows)
    asked = sum(row.asked * row.weight for row in rows) / weight
    realised = sum(row.given for row in rows) / weight
    realised = min(max(realised, LEAST_REALISED), 1.0)
    found = correct_service(asked, realised, len(rows), before=before.factor if before else 1.0)
    ServiceCorrection.objects.update_or_create(
        warehouse_id=segment[0],
        segment=segment[1],
        defaults={
            "factor": found.factor,
            "asked": asked,
            "realised": realised,
            "item_count": len(rows),
            "days": DAYS,
            "learned_at": now,
        },
    )


def _measured(last: date) -> dict[Segment, list[_Row]]:
    """Warehouse × segment → its rows, read chunk by chunk."""
    run = latest_run()
    busy = set(ExperimentItem.objects.filter(is_active=True).values_list("sku_id", flat=True))
    fields = ("sku_id", "warehouse_id", "value_class", "demand_class")
    segments: dict[Pair, str] = {}
    for forecast in Forecast.objects.filter(run=run).only(*fields).iterator(chunk_size=10_000):
        if forecast.sku_id not in busy and (name := segment_of(forecast)):
            segments[forecast.sku_id, forecast.warehouse_id] = name
    found: dict[Segment, list[_Row]] = defaultdict(list)
    for chunk in sku_chunks(sorted({sku for sku, _place in segments})):
        items = {pair: one for pair, one in planned_items(chunk).items() if pair in segments and _asks(one)}
        for pair, row in _rows(items, last).items():
            found[pair[1], segments[pair]].append(row)
    return found


def _asks(planned: PlannedItem) -> bool:
    return planned.policy.target != Policy.Target.COST


def _rows(items: dict[Pair, PlannedItem], last: date) -> dict[Pair, _Row]:
    """Pairs that were sold, and whose stock is known, on all the days."""
    import numpy as np

    pairs = sorted(items)
    if not pairs:
        return {}
    sums = fared_pairs(pairs, items, first=last - timedelta(DAYS - 1), until=last)
    share = in_stock_panel(pairs, until=last, days=DAYS)
    usable = sums.known & ~np.isnan(share).any(axis=1)
    found = {}
    for place in np.flatnonzero(usable):
        policy, days = items[pairs[place]].policy, items[pairs[place]].protection_days
        if policy.target == Policy.Target.FILL:
            wanted = float(sums.wanted[place])
            if wanted > 0.0:
                given = wanted - float(sums.short[place])
                found[pairs[place]] = _Row(policy.target, float(policy.fill_rate), wanted, given, days)
        elif (served := _served_intervals(share[place], days)) is not None:
            found[pairs[place]] = _Row(policy.target, float(policy.service_level), 1.0, served, days)
    return found


def _served_intervals(share: "NDArray[np.float64]", days: int) -> float | None:
    """Share of whole intervals of so many days, counted back from the last, without a day out of stock; None where not
    one fits."""
    count = len(share) // max(days, 1)
    if count == 0:
        return None
    kept = share[len(share) - count * days :].reshape(count, days)
    return float((kept >= DRY).all(axis=1).mean())
