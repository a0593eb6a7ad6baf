"""What is known of a young item at each origin: its few sales, counted and measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.types import BoolArray, FloatArray


@dataclass(frozen=True)
class Early:
    """A young item's own record at each origin, all (n, O).

    events number of periods with a sale; units sold; exposure seen (seasonal weight); late_units and late_exposure of
    the last block of periods; logs and squares Σ ln size and Σ ln² size; first units of the first sale; silent
    observed periods since the last sale (since the start without one); age periods since the start.
    """

    events: FloatArray
    units: FloatArray
    exposure: FloatArray
    late_units: FloatArray
    late_exposure: FloatArray
    logs: FloatArray
    squares: FloatArray
    first: FloatArray
    silent: FloatArray
    age: FloatArray


def early_of(frame: Frame) -> Early:
    """Sums of everything before each origin; nothing after it enters."""
    sold, cut = frame.demand > 0, frame.origins
    recent = np.maximum(cut - frame.calendar.rhythm.block, 0)
    size = np.log(np.where(sold, frame.demand, 1.0))
    events, units, exposure, logs, squares = (
        before(m) for m in (sold.astype(float), frame.demand, frame.weight, size, size**2)
    )
    return Early(
        events[:, cut],
        units[:, cut],
        exposure[:, cut],
        units[:, cut] - units[:, recent],
        exposure[:, cut] - exposure[:, recent],
        logs[:, cut],
        squares[:, cut],
        opening_sale(frame),
        silence(frame),
        np.maximum(cut[None, :] - frame.starts[:, None], 0).astype(float),
    )


def before(values: FloatArray) -> FloatArray:
    """(n, T + 1) sums of the columns before each position."""
    return np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)


def opening_sale(frame: Frame) -> FloatArray:
    """(n, O) units of the first sale, 0 as long as there was none: shops first stock up on what is new."""
    sold = frame.demand > 0
    begun = np.where(sold.any(axis=1), sold.argmax(axis=1), frame.demand.shape[1])
    units = np.where(sold.any(axis=1), frame.demand[np.arange(len(sold)), sold.argmax(axis=1)], 0.0)
    return np.where(begun[:, None] < frame.origins[None, :], units[:, None], 0.0)


def silence(frame: Frame) -> FloatArray:
    """(n, O) observed open periods since the last sale, or since the start."""
    sold = frame.demand > 0
    index = np.where(sold, np.arange(1, sold.shape[1] + 1)[None, :], 0)
    last = np.concatenate([np.zeros((len(sold), 1), dtype=np.int64), np.maximum.accumulate(index, axis=1)], axis=1)
    begin = np.minimum(np.maximum(last[:, frame.origins], frame.starts[:, None]), frame.origins[None, :])
    seen = before(frame.open_share)
    return seen[:, frame.origins] - np.take_along_axis(seen, begin, axis=1)


def known_young(frame: Frame, oldest: int) -> BoolArray:
    """(n, O) whether the item is in its first `oldest` periods at the origin (0 = about to start)."""
    age = frame.origins[None, :] - frame.starts[:, None]
    return (age >= 0) & (age <= oldest)
