"""The recursions of exponential smoothing in state-space form, compiled (Hyndman, Koehler, Ord & Snyder 2008; fpp3
§8.5).

spec (4,) = error (0 additive, 1 multiplicative), trend (0 none, 1 linear, 2 damped), season (0 none, 1 additive,
2 multiplicative), its length m. theta (4,) = α, β, γ, φ. An unknown period (NaN) moves the state by its own
expectation.
"""

from __future__ import annotations

import math

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.types import FloatArray, IntArray

TINY = 1e-8


@kernel
def ets_step(spec: IntArray, level: float, slope: float, cycle: float, phi: float) -> tuple[float, float]:
    """(ℓ + φb, expected value of the period)."""
    ahead = level + phi * slope
    if spec[2] == 1:
        return ahead, ahead + cycle
    if spec[2] == 2:
        return ahead, ahead * cycle
    return ahead, ahead


@kernel
def ets_smooth(
    y: FloatArray, spec: IntArray, theta: FloatArray, level: float, slope: float, cycle: FloatArray, errors: FloatArray
) -> tuple[float, float, float, float, int]:
    """(ℓ, b, Σe², Σlog|μ|, periods seen) after the last period; `cycle` (m,), by phase t mod m, and `errors` (T,) are
    filled in place. e = y − μ, divided by μ for a multiplicative error.

    The state is moved by the plain miss r = y − μ in all models: ℓ ← ℓ + φb + αr/s, b ← φb + βr/s,
    s ← s + γr/(ℓ + φb); the divisors are 1 unless the season multiplies.
    """
    m = max(spec[3], 1)
    total = logs = 0.0
    seen = 0
    for t in range(len(y)):
        phase = t % m
        ahead, mean = ets_step(spec, level, slope, cycle[phase], theta[3])
        slope = theta[3] * slope if spec[1] else 0.0
        level = ahead
        if math.isnan(y[t]):
            errors[t] = np.nan
            continue
        if (spec[0] == 1 or spec[2] == 2) and mean < TINY:
            return level, slope, np.inf, logs, seen + 1
        miss = y[t] - mean
        error = miss / mean if spec[0] == 1 else miss
        errors[t] = error
        total += error * error
        seen += 1
        if spec[0] == 1:
            logs += math.log(abs(mean))
        share = cycle[phase] if spec[2] == 2 else 1.0
        level = ahead + theta[0] * miss / share
        if spec[1]:
            slope += theta[1] * miss / share
        if spec[2] == 2:
            cycle[phase] += theta[2] * miss / ahead
        elif spec[2] == 1:
            cycle[phase] += theta[2] * miss
    return level, slope, total, logs, seen


@kernel
def ets_unpack(x: FloatArray, spec: IntArray) -> tuple[FloatArray, float, float]:
    """theta, ℓ₀, b₀ from the free parameters x = α, [β], [γ], [φ], ℓ₀, [b₀]."""
    theta = np.array([x[0], 0.0, 0.0, 1.0])
    i = 1
    if spec[1]:
        theta[1] = x[i]
        i += 1
    if spec[2]:
        theta[2] = x[i]
        i += 1
    if spec[1] == 2:
        theta[3] = x[i]
        i += 1
    return theta, x[i], x[i + 1] if spec[1] else 0.0


@kernel
def ets_loss(x: FloatArray, y: FloatArray, spec: IntArray, cycle: FloatArray) -> float:
    """−2 log L without constants: r log Σe² + 2 Σlog|μ|; ∞ outside 0 < β < α < 1, 0 < γ < 1 − α, .8 ≤ φ ≤ .98."""
    theta, level, slope = ets_unpack(x, spec)
    low, high = 1e-4, 1 - 1e-4
    if not low <= theta[0] <= high:
        return np.inf
    if spec[1] and not low <= theta[1] <= theta[0]:
        return np.inf
    if spec[2] and not low <= theta[2] <= max(1 - theta[0], low):
        return np.inf
    if spec[1] == 2 and not 0.8 <= theta[3] <= 0.98:
        return np.inf
    end = ets_smooth(y, spec, theta, level, slope, cycle.copy(), np.empty(len(y)))
    if not math.isfinite(end[2]):
        return np.inf
    return end[4] * math.log(max(end[2], 1e-300)) + 2 * end[3]


@kernel
def ets_futures(
    spec: IntArray, theta: FloatArray, level: float, slope: float, cycle: FloatArray, begin: int, drawn: FloatArray
) -> FloatArray:
    """(S, H) paths from the state before period `begin` when the errors drawn (S, H) strike (fpp3 §8.7)."""
    m = max(spec[3], 1)
    out = np.empty_like(drawn)
    for i in range(drawn.shape[0]):
        now, drift, ring = level, slope, cycle.copy()
        for h in range(drawn.shape[1]):
            phase = (begin + h) % m
            ahead, mean = ets_step(spec, now, drift, ring[phase], theta[3])
            ahead, mean = max(ahead, TINY) if spec[0] else ahead, max(mean, TINY) if spec[0] else mean
            miss = drawn[i, h] * mean if spec[0] == 1 else drawn[i, h]
            out[i, h] = mean + miss
            share = max(ring[phase], TINY) if spec[2] == 2 else 1.0
            now = ahead + theta[0] * miss / share
            drift = theta[3] * drift + theta[1] * miss / share if spec[1] else 0.0
            if spec[2] == 2:
                ring[phase] += theta[2] * miss / max(ahead, TINY)
            elif spec[2] == 1:
                ring[phase] += theta[2] * miss
    return out
