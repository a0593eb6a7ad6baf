"""Simulated annealing, several chains for each of N problems, and plain random search to measure both by.

A chain moves to a candidate that costs Δ more with probability exp(−Δ/T); T falls geometrically to a thousandth of the
spread of the first costs, steps shrink with it, and every fifth of the budget the chains go on from the best.
Source: Kirkpatrick, Gelatt & Vecchi (1983), Science 220.
"""

import numpy as np

from procurement.engine.replay.checks import Array, whole_number
from procurement.engine.search.progress import Progress
from procurement.engine.search.types import Budget, Objective, SearchResult, Space

RESTARTS = 5
COLDEST = 1e-3


def annealing(
    objective: Objective, space: Space, start: Array, budget: Budget, *, seed: int, chains: int = 6
) -> SearchResult:
    """The best of `budget` candidates a problem, the start among them."""
    whole_number("chains", chains, 1)
    progress = Progress(objective, space, start, budget, seed)
    rng = progress.rng
    if not progress.left:
        return progress.result("annealing")
    states = progress.spread(chains + 1)[1 : 1 + progress.left]
    costs = progress.evaluate(states)
    middle = np.median(np.vstack([costs, progress.start_cost]), axis=0)
    heat = np.maximum(np.where(np.isfinite(middle), middle - progress.cost, 0.0), 1e-9 * np.abs(progress.cost) + 1e-300)
    stage = 0
    while progress.left:
        share = progress.share
        if int(share * RESTARTS) > stage:
            stage = int(share * RESTARTS)
            states, costs = np.broadcast_to(progress.best, states.shape), np.broadcast_to(progress.cost, costs.shape)
        states, costs = states[: progress.left], costs[: progress.left]
        moved = _neighbours(progress, states)
        found = progress.evaluate(moved)
        worse = np.maximum(found - costs, 0.0) / (heat * COLDEST**share)
        taken = rng.random(costs.shape) < np.exp(-worse)
        states, costs = np.where(taken[:, :, None], moved, states), np.where(taken, found, costs)
    return progress.result("annealing")


def random_search(
    objective: Objective, space: Space, start: Array, budget: Budget, *, seed: int, at_once: int = 24
) -> SearchResult:
    """Uniform candidates: what any search must beat."""
    progress = Progress(objective, space, start, budget, seed)
    while progress.left:
        shape = (min(at_once, progress.left), *space.low.shape)
        progress.evaluate(space.fitted(progress.rng.uniform(space.low, space.high, shape)))
    return progress.result("random")


def _neighbours(progress: Progress, states: Array) -> Array:
    rng, space = progress.rng, progress.space
    steps = (space.high - space.low) * (0.25 * (1.0 - progress.share) ** 2 + 0.005)
    steps = np.maximum(steps, np.where(space.is_whole, 1.0, 0.0))
    moved = rng.random(states.shape) < 0.6
    alone = rng.integers(0, states.shape[2], states.shape[:2])
    np.put_along_axis(moved, alone[:, :, None], True, axis=2)
    return space.fitted(states + moved * steps * rng.standard_normal(states.shape))
