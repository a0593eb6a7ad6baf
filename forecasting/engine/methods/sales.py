"""Sales as chances and sizes: how a rate of intermittent demand becomes possible futures (a rate is no quantile)."""

from __future__ import annotations

import numpy as np

from forecasting.engine.seasonality import season_length
from forecasting.engine.types import BoolArray, FloatArray, IntArray

STRENGTH = 20.0
EPS = 1e-12


def phase_factors(rates: FloatArray, freq: str, horizon: int) -> FloatArray:
    """(n, H) how often each step's phase of the season sells compared with all, mean 1, from the series alone.

    Drawn towards 1 as if 20 sales had been spread evenly. 40 sales in 70 days, none on the 10 Saturdays: expected
    there 5.71, prior 20/7 = 2.86: factor 2.86 / 8.57 = .33 before the mean is set to 1.
    """
    n, periods = rates.shape
    season = season_length(freq, None, periods)
    if season == 1 or not n:
        return np.ones((n, horizon))
    phase = (np.arange(periods)[:, None] % season == np.arange(season)[None, :]).astype(float)
    events, seen = (np.nan_to_num(rates) > 0) @ phase, np.isfinite(rates) @ phase
    chance = events.sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=1, keepdims=True), 1.0)
    prior = STRENGTH / season
    factor = (events + prior) / (seen * chance + prior)
    factor = factor / factor.mean(axis=1, keepdims=True)
    return factor[:, (periods + np.arange(horizon)) % season]


def sorted_sizes(rates: FloatArray) -> tuple[FloatArray, IntArray]:
    """(n, K) the sizes of all sales in ascending order, 0 behind the last; (n,) how many."""
    sold = np.nan_to_num(rates) > 0
    count = sold.sum(axis=1)
    ordered = np.sort(np.where(sold, np.nan_to_num(rates), np.inf), axis=1)[:, : max(int(count.max(initial=0)), 1)]
    return np.where(np.isinf(ordered), 0.0, ordered), count


def sale_paths(
    rates: FloatArray, rate: FloatArray, factor: FloatArray, chances: FloatArray, spread: FloatArray | None = None
) -> FloatArray:
    """(n, S, H) futures with mean rate × factor a step: a sale with chance rate / mean size, its size one of the past.

    Where a sale every period would not suffice, all sizes grow instead. One chance decides both: below 1 − p no sale,
    above it the rank of the size. spread (n, S): each path's own level relative to the rate, which is only an estimate.
    Sizes 2 and 6 (mean 4), rate 1: p = .25; u = .7 → 0, u = .8 → 2, u = .95 → 6.
    """
    sizes, count = sorted_sizes(rates)
    mean = sizes.sum(axis=1) / np.maximum(count, 1)
    level = np.ones((len(rates), 1)) if spread is None else spread
    wanted = level[:, :, None] * (rate / np.maximum(mean, EPS))[:, None, None] * factor[:, None, :]
    chance, grown = np.minimum(wanted, 1.0), np.maximum(wanted, 1.0)
    rank = (chances[None] - (1.0 - chance)) / np.maximum(chance, EPS)
    place = np.clip((rank * count[:, None, None]).astype(np.int64), 0, np.maximum(count - 1, 0)[:, None, None])
    drawn = np.take_along_axis(sizes, place.reshape(len(rates), -1), axis=1).reshape(place.shape)
    return np.where(rank > 0, drawn * grown, 0.0)


def seen_at_all(rates: FloatArray) -> BoolArray:
    """(n,) whether any period is known; the others are left to other methods."""
    seen: BoolArray = np.asarray(np.isfinite(rates).any(axis=1), dtype=bool)
    return seen


def level_spread(rates: FloatArray, share: FloatArray, samples: int, seed: int) -> FloatArray:
    """(n, S) how far each path's level lies from the estimated rate: gamma with mean 1 and variance share × CV².

    A level smoothed with α averages the past with a variance of α / (2 − α) times that of one period (Brown 1959); CV²
    is that of all known periods, the variance at most 1. α = .2 and CV² = 4: .111 · 4 = .44. One draw a path: all its
    steps err together, which is what widens window sums.
    """
    from scipy.special import gammaincinv

    known = np.isfinite(rates)
    count = np.maximum(known.sum(axis=1), 1)
    y = np.where(known, rates, 0.0)
    mean = y.sum(axis=1) / count
    square = (y**2).sum(axis=1) / count / np.maximum(mean, EPS) ** 2
    variance = np.clip(share * np.where(mean > 0, square - 1.0, 0.0), 1e-6, 1.0)[:, None]
    ranks = np.random.default_rng(seed).permutation(samples)
    spread: FloatArray = gammaincinv(1.0 / variance, ((ranks + 0.5) / samples)[None, :]) * variance
    return spread
