"""Economic order quantities when a larger order is cheaper: all-units and incremental discounts, purchase included.

Region j reaches from breakpoint b_j up to below b_{j+1}; the holding cost of a unit is `holding_cost_rate` times its
price, so it changes with the region.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, numbers, required


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountInputs:
    """K, i (per time, share of the price), λ; `breakpoints` rising from 0, and one `unit_costs` for each of them."""

    fixed_cost: float = required(number(at_least=0))
    holding_cost_rate: float = required(number(above=0))
    demand_rate: float = required(number(at_least=0))
    breakpoints: tuple[float, ...] = required(numbers(number(at_least=0)))
    unit_costs: tuple[float, ...] = required(numbers(number(above=0)))

    def __post_init__(self) -> None:
        if self.breakpoints[0] != 0.0:
            raise ParameterError("breakpoints", "must start at 0")
        if any(later <= earlier for earlier, later in pairwise(self.breakpoints)):
            raise ParameterError("breakpoints", "must rise strictly")
        if len(self.unit_costs) != len(self.breakpoints):
            raise ParameterError(
                "unit_costs", f"must hold one cost for each of the {len(self.breakpoints)} breakpoints"
            )
        if any(later > earlier for earlier, later in pairwise(self.unit_costs)):
            raise ParameterError("unit_costs", "must not rise: a larger order may not make a unit dearer")


def _cheapest_region(inputs: DiscountInputs, lump_sums: list[float]) -> dict[str, Any]:
    """Least cost over the feasible EOQ and the breakpoint of every region, on ties the smallest quantity.

    In region j a lot Q costs K + C_j + c_j·Q, C_j being the `lump_sums`: what the dearer units below b_j cost more.
    g_j(Q) = c_j·λ + (K + C_j)·λ/Q + i·(C_j + c_j·Q)/2.
    """
    candidates = []
    ends = [*inputs.breakpoints[1:], math.inf]
    for region, (start, end, cost) in enumerate(zip(inputs.breakpoints, ends, inputs.unit_costs, strict=True)):
        setup, holding = inputs.fixed_cost + lump_sums[region], inputs.holding_cost_rate * cost
        quantity = max(start, math.sqrt(2.0 * setup * inputs.demand_rate / holding))
        if quantity < end:
            setups = setup * inputs.demand_rate / quantity if quantity > 0.0 else 0.0
            held = inputs.holding_cost_rate * (lump_sums[region] + cost * quantity) / 2.0
            candidates.append((cost * inputs.demand_rate + setups + held, quantity, region))
    total, quantity, region = min(candidates)
    return {"order_quantity": quantity, "region": region, "cost": total}


def solve_all_units(inputs: DiscountInputs) -> dict[str, Any]:
    """Snyder & Shen (3.18)–(3.19): every unit of the order has the price of the order's region.

    K = 200, i = 0.2, λ = 1 000, breakpoints 0 / 200 / 500 at 500 / 475 / 450 → 500 in region 2, cost 472 900.
    """
    return _cheapest_region(inputs, [0.0] * len(inputs.breakpoints))


def solve_incremental(inputs: DiscountInputs) -> dict[str, Any]:
    """Snyder & Shen (3.20)–(3.22): only the units beyond a breakpoint have the lower price.

    K = 8, i = 0.3, λ = 1 300, breakpoints 0 / 400 / 800 at 0.75 / 0.72 / 0.68 → 304.05 in region 0, cost 1 043.41.
    """
    lump_sums = [0.0]
    for (dearer, cheaper), breakpoint_ in zip(pairwise(inputs.unit_costs), inputs.breakpoints[1:], strict=True):
        lump_sums.append(lump_sums[-1] + (dearer - cheaper) * breakpoint_)
    return _cheapest_region(inputs, lump_sums)


MODELS = (
    Model("eoq_all_units_discount", DiscountInputs, solve_all_units, "Snyder & Shen, (3.18)-(3.19)"),
    Model("eoq_incremental_discount", DiscountInputs, solve_incremental, "Snyder & Shen, (3.20)-(3.22)"),
)
