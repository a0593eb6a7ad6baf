"""What goes into a replenishment decision, and what comes out: the two dataclasses services speak with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from procurement.engine.explanation import Term


@dataclass(frozen=True, slots=True)
class ReplenishmentInput:
    """Everything the decision depends on. Quantities in units, times in days, money in one currency.

    `protection_*` describe the SUM of demand over the protection interval L + R: its mean, its standard deviation
    (of the forecast error) and its quantiles (probability → units). `service_level` is the CYCLE service level:
    the probability of no stock-out in a protection interval. `reserved` is part of `on_hand`; `backordered` is
    accepted demand without cover and not in `reserved`; `in_draft` sums draft purchase orders and open proposals,
    `in_transit` what other warehouses have sent.
    `fixed_order_cost` is of a whole order, shared by the `lines_sharing_order` items that are usually ordered together.
    `price_breaks` are all-units: from `min_qty` on, the whole order costs `unit_cost` a unit. `unit_cost` is landed.
    `incremental`: a break's cost holds for the units above it only.

    `target_kind` names the target: `cycle_service_level` (`service_level`), `fill_rate` (`fill_rate`: the share of
    demand served from stock) or `cost` (`stockout_cost_per_unit` against holding). `unmet_demand`: `backordered` or
    `lost`. The lead time is gamma with `lead_time_days` and `lead_time_sd_days`, unless `quantiles_include_lead_time`;
    `lead_times_cross` says that a later order may arrive before an earlier one. `model`: `automatic`, `order_up_to`
    (R,S), `min_max` (R,s,S) or `fixed_lot` (R,s,nQ). `service_correction` multiplies the safety stock (learned from
    what policies achieved). `order_maximum`: what the supplier can deliver in one order. `pallet_size`: sold by the
    pallet, a whole number of packs. `shelf_life_days` from receipt: no lot that is not expected to sell within it.
    `shared_*`: where `service_level` is the item's part of one fill rate for many, that fill rate, the item's
    weight in it, and what the forecast's spread was multiplied by beforehand; they are told, not used.
    """

    sku_key: str
    mean_daily_demand: float
    lead_time_days: float
    review_days: float
    protection_mean: float
    service_level: float
    protection_quantiles: Mapping[float, float] = field(default_factory=dict)
    protection_sd: float = 0.0
    lead_time_sd_days: float = 0.0
    on_hand: float = 0.0
    reserved: float = 0.0
    on_order: float = 0.0
    in_draft: float = 0.0
    in_transit: float = 0.0
    backordered: float = 0.0
    unit_cost: float = 0.0
    price_breaks: tuple[tuple[float, float], ...] = ()
    holding_cost_rate_per_year: float = 0.0
    fixed_order_cost: float = 0.0
    lines_sharing_order: float = 1.0
    minimum_order_quantity: float = 0.0
    pack_size: float = 1.0
    maximum_stock: float | None = None
    maximum_cover_days: float = 365.0
    stockout_cost_per_unit: float | None = None
    target_kind: str = "cycle_service_level"
    fill_rate: float | None = None
    unmet_demand: str = "backordered"
    quantiles_include_lead_time: bool = False
    lead_times_cross: bool = False
    model: str = "automatic"
    service_correction: float = 1.0
    incremental: bool = False
    order_maximum: float | None = None
    pallet_size: float | None = None
    shelf_life_days: float | None = None
    shared_fill_rate: float | None = None
    shared_weight: float = 0.0
    shared_spread: float = 1.0

    @property
    def protection_days(self) -> float:
        return self.lead_time_days + self.review_days

    @property
    def order_step(self) -> float:
        """What orders are multiples of."""
        return self.pallet_size or self.pack_size

    @property
    def fixed_cost_per_line(self) -> float:
        """One order carries many lines; each bears its share of the order's fixed cost, not the whole of it."""
        return self.fixed_order_cost / self.lines_sharing_order


@dataclass(frozen=True, slots=True)
class ReplenishmentResult:
    """The decision. `explanation` holds every number of it; `replay(explanation)` calculates it again.

    `stockout_probability` and `expected_shortage` (units) say what the protection interval brings if nothing is
    ordered now. `days_of_cover` is the position after the order over the mean daily demand, None without demand.
    `warnings` are codes: see `WARNINGS` in `replenishment.py`.
    """

    sku_key: str
    safety_stock: float
    reorder_point: float
    order_up_to_level: float
    inventory_position: float
    economic_order_quantity: float
    order_quantity: float
    unit_cost: float
    triggered: bool
    stockout_probability: float
    expected_shortage: float
    days_of_cover: float | None
    warnings: tuple[str, ...]
    explanation: tuple[Term, ...]
