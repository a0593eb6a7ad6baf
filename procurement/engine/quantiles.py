"""Demand over a protection interval as a curve through a few forecast quantiles; the one interpolation of the house.

Between the given quantiles the demand is linear in the normal score z = Φ⁻¹(p), beyond the outermost ones it goes on
with the slope of the last pair (flat if the pair is flat), and it is never below zero. For normal demand this is exact.
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

    def quantile(self, probability: float) -> float:
        """Units not exceeded with `probability`. Through {0.5: 10, 0.9: 20}: quantile(0.8) = 16.567."""
        low, high = self.bracket(probability)
        if low == high:
            return self.units[low]
        share = (_score(probability) - self.scores[low]) / (self.scores[high] - self.scores[low])
        return max(0.0, self.units[low] + (self.units[high] - self.units[low]) * share)

    def stretched(self, centre: float, factor: float, shift_per_score: float = 0.0) -> "QuantileCurve":
        """Each quantile moved to centre + (quantile − centre)·factor + z·shift_per_score, not below zero."""
        moved = (
            centre + (q - centre) * factor + z * shift_per_score for q, z in zip(self.units, self.scores, strict=True)
        )
        return QuantileCurve(self.probabilities, self.scores, tuple(max(0.0, units) for units in moved))

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
        return 0.0 if units < 0.0 else 1.0 - upper_tail(self._score_of(units))

    def expected_shortage(self, units: float) -> float:
        """n(x) = E[(D − x)⁺], in units: the integral of demand above x, in closed form on each linear piece.

        With D = a + b·z on (z1, z2): (a − x)·(Φ(z2) − Φ(z1)) + b·(φ(z1) − φ(z2)); Snyder & Shen, appendix C.3.
        Standard normal check: mean 100, sd 10, x = 110 → 10·ℒ(1) = 0.8332.
        """
        if units < 0.0:
            return self.expected_shortage(0.0) - units
        start = self._score_of(units)
        if start == math.inf:
            return 0.0
        bounds = [start, *(z for z in self.scores if z > start), math.inf]
        total = 0.0
        for low, high in pairwise(bounds):
            place = bisect_right(self.scores, low)
            anchor = 0 if place == 0 else place - 1
            slope = self._slope(place)
            level = self.units[anchor] - slope * self.scores[anchor]
            total += (level - units) * (upper_tail(low) - upper_tail(high)) + slope * (density(low) - density(high))
        return max(0.0, total)
