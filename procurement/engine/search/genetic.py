"""Genetic algorithm with real-coded parameters, N problems evolving side by side.

Each generation keeps its two best, and fills up with children: two parents by tournament, the child on the line
through them (blend crossover, from a quarter before one to a quarter beyond the other), some of its parameters moved by
a normal step that shrinks as the budget is used.
Source: Eshelman & Schaffer (1993), Foundations of Genetic Algorithms 2.
"""

import numpy as np

from procurement.engine.replay.checks import Array, whole_number
from procurement.engine.search.progress import Progress
from procurement.engine.search.types import Budget, Objective, SearchResult, Space

ELITE = 2
CROSSED, MOVED = 0.9, 0.5


def genetic(
    objective: Objective, space: Space, start: Array, budget: Budget, *, seed: int, population: int = 24
) -> SearchResult:
    """The best of `budget` candidates a problem, the start among them."""
    whole_number("population", population, 4)
    progress = Progress(objective, space, start, budget, seed)
    members = progress.spread(population)
    costs = np.broadcast_to(progress.start_cost, (population, len(progress.cost))).copy()
    born = min(population - 1, progress.left)
    if born:
        costs[1 : born + 1] = progress.evaluate(members[1 : born + 1])
    members, costs = members[: born + 1], costs[: born + 1]
    while progress.left:
        order = np.argsort(costs, axis=0, kind="stable")
        members = np.take_along_axis(members, order[:, :, None], axis=0)
        costs = np.take_along_axis(costs, order, axis=0)
        children = _children(progress, members, min(population - ELITE, progress.left))
        members = np.concatenate([members[:ELITE], children])
        costs = np.concatenate([costs[:ELITE], progress.evaluate(children)])
    return progress.result("genetic")


def _children(progress: Progress, members: Array, count: int) -> Array:
    """`members` are sorted by cost, so the lower of two places wins a tournament."""
    rng, space = progress.rng, progress.space
    size, problems, parameters = members.shape
    places = np.minimum(*rng.integers(0, size, (2, 2, count, problems)))
    first, second = (np.take_along_axis(members, place[:, :, None], axis=0) for place in places)
    weights = rng.uniform(-0.25, 1.25, (count, problems, parameters))
    weights[rng.random((count, problems)) > CROSSED] = 0.0
    steps = np.maximum((space.high - space.low) * 0.2 * (1.0 - progress.share) ** 2, np.where(space.is_whole, 1.0, 0.0))
    moved = rng.random(first.shape) < MOVED
    return space.fitted(first + weights * (second - first) + moved * steps * rng.standard_normal(first.shape))
