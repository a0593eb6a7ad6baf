"""What a series did before, as features: its own quantiles, and what followed the same day a year ago."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.methods.pooled import Features
from forecasting.engine.seasonality import EPS
from forecasting.engine.swing import base_level
from forecasting.engine.types import FloatArray, IntArray

OWN_BLOCKS = 26
LEAST_SUMS = 6
OWN_LEVELS = (0.5, 0.8, 0.9, 0.97)


def running(values: FloatArray) -> FloatArray:
    """(n, T + 1) sums of the columns before each position."""
    return np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)


def own_quantiles(frame: Frame, base: FloatArray, length: int) -> list[FloatArray]:
    """4 × (n, O) logarithms of the series' own quantiles of sums over `length` periods in its last 26 blocks, against
    its level; NaN with fewer than 6 sums.

    Sums 0, 2, 4 … 18 over 2 periods at a level of 4.5: the .8 quantile is 16, log((8 + .45) / 4.95) = 0.53."""
    origins, reach = frame.origins, OWN_BLOCKS * frame.calendar.rhythm.block
    sold = running(frame.demand)
    sums = np.maximum(sold[:, length:] - sold[:, :-length], 0.0).astype(np.float32)
    out = np.full((len(OWN_LEVELS), *base.shape), np.nan)
    for j, origin in enumerate(int(o) for o in origins):
        low = max(origin - reach, 0)
        inside = sums[:, low : max(origin - length + 1, low)]
        if inside.shape[1] < LEAST_SUMS:
            continue
        late = np.arange(low, low + inside.shape[1])[None, :] < frame.starts[:, None]
        ordered = np.sort(np.where(late, np.inf, inside), axis=1)
        count = inside.shape[1] - late.sum(axis=1)
        for k, level in enumerate(OWN_LEVELS):
            place = np.clip(np.ceil((count + 1) * level).astype(np.int64) - 1, 0, np.maximum(count - 1, 0))
            found = ordered[np.arange(len(ordered)), place]
            out[k, :, j] = np.where(count >= LEAST_SUMS, found, np.nan)
    return [np.log((v / length + 0.1 * base) / (1.1 * base)) for v in out]


class LastYear:
    """What followed the same day a year ago: the panel's swing, and the series' own."""

    def __init__(self, frame: Frame, features: Features) -> None:
        rhythm = frame.calendar.rhythm
        self.year = rhythm.year
        self.sold, self.weight = running(frame.demand), running(frame.weight)
        then = frame.origins - self.year
        self.base = np.maximum(features.base, EPS)
        self.level = base_level(frame.demand, frame.weight, np.maximum(then, 0), rhythm)
        self.live = frame.starts[:, None] + rhythm.min_history <= then[None, :]
        swing = np.repeat(np.exp(frame.swing), [last - first for first, last in frame.calendar.blocks], axis=1)
        self.swing = running(swing)

    def over(self, rows: IntArray, columns: IntArray, origins: IntArray, first: IntArray, last: IntArray) -> FloatArray:
        """(r, 2) logarithms: the panel's believed swing over the span, and the series' sales then against its level
        then, NaN where it was not old enough."""
        swing = np.log((self.swing[columns, last] - self.swing[columns, first]) / (last - first))
        low = np.maximum(origins - self.year + first, 0)
        high = np.maximum(np.minimum(origins - self.year + last, origins), low)
        seen = self.weight[rows, high] - self.weight[rows, low]
        base = self.base[rows, columns]
        rate = (self.sold[rows, high] - self.sold[rows, low]) / np.maximum(seen, EPS)
        own = np.log((rate + 0.2 * base) / (self.level[rows, columns] + 0.2 * base))
        return np.stack([swing, np.where(self.live[rows, columns] & (seen > 0), own, np.nan)], axis=1)
