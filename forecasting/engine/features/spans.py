"""Means over spans of columns, for all origins and windows at once; unknown values are left out of them."""

from __future__ import annotations

import numpy as np

from forecasting.engine.types import FloatArray, IntArray


class Spans:
    """Running sums of one matrix (n, C) in which NaN and infinite mean unknown."""

    def __init__(self, values: FloatArray) -> None:
        known = np.isfinite(values)
        zero = np.zeros((len(values), 1))
        self.sums = np.concatenate([zero, np.cumsum(np.where(known, values, 0.0), axis=1)], axis=1)
        self.counts = np.concatenate([zero, np.cumsum(known, axis=1)], axis=1)

    def mean(self, first: IntArray, last: IntArray) -> FloatArray:
        """(n, *shape) mean of the known values of columns first ≤ c < last; NaN where none is known.

        Columns outside the matrix count as unknown. Values 1, NaN, 3 over columns 0 to 3: 2.
        """
        top = self.sums.shape[1] - 1
        low, high = np.clip(first, 0, top), np.clip(last, 0, top)
        count = self.counts[:, high] - self.counts[:, low]
        total = self.sums[:, high] - self.sums[:, low]
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def log_ratio(value: FloatArray, usual: FloatArray) -> FloatArray:
    """log((v + u/10) / (1.1 u)), 0 where both are 0, NaN where unknown: how far a value stands from its usual, free of
    scale.

    Views of 30 where 10 is usual: log(31 / 11) = 1.036. Where 0 is usual the value itself is the news: log(1 + 10 v).
    """
    safe = np.where(usual > 0, usual, 1.0)
    known = np.log((np.maximum(value, 0.0) + 0.1 * safe) / (1.1 * safe))
    fresh = np.log1p(10.0 * np.maximum(value, 0.0))
    out = np.where(usual > 0, known, fresh)
    return np.where(np.isfinite(value) & np.isfinite(usual), out, np.nan)
