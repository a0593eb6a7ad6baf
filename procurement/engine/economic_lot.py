"""The economic lot: what units cost at which quantity, the band that is cheapest in the long run, and its lot Q*.

Costs are per day; a year has 365 days.
"""

import math
from itertools import pairwise

from procurement.engine.explanation import Derivation
from procurement.engine.expressions import WHOLE_TOLERANCE
from procurement.engine.replenishment_types import ReplenishmentInput

Bands = list[tuple[float, float]]


def price_bands(item: ReplenishmentInput) -> Bands:
    """(from quantity, unit cost), rising, starting at 0: what a unit costs when at least so many are ordered."""
    breaks = sorted(item.price_breaks)
    return breaks if breaks and breaks[0][0] <= 0.0 else [(0.0, item.unit_cost), *breaks]


def unit_cost_at(item: ReplenishmentInput, bands: Bands, quantity: float) -> float:
    """What a unit of an order of `quantity` costs: its band's price, or, where breaks are incremental, the mean."""
    place = max(i for i, (start, _cost) in enumerate(bands) if i == 0 or start <= quantity + WHOLE_TOLERANCE)
    dearer = dearer_units_costs(item, bands)[place]
    return bands[place][1] + (dearer / quantity if quantity > 0.0 else 0.0)


def dearer_units_costs(item: ReplenishmentInput, bands: Bands) -> list[float]:
    """C_j of each band: what the units below its break cost more than its price; 0 where breaks hold for all units.

    Source: Snyder & Shen (3.20). From 100 on 3.50, below 4.00: 50 more than 3.50 a unit.
    """
    costs = [0.0]
    for (_, before), (start, cost) in pairwise(bands):
        costs.append(costs[-1] + (before - cost) * start if item.incremental else 0.0)
    return costs


def longest_lot(item: ReplenishmentInput) -> float:
    """No lot lasts longer than the longest cover and the shelf life, or is more than the supplier delivers at once."""
    days = min(item.maximum_cover_days, item.shelf_life_days or math.inf)
    return min(days * item.mean_daily_demand, item.order_maximum or math.inf)


def economic_band(item: ReplenishmentInput, bands: Bands) -> tuple[float, float, float]:
    """(from, price, C) of the cheapest lot's band: the feasible EOQ or the breakpoint of every band, purchase included.

    Source: Snyder & Shen (3.18)–(3.22). Worked: K = 8, 1 300 a year, i = 0.3, 0.75 / 0.72 / 0.68 from 0 / 400 / 800
    → a lot of 800 in the last band (978.60 a year); incremental: 304.05 in the first (1 043.41).
    """
    demand, rate, longest = item.mean_daily_demand, item.holding_cost_rate_per_year / 365.0, longest_lot(item)
    best: tuple[float, float, int] | None = None
    dearer = dearer_units_costs(item, bands)
    for place, (start, cost) in enumerate(bands):
        end = bands[place + 1][0] if place + 1 < len(bands) else math.inf
        holding, setup = rate * cost, max(0.0, item.fixed_cost_per_line + dearer[place])
        free = (2.0 * setup * demand / holding) ** 0.5 if holding > 0.0 else longest
        lot = min(max(free, start), longest)
        if (start > longest and place) or lot >= end:
            continue
        total = cost * demand + (holding * lot + rate * dearer[place]) / 2.0
        total += setup * demand / lot if lot > 0.0 else 0.0
        if best is None or (total, lot) < best[:2]:
            best = (total, lot, place)
    place = best[2] if best else 0
    return (*bands[place], dearer[place])


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
    band_from, unit_cost, dearer = economic_band(item, bands)
    if item.lines_sharing_order > 1.0:
        given("supplier_order_cost", "A", item.fixed_order_cost, "money per order", "supplier")
        given("lines_sharing_order", "N", item.lines_sharing_order, "order lines", "supplier item")
        derive("fixed_order_cost", "K", "supplier_order_cost / lines_sharing_order", "money per order line")
    else:
        given("fixed_order_cost", "K", item.fixed_order_cost, "money per order", "supplier")
    given("holding_cost_rate_per_year", "i", item.holding_cost_rate_per_year, "per year", "policy")
    given("economic_unit_cost", "c", unit_cost, "money per unit", "supplier item")
    longest = _derive_longest_lot(derivation, item)
    holding = derive("holding_cost_per_unit_day", "h", "holding_cost_rate_per_year * economic_unit_cost / 365", "money")
    setup = "fixed_order_cost"
    if dearer != 0.0:
        given("dearer_units_cost", "C", dearer, "money per order", "supplier item")
        setup = "max(0, fixed_order_cost + dearer_units_cost)"
    lot = f"sqrt(2 * {setup} * mean_daily_demand / holding_cost_per_unit_day)"
    if band_from > 0.0:
        given("price_break_quantity", "b", band_from, "units", "supplier item")
        lot = f"max({lot}, price_break_quantity)"
    free_of_charge = holding <= 0.0 and item.fixed_cost_per_line > 0.0
    formula = longest if free_of_charge else f"min({lot}, {longest})" if holding > 0.0 else "0"
    return derive("economic_order_quantity", "Q*", formula if is_used else "0", "units")


def _derive_longest_lot(derivation: Derivation, item: ReplenishmentInput) -> str:
    """Add what bounds a lot; returns the formula of `longest_lot`."""
    derivation.given("maximum_cover_days", "T", item.maximum_cover_days, "days", "policy")
    days = "maximum_cover_days"
    if item.shelf_life_days is not None:
        derivation.given("shelf_life_days", "SL", item.shelf_life_days, "days", "item")
        days = "min(maximum_cover_days, shelf_life_days)"
    if item.order_maximum is None:
        return f"{days} * mean_daily_demand"
    derivation.given("order_maximum", "Qmax", item.order_maximum, "units", "supplier item")
    return f"min({days} * mean_daily_demand, order_maximum)"
