"""The newsvendor with normal demand: as holding against stock-out cost (also periodic), and as prices.

The normal model is taken at its word: with a small critical ratio and a large spread its optimum can be negative.
"""

import math
from dataclasses import dataclass

from procurement.engine.distributions import critical_score, normal_losses
from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, optional, required
from procurement.engine.quantiles import density

Outputs = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalInputs:
    """h and p (money per unit and period), mean and standard deviation of a period's demand (units).

    `lead_time` counts periods: a base stock protects lead_time + 1 of them. `base_stock_level`: only cost that one.
    """

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    demand_mean: float = required(number(at_least=0))
    demand_sd: float = required(number(at_least=0))
    lead_time: float = optional(number(at_least=0), 0.0)
    base_stock_level: float | None = optional(number())


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplicitInputs:
    """r, c and v: what a unit earns when sold, costs, and brings when left over; r > c > v. v may be negative."""

    revenue: float = required(number())
    purchase_cost: float = required(number())
    salvage_value: float = required(number())
    demand_mean: float = required(number(at_least=0))
    demand_sd: float = required(number(at_least=0))

    def __post_init__(self) -> None:
        if self.revenue <= self.purchase_cost:
            raise ParameterError("revenue", "must be above the purchase cost")
        if self.purchase_cost <= self.salvage_value:
            raise ParameterError("salvage_value", "must be below the purchase cost")


def solve_newsvendor_normal(inputs: NormalInputs) -> Outputs:
    """S* = μ + z·σ with Φ(z) = p/(p+h), cost (h+p)·φ(z)·σ; of a given S: h·n̄(S) + p·n(S). Snyder & Shen (4.24)–(4.37).

    μ and σ are of lead_time + 1 periods: μ·(L+1), σ·√(L+1). Example 4.3: h = 0.18, p = 0.70, 50 ± 8 → 56.604, 1.99761.
    """
    periods = inputs.lead_time + 1.0
    mean, sd = inputs.demand_mean * periods, inputs.demand_sd * math.sqrt(periods)
    if inputs.base_stock_level is not None:
        short, left = normal_losses(inputs.base_stock_level, mean, sd)
        cost = inputs.holding_cost * left + inputs.stockout_cost * short
        return {"base_stock_level": inputs.base_stock_level, "cost": cost}
    score = critical_score(inputs.stockout_cost, inputs.holding_cost)
    cost = (inputs.holding_cost + inputs.stockout_cost) * density(score) * sd
    return {"base_stock_level": mean + score * sd, "cost": cost}


def solve_newsvendor_explicit(inputs: ExplicitInputs) -> Outputs:
    """S* at the ratio (r − c)/(r − v), profit (r − c)·μ − (r − v)·φ(z)·σ. Snyder & Shen, §4.3.

    Example 4.2: r = 1, c = 0.3, v = 0.12, 50 ± 8 → 56.604, profit 33.002.
    """
    margin, loss = inputs.revenue - inputs.purchase_cost, inputs.purchase_cost - inputs.salvage_value
    score = critical_score(margin, loss)
    profit = margin * inputs.demand_mean - (margin + loss) * density(score) * inputs.demand_sd
    return {"base_stock_level": inputs.demand_mean + score * inputs.demand_sd, "profit": profit}


MODELS = (
    Model("newsvendor_normal", NormalInputs, solve_newsvendor_normal, "Snyder & Shen, (4.24)-(4.37)"),
    Model("newsvendor_explicit", ExplicitInputs, solve_newsvendor_explicit, "Snyder & Shen, section 4.3, example 4.2"),
)
