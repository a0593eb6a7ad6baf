"""Ratios of sums with 95 % intervals, from clusters that are independent of each other.

r = Σx / Σy over C clusters; e = x − r·y; Var r ≈ C/(C − 1)·Σe² / (Σy)²; the interval is r ± t(C − 1)·√Var.
Source: Cochran (1977), Sampling Techniques, section 6.5. x = 9, 8, 10 of y = 10, 10, 10 → 0.9 with 0.9 ± 0.248.
Clusters are the scenarios where there are several (days and items of one world are dependent), else batches of days,
else items. A single cluster has no interval: its ends are nan.
"""

from dataclasses import dataclass

import numpy as np

from procurement.engine.replay.checks import Array

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % confidence interval; nan where there is nothing to estimate it from."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Does the interval contain `value`?"""
        return self.low <= value <= self.high


def ratio(above: Array, below: Array, scale: float = 1.0) -> Estimate:
    """scale·Σabove/Σbelow with its interval; both (C,)."""
    value, influence = linearised(above, below)
    return interval(scale * value, scale * influence)


def linearised(above: Array, below: Array) -> tuple[float, Array]:
    """Σabove/Σbelow, and how much each cluster moves it (sums to zero)."""
    total = float(below.sum())
    if total == 0.0:
        return float("nan"), np.full(len(above), np.nan)
    value = float(above.sum()) / total
    return value, (above - value * below) / total


def interval(value: float, influence: Array) -> Estimate:
    """value ± t·√(C/(C − 1)·Σ influence²)."""
    from scipy.special import stdtrit

    clusters = len(influence)
    if clusters < 2:
        return Estimate(value, float("nan"), float("nan"))
    error = float(np.sqrt(clusters / (clusters - 1.0) * (influence**2).sum()))
    half = float(stdtrit(clusters - 1, 0.5 + CONFIDENCE / 2.0)) * error
    return Estimate(value, value - half, value + half)
