"""Simple smoothing from the first value on, compiled, with the α of least squared error."""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.types import FloatArray

GOLDEN = 0.6180339887498949


@kernel
def smooth(y: FloatArray, alpha: float, errors: FloatArray) -> float:
    """Level after the last period, ℓ₀ = y₀; fills `errors` (T,)."""
    level = y[0]
    for t in range(len(y)):
        errors[t] = y[t] - level
        level += alpha * errors[t]
    return level


@kernel
def squared(y: FloatArray, alpha: float) -> float:
    level, total = y[0], 0.0
    for t in range(len(y)):
        miss = y[t] - level
        total += miss * miss
        level += alpha * miss
    return total


@kernel
def best_alpha(y: FloatArray) -> float:
    """α in [0, 1] of least Σe²: the best of 21, then golden section between its neighbours."""
    best, least = 0, np.inf
    for i in range(21):
        found = squared(y, i / 20)
        if found < least:
            best, least = i, found
    low, high = max(best - 1, 0) / 20, min(best + 1, 20) / 20
    for _ in range(40):
        a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if squared(y, a) <= squared(y, b):
            high = b
        else:
            low = a
    middle = 0.5 * (low + high)
    return middle if squared(y, middle) <= least else best / 20
