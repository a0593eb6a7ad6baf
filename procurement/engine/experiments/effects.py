"""What a change of policy brought: what happened after it, against the replay of the policy as it was.

A replay is a model and may be off. So the same comparison is made before the change, where both are the old policy, and
its difference is taken away: (real − replayed) after, less (real − replayed) before, item by item (difference in
differences with a simulated control). The interval is a bootstrap over items, the same for the same seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from procurement.engine.errors import ParameterError


@dataclass(frozen=True, slots=True)
class Effect:
    """`value` with its interval; `real` and `counterfactual` of the days after, and `bias` of the replay before, each a
    weighted mean over items (or a ratio of sums where `weights` are given as denominators)."""

    value: float
    low: float
    high: float
    real: float
    counterfactual: float
    bias: float
    items: int


def evaluate_effect(
    real_after: Sequence[float],
    replayed_after: Sequence[float],
    real_before: Sequence[float],
    replayed_before: Sequence[float],
    *,
    weights: Sequence[float] | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Effect:
    """The effect a day and item (weighted by `weights`); arrays of one number an item.

    Worked: real 12, 14 after and replayed 10, 10; before 9, 9 against 8, 8 → (13 − 10) − (9 − 8) = 2.
    """
    columns = [np.asarray(part, dtype=float) for part in (real_after, replayed_after, real_before, replayed_before)]
    size = len(columns[0])
    weight = np.ones(size) if weights is None else np.asarray(weights, dtype=float)
    if size == 0 or any(len(part) != size for part in (*columns, weight)):
        raise ParameterError("real_after", "must hold one number an item, and at least one, as must the others")
    if not (all(np.isfinite(part).all() for part in columns) and np.isfinite(weight).all() and weight.min() >= 0.0):
        raise ParameterError("real_after", "must hold finite numbers, and so must the others; no weight below 0")
    if weight.sum() <= 0.0:
        raise ParameterError("weights", "must not all be 0")
    after, replayed, before, replayed_then = columns
    gain = (after - replayed) - (before - replayed_then)
    rng = np.random.default_rng(seed)
    means = np.empty(draws)
    for draw in range(draws):
        chosen = rng.integers(0, size, size)
        total = weight[chosen].sum()
        means[draw] = (weight[chosen] @ gain[chosen]) / total if total > 0.0 else 0.0
    low, high = np.quantile(means, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    share = weight / weight.sum()
    return Effect(
        value=float(share @ gain),
        low=float(low),
        high=float(high),
        real=float(share @ after),
        counterfactual=float(share @ (replayed + before - replayed_then)),
        bias=float(share @ (before - replayed_then)),
        items=size,
    )
