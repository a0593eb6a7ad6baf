"""How a forecast ramps up, fades and stops: shares of each step ahead, and the forecasts of those they touch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from forecasting.engine.newcomers.curve import EPS, LEAST_ITEMS, aligned, block_sums, relative_curve
from forecasting.engine.newcomers.handover import hand_over
from forecasting.engine.newcomers.kinship import Kinship
from forecasting.engine.types import FloatArray, IntArray, Panel, PanelForecast

FADE_BLOCKS = 8
Forecast = Callable[[Panel, tuple[int, ...], IntArray | None], PanelForecast]


def fading_curve(demand: FloatArray, weight: FloatArray, block: int) -> FloatArray:
    """(8,) demand 8, 7, … 1 blocks before the end relative to the first of them, never rising; ones below 20 items.

    An item has ended when it sold nothing in the last 8 blocks of the history but in 16 blocks before its last sale.
    The last block always holds the last sale: it is set on the line of the two before it, not above.
    """
    length, periods = FADE_BLOCKS * block, demand.shape[1]
    last = np.where(demand > 0, np.arange(1, periods + 1)[None, :], 0).max(axis=1, initial=0)
    first = np.where(demand > 0, np.arange(periods)[None, :], periods).min(axis=1, initial=periods)
    rows = np.flatnonzero((last > 0) & (last <= periods - length) & (last - first >= 2 * length))
    if len(rows) < LEAST_ITEMS:
        return np.ones(FADE_BLOCKS)
    top, base = (block_sums(aligned(m[rows], last[rows] - length, length), block) for m in (demand, weight))
    curve = relative_curve(top, base)
    curve[-1] = min(curve[-1], max(2.0 * curve[-2] - curve[-3], 0.0))
    fallen: FloatArray = np.minimum.accumulate(curve) / max(float(curve[0]), EPS)
    return fallen


def fade(curve: FloatArray, left: IntArray, horizon: int, block: int) -> FloatArray:
    """(n, H) share of today's demand at each step for items with `left` (n,) periods to go (−1 = no end), 0 from then.

    Curve 1 … 1 .5 by week, 14 days left: the first week 1, the second .5, then 0.
    """
    step = np.arange(horizon)[None, :]
    blocks = len(curve)
    ago = np.clip(blocks - (left[:, None] - step - 0.5) / block, 0.0, blocks - 1e-9)
    now = np.clip(blocks - (left - 0.5) / block, 0.0, blocks - 1e-9)
    share = curve[ago.astype(np.int64)] / np.maximum(curve[now.astype(np.int64)], EPS)[:, None]
    share = np.where(step < left[:, None], np.minimum(share, 1.0), 0.0)
    return np.where((left < 0)[:, None], 1.0, share)


def shares_ahead(kinship: Kinship, present: int, horizon: int, block: int, curve: FloatArray) -> FloatArray:
    """(n, H) what is left of each step's demand: nothing before the launch, the successor's share, less and less before
    the end. A predecessor without an end of its own keeps what its successor has not yet taken."""
    share = kinship.take_over(present, horizon, block)
    for row in np.flatnonzero(kinship.predecessor >= 0):
        old = int(kinship.predecessor[row])
        if kinship.end[old] < 0:
            share[old] = share[old] * (1.0 - kinship.take_over(present, horizon, block)[row])
    waiting = present + np.arange(horizon)[None, :] < kinship.launch[:, None]
    left = np.where(kinship.end >= 0, np.maximum(kinship.end - present, 0), -1)
    return np.where(waiting, 0.0, share) * fade(curve, left, horizon, block)


def sold_out(mean: FloatArray, share: FloatArray) -> FloatArray:
    """(n, H) units still expected to sell by each step: the stock beyond the last column is left over at the end."""
    cumulated: FloatArray = (mean * share).cumsum(axis=1)
    return cumulated


def forecast_kin(
    panel: Panel,
    kinship: Kinship,
    forecast: Forecast,
    windows: tuple[int, ...],
    own: IntArray | None,
    block: int,
    curve: FloatArray,
) -> PanelForecast:
    """Forecast with the pasts handed over, then let the steps and windows of touched rows wait, ramp up, fade and stop.

    A window of k steps of which only m are on sale has the quantiles of a window of m, times the share of its mean that
    is left: quantiles of a shorter sum are relatively wider, scaling the longer one would understate them.
    """
    if len(kinship.predecessor) != len(panel.ids):
        raise ValueError(f"kinship: {len(kinship.predecessor)} rows for {len(panel.ids)} series")
    whole = hand_over(panel, kinship, block)
    result = forecast(whole, windows, own)
    present = panel.values.shape[1]
    rows = kinship.touched(present)
    if not len(rows):
        return result
    longest = max([result.horizon, *windows, *([] if own is None else [int(own.max())])])
    share = shares_ahead(kinship, present, longest, block, curve)[rows]
    some = whole.take(rows)
    delay = np.maximum(kinship.launch[rows] - present, 0)
    return _Touched(result, rows, share, delay).applied(some, forecast, windows, own)


class _Touched:
    """The rows of one result that wait, ramp, fade or stop."""

    def __init__(self, result: PanelForecast, rows: IntArray, share: FloatArray, delay: IntArray) -> None:
        self.result, self.rows, self.share, self.delay = result, rows, share, delay

    def applied(self, some: Panel, forecast: Forecast, windows: tuple[int, ...], own: IntArray | None) -> PanelForecast:
        result, rows, h = self.result, self.rows, self.result.horizon
        mean, quantiles = result.mean.copy(), result.quantiles.copy()
        moved = np.maximum(np.arange(h)[None, :] - self.delay[:, None], 0)
        mean[rows] = np.take_along_axis(mean[rows], moved, axis=1) * self.share[:, :h]
        steps = np.take_along_axis(quantiles[rows], moved[:, :, None], axis=1)
        quantiles[rows] = steps * self.share[:, :h, None]
        window_mean, window_quantiles = result.window_mean.copy(), result.window_quantiles.copy()
        for j, window in enumerate(windows):
            read = self.window(some, forecast, np.full(len(rows), window))
            window_mean[rows, j], _, window_quantiles[rows, j] = read
        done = replace(
            result, mean=mean, quantiles=quantiles, window_mean=window_mean, window_quantiles=window_quantiles
        )
        return done if own is None else self.with_own(done, self.window(some, forecast, own[rows]))

    def with_own(self, done: PanelForecast, read: tuple[FloatArray, FloatArray, FloatArray]) -> PanelForecast:
        arrays = [np.array(a) for a in (done.protection_mean, done.protection_sd, done.protection_quantiles)]
        for array, values in zip(arrays, read, strict=True):
            array[self.rows] = values
        return replace(done, protection_mean=arrays[0], protection_sd=arrays[1], protection_quantiles=arrays[2])

    def window(self, some: Panel, forecast: Forecast, windows: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean, standard deviation and quantiles of the sum over windows[i] steps, of which some are not on sale."""
        inside = np.arange(self.share.shape[1])[None, :] < windows[:, None]
        active = (inside & (self.share > 0)).sum(axis=1)
        read = forecast(some, (), np.maximum(active, 1))
        left = np.where(inside, self.share, 0.0).sum(axis=1) / np.maximum(active, 1)
        mean, sd, quantiles = (
            np.asarray(a) for a in (read.protection_mean, read.protection_sd, read.protection_quantiles)
        )
        return mean * left, sd * left, quantiles * left[:, None]
