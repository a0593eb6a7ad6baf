"""Two policies on the same worlds: paired differences, and the curve of stock value against service."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.estimates import Estimate, interval
from procurement.engine.replay.result import Clusters, ReplayResult, figures
from procurement.engine.replay.simulate import simulate
from procurement.engine.replay.types import ReplayInput


@dataclass(frozen=True, slots=True)
class Comparison:
    """Per figure of `totals`: today's, the challenger's, and challenger − today with its paired interval."""

    today: dict[str, Estimate]
    challenger: dict[str, Estimate]
    difference: dict[str, Estimate]


def compare(today: ReplayResult, challenger: ReplayResult, clusters: Clusters = "automatic") -> Comparison:
    """Common random numbers: both saw the same demand and lead times, so chance cancels out of the difference.

    The influence of each cluster on both figures is subtracted before its spread is taken: with equal policies the
    difference is 0 within [0, 0].
    """
    if today.sums.shape != challenger.sums.shape:
        raise ParameterError("challenger", "must be replayed on the same scenarios, items and batches as today's")
    if not np.array_equal(today.demand, challenger.demand) or today.replay.seed != challenger.replay.seed:
        raise ParameterError("challenger", "must be replayed on the same demand and seed as today's")
    ours, theirs = figures(today, clusters), figures(challenger, clusters)
    return Comparison(
        {name: interval(*found) for name, found in ours.items()},
        {name: interval(*found) for name, found in theirs.items()},
        {name: interval(theirs[name][0] - value, theirs[name][1] - moved) for name, (value, moved) in ours.items()},
    )


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a target costs: the figures of its replay."""

    target: float
    totals: dict[str, Estimate]


def trade_off_curve(
    replay: ReplayInput,
    levels_at: Callable[[float], Mapping[str, Any]],
    targets: Sequence[float] = (0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99),
    *,
    threads: int = 1,
) -> tuple[CurvePoint, ...]:
    """Stock value against fill rate over the targets, on the same demand.

    `levels_at(target)` gives the keywords of `ReplayInput.with_levels`: {"order_up_to_level": S, "reorder_point": s}.
    Every point starts from the opening stock of `replay`: let `warm_up_days` cover what that takes to wear off.
    """
    if not len(targets):
        raise ParameterError("targets", "must not be empty")
    return tuple(
        CurvePoint(target, simulate(replay.with_levels(**levels_at(target)), threads=threads).totals())
        for target in targets
    )
