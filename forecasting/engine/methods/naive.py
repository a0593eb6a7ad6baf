"""The benchmarks every other method must beat: last value, last season, moving average."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.seasonality import EPS
from forecasting.engine.types import FloatArray

WINDOW_SEASONS = {7: 4, 24: 7, 12: 1, 4: 2, 1: 8}


def naive(frame: Frame) -> FloatArray:
    """(n, O, H) the last observed period, carried on."""
    last = frame.demand[:, frame.origins - 1]
    return np.repeat(last[:, :, None], frame.horizon, axis=2)


def seasonal_naive(frame: Frame) -> FloatArray:
    """(n, O, H) ŷ_{t+h} = y_{t+h−m·⌈h/m⌉}: the last whole season, repeated. Season 1: the naive."""
    season = frame.season
    step = np.arange(frame.horizon) % season
    columns = frame.origins[:, None] - season + step[None, :]
    return np.where(columns >= 0, frame.demand[:, np.maximum(columns, 0)], 0.0)


def moving_average(frame: Frame) -> FloatArray:
    """(n, O, H) Σ demand / Σ weight over the last 4 weeks of days (8 weeks, 12 months, 8 quarters), times the seasonal
    factor."""
    length = WINDOW_SEASONS.get(frame.season, 2) * frame.season
    top = np.concatenate([np.zeros((len(frame.demand), 1)), frame.demand.cumsum(axis=1)], axis=1)
    base = np.concatenate([np.zeros((len(frame.demand), 1)), frame.weight.cumsum(axis=1)], axis=1)
    begin = np.maximum(frame.origins - length, 0)
    level = (top[:, frame.origins] - top[:, begin]) / np.maximum(base[:, frame.origins] - base[:, begin], EPS)
    return level[:, :, None] * frame.factor
