"""The (r, Q) policy when lead-time demand is skewed: gamma, or negative binomial for whole units; both exact."""

import math
from dataclasses import dataclass
from typing import Any

from procurement.engine.distributions import gamma_losses, gamma_second_loss, normal_losses, normal_second_loss
from procurement.engine.errors import ParameterError
from procurement.engine.interval_demand import IntervalDemand
from procurement.engine.lots import Valley, best_counted_lot
from procurement.engine.models.model import Model
from procurement.engine.models.rq_normal import best_reorder_point
from procurement.engine.parameters import number, optional, required


@dataclass(frozen=True, slots=True, kw_only=True)
class RqSkewedInputs:
    """h and p (money per unit and TIME), K (per order), mean and sd of demand per time and of the lead time (time)."""

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    fixed_cost: float = required(number(above=0))
    demand_mean: float = required(number(above=0))
    demand_sd: float = required(number(at_least=0))
    lead_time: float = required(number(at_least=0))
    lead_time_sd: float = optional(number(at_least=0), 0.0)

    @property
    def setup(self) -> float:
        return self.fixed_cost * self.demand_mean

    def over_lead_time(self, family: str) -> IntervalDemand:
        """Mean λ·L and variance L·τ² + λ²·σ_L²."""
        variance = self.lead_time * self.demand_sd**2 + (self.demand_mean * self.lead_time_sd) ** 2
        return IntervalDemand(family, self.demand_mean * self.lead_time, variance)


@dataclass(frozen=True, slots=True, kw_only=True)
class RqGammaInputs(RqSkewedInputs):
    """And, to cost a given policy or to find the best r for a given Q:"""

    order_quantity: float | None = optional(number(above=0))
    reorder_point: float | None = optional(number())

    @property
    def valley(self) -> Valley:
        demand = self.over_lead_time("gamma")
        mean = demand.mean
        spread = demand.variance > 0.0 and mean > 0.0
        shape, scale = (mean * (mean / demand.variance), demand.variance / mean) if spread else (0.0, 0.0)
        return Valley(
            holding_cost=self.holding_cost,
            stockout_cost=self.stockout_cost,
            mean=mean,
            stock=demand.quantile(self.holding_cost, self.stockout_cost),
            loss=(lambda y: gamma_losses(y, shape, scale)) if spread else (lambda y: normal_losses(y, mean, 0.0)),
            second_loss=(lambda y: gamma_second_loss(y, shape, scale))
            if spread
            else (lambda y: normal_second_loss(y, mean, 0.0)),
            more_than=demand.more_than,
        )


def solve_rq_gamma(inputs: RqGammaInputs) -> dict[str, Any]:
    """`rq_normal` exact with gamma demand over the lead time. Burgin (1975); Zheng (1992).

    h = 0.225, p = 7.5, K = 8, 1 300 ± 150 a year, L = 1/12 → r = 128.319, Q = 336.577, cost 80.2267.
    """
    valley = inputs.valley
    if inputs.order_quantity is not None:
        given, quantity = inputs.reorder_point, inputs.order_quantity
        point = given if given is not None else best_reorder_point(valley, quantity)
    elif inputs.reorder_point is not None:
        raise ParameterError("order_quantity", "is missing beside reorder_point")
    else:
        point, quantity = valley.best_lot(inputs.setup)
    return {
        "reorder_point": point,
        "order_quantity": quantity,
        "cost": valley.cost(inputs.setup, point, quantity),
    }


def solve_rq_negative_binomial(inputs: RqSkewedInputs) -> dict[str, Any]:
    """`rq_poisson` with negative binomial demand over the lead time, whole units; its variance is above its mean.

    h = 20, p = 150, K = 100, 1.5 ± 2, L = 2 → r = 3, Q = 7, cost 152.512.
    """
    import numpy as np
    from scipy.special import betainc

    demand = inputs.over_lead_time("negative_binomial")
    if demand.sd > 200_000.0:
        raise ParameterError("demand_sd", "leads to a spread above 200 000 units; measure in larger units or as gamma")
    h, p, mean = inputs.holding_cost, inputs.stockout_cost, demand.mean

    def rates(low: int, high: int) -> Any:
        places = np.arange(low, high + 1)
        if mean > 0.0:
            chance = mean / demand.variance
            r = mean * chance / (1.0 - chance)
            steps = np.where(places[:-1] >= 0, betainc(r, np.maximum(places[:-1], 0) + 1.0, chance), 0.0)
        else:
            steps = (places[:-1] >= 0).astype(float)
        left = demand.losses(float(low))[1] + np.concatenate([[0.0], np.cumsum(steps)])
        return (h + p) * left + p * (mean - places)

    point, quantity, cost = best_counted_lot(rates, math.floor(demand.quantile(h, p)), inputs.setup, h, p, mean)
    return {"reorder_point": point, "order_quantity": quantity, "cost": cost}


MODELS = (
    Model("rq_gamma", RqGammaInputs, solve_rq_gamma, "Burgin (1975), Operational Research Quarterly 26; Zheng (1992)"),
    Model(
        "rq_negative_binomial",
        RqSkewedInputs,
        solve_rq_negative_binomial,
        "Federgruen & Zheng (1992), Operations Research 40; Silver, Pyke & Thomas, 7.1",
    ),
)
