"""The (r, Q) policy under Poisson demand, exact: order Q whole units whenever the position falls to r."""

from dataclasses import dataclass
from typing import Any

from procurement.engine.lots import best_counted_lot
from procurement.engine.models.model import Model
from procurement.engine.models.newsvendor_discrete import poisson_base_stock
from procurement.engine.parameters import number, required
from procurement.engine.poisson import EXACT, poisson_chances, poisson_losses, poisson_tails


@dataclass(frozen=True, slots=True, kw_only=True)
class RqPoissonInputs:
    """h and p (money per unit and time), K (per order), λ (mean demand per time), L (time)."""

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    fixed_cost: float = required(number(above=0))
    demand_mean: float = required(number(at_least=0))
    lead_time: float = required(number(at_least=0))


def poisson_rates(low: int, high: int, mean: float, holding_cost: float, stockout_cost: float) -> Any:
    """g(y) = h·E[(y − D)⁺] + p·E[(D − y)⁺] for y = low … high, D ~ Poisson(mean), as an array.

    What is left over adds up from below, what is short from above, so neither loses digits to the other.
    """
    import numpy as np

    at_most, more = _tails(low, high, mean)
    left = poisson_losses(float(low), mean)[1] + np.concatenate([[0.0], np.cumsum(at_most)])
    short = poisson_losses(float(high), mean)[0] + np.concatenate([np.cumsum(more[::-1])[::-1], [0.0]])
    return holding_cost * left + stockout_cost * short


def _tails(low: int, high: int, mean: float) -> tuple[Any, Any]:
    """P(D ≤ y) and P(D > y) for y = low … high − 1."""
    import numpy as np
    from scipy.special import pdtr, pdtrc

    places = np.arange(low, high)
    if mean <= EXACT or high <= 0:
        whole = np.maximum(places, 0)
        return np.where(places >= 0, pdtr(whole, mean), 0.0), np.where(places >= 0, pdtrc(whole, mean), 1.0)
    first = max(low, 0)
    chances = poisson_chances(first, high, mean)
    at_most = poisson_tails(first - 1, mean)[0] + np.cumsum(chances[:-1])
    more = poisson_tails(high, mean)[1] + np.cumsum(chances[:0:-1])[::-1]
    below = np.zeros(first - low)
    return np.concatenate([below, at_most]), np.concatenate([below + 1.0, more])


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
