"""The periodic (s, S) policy with countable demand, exact, and the power approximation for normal demand.

Each period: when the position is at s or below, order up to S, delivered at once; then demand comes, and h for a unit
left or p for a unit backordered is paid.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import choice, integer, number, numbers, optional, required

if TYPE_CHECKING:
    from procurement.engine.renewal import CountedDemand


@dataclass(frozen=True, slots=True, kw_only=True)
class SsInputs:
    """h, p (money per unit and period), K (per order); demand `poisson` with its mean or `pmf` with a list by units.

    `reorder_point` with `order_up_to_level`: only cost that policy. `power_approximation` takes mean and sd instead.
    """

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    fixed_cost: float = required(number(above=0))
    demand: str | None = optional(choice("poisson", "pmf"))
    demand_mean: float | None = optional(number(at_least=0))
    demand_sd: float | None = optional(number(above=0))
    demand_pmf: tuple[float, ...] | None = optional(numbers(number(at_least=0, at_most=1)))
    reorder_point: int | None = optional(integer())
    order_up_to_level: int | None = optional(integer())
    method: str = optional(choice("exact", "power_approximation"), "exact")

    def __post_init__(self) -> None:
        if (self.reorder_point is None) != (self.order_up_to_level is None):
            missing = "reorder_point" if self.reorder_point is None else "order_up_to_level"
            raise ParameterError(missing, "is missing: a policy is both a reorder point and an order-up-to level")
        if self.reorder_point is not None and self.order_up_to_level is not None:
            if self.method != "exact":
                raise ParameterError("method", "must be exact where a policy is given")
            if self.order_up_to_level <= self.reorder_point:
                raise ParameterError("order_up_to_level", "must be above the reorder point")
        by_demand = {"poisson": ["demand_mean"], "pmf": ["demand_pmf"]}
        needed = by_demand.get(self.demand or "", [])
        if self.method == "power_approximation":
            needed = ["demand_mean", "demand_sd"]
        elif self.demand is None:
            raise ParameterError("demand", "is missing")
        for name in ("demand_mean", "demand_sd", "demand_pmf"):
            if name in needed and getattr(self, name) is None:
                raise ParameterError(name, "is missing")
            if name not in needed and getattr(self, name) is not None:
                raise ParameterError(name, f"is not a parameter of {self.demand or self.method}")


def _demand(inputs: SsInputs) -> "CountedDemand | None":
    """What is asked for, or None if that is nothing for certain."""
    import numpy as np

    from procurement.engine.renewal import CountedDemand

    h, p = inputs.holding_cost, inputs.stockout_cost
    if inputs.demand == "pmf":
        total = math.fsum(inputs.demand_pmf or ())
        if abs(total - 1.0) > 1e-6:
            raise ParameterError("demand_pmf", f"probabilities must add up to 1, not {total:g}")
        chances = [probability / total for probability in inputs.demand_pmf or ()]
        return CountedDemand(np.asarray(chances), h, p) if chances[0] < 1.0 else None
    mean = inputs.demand_mean or 0.0
    if mean > 1e9:
        raise ParameterError("demand_mean", "is above a thousand million units a period; measure in larger units")
    return CountedDemand.poisson(mean, h, p) if -math.expm1(-mean) > 0.0 else None


def solve_ss(inputs: SsInputs) -> dict[str, Any]:
    """Snyder & Shen, algorithm 4.2. Example 4.7: h = 1, p = 4, K = 5, Poisson 6 → s = 4, S = 10, cost 8.0341."""
    if inputs.method == "power_approximation":
        return _power_approximation(inputs)
    demand = _demand(inputs)
    s, S = inputs.reorder_point, inputs.order_up_to_level
    if demand is None:  # nothing is ever asked for: only what is held costs
        s, S = (-1, 0) if s is None or S is None else (s, S)
        return _outputs(s, S, inputs.holding_cost * S if S >= 0 else inputs.stockout_cost * -S)
    if s is not None and S is not None:
        return _outputs(s, S, demand.policy_cost(s, S, inputs.fixed_cost))
    return _outputs(*demand.best_policy(inputs.fixed_cost))


def _power_approximation(inputs: SsInputs) -> dict[str, Any]:
    """Ehrhardt & Mosier (1984), Snyder & Shen (4.77)–(4.80); cost of the nearest whole policy, demand in whole units.

    h = 0.18, p = 0.70, K = 2.5, 50 ± 8 → s = 40.19, S = 74.29.
    """
    import numpy as np
    from scipy.stats import norm

    from procurement.engine.renewal import CountedDemand

    mean, sd = inputs.demand_mean or 0.0, inputs.demand_sd or 0.0
    if not 0.0 < mean <= 1e6:
        raise ParameterError("demand_mean", "must be above 0 and at most a million units a period")
    if sd > 2e6:
        raise ParameterError("demand_sd", "is above two million units a period; measure in larger units")
    lot = 1.30 * mean**0.494 * (inputs.fixed_cost / inputs.holding_cost) ** 0.506 * (1.0 + (sd / mean) ** 2) ** 0.116
    z = math.sqrt(lot / sd * inputs.holding_cost / inputs.stockout_cost)
    s = 0.973 * mean + sd * (0.183 / z + 1.063 - 2.192 * z)
    steps = norm.cdf(np.arange(int(mean + 9.0 * sd) + 2) + 0.5, mean, sd)
    demand = CountedDemand(np.diff(steps, prepend=0.0), inputs.holding_cost, inputs.stockout_cost)
    low = math.floor(s + 0.5)
    cost = demand.policy_cost(low, max(low + 1, math.floor(s + lot + 0.5)), inputs.fixed_cost)
    return _outputs(s, s + lot, cost)


def _outputs(s: float, S: float, cost: float) -> dict[str, Any]:
    return {"reorder_point": s, "order_up_to_level": S, "cost": cost}


MODELS = (
    Model("ss", SsInputs, solve_ss, "Zheng & Federgruen (1991), Operations Research 39; Snyder & Shen, (4.71)-(4.76)"),
)
