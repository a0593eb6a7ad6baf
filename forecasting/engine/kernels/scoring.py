"""Held-out losses of one method, fused: key → cell of comparable cases → quantiles of the sum → pinball loss."""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.types import FloatArray, IntArray

MIDDLE, HIGH = 0, 3
"""Places of the .5 and the .95 quantile among the scored levels."""


@kernel
def ratios_at(key: FloatArray, keys: FloatArray, ratios: FloatArray) -> FloatArray:
    """(r, q) rows of ratios (C, q) at keys (r,), linear between the ascending cell centres keys (C,), flat beyond."""
    out = np.zeros((len(key), ratios.shape[1]))
    last = len(keys) - 1
    for i in range(len(key)):
        low = 0
        while low < last and key[i] >= keys[low + 1]:
            low += 1
        share = 0.0
        if low < last and key[i] > keys[low]:
            share = (key[i] - keys[low]) / (keys[low + 1] - keys[low])
        high = min(low + 1, last)
        for q in range(ratios.shape[1]):
            out[i, q] = ratios[low, q] * (1.0 - share) + ratios[high, q] * share
    return out


@kernel
def score_quantiles(
    actual: FloatArray,
    quantiles: FloatArray,
    unit: FloatArray,
    taus: FloatArray,
    loss: FloatArray,
    within: FloatArray,
    band: FloatArray,
) -> None:
    """Write loss (n,) = mean pinball / unit, within (n,) = actual at or below the .95 quantile, band (n, 2) = the .5
    and .95 quantiles, of actual (n,) against quantiles (n, q)."""
    for i in range(len(actual)):
        total = 0.0
        for q in range(len(taus)):
            gap = actual[i] - quantiles[i, q]
            total += max(taus[q] * gap, (taus[q] - 1.0) * gap)
        loss[i] = total / len(taus) / unit[i]
        within[i] = 1.0 if actual[i] <= quantiles[i, HIGH] + 1e-9 else 0.0
        band[i, 0], band[i, 1] = quantiles[i, MIDDLE], quantiles[i, HIGH]


@kernel
def score_tables(
    actual: FloatArray,
    centre: FloatArray,
    key: FloatArray,
    cells: IntArray,
    keys: FloatArray,
    ratios: FloatArray,
    unit: FloatArray,
    taus: FloatArray,
    loss: FloatArray,
    within: FloatArray,
    band: FloatArray,
) -> None:
    """All folds and windows of one method at once. actual, centre, key (n, F, K); the table of fold f and window k has
    cells[f, k] cells keys[f, k] and ratios[f, k] (C, q); unit (n, K). Writes loss, within (n, F, K), band (n, F, K, 2).
    Where cells[f, k] is 0 nothing is written."""
    n, folds, windows = actual.shape
    for i in range(n):
        for f in range(folds):
            for k in range(windows):
                last = cells[f, k] - 1
                if last < 0:
                    continue
                at, low, share = key[i, f, k], 0, 0.0
                while low < last and at >= keys[f, k, low + 1]:
                    low += 1
                if low < last and at > keys[f, k, low]:
                    share = (at - keys[f, k, low]) / (keys[f, k, low + 1] - keys[f, k, low])
                high, total = min(low + 1, last), 0.0
                for q in range(len(taus)):
                    ratio = ratios[f, k, low, q] * (1.0 - share) + ratios[f, k, high, q] * share
                    value = centre[i, f, k] * ratio
                    gap = actual[i, f, k] - value
                    total += max(taus[q] * gap, (taus[q] - 1.0) * gap)
                    if q == MIDDLE:
                        band[i, f, k, 0] = value
                    elif q == HIGH:
                        band[i, f, k, 1] = value
                        within[i, f, k] = 1.0 if (gap >= 0.0 and gap <= 1e-9) or gap < 0.0 else 0.0
                loss[i, f, k] = total / len(taus) / unit[i, k]
