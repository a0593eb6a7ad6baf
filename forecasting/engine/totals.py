"""The distribution of a total of units of which only mean and variance are known: negative binomial, at least Poisson.

Element-wise over arrays of any one shape; plain mathematics, no fitting.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, gammaincc

from forecasting.engine.types import FloatArray

_NEARLY_POISSON = 1.0 + 1e-6


def total_cdf(units: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """P(X ≤ k) of the negative binomial with this mean m and variance v > m; of the Poisson where v ≤ m.

    r = m² / (v − m), p = r / (r + m), P(X ≤ k) = I_p(r, ⌊k⌋ + 1) (NIST DLMF 8.17.22); 1 where the mean is 0.
    m = 2, v = 4: r = 2, p = 1/2, P(X ≤ 1) = 1/4 + 1/4 = 0.5.
    """
    k, m, v = np.broadcast_arrays(np.floor(units), np.asarray(mean, dtype=float), np.asarray(variance, dtype=float))
    some = np.maximum(m, 1e-300)
    is_wide = v > some * _NEARLY_POISSON
    r = some**2 / np.where(is_wide, v - some, 1.0)
    at = np.maximum(k, 0.0)
    wide = betainc(np.where(is_wide, r, 1.0), at + 1.0, np.where(is_wide, r / (r + some), 0.5))
    cdf = np.where(is_wide, wide, gammaincc(at + 1.0, some))
    return np.where(k < 0, 0.0, np.where(m <= 0, 1.0, cdf))


def total_quantile(level: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """The smallest whole k with P(X ≤ k) ≥ level, by bisection. m = 2, v = 4, level .5 → 1; level .51 → 2."""
    tau, m, v = np.broadcast_arrays(np.asarray(level, dtype=float), np.asarray(mean), np.asarray(variance))
    low = np.full(tau.shape, -1.0)  # P(X ≤ low) < level ≤ P(X ≤ high)
    high = np.ceil(m + 8.0 * np.sqrt(np.maximum(v, m)) + 8.0)
    while np.any(short := total_cdf(high, m, v) < tau):
        high = np.where(short, 2.0 * high, high)
    while np.any(high - low > 1.0):
        middle = np.floor((low + high) / 2.0)
        enough = total_cdf(middle, m, v) >= tau
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return high


def tail_probabilities(units: FloatArray, mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(P(X ≥ y), P(X ≤ y)). m = 2, v = 4, y = 2: P(X ≥ 2) = 1 − 1/2 = .5, P(X ≤ 2) = 11/16."""
    above = 1.0 - total_cdf(np.ceil(np.asarray(units, dtype=float)) - 1.0, mean, variance)
    return above, total_cdf(units, mean, variance)
