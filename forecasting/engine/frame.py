"""What every method sees: cleaned demand, its expected share per period, and the forecast origins with the calendar
known at each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.seasonality import EPS, Rhythm, decay, series_profile
from forecasting.engine.types import BoolArray, FloatArray, IntArray

PROFILE_STRENGTH = 20.0


@dataclass(frozen=True)
class Calendar:
    """What the panel as a whole says about time; the same for every chunk of a run. origins (O,), the last is the
    present."""

    rhythm: Rhythm
    season: int
    origins: IntArray
    horizon: int
    closed: FloatArray
    profile: FloatArray
    swing: FloatArray
    blocks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Frame:
    """demand (n, T); weight (n, T) = exposure × open × seasonal factor, so that level = Σ demand / Σ weight;
    open_share (n, T) without
    the season; origins (O,) numbers of known periods; factor (n, O, H) seasonal factors of the steps after each
    origin."""

    demand: FloatArray
    weight: FloatArray
    open_share: FloatArray
    starts: IntArray
    origins: IntArray
    factor: FloatArray
    swing: FloatArray
    calendar: Calendar

    @property
    def horizon(self) -> int:
        return self.calendar.horizon

    @property
    def season(self) -> int:
        return self.calendar.season

    def known(self) -> BoolArray:
        """(n, O) whether the series was old enough at the origin to be learnt from."""
        return self.starts[:, None] + self.calendar.rhythm.min_history <= self.origins[None, :]

    def unseen(self) -> BoolArray:
        """(n, T) periods that say nothing of demand: before the start, a gap, or all of it out of stock. A closed day
        was seen."""
        return (self.open_share <= 0) & (self.calendar.closed <= 0)[None, :]

    def rates(self) -> FloatArray:
        """(n, T) demand of each seen period as if it had been in stock throughout: demand / share."""
        return self.demand / np.where(self.open_share > 0, self.open_share, 1.0)

    def at(self, columns: IntArray) -> Frame:
        """The same frame with only some of the origins."""
        return replace(self, origins=self.origins[columns], factor=self.factor[:, columns], swing=self.swing[columns])

    def discounted(self, matrix: FloatArray, half_life: float) -> FloatArray:
        """(n, O) Σ ½^(age / half_life) · x over the periods before each origin."""
        weights = np.stack([decay(matrix.shape[1], int(o), half_life) for o in self.origins], axis=1)
        return matrix @ weights

    def level(self, half_life: float) -> FloatArray:
        """(n, O) exponentially weighted demand per unit of exposure: Σ w·demand / Σ w·weight."""
        return self.discounted(self.demand, half_life) / np.maximum(self.discounted(self.weight, half_life), EPS)

    def initial_level(self) -> FloatArray:
        """(n,) mean of the first live periods, the starting state of the recursions; never reaches past the first
        usable origin."""
        length = min(max(2 * self.season, 4), self.calendar.rhythm.min_history // 2)
        age = np.arange(self.demand.shape[1])[None, :] - self.starts[:, None]
        first = (age >= 0) & (age < length)
        return (self.demand * first).sum(axis=1) / np.maximum((self.weight * first).sum(axis=1), EPS)


def step_blocks(block: int, horizon: int, most: int = 7) -> tuple[tuple[int, int], ...]:
    """Steps ahead in doubling blocks (first, last]: 7 and 28 → (0, 7), (7, 14), (14, 28)."""
    edges = [0, block]
    while edges[-1] < horizon and len(edges) <= most:
        edges.append(edges[-1] * 2)
    edges = [e for e in edges if e < horizon] + [horizon]
    return tuple(pairwise(edges))


def build_frame(cleaned: Cleaned, calendar: Calendar) -> Frame:
    """Frame of some series under the run's calendar. The weight of a period uses the profile of the latest origin
    before it."""
    periods = cleaned.demand.shape[1]
    open_share = cleaned.exposure * (1.0 - calendar.closed)[None, :]
    origins, season = calendar.origins, calendar.season
    profile = series_profile(
        cleaned.demand, open_share, origins, calendar.profile, calendar.rhythm.profile_half_life, PROFILE_STRENGTH
    )
    step = np.arange(periods)
    latest = np.clip(np.searchsorted(origins, step, side="right") - 1, 0, len(origins) - 1)
    weight = open_share * profile[:, latest, step % season]
    ahead = (origins[:, None] + np.arange(calendar.horizon)[None, :]) % season
    factor = np.take_along_axis(profile, np.broadcast_to(ahead, (len(profile), *ahead.shape)), axis=2)
    return Frame(
        demand=cleaned.demand,
        weight=weight,
        open_share=open_share,
        starts=cleaned.starts,
        origins=origins,
        factor=factor,
        swing=calendar.swing,
        calendar=calendar,
    )
