"""How SKUs fared over some days, read off the ledger and the orders: stock value, fill rate, cost.

Sales do not show what met an empty shelf. So the fill rate is that of expected demand: e·s summed over the days and
warehouses, over e, with s the share of the day in stock and e the mean demand of the days in stock. A unit of e that
met an empty shelf costs the policy's stock-out cost (a share of the list price), else the margin.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from catalog.models import Sku
from forecasting.selectors.copied import copied
from forecasting.selectors.in_stock import in_stock_panel
from forecasting.selectors.series import PAIRS, Pair, asked, demand_panel
from procurement.services.aims import DEFAULT_POLICY, PlannedItem, planned_items
from warehouses.models import Location, Warehouse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Fared:
    """One SKU over the days, in the company's currency: mean stock value, share of expected demand that met stock,
    expected units a day, and cost a day (holding the stock, and what was short)."""

    stock_value: float
    fill_rate: float
    expected_daily: float
    cost: float

    def of(self, metric: str) -> float:
        return float(getattr(self, metric))


@dataclass(frozen=True, slots=True)
class PairSums:
    """The same of each pair, as arrays (pairs,): mean stock value, units short and wanted over the days, cost a day;
    `known`: whether there was demand to go by on each of the days."""

    stock_value: "NDArray[np.float64]"
    short: "NDArray[np.float64]"
    wanted: "NDArray[np.float64]"
    cost: "NDArray[np.float64]"
    known: "NDArray[np.bool_]"

    @property
    def fill_rate(self) -> "NDArray[np.float64]":
        """1 where nothing was wanted."""
        return 1.0 - self.short / (self.wanted + (self.wanted == 0.0))


def fared(sku_ids: Collection[int], *, first: date, until: date, warehouse_id: int | None = None) -> dict[int, Fared]:
    """SKU id → how it fared from `first` to `until`, in all active warehouses or one; at most 16 queries."""
    skus = set(Sku.objects.filter(pk__in=sku_ids).values_list("pk", flat=True))
    places = Warehouse.objects.filter(is_active=True)
    if warehouse_id is not None:
        places = places.filter(pk=warehouse_id)
    pairs = [(sku, place) for sku in sorted(skus) for place in places.order_by("pk").values_list("pk", flat=True)]
    if not pairs:
        return {}
    found = fared_pairs(pairs, planned_items(list(skus)), first=first, until=until)
    sums: dict[int, list[float]] = {sku: [0.0, 0.0, 0.0, 0.0] for sku in skus}
    parts = zip(found.stock_value, found.short, found.wanted, found.cost, strict=True)
    for pair, numbers in zip(pairs, parts, strict=True):
        sums[pair[0]] = [had + float(more) for had, more in zip(sums[pair[0]], numbers, strict=True)]
    days = (until - first).days + 1
    return {
        sku: Fared(value, 1.0 - missed / wanted if wanted > 0.0 else 1.0, wanted / days, cost)
        for sku, (value, missed, wanted, cost) in sums.items()
    }


def fared_pairs(pairs: list[Pair], items: Mapping[Pair, PlannedItem], *, first: date, until: date) -> PairSums:
    """How each (SKU, warehouse) fared; costs are those of the policy and SKU in `items`."""
    import numpy as np

    days = (until - first).days + 1
    share, stock = in_stock_panel(pairs, until=until, days=days), stock_panel(pairs, first=first, until=until)
    demand, _starts = demand_panel(pairs, until=until, days=days)
    skus = Sku.objects.in_bulk({sku for sku, _place in pairs})
    share = np.where(np.isnan(share), 1.0, share)
    known = ~np.isnan(demand)
    asked_for = np.nansum(np.where(share > 0.0, demand, 0.0), axis=1)
    expected = asked_for / np.maximum(np.where(known, share, 0.0).sum(axis=1), 1.0)
    short, wanted = expected * (known * (1.0 - share)).sum(axis=1), expected * known.sum(axis=1)
    value = stock.mean(axis=1) * np.array([float(skus[sku].unit_cost) for sku, _place in pairs])
    rates = np.array([rates_of(skus[pair[0]], items.get(pair)) for pair in pairs])
    cost = value * rates[:, 0] / 365.0 + rates[:, 1] * short / days
    return PairSums(value, short, wanted, cost, np.asarray(known.all(axis=1)))


def rates_of(sku: Sku, planned: PlannedItem | None) -> tuple[float, float]:
    """(holding cost rate a year, cost of a unit short)."""
    policy = planned.policy if planned else DEFAULT_POLICY
    price, cost = float(sku.unit_price), float(sku.unit_cost)
    share = policy.stockout_cost_share
    return float(policy.holding_cost_rate), float(share) * price if share is not None else max(price - cost, 0.0)


def stock_panel(pairs: list[Pair], *, first: date, until: date) -> "NDArray[np.float64]":
    """(pairs, days) units on hand at the end of each day, by the warehouse's own clock; goods in transit left out."""
    import numpy as np

    days = (until - first).days + 1
    net = np.zeros((len(pairs), days + 1))
    cells = copied(_NET, ("units",), asked(pairs, first, until) | {"transit": Location.Kind.IN_TRANSIT})
    net[cells["row"], cells["column"] + 1] = cells["units"]
    on_hand: NDArray[np.float64] = net.cumsum(axis=1)[:, 1:]
    return on_hand


_NET = f"""
SELECT (place - 1)::int4, greatest(day - %(first)s::date, -1)::int4, sum(units)::float8
FROM (
    SELECT pair.place, (m.happened_at AT TIME ZONE w.time_zone)::date AS day, m.quantity AS units
    FROM {PAIRS}
    JOIN warehouses_warehouse w ON w.id = pair.warehouse_id
    JOIN warehouses_location location ON location.warehouse_id = w.id AND location.kind <> %(transit)s
    JOIN warehouses_stockmovement m ON m.location_id = location.id AND m.sku_id = pair.sku_id
) moved
WHERE day <= %(until)s GROUP BY 1, 2
"""  # noqa: S608 - the only thing put in is a constant
