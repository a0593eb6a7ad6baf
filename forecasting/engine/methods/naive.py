"""The benchmarks every other method must beat: last value, last season, moving average."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.kernels.history import last_values, recent_sums
from forecasting.engine.lines import Line
from forecasting.engine.seasonality import EPS
from forecasting.engine.types import FloatArray

WINDOW_SEASONS = {7: 4, 24: 7, 12: 1, 4: 2, 1: 8}


def naive_line(frame: Frame) -> Line:
    """The last observed period, carried on: a gap or a stock-out is not an observation of 0."""
    last, _ = last_values(frame.demand, frame.open_share, frame.unseen(), 1, frame.origins)
    return Line(last, seasonal=False)


def naive(frame: Frame) -> FloatArray:
    """(n, O, H) the path of `naive_line`."""
    return naive_line(frame).path(frame)


def seasonal_naive_line(frame: Frame) -> Line:
    """ŷ_{t+h} = y_{t+h−m·⌈h/m⌉}: the last whole season, repeated. Season 1: the naive.

    A gap is filled with the same phase of the season before; a phase never seen, with the last observed period.
    """
    _, cycle = last_values(frame.demand, frame.open_share, frame.unseen(), frame.season, frame.origins)
    return Line(np.zeros(cycle.shape[:2]), cycle=cycle, seasonal=False)


def seasonal_naive(frame: Frame) -> FloatArray:
    """(n, O, H) the path of `seasonal_naive_line`."""
    return seasonal_naive_line(frame).path(frame)


def moving_average_line(frame: Frame) -> Line:
    """Σ demand / Σ weight over the last 4 weeks of days (8 weeks, 12 months, 8 quarters), times the seasonal factor.
    The 4 weeks are counted in observed periods: a stock-out of a month does not make the level 0."""
    length = WINDOW_SEASONS.get(frame.season, 2) * frame.season
    top, base = recent_sums(frame.demand, frame.weight, frame.unseen(), frame.origins, length)
    return Line(top / np.maximum(base, EPS))


def moving_average(frame: Frame) -> FloatArray:
    """(n, O, H) the path of `moving_average_line`."""
    return moving_average_line(frame).path(frame)
