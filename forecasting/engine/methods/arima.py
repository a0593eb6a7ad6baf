"""ARIMA and SARIMA with automatic orders, SARIMAX with what is known ahead (Hyndman & Khandakar 2008; fpp3 §9, §10).

Differences: D = 1 where the seasonal strength of an STL decomposition exceeds .64 (Wang, Smith & Hyndman 2006), d by
repeated KPSS tests at 5 %. Orders: stepwise search for the least AICc, likelihood by conditional sum of squares in
compiled code, unknown periods included. Measured on one core, two years of days:
ARIMA 12 ms a series, SARIMA 36, one model alone 1–5; weeks 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecasting.engine.methods.base import PathForecaster
from forecasting.engine.methods.ets import aicc
from forecasting.engine.methods.linear import LinearForecast, alive, filled
from forecasting.engine.seasonality import season_length
from forecasting.engine.types import FloatArray, Panel

LEAST = 5
MEMORY = 800
MOST_MODELS = 40
MOST_ORDER = 5
MOST_SEASONAL = 2
KPSS_5_PERCENT = 0.463
STRONG_SEASON = 0.64
UNIT_ROOT = 0.99

Order = tuple[int, int, int, int, int, int, int, int]
"""p, d, q, P, D, Q, m, 1 with a mean (drift where d + D = 1)."""


@dataclass(frozen=True)
class ArimaFit:
    """One fitted model: φ and θ over all lags, mean of the differenced series, known (T,) the series with unknown
    periods as expected, errors (T,) 0 where unknown."""

    order: Order
    x: FloatArray
    ar: FloatArray
    ma: FloatArray
    mean: float
    y: FloatArray
    errors: FloatArray
    log_likelihood: float
    parameters: int
    seen: int

    @property
    def aicc(self) -> float:
        return aicc(self.log_likelihood, self.parameters, self.seen)

    def forecast(self, horizon: int) -> LinearForecast:
        """Means: unknown periods ahead are what the filter expects of them."""
        from forecasting.engine.methods.arima_kernel import arima_filter, arima_psi

        spec = np.array(self.order, dtype=np.int64)
        longer = np.concatenate([self.y, np.full(horizon, np.nan)])
        known = np.empty(len(longer))
        arima_filter(longer, spec, self.ar, self.ma, self.mean, known, np.empty(len(longer)))
        judged = np.isfinite(self.y) & (np.arange(len(self.y)) >= self.order[1] + self.order[4] * self.order[6])
        spent = min(self.parameters - 1, int(judged.sum()) // 2)
        return LinearForecast(
            known[len(self.y) :], arima_psi(spec, self.ar, self.ma, horizon), self.errors[judged], spent
        )


def kpss(y: FloatArray) -> float:
    """Statistic of Kwiatkowski, Phillips, Schmidt & Shin (1992) for a constant level: ΣS² / (n² s²), S the running
    sums of y − ȳ, s² their long-run variance with trunc(3√n / 13) Bartlett lags. Above .463: not stationary at 5 %."""
    count = len(y)
    away = y - y.mean()
    lags = int(3 * np.sqrt(count) / 13)
    variance = away @ away + sum(2 * (1 - k / (lags + 1)) * (away[k:] @ away[:-k]) for k in range(1, lags + 1))
    return float((np.cumsum(away) ** 2).sum() / (count * variance)) if variance > 1e-12 * count else 0.0


def seasonal_strength(y: FloatArray, season: int) -> float:
    """max(0, 1 − Var(rest) / Var(season + rest)) of an STL decomposition (fpp3 §4.3)."""
    from statsmodels.tsa.seasonal import STL

    parts = STL(y, period=season, seasonal=13).fit()
    whole = float(np.var(parts.seasonal + parts.resid))
    return max(0.0, 1 - float(np.var(parts.resid)) / whole) if whole > 1e-12 else 0.0


def differences_of(y: FloatArray, season: int) -> tuple[int, int]:
    """(d, D) of a series without unknown periods."""
    seasonal = int(season > 1 and len(y) > 2 * season and seasonal_strength(y, season) > STRONG_SEASON)
    rest = y[season:] - y[:-season] if seasonal else y
    count = 0
    while count < 2 and len(rest) > 3 and np.ptp(rest) > 0 and kpss(rest) > KPSS_5_PERCENT:
        rest, count = np.diff(rest), count + 1
    return count, seasonal


def fit_arima(y: FloatArray, order: Order, evaluations: int = 80, start: FloatArray | None = None) -> ArimaFit | None:
    """One model; None when there are too few periods for it or it sits on a unit root. y begins with a known period."""
    from forecasting.engine.methods.optimise import ARIMA, nelder_mead

    p, d, q, sp, sd, sq, m, mean = order
    spec, free = np.array(order, dtype=np.int64), p + q + sp + sq
    w = filled(y, m)
    for _ in range(sd):
        w = w[m:] - w[:-m]
    w = np.diff(w, d)
    if len(w) < 2:
        return None
    unit = float(np.std(w)) / np.sqrt(len(w))
    x = np.concatenate([np.full(free, 0.1), [w.mean()] * mean]) if start is None else start
    moves = np.concatenate([np.full(free, 0.3), [max(unit, 1e-9)] * mean])
    nothing = np.zeros(0)
    if len(x):
        x, _, _ = nelder_mead(ARIMA, x, moves, y, spec, nothing, evaluations * len(x))
    if free and np.abs(np.tanh(x[:free])).max() > UNIT_ROOT:
        return None
    return run_arima(y, order, x)


def run_arima(y: FloatArray, order: Order, x: FloatArray) -> ArimaFit | None:
    """The model with given coefficients (p + q + P + Q free ones, then the mean), run over the series."""
    from forecasting.engine.methods.arima_kernel import arima_filter, arima_unpack

    spec, free, mean = np.array(order, dtype=np.int64), len(x) - order[7], order[7]
    ar, ma, centre = arima_unpack(x, spec)
    errors = np.empty(len(y))
    total, seen = arima_filter(y, spec, ar, ma, centre, np.empty(len(y)), errors)
    if not np.isfinite(total) or seen < 1:
        return None
    likelihood = -0.5 * seen * (np.log(2 * np.pi * max(total / seen, 1e-300)) + 1)
    return ArimaFit(order, x, ar, ma, centre, y, errors, float(likelihood), free + mean + 1, seen)


def neighbours(order: Order) -> Iterator[Order]:
    """Orders one step away: p, q, P, Q up or down by one, p and q or P and Q together, the mean put in or left out."""
    p, d, q, sp, sd, sq, m, mean = order
    moves = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)]
    for i, j in moves:
        yield p + i, d, q + j, sp, sd, sq, m, mean
    for i, j in moves if m > 1 else []:
        yield p, d, q, sp + i, sd, sq + j, m, mean
    if d + sd <= 1:
        yield p, d, q, sp, sd, sq, m, 1 - mean


def sensible(order: Order) -> bool:
    p, _, q, sp, _, sq, _, _ = order
    return min(p, q, sp, sq) >= 0 and max(p, q) <= 3 and max(sp, sq) <= MOST_SEASONAL and p + q + sp + sq <= MOST_ORDER


def select_arima(y: FloatArray, season: int) -> ArimaFit | None:
    """Least AICc by the stepwise search of Hyndman & Khandakar from four simple models, at most 40 in all; where no
    AICc is finite, the random walk (or the mean)."""
    m = season if season > 1 and len(y) > 2 * season else 1
    d, sd = differences_of(filled(y, m), m)
    mean, s = int(d + sd <= 1), int(m > 1)
    first: list[Order] = [(2, d, 2, s, sd, s, m, mean), (0, d, 0, 0, sd, 0, m, mean), (0, d, 0, 0, sd, 0, m, 0)]
    first += [(1, d, 0, s, sd, 0, m, mean), (0, d, 1, 0, sd, s, m, mean)]
    tried: dict[Order, ArimaFit | None] = {}
    best: ArimaFit | None = None
    queue = first
    while queue:
        better = None
        for order in queue:
            if order in tried or not sensible(order) or len(tried) >= MOST_MODELS:
                continue
            fit = tried[order] = fit_arima(y, order)
            if fit is not None and np.isfinite(fit.aicc) and (best is None or fit.aicc < best.aicc):
                best = better = fit
        queue = list(neighbours(better.order)) if better is not None else []
    return best or tried.get(first[2])


@dataclass(frozen=True)
class Arima(PathForecaster):
    """seasonal = whether the frequency's season is looked for. Where nothing fits, NaN (too short or never known)."""

    seasonal: bool = False

    def paths(self, panel: Panel, rates: FloatArray, chances: FloatArray) -> FloatArray:
        out = np.full((len(rates), *chances.shape), np.nan)
        for i, row in enumerate(rates):
            y = alive(alive(row)[-MEMORY:])
            if np.isfinite(y).sum() < LEAST:
                continue
            season = season_length(panel.freq, None, len(y)) if self.seasonal else 1
            fit = select_arima(y, season)
            self.count("fitted" if fit is not None else "unfitted")
            if fit is not None:
                out[i] = fit.forecast(chances.shape[1]).draw(chances)
        return out


FORECASTERS = (
    Arima("arima", 11, "ARIMA, orders by AICc"),
    Arima("sarima", 12, "seasonal ARIMA, orders by AICc", seasonal=True),
)
