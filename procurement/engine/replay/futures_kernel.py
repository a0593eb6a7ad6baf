"""The compiled step from normal scores to units."""

import numpy as np
from numba import njit

from procurement.engine.replay.checks import Array


@njit(cache=True, nogil=True, error_model="numpy")
def units_at(z: Array, scores: Array, quantiles: Array, is_whole: bool, out: Array) -> None:
    """out (M, T) = the quantile at each score: linear between nodes, on with the last slope beyond, never below 0.

    `scores` (K,) rise; `quantiles` (T or 1, K). Nodes 10 at z = 0 and 20 at z = 1: z = 0.5 → 15, z = 2 → 30.
    """
    nodes = len(scores)
    for path in range(z.shape[0]):
        for day in range(z.shape[1]):
            row = quantiles[day if len(quantiles) > 1 else 0]
            units = row[0]
            if nodes > 1:
                high = 1
                while high < nodes - 1 and z[path, day] > scores[high]:
                    high += 1
                slope = (row[high] - row[high - 1]) / (scores[high] - scores[high - 1])
                units = max(row[high - 1] + slope * (z[path, day] - scores[high - 1]), 0.0)
            out[path, day] = np.floor(units + 0.5) if is_whole else units
