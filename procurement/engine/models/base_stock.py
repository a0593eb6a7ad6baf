"""(R, S): every review period, order up to S; it protects the lead time and one review period."""

from dataclasses import dataclass
from typing import Any

from procurement.engine.errors import ParameterError
from procurement.engine.interval_demand import FAMILIES, IntervalDemand
from procurement.engine.models.model import Model
from procurement.engine.parameters import choice, number, optional, required

_TARGETS = ("base_stock_level", "cycle_service_level", "fill_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseStockInputs:
    """Demand per period (units), L, its sd and R in periods; h and p per unit left or short when a cycle ends.

    What decides S: a level, a service target, or else h with p. `fill_rate`: share of demand served from stock.
    """

    demand: str = optional(choice(*FAMILIES), "normal")
    demand_mean: float = required(number(at_least=0))
    demand_sd: float | None = optional(number(at_least=0))
    lead_time: float = optional(number(at_least=0), 0.0)
    lead_time_sd: float = optional(number(at_least=0), 0.0)
    review_period: float = optional(number(above=0), 1.0)
    holding_cost: float | None = optional(number(above=0))
    stockout_cost: float | None = optional(number(above=0))
    base_stock_level: float | None = optional(number())
    cycle_service_level: float | None = optional(number(above=0, below=1))
    fill_rate: float | None = optional(number(above=0, below=1))

    def __post_init__(self) -> None:
        given = [name for name in _TARGETS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ParameterError(given[1], f"cannot stand beside {given[0]}: one of them decides the stock")
        if (self.holding_cost is None) != (self.stockout_cost is None) or not (given or self.holding_cost):
            missing = "stockout_cost" if self.stockout_cost is None else "holding_cost"
            raise ParameterError(missing, "is missing: costs are both, or neither with a service target")

    def over(self, periods: float) -> IntervalDemand:
        """Demand of `periods` plus the uncertain part of the lead time: variance periods·σ² + μ²·σ_L²."""
        mean = self.demand_mean * periods
        if self.demand == "poisson":
            if self.demand_sd is not None or self.lead_time_sd > 0.0:
                name = "demand_sd" if self.demand_sd is not None else "lead_time_sd"
                raise ParameterError(name, "is not for Poisson demand, whose variance is its mean; use another one")
            return IntervalDemand("poisson", mean, mean)
        if self.demand_sd is None:
            raise ParameterError("demand_sd", "is missing")
        variance = periods * self.demand_sd**2 + (self.demand_mean * self.lead_time_sd) ** 2
        return IntervalDemand(self.demand, mean, variance)


def solve_base_stock(inputs: BaseStockInputs) -> dict[str, Any]:
    """S = F⁻¹ of demand over L + R at p/(p+h) or the service level; fill rate 1 − (n(S; L+R) − n(S; L))/(μ·R).

    Snyder & Shen, section 4.3; SPT, section 6.10. d = 100 ± 30, L = 8 ± 3, R = 1, cycle service 0.95 → σ = 313.2,
    S = 900 + 1.645·313.2 = 1 415.2. Costs of a review period: h·n̄(S) + p·n(S).
    """
    protected, before = inputs.over(inputs.lead_time + inputs.review_period), inputs.over(inputs.lead_time)
    asked = inputs.demand_mean * inputs.review_period

    def served(level: float) -> float:
        return 1.0 - (protected.losses(level)[0] - before.losses(level)[0]) / asked if asked > 0.0 else 1.0

    if inputs.base_stock_level is not None:
        level = inputs.base_stock_level
    elif inputs.cycle_service_level is not None:
        level = protected.quantile(1.0 - inputs.cycle_service_level, inputs.cycle_service_level)
    elif inputs.fill_rate is not None:
        target = inputs.fill_rate
        level = protected.smallest(lambda stock: served(stock) >= target)
    else:
        level = protected.quantile(inputs.holding_cost or 0.0, inputs.stockout_cost or 0.0)
    short, left = protected.losses(level)
    outputs = {"base_stock_level": level, "safety_stock": level - protected.mean}
    outputs |= {"cycle_service_level": protected.at_most(level), "fill_rate": min(1.0, max(0.0, served(level)))}
    if inputs.holding_cost is not None and inputs.stockout_cost is not None:
        outputs["cost"] = inputs.holding_cost * left + inputs.stockout_cost * short
    return outputs


MODELS = (
    Model("base_stock", BaseStockInputs, solve_base_stock, "Snyder & Shen, section 4.3; Silver, Pyke & Thomas, 6.10"),
)
