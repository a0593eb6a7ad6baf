"""The benchmarks every other method must beat: last value, last season, moving average."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.seasonality import EPS
from forecasting.engine.types import BoolArray, FloatArray, IntArray

WINDOW_SEASONS = {7: 4, 24: 7, 12: 1, 4: 2, 1: 8}


def naive(frame: Frame) -> FloatArray:
    """(n, O, H) the last observed period, carried on: a gap or a stock-out is not an observation of 0."""
    last = carried(frame.rates(), frame.unseen(), 1)[:, frame.origins - 1]
    return np.repeat(last[:, :, None], frame.horizon, axis=2)


def carried(values: FloatArray, unseen: BoolArray, lag: int) -> FloatArray:
    """(n, T) values, unseen ones replaced by those `lag` periods earlier, again and again; 0 where nothing precedes
    them."""
    out = np.where(unseen, 0.0, values)
    for t in np.flatnonzero(unseen.any(axis=0)):
        if t >= lag:
            out[:, t] = np.where(unseen[:, t], out[:, t - lag], out[:, t])
    return out


def seasonal_naive(frame: Frame) -> FloatArray:
    """(n, O, H) ŷ_{t+h} = y_{t+h−m·⌈h/m⌉}: the last whole season, repeated. Season 1: the naive.

    A gap is filled with the same phase of the season before; a phase never seen, with the last observed period.
    """
    season, unseen = frame.season, frame.unseen()
    rates = frame.rates()
    if season > 1:
        never = unseen.copy()
        for t in range(season, never.shape[1]):
            never[:, t] &= never[:, t - season]
        rates = np.where(never, carried(rates, unseen, 1), carried(rates, unseen, season))
    else:
        rates = carried(rates, unseen, 1)
    step = np.arange(frame.horizon) % season
    columns = frame.origins[:, None] - season + step[None, :]
    return np.where(columns >= 0, rates[:, np.maximum(columns, 0)], 0.0)


def moving_average(frame: Frame) -> FloatArray:
    """(n, O, H) Σ demand / Σ weight over the last 4 weeks of days (8 weeks, 12 months, 8 quarters), times the seasonal
    factor. The 4 weeks are counted in observed periods: a stock-out of a month does not make the level 0."""
    length = WINDOW_SEASONS.get(frame.season, 2) * frame.season
    top = np.concatenate([np.zeros((len(frame.demand), 1)), frame.demand.cumsum(axis=1)], axis=1)
    base = np.concatenate([np.zeros((len(frame.demand), 1)), frame.weight.cumsum(axis=1)], axis=1)
    begin = first_of_last(~frame.unseen(), frame.origins, length)
    level = (top[:, frame.origins] - np.take_along_axis(top, begin, axis=1)) / np.maximum(
        base[:, frame.origins] - np.take_along_axis(base, begin, axis=1), EPS
    )
    return level[:, :, None] * frame.factor


def first_of_last(seen: BoolArray, origins: IntArray, length: int) -> IntArray:
    """(n, O) the column from which `length` seen periods lie before each origin; 0 where there are fewer."""
    count = np.concatenate([np.zeros((len(seen), 1), dtype=np.int64), seen.cumsum(axis=1)], axis=1)
    begin = [(count <= (count[:, [o]] - length)).sum(axis=1) - 1 for o in origins]
    return np.maximum(np.stack(begin, axis=1), 0)
