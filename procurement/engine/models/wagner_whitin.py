"""Wagner–Whitin: when to order, and how much, for known demand that varies from period to period."""

import math
from dataclasses import dataclass
from typing import Any

from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import Parser, integer, number, numbers, optional, required


def per_period() -> Parser:
    """One number for every period, or a list of one for each."""
    amount = number(at_least=0)
    amounts = numbers(amount)
    return lambda name, value: amounts(name, value) if isinstance(value, list | tuple) else amount(name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class WagnerWhitinInputs:
    """`num_periods` and, each a number or a list of num_periods: h (held over the end of a period), K, demand, c."""

    num_periods: int = required(integer(at_least=1, at_most=5000))
    holding_cost: float | tuple[float, ...] = required(per_period())
    fixed_cost: float | tuple[float, ...] = required(per_period())
    demand: float | tuple[float, ...] = required(per_period())
    purchase_cost: float | tuple[float, ...] = optional(per_period(), 0.0)

    def each(self, name: str) -> list[float]:
        value = getattr(self, name)
        if isinstance(value, float):
            return [value] * self.num_periods
        if len(value) != self.num_periods:
            raise ParameterError(name, f"must hold one number for each of the {self.num_periods} periods")
        return list(value)


def solve_wagner_whitin(inputs: WagnerWhitinInputs) -> dict[str, Any]:
    """Snyder & Shen, algorithm 3.1, backwards: θ_t = min over s of K_t + c_t·Σd + holding + θ_s.

    A unit ordered in t and used in i is held over the ends of t … i−1 and pays each of THEIR holding costs. A period
    that orders nothing pays no fixed cost; of equally cheap plans the one with less stock wins.
    Example 3.9: h = 2, K = 500, demand 90, 120, 80, 70 → order 210, 0, 150, 0; cost 1 380.
    """
    import numpy as np

    horizon = inputs.num_periods
    demand, setups = np.array(inputs.each("demand")), inputs.each("fixed_cost")
    holding, prices = np.array(inputs.each("holding_cost")), inputs.each("purchase_cost")
    least, held, following = np.zeros(horizon + 1), np.zeros(horizon + 1), [horizon] * horizon
    for start in range(horizon - 1, -1, -1):
        needed = demand[start:]
        units = np.cumsum(needed)
        carried = np.cumsum(np.concatenate([[0.0], np.cumsum(holding[start : horizon - 1])]) * needed)
        stock = np.cumsum(np.arange(horizon - start) * needed) + held[start + 1 :]
        costs = np.where(units > 0.0, setups[start], 0.0) + prices[start] * units + carried + least[start + 1 :]
        equal = costs <= costs.min() * (1.0 + 1e-12)
        best = int(np.argmin(np.where(equal, stock, np.inf)))
        least[start], held[start], following[start] = costs[best], stock[best], start + best + 1
    orders, start = [0.0] * horizon, 0
    while start < horizon:
        orders[start] = math.fsum(demand[start : following[start]])
        start = following[start]
    return {"order_quantities": orders, "cost": plan_cost(inputs, orders)}


def plan_cost(inputs: WagnerWhitinInputs, orders: list[float]) -> float:
    """What a plan costs: K for each order, c for each unit, and h for what is left over the end of each period.

    Each order covers whole periods up to the next one, so what is left is a sum of demands, without rounding.
    """
    demand, holding = inputs.each("demand"), inputs.each("holding_cost")
    setups, prices = inputs.each("fixed_cost"), inputs.each("purchase_cost")
    parts, left = [], 0.0
    for period in range(inputs.num_periods - 1, -1, -1):
        # Backwards, `left` is what the order in force has yet to cover after this period.
        parts.append(holding[period] * left)
        left += demand[period]
        if orders[period] > 0.0:
            parts += [setups[period], prices[period] * orders[period]]
            left = 0.0
    return math.fsum(parts)


MODELS = (
    Model(
        "wagner_whitin", WagnerWhitinInputs, solve_wagner_whitin, "Wagner & Whitin (1958); Snyder & Shen, algorithm 3.1"
    ),
)
