"""Croston's family as forecasters: rates smoothed from sizes and intervals or chances, quantiles from simulated sales.

Vectorised over series: 2,500 monthly series of four years take .1 s beside the drawing of paths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.methods.base import Forecaster, PathForecaster
from forecasting.engine.methods.sales import level_spread, phase_factors, sale_paths, seen_at_all
from forecasting.engine.types import FloatArray, Panel

ALPHAS = np.array([0.05, 0.1, 0.2, 0.3])
CHANCE_GRID = np.array([(a, b) for a in (0.05, 0.1, 0.3) for b in (0.02, 0.05, 0.1, 0.2)])


@kernel
def croston_fit(rates: FloatArray, alphas: FloatArray) -> FloatArray:
    """(n, 3) size, interval and α of least squared one-step error; unknown periods (NaN) are no part of an interval.

    At a sale: size ← size + α(y − size), interval ← interval + α(gap − interval); the first sale sets both. One
    sale alone, often on the first day, tells of no interval but all that was seen.
    """
    n, periods = rates.shape
    out = np.zeros((n, 3))
    for i in range(n):
        best = np.inf
        for g in range(len(alphas)):
            alpha, size, interval, gap, loss, seen = alphas[g], 0.0, 1.0, 0.0, 0.0, False
            known, sales = 0.0, 0
            for t in range(periods):
                y = rates[i, t]
                if np.isnan(y):
                    continue
                loss += (y - size / interval) ** 2
                gap += 1.0
                known += 1.0
                if y > 0:
                    size = size + alpha * (y - size) if seen else y
                    interval = interval + alpha * (gap - interval) if seen else gap
                    gap, seen = 0.0, True
                    sales += 1
            if loss < best:
                best = loss
                out[i, 0], out[i, 2] = size, alpha
                out[i, 1] = known if sales == 1 else interval
    return out


@kernel
def tsb_fit(rates: FloatArray, grid: FloatArray) -> FloatArray:
    """(n, 4) size, chance, α, β of least squared one-step error. Teunter, Syntetos & Babai (2011).

    Each known period: chance ← chance + β(1[y > 0] − chance), at a sale size ← size + α(y − size). The chance begins
    as the share of sales up to the second one, the size with the first.
    """
    n, periods = rates.shape
    out = np.zeros((n, 4))
    for i in range(n):
        first, known = 0.0, 0.0
        for t in range(periods):
            if not np.isnan(rates[i, t]) and first < 2.0:
                known += 1.0
                first += 1.0 if rates[i, t] > 0 else 0.0
        best = np.inf
        for g in range(len(grid)):
            alpha, beta, size, loss, seen = grid[g, 0], grid[g, 1], 0.0, 0.0, False
            chance = first / max(known, 1.0)
            for t in range(periods):
                y = rates[i, t]
                if np.isnan(y):
                    continue
                loss += (y - chance * size) ** 2
                if y > 0:
                    size = size + alpha * (y - size) if seen else y
                    seen = True
                chance += beta * ((1.0 if y > 0 else 0.0) - chance)
            if loss < best:
                best = loss
                out[i, 0], out[i, 1], out[i, 2], out[i, 3] = size, chance, alpha, beta
    return out


def croston_rate(rates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) size / interval. Croston (1972): sizes 3 then 5, gaps 3 and 4, α = .1: 3.2 / 3.1 = 1.032."""
    fit = croston_fit(np.ascontiguousarray(rates), ALPHAS)
    return fit[:, 0] / fit[:, 1], memory(fit[:, 2] / fit[:, 1])


def sba_rate(rates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) (1 − α/2) · size / interval: without the factor Croston is too high (Syntetos & Boylan 2005)."""
    fit = croston_fit(np.ascontiguousarray(rates), ALPHAS)
    return (1.0 - fit[:, 2] / 2.0) * fit[:, 0] / fit[:, 1], memory(fit[:, 2] / fit[:, 1])


def tsb_rate(rates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) chance · size: fades by 1 − β in every period without a sale."""
    fit = tsb_fit(np.ascontiguousarray(rates), CHANCE_GRID)
    return fit[:, 0] * fit[:, 1], memory(fit[:, 3])


def memory(alpha: FloatArray) -> FloatArray:
    """(n,) α / (2 − α): the variance of a smoothed level relative to that of one period. Croston smooths once a sale,
    hence α over the interval a period."""
    share: FloatArray = alpha / (2.0 - alpha)
    return share


@dataclass(frozen=True)
class RateForecaster(PathForecaster):
    """rate: (n, T) → (n,) mean demand a period and the variance of that level relative to one period's; futures are
    past sales coming at about that rate, by phase of the season."""

    rate: Callable[[FloatArray], tuple[FloatArray, FloatArray]] = croston_rate

    def paths(self, panel: Panel, rates: FloatArray, chances: FloatArray) -> FloatArray:
        factor = phase_factors(rates, panel.freq, chances.shape[1])
        rate, share = self.rate(rates)
        spread = level_spread(rates, share, chances.shape[0], self.seed)
        drawn = sale_paths(rates, rate, factor, chances, spread)
        return np.where(seen_at_all(rates)[:, None, None], drawn, np.nan)


TSB = RateForecaster("tsb", 5, "Teunter–Syntetos–Babai: chance of a sale × size", rate=tsb_rate)

FORECASTERS: tuple[Forecaster, ...] = (
    RateForecaster("croston", 4, "Croston's intervals and sizes, smoothed apart", rate=croston_rate),
    RateForecaster("croston_sba", 4, "Croston's intervals and sizes, Syntetos–Boylan corrected", rate=sba_rate),
    TSB,
)
