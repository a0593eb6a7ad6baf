"""Quantiles of one method from its mean path: the ratio tables applied to windows and to single steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from forecasting.engine.backtest import Plan
from forecasting.engine.boosted.model import Boosted
from forecasting.engine.calibration import KeyModel, Table
from forecasting.engine.frame import Calendar
from forecasting.engine.methods import POOLED
from forecasting.engine.methods.pooled import Features, key_features, log_events
from forecasting.engine.newcomers.learning import Newcomers
from forecasting.engine.types import FloatArray, IntArray


@dataclass(frozen=True)
class Fit:
    """All that was learnt from cases that had ended by one moment (a fold's origin, or the present).

    betas (B, p) of the pooled means; tables[method][window]; keys[window] the pooled method's uncertainty models."""

    betas: FloatArray
    tables: Mapping[str, Mapping[int, Table]] = field(default_factory=dict)
    keys: Mapping[int, KeyModel] = field(default_factory=dict)


@dataclass(frozen=True)
class Pooled:
    """Learnt once per run from (a sample of) the panel, then passed to every chunk; picklable, read-only.

    fits: one for each fold, the last for the present. steps[method][block]: ratio tables of single steps.
    standing[class][method]:
    mean loss relative to the mean of all methods, what a class of demand says before a series speaks for itself.
    noise[class][method]: standard error over the folds of its gain on the naive benchmark.
    boosted: the trees of the full mode, None in the everyday mode and on panels too small for them.
    newcomers: what earlier launches teach of new items, None with too few of them.
    """

    calendar: Calendar
    plan: Plan
    levels: tuple[float, ...]
    fits: tuple[Fit, ...]
    steps: Mapping[str, Mapping[int, Table]] = field(default_factory=dict)
    step_keys: Mapping[int, KeyModel] = field(default_factory=dict)
    standing: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    series: int = 0
    sampled: int = 0
    newcomers: Newcomers | None = None
    noise: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    boosted: Boosted | None = None


def window_key(method: str, fit: Fit, window: int, features: Features, events: FloatArray) -> FloatArray:
    """(…) the key of the cell of comparable cases: events = log expected sales in the window, shape of
    features.base."""
    model = fit.keys.get(window)
    if method == POOLED and model is not None:
        return model.key(key_features(features, events))
    return events


def take_rows(features: Features, rows: np.ndarray, column: int) -> Features:
    """Features of some series at one origin, shapes (r,) and (r, p)."""
    return Features(
        features.base[rows, column],
        features.chance[rows, column],
        features.x[rows, column],
        features.spread[rows, column],
    )


def window_ratios(
    method: str, fit: Fit, windows: IntArray, features: Features, expected: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """(r, q) ratio quantiles and (r,) relative spreads for windows[i] periods of row i; between learnt windows linear
    in log length,
    beyond the longest its ratios are kept. None where nothing could be learnt. expected (r,) = exposure ahead in
    normal periods."""
    tables = fit.tables.get(method, {})
    lengths = sorted(tables)
    if not lengths:
        return None
    events = log_events(features, expected)
    position = np.interp(np.log(windows), np.log(lengths), np.arange(len(lengths), dtype=float))
    low = np.floor(position).astype(np.int64)
    share = position - low
    width = len(next(iter(tables.values())).levels)
    ratios, spread = np.zeros((len(windows), width)), np.zeros(len(windows))
    for index, length in enumerate(lengths):
        part = np.where(low == index, 1.0 - share, np.where(low + 1 == index, share, 0.0))
        rows = np.flatnonzero(part > 0)
        if len(rows):
            some = Features(features.base[rows], features.chance[rows], features.x[rows], features.spread[rows])
            key = window_key(method, fit, length, some, events[rows])
            ratios[rows] += part[rows, None] * tables[length].at(key)
            spread[rows] += part[rows] * tables[length].spread_at(key)
    return ratios, spread
