"""How much to order now, from forecast quantiles: the same interpolation and reasons as the nightly planning run.

The level is the quantile of protection-interval demand at the target; where all given quantiles are whole numbers,
demand is counted in whole units and the level is the smallest whole number that reaches the target.
"""

from dataclasses import dataclass
from typing import Any

from procurement.engine.errors import ParameterError
from procurement.engine.explanation import Derivation, to_records
from procurement.engine.expressions import WHOLE_TOLERANCE, round_down, round_up
from procurement.engine.models.model import Model
from procurement.engine.parameters import choice, number, optional, required, table
from procurement.engine.quantiles import QuantileCurve
from procurement.engine.reorder_point import derive_forecast_quantile

_OPEN_SHARE = number(above=0, below=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpToInputs:
    """Quantiles (probability → units over the protection interval), the position, ONE target, the supplier's terms.

    Targets: `cycle_service_level` = P(no stock-out in a protection interval) · `fill_rate` = share of demand served
    from stock, with `mean_demand_per_review` · `holding_cost` and `stockout_cost` (per unit and interval).
    `unmet_demand`: `lost`, or `backordered`; where it is not said, backordered if units already wait, else lost. The
    mean of the demand is the curve's, or `protection_mean`, or that of `lead_time` + `review_period`.
    """

    quantiles: tuple[tuple[float, float], ...] = required(table(_OPEN_SHARE, number(at_least=0)))
    on_hand: float = required(number(at_least=0))
    on_order: float = optional(number(at_least=0), 0.0)
    backordered: float = optional(number(at_least=0), 0.0)
    cycle_service_level: float | None = optional(_OPEN_SHARE)
    fill_rate: float | None = optional(_OPEN_SHARE)
    mean_demand_per_review: float | None = optional(number(above=0))
    unmet_demand: str | None = optional(choice("lost", "backordered"))
    protection_mean: float | None = optional(number(above=0))
    lead_time: float | None = optional(number(at_least=0))
    review_period: float | None = optional(number(above=0))
    holding_cost: float | None = optional(number(above=0))
    stockout_cost: float | None = optional(number(above=0))
    minimum_order_quantity: float = optional(number(at_least=0), 0.0)
    pack_size: float | None = optional(number(above=0))
    maximum_stock: float | None = optional(number(at_least=0))

    @property
    def is_backordered(self) -> bool:
        return self.unmet_demand == "backordered" or (self.unmet_demand is None and self.backordered > 0.0)

    def __post_init__(self) -> None:
        by_cost = self.holding_cost is not None or self.stockout_cost is not None
        targets = [self.cycle_service_level is not None, self.fill_rate is not None, by_cost]
        names = "cycle_service_level, fill_rate, or holding_cost with stockout_cost"
        if sum(targets) == 0:
            raise ParameterError("cycle_service_level", f"a target is missing: give one of {names}")
        if sum(targets) > 1:
            second = "fill_rate" if all(targets[:2]) else "holding_cost"
            raise ParameterError(second, f"is a second target: give only one of {names}")
        if by_cost and self.stockout_cost is None:
            raise ParameterError("stockout_cost", "is missing beside holding_cost")
        if by_cost and self.holding_cost is None:
            raise ParameterError("holding_cost", "is missing beside stockout_cost")
        if self.fill_rate is not None and self.mean_demand_per_review is None:
            raise ParameterError("mean_demand_per_review", "is missing beside fill_rate")


def solve_order_up_to(inputs: OrderUpToInputs) -> dict[str, Any]:
    """S at the target, order S − position in acceptable packs. q(0.95) = 24, on hand 5, on order 10, pack 6 → 12."""
    curve, derivation = QuantileCurve.through(dict(inputs.quantiles)), Derivation()
    _derive_target(derivation, inputs, curve)
    level = "round_up(max(0, forecast_quantile), 1)" if curve.is_whole else "max(0, forecast_quantile)"
    if inputs.maximum_stock is not None:
        derivation.given("maximum_stock", "M", inputs.maximum_stock, "units", "input")
        level = f"min({level}, maximum_stock)"
    order_up_to_level = derivation.derive("order_up_to_level", "S", level, "units")
    for code, symbol in (("on_hand", "OH"), ("on_order", "OO"), ("backordered", "BO")):
        derivation.given(code, symbol, getattr(inputs, code), "units", "input")
    derivation.derive("inventory_position", "IP", "on_hand + on_order - backordered", "units")
    derivation.derive("needed_quantity", "S−IP", "max(0, order_up_to_level - inventory_position)", "units")
    quantity = _derive_quantity(derivation, inputs, curve)
    derivation.derive("rounding", "Q−(S−IP)", "order_quantity - needed_quantity", "units")
    return {
        "order_up_to_level": _plain(order_up_to_level),
        "order_quantity": _plain(quantity),
        "explanation": to_records(derivation.terms),
    }


def _derive_target(derivation: Derivation, inputs: OrderUpToInputs, curve: QuantileCurve) -> None:
    """Add the terms that end in `forecast_quantile`, the demand to be covered."""
    if inputs.cycle_service_level is not None:
        derivation.given("cycle_service_level", "α", inputs.cycle_service_level, "probability", "input")
        derive_forecast_quantile(derivation, curve, inputs.cycle_service_level, "cycle_service_level")
    elif inputs.holding_cost is not None and inputs.stockout_cost is not None:
        derivation.given("holding_cost", "h", inputs.holding_cost, "money per unit", "input")
        derivation.given("stockout_cost", "p", inputs.stockout_cost, "money per unit", "input")
        ratio = "stockout_cost / (stockout_cost + holding_cost)"
        if not 0.0 < inputs.stockout_cost / (inputs.stockout_cost + inputs.holding_cost) < 1.0:
            ratio = f"min(max({ratio}, 1e-300), 0.9999999999999999)"
        derivation.derive("critical_ratio", "p/(p+h)", ratio, "probability")
        derive_forecast_quantile(derivation, curve, derivation.values["critical_ratio"], "critical_ratio")
    else:
        derivation.given("fill_rate", "β", inputs.fill_rate or 0.0, "share", "input")
        derivation.given("mean_demand_per_review", "dR", inputs.mean_demand_per_review or 0.0, "units", "input")
        _derive_fill_rate(derivation, inputs, curve)


def _derive_fill_rate(derivation: Derivation, inputs: OrderUpToInputs, curve: QuantileCurve) -> None:
    """Lost sales: n(S) = (1 − β)·E[D]; backorders: n(S) − n_L(S) = (1 − β)·d·R, D being demand over L + R.

    What is sold in any L + R days had been in position, so it cannot exceed S: (D − S)⁺ of a window is lost, and lost
    once, though it stands in (L + R)/R windows. Backorders: those of the lead time are waiting from earlier reviews.
    """
    mean = max(curve.mean(), inputs.mean_demand_per_review or 0.0)  # the interval holds a review
    if inputs.lead_time is not None and inputs.review_period is not None:
        reviews = (inputs.lead_time + inputs.review_period) / inputs.review_period
        mean = reviews * (inputs.mean_demand_per_review or 0.0)
    if inputs.protection_mean is not None:
        mean = inputs.protection_mean
    waiting = None
    if inputs.is_backordered:
        share = max(0.0, 1.0 - (inputs.mean_demand_per_review or 0.0) / mean) if mean > 0.0 else 0.0
        waiting = curve.moved(share * mean - share**0.5 * mean, share**0.5)
        allowed = derivation.derive("allowed_shortage", "n", "(1 - fill_rate) * mean_demand_per_review", "units")
    else:
        derivation.given("mean_protection_demand", "E[D]", mean, "units", "forecast")
        allowed = derivation.derive("allowed_shortage", "n", "(1 - fill_rate) * mean_protection_demand", "units")
    stock = stock_for_shortage(curve, allowed, waiting)
    derivation.given("forecast_quantile", "q", stock, "units", "smallest stock with n(S) ≤ allowed shortage")
    derivation.given("expected_shortage", "n(S)", curve.expected_shortage(stock), "units", "forecast")


def stock_for_shortage(curve: QuantileCurve, allowed: float, waiting: QuantileCurve | None = None) -> float:
    """Smallest S ≥ 0 with n(S) − n_waiting(S) ≤ allowed: β = 1 − n(S)/(d·R), Silver, Pyke & Thomas, ch. 7, for (R, S).

    Normal check: mean 100, sd 10, β = 0.99 of 10 a review: σ·ℒ(k) = 0.1 → k = 1.9370... and S = 100 + 10·k.
    """

    def short(stock: float) -> float:
        earlier = waiting.expected_shortage(stock) if waiting else 0.0
        return curve.expected_shortage(stock) - earlier

    low, high = 0.0, max(1.0, 2.0 * curve.units[-1])
    if short(low) <= allowed:
        return low
    while short(high) > allowed:
        low, high = high, 2.0 * high
    while True:
        middle = (low + high) / 2.0
        if middle in (low, high):
            return high
        low, high = (low, middle) if short(middle) <= allowed else (middle, high)


def _derive_quantity(derivation: Derivation, inputs: OrderUpToInputs, curve: QuantileCurve) -> float:
    """Nothing, the exact need, or the best multiple of the pack from the minimum up that the maximum stock allows.

    A service target takes the smallest acceptable quantity that reaches the level. A cost target compares it with the
    multiple below and with no order at all: holding and stock-out cost of the interval, so a small need does not
    become a large minimum unless that pays.
    """
    need, position = derivation.values["needed_quantity"], derivation.values["inventory_position"]
    if need <= 0.0:
        return derivation.derive("order_quantity", "Q", "0", "units")
    derivation.given("minimum_order_quantity", "MOQ", inputs.minimum_order_quantity, "units", "input")
    pack = inputs.pack_size or (1.0 if curve.is_whole else None)
    enough, below = max(need, inputs.minimum_order_quantity), need
    formula = "max(needed_quantity, minimum_order_quantity)"
    if pack is not None:
        derivation.given("pack_size", "n", pack, "units", "input")
        enough, below, formula = round_up(enough, pack), round_down(need, pack), f"round_up({formula}, pack_size)"
    if inputs.maximum_stock is not None and position + enough > inputs.maximum_stock * (1.0 + WHOLE_TOLERANCE):
        derivation.derive("room", "M−IP", "maximum_stock - inventory_position", "units")
        fitting, formula = below, "round_down(room, pack_size)" if pack is not None else "room"
        if fitting <= 0.0 or fitting < inputs.minimum_order_quantity:
            enough, formula = 0.0, "0"
        else:
            enough, formula = fitting, "min(needed_quantity, room)" if pack is None else formula
    if inputs.holding_cost is None or inputs.stockout_cost is None or enough in (need, 0.0):
        return derivation.derive("order_quantity", "Q", formula, "units")
    acceptable = below > 0.0 and below >= inputs.minimum_order_quantity
    pairs = []
    for place, quantity in enumerate(sorted({0.0, enough} | ({below} if acceptable else set())), start=1):
        short = curve.expected_shortage(position + quantity)
        derivation.given(f"candidate_{place}_quantity", f"Q{place}", quantity, "units", "input")
        derivation.given(f"candidate_{place}_shortage", f"n{place}", short, "units", "forecast")
        surplus = f"inventory_position + candidate_{place}_quantity + candidate_{place}_shortage"
        cost = f"stockout_cost * candidate_{place}_shortage + holding_cost * ({surplus})"
        derivation.derive(f"candidate_{place}_cost", f"C{place}", cost, "money, less the constant h·E[D]")
        pairs.append(f"candidate_{place}_quantity, candidate_{place}_cost")
    return derivation.derive("order_quantity", "Q", f"cheapest({', '.join(pairs)})", "units")


def _plain(units: float) -> float | int:
    return int(units) if units.is_integer() else units


MODELS = (
    Model(
        "order_up_to",
        OrderUpToInputs,
        solve_order_up_to,
        "Silver, Pyke & Thomas (2017), ch. 7, (R,S) policy; Snyder & Shen, section 4.3 (critical ratio)",
    ),
)
