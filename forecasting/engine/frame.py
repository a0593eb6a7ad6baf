"""What every method sees: cleaned demand, its expected share per period, and the forecast origins with the calendar
known at each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.kernels.history import discounted_sums, shrunk_profiles
from forecasting.engine.seasonality import CLOSED_FACTOR, EPS, Rhythm
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
        return discounted_sums(matrix, 0.5 ** (1.0 / half_life), self.origins)

    def level(self, half_life: float) -> FloatArray:
        """(n, O) exponentially weighted demand per unit of exposure: Σ w·demand / Σ w·weight."""
        return self.discounted(self.demand, half_life) / np.maximum(self.discounted(self.weight, half_life), EPS)

    def initial_level(self) -> FloatArray:
        """(n,) mean of the first live periods, the starting state of the recursions; never reaches past the first
        usable origin."""
        length = min(max(2 * self.season, 4), self.calendar.rhythm.min_history // 2)
        demand, weight = self.first_periods(length)
        return demand.sum(axis=1) / np.maximum(weight.sum(axis=1), EPS)

    def first_periods(self, length: int) -> tuple[FloatArray, FloatArray]:
        """(n, L) demand and weight of the first `length` live periods, 0 beyond the last period."""
        periods = self.demand.shape[1]
        columns = self.starts[:, None] + np.arange(length)[None, :]
        inside, row = columns < periods, np.arange(len(self.demand))[:, None]
        columns = np.minimum(columns, periods - 1)
        return np.where(inside, self.demand[row, columns], 0.0), np.where(inside, self.weight[row, columns], 0.0)


def step_blocks(block: int, horizon: int, most: int = 7) -> tuple[tuple[int, int], ...]:
    """Steps ahead in doubling blocks (first, last]: 7 and 28 → (0, 7), (7, 14), (14, 28)."""
    edges = [0, block]
    while edges[-1] < horizon and len(edges) <= most:
        edges.append(edges[-1] * 2)
    edges = [e for e in edges if e < horizon] + [horizon]
    return tuple(pairwise(edges))


def build_frame(cleaned: Cleaned, calendar: Calendar, columns: IntArray | None = None) -> Frame:
    """Frame of some series under the run's calendar, with all origins or only those in `columns`. The weight of a
    period uses the profile of the latest origin before it, whether that is among `columns` or not."""
    periods = cleaned.demand.shape[1]
    open_share = cleaned.exposure * (1.0 - calendar.closed)[None, :]
    season = calendar.season
    profile = profiles(cleaned.demand, open_share, calendar)
    step = np.arange(periods)
    latest = np.clip(np.searchsorted(calendar.origins, step, side="right") - 1, 0, len(calendar.origins) - 1)
    weight = open_share if season == 1 else open_share * profile[:, latest, step % season]
    kept = np.arange(len(calendar.origins)) if columns is None else columns
    origins = calendar.origins[kept]
    ahead = (origins[:, None] + np.arange(calendar.horizon)[None, :]) % season
    return Frame(
        demand=cleaned.demand,
        weight=weight,
        open_share=open_share,
        starts=cleaned.starts,
        origins=origins,
        factor=profile[:, kept[:, None], ahead],
        swing=calendar.swing[kept],
        calendar=calendar,
    )


def profiles(demand: FloatArray, open_share: FloatArray, calendar: Calendar) -> FloatArray:
    """(n, O, m) each series' seasonal profile at each origin: `seasonality.series_profile` as a kernel."""
    if calendar.season == 1:
        return np.ones((len(demand), len(calendar.origins), 1))
    keep = 0.5 ** (1.0 / calendar.rhythm.profile_half_life)
    return shrunk_profiles(
        demand, open_share, calendar.origins, calendar.profile, keep, PROFILE_STRENGTH, CLOSED_FACTOR, EPS
    )
