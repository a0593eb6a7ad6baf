"""What a replay takes. N items, T days, M scenarios, U dates at which levels change, J lead times to draw from.

A day runs: **receive** (backorders first) → **review and order** (lead time 0: received at once) → **demand** →
**waste** (what has reached its shelf life leaves) → **count**. An order placed on day t with lead time L is received
on the morning of day t + L, so it covers demand from day t + L on and the protection interval is L + R days.

At a review the position (on hand + on order − backorders) is compared with s: below it an order is placed (at it as
well if `order_at_reorder_point`, the textbook's s of whole units), up to S, or of the fewest lots Q that bring the
position back to s (above s if `order_at_reorder_point`). s = S is (R,S). The order is raised to `minimum`, rounded up
to `pack`, then cut to whole packs that keep the position within `maximum_stock` (none at all below the minimum).
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.checks import Whole, only_whole, per_item, within
from procurement.engine.replay.demand import DemandSource, demand_source
from procurement.engine.replay.reading import PER_ITEM, check_counts, check_lead_times, check_levels, check_opening


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayInput:
    """Scalars are spread over the items; every array is checked and a wrong one raises `ParameterError` by its name.

    `demand` (N, T), (M, N, T) or a `DemandSource`, units a day. Levels (units) are numbers, (N,) or (N, U), valid from
    `level_days` (U,), the first of which is 0; `reorder_point` None: (R,S); `lot` above 0: (R,s,nQ), S is not looked
    at. Reviews are on days `review_offset` + k·`review_days`.

    Lead times: `lead_time_days`, rounded to whole days (halves up), or `lead_time_draws` (N, J), of which each order
    draws one by (seed, scenario, item, day), so that two policies meet the same. `orders_cross` False holds an order
    back until those before it are in. `opening_stock` None: S (or s + Q). `opening_pipeline` (N, P): units received on
    day 0, 1 … P − 1. `shelf_life_days` 1 sells on the day of receipt only, 0 keeps for ever; first in, first out; the
    opening stock is of day 0.

    `stockout_cost` is money a unit short (nan unknown: not in the cost), `backorder_cost_per_day` a unit and day
    backordered. Days before `warm_up_days` are not counted; the others are cut into `batches` of equal length for
    intervals from a single scenario.
    """

    demand: Any
    order_up_to_level: Any = None
    reorder_point: Any = None
    lot: Any = 0.0
    level_days: Any = (0,)
    order_at_reorder_point: bool = False
    review_days: Any = 1.0
    review_offset: Any = 0.0
    lead_time_days: Any = None
    lead_time_draws: Any = None
    orders_cross: Any = True
    is_lost: Any = True
    minimum: Any = 0.0
    pack: Any = 0.0
    maximum_stock: Any = float("inf")
    shelf_life_days: Any = 0.0
    opening_stock: Any = None
    opening_pipeline: Any = None
    unit_cost: Any = 1.0
    unit_price: Any = None
    holding_rate_per_year: Any = 0.25
    fixed_order_cost: Any = 0.0
    stockout_cost: Any = float("nan")
    backorder_cost_per_day: Any = 0.0
    warm_up_days: int = 0
    batches: int = 1
    seed: int = 0
    source: DemandSource = field(init=False)
    lead_times: Any = field(init=False)

    def __post_init__(self) -> None:
        put = {name: getattr(self, name) for name in (f.name for f in fields(self) if f.init)}
        put["source"] = demand_source(self.demand)
        _, items, days = put["source"].shape
        check_counts(put, days)
        for name, (lowest, highest, ends, above) in PER_ITEM.items():
            put[name] = per_item(name, put[name], items)
            within(name, put[name], lowest, highest, above=above, ends=ends)
        for name in ("review_days", "review_offset", "shelf_life_days"):
            put[name] = only_whole(name, put[name])
        for name in ("is_lost", "orders_cross"):
            put[name] = put[name] != 0.0
        price = put["unit_cost"] if self.unit_price is None else per_item("unit_price", self.unit_price, items)
        within("unit_price", price)
        put["unit_price"] = price
        check_levels(put, items)
        check_lead_times(put, items)
        check_opening(put, items)
        if ((put["minimum"] > put["maximum_stock"]) & (put["minimum"] > 0.0)).any():
            raise ParameterError("minimum", "is above the maximum stock: nothing could ever be ordered")
        for name, value in put.items():
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(M, N, T)."""
        return self.source.shape

    @property
    def counted_days(self) -> int:
        return self.shape[2] - self.warm_up_days

    @property
    def batch_ends(self) -> Whole:
        """The day after the last of each batch."""
        return self.warm_up_days + np.arange(1, self.batches + 1, dtype=np.int64) * self.counted_days // self.batches

    def with_levels(self, *, order_up_to_level: Any = None, reorder_point: Any = None, lot: Any = 0.0) -> "ReplayInput":
        """Another policy on the same demand, lead times, opening stock and terms; levels as in the constructor."""
        return replace(
            self, demand=self.source, order_up_to_level=order_up_to_level, reorder_point=reorder_point, lot=lot
        )
