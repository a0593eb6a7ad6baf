"""Challenger against champion: the difference of means within segments, freed of what was known beforehand.

The covariate is the same metric in the days before: y − θ·(x − x̄) with θ = cov(x, y)/var(x) inside arms and segments.
It takes the share ρ² out of the variance and leaves the expectation where it was. Source: Deng, Xu, Kohavi & Walker
(2013), "CUPED", WSDM; the standard error is that of a post-stratified difference with unequal variances (Neyman).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procurement.engine.errors import ParameterError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`effect` = challenger − champion, its standard `error`; means of the arms; `removed`: share of the variance that
    the covariate took away. Items of segments that have fewer than two in an arm are left out of it."""

    effect: float
    error: float
    champion_mean: float
    challenger_mean: float
    champions: int
    challengers: int
    removed: float


def compare_arms(
    outcome: Sequence[float],
    is_challenger: Sequence[bool],
    strata: Sequence[str],
    covariate: Sequence[float] | None = None,
) -> Comparison:
    """Compare the arms; arrays of one number an item. Raises ParameterError where no segment has two items in each arm.

    Worked: champions 1, 2, 3, challengers 4, 5, 6, one segment → effect 3 ± √(1/3 + 1/3) = 0.816.
    """
    y, arm = np.asarray(outcome, dtype=float), np.asarray(is_challenger, dtype=bool)
    x = np.zeros_like(y) if covariate is None else np.asarray(covariate, dtype=float)
    if not len(y) == len(arm) == len(x) == len(strata):
        raise ParameterError("outcome", "must have one number an item, as have arms, segments and covariate")
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise ParameterError("outcome", "must hold finite numbers, and so must the covariate")
    names, segment = np.unique(np.asarray(strata, dtype=object).astype(str), return_inverse=True)
    rows = [np.flatnonzero(segment == place) for place in range(len(names))]
    rows = [row for row in rows if min(arm[row].sum(), (~arm[row]).sum()) >= 2]
    if not rows:
        raise ParameterError("strata", "no segment has two items in each arm")
    theta = _slope(y, x, arm, rows)
    adjusted = y - theta * (x - x[np.concatenate(rows)].mean())
    effect, variance = _difference(adjusted, arm, rows)
    _raw, raw_variance = _difference(y, arm, rows)
    used = np.concatenate(rows)
    return Comparison(
        effect=effect,
        error=variance**0.5,
        champion_mean=float(y[used][~arm[used]].mean()),
        challenger_mean=float(y[used][arm[used]].mean()),
        champions=int((~arm[used]).sum()),
        challengers=int(arm[used].sum()),
        removed=max(0.0, 1.0 - variance / raw_variance) if raw_variance > 0.0 else 0.0,
    )


def _cells(arm: NDArray[np.bool_], rows: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    return [row[arm[row] == side] for row in rows for side in (False, True)]


def _slope(y: Array, x: Array, arm: NDArray[np.bool_], rows: Sequence[NDArray[np.int64]]) -> float:
    """θ from within the cells (arm × segment), where neither the effect nor the segment shows."""
    across = spread = 0.0
    for cell in _cells(arm, rows):
        centred = x[cell] - x[cell].mean()
        across += float(centred @ (y[cell] - y[cell].mean()))
        spread += float(centred @ centred)
    return across / spread if spread > 0.0 else 0.0


def _difference(y: Array, arm: NDArray[np.bool_], rows: Sequence[NDArray[np.int64]]) -> tuple[float, float]:
    """Σ w·(ȳ₁ − ȳ₀) over segments weighed by their size, and its variance."""
    total = sum(len(row) for row in rows)
    effect = variance = 0.0
    for row in rows:
        weight = len(row) / total
        one, other = y[row][arm[row]], y[row][~arm[row]]
        effect += weight * float(one.mean() - other.mean())
        variance += weight**2 * float(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    return effect, variance
