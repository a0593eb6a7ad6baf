"""What the planning run decides for one item at one warehouse: reorder point, safety stock, order quantity, reasons.

Policy (R, s, S): every `review_days` the inventory position is looked at; when it is BELOW the reorder point s (at s
the stock still suffices with the wanted probability) an order lifts it to the order-up-to level S. What is ordered at
the next review arrives after the protection interval L + R, which is what s protects. The mathematics is in
`reorder_point.py` (s) and `lot_sizing.py` (S and the quantity); daily planning means `review_days` of at least 1.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from procurement.engine.economic_lot import Bands, economic_lot, price_bands, unit_cost_at
from procurement.engine.errors import ParameterError
from procurement.engine.explanation import Derivation
from procurement.engine.expressions import WHOLE_TOLERANCE, round_up
from procurement.engine.lot_sizing import (
    candidate_quantities,
    derive_cheapest_lot,
    derive_need,
    derive_order_step,
    derive_order_up_to_level,
    derive_whole_lots,
)
from procurement.engine.policies.one import solve_one
from procurement.engine.policies.types import POLICY_MODELS, TARGET_KINDS
from procurement.engine.reorder_point import demand_curve, derive_reorder_point
from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult

__all__ = ["WARNINGS", "ReplenishmentInput", "ReplenishmentResult", "plan_item", "plan_replenishment"]

#: Warning codes and what they mean; screens translate the code.
WARNINGS = {
    "no_quantiles": "the forecast gave no quantiles; normal demand was assumed",
    "minimum_exceeds_need": "the supplier's minimum is more than needed; see the break-even stock-out cost",
    "minimum_not_worthwhile": "nothing proposed: holding the minimum costs more than the shortage it avoids",
    "cover_exceeds_limit": "the order lasts longer than the policy's maximum cover",
    "maximum_below_reorder_point": "the maximum stock does not allow the reorder point to be reached",
    "no_feasible_quantity": "no quantity fits between the supplier's minimum, the pack and the maximum stock",
    "order_maximum_below_need": "what the supplier delivers in one order does not reach the reorder point",
    "shelf_life_below_need": "more would not sell within its shelf life; the order does not reach the reorder point",
}
#: Less than one unit in three million years is no demand: a smoothed forecast decays for ever and never reaches zero.
NEGLIGIBLE_DEMAND = 1e-9
#: No amount is larger: beyond it floating point loses single units.
LARGEST = 1e15
_AMOUNTS = (
    "mean_daily_demand", "lead_time_days", "review_days", "protection_mean", "protection_sd", "lead_time_sd_days",
    "on_hand", "reserved", "on_order", "in_draft", "in_transit", "backordered", "unit_cost",
    "holding_cost_rate_per_year", "fixed_order_cost", "minimum_order_quantity", "maximum_cover_days",
    "service_correction",
)  # fmt: skip


def plan_replenishment(inputs: Sequence[ReplenishmentInput]) -> list[ReplenishmentResult]:
    """Decide for each input, in order; 5,000 take well under a second.

    Raises `ParameterError` at the first input that cannot be used; call `plan_item` to keep going past a bad one.
    """
    return [plan_item(item) for item in inputs]


def plan_item(item: ReplenishmentInput) -> ReplenishmentResult:
    """Decide for one item; raises `ParameterError` naming the field that cannot be used.

    Worked: d = 10, L = 9, R = 1, protection demand 100 ± 30 (normal), α = 0.95, K = 50, i = 25 %, c = 4, position 60
    → s = 150, SS = 50, Q* = 604.2, undershoot 9.5, S = 745, order 685.
    """
    _check(item)
    negligible = {
        name: 0.0
        for name in (
            "mean_daily_demand",
            "protection_mean",
            "protection_sd",
            "lead_time_days",
            "lead_time_sd_days",
            "review_days",
        )
        if 0.0 < getattr(item, name) < NEGLIGIBLE_DEMAND
    }
    item = replace(item, **negligible) if negligible else item  # type: ignore[arg-type]
    derivation, bands = Derivation(), price_bands(item)
    curve = demand_curve(item)
    answer = solve_one(item, economic_lot(item, bands))
    curve = derive_reorder_point(derivation, item, curve, answer)
    derive_order_up_to_level(derivation, item, bands, answer.model, answer.sd)
    derivation.given("model", "M", POLICY_MODELS.index(answer.model), f"code: {answer.model}", answer.model_reason)
    position = _derive_position(derivation, item)
    probability, shortage = 1.0 - curve.probability_of_at_most(position), curve.expected_shortage(position)
    derivation.given("stockout_probability", "P(D>IP)", probability, "probability", "forecast")
    derivation.given("expected_shortage", "n(IP)", shortage, "units", "forecast")
    shortfall = derivation.derive("shortfall", "s−IP", "max(0, reorder_point - inventory_position)", "units")
    triggered = shortfall > WHOLE_TOLERANCE
    warnings = [] if item.protection_quantiles else ["no_quantiles"]
    if triggered:
        warnings += _derive_order(derivation, item, bands)
    else:
        derivation.derive("order_quantity", "Q", "0", "units", "position is not below the reorder point")
    return _result(item, derivation, bands, triggered, warnings)


def _derive_position(derivation: Derivation, item: ReplenishmentInput) -> float:
    """On hand − reserved − backordered + on order + in draft + in transit (where there is any): each unit counts once,
    and so does each promise."""
    for code, symbol, source in (
        ("on_hand", "OH", "stock"),
        ("reserved", "RS", "stock"),
        ("backordered", "BO", "orders"),
        ("on_order", "OO", "purchase orders"),
        ("in_draft", "DR", "purchase orders"),
    ):
        derivation.given(code, symbol, getattr(item, code), "units", source)
    formula = "on_hand - reserved - backordered + on_order + in_draft"
    if item.in_transit:
        derivation.given("in_transit", "TR", item.in_transit, "units", "transfers")
        formula += " + in_transit"
    return derivation.derive("inventory_position", "IP", formula, "units")


def _derive_order(derivation: Derivation, item: ReplenishmentInput, bands: Bands) -> list[str]:
    """Add the terms from the need to the order quantity; returns the warnings met on the way."""
    wanted = derivation.derive("needed_quantity", "S−IP", "order_up_to_level - inventory_position", "units")
    derive_order_step(derivation, item)
    derivation.given("minimum_order_quantity", "MOQ", item.minimum_order_quantity, "units", "supplier item")
    room, limit = _derive_room(derivation, item)
    need = derive_need(derivation, room)
    if item.model == "fixed_lot":
        name, lot = "whole_lots", derive_whole_lots(derivation, item, need)
    else:
        quantities = candidate_quantities(item, bands, need)
        name, lot = "cheapest_lot", derive_cheapest_lot(derivation, item, bands, quantities)
    warnings, formula = [], name
    enough = round_up(wanted, item.order_step)
    if lot > enough and item.minimum_order_quantity > enough:
        warnings.append("minimum_exceeds_need")
        formula = _derive_minimum_test(derivation, item, name, enough)
    quantity = derivation.derive("order_quantity", "Q", formula, "units")
    derivation.derive("rounding", "Q−(S−IP)", "order_quantity - needed_quantity", "units")
    if lot == 0.0:
        warnings += ["no_feasible_quantity", *([limit] if limit != "maximum_below_reorder_point" else [])]
    elif quantity == 0.0:
        warnings.append("minimum_not_worthwhile")
    elif quantity < need.least - WHOLE_TOLERANCE:
        warnings.append(limit)
    if quantity > item.maximum_cover_days * item.mean_daily_demand + need.least:
        warnings.append("cover_exceeds_limit")
    return warnings


def _derive_room(derivation: Derivation, item: ReplenishmentInput) -> tuple[float, str]:
    """Add the limits of this order; returns the smallest and the warning that goes with it.

    A lot sells after what is left of the position when it arrives, and backorders at once. Worked: d = 10, L = 9,
    shelf life 20 days, position 100: 10 are left on arrival, so 190 sell in time.
    """
    limits = [(math.inf, "maximum_below_reorder_point")]
    if item.maximum_stock is not None:
        derivation.given("maximum_stock", "M", item.maximum_stock, "units", "policy")
        room = derivation.derive("room", "M−IP", "maximum_stock - inventory_position", "units")
        limits.append((room, "maximum_below_reorder_point"))
    if item.order_maximum is not None:
        limits.append((item.order_maximum, "order_maximum_below_need"))
    if item.shelf_life_days is not None:
        left = "max(0, inventory_position - mean_daily_demand * lead_time_days)"
        formula = f"max(0, shelf_life_days * mean_daily_demand - min(0, inventory_position) - {left})"
        limits.append((derivation.derive("shelf_life_room", "Qs", formula, "units"), "shelf_life_below_need"))
    return min(limits)


def _derive_minimum_test(derivation: Derivation, item: ReplenishmentInput, lot: str, enough: float) -> str:
    """The cost test of a minimum above the need: holding the surplus until it sells, against the shortage it avoids.

    The surplus costs h·(Q² − Q0²)/(2d), Q0 being the need in whole packs. Above the break-even cost of a short unit the
    minimum pays; where the policy names that cost, the cheaper of the two is chosen, otherwise the planner decides.
    Returns the formula of the order quantity.
    """
    if item.mean_daily_demand <= 0.0:
        return lot
    derivation.given("need_in_packs", "Q0", enough, "units", "supplier item")
    surplus = f"({lot} * {lot} - need_in_packs * need_in_packs) / (2 * mean_daily_demand)"
    derivation.derive("surplus_holding_cost", "H", f"holding_cost_per_unit_day * {surplus}", "money")
    if derivation.values["expected_shortage"] > 0.0:
        derivation.derive("break_even_stockout_cost", "b", "surplus_holding_cost / expected_shortage", "money per unit")
    if item.stockout_cost_per_unit is None:
        return lot
    derivation.given("stockout_cost_per_unit", "p", item.stockout_cost_per_unit, "money per unit", "policy")
    return f"cheapest(0, stockout_cost_per_unit * expected_shortage, {lot}, surplus_holding_cost)"


def _result(
    item: ReplenishmentInput, derivation: Derivation, bands: Bands, triggered: bool, warnings: list[str]
) -> ReplenishmentResult:
    values = derivation.values
    quantity = values["order_quantity"]
    cover = None
    if item.mean_daily_demand > 0.0:
        cover = derivation.derive(
            "days_of_cover", "T", "(inventory_position + order_quantity) / mean_daily_demand", "days"
        )
    return ReplenishmentResult(
        sku_key=item.sku_key,
        safety_stock=values["safety_stock"],
        reorder_point=values["reorder_point"],
        order_up_to_level=values["order_up_to_level"],
        inventory_position=values["inventory_position"],
        economic_order_quantity=values["economic_order_quantity"],
        order_quantity=quantity,
        unit_cost=float(unit_cost_at(item, bands, quantity)),
        triggered=triggered,
        stockout_probability=values["stockout_probability"],
        expected_shortage=values["expected_shortage"],
        days_of_cover=cover,
        warnings=tuple(warnings),
        explanation=tuple(derivation.terms),
    )


def _check(item: ReplenishmentInput) -> None:
    for name in _AMOUNTS:
        value = getattr(item, name)
        if not (math.isfinite(value) and value >= 0.0):
            raise ParameterError(name, f"must be a number of at least 0 (item {item.sku_key})")
        if value > LARGEST:
            raise ParameterError(name, f"must be at most {LARGEST:g} (item {item.sku_key})")
    _check_target(item)
    if not 0.0 < item.service_level < 1.0:
        raise ParameterError("service_level", f"must lie strictly between 0 and 1 (item {item.sku_key})")
    if not (math.isfinite(item.lines_sharing_order) and item.lines_sharing_order >= 1.0):
        raise ParameterError("lines_sharing_order", f"must be a number of at least 1 (item {item.sku_key})")
    if not (math.isfinite(item.pack_size) and item.pack_size > 0.0):
        raise ParameterError("pack_size", f"must be above 0 (item {item.sku_key})")
    _check_terms(item)
    for name in ("maximum_stock", "stockout_cost_per_unit"):
        limit = getattr(item, name)
        if limit is not None and not (math.isfinite(limit) and limit >= 0.0):
            raise ParameterError(name, f"must be a number of at least 0 (item {item.sku_key})")
    for quantity, cost in item.price_breaks:
        if not (math.isfinite(quantity) and math.isfinite(cost) and quantity >= 0.0 and cost >= 0.0):
            raise ParameterError("price_breaks", f"must hold quantities and costs of at least 0 (item {item.sku_key})")


def _check_target(item: ReplenishmentInput) -> None:
    """The target's own field must be there and usable; words must be known ones."""
    words = {"target_kind": TARGET_KINDS, "unmet_demand": ("backordered", "lost"), "model": POLICY_MODELS}
    for name, known in words.items():
        if getattr(item, name) not in known:
            raise ParameterError(name, f"must be one of {', '.join(known)} (item {item.sku_key})")
    if item.target_kind == "fill_rate" and not (item.fill_rate is not None and 0.0 < item.fill_rate < 1.0):
        raise ParameterError("fill_rate", f"must lie strictly between 0 and 1 (item {item.sku_key})")
    if item.target_kind == "cost" and item.stockout_cost_per_unit is None:
        raise ParameterError("stockout_cost_per_unit", f"is needed for a cost target (item {item.sku_key})")
    if item.target_kind == "cost" and item.holding_cost_rate_per_year * item.unit_cost <= 0.0:
        name = "unit_cost" if item.unit_cost <= 0.0 else "holding_cost_rate_per_year"
        raise ParameterError(name, f"must be above 0 for a cost target (item {item.sku_key})")
    if item.target_kind != "cycle_service_level" and item.review_days <= 0.0:
        raise ParameterError("review_days", f"must be above 0 for this target (item {item.sku_key})")


def _check_terms(item: ReplenishmentInput) -> None:
    """Limits usable, and none that contradicts another."""
    for name in ("order_maximum", "pallet_size", "shelf_life_days"):
        limit = getattr(item, name)
        if limit is not None and not (math.isfinite(limit) and limit > 0.0):
            raise ParameterError(name, f"must be above 0 (item {item.sku_key})")
    if item.order_maximum is not None and item.order_maximum < item.minimum_order_quantity:
        raise ParameterError("order_maximum", f"lies below minimum_order_quantity (item {item.sku_key})")
    packs = (item.pallet_size or item.pack_size) / item.pack_size
    if packs < 0.5 or abs(packs - round(packs)) > WHOLE_TOLERANCE * packs:
        raise ParameterError("pallet_size", f"must be a whole number of packs (item {item.sku_key})")
