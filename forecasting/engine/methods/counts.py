"""Count distributions per series: Poisson, negative binomial, zero-inflated Poisson and hurdle, dispersions shrunk to
the panel's, chosen by AICc; quantiles of steps and of window sums exact by convolution (smallest S with F(S) ≥ τ).

Whole-numbered demand only; other series, and windows of more than 8,000 units, come back as NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecasting.engine.methods.base import Forecaster, checked, observed_rates
from forecasting.engine.methods.count_sums import (
    HURDLE,
    NEGATIVE_BINOMIAL,
    POISSON,
    ZERO_INFLATED,
    Counts,
    log_chance,
    sum_quantiles,
)
from forecasting.engine.methods.sales import phase_factors
from forecasting.engine.types import BoolArray, FloatArray, IntArray, Panel

PARAMETERS = np.array([1, 2, 2, 3])
HALF_LIFE = {"H": 672.0, "D": 180.0, "W": 40.0, "M": 20.0, "Q": 8.0, "Y": 8.0}
SHRINKAGE = 10.0
EPS = 1e-12
MOST_NOISE = 1.0


def inverse_size(mean: FloatArray, variance: FloatArray, weight: FloatArray) -> FloatArray:
    """(n,) 1/r = (variance − mean) / mean² by moments, drawn towards the panel's as if 10 cases had shown that.

    The panel's is Σ w(variance − mean) / Σ w·mean², so that no slow series' noise rules it.
    """
    own = (variance - mean) / np.maximum(mean, EPS) ** 2
    total = float((weight * mean**2).sum())
    panel = max(float((weight * (variance - mean)).sum()) / total, 0.0) if total > 0 else 0.0
    blended = (weight * own + SHRINKAGE * panel) / (weight + SHRINKAGE)
    return np.clip(np.where(mean > 0, blended, 0.0), 0.0, 1e3)


def inflated(mean: FloatArray, sold: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) λ and share of the selling state of the zero-inflated Poisson: λ / (1 − e^−λ) = mean size of sales (maximum
    likelihood, Lambert 1992), share = mean / λ, at most 1. Mean .5 with a sale in .3: λ = 1.13, share .44."""
    size = np.maximum(mean / np.maximum(sold, EPS), 1.0 + 1e-6)
    rate = np.maximum(size, 0.1)
    for _ in range(60):
        rate = size * -np.expm1(-rate)
        rate = np.maximum(rate, 1e-6)
    return rate, np.minimum(mean / rate, 1.0)


def fit_counts(values: FloatArray, freq: str) -> Counts:
    """values (n, T) whole numbers, NaN unknown. Moments count recent periods more (half-life half a year of days)."""
    seen = np.isfinite(values)
    y = np.where(seen, values, 0.0)
    age = np.arange(values.shape[1])[::-1]
    w = seen * 0.5 ** (age / HALF_LIFE[freq])[None, :]
    total = np.maximum(w.sum(axis=1), EPS)
    mean, sold = (w * y).sum(axis=1) / total, (w * (y > 0)).sum(axis=1) / total
    variance = (w * y**2).sum(axis=1) / total - mean**2
    inverse = inverse_size(mean, variance, total * sold)
    rate, live = inflated(mean, sold)
    beyond = w * (y > 0)
    cases = np.maximum(beyond.sum(axis=1), EPS)
    extra = (beyond * np.maximum(y - 1.0, 0.0)).sum(axis=1) / cases
    spread = (beyond * np.maximum(y - 1.0, 0.0) ** 2).sum(axis=1) / cases - extra**2
    extra_inverse = inverse_size(extra, spread, beyond.sum(axis=1))
    noise = np.minimum(np.maximum(variance, mean) / np.maximum(mean, EPS) ** 2 / total, MOST_NOISE) * (mean > 0)
    none = np.zeros(len(values), dtype=np.int64)
    fits = Counts(mean, inverse, rate, live, sold, extra, extra_inverse, noise, none)
    return replace(fits, model=chosen(fits, y, w))


def chosen(fits: Counts, y: FloatArray, w: FloatArray) -> IntArray:
    """(n,) the model of least AICc, −2 ln L + 2k + 2k(k + 1)/(N − k − 1), N the discounted number of periods."""

    def likelihood(model: int) -> FloatArray:
        each = log_chance(fits, model, y)
        total: FloatArray = (w * np.where(w > 0, each, 0.0)).sum(axis=1)
        return total

    fit = np.stack([likelihood(model) for model in range(len(PARAMETERS))], axis=1)
    count = w.sum(axis=1)[:, None]
    k = PARAMETERS[None, :]
    score = -2.0 * fit + 2.0 * k + 2.0 * k * (k + 1.0) / np.maximum(count - k - 1.0, 0.5)
    return np.asarray(score.argmin(axis=1))


@dataclass(frozen=True)
class CountForecaster:
    """One distribution (or, with None, the best by AICc) per series, fitted on the whole panel at once."""

    name: str
    rank: int
    words: str
    model: int | None = None

    def fitted(self, panel: Panel) -> tuple[Counts, FloatArray, BoolArray]:
        """Fits, demand per known period (n, T), and whether the series is one of counts."""
        rates = observed_rates(panel)
        raw = np.where(np.isfinite(rates), panel.values, 0.0)
        apart = np.abs(raw - np.round(raw)) > 1e-6
        whole: BoolArray = np.asarray(np.isfinite(rates).any(axis=1) & ~apart.any(axis=1), dtype=bool)
        usable = np.where(whole[:, None], np.round(rates), np.nan)  # caps and stock shares leave fractions
        fits = fit_counts(usable, panel.freq)
        if self.model is not None:
            fits = replace(fits, model=np.full(len(rates), self.model, dtype=np.int64))
        return fits, usable, whole

    def fit_predict(self, panel: Panel, horizon: int, quantiles: Sequence[float]) -> FloatArray:
        """(n, horizon, q) quantiles of single steps, whole numbers."""
        levels = checked(horizon, quantiles)
        fits, rates, whole = self.fitted(panel)
        factor = phase_factors(rates, panel.freq, horizon)
        _, first, back = np.unique(factor, axis=1, return_index=True, return_inverse=True)
        steps = [sum_quantiles(fits, factor[:, [h]], levels) for h in first]
        out = np.stack(steps, axis=1)[:, back.ravel()] if len(steps) else np.zeros((0, horizon, len(levels)))
        return np.where(whole[:, None, None], out, np.nan)

    def window_quantiles(self, panel: Panel, windows: Sequence[int], quantiles: Sequence[float]) -> FloatArray:
        """(n, w, q) quantiles of the SUM over the first windows[j] steps, by convolution."""
        if not windows:
            raise ValueError("windows must name at least one")
        levels = checked(min(windows), quantiles)
        fits, rates, whole = self.fitted(panel)
        factor = phase_factors(rates, panel.freq, max(windows))
        out = np.stack([sum_quantiles(fits, factor[:, :k], levels) for k in windows], axis=1)
        return np.where(whole[:, None, None], out, np.nan)


NEGATIVE_BINOMIAL_COUNTS = CountForecaster(
    "negative_binomial", 4, "negative binomial counts, dispersion shrunk to the panel's", NEGATIVE_BINOMIAL
)

FORECASTERS: tuple[Forecaster, ...] = (
    CountForecaster("poisson", 3, "Poisson counts", POISSON),
    NEGATIVE_BINOMIAL_COUNTS,
    CountForecaster("zero_inflated", 5, "zero-inflated Poisson counts", ZERO_INFLATED),
    CountForecaster("hurdle", 5, "a chance of a sale and negative binomial sizes", HURDLE),
    CountForecaster("counts", 6, "the count distribution of least AICc"),
)
