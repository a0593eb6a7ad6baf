"""What a replay found: sums per scenario and item, and their totals with intervals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay import measures
from procurement.engine.replay.checks import Array
from procurement.engine.replay.estimates import Estimate, interval, linearised
from procurement.engine.replay.types import ReplayInput

Clusters = Literal["automatic", "scenarios", "batches", "items"]


def _measure(place: int, doc: str) -> property:
    def read(result: "ReplayResult") -> Array:
        return np.asarray(result.sums[..., place].sum(axis=2))

    return property(read, doc=doc)


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """`sums` (M, N, batches, measures) over the counted days; the properties are its measures, each (M, N).

    A *cycle* runs from one receipt to the next (whole ones count), an *interval* from one review's usual receipt (its
    day plus the mean lead time) to the next, R days; either is short when a day in it ends with unmet demand. For
    (R,S) with backorders the share of intervals not short is P(demand over L + R ≤ S).
    """

    replay: ReplayInput
    sums: Array

    demand = _measure(measures.DEMAND, "units asked for")
    served = _measure(measures.SERVED, "units served from stock on the day they were asked for")
    short = _measure(measures.SHORT, "units not served on their day, lost or backordered")
    stock_days = _measure(measures.STOCK_DAYS, "units on hand at the end of each day, summed")
    backorder_days = _measure(measures.BACKORDER_DAYS, "units backordered at the end of each day, summed")
    orders = _measure(measures.ORDERS, "orders placed")
    units_ordered = _measure(measures.UNITS_ORDERED, "units ordered")
    cycles = _measure(measures.CYCLES, "whole replenishment cycles, receipt to receipt")
    cycles_short = _measure(measures.CYCLES_SHORT, "cycles with unmet demand")
    intervals = _measure(measures.INTERVALS, "whole review intervals")
    intervals_short = _measure(measures.INTERVALS_SHORT, "review intervals with unmet demand")
    wasted = _measure(measures.WASTED, "units that reached their shelf life")
    stockout_days = _measure(measures.STOCKOUT_DAYS, "days on which demand was short")
    empty_days = _measure(measures.EMPTY_DAYS, "days ending without stock")
    closing_stock = _measure(measures.CLOSING_STOCK, "units on hand at the end")
    closing_on_order = _measure(measures.CLOSING_ON_ORDER, "units on order at the end")

    def costs(self) -> dict[str, Array]:
        """Money by kind over the counted days, each (M, N); see `kinds_of_cost`."""
        return {kind: amounts.sum(axis=2) for kind, amounts in kinds_of_cost(self.replay, self.sums).items()}

    def totals(self, clusters: Clusters = "automatic") -> dict[str, Estimate]:
        """Every figure of `figures` with its 95 % interval, summed over the items, per scenario."""
        return {name: interval(*found) for name, found in figures(self, clusters).items()}


def kinds_of_cost(replay: ReplayInput, sums: Array) -> dict[str, Array]:
    """holding + ordering + stockout + backorder + waste = total; purchase is not in it (units wasted are, at cost).

    Holding: stock-days · unit cost · rate / 365. 100 units at 3.65 for 10 days at 0.25 a year: 2.50. `sums` (…, M, N,
    B, measures) → (…, M, N, B).
    """

    def by_item(values: Array) -> Array:
        return values[:, None]

    stockout_cost = np.where(np.isnan(replay.stockout_cost), 0.0, replay.stockout_cost)
    kinds = {
        "holding": sums[..., measures.STOCK_DAYS] * by_item(replay.unit_cost * replay.holding_rate_per_year / 365.0),
        "ordering": sums[..., measures.ORDERS] * by_item(replay.fixed_order_cost),
        "stockout": sums[..., measures.SHORT] * by_item(stockout_cost),
        "backorder": sums[..., measures.BACKORDER_DAYS] * by_item(replay.backorder_cost_per_day),
        "waste": sums[..., measures.WASTED] * by_item(replay.unit_cost),
    }
    kinds["total"] = sum(kinds.values(), np.zeros(sums.shape[:-1]))
    return kinds


def figures(result: ReplayResult, clusters: Clusters = "automatic") -> dict[str, tuple[float, Array]]:
    """name → (value, influence of each cluster).

    fill_rate, fill_rate_value (at `unit_price`), cycle_service, interval_service: shares. mean_stock (units),
    stock_value (at `unit_cost`): of all items together on an average day; stock_cover_days = mean stock / mean demand
    a day. orders, units_ordered, stockout_days, wasted, wasted_value, demand, cost_…: sums over the counted days.
    """
    replay, together = result.replay, _together(result, clusters)
    scenarios, items, batches, _ = result.sums.shape
    lengths = np.diff(replay.batch_ends, prepend=replay.warm_up_days)
    days = together(np.broadcast_to(lengths / items, (scenarios, items, batches)))
    runs = together(np.full((scenarios, items, batches), 1.0 / (items * batches)))

    def summed(place: int, weights: Array | float = 1.0) -> Array:
        return together(result.sums[..., place] * (np.asarray(weights)[..., None]))

    price, cost = replay.unit_price, replay.unit_cost
    found = {
        "fill_rate": _share(summed(measures.SHORT), summed(measures.DEMAND)),
        "fill_rate_value": _share(summed(measures.SHORT, price), summed(measures.DEMAND, price)),
        "cycle_service": _share(summed(measures.CYCLES_SHORT), summed(measures.CYCLES)),
        "interval_service": _share(summed(measures.INTERVALS_SHORT), summed(measures.INTERVALS)),
        "mean_stock": linearised(summed(measures.STOCK_DAYS), days),
        "stock_value": linearised(summed(measures.STOCK_DAYS, cost), days),
        "stock_cover_days": linearised(summed(measures.STOCK_DAYS), summed(measures.DEMAND)),
        "backorders": linearised(summed(measures.BACKORDER_DAYS), days),
        "wasted_value": linearised(summed(measures.WASTED, cost), runs),
    }
    for name in ("demand", "orders", "units_ordered", "stockout_days", "wasted"):
        found[name] = linearised(summed(getattr(measures, name.upper())), runs)
    for kind, amounts in kinds_of_cost(replay, result.sums).items():
        found[f"cost_{kind}"] = linearised(together(amounts), runs)
    return found


def _share(short: Array, of: Array) -> tuple[float, Array]:
    value, influence = linearised(short, of)
    return 1.0 - value, -influence


def _together(result: ReplayResult, clusters: Clusters) -> Callable[[Array], Array]:
    """The sum of (M, N, B) over all that is not the cluster."""
    scenarios, items, batches, _ = result.sums.shape
    places = {"scenarios": (scenarios, (1, 2)), "batches": (batches, (0, 1)), "items": (items, (0, 2))}
    chosen: str = clusters
    if clusters == "automatic":
        chosen = next((name for name, (size, _) in places.items() if size > 1), "scenarios")
    if chosen not in places:
        raise ParameterError("clusters", "must be automatic, scenarios, batches or items")
    axes = places[chosen][1]
    return lambda values: np.asarray(values.sum(axis=axes))
