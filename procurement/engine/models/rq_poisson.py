"""The (r, Q) policy under Poisson demand, exact: order Q whole units whenever the position falls to r."""

from dataclasses import dataclass
from typing import Any

from procurement.engine.distributions import poisson_losses
from procurement.engine.lots import best_counted_lot
from procurement.engine.models.model import Model
from procurement.engine.models.newsvendor_discrete import poisson_base_stock
from procurement.engine.parameters import number, required


@dataclass(frozen=True, slots=True, kw_only=True)
class RqPoissonInputs:
    """h and p (money per unit and time), K (per order), λ (mean demand per time), L (time)."""

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    fixed_cost: float = required(number(above=0))
    demand_mean: float = required(number(at_least=0))
    lead_time: float = required(number(at_least=0))


def poisson_rates(low: int, high: int, mean: float, holding_cost: float, stockout_cost: float) -> Any:
    """g(y) = h·E[(y − D)⁺] + p·E[(D − y)⁺] for y = low … high, D ~ Poisson(mean), as an array."""
    import numpy as np
    from scipy.special import pdtr

    places = np.arange(low, high + 1)
    left_at_low = poisson_losses(float(low), mean)[1]
    steps = np.where(places[:-1] >= 0, pdtr(np.maximum(places[:-1], 0), mean), 0.0)
    left = left_at_low + np.concatenate([[0.0], np.cumsum(steps)])
    return (holding_cost + stockout_cost) * left + stockout_cost * (mean - places)


def solve_rq_poisson(inputs: RqPoissonInputs) -> dict[str, Any]:
    """Least of (K·λ + Σ g(y), y = r+1 … r+Q)/Q (5.48): the positions cheaper than their own average with the setups.

    On ties the smallest Q; without demand one unit is enough, at no cost.
    Example 5.8: h = 20, p = 150, K = 100, λ = 1.5, L = 2 → r = 3, Q = 5, 107.92.
    """
    mean, h, p = inputs.demand_mean * inputs.lead_time, inputs.holding_cost, inputs.stockout_cost
    point, quantity, cost = best_counted_lot(
        lambda low, high: poisson_rates(low, high, mean, h, p),
        poisson_base_stock(h, p, mean),
        inputs.fixed_cost * inputs.demand_mean,
        h,
        p,
        mean,
    )
    return {"reorder_point": point, "order_quantity": quantity, "cost": cost}


MODELS = (
    Model(
        "rq_poisson",
        RqPoissonInputs,
        solve_rq_poisson,
        "Federgruen & Zheng (1992), Operations Research 40; Snyder & Shen, (5.48)",
    ),
)
