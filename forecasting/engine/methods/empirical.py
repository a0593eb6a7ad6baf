"""Quantiles of a series' own past sums: no model, no panel; hard to beat on extremely sparse demand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.types import BoolArray, FloatArray, IntArray

MEMORY_BLOCKS = 30
LEAST_SHARE_SEEN = 0.75


def empirical_window(
    frame: Frame, actual: FloatArray, exposure: FloatArray, origin: int, window: int, levels: tuple[float, ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Quantiles (n, q), means and standard deviations (n,) of the sums of `window` consecutive periods that ended
    before the origin, within the last 30 blocks.

    Windows shorter than the season are taken at the season's own phase, so that Monday is compared with Mondays.
    Windows partly unobserved are scaled up, below 75 % observed they are left out: the rule of the backtest. A series
    that has none takes every phase, then every window in which anything was observed.
    """
    season, block = frame.season, frame.calendar.rhythm.block
    stride = season if window < season else 1
    oldest = max(origin - max(MEMORY_BLOCKS * block, 3 * window), 0)
    begins = np.arange(max(origin - window, 0), oldest - 1, -1)
    phase = begins[(begins - origin) % stride == 0] if stride > 1 else begins
    top, seen = running(actual[:, :origin]), running(exposure[:, :origin])

    def read(columns: IntArray, rows: IntArray, least: float) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        ends = np.minimum(columns + window, origin)
        sums = top[rows][:, ends] - top[rows][:, columns]
        share = (seen[rows][:, ends] - seen[rows][:, columns]) / window
        young = columns[None, :] < frame.starts[rows, None] if least > 0 else np.zeros(sums.shape, dtype=bool)
        return observed_quantiles(sums, share, young, least, levels)

    return first_found(len(actual), len(levels), read, phase, begins)


def empirical_step(
    frame: Frame, actual: FloatArray, exposure: FloatArray, step: int, levels: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Quantiles (n, q) and means (n,) of single past periods at the season's phase of `step` periods ahead of the
    present; unobserved ones are left out."""
    origin, season = int(frame.origins[-1]), frame.season
    columns = np.arange(origin - season + step % season, -1, -season)[:MEMORY_BLOCKS]
    every = np.arange(origin - 1, -1, -1)[: MEMORY_BLOCKS * season]

    def read(columns: IntArray, rows: IntArray, least: float) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        young = columns[None, :] < frame.starts[rows, None]
        return observed_quantiles(actual[rows][:, columns], exposure[rows][:, columns], young, least, levels)

    quantiles, mean, _ = first_found(len(actual), len(levels), read, columns, every)
    return quantiles, mean


def running(values: FloatArray) -> FloatArray:
    """(n, T + 1) sums of the columns before each position."""
    return np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)


Read = Callable[[IntArray, IntArray, float], tuple[FloatArray, FloatArray, FloatArray, BoolArray]]


def first_found(
    n: int, q: int, read: Read, phase: IntArray, every: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Each series by the strictest reading that finds a case: its phase, then every phase, then any observed share."""
    quantiles, mean, sd = np.zeros((n, q)), np.zeros(n), np.zeros(n)
    rows = np.arange(n)
    for columns, least in ((phase, LEAST_SHARE_SEEN), (every, LEAST_SHARE_SEEN), (every, 0.0)):
        if not len(rows) or not len(columns):
            continue
        quantiles[rows], mean[rows], sd[rows], found = read(columns, rows, least)
        rows = rows[~found]
    return quantiles, mean, sd


def observed_quantiles(
    values: FloatArray, share: FloatArray, young: BoolArray, least: float, levels: tuple[float, ...]
) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
    """Quantiles (n, q), means, standard deviations and whether any case was found (n,), of the cells observed to at
    least the share `least`, each divided by its share. The mean is Σ values / Σ share: a cell counts by what was seen
    of it."""
    out = young | (share < least - 1e-9) | (share <= 1e-9)
    weight = np.where(out, 0.0, share).sum(axis=1)
    found: BoolArray = weight > 0
    quantiles, _, sd = live_quantiles(np.where(out, 0.0, values / np.where(out, 1.0, share)), out, levels)
    mean: FloatArray = np.where(out, 0.0, values).sum(axis=1) / np.where(found, weight, 1.0)
    return quantiles, mean, sd, found


def live_quantiles(
    values: FloatArray, young: np.ndarray, levels: tuple[float, ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Quantiles (n, q), means and standard deviations (n,) of each row, leaving out the cells marked young; 0 where
    nothing is left.

    Rows are sorted with the young cells last, so that short rows need no slower path than full ones.
    """
    count = (~young).sum(axis=1)
    ordered = np.sort(np.where(young, np.inf, values), axis=1)
    top = np.maximum(count - 1, 0)[:, None]
    position = top * np.array(levels)[None, :]
    low = np.floor(position).astype(np.int64)
    held = np.where(np.isinf(ordered), 0.0, ordered)
    left, right = np.take_along_axis(held, low, axis=1), np.take_along_axis(held, np.minimum(low + 1, top), axis=1)
    kept, safe = np.where(young, 0.0, values), np.maximum(count, 1)
    mean = kept.sum(axis=1) / safe
    sd = np.sqrt(np.maximum((kept**2).sum(axis=1) / safe - mean**2, 0.0))
    return left + (position - low) * (right - left), mean, sd
