"""The boosted trees as one more candidate of the backtest, and as the writer of the series that choose them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecasting.engine.boosted.reader import BoostedReader
from forecasting.engine.methods import BOOSTED
from forecasting.engine.metrics import pinball
from forecasting.engine.selection import Losses
from forecasting.engine.types import FloatArray, IntArray

TAUS = (0.5, 0.8, 0.9, 0.95, 0.99)


def with_boosted(losses: Losses, reader: BoostedReader) -> Losses:
    """The same losses with the boosted candidate as one more method, scored on the same folds by models that had not
    seen them."""
    n, folds, windows = losses.actual.shape
    loss, mean, within = (np.zeros((n, folds, windows, 1)) for _ in range(3))
    band = np.zeros((n, folds, windows, 1, 2))
    scored, rows = reader.pooled.plan.scored, np.arange(n)
    for f in range(folds):
        path = reader.mean_path(f, max(scored)).cumsum(axis=1)
        for k, window in enumerate(scored):
            quantiles, _ = reader.window_quantiles(f, rows, np.full(n, window), TAUS)
            actual = losses.actual[:, f, k, None]
            unit = (losses.scale * np.sqrt(window))[:, None]
            loss[:, f, k, 0] = (pinball(actual, quantiles, np.array(TAUS)) / unit).mean(axis=1)
            mean[:, f, k, 0] = path[:, window - 1]
            within[:, f, k, 0] = actual[:, 0] <= quantiles[:, 3] + 1e-9
            band[:, f, k, 0] = quantiles[:, [0, 3]]
    return replace(
        losses,
        methods=(*losses.methods, BOOSTED),
        pinball=np.concatenate([losses.pinball, loss], axis=3),
        mean=np.concatenate([losses.mean, mean], axis=3),
        within95=np.concatenate([losses.within95, within], axis=3),
        band=None if losses.band is None else np.concatenate([losses.band, band], axis=3),
    )


def fill_boosted(
    out: dict[str, FloatArray],
    reader: BoostedReader,
    rows: IntArray,
    levels: tuple[float, ...],
    windows: tuple[int, ...],
    own: IntArray | None,
) -> None:
    """Write means and quantiles of some series into a chunk's arrays. The mean of a window is the sum of its steps."""
    present, horizon = len(reader.frame.origins) - 1, out["mean"].shape[1]
    longest = max([horizon, *windows, *([int(own[rows].max())] if own is not None else [])])
    path = reader.mean_path(present, longest, rows)
    total = path.cumsum(axis=1)
    out["mean"][rows] = path[:, :horizon]
    out["quantiles"][rows] = reader.step_quantiles(rows, horizon, levels)
    for j, window in enumerate(windows):
        out["window_mean"][rows, j] = total[:, window - 1]
        ahead = np.full(len(rows), window)
        out["window_quantiles"][rows, j], _ = reader.window_quantiles(present, rows, ahead, levels)
    if own is not None:
        mean = np.take_along_axis(total, (own[rows] - 1)[:, None], axis=1)[:, 0]
        quantiles, spread = reader.window_quantiles(present, rows, own[rows], levels)
        out["own_mean"][rows], out["own_quantiles"][rows], out["own_sd"][rows] = mean, quantiles, mean * spread
