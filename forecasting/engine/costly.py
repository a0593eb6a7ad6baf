"""Costly methods only where class and backtest say they pay: Theta, ETS, (seasonal) ARIMA and SARIMAX for a few fast
series.

Tried on smooth and erratic series, the highest value first, as many as the budget affords (a count derived from
seconds, no clock is read). Each candidate chooses its form at the earliest fold and is fitted anew at every origin; it
forecasts the same held-out windows as all others, with the ratio tables of its nearest everyday relative around
its means, and replaces the choice only if it beats it by more than one standard error and 2 %.

Measured on one core, two years of days, five folds and the present: Theta 2 ms a series, ETS 50, seasonal ARIMA 40,
SARIMAX in two steps with two covariates 45; 0.15 and 0.2 s are allowed for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.frame import Frame
from forecasting.engine.methods import COSTLY, RELATIVES, arima, ets, sarimax
from forecasting.engine.methods.linear import alive
from forecasting.engine.methods.theta import theta_path
from forecasting.engine.metrics import pinball
from forecasting.engine.types import Covariates, FloatArray

if TYPE_CHECKING:
    from forecasting.engine.methods.pooled import Features
    from forecasting.engine.predict import Pooled
    from forecasting.engine.selection import Losses, Verdict

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
PAYING_CLASSES = ("smooth", "erratic")
LEAST_GAIN = 0.02
SECONDS_A_SERIES = 0.15
SECONDS_WITH_COVARIATES = 0.2
FULL_SECONDS_A_SERIES = 0.002
LEAST_KNOWN = 8

Origins = list[FloatArray]
"""One series as known at each origin, the earliest first, unknown periods NaN."""


def affordable(seconds: float, chunk: int, series: int, covariates: bool = False) -> int:
    """How many series of a chunk may try the costly methods: what `seconds` for all series pay for, shared by chunks in
    proportion to their size. 60 s, 512 of 2,048 series at 0.15 s: 100."""
    price = SECONDS_WITH_COVARIATES if covariates else SECONDS_A_SERIES
    return int(seconds / price * chunk / max(series, 1))


def full_mode_seconds(series: int) -> float:
    """The share of full mode: 2 ms for each series of the run, a tenth of what 50 series a second leave."""
    return FULL_SECONDS_A_SERIES * series


def try_costly(
    frame: Frame,
    cleaned: Cleaned,
    pooled: Pooled,
    features: Features,
    losses: Losses,
    verdict: Verdict,
    classes: list[str],
    most: int,
    covariates: Covariates | None = None,
    only: Collection[str] = COSTLY,
) -> dict[int, tuple[str, FloatArray]]:
    """Row → method and its means (O, H) at every origin, for the series whose choice is replaced; at most `most` are
    tried."""
    if most <= 0 or not pooled.plan.folds:
        return {}
    won: dict[int, tuple[str, FloatArray]] = {}
    whole = [i for i, c in enumerate(classes) if c in PAYING_CLASSES and verdict.folds[i] == len(pooled.plan.folds)]
    value = worth(cleaned, covariates)
    for row in sorted(whole, key=lambda i: (-value[i], i))[:most]:
        base = float(losses.loss()[row, verdict.chosen[row]])
        found = candidate_paths(frame, row, covariates, only)
        gains = {name: gain(name, frame, pooled, features, losses, verdict, row, path) for name, path in found.items()}
        best = max(gains, key=lambda name: gains[name][0], default=None)
        if best is not None and gains[best][0] > max(gains[best][1], LEAST_GAIN * base):
            won[row] = best, found[best]
    return won


def means_of(won: Mapping[int, tuple[str, FloatArray]], frame: Frame) -> dict[str, FloatArray]:
    """Method → means (n, O, H), 0 for the rows it did not win."""
    out: dict[str, FloatArray] = {}
    for row, (name, path) in won.items():
        out.setdefault(name, np.zeros(frame.factor.shape))[row] = path
    return out


def worth(cleaned: Cleaned, covariates: Covariates | None) -> FloatArray:
    """(n,) units sold, times the mean price where one is known."""
    units = cleaned.demand.sum(axis=1)
    price = None if covariates is None else covariates.known.get("price")
    if price is None:
        return units
    known = np.isfinite(price)
    mean = np.where(known, price, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return units * np.where(mean > 0, mean, 1.0)


def candidate_paths(
    frame: Frame, row: int, covariates: Covariates | None, only: Collection[str] = COSTLY
) -> dict[str, FloatArray]:
    """Name → (O, H) means at every origin; a candidate that fails at any origin, or ends beyond 100 times the largest
    value seen, is left out."""
    start, seen = int(frame.starts[row]), frame.open_share[row] > 0
    rates = np.where(seen, frame.rates()[row], np.nan)
    cuts = [alive(rates[start:origin][-arima.MEMORY :]) for origin in frame.origins]
    if min(np.isfinite(cut).sum() for cut in cuts) < LEAST_KNOWN:
        return {}
    season = frame.season if min(len(cut) for cut in cuts) >= 2 * frame.season else 1
    makers: dict[str, Callable[[], FloatArray | None]] = {
        "theta": lambda: np.stack([theta_path(cut, season, frame.horizon) for cut in cuts]),
        "ets": lambda: ets_paths(cuts, season, frame.horizon),
        "sarima": lambda: arima_paths(cuts, season, frame.horizon),
    }
    if covariates is not None and covariates.known:
        makers["sarimax"] = lambda: sarimax_paths(cuts, season, frame, row, covariates)
    found: dict[str, FloatArray] = {}
    limit = 100 * max(float(np.nanmax(cuts[-1])), 1.0)
    for name in (name for name in makers if name in only):
        path = makers[name]()
        if path is not None and np.isfinite(path).all() and path.max() <= limit:
            found[name] = np.maximum(path, 0.0)
    return found


def ets_paths(cuts: Origins, season: int, horizon: int) -> FloatArray | None:
    """(O, H) the form chosen at the earliest origin, its parameters estimated at each."""
    first = ets.select_ets(cuts[0], season)
    if first is None:
        return None
    fits = [ets.fit_ets(cut, first.label, season) for cut in cuts]
    return None if any(f is None for f in fits) else np.stack([f.mean(horizon) for f in fits if f is not None])


def arima_paths(cuts: Origins, season: int, horizon: int) -> FloatArray | None:
    """(O, H) the orders chosen at the earliest origin, the coefficients estimated at each from those before (and kept
    where the new ones would sit on a unit root)."""
    fit = arima.select_arima(cuts[0], season)
    out = []
    for cut in cuts:
        if fit is None:
            return None
        again = arima.fit_arima(cut, fit.order, start=fit.x)
        fit = again or arima.run_arima(cut, fit.order, fit.x)
        if fit is None:
            return None
        out.append(fit.forecast(horizon).mean)
    return np.stack(out)


def sarimax_paths(cuts: Origins, season: int, frame: Frame, row: int, covariates: Covariates) -> FloatArray | None:
    """(O, H) regression on what was known ahead of each origin, with ARIMA errors in two steps (statsmodels' exact fit
    would cost 2 s a series for a difference the ratio tables do not show); None where it explains nothing."""
    order, out = None, []
    for cut, origin in zip(cuts, frame.origins, strict=True):
        known = covariates.take(np.array([row])).until(int(origin)).known
        x = sarimax.known_ahead(known, 0, int(origin) - len(cut), int(origin), frame.horizon)
        fit, explained = sarimax.two_steps(cut, x, season, order) if x.shape[1] else (None, x)
        if fit is None:
            return None
        order = fit.order
        out.append(sarimax.around(fit, explained, frame.horizon).mean)
    return np.stack(out)


def gain(
    name: str,
    frame: Frame,
    pooled: Pooled,
    features: Features,
    losses: Losses,
    verdict: Verdict,
    row: int,
    path: FloatArray,
) -> tuple[float, float]:
    """(mean, its standard error over folds) of the pinball loss saved against the choice, in the choice's own scaled
    units; (−∞, ∞) where nothing could be compared."""
    saved = [
        saving(name, frame, pooled, features, losses, verdict, row, path, f, k)
        for f in range(len(pooled.plan.folds))
        for k in range(len(pooled.plan.scored))
        if losses.valid[row, f, k]
    ]
    found = [s for s in saved if s is not None]
    if len(found) < 2:
        return -np.inf, np.inf
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(len(pooled.plan.folds)))


def saving(
    name: str,
    frame: Frame,
    pooled: Pooled,
    features: Features,
    losses: Losses,
    verdict: Verdict,
    row: int,
    path: FloatArray,
    f: int,
    k: int,
) -> float | None:
    """Loss of the choice − loss of the candidate in one fold and window; None without a ratio table."""
    from forecasting.engine.predict import take_rows, window_ratios

    window = pooled.plan.scored[k]
    taus = np.array([t for t in LEVELS if t in pooled.levels])
    pick = [pooled.levels.index(t) for t in taus]
    expected = frame.factor[[row], f, :window].sum(axis=1)
    some = take_rows(features, np.array([row]), f)
    found = window_ratios(RELATIVES[name], pooled.fits[f], np.array([window]), some, expected)
    if found is None:
        return None
    quantiles = path[f, :window].sum() * found[0][0, pick]
    loss = pinball(losses.actual[row, f, k], quantiles, taus).mean() / (losses.scale[row] * np.sqrt(window))
    return float(losses.pinball[row, f, k, verdict.chosen[row]] - loss)
