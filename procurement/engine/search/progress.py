"""The book a search keeps: what was tried, what is best so far, and what of the budget is left."""

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.checks import Array, as_numbers, whole_number
from procurement.engine.search.types import Budget, Objective, SearchResult, Space


class Progress:
    """Evaluates candidates within the budget; the start is the first candidate, so no answer is worse than it."""

    def __init__(self, objective: Objective, space: Space, start: Array, budget: Budget, seed: int) -> None:
        whole_number("seed", seed, 0)
        given = as_numbers("start", start)
        if given.shape != space.low.shape:
            raise ParameterError("start", f"must be problems × parameters {space.low.shape}, not {given.shape}")
        if not np.isfinite(given).all():
            raise ParameterError("start", "must be numbers")
        self.space, self.budget, self.seed = space, budget, seed
        self.rng = np.random.default_rng(seed)
        self._objective = objective
        self._since = budget.clock() if budget.clock else 0.0
        self.tried, self._trace = 0, np.empty((0, 2))
        self.best = given.copy()
        self.cost = np.full(len(given), np.inf)
        self.start_cost = self.evaluate(given[None])[0].copy()
        if not np.isfinite(self.start_cost).all():
            raise ParameterError("start", "must have a finite cost")

    @property
    def share(self) -> float:
        """How much of the budget is used, from 0 to 1."""
        used = self.tried / self.budget.evaluations
        if self.budget.seconds is not None and self.budget.clock is not None:
            used = max(used, (self.budget.clock() - self._since) / self.budget.seconds)
        return min(used, 1.0)

    @property
    def left(self) -> int:
        return 0 if self.share >= 1.0 else self.budget.evaluations - self.tried

    def evaluate(self, candidates: Array) -> Array:
        """Costs (C, N); what is not a number counts as infinitely dear."""
        costs = np.asarray(self._objective(candidates), dtype=np.float64)
        costs = np.where(np.isnan(costs), np.inf, costs)
        place = np.argmin(costs, axis=0)
        least = np.take_along_axis(costs, place[None], axis=0)[0]
        better = least < self.cost
        winners = np.take_along_axis(candidates, place[None, :, None], axis=0)[0]
        self.best = np.where(better[:, None], winners, self.best)
        self.cost = np.where(better, least, self.cost)
        self.tried += len(candidates)
        self._trace = np.vstack([self._trace, [self.tried, self.cost.mean()]])
        return costs

    def spread(self, count: int) -> Array:
        """`count` candidates to begin with: the start, half near it (a quarter of the range), half anywhere."""
        low, high = self.space.low, self.space.high
        made = self.rng.uniform(low, high, (count, *low.shape))
        near = self.best + 0.25 * (high - low) * self.rng.standard_normal(made.shape)
        made[::2] = near[::2]
        made = self.space.fitted(made)
        made[0] = self.best
        return made

    def result(self, method: str) -> SearchResult:
        return SearchResult(method, self.seed, self.best, self.cost, self.start_cost, self.tried, self._trace)
