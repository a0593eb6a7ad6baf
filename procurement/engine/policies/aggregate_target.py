"""One fill rate for many items together: the levels with the least stock value whose SUM of shortages meets the target.

Asking every item for the same fill rate spends most of the stock on the few items whose demand is hardest to cover. The
cheapest way to serve the share β of all demand lets every item stop where one more unit of money serves the same:

    minimise Σ c·S  subject to  Σ v·n(S) ≤ (1 − β)·Σ v·E[D]      n(S) = E[(D − S)⁺], v = worth of a unit served

With lost sales an item loses n(S)·R/(L + R) per review (a lost order is lost once but stands in (L + R)/R protection
intervals), so the optimum is P(D > S) ∝ c/v·(L + R)/R: the same chance for all where worth follows cost and the
intervals are alike, less safety for what must be held long. Lagrange; Snyder & Shen, section 4.3 for one item.

Demand over the protection interval is mean + scale·T with Student's T of 3 degrees (scaled to the normal at .95): sums
of real orders exceed a .99 quantile by three to four times what a normal tail says. Shapes: N items; units of the item.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from procurement.engine.errors import ParameterError

Array = NDArray[np.float64]

_DEGREES = 3.0
_SCORE_95 = 1.6448536269514722
_UNIT = _SCORE_95 / float(stdtrit(_DEGREES, 0.95))
_HIGHEST, _STEPS, _TINY = 40.0, 70, 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTarget:
    """Arrays (N,): `mean` and `scale` of demand over L + R, its `protection_days`, `review_days`, `unit_cost`, and
    `worth` of one unit served (1 for a unit fill rate, the price for a value fill rate)."""

    mean: Array
    scale: Array
    protection_days: Array
    review_days: Array
    unit_cost: Array
    worth: Array

    def __post_init__(self) -> None:
        for name in ("mean", "scale", "unit_cost"):
            if not np.all(np.isfinite(getattr(self, name)) & (getattr(self, name) >= 0.0)):
                raise ParameterError(name, "must be numbers of at least 0")
        for name in ("protection_days", "review_days", "worth"):
            if not np.all(np.isfinite(getattr(self, name)) & (getattr(self, name) > 0.0)):
                raise ParameterError(name, "must be numbers above 0")


@dataclass(frozen=True, slots=True)
class SharedLevels:
    """Levels S (N,), the `caution` that gave them (natural units: each step of 1 divides every chance of a shortage by
    e) and the fill rate expected of all items together."""

    order_up_to_level: Array
    caution: float
    fill_rate: float


def exceedance_score(chance: Array) -> Array:
    """z with P(T > z) = chance, T scaled to the normal at .95: .05 → 1.6449, .01 → 3.1737 (normal: 2.326)."""
    scores: Array = -_UNIT * stdtrit(_DEGREES, chance)
    return scores


def mean_excess(score: Array) -> Array:
    """E[(T − z)⁺] in scales: U·((3 + t²)/2·f(t) − t·P(T > t)), t = z/U. At 0 → 0.3853 (normal 0.3989)."""
    t = score / _UNIT
    density = 2.0 / (np.pi * np.sqrt(3.0) * (1.0 + t * t / 3.0) ** 2)
    excess: Array = _UNIT * ((3.0 + t * t) / 2.0 * density - t * stdtr(_DEGREES, -t))
    return excess


def levels_at(target: SharedTarget, caution: float) -> Array:
    """S = max(0, mean + z·scale) with P(D > S) = e^−caution·w, w = c/v·(L + R)/R over its median, at most one half."""
    weight = target.unit_cost / target.worth * target.protection_days / target.review_days
    middle = float(np.median(weight)) if len(weight) else 1.0
    chance = np.clip(np.exp(-caution) * weight / (middle or 1.0), _TINY, 0.5)
    levels: Array = np.maximum(0.0, target.mean + exceedance_score(chance) * target.scale)
    return levels


def expected_fill_rate(target: SharedTarget, levels: Array) -> float:
    """1 − Σ v·n(S)/Σ v·E[D] over all items; 1 where nothing is demanded."""
    short = np.maximum(target.mean - levels, 0.0)
    spread = target.scale > 0.0
    scale = np.where(spread, target.scale, 1.0)
    short = np.where(spread, scale * mean_excess((levels - target.mean) / scale), short)
    demand = float((target.worth * target.mean).sum())
    return max(0.0, 1.0 - float((target.worth * short).sum()) / demand) if demand > 0.0 else 1.0


def levels_for(target: SharedTarget, fill_rate: float) -> SharedLevels:
    """The least caution that is expected to serve `fill_rate` of all demand, by bisection.

    Worked: one item, mean 100, scale 20, L + R = R, β = .95 → n = 5 = 20·0.25 → z = 0.3249, S = 106.50.
    """
    if not 0.0 < fill_rate < 1.0:
        raise ParameterError("fill_rate", "must lie strictly between 0 and 1")
    low, high = 0.0, _HIGHEST
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        if expected_fill_rate(target, levels_at(target, middle)) >= fill_rate:
            high = middle
        else:
            low = middle
    levels = levels_at(target, high)
    return SharedLevels(levels, high, expected_fill_rate(target, levels))
