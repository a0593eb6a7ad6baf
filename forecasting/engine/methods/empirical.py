"""Quantiles of a series' own past sums: no model, no panel; hard to beat on extremely sparse demand."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.types import FloatArray

MEMORY_BLOCKS = 30


def empirical_window(frame: Frame, actual: FloatArray, origin: int, window: int, levels: tuple[float, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Quantiles (n, q), means and standard deviations (n,) of the sums of `window` consecutive periods that ended before the origin, within the last 30 blocks.

    Windows shorter than the season are taken at the season's own phase, so that Monday is compared with Mondays.
    """
    season, block = frame.season, frame.calendar.rhythm.block
    top = np.concatenate([np.zeros((len(actual), 1)), actual[:, :origin].cumsum(axis=1)], axis=1)
    stride = season if window < season else 1
    begins = np.arange(origin - window, max(origin - max(MEMORY_BLOCKS * block, 3 * window), 0) - 1, -1)
    begins = begins[(begins - origin) % stride == 0] if stride > 1 else begins
    if len(begins) == 0:
        return np.zeros((len(actual), len(levels))), np.zeros(len(actual)), np.zeros(len(actual))
    sums = top[:, begins + window] - top[:, begins]
    young = begins[None, :] < frame.starts[:, None]
    if not young.any():
        return np.quantile(sums, levels, axis=1).T, sums.mean(axis=1), sums.std(axis=1)
    held = np.where(young, np.nan, sums)
    held[young.all(axis=1)] = 0.0
    return np.nanquantile(held, levels, axis=1).T, np.nanmean(held, axis=1), np.nanstd(held, axis=1)


def empirical_step(frame: Frame, actual: FloatArray, step: int, levels: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
    """Quantiles (n, q) and means (n,) of single past periods at the season's phase of `step` periods ahead of the present."""
    origin, season = int(frame.origins[-1]), frame.season
    columns = np.arange(origin - season + step % season, -1, -season)[:MEMORY_BLOCKS]
    values = actual[:, columns]
    young = columns[None, :] < frame.starts[:, None]
    if not young.any():
        return np.quantile(values, levels, axis=1).T, values.mean(axis=1)
    held = np.where(young, np.nan, values)
    held[young.all(axis=1)] = 0.0
    return np.nanquantile(held, levels, axis=1).T, np.nanmean(held, axis=1)
