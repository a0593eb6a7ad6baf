"""A clear trend in a history too short to hold anything out: followed, but with less faith every period."""

from __future__ import annotations

import numpy as np

from forecasting.engine.types import BoolArray, FloatArray

LEAST_PERIODS = 5
MOST_ZEROS = 0.2
FADING = 0.9
# |S| at which chance alone is two-sided below 5 % for n observations (Kendall 1975, table 1).
CRITICAL = {5: 10, 6: 13, 7: 15, 8: 18, 9: 20, 10: 23}


def clear_trends(values: FloatArray, seen: BoolArray, rows: np.ndarray) -> BoolArray:
    """(n,) which of the series `rows` rise or fall beyond chance by the test of Mann (1945) and Kendall; all others
    False.

    100, 120, 130, 140, 150, 160: all 15 pairs rise, S = 15 ≥ 13. Series that often sell nothing are left out: a pair of
    zeros says nothing of a trend.
    """
    found = np.zeros(len(values), dtype=bool)
    for row in rows:
        known = values[row][seen[row]]
        n = len(known)
        if n < LEAST_PERIODS or (known <= 0).mean() > MOST_ZEROS:
            continue
        later = known[None, :] - known[:, None]
        score = abs(int(np.sign(np.triu(later, 1)).sum()))
        limit = CRITICAL.get(n, 1.96 * np.sqrt(n * (n - 1) * (2 * n + 5) / 18.0) + 1.0)
        found[row] = score >= limit
    return found


def fading_trend(values: FloatArray, seen: BoolArray, horizon: int) -> FloatArray:
    """(r, H) the last level and the median of all slopes (Theil 1950, Sen 1968), each step ahead weighing .9 of the one
    before; never negative.

    100 … 160 as above: slope 10, level 160, so 169, 177.1, 184.4, 191.0, 196.9, 202.2.
    """
    paths = np.zeros((len(values), horizon))
    ahead = np.cumsum(FADING ** np.arange(1, horizon + 1))
    for row in range(len(values)):
        at = np.flatnonzero(seen[row])
        known = values[row, at]
        first, second = np.triu_indices(len(at), 1)
        slope = np.median((known[second] - known[first]) / (at[second] - at[first]))
        level = np.median(known - slope * at) + slope * (values.shape[1] - 1)
        paths[row] = np.maximum(level + slope * ahead, 0.0)
    return paths
