"""The (r, Q) policy under Poisson demand, exact: order Q whole units whenever the position falls to r."""

from dataclasses import dataclass
from typing import Any

from procurement.engine.distributions import poisson_losses
from procurement.engine.models.model import Model
from procurement.engine.models.newsvendor_discrete import poisson_base_stock
from procurement.engine.parameters import number, required


@dataclass(frozen=True, slots=True, kw_only=True)
class RqPoissonInputs:
    """h and p (money per unit and time), K (per order), λ (mean demand per time), L (time)."""

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    fixed_cost: float = required(number(above=0))
    demand_mean: float = required(number(above=0))
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
    """Federgruen & Zheng (1992): the Q cheapest positions around the base stock, as long as each lowers the average.

    g is convex, so the Q cheapest positions lie side by side: (K·λ + Σ g(y), y = r+1 … r+Q)/Q (5.48). On ties the
    smallest Q and the lower positions. Example 5.8: h = 20, p = 150, K = 100, λ = 1.5, L = 2 → r = 3, Q = 5, 107.92.
    """
    import numpy as np

    mean = inputs.demand_mean * inputs.lead_time
    stock = poisson_base_stock(inputs.holding_cost, inputs.stockout_cost, mean)
    reach = 16
    while True:
        low = stock - reach
        rates = poisson_rates(low, stock + reach, mean, inputs.holding_cost, inputs.stockout_cost)
        order = np.argsort(rates, kind="stable")
        setup = inputs.fixed_cost * inputs.demand_mean
        averages = (setup + np.cumsum(rates[order])) / np.arange(1, len(rates) + 1)
        best = int(np.argmin(averages))
        if averages[best] < min(rates[0], rates[-1]):
            break
        reach *= 4
    chosen = order[: best + 1]
    return {
        "reorder_point": low + int(chosen.min()) - 1,
        "order_quantity": best + 1,
        "cost": float(averages[best]),
    }


MODELS = (
    Model(
        "rq_poisson",
        RqPoissonInputs,
        solve_rq_poisson,
        "Federgruen & Zheng (1992), Operations Research 40; Snyder & Shen, (5.48)",
    ),
)
