"""The demand a forecast reads: what was sold, what a rule or a planner made of it, and how much of each day could
sell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from forecasting.models import HistoryCorrection
from forecasting.selectors.copied import copied
from forecasting.selectors.in_stock import in_stock_panel
from forecasting.selectors.series import PAIRS, Pair, asked, demand_panel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEARNING_DAYS = 365


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """One day of one pair. demand: what the forecast reads it as, None where it tells nothing (out of stock, unknown).
    in_stock: share of the day, None where the ledger does not know. kind: '' as sold, else bulk, outlier, manual or
    censored."""

    day: date
    sold: float
    demand: float | None
    in_stock: float | None
    kind: str
    correction_id: int | None = None
    decision: str = ""


def pair_history(sku_id: int, warehouse_id: int, *, start: date, end: date) -> list[HistoryDay]:
    """The days from `start` to `end` (included) since the pair began, cleaned as the forecast would; the year before
    `start` is read too, to know what is usual."""
    return pair_histories([(sku_id, warehouse_id)], start=start, end=end)[sku_id, warehouse_id]


def pair_histories(pairs: Sequence[Pair], *, start: date, end: date) -> dict[Pair, list[HistoryDay]]:
    """`pair_history` of several pairs, in the queries of one."""
    import numpy as np

    from forecasting.engine.cleaning import KINDS, clean
    from forecasting.engine.types import Panel

    days = (end - start).days + 1 + LEARNING_DAYS
    sold, starts = demand_panel(pairs, until=end, days=days)
    values, decisions = corrected_demand(sold, pairs, until=end)
    share = in_stock_panel(pairs, until=end, days=days)
    ids = tuple(str(place) for place in range(len(pairs)))
    cleaned = clean(Panel(ids, values, starts, in_stock=share, decisions=decisions))
    kinds: dict[tuple[int, int], str] = {
        (row, column): KINDS[kind]
        for row, column, kind in zip(cleaned.changes.row, cleaned.changes.period, cleaned.changes.kind, strict=True)
    }
    rows = HistoryCorrection.objects.filter(sku_id__in={sku for sku, _w in pairs}, day__gte=start, day__lte=end)
    corrections = {(row.sku_id, row.warehouse_id, row.day): row for row in rows}
    found: dict[Pair, list[HistoryDay]] = {pair: [] for pair in pairs}
    for place, pair in enumerate(pairs):
        for column in range(max(LEARNING_DAYS, int(starts[place])), days):
            if np.isnan(sold[place, column]):
                continue
            day, weight = end - timedelta(days - 1 - column), float(cleaned.exposure[place, column])
            row, in_stock = corrections.get((*pair, day)), float(share[place, column])
            found[pair].append(
                HistoryDay(
                    day=day,
                    sold=float(sold[place, column]),
                    demand=float(cleaned.demand[place, column]) / weight if weight > 0 else None,
                    in_stock=None if in_stock != in_stock else in_stock,
                    kind=row.kind if row is not None and row.decision != "kept" else kinds.get((place, column), ""),
                    correction_id=None if row is None else row.pk,
                    decision="" if row is None else row.decision,
                )
            )
    return found


def corrected_demand(
    values: "NDArray[np.float64]", pairs: Sequence[Pair], *, until: date
) -> "tuple[NDArray[np.float64], NDArray[np.int8]]":
    """(values, decisions) (n, T) as the engine is to read them.

    Bulk orders, and what a planner confirmed or set, are read as corrected; what a planner kept is read as sold. All of
    those are marked 1 (never capped again). Outliers found by rule are left to the engine, which caps them itself.
    """
    import numpy as np

    days = values.shape[1]
    decisions = np.zeros(values.shape, dtype=np.int8)
    if not pairs or not days:
        return values, decisions
    cells = copied(_DECIDED, ("corrected", "is_kept"), asked(pairs, until - timedelta(days - 1), until))
    if not len(cells):
        return values, decisions
    row, column = cells["row"], cells["column"]
    known = ~np.isnan(values[row, column])
    changed = known & (cells["is_kept"] == 0)
    out = values.copy()
    out[row[changed], column[changed]] = cells["corrected"][changed]
    decisions[row[known], column[known]] = 1
    return out, decisions


_DECIDED = f"""
SELECT (pair.place - 1)::int4, (c.day - %(first)s::date)::int4, c.corrected::float8,
       (c.decision = 'kept')::int::float8
FROM {PAIRS}
JOIN forecasting_historycorrection c USING (sku_id, warehouse_id)
WHERE c.day BETWEEN %(first)s AND %(until)s AND (c.decision <> 'auto' OR c.kind <> 'outlier')
"""  # noqa: S608
