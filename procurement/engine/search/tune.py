"""Tuned policies: the search's answer where it wins on demand it has not seen, the analytical policy elsewhere."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.checks import Array
from procurement.engine.replay.estimates import CONFIDENCE
from procurement.engine.replay.simulate import simulate_candidates
from procurement.engine.replay.types import ReplayInput
from procurement.engine.search.annealing import annealing
from procurement.engine.search.genetic import genetic
from procurement.engine.search.objective import Kind, PolicyObjective
from procurement.engine.search.types import Budget, SearchResult

METHODS: dict[str, Any] = {"genetic": genetic, "annealing": annealing}


@dataclass(frozen=True, slots=True)
class TunedPolicies:
    """Levels (N, U) to use; `is_chosen` (N,) says where they are the search's. Costs are of the validation, a scenario.

    `difference` = search − start with its paired 95 % interval `low`, `high`; all (N,) (equal for shared multipliers).
    """

    reorder_point: Array
    order_up_to_level: Array
    lot: Array
    is_chosen: Any
    start_cost: Array
    search_cost: Array
    difference: Array
    low: Array
    high: Array
    search: SearchResult


def tune_policies(
    replay: ReplayInput,
    validation: ReplayInput,
    *,
    budget: Budget,
    seed: int,
    method: Literal["genetic", "annealing"] = "genetic",
    kind: Kind = "levels",
    least_fill_rate: Any = None,
    is_whole: bool = True,
    threads: int = 1,
) -> TunedPolicies:
    """Search from the policy of `replay` on its scenarios, and judge on those of `validation` (≥ 2, other draws).

    An item takes the search's levels only where the whole interval of its paired difference in cost lies below 0, and
    its fill rate there is not below the least asked for (or the start's, where that is lower still).
    """
    if method not in METHODS:
        raise ParameterError("method", "must be genetic or annealing")
    _check_validation(replay, validation)
    objective = PolicyObjective(replay, kind, least_fill_rate, is_whole, threads)
    found = METHODS[method](objective, objective.space(), objective.start, budget, seed=seed)
    start, best = (tuple(level[0] for level in objective.decoded(p[None])) for p in (objective.start, found.best))
    judge = PolicyObjective(validation, kind, least_fill_rate, is_whole, threads)
    pairs = [np.stack(pair) for pair in zip(start, best, strict=True)]
    cost, fill = judge.per_scenario(simulate_candidates(validation, *pairs, threads=threads))
    if kind == "multipliers":
        cost = np.broadcast_to(cost.sum(axis=2, keepdims=True), cost.shape)
    difference, low, high = _paired(cost[1] - cost[0])
    is_chosen = high < 0.0
    if objective.least_fill_rate is not None:
        served = fill[1] >= np.minimum(objective.least_fill_rate, fill[0]) - 1e-12
        is_chosen &= served.all() if kind == "multipliers" else served
    taken = [np.where(is_chosen[:, None], ours, theirs) for theirs, ours in zip(start, best, strict=True)]
    s, S, lot = taken
    start_cost, search_cost = cost.mean(axis=1)
    return TunedPolicies(s, S, lot, is_chosen, start_cost, search_cost, difference, low, high, found)


def _paired(differences: Array) -> tuple[Array, Array, Array]:
    """Mean over the scenarios (M, N) with its 95 % interval."""
    from scipy.special import stdtrit

    scenarios = len(differences)
    mean = differences.mean(axis=0)
    half = stdtrit(scenarios - 1, 0.5 + CONFIDENCE / 2.0) * differences.std(axis=0, ddof=1) / np.sqrt(scenarios)
    return mean, mean - half, mean + half


def _check_validation(replay: ReplayInput, validation: ReplayInput) -> None:
    if validation.shape[1] != replay.shape[1]:
        raise ParameterError("validation", f"must hold the same {replay.shape[1]} items")
    if validation.shape[0] < 2:
        raise ParameterError("validation", "must hold at least two scenarios: one says nothing of chance")
    if validation.source is replay.source:
        raise ParameterError("validation", "must be other demand than the search has seen")
    if not np.array_equal(validation.level_days, replay.level_days):
        raise ParameterError("validation", "must change its levels on the same days")
