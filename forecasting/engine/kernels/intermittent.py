"""Croston–SBA and TSB over a grid of parameters, the best at each origin; without branches, so that series run side by
side."""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.compiled import LANES, kernel
from forecasting.engine.kernels.smoothing import side_by_side
from forecasting.engine.types import FloatArray, IntArray


@kernel
def croston(
    demand: FloatArray, weight: FloatArray, alphas: FloatArray, shortest: float, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Rates and squared errors (n, O) of the best α: rate = (1 − α/2) · size / interval, moved only by sales."""
    n, periods = demand.shape
    rates, losses = np.zeros((n, len(origins))), np.full((n, len(origins)), np.inf)
    y, w = np.zeros((periods, LANES)), np.zeros((periods, LANES))
    now = np.zeros((6, LANES))  # size, interval, rate, loss, gap, seen
    for first in range(0, n, LANES):
        side_by_side(demand, first, y)
        side_by_side(weight, first, w)
        for g in range(len(alphas)):
            alpha, share = alphas[g], 1.0 - alphas[g] / 2.0
            now[:] = 0.0
            now[1] = 1.0
            t = 0
            for j in range(len(origins)):
                while t < origins[j]:
                    for lane in range(LANES):
                        asked = y[t, lane]
                        miss = asked - w[t, lane] * now[2, lane]
                        now[3, lane] += miss * miss
                        gap = now[4, lane] + w[t, lane]
                        sold = asked > 0.0
                        gain = alpha if now[5, lane] > 0.0 else 1.0
                        size = now[0, lane] + gain * (asked - now[0, lane])
                        interval = now[1, lane] + gain * (max(gap, shortest) - now[1, lane])
                        now[2, lane] = share * size / interval if sold else now[2, lane]
                        now[0, lane] = size if sold else now[0, lane]
                        now[1, lane] = interval if sold else now[1, lane]
                        now[4, lane] = 0.0 if sold else gap
                        now[5, lane] = 1.0 if sold else now[5, lane]
                    t += 1
                for lane in range(min(LANES, n - first)):
                    if now[3, lane] < losses[first + lane, j]:
                        losses[first + lane, j] = now[3, lane]
                        rates[first + lane, j] = now[2, lane]
    return rates, losses


@kernel
def fading(
    demand: FloatArray, weight: FloatArray, initial: FloatArray, grid: FloatArray, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Rates chance × size and squared errors (n, O) of TSB with the best of grid (G, 2) = α of size, β of chance."""
    n, periods = demand.shape
    rates, losses = np.zeros((n, len(origins))), np.full((n, len(origins)), np.inf)
    y, w = np.zeros((periods, LANES)), np.zeros((periods, LANES))
    now = np.zeros((4, LANES))  # size, chance, loss, seen
    for first in range(0, n, LANES):
        side_by_side(demand, first, y)
        side_by_side(weight, first, w)
        width = min(LANES, n - first)
        for g in range(len(grid)):
            alpha, beta = grid[g, 0], grid[g, 1]
            now[:] = 0.0
            now[1, :width] = initial[first : first + width]
            t = 0
            for j in range(len(origins)):
                while t < origins[j]:
                    for lane in range(LANES):
                        asked, size, chance = y[t, lane], now[0, lane], now[1, lane]
                        miss = asked - w[t, lane] * (chance * size)
                        now[2, lane] += miss * miss
                        sold = asked > 0.0
                        gain = alpha if now[3, lane] > 0.0 else 1.0
                        now[0, lane] = size + gain * (asked - size) if sold else size
                        now[1, lane] = max(chance + beta * ((1.0 if sold else 0.0) - w[t, lane] * chance), 0.0)
                        now[3, lane] = 1.0 if sold else now[3, lane]
                    t += 1
                for lane in range(width):
                    if now[2, lane] < losses[first + lane, j]:
                        losses[first + lane, j] = now[2, lane]
                        rates[first + lane, j] = now[1, lane] * now[0, lane]
    return rates, losses
