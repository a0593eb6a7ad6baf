"""The short-term view: how far demand stands from its forecast right now, told by the orders since, without a refit.

A dynamic gamma–Poisson model of one number per series, the level factor θ (1 = as forecast), after West & Harrison,
Bayesian Forecasting and Dynamic Models (2nd ed. 1997), ch. 14 (conjugate updating) and 6.3 (discounting):

    orders of day t       y_t | θ: mean θ μ_t e_t, variance φ times that       μ forecast mean, e exposure 0…1
    level                 θ | what is known ~ Gamma(α, β): mean α / β, variance α / β²
    an order              α ← α + y / φ        β ← β + μ e / φ   (order by order or a day at once: the same)
    a night               β ← max(δ β, β₀), α so that the mean stays   (δ: what is older counts less)

φ (how much orders of a day bunch) and v₀ = 1 / β₀ (how sure the forecast is of its level) are read off the forecast
itself (`prior_of`), so before any order the nowcast is the forecast. Exposure is the share of a day's demand that
could be seen: the part of the day gone by, 0 for a closed day. On a censored day (out of stock) orders are a lower
bound of demand: they count when they exceed what was expected, else the day says nothing. One day moves the level no
further than its .999 quantile would: a single bulk order is reported, not extrapolated.

Worked: α₀ = β₀ = 4 (v₀ = .25), φ = 1, μ = 10. A whole day with 16 orders: α = 20, β = 14, factor 1.429. After the night
(δ = .98) α = 19.6, β = 13.72; half a day with 5 orders: α = 24.6, β = 18.72, factor 1.314.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, ndtri

from forecasting.engine.totals import tail_probabilities, total_quantile
from forecasting.engine.types import BoolArray, FloatArray

DISCOUNT = 0.98
SURPRISING = 0.001
_LEVEL_VARIANCE = (0.0025, 1.0)
_UNKNOWN_LEVEL_VARIANCE = 0.04
_SHARED_LEVEL = 0.5


@dataclass(frozen=True, slots=True)
class Prior:
    """Per series: φ (n,) variance of a day over its mean, at least 1; v₀ (n,) variance of the level factor."""

    dispersion: FloatArray
    level_variance: FloatArray


@dataclass(frozen=True, slots=True)
class Nowcast:
    """Per series (n,). `factor` = α / β; sums run over the days observed; `day_…` are of the last column alone.

    above, below: P(orders ≥ observed), P(orders ≤ observed), the smaller of both counted by the forecast over all days
    and by yesterday's level over the last one.
    """

    alpha: FloatArray
    beta: FloatArray
    dispersion: FloatArray
    expected: FloatArray
    observed: FloatArray
    day_expected: FloatArray
    day_observed: FloatArray
    above: FloatArray
    below: FloatArray
    day_above: FloatArray
    day_below: FloatArray

    @property
    def factor(self) -> FloatArray:
        return self.alpha / self.beta

    def factor_quantile(self, level: float) -> FloatArray:
        """α = β = 4, level .05: .342."""
        return np.asarray(gammaincinv(self.alpha, level) / self.beta)

    def total(self, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(mean, variance) (n,) of the orders ahead where the forecast expects `mean`: m M, φ m M + M² v."""
        known = self.factor * mean
        return known, self.dispersion * known + mean**2 * self.alpha / self.beta**2


def day_variance(mean: FloatArray, quantiles: FloatArray, levels: FloatArray) -> FloatArray:
    """(n,) average variance of a day: ((q_τ − mean) / z_τ)² averaged over days and levels above .5, at least the mean.

    mean (n, H), quantiles (n, L, H), levels (L,). Mean 10, q.9 = 14: (4 / 1.2816)² = 9.74, below 10, so 10.
    """
    poisson = mean.mean(axis=1)
    upper = np.asarray(levels) > 0.5
    if not upper.any():
        return np.asarray(poisson)
    spread = (quantiles[:, upper] - mean[:, None]) / ndtri(np.asarray(levels)[upper])[None, :, None]
    return np.maximum((np.maximum(spread, 0.0) ** 2).mean(axis=(1, 2)), poisson)


def prior_of(mean: FloatArray, of_a_day: FloatArray, window_mean: FloatArray, window_variance: FloatArray) -> Prior:
    """φ and v₀ of the forecast: a day has variance φ μ + μ² v₀, the sum of a window φ W + W² v₀ (all (n,)).

    v₀ = (V_W / W − V_d / μ) / (W − μ), φ = max(1, V_W / W − W v₀), then v₀ so that the window's variance holds, within
    .0025…1. μ = 10, V_d = 20, W = 100, V_W = 1100: v₀ = (11 − 2) / 90 = .1, φ = 1.
    """
    is_known = (window_mean > mean) & (mean > 0) & (window_variance > 0)
    safe, window = np.where(is_known, mean, 1.0), np.where(is_known, window_mean, 2.0)
    ratio = window_variance / window
    solved = np.clip((ratio - of_a_day / safe) / (window - safe), *_LEVEL_VARIANCE)
    by_day = np.where(mean > 0, of_a_day / np.where(mean > 0, mean, 1.0), 1.0)
    dispersion = np.maximum(np.where(is_known, ratio - window * solved, by_day), 1.0)
    level = np.clip((ratio - dispersion) / window, *_LEVEL_VARIANCE)
    return Prior(dispersion, np.where(is_known, level, _UNKNOWN_LEVEL_VARIANCE))


def pooled_prior(prior: Prior, mean: FloatArray) -> Prior:
    """One prior (1,) of the sum of all series: levels move together by half (correlation .5).

    φ = Σ φ m / M; v₀ = ½ Σ s² v + ½ (Σ s √v)² with shares s = m / M. Two equal halves with v = .16: .12.
    """
    total = mean.sum()
    share = mean / total if total > 0 else np.full(len(mean), 1.0 / len(mean))
    alone = (share**2 * prior.level_variance).sum()
    together = (share * np.sqrt(prior.level_variance)).sum() ** 2
    level = (1 - _SHARED_LEVEL) * alone + _SHARED_LEVEL * together
    return Prior(np.array([(share * prior.dispersion).sum()]), np.array([level]))


def nowcast(
    prior: Prior,
    mean: FloatArray,
    observed: FloatArray,
    exposure: FloatArray,
    *,
    censored: BoolArray | None = None,
    discount: float = DISCOUNT,
) -> Nowcast:
    """The level after the days since the forecast (module docstring): one pass over K days, vectorised over n series.

    mean, observed, exposure (n, K): units forecast and ordered, share seen; the last column is today. Columns are days
    in order; K may be 0. censored (n, K): out of stock.
    """
    phi, beta0 = prior.dispersion, 1.0 / prior.level_variance
    alpha = beta = beta0
    count, days = mean.shape
    seen, taken = np.zeros((count, days)), np.zeros((count, days))
    today = (np.zeros(count), np.zeros(count), np.ones(count), np.ones(count))
    for day in range(days):
        if day:
            level = alpha / beta
            beta = np.maximum(discount * beta, beta0)
            alpha = level * beta
        due, y = mean[:, day] * exposure[:, day], observed[:, day]
        if censored is not None:
            is_silent = censored[:, day] & (y <= due * alpha / beta)
            due, y = np.where(is_silent, 0.0, due), np.where(is_silent, 0.0, y)
        is_open = exposure[:, day] > 0
        due, y = np.where(is_open, due, 0.0), np.where(is_open, y, 0.0)
        expected = due * alpha / beta
        variance = phi * expected + due**2 * alpha / beta**2
        today = (expected, y, *tail_probabilities(y, expected, variance))
        most = total_quantile(np.full(count, 1.0 - SURPRISING), expected, variance)
        alpha, beta = alpha + np.minimum(y, most) / phi, beta + due / phi
        seen[:, day], taken[:, day] = due, y
    due, y = seen.sum(axis=1), taken.sum(axis=1)
    above, below = tail_probabilities(y, due, phi * due + due**2 / beta0)
    return Nowcast(alpha, beta, phi, due, y, *today[:2], above, below, *today[2:])


def quantiles_ahead(
    now: Nowcast,
    prior: Prior,
    mean: FloatArray,
    levels: FloatArray,
    forecast_quantiles: FloatArray | None = None,
) -> FloatArray:
    """(n, L) quantiles of the orders ahead where the forecast expects `mean` (n,): those of a negative binomial.

    With the forecast's own quantiles (n, L) of that total its shape is kept: q = q_now + (q_forecast − q_prior) ·
    sd_now / sd_prior, so without news they are the forecast's. Never below 0, never crossing.
    """
    tau = np.asarray(levels, dtype=float)[None, :]
    known, variance = now.total(mean)
    found = total_quantile(tau, known[:, None], variance[:, None])
    if forecast_quantiles is not None:
        before = prior.dispersion * mean + mean**2 * prior.level_variance
        shape = forecast_quantiles - total_quantile(tau, mean[:, None], before[:, None])
        found = found + shape * np.sqrt(variance / np.maximum(before, 1e-12))[:, None]
    return np.maximum.accumulate(np.maximum(found, 0.0), axis=1)
