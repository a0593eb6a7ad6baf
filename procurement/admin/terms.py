"""The terms of a proposal's explanation in words: a code of the engine to what a planner calls it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext, gettext_lazy

NAMES = {
    "mean_daily_demand": gettext_lazy("Expected demand a day"),
    "lead_time_days": gettext_lazy("Lead time"),
    "review_days": gettext_lazy("Review period"),
    "protection_days": gettext_lazy("Protection interval"),
    "protection_mean": gettext_lazy("Expected demand over the protection interval"),
    "service_level": gettext_lazy("Cycle service level aimed for"),
    "shared_fill_rate": gettext_lazy("Fill rate all items of the policy share"),
    "shared_weight": gettext_lazy("This item's weight in it"),
    "shared_spread": gettext_lazy("Spread of the forecast, with the days of a year, against its own"),
    "forecast_quantile": gettext_lazy("Demand not exceeded with that probability"),
    "lead_time_sd_days": gettext_lazy("Standard deviation of the lead time"),
    "protection_sd": gettext_lazy("Standard deviation of demand"),
    "protection_sd_with_lead_time": gettext_lazy("… with an uncertain lead time"),
    "lead_time_allowance": gettext_lazy("Allowance for an uncertain lead time"),
    "reorder_point": gettext_lazy("Reorder point"),
    "safety_stock": gettext_lazy("Safety stock"),
    "supplier_order_cost": gettext_lazy("Fixed cost of an order"),
    "lines_sharing_order": gettext_lazy("Lines usually ordered together"),
    "fixed_order_cost": gettext_lazy("Fixed cost of an order line"),
    "holding_cost_rate_per_year": gettext_lazy("Holding cost rate"),
    "economic_unit_cost": gettext_lazy("Unit cost"),
    "maximum_cover_days": gettext_lazy("Longest cover"),
    "holding_cost_per_unit_day": gettext_lazy("Holding cost of a unit and day"),
    "economic_order_quantity": gettext_lazy("Economic order quantity"),
    "expected_undershoot": gettext_lazy("Expected undershoot"),
    "review_demand": gettext_lazy("Demand of a review period"),
    "order_up_to_level": gettext_lazy("Order-up-to level"),
    "on_hand": gettext_lazy("On hand (usable)"),
    "reserved": gettext_lazy("Reserved"),
    "backordered": gettext_lazy("Backordered"),
    "on_order": gettext_lazy("On order"),
    "in_draft": gettext_lazy("On drafts"),
    "in_transit": gettext_lazy("In transit from other warehouses"),
    "inventory_position": gettext_lazy("Inventory position"),
    "stockout_probability": gettext_lazy("Probability of a stock-out without this order"),
    "expected_shortage": gettext_lazy("Expected shortage without this order"),
    "shortfall": gettext_lazy("Below the reorder point by"),
    "needed_quantity": gettext_lazy("Needed to reach the level"),
    "pack_size": gettext_lazy("Pack size"),
    "minimum_order_quantity": gettext_lazy("Minimum order quantity"),
    "maximum_stock": gettext_lazy("Maximum stock"),
    "cheapest_lot": gettext_lazy("Cheapest feasible quantity"),
    "order_quantity": gettext_lazy("Quantity to order"),
    "average_cost_per_day": gettext_lazy("Average cost a day"),
    "days_of_cover": gettext_lazy("Days of cover with this order"),
    "rounding": gettext_lazy("Rounding to packs and minimum"),
    "service_score": gettext_lazy("Standard score of the service level"),
    "probability_below": gettext_lazy("Forecast probability just below"),
    "quantile_below": gettext_lazy("Demand at the probability below"),
    "probability_above": gettext_lazy("Forecast probability just above"),
    "quantile_above": gettext_lazy("Demand at the probability above"),
    "price_break_quantity": gettext_lazy("Price break from"),
    "room": gettext_lazy("Room up to the maximum stock"),
    "need_in_packs": gettext_lazy("Needed, in whole packs"),
    "surplus_holding_cost": gettext_lazy("Cost of holding the surplus"),
    "break_even_stockout_cost": gettext_lazy("Stock-out cost at which it pays"),
    "elasticity": gettext_lazy("Price elasticity of demand"),
    "price": gettext_lazy("List price"),
    "discount": gettext_lazy("Discount"),
    "clearance_stock": gettext_lazy("Stock that is left to sell here"),
    "clearance_days": gettext_lazy("Days looked at"),
    "expected_sales": gettext_lazy("Expected to sell in these days"),
    "salvage_value": gettext_lazy("What a unit left over still brings"),
    "expected_left": gettext_lazy("Expected to be left over"),
    "expected_revenue": gettext_lazy("Expected revenue"),
    "clearance_holding_cost": gettext_lazy("Cost of holding it meanwhile"),
    "selling_recovery": gettext_lazy("Brought in by selling here"),
    "moved_units": gettext_lazy("Units that leave"),
    "sold_there": gettext_lazy("Expected to sell there"),
    "price_there": gettext_lazy("Price there"),
    "moving_cost_per_unit": gettext_lazy("Carriage of a unit"),
    "moving_fixed_cost": gettext_lazy("Cost of sending it, whatever its size"),
    "return_value": gettext_lazy("Credit for a unit returned"),
    "recovery_there": gettext_lazy("Brought in by what leaves"),
    "recovery": gettext_lazy("Recovery in all"),
    "stockout_cost_per_unit": gettext_lazy("Cost of a unit short"),
    "model": gettext_lazy("Model of ordering"),
    "tail_scale": gettext_lazy("Scale of the forecast's tail"),
    "tail_shape": gettext_lazy("Shape of the tail"),
    "expected_cycle_service_level": gettext_lazy("Cycle service level to be expected"),
    "expected_fill_rate": gettext_lazy("Fill rate to be expected"),
    "service_correction": gettext_lazy("Correction learned from service achieved"),
    "fill_rate": gettext_lazy("Fill rate aimed for"),
    "allowed_shortage": gettext_lazy("Units short allowed between orders"),
    "target_stockout_cost": gettext_lazy("Cost of a unit short"),
    "target_holding_cost": gettext_lazy("Cost of holding a unit from one review to the next"),
    "critical_ratio": gettext_lazy("Critical ratio"),
    "target_allowance": gettext_lazy("Allowance for the aim"),
    "fixed_lot": gettext_lazy("Whole lots"),
    "order_maximum": gettext_lazy("Most the supplier delivers in one order"),
    "pallet_size": gettext_lazy("Pallet"),
    "shelf_life_days": gettext_lazy("Shelf life"),
    "shelf_life_room": gettext_lazy("Most that sells within its shelf life"),
    "dearer_units_cost": gettext_lazy("What the units below the break cost more"),
    "whole_lots": gettext_lazy("Whole lots that reach the reorder point"),
    "joint_difference": gettext_lazy("Difference from settling the order as a whole"),
    "joint_quantity": gettext_lazy("Quantity settled with the whole order"),
    "joint_budget": gettext_lazy("Limit of the order: budget"),
    "joint_minimum_value": gettext_lazy("Limit of the order: minimum value"),
    "joint_free_freight_from": gettext_lazy("Limit of the order: free freight"),
    "joint_capacity": gettext_lazy("Limit of the order: supplier's capacity"),
    "joint_container_volume": gettext_lazy("Limit of the order: container volume"),
    "joint_container_weight": gettext_lazy("Limit of the order: container weight"),
    "joint_warehouse_units": gettext_lazy("Limit of the order: room in the warehouse"),
    "joint_maximum": gettext_lazy("Limit of the order: most of an item"),
    "joint_shelf_life": gettext_lazy("Limit of the order: what sells within its shelf life"),
    "earlier_receipts": gettext_lazy("Orders that come earlier"),
    "stock_before": gettext_lazy("Stock before this line comes"),
    "spendable_stock": gettext_lazy("Stock that may be used up"),
    "expected_in_days": gettext_lazy("Expected in"),
    "demand_until_expected": gettext_lazy("Expected demand until then"),
    "needed_in_days": gettext_lazy("Needed in"),
    "days_moved": gettext_lazy("Moved by"),
    "proposed_quantity": gettext_lazy("Proposed by the plan"),
    "part_quantity": gettext_lazy("Quantity of this part"),
    "arranged_difference": gettext_lazy("Difference arranged by a planner"),
    "split_quantity": gettext_lazy("Quantity after the split"),
    "merged_quantity": gettext_lazy("Quantity after the merge"),
    "moved": gettext_lazy("Units moved"),
    "carriage": gettext_lazy("Carriage of a unit"),
    "transfer_cost": gettext_lazy("Cost of a transfer, whatever its size"),
    "moving_cost": gettext_lazy("Cost of moving"),
    "shortage_avoided": gettext_lazy("Shortage avoided at both places"),
    "saving": gettext_lazy("Saved, after the cost of moving"),
    "source_stock": gettext_lazy("Stock there and coming, where it comes from"),
    "source_stock_after": gettext_lazy("Stock after the move, where it comes from"),
    "source_short": gettext_lazy("Expected shortage without the move, where it comes from"),
    "source_short_after": gettext_lazy("Expected shortage after the move, where it comes from"),
    "source_shortage_cost": gettext_lazy("Cost of a unit short, where it comes from"),
    "source_holding_cost": gettext_lazy("Cost of holding a unit over the interval, where it comes from"),
    "source_avoided": gettext_lazy("Shortage avoided, where it comes from"),
    "source_gain": gettext_lazy("Gained, where it comes from"),
    "target_stock": gettext_lazy("Stock there and coming, where it goes"),
    "target_stock_after": gettext_lazy("Stock after the move, where it goes"),
    "target_short": gettext_lazy("Expected shortage without the move, where it goes"),
    "target_short_after": gettext_lazy("Expected shortage after the move, where it goes"),
    "target_shortage_cost": gettext_lazy("Cost of a unit short, where it goes"),
    "target_avoided": gettext_lazy("Shortage avoided, where it goes"),
    "target_gain": gettext_lazy("Gained, where it goes"),
}
CANDIDATE = re.compile(r"candidate_(\d+)_(quantity|unit_cost|cost)")
CANDIDATE_NAMES = {
    "quantity": gettext_lazy("Candidate %(number)s: quantity"),
    "unit_cost": gettext_lazy("Candidate %(number)s: unit cost"),
    "cost": gettext_lazy("Candidate %(number)s: cost"),
}
MODELS = {
    "order_up_to": gettext_lazy("(R, S): up to the level at every review"),
    "min_max": gettext_lazy("(R, s, S): up to the level once below the reorder point"),
    "fixed_lot": gettext_lazy("(R, s, nQ): whole lots once below the reorder point"),
}
LAW = re.compile(
    r"(normal|gamma|negative binomial|empirical|lognormal) law, (smooth|erratic|intermittent|lumpy) demand"
)
LAWS = {
    "normal": gettext_lazy("normal"),
    "gamma": gettext_lazy("gamma"),
    "negative binomial": gettext_lazy("negative binomial"),
    "empirical": gettext_lazy("empirical"),
    "lognormal": gettext_lazy("lognormal"),
    "smooth": gettext_lazy("smooth"),
    "erratic": gettext_lazy("erratic"),
    "intermittent": gettext_lazy("intermittent"),
    "lumpy": gettext_lazy("lumpy"),
}
UNITS = {
    "units": gettext_lazy("units"),
    "": "",
    "share": gettext_lazy("share"),
    "factor": gettext_lazy("factor"),
    "code": gettext_lazy("model"),
    "money per unit and review": gettext_lazy("money per unit and review"),
    "units per day": gettext_lazy("units per day"),
    "days": gettext_lazy("days"),
    "per year": gettext_lazy("per year"),
    "probability": gettext_lazy("probability"),
    "standard deviations": gettext_lazy("standard deviations"),
    "order lines": gettext_lazy("order lines"),
    "litres": gettext_lazy("litres"),
    "kg": "kg",
    "money": gettext_lazy("money"),
    "money per unit": gettext_lazy("money per unit"),
    "money per day": gettext_lazy("money per day"),
    "money per order": gettext_lazy("money per order"),
    "money per order line": gettext_lazy("money per order line"),
}
SOURCES = {
    "": gettext_lazy("calculated"),
    "calculated": gettext_lazy("calculated"),
    "forecast": gettext_lazy("forecast"),
    "policy": gettext_lazy("policy"),
    "part in the shared fill rate": gettext_lazy("part in the shared fill rate"),
    "days of a year": gettext_lazy("days of a year"),
    "supplier": gettext_lazy("supplier"),
    "supplier item": gettext_lazy("supplier item"),
    "stock": gettext_lazy("stock"),
    "orders": gettext_lazy("orders"),
    "purchase orders": gettext_lazy("purchase orders"),
    "transfers": gettext_lazy("transfers"),
    "tail of the forecast": gettext_lazy("tail of the forecast"),
    "tail of real demand": gettext_lazy("tail of real demand"),
    "effect of earlier policies": gettext_lazy("effect of earlier policies"),
    "joint order": gettext_lazy("joint order"),
    "the policy asks for it": gettext_lazy("the policy asks for it"),
    "an order costs no more than a review's demand saves": gettext_lazy(
        "an order costs no more than a review's demand saves"
    ),
    "an order's fixed cost is shared by a larger lot": gettext_lazy("an order's fixed cost is shared by a larger lot"),
    "packs make the lot": gettext_lazy("packs make the lot"),
    "plan": gettext_lazy("plan"),
    "planner": gettext_lazy("planner"),
    "price list": gettext_lazy("price list"),
    "prices paid": gettext_lazy("prices paid"),
    "way out": gettext_lazy("way out"),
    "nothing but its disposal": gettext_lazy("nothing but its disposal"),
    "no demand in a review period": gettext_lazy("no demand in a review period"),
    "no feasible quantity": gettext_lazy("no feasible quantity"),
    "item": gettext_lazy("item"),
    "what the limits leave room for": gettext_lazy("what the limits leave room for"),
    "cheapest feasible quantity": gettext_lazy("cheapest feasible quantity"),
    "position is not below the reorder point": gettext_lazy("position is not below the reorder point"),
}
"""Units and sources as the engine writes them; one without a name here is shown as it is."""
WARNINGS = {
    "expedite_open_order": gettext_lazy("An order on its way should come sooner: see its action message first."),
    "no_quantiles": gettext_lazy("The forecast gave no quantiles; normal demand was assumed."),
    "minimum_exceeds_need": gettext_lazy("The minimum order quantity is more than is needed."),
    "no_feasible_quantity": gettext_lazy("No quantity satisfies pack size, minimum and maximum stock at once."),
    "minimum_not_worthwhile": gettext_lazy("Ordering the minimum would cost more than it saves."),
    "maximum_below_reorder_point": gettext_lazy("The maximum stock lies below the reorder point."),
    "cover_exceeds_limit": gettext_lazy("The order covers more days than the policy wants."),
    "order_maximum_below_need": gettext_lazy(
        "What the supplier delivers in one order does not reach the reorder point."
    ),
    "shelf_life_below_need": gettext_lazy(
        "More would not sell within its shelf life; the order does not reach the reorder point."
    ),
}
RESULTS = frozenset({"reorder_point", "safety_stock", "order_up_to_level", "inventory_position", "order_quantity"})


def term_name(code: str) -> str:
    candidate = CANDIDATE.fullmatch(code)
    if candidate:
        return str(CANDIDATE_NAMES[candidate[2]]) % {"number": candidate[1]}
    return str(NAMES.get(code, code.replace("_", " ").capitalize()))


def warning_text(code: Any) -> str:
    text = code if isinstance(code, str) else str(code)
    return str(WARNINGS.get(text, text.replace("_", " ").capitalize()))


def term_rows(explanation: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The stored terms as rows of a table; formulas speak in the names used above them.

    `is_detail` marks the comparison of candidate quantities, which few want to read every time.
    """
    rows = []
    for term in explanation:
        value = term.get("value")
        rows.append(
            {
                "name": term_name(str(term.get("code", ""))),
                "symbol": term.get("symbol", ""),
                "value": _model(term) or _number(value),
                "unit": "" if _model(term) else UNITS.get(unit := term.get("unit", ""), unit),
                "formula": term.get("formula", ""),
                "source": _source(str(term.get("source", ""))),
                "is_detail": str(term.get("code", "")).startswith("candidate_"),
                "is_result": term.get("code") in RESULTS,
            }
        )
    return rows


def _source(source: str) -> Any:
    if law := LAW.fullmatch(source):
        return gettext("%(law)s law, %(segment)s demand") % {"law": LAWS[law[1]], "segment": LAWS[law[2]]}
    return SOURCES.get(source, source)


def _model(term: Mapping[str, Any]) -> str:
    """The model of ordering by its name: the code behind it is of no use to a reader."""
    unit = str(term.get("unit", ""))
    return str(MODELS.get(unit.removeprefix("code: "), "")) if unit.startswith("code: ") else ""


def _number(value: Any) -> str:
    if not isinstance(value, (int, float)):
        return "–" if value is None else str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:,.4g}"
