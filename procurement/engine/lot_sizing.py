"""How much to order at once: the level S of the economic lot, then the best quantity the supplier will accept.

Costs are per day; a year has 365 days. The lot that lifts the position from below s to S is judged by what it costs
beyond the long-run average, so rounding to packs, the minimum and price breaks are one comparison of real candidates.
"""

import math
from dataclasses import dataclass

from procurement.engine.economic_lot import (
    Bands,
    dearer_units_costs,
    derive_economic_lot,
    unit_cost_at,
)
from procurement.engine.economic_lot import price_bands as price_bands
from procurement.engine.explanation import Derivation
from procurement.engine.expressions import WHOLE_TOLERANCE, round_down, round_up
from procurement.engine.replenishment_types import ReplenishmentInput


def derive_order_up_to_level(
    derivation: Derivation, item: ReplenishmentInput, bands: Bands, model: str, sd: float
) -> None:
    """Add the economic lot, the undershoot and S = s + max(EOQ − undershoot, 0); for (R,s,nQ) S = s + Q.

    An order is triggered only at a review, when the position has already fallen below s by E[X²]/(2·E[X]), X being the
    demand of one review period; S makes the AVERAGE order the economic one. Source: Tijms & Groenevelt (1984), EJOR 17.
    """
    derive_economic_lot(derivation, item, bands, is_used=model != "order_up_to")
    _derive_undershoot(derivation, item, sd)
    level = "reorder_point + max(economic_order_quantity - expected_undershoot, 0)"
    if model == "fixed_lot":
        step = derive_order_step(derivation, item)
        lot = f"max({step}, round_up(economic_order_quantity, {step}))"
        derivation.derive("fixed_lot", "nQ", lot, "units")
        level = "reorder_point + fixed_lot"
    derivation.derive("order_up_to_level", "S", f"round_down({level} + 0.5, 1)", "units")


def derive_order_step(derivation: Derivation, item: ReplenishmentInput) -> str:
    """Add what orders are multiples of, once; returns its name."""
    name, symbol = ("pallet_size", "PL") if item.pallet_size else ("pack_size", "n")
    if name not in derivation.values:
        derivation.given(name, symbol, item.order_step, "units", "supplier item")
    return name


def _derive_undershoot(derivation: Derivation, item: ReplenishmentInput, sd: float) -> None:
    review_demand = item.mean_daily_demand * item.review_days
    if review_demand <= 0.0:
        derivation.given("expected_undershoot", "u", 0.0, "units", "no demand in a review period")
        return
    if "protection_sd" not in derivation.values:
        derivation.given("protection_sd", "σ", item.protection_sd or sd, "units", "forecast")
    variance = "protection_sd * protection_sd * review_days / protection_days"
    derivation.derive("review_demand", "dR", "mean_daily_demand * review_days", "units")
    formula = f"(review_demand + {variance} / review_demand) / 2"
    derivation.derive("expected_undershoot", "u", formula, "units")


@dataclass(frozen=True, slots=True)
class Need:
    """What the position asks for: at least `least` units (to reach s), ideally `wanted` (to S), at most `room`.

    A lot Q serves Q − `offset` units of demand until the position is back where orders are placed on average;
    `average_cost` is the long-run cost per day of holding and ordering, with units at `base_cost`.
    """

    least: float
    wanted: float
    room: float
    offset: float
    average_cost: float
    base_cost: float


def derive_need(derivation: Derivation, room: float) -> Need:
    """Add the long-run cost per day, g = K·d/Q* + h·Q*/2, and gather what the comparison of lots needs."""
    values = derivation.values
    running, setup = "holding_cost_per_unit_day * economic_order_quantity / 2", "fixed_order_cost"
    if "dearer_units_cost" in values:
        running += " + holding_cost_rate_per_year / 365 * dearer_units_cost / 2"
        setup = "(fixed_order_cost + dearer_units_cost)"
    if values["economic_order_quantity"] > 0.0:
        running = f"{setup} * mean_daily_demand / economic_order_quantity + {running}"
    average = derivation.derive("average_cost_per_day", "g", running, "money per day")
    offset = values["shortfall"] - values["expected_undershoot"]
    base = values["economic_unit_cost"]
    return Need(values["shortfall"], values["needed_quantity"], room, offset, average, base)


def candidate_quantities(item: ReplenishmentInput, bands: Bands, need: Need) -> list[float]:
    """Quantities worth comparing, all multiples of the pack or pallet, not below the minimum and within `need.room`.

    In each price band the cost of a lot is convex with its least at `_cheapest_in_band`, so the multiples around that
    point, pulled into the band and up to what s and the supplier's minimum ask for, contain the best. Lots longer than
    the maximum cover are left out unless they are needed. Empty if the minimum does not fit under the maximum.
    """
    step, minimum = item.order_step, item.minimum_order_quantity
    lowest = round_up(max(need.least, minimum), step)
    longest = max(lowest, round_up(max(need.wanted, item.maximum_cover_days * item.mean_daily_demand), step))
    largest = round_down(need.room, step) if math.isfinite(need.room) else math.inf
    if largest < lowest:
        return [largest] if largest > 0.0 and largest >= minimum else []
    quantities, dearer = set(), dearer_units_costs(item, bands)
    for place, (start, cost) in enumerate(bands):
        first, last = max(lowest, round_up(start, step)), min(longest, largest)
        if place + 1 < len(bands):
            last = min(last, round_up(bands[place + 1][0], step) - step)
        if first <= last:
            best = min(max(_cheapest_in_band(item, need, cost, dearer[place]), first), last)
            quantities |= {max(first, round_down(best, step)), min(last, round_up(best, step))}
    return sorted(quantities)


def _cheapest_in_band(item: ReplenishmentInput, need: Need, cost: float, dearer: float) -> float:
    """Where the cost of a lot of `derive_cheapest_lot` is least at this band's price, were there no other band.

    Its slope: (c − c*)·d + i·(c·x + C·(1 − o²/Q²)/2) − g = 0, x = Q − o; without C a straight line, with it solved by
    doubling and halving.
    """
    rate, demand = item.holding_cost_rate_per_year / 365.0, item.mean_daily_demand
    if rate * cost <= 0.0:
        return need.wanted
    more = need.average_cost - (cost - need.base_cost) * demand
    if dearer == 0.0:
        return need.offset + more / (rate * cost)

    def slope(lot: float) -> float:
        return rate * (cost * (lot - need.offset) + dearer * (1.0 - (need.offset / lot) ** 2) / 2.0) - more

    low, high = WHOLE_TOLERANCE, 1.0
    while slope(high) < 0.0:
        low, high = high, 2.0 * high
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if slope(middle) < 0.0 else (low, middle)
    return high


def derive_whole_lots(derivation: Derivation, item: ReplenishmentInput, need: Need) -> float:
    """Add the least number of whole lots nQ that reaches s and the minimum: the explicit (R,s,nQ), no comparison."""
    quantity = round_up(max(need.least, item.minimum_order_quantity), derivation.values["fixed_lot"])
    if quantity <= need.room * (1.0 + WHOLE_TOLERANCE):
        formula = "round_up(max(shortfall, minimum_order_quantity), fixed_lot)"
        return derivation.derive("whole_lots", "Q", formula, "units")
    fitting = round_down(need.room, derivation.values["fixed_lot"])
    fitting = fitting if fitting >= max(item.minimum_order_quantity, WHOLE_TOLERANCE) else 0.0
    return derivation.given("whole_lots", "Q", fitting, "units", "what the limits leave room for")


def derive_cheapest_lot(
    derivation: Derivation, item: ReplenishmentInput, bands: Bands, quantities: list[float]
) -> float:
    """Add each candidate with its cost and choose the cheapest; on ties the smallest.

    A lot Q lasts until the position is at s again: x = position + Q − s + undershoot units of demand. It costs
    K + (c(Q) − c)·Q + h(Q)·x²/(2d), c(Q) being the mean price of its units, less x/d days at the long-run average cost
    per day g; without packs, minimum and breaks the least of this is at Q = S − position (renewal reward: Tijms,
    *Stochastic Models*).
    """
    given, derive = derivation.given, derivation.derive
    if not quantities:
        return derive("cheapest_lot", "Q", "0", "units", "no feasible quantity")
    costs_count = len(quantities) > 1 and item.mean_daily_demand > 0.0
    pairs = []
    for number, quantity in enumerate(quantities, start=1):
        name = f"candidate_{number}"
        given(f"{name}_quantity", f"Q{number}", quantity, "units", "supplier item")
        if costs_count:
            given(
                f"{name}_unit_cost",
                f"c{number}",
                unit_cost_at(item, bands, quantity),
                "money per unit",
                "supplier item",
            )
            lot = f"(inventory_position + {name}_quantity - reorder_point + expected_undershoot)"
            holding = f"holding_cost_rate_per_year * {name}_unit_cost / 365 * {lot} * {lot} / (2 * mean_daily_demand)"
            purchase = f"({name}_unit_cost - economic_unit_cost) * {name}_quantity"
            average = f"average_cost_per_day * {lot} / mean_daily_demand"
            derive(f"{name}_cost", f"G{number}", f"fixed_order_cost + {purchase} + {holding} - {average}", "money")
            pairs.append(f"{name}_quantity, {name}_cost")
    formula = f"cheapest({', '.join(pairs)})" if pairs else "candidate_1_quantity"
    return derive("cheapest_lot", "Q", formula, "units", "cheapest feasible quantity")
