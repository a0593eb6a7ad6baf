"""The panel's yearly swing: how demand of the same weeks stood to its level a year ago."""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.history import discounted_sums
from forecasting.engine.seasonality import EPS, Rhythm
from forecasting.engine.types import BoolArray, FloatArray, IntArray

SWING_NOISE = 0.1
PRIOR_ORIGINS = 8.0
LEAST_SWING_SERIES = 20
SMOOTH = 2
CAP = 8.0


def yearly_swing(
    demand: FloatArray, weight: FloatArray, origins: IntArray, blocks: list[tuple[int, int]], rhythm: Rhythm
) -> FloatArray:
    """(O, B) what to expect at each origin of the log ratio of the panel's demand in each step block to its base level;
    0 if unknown.

    Last year's ratio s, smoothed over the blocks beside it, is believed by s² / (s² + σ²): small swings are mostly
    chance, a doubling hardly ever is. σ² is half the mean squared difference of two years' ratios at earlier origins,
    drawn to 0.1² as by 8 of them. s = 0.1 and σ = 0.1 → 0.05; s = 0.7 → 0.69.
    """
    none = np.zeros((len(origins), len(blocks)))
    if not rhythm.year or len(demand) < LEAST_SWING_SERIES:
        return none
    history = History(demand, weight, origins, rhythm)
    last, this = (history.swing(blocks, back) for back in (rhythm.year, 0))
    both = np.isfinite(last) & np.isfinite(this)
    square = np.where(both, (last - np.where(both, this, 0.0)) ** 2, 0.0)
    noise = np.zeros(none.shape)
    for b, (_, end) in enumerate(blocks):
        ended = origins[None, :] + end + SMOOTH * rhythm.block <= origins[:, None]
        total, count = (ended * square[:, b]).sum(axis=1), (ended * both[:, b]).sum(axis=1)
        noise[:, b] = (0.5 * total + PRIOR_ORIGINS * SWING_NOISE**2) / (count + PRIOR_ORIGINS)
    swing = np.nan_to_num(last, nan=0.0)
    return swing * swing**2 / (swing**2 + noise)


def running_sums(values: FloatArray) -> FloatArray:
    """(n, T + 1) sums of the columns before each position."""
    return np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)


def base_level(demand: FloatArray, weight: FloatArray, origins: IntArray, rhythm: Rhythm) -> FloatArray:
    """(n, O) the base level of the pooled method at each origin: mean of the levels of the three longer half-lives."""
    rates = []
    for half_life in rhythm.half_lives[1:]:
        keep = 0.5 ** (1.0 / half_life)
        sold, seen = (discounted_sums(x, keep, origins) for x in (demand, weight))
        rates.append(sold / np.maximum(seen, EPS))
    return np.mean(rates, axis=0)


class History:
    """The panel's demand in units of each series' own mean, no series more than CAP of them in a block of periods."""

    def __init__(self, demand: FloatArray, weight: FloatArray, origins: IntArray, rhythm: Rhythm) -> None:
        self.demand, self.weight, self.origins, self.rhythm = demand, weight, origins, rhythm
        self.top, self.base = running_sums(demand), running_sums(weight)

    def swing(self, blocks: list[tuple[int, int]], back: int) -> FloatArray:
        """(O, B) the ratio's logarithm `back` periods before each origin, NaN if unknown; with back = 0 what followed
        the origin itself."""
        memory, periods = 8 * self.rhythm.block, self.demand.shape[1]
        out = np.full((len(self.origins), len(blocks)), np.nan)
        then = self.origins - back
        level = base_level(self.demand, self.weight, np.maximum(then, 0), self.rhythm)
        for j, origin in enumerate(int(o) for o in self.origins):
            past, known = int(then[j]), origin if back else periods
            if past < memory // 2:
                continue
            before = max(0, past - memory)
            scale = self.top[:, origin] / np.maximum(self.base[:, origin], EPS)
            alive = (self.base[:, past] - self.base[:, before] >= 0.45 * (past - before)) & (scale > 0)
            if alive.sum() < LEAST_SWING_SERIES:
                continue
            safe = np.where(alive, scale, np.inf)
            normal = float(np.minimum(level[:, j] / safe, CAP)[alive].mean())
            for b, (first, last) in enumerate(blocks):
                if normal > 0 and (back or past + last <= periods):
                    later = self.smoothed(safe, alive, past + first, past + last, known)
                    if later > 0:
                        out[j, b] = np.clip(np.log(later / normal), -1.5, 1.5)
        return out

    def smoothed(self, scale: FloatArray, alive: BoolArray, low: int, high: int, known: int) -> float:
        """Rate between two columns, averaged with those up to SMOOTH blocks earlier and later (weights 1 2 3 2 1)."""
        block = self.rhythm.block
        near = max(0, SMOOTH - (high - low) // (2 * block)) if high - low > block else SMOOTH
        total = weight = 0.0
        for shift in range(-near, near + 1):
            begin, end = low + shift * block, min(high + shift * block, known)
            if begin < 0 or end <= begin:
                continue
            share = near + 1.0 - abs(shift)
            total += share * self.rate(scale, alive, begin, end)
            weight += share
        return total / weight if weight else 0.0

    def rate(self, scale: FloatArray, alive: BoolArray, low: int, high: int) -> float:
        """Scaled demand per unit of exposure of the living series between two columns."""
        seen = self.base[:, high] - self.base[:, low]
        sold = np.minimum((self.top[:, high] - self.top[:, low]) / scale, CAP * np.maximum(seen, 1.0))
        return float(sold[alive].sum()) / max(float(seen[alive].sum()), EPS)
