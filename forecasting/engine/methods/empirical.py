"""Quantiles of a series' own past sums: no model, no panel; hard to beat on extremely sparse demand."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.types import FloatArray

MEMORY_BLOCKS = 30


def empirical_window(
    frame: Frame, actual: FloatArray, origin: int, window: int, levels: tuple[float, ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Quantiles (n, q), means and standard deviations (n,) of the sums of `window` consecutive periods that ended
    before the origin, within the last 30 blocks.

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
    return live_quantiles(sums, begins[None, :] < frame.starts[:, None], levels)


def empirical_step(
    frame: Frame, actual: FloatArray, step: int, levels: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Quantiles (n, q) and means (n,) of single past periods at the season's phase of `step` periods ahead of the
    present."""
    origin, season = int(frame.origins[-1]), frame.season
    columns = np.arange(origin - season + step % season, -1, -season)[:MEMORY_BLOCKS]
    values = actual[:, columns]
    quantiles, mean, _ = live_quantiles(values, columns[None, :] < frame.starts[:, None], levels)
    return quantiles, mean


def live_quantiles(
    values: FloatArray, young: np.ndarray, levels: tuple[float, ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Quantiles (n, q), means and standard deviations (n,) of each row, leaving out cells before the start; 0 where
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
