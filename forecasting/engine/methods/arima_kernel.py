"""Seasonal ARIMA by conditional sum of squares, compiled (Box & Jenkins; Hyndman & Khandakar 2008; fpp3 §9).

spec (8,) = p, d, q, P, D, Q, m, 1 if a mean of the differenced series is fitted. Free parameters x = p, q, P, Q numbers
that tanh turns into partial autocorrelations (Monahan 1984), so that every x is stationary and invertible; then the
mean.
"""

from __future__ import annotations

import math

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.types import FloatArray, IntArray


@kernel
def stable(x: FloatArray) -> FloatArray:
    """Coefficients φ of 1 − φ₁B − … whose partial autocorrelations are tanh(x) (Durbin–Levinson). x = (atanh .5,):
    .5."""
    coefficients = np.zeros(len(x))
    for k in range(len(x)):
        last = math.tanh(x[k])
        before = coefficients[:k].copy()
        for j in range(k):
            coefficients[j] = before[j] - last * before[k - 1 - j]
        coefficients[k] = last
    return coefficients


@kernel
def product(short: FloatArray, seasonal: FloatArray, m: int) -> FloatArray:
    """Coefficients φ of (1 − aB − …)(1 − A B^m − …) = 1 − φ₁B − …. a = .5, A = .2, m = 3: .5, 0, .2, −.1."""
    out = np.zeros(len(short) + m * len(seasonal))
    out[: len(short)] = short
    for i in range(len(seasonal)):
        at = (i + 1) * m
        out[at - 1] += seasonal[i]
        for j in range(len(short)):
            out[at + j] -= seasonal[i] * short[j]
    return out


@kernel
def differencing(d: int, seasonal: int, m: int) -> FloatArray:
    """Coefficients δ with (1 − B)^d (1 − B^m)^D = 1 − δ₁B − …. d = 1: 1. d = 2: 2, −1."""
    out = np.zeros(0)
    for _ in range(d):
        out = product(out, np.ones(1), 1)
    for _ in range(seasonal):
        out = product(out, np.ones(1), m)
    return out


@kernel
def arima_unpack(x: FloatArray, spec: IntArray) -> tuple[FloatArray, FloatArray, float]:
    """φ (all autoregressive lags), θ (all moving-average lags, ŵ = … + Σθe) and the mean."""
    p, q, sp, sq, m = spec[0], spec[2], spec[3], spec[5], max(spec[6], 1)
    ar = product(stable(x[:p]), stable(x[p + q : p + q + sp]), m)
    ma = -product(stable(x[p : p + q]), stable(x[p + q + sp : p + q + sp + sq]), m)
    return ar, ma, x[p + q + sp + sq] if spec[7] else 0.0


@kernel
def arima_filter(
    y: FloatArray, spec: IntArray, ar: FloatArray, ma: FloatArray, mean: float, known: FloatArray, errors: FloatArray
) -> tuple[float, int]:
    """(Σe², periods judged); fills `known` (T,), y with unknown periods (NaN) as expected, and `errors` (T,), 0 there.

    w = differenced y; e_t = w_t − c − Σφ_i (w_{t−i} − c) − Σθ_j e_{t−j}; before the first w, w = c and e = 0.
    """
    delta = differencing(spec[1], spec[4], max(spec[6], 1))
    start = len(delta)
    w = np.zeros(len(y))
    total, judged = 0.0, 0
    for t in range(len(y)):
        if t < start:
            known[t] = (known[t - 1] if t else 0.0) if math.isnan(y[t]) else y[t]
            errors[t] = 0.0
            continue
        base = 0.0
        for i in range(start):
            base += delta[i] * known[t - 1 - i]
        hope = 0.0
        for i in range(min(len(ar), t - start)):
            hope += ar[i] * w[t - 1 - i]
        for j in range(min(len(ma), t - start)):
            hope += ma[j] * errors[t - 1 - j]
        if math.isnan(y[t]):
            w[t], errors[t], known[t] = hope, 0.0, base + mean + hope
            continue
        w[t] = y[t] - base - mean
        known[t] = y[t]
        errors[t] = w[t] - hope
        total += errors[t] * errors[t]
        judged += 1
    return total, judged


@kernel
def arima_loss(x: FloatArray, y: FloatArray, spec: IntArray, aux: FloatArray) -> float:
    """−2 log L without constants: r log Σe²."""
    ar, ma, mean = arima_unpack(x, spec)
    total, judged = arima_filter(y, spec, ar, ma, mean, np.empty(len(y)), np.empty(len(y)))
    if not math.isfinite(total):
        return np.inf
    return judged * math.log(max(total, 1e-300))


@kernel
def arima_psi(spec: IntArray, ar: FloatArray, ma: FloatArray, horizon: int) -> FloatArray:
    """(H,) ψ weights of y, ψ₀ = 1, differencing included. (0,1,1) with θ = −.4: 1, .6, .6, …."""
    whole = joined(ar, differencing(spec[1], spec[4], max(spec[6], 1)))
    psi = np.zeros(horizon)
    for h in range(horizon):
        psi[h] = 1.0 if h == 0 else (ma[h - 1] if h - 1 < len(ma) else 0.0)
        for i in range(min(len(whole), h)):
            psi[h] += whole[i] * psi[h - 1 - i]
    return psi


@kernel
def joined(ar: FloatArray, delta: FloatArray) -> FloatArray:
    """Coefficients of (1 − φB …)(1 − δB …)."""
    out = np.zeros(len(ar) + len(delta))
    out[: len(ar)] += ar
    out[: len(delta)] += delta
    for i in range(len(ar)):
        for j in range(len(delta)):
            out[i + j + 1] -= ar[i] * delta[j]
    return out
