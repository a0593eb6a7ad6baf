"""How much to order at once: the economic lot with price breaks, then the best quantity the supplier will accept.

Costs are per day; a year has 365 days. The lot that lifts the position from below s to S is judged by what it costs
beyond the long-run average, so rounding to packs, the minimum and price breaks are one comparison of real candidates.
"""

from dataclasses import dataclass

from procurement.engine.explanation import Derivation
from procurement.engine.expressions import WHOLE_TOLERANCE, round_down, round_up
from procurement.engine.replenishment_types import ReplenishmentInput

Bands = list[tuple[float, float]]


def price_bands(item: ReplenishmentInput) -> Bands:
    """(from quantity, unit cost), rising, starting at 0: what a unit costs when at least so many are ordered."""
    breaks = sorted(item.price_breaks)
    return breaks if breaks and breaks[0][0] <= 0.0 else [(0.0, item.unit_cost), *breaks]


def unit_cost_at(bands: Bands, quantity: float) -> float:
    """The price of every unit of an order of `quantity` (all-units discount)."""
    return [cost for from_quantity, cost in bands if from_quantity <= quantity + WHOLE_TOLERANCE][-1]


def economic_band(item: ReplenishmentInput, bands: Bands) -> tuple[float, float]:
    """The price band of the cheapest lot: compare the feasible EOQ or the breakpoint of every band, purchase included.

    Source: Snyder & Shen (3.18)–(3.19). Worked: K = 8, 1 300 a year, i = 0.3, 0.75 / 0.72 / 0.68 from 0 / 400 / 800
    → a lot of 800 in the last band (978.60 a year). No lot may last longer than `maximum_cover_days`.
    """
    demand, rate = item.mean_daily_demand, item.holding_cost_rate_per_year / 365.0
    longest = item.maximum_cover_days * demand
    best: tuple[float, float, int] | None = None
    for place, (start, cost) in enumerate(bands):
        end = bands[place + 1][0] if place + 1 < len(bands) else float("inf")
        holding = rate * cost
        free = (2.0 * item.fixed_cost_per_line * demand / holding) ** 0.5 if holding > 0.0 else longest
        lot = min(max(free, start), longest)
        if (start > longest and place) or lot >= end:
            continue
        total = cost * demand + holding * lot / 2.0 + (item.fixed_cost_per_line * demand / lot if lot > 0.0 else 0.0)
        if best is None or (total, lot) < best[:2]:
            best = (total, lot, place)
    return bands[best[2]] if best else bands[0]


def economic_lot(item: ReplenishmentInput, bands: Bands) -> float:
    """Q* of the cheapest band, as `derive_economic_lot` explains it."""
    derivation = Derivation()
    derivation.given("mean_daily_demand", "d", item.mean_daily_demand, "units per day", "forecast")
    return derive_economic_lot(derivation, item, bands, is_used=True)


def derive_economic_lot(derivation: Derivation, item: ReplenishmentInput, bands: Bands, *, is_used: bool) -> float:
    """Add the terms of the economic order quantity, 0 where the policy orders at every review anyway.

    Worked (EOQ): K = 10, 3 600 a year, H = 730 a unit and year → 9.931.
    """
    given, derive = derivation.given, derivation.derive
    band_from, unit_cost = economic_band(item, bands)
    if item.lines_sharing_order > 1.0:
        given("supplier_order_cost", "A", item.fixed_order_cost, "money per order", "supplier")
        given("lines_sharing_order", "N", item.lines_sharing_order, "order lines", "supplier item")
        derive("fixed_order_cost", "K", "supplier_order_cost / lines_sharing_order", "money per order line")
    else:
        given("fixed_order_cost", "K", item.fixed_order_cost, "money per order", "supplier")
    given("holding_cost_rate_per_year", "i", item.holding_cost_rate_per_year, "per year", "policy")
    given("economic_unit_cost", "c", unit_cost, "money per unit", "supplier item")
    given("maximum_cover_days", "T", item.maximum_cover_days, "days", "policy")
    holding = derive("holding_cost_per_unit_day", "h", "holding_cost_rate_per_year * economic_unit_cost / 365", "money")
    lot = "sqrt(2 * fixed_order_cost * mean_daily_demand / holding_cost_per_unit_day)"
    if band_from > 0.0:
        given("price_break_quantity", "b", band_from, "units", "supplier item")
        lot = f"max({lot}, price_break_quantity)"
    longest = "maximum_cover_days * mean_daily_demand"
    free_of_charge = holding <= 0.0 and item.fixed_cost_per_line > 0.0
    formula = longest if free_of_charge else f"min({lot}, {longest})" if holding > 0.0 else "0"
    return derive("economic_order_quantity", "Q*", formula if is_used else "0", "units")


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
        derivation.given("pack_size", "n", item.pack_size, "units", "supplier item")
        lot = "max(pack_size, round_up(economic_order_quantity, pack_size))"
        derivation.derive("fixed_lot", "nQ", lot, "units")
        level = "reorder_point + fixed_lot"
    derivation.derive("order_up_to_level", "S", f"round_down({level} + 0.5, 1)", "units")


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
    `average_cost` is the long-run cost per day of holding and ordering.
    """

    least: float
    wanted: float
    room: float
    offset: float
    average_cost: float


def derive_need(derivation: Derivation, room: float) -> Need:
    """Add the long-run cost per day, g = K·d/Q* + h·Q*/2, and gather what the comparison of lots needs."""
    values = derivation.values
    running = "holding_cost_per_unit_day * economic_order_quantity / 2"
    if values["economic_order_quantity"] > 0.0:
        running = f"fixed_order_cost * mean_daily_demand / economic_order_quantity + {running}"
    average = derivation.derive("average_cost_per_day", "g", running, "money per day")
    offset = values["shortfall"] - values["expected_undershoot"]
    return Need(values["shortfall"], values["needed_quantity"], room, offset, average)


def candidate_quantities(item: ReplenishmentInput, bands: Bands, need: Need) -> list[float]:
    """Quantities worth comparing, all multiples of the pack, not below the minimum and within the maximum stock.

    In each price band the cost of a lot is a parabola with its least at Q = g/h + offset, so the multiples around that
    point, pulled into the band and up to what s and the supplier's minimum ask for, contain the best. Lots longer than
    the maximum cover are left out unless they are needed. Empty if the minimum does not fit under the maximum.
    """
    pack, minimum = item.pack_size, item.minimum_order_quantity
    lowest = round_up(max(need.least, minimum), pack)
    longest = max(lowest, round_up(max(need.wanted, item.maximum_cover_days * item.mean_daily_demand), pack))
    quantities = set()
    for place, (start, cost) in enumerate(bands):
        first = max(lowest, round_up(start, pack))
        last = longest
        if place + 1 < len(bands):
            end = bands[place + 1][0]
            last = min(longest, round_up(end, pack) - pack)
        holding = item.holding_cost_rate_per_year * cost / 365.0
        best = need.average_cost / holding + need.offset if holding > 0.0 else need.wanted
        best = min(max(best, first), last)
        if first <= last:
            quantities |= {max(first, round_down(best, pack)), min(last, round_up(best, pack))}
    room = need.room + WHOLE_TOLERANCE * max(1.0, abs(need.room))
    fitting = sorted(quantity for quantity in quantities if quantity <= room)
    if fitting:
        return fitting
    largest = round_down(need.room, pack) if need.room > 0.0 else 0.0
    return [largest] if largest > 0.0 and largest >= minimum else []


def derive_cheapest_lot(
    derivation: Derivation, item: ReplenishmentInput, bands: Bands, quantities: list[float]
) -> float:
    """Add each candidate with its cost and choose the cheapest; on ties the smallest.

    A lot Q lasts until the position is at s again: x = position + Q − s + undershoot units of demand. It costs
    K + (c(Q) − c)·Q + h(Q)·x²/(2d), less x/d days at the long-run average cost per day g; without packs, minimum and
    breaks the least of this is at Q = S − position (renewal reward: Tijms, *Stochastic Models*).
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
            given(f"{name}_unit_cost", f"c{number}", unit_cost_at(bands, quantity), "money per unit", "supplier item")
            lot = f"(inventory_position + {name}_quantity - reorder_point + expected_undershoot)"
            holding = f"holding_cost_rate_per_year * {name}_unit_cost / 365 * {lot} * {lot} / (2 * mean_daily_demand)"
            purchase = f"({name}_unit_cost - economic_unit_cost) * {name}_quantity"
            average = f"average_cost_per_day * {lot} / mean_daily_demand"
            derive(f"{name}_cost", f"G{number}", f"fixed_order_cost + {purchase} + {holding} - {average}", "money")
            pairs.append(f"{name}_quantity, {name}_cost")
    formula = f"cheapest({', '.join(pairs)})" if pairs else "candidate_1_quantity"
    return derive("cheapest_lot", "Q", formula, "units", "cheapest feasible quantity")
