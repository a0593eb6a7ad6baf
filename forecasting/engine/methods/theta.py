"""The standard Theta method (Assimakopoulos & Nikolopoulos 2000) as simple smoothing with half the drift of the trend
line (Hyndman & Billah 2003), compiled: 0.3 ms a series of two
years of days, 1.7 with its paths (statsmodels' ThetaModel, which the tests compare: 8–20)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.methods.base import PathForecaster
from forecasting.engine.methods.linear import LinearForecast, alive, filled
from forecasting.engine.seasonality import season_length
from forecasting.engine.types import FloatArray, Panel

LEAST = 4
SEASONAL_AT_10_PERCENT = 1.645**2


@dataclass(frozen=True)
class ThetaFit:
    """linear: forecasts without the season (H,); cycle (H,) multiplies them if `times`, else is added."""

    linear: LinearForecast
    cycle: FloatArray
    times: bool
    alpha: float
    drift: float

    @property
    def mean(self) -> FloatArray:
        return self.seasonal(self.linear.mean)

    def seasonal(self, plain: FloatArray) -> FloatArray:
        return plain * self.cycle if self.times else plain + self.cycle


def is_seasonal(y: FloatArray, season: int) -> bool:
    """n r_m² / (r₀² + … + r²_{m−1}) > 2.71: the autocorrelation at the season against those before it, at 10 %."""
    away = y - y.mean()
    power = float(away @ away)
    if power <= 0:
        return False
    r = np.array([away[k:] @ away[: len(y) - k] / power for k in range(season + 1)])
    return bool(len(y) * r[-1] ** 2 / (r[:-1] ** 2).sum() > SEASONAL_AT_10_PERCENT)


def classical_season(y: FloatArray, season: int, times: bool) -> FloatArray:
    """(m,) additive (sum 0) or multiplicative (mean 1) seasonal figures: means by phase of what is left of a centred
    moving average (fpp3 §3.4)."""
    weights = np.ones(season) / season
    if season % 2 == 0:
        weights = np.concatenate([[0.5], np.ones(season - 1), [0.5]]) / season
    trend = np.convolve(y, weights, mode="valid")
    edge = len(weights) // 2
    middle = y[edge : edge + len(trend)]
    rest = middle / trend if times else middle - trend
    phase = (np.arange(len(trend)) + edge) % season
    figures = np.array([rest[phase == p].mean() for p in range(season)])
    return figures / figures.mean() if times else figures - figures.mean()


def fit_theta(values: FloatArray, season: int, horizon: int, test: bool = True) -> ThetaFit:
    """One series, T ≥ 2 periods, unknown ones (NaN) filled with the season before.

    ŷ_{T+h} = SES_{T+1} + ½ b (h − 1 + 1/α − (1 − α)^T / α), b the slope of the trend line, season taken out before (by
    division where all is positive) and put back.
    """
    from forecasting.engine.methods.theta_kernel import best_alpha, smooth

    y = filled(values, season)
    cycle, times = np.zeros(1), False
    if season > 1 and len(y) >= 2 * season and (not test or is_seasonal(y, season)):
        times = bool(y.min() > 0)
        cycle = classical_season(y, season, times)
        if times and cycle.min() <= 0:
            cycle, times = classical_season(y, season, False), False
    ahead, past = (np.resize(np.roll(cycle, -s), k) for s, k in ((len(y), horizon), (0, len(y))))
    plain = y / past if times else y - past
    alpha = best_alpha(plain)
    errors = np.empty(len(plain))
    level = smooth(plain, alpha, errors)
    t = np.arange(len(y)) - (len(y) - 1) / 2
    drift = float(t @ plain / (t @ t))
    fade = float((1 - (1 - alpha) ** len(y)) / alpha) if alpha > 1e-12 else float(len(y))
    mean = level + 0.5 * drift * (np.arange(horizon, dtype=float) + fade)
    psi = np.where(np.arange(horizon) == 0, 1.0, alpha)
    judged: FloatArray = errors[1:][np.isfinite(values[1:])]
    return ThetaFit(LinearForecast(mean, psi, judged, spent=2 if len(judged) > 4 else 1), ahead, times, alpha, drift)


def theta_path(values: FloatArray, season: int, horizon: int) -> FloatArray:
    """(H,) Theta forecast of one series, never negative."""
    return np.maximum(fit_theta(values, season, horizon).mean, 0.0)


@dataclass(frozen=True)
class Theta(PathForecaster):
    def paths(self, panel: Panel, rates: FloatArray, chances: FloatArray) -> FloatArray:
        out = np.full((len(rates), *chances.shape), np.nan)
        for i, row in enumerate(rates):
            y = alive(row)
            if np.isfinite(y).sum() >= LEAST:
                fit = fit_theta(y, season_length(panel.freq, None, len(y)), chances.shape[1])
                out[i] = fit.seasonal(fit.linear.draw(chances))
        return out


FORECASTERS = (Theta("theta", 9, "Theta method"),)
