"""The calendar in the numbers: season lengths, weekday profiles and closed days, all known at each origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.types import FloatArray, IntArray

EPS = 1e-9
CLOSED_FACTOR = 0.01


@dataclass(frozen=True)
class Rhythm:
    """Constants of one frequency, in periods: season length, year (0 = none), block = first step block, half-lives of
    the levels,
    half-life of the profile, spacing and number of training origins, shortest history to learn from."""

    season: int
    year: int
    block: int
    half_lives: tuple[float, float, float, float]
    profile_half_life: float
    spacing: int
    origins: int
    min_history: int


RHYTHMS = {
    "H": Rhythm(24, 0, 24, (24.0, 72.0, 168.0, 672.0), 336.0, 24, 28, 96),
    "D": Rhythm(7, 364, 7, (7.0, 21.0, 60.0, 180.0), 120.0, 7, 40, 42),
    "W": Rhythm(1, 52, 1, (2.0, 6.0, 15.0, 40.0), 52.0, 1, 40, 8),
    "M": Rhythm(12, 0, 1, (1.0, 3.0, 8.0, 20.0), 48.0, 1, 24, 8),
    "Q": Rhythm(4, 0, 1, (1.0, 2.0, 4.0, 8.0), 16.0, 1, 12, 6),
    "Y": Rhythm(1, 0, 1, (1.0, 2.0, 4.0, 8.0), 8.0, 1, 6, 4),
}


def season_length(freq: str, season: int | tuple[int, ...] | None, periods: int) -> int:
    """The multiplicative season used: the given one (the shortest of several), or the frequency's own if it fits
    twice; else 1."""
    given = min(season) if isinstance(season, tuple) else season
    length = RHYTHMS[freq].season if given is None else given
    return length if length > 1 and 2 * length <= periods else 1


def decay(periods: int, origin: int, half_life: float) -> FloatArray:
    """(T,) weights ½^(age / half_life) of the periods before the origin; 0 from the origin on."""
    age = origin - 1 - np.arange(periods)
    return np.where(age >= 0, 0.5 ** (np.maximum(age, 0) / half_life), 0.0)


def closed_days(cleaned: Cleaned, season: int) -> FloatArray:
    """(T,) 1 where at least 20 live series all sold nothing though they normally would (≥ 5 sales expected): a
    holiday, not no demand."""
    sold, live = (cleaned.demand > 0).sum(axis=0), (cleaned.exposure > 0).sum(axis=0)
    periods = len(sold)
    closed = np.zeros(periods)
    for t in range(4 * season, periods):
        same = slice(t - 4 * season, t, season)
        usual = np.median(sold[same])
        closed[t] = float(sold[t] == 0 and live[t] >= 20 and usual >= 5)
    return closed


def phase_sums(matrix: FloatArray, origins: IntArray, season: int, half_life: float) -> FloatArray:
    """(n, O, m) discounted sums of each phase of the season before each origin: one matrix product."""
    periods = matrix.shape[1]
    phase = np.arange(periods) % season
    weights = np.stack([decay(periods, int(o), half_life) for o in origins], axis=1)
    columns = weights[:, :, None] * (phase[:, None] == np.arange(season))[:, None, :]
    return (matrix @ columns.reshape(periods, -1)).reshape(len(matrix), len(origins), season)


def pooled_profile(
    demand: FloatArray, exposure: FloatArray, origins: IntArray, season: int, half_life: float
) -> FloatArray:
    """(O, m) the panel's seasonal profile at each origin, mean 1: every series counts by its own scale, so no giant
    rules."""
    if season == 1:
        return np.ones((len(origins), 1))
    top, base = (phase_sums(x, origins, season, half_life) for x in (demand, exposure))
    level = top.sum(axis=2) / np.maximum(base.sum(axis=2), EPS)
    seen = level > 0
    share = np.where(seen[:, :, None], top / np.maximum(level, EPS)[:, :, None], 0.0).sum(axis=0)
    weight = np.where(seen[:, :, None], base, 0.0).sum(axis=0)
    profile = np.where(weight > 0, share / np.maximum(weight, EPS), 1.0)
    mean = profile.mean(axis=1, keepdims=True)
    return np.where(mean > 0, profile / np.maximum(mean, EPS), 1.0)


def series_profile(
    demand: FloatArray, exposure: FloatArray, origins: IntArray, pooled: FloatArray, half_life: float, strength: float
) -> FloatArray:
    """(n, O, m) each series' profile, drawn towards the panel's as if `strength` sales had followed the panel's
    profile.

    Below 1 % of a normal period counts as closed: 0."""
    season = pooled.shape[1]
    if season == 1:
        return np.ones((len(demand), len(origins), 1))
    top, base = (phase_sums(x, origins, season, half_life) for x in (demand, exposure))
    events = phase_sums((demand > 0).astype(float), origins, season, half_life).sum(axis=2)
    expected = base * pooled[None]
    level = top.sum(axis=2) / np.maximum(expected.sum(axis=2), EPS)
    prior = (strength * top.sum(axis=2) / np.maximum(events, EPS))[:, :, None] / season
    profile = (top + prior * pooled[None]) / np.maximum(level[:, :, None] * base + prior, EPS)
    profile = np.where((events > 0)[:, :, None], profile, pooled[None])
    profile = np.where(profile < CLOSED_FACTOR, 0.0, profile)
    mean = profile.mean(axis=2, keepdims=True)
    return np.where(mean > 0, profile / np.maximum(mean, EPS), 1.0)
