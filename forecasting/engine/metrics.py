"""Forecast error, said once: error = forecast − actual. Positive bias means forecast too high."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecasting.engine.types import FloatArray


def error(forecast: FloatArray, actual: FloatArray) -> FloatArray:
    """Forecast − actual. Forecast 12, actual 10 → +2: too high."""
    return np.asarray(forecast, dtype=float) - np.asarray(actual, dtype=float)


def bias(forecast: FloatArray, actual: FloatArray) -> float:
    """Weighted bias Σe / ΣA, pooled; NaN where nothing was sold. Forecasts 12 and 8 for actuals 10 and 6: 4/16 =
    +0.25."""
    total = float(np.sum(actual))
    return float(np.sum(error(forecast, actual))) / total if total > 0 else float("nan")


def wape(forecast: FloatArray, actual: FloatArray) -> float:
    """Weighted absolute percentage error Σ|e| / ΣA, pooled; NaN where nothing was sold."""
    total = float(np.sum(actual))
    return float(np.sum(np.abs(error(forecast, actual)))) / total if total > 0 else float("nan")


def pinball(actual: FloatArray, quantile: FloatArray, level: float | FloatArray) -> FloatArray:
    """Quantile loss: τ(A − q) when short, (1 − τ)(q − A) when over. τ = .9, q = 8, A = 10 → 1.8; A = 6 → 0.2."""
    gap = np.asarray(actual, dtype=float) - np.asarray(quantile, dtype=float)
    return np.maximum(level * gap, (level - 1.0) * gap)


def coverage(actual: FloatArray, quantile: FloatArray) -> float:
    """Share of actuals at or below the quantile; a calibrated discrete forecast has P(A < q) ≤ τ ≤ P(A ≤ q)."""
    return float(np.mean(np.asarray(actual) <= np.asarray(quantile) + 1e-9))


def rmsse(forecast: FloatArray, actual: FloatArray, history: FloatArray) -> float:
    """Root mean squared scaled error (M5): √(mean e² / mean (y_t − y_{t−1})²) with the scale from the first sale on;
    NaN if flat."""
    sold = np.flatnonzero(history > 0)
    steps = np.diff(history[sold[0] :]) if len(sold) else np.empty(0)
    scale = float(np.mean(steps**2)) if len(steps) else 0.0
    return float(np.sqrt(np.mean(error(forecast, actual) ** 2) / scale)) if scale > 0 else float("nan")


def naive_scale(values: FloatArray, live_until: Sequence[int] | int, seen: FloatArray | None = None) -> FloatArray:
    """(n,) in-sample mean |y_t − y_{t−1}| from the first sale up to `live_until` periods: the scale of scaled losses
    (0 if flat). With `seen` (n, T), the share of each period observed, only steps between two whole periods count."""
    known = values[:, : int(np.max(live_until))]
    if known.shape[1] < 2:
        return np.zeros(len(known))
    since = np.cumsum(known, axis=1)[:, :-1] > 0
    if seen is not None:
        whole = seen[:, : known.shape[1]] >= 1
        since = since & whole[:, 1:] & whole[:, :-1]
    steps = np.abs(np.diff(known, axis=1)) * since
    return steps.sum(axis=1) / np.maximum(since.sum(axis=1), 1)
