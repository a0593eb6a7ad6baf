"""Futures drawn from a series' own past: plain, and Willemain's with a chain of sale and no sale and jittered sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.methods.base import Forecaster, PathForecaster
from forecasting.engine.methods.sales import phase_factors, seen_at_all, sorted_sizes
from forecasting.engine.seasonality import season_length
from forecasting.engine.types import FloatArray, Panel

MEMORY = {"H": 24 * 28, "D": 364, "W": 104, "M": 48, "Q": 24, "Y": 12}
TRANSITION_PRIOR = 1.0


def transitions(rates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) chances of a sale after a period without one and after one with one, from successive known periods.

    One observation of the overall chance is added to each. 0 0 3 0 0 5 4: after none 2 of 4, after a sale 1 of 2,
    overall 3/7: (2 + .43) / 5 = .49 and (1 + .43) / 3 = .48.
    """
    sold, seen = np.nan_to_num(rates) > 0, np.isfinite(rates)
    pair = seen[:, 1:] & seen[:, :-1]
    overall = sold.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    found = []
    for state in (False, True):
        base = pair & (sold[:, :-1] == state)
        found.append(
            ((base & sold[:, 1:]).sum(axis=1) + TRANSITION_PRIOR * overall) / (base.sum(axis=1) + TRANSITION_PRIOR)
        )
    return found[0], found[1]


def jittered(sizes: FloatArray, noise: FloatArray) -> FloatArray:
    """1 + ⌊X + Z√X⌋, or X itself where that is not positive (Willemain, Smart & Schwarz 2004, eq. 3).

    X = 9, Z = .5: 1 + ⌊10.5⌋ = 11; Z = −4: 1 + ⌊−3⌋ = −2 ≤ 0 → 9.
    """
    moved = 1.0 + np.floor(sizes + noise * np.sqrt(sizes))
    return np.where(moved > 0, moved, sizes)


def last_state(rates: FloatArray) -> np.ndarray:
    """(n,) whether the last known period sold."""
    seen = np.isfinite(rates)
    last = rates.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    return np.asarray(np.nan_to_num(rates[np.arange(len(rates)), last]) > 0)


@dataclass(frozen=True)
class Willemain(PathForecaster):
    """Occurrences by a two-state Markov chain from the last known period on, sizes redrawn and jittered."""

    def paths(self, panel: Panel, rates: FloatArray, chances: FloatArray) -> FloatArray:
        from scipy.special import ndtri

        samples, horizon = chances.shape
        rng = np.random.default_rng(self.seed + 1)
        ranks, noise = rng.random(chances.shape), ndtri(rng.random(chances.shape))
        recent = rates[:, -MEMORY[panel.freq] :]
        after_none, after_sale = transitions(recent)
        factor = phase_factors(rates, panel.freq, horizon)
        sizes, count = sorted_sizes(recent)
        out = np.zeros((len(rates), samples, horizon))
        state = np.repeat(last_state(rates)[:, None], samples, axis=1)
        for h in range(horizon):
            chance = np.where(state, after_sale[:, None], after_none[:, None]) * factor[:, [h]]
            state = chances[None, :, h] > 1.0 - chance
            place = np.minimum((ranks[None, :, h] * count[:, None]).astype(np.int64), np.maximum(count - 1, 0)[:, None])
            drawn = np.take_along_axis(sizes, place, axis=1)
            out[:, :, h] = np.where(state, jittered(drawn, noise[None, :, h]), 0.0) * (count > 0)[:, None]
        return np.where(seen_at_all(rates)[:, None, None], out, np.nan)


@dataclass(frozen=True)
class Empirical(PathForecaster):
    """Each step one of the known periods of its phase of the season, at random."""

    def paths(self, panel: Panel, rates: FloatArray, chances: FloatArray) -> FloatArray:
        samples, horizon = chances.shape
        recent = rates[:, -MEMORY[panel.freq] :]
        season = season_length(panel.freq, None, rates.shape[1])
        season = season if recent.shape[1] >= 4 * season else 1
        out = np.full((len(rates), samples, horizon), np.nan)
        for phase in range(min(season, horizon)):
            columns = np.arange(recent.shape[1])[::-1][season - 1 - phase :: season]
            pool = np.sort(recent[:, columns], axis=1)
            count = np.isfinite(pool).sum(axis=1)
            wanted = chances[:, phase::season]
            place = np.minimum((wanted[None] * count[:, None, None]).astype(np.int64), pool.shape[1] - 1)
            drawn = np.take_along_axis(pool, place.reshape(len(pool), -1), axis=1)
            out[:, :, phase::season] = drawn.reshape(place.shape)
        return out


PLAIN = Empirical("bootstrap", 3, "each period one of the SKU's own past ones, drawn at random")

FORECASTERS: tuple[Forecaster, ...] = (
    PLAIN,
    Willemain("willemain", 6, "Willemain's bootstrap: a chain of sale and no sale, sizes redrawn and jittered"),
)
