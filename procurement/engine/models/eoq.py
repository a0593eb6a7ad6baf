"""Economic order quantities under steady demand: plain, with planned backorders, and with gradual production.

Time is the instance's own unit: `demand_rate` and `holding_cost` must use the same one. A widely copied article prints
Q = √(2·Cs·Ch/(Ch − Cs)) as the EOQ; it has no demand in it, is imaginary for Ch < Cs, and is no EOQ.
"""

import math
from dataclasses import dataclass

from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, optional, required

Outputs = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class EoqInputs:
    """K (money per order), h (money per unit and time), λ (units per time); Q only to cost a given quantity."""

    fixed_cost: float = required(number(at_least=0))
    holding_cost: float = required(number(above=0))
    demand_rate: float = required(number(at_least=0))
    order_quantity: float | None = optional(number(above=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class BackordersInputs(EoqInputs):
    """And p: money per unit backordered and time."""

    stockout_cost: float = required(number(above=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionInputs(EoqInputs):
    """And μ: units produced per time while producing, above the demand rate."""

    production_rate: float = required(number(above=0))


def _lot(fixed_cost: float, holding_cost: float, demand_rate: float, given: float | None) -> Outputs:
    """Q* = √(2Kλ/h) with cost √(2Kλh), or the cost Kλ/Q + hQ/2 of a given Q."""
    if given is not None:
        return {"order_quantity": given, "cost": fixed_cost * demand_rate / given + holding_cost * given / 2.0}
    quantity = math.sqrt(2.0 * fixed_cost * demand_rate / holding_cost)
    return {"order_quantity": quantity, "cost": holding_cost * quantity}


def solve_eoq(inputs: EoqInputs) -> Outputs:
    """Snyder & Shen (3.4)–(3.5). K = 10, λ = 3 600 a year, h = 730 a unit and year → Q* = 9.931, cost 7 249.8."""
    return _lot(inputs.fixed_cost, inputs.holding_cost, inputs.demand_rate, inputs.order_quantity)


def solve_eoq_backorders(inputs: BackordersInputs) -> Outputs:
    """Snyder & Shen (3.27)–(3.29): stockout fraction x = h/(h+p), then the EOQ with h·p/(h+p) in the place of h.

    Example 3.8: K = 8, h = 0.225, p = 5, λ = 1 300 → Q* = 310.81, x* = 0.0431, cost 66.92. The cost of a given
    quantity is the cost with the best stockout fraction, which does not depend on the quantity.
    """
    fraction = inputs.holding_cost / (inputs.holding_cost + inputs.stockout_cost)
    outputs = _lot(inputs.fixed_cost, inputs.stockout_cost * fraction, inputs.demand_rate, inputs.order_quantity)
    return {"order_quantity": outputs["order_quantity"], "stockout_fraction": fraction, "cost": outputs["cost"]}


def solve_epq(inputs: ProductionInputs) -> Outputs:
    """Snyder & Shen (3.31)–(3.32): the EOQ with h·(1 − λ/μ) in the place of h.

    K = 8, h = 0.225, λ = 1 300, μ = 1 700 → Q* = 626.81, cost 33.18.
    """
    if inputs.demand_rate >= inputs.production_rate:
        raise ParameterError("production_rate", "must be above the demand rate")
    idle = 1.0 - inputs.demand_rate / inputs.production_rate
    return _lot(inputs.fixed_cost, inputs.holding_cost * idle, inputs.demand_rate, inputs.order_quantity)


MODELS = (
    Model("eoq", EoqInputs, solve_eoq, "Harris (1913); Snyder & Shen, (3.4)-(3.5)"),
    Model("eoq_backorders", BackordersInputs, solve_eoq_backorders, "Snyder & Shen, (3.27)-(3.29)"),
    Model("epq", ProductionInputs, solve_epq, "Taft (1918); Snyder & Shen, (3.31)-(3.32)"),
)
