"""How demand goes on after a launch and how it fades before an end, learnt from the items that have been through it."""

from __future__ import annotations

import numpy as np

from forecasting.engine.types import FloatArray, IntArray

EPS = 1e-9
LEAST_ITEMS = 20
PRIOR_ITEMS = 10.0


def aligned(matrix: FloatArray, begins: IntArray, length: int) -> FloatArray:
    """(n, length) the columns from begins[i] on; 0 outside the matrix."""
    columns = begins[:, None] + np.arange(length)[None, :]
    inside = (columns >= 0) & (columns < matrix.shape[1])
    picked = np.take_along_axis(matrix, np.clip(columns, 0, max(matrix.shape[1] - 1, 0)), axis=1)
    return np.where(inside, picked, 0.0)


def block_sums(matrix: FloatArray, block: int) -> FloatArray:
    """(n, B) sums of consecutive blocks of columns."""
    n, length = matrix.shape
    sums: FloatArray = matrix[:, : length // block * block].reshape(n, length // block, block).sum(axis=2)
    return sums


def relative_curve(top: FloatArray, base: FloatArray) -> FloatArray:
    """(B,) demand per exposure of each block relative to its item's own mean, averaged over items, with 10 items of 1.

    Every item counts alike, whatever its scale. Two items that sold 4 2 and 40 20 a period: relative 1.33 and .67;
    (10 + 2·1.33) / 12 = 1.06 and .94.
    """
    level = top.sum(axis=1) / np.maximum(base.sum(axis=1), EPS)
    usable = (level > 0)[:, None] & (base > EPS)
    relative = np.where(usable, top / np.maximum(level[:, None] * base, EPS), 0.0)
    return (PRIOR_ITEMS + relative.sum(axis=0)) / (PRIOR_ITEMS + usable.sum(axis=0))


def launch_curve(demand: FloatArray, weight: FloatArray, starts: IntArray, block: int, blocks: int) -> FloatArray:
    """(B,) relative demand of the first `blocks` blocks of life, from items seen for all of them; ones if under 20."""
    rows = np.flatnonzero(starts + block * blocks <= demand.shape[1])
    if len(rows) < LEAST_ITEMS:
        return np.ones(blocks)
    top, base = (block_sums(aligned(m[rows], starts[rows], block * blocks), block) for m in (demand, weight))
    return relative_curve(top, base)


def relative_ahead(curve: FloatArray, age: FloatArray, horizon: int, block: int) -> FloatArray:
    """(…, H) the curve at each step after `age` periods of life (…), relative to its mean over the life so far.

    Curve 2 1 1 by week, 14 days old: mean so far 1.5, the third week 1 / 1.5 = .67 times the own mean. Beyond the last
    block the curve is flat.
    """
    whole = np.concatenate([curve[:1], curve.cumsum() / np.arange(1, len(curve) + 1)])
    so_far = np.interp(age / block, np.arange(len(whole)), whole)
    step = (age[..., None] + np.arange(horizon) + 0.5) / block
    ahead = np.interp(step, np.arange(len(curve)) + 0.5, curve)
    relative: FloatArray = ahead / so_far[..., None]
    return relative
