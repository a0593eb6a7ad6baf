"""What no policy can beat, where that is known exactly: (s, S) with Poisson demand, unmet demand backordered.

A period is one review; delivered at once. With a lead time of L whole periods the same holds for the cost L periods
later, with demand over L + 1 periods in the one-period cost; only L = 0 is here. Source: see `engine/renewal.py`.
"""

import numpy as np
from scipy.stats import poisson

from procurement.engine.errors import ParameterError
from procurement.engine.renewal import CountedDemand
from procurement.engine.replay.checks import Array, per_item, within
from procurement.engine.search.types import Objective


class PoissonProblems:
    """N items: mean demand a period, h and p (money a unit and period), K (an order)."""

    def __init__(self, mean: Array, holding_cost: Array, stockout_cost: Array, fixed_cost: Array) -> None:
        given = {"mean": mean, "holding_cost": holding_cost, "stockout_cost": stockout_cost, "fixed_cost": fixed_cost}
        items = max(np.size(value) for value in given.values())
        read = {name: per_item(name, value, items) for name, value in given.items()}
        for name, values in read.items():
            within(name, values, 0.0, 1e6, above=True)
        self.fixed_cost = read["fixed_cost"]
        self.demands = [
            CountedDemand(poisson.pmf(np.arange(int(m + 12.0 * m**0.5) + 40), m), float(h), float(p))
            for m, h, p in zip(read["mean"], read["holding_cost"], read["stockout_cost"], strict=True)
        ]

    def best(self) -> Array:
        """The optimal s, S and cost a period of each item, (N, 3). h = 1, p = 4, K = 5, Poisson 6: 4, 10, 8.0341."""
        return np.array([d.best_policy(float(K)) for d, K in zip(self.demands, self.fixed_cost, strict=True)])

    def cost(self, reorder_point: Array, order_up_to_level: Array) -> Array:
        """The exact cost a period of given whole (s, S), each (N,)."""
        if not (np.asarray(order_up_to_level) > np.asarray(reorder_point)).all():
            raise ParameterError("order_up_to_level", "must be above the reorder point")
        levels = zip(self.demands, reorder_point, order_up_to_level, self.fixed_cost, strict=True)
        return np.array([demand.policy_cost(int(s), int(S), float(K)) for demand, s, S, K in levels])

    def objective(self) -> Objective:
        """The exact cost of candidates (s, S − s), to measure a search without the noise of a simulation."""
        return lambda candidates: np.array([self.cost(c[:, 0], c[:, 0] + c[:, 1]) for c in candidates])
