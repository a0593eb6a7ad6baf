"""Demand over a protection interval as a curve through a few forecast quantiles; the one interpolation of the house.

Between the given quantiles the demand is linear in the normal score z = Φ⁻¹(p), below the first of them it goes on with
the slope of the first pair, and it is never below zero. Where all of them lie on one line (or only two are given) the
demand is normal and the line goes on above too. Otherwise what lies above the last one is a Pareto tail through the
last two, P(D > x) = (1 − p₁)·(1 + ξ·(x − q₁)/σ)^(−1/ξ) with ξ = 1/3: real demand above its own .99 quantile exceeds it
by three times what the normal line says, whatever its shape below (measured on daily retail and monthly spare parts).
Crossing quantiles are sorted (Chernozhukov, Fernández-Val & Galichon 2010, "rearrangement").
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from procurement.engine.errors import ParameterError
from procurement.engine.expressions import normal_score

#: Shape of the tail above the last quantile; its mean excess is 1.5 times that of an exponential tail and finite.
TAIL_SHAPE = 1.0 / 3.0
_STRAIGHT = 1e-9
_score = lru_cache(maxsize=4096)(normal_score)


def density(z: float) -> float:
    """φ(z), the standard normal density."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def upper_tail(z: float) -> float:
    """P(Z > z), accurate far out in the tail."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))


@dataclass(frozen=True, slots=True)
class QuantileCurve:
    """Quantiles of the demand SUM over an interval: rising `probabilities`, their normal `scores`, their `units`."""

    probabilities: tuple[float, ...]
    scores: tuple[float, ...]
    units: tuple[float, ...]

    @classmethod
    def through(cls, quantiles: Mapping[float, float], parameter: str = "quantiles") -> "QuantileCurve":
        """Build from probability → units; probabilities strictly between 0 and 1, units finite and not negative."""
        if not quantiles:
            raise ParameterError(parameter, "must hold at least one quantile")
        for probability, units in quantiles.items():
            if not 0.0 < probability < 1.0:
                raise ParameterError(parameter, f"probability {probability!r} must lie strictly between 0 and 1")
            if not math.isfinite(units) or units < 0.0:
                raise ParameterError(parameter, f"quantile at {probability!r} must be a number of units, at least 0")
        probabilities = tuple(sorted(quantiles))
        scores = tuple(_score(probability) for probability in probabilities)
        return cls(probabilities, scores, tuple(sorted(float(units) for units in quantiles.values())))

    @classmethod
    def normal(cls, mean: float, sd: float) -> "QuantileCurve":
        """The normal distribution with this mean and standard deviation, cut off at zero demand."""
        return cls((0.5, 1.0 - upper_tail(1.0)), (0.0, 1.0), (mean, mean + sd))

    @property
    def is_whole(self) -> bool:
        """Are all given quantiles whole numbers, that is, is demand counted in whole units?"""
        return all(units == math.floor(units) for units in self.units)

    def bracket(self, probability: float) -> tuple[int, int]:
        """Indices of the two given quantiles that decide `probability`; the same index twice if it was given itself."""
        place = bisect_left(self.probabilities, probability)
        if place < len(self.probabilities) and self.probabilities[place] == probability:
            return place, place
        if len(self.probabilities) == 1:
            return 0, 0
        above = min(max(place, 1), len(self.probabilities) - 1)
        return above - 1, above

    @property
    def tail_scale(self) -> float:
        """σ of the Pareto tail above the last quantile; 0 where there is none (a line, two quantiles, a flat end)."""
        if len(self.units) < 3 or self.units[-1] <= self.units[-2]:
            return 0.0
        slopes = [self._slope(place) for place in range(1, len(self.units))]
        if max(slopes) - min(slopes) <= _STRAIGHT * max(slopes):
            return 0.0
        ratio = (1.0 - self.probabilities[-2]) / (1.0 - self.probabilities[-1])
        return float((self.units[-1] - self.units[-2]) * TAIL_SHAPE / (ratio**TAIL_SHAPE - 1.0))

    def is_in_tail(self, probability: float) -> bool:
        """Does this probability ask for the Pareto tail?"""
        return probability > self.probabilities[-1] and self.tail_scale > 0.0

    def quantile(self, probability: float) -> float:
        """Units not exceeded with `probability`. Through {0.5: 10, 0.9: 20}: quantile(0.8) = 16.567."""
        low, high = self.bracket(probability)
        if low == high:
            return self.units[low]
        if self.is_in_tail(probability):
            ratio = (1.0 - self.probabilities[-2]) / (1.0 - probability)
            return float(self.units[-2] + self.tail_scale / TAIL_SHAPE * (ratio**TAIL_SHAPE - 1.0))
        share = (_score(probability) - self.scores[low]) / (self.scores[high] - self.scores[low])
        return max(0.0, self.units[low] + (self.units[high] - self.units[low]) * share)

    def mean(self) -> float:
        """E[D] of the curve: n(0)."""
        return self.expected_shortage(0.0)

    def stretched(self, centre: float, factor: float, shift_per_score: float = 0.0) -> "QuantileCurve":
        """Each quantile moved to centre + (quantile − centre)·factor + z·shift_per_score, not below zero."""
        moved = (
            centre + (q - centre) * factor + z * shift_per_score for q, z in zip(self.units, self.scores, strict=True)
        )
        return QuantileCurve(self.probabilities, self.scores, tuple(max(0.0, units) for units in moved))

    def moved(self, shift: float, factor: float) -> "QuantileCurve":
        """Each quantile at shift + factor·quantile, not below zero."""
        return QuantileCurve(self.probabilities, self.scores, tuple(max(0.0, shift + factor * q) for q in self.units))

    def _slope(self, place: int) -> float:
        """Units per unit of z left of node `place` (right of the last node: of the last pair)."""
        if len(self.units) == 1:
            return 0.0
        high = min(max(place, 1), len(self.units) - 1)
        return (self.units[high] - self.units[high - 1]) / (self.scores[high] - self.scores[high - 1])

    def _score_of(self, units: float) -> float:
        """Largest z whose demand does not exceed `units`; ±inf beyond a flat end."""
        place = bisect_right(self.units, units)
        anchor = 0 if place == 0 else place - 1
        slope = self._slope(place)
        if slope == 0.0:
            return -math.inf if place == 0 else math.inf
        return self.scores[anchor] + (units - self.units[anchor]) / slope

    def probability_of_at_most(self, units: float) -> float:
        """F(units) = P(D ≤ units)."""
        if units > self.units[-1] and (scale := self.tail_scale) > 0.0:
            return 1.0 - (1.0 - self.probabilities[-2]) * self._tail_base(units, scale) ** (-1.0 / TAIL_SHAPE)
        return 0.0 if units < 0.0 else 1.0 - upper_tail(self._score_of(units))

    def _tail_base(self, units: float, scale: float) -> float:
        return 1.0 + TAIL_SHAPE * (units - self.units[-2]) / scale

    def _tail_shortage(self, units: float, scale: float) -> float:
        """E[(D − x)⁺] above the last quantile: (1 − p₁)·σ/(1 − ξ)·(1 + ξ·(x − q₁)/σ)^(1 − 1/ξ)."""
        base = self._tail_base(units, scale) ** (1.0 - 1.0 / TAIL_SHAPE)
        return (1.0 - self.probabilities[-2]) * scale / (1.0 - TAIL_SHAPE) * base

    def expected_shortage(self, units: float) -> float:
        """n(x) = E[(D − x)⁺], in units: the integral of demand above x, in closed form on each linear piece.

        With D = a + b·z on (z1, z2): (a − x)·(Φ(z2) − Φ(z1)) + b·(φ(z1) − φ(z2)); Snyder & Shen, appendix C.3.
        Standard normal check: mean 100, sd 10, x = 110 → 10·ℒ(1) = 0.8332.
        """
        if units < 0.0:
            return self.expected_shortage(0.0) - units
        scale, end, total = self.tail_scale, math.inf, 0.0
        if scale > 0.0:
            if units >= self.units[-1]:
                return self._tail_shortage(units, scale)
            end = self.scores[-1]
            total = self._tail_shortage(self.units[-1], scale)
            total += (self.units[-1] - units) * (1.0 - self.probabilities[-1])
        start = self._score_of(units)
        if start >= end:
            return total
        bounds = [start, *(z for z in self.scores if start < z < end), end]
        for low, high in pairwise(bounds):
            place = bisect_right(self.scores, low)
            anchor = 0 if place == 0 else place - 1
            slope = self._slope(place)
            level = self.units[anchor] - slope * self.scores[anchor]
            total += (level - units) * (upper_tail(low) - upper_tail(high)) + slope * (density(low) - density(high))
        return max(0.0, total)
