"""Exponential smoothing: every parameter set of a grid runs over the history; at each origin the one with the least
squared one-step error so far is kept."""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.compiled import LANES, kernel
from forecasting.engine.types import FloatArray, IntArray


@kernel
def side_by_side(values: FloatArray, first: int, out: FloatArray) -> None:
    """Copy sixteen rows of values (n, T) from `first` on into the columns of out (T, 16); rows beyond the last stay."""
    for lane in range(min(LANES, len(values) - first)):
        for t in range(values.shape[1]):
            out[t, lane] = values[first + lane, t]


@kernel
def damped_trend(
    demand: FloatArray, weight: FloatArray, initial: FloatArray, grid: FloatArray, damping: float, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """States (n, O, 2) = level, trend and squared errors (n, O) of the best of grid (G, 2) = α, β at each origin.

    e = y − w(ℓ + φb); ℓ ← ℓ + φb + αe; b ← φb + αβe. With β = 0 it is simple smoothing of the level.
    """
    n, periods = demand.shape
    states = np.zeros((n, len(origins), 2))
    losses = np.full((n, len(origins)), np.inf)
    y, w = np.zeros((periods, LANES)), np.zeros((periods, LANES))
    now = np.zeros((3, LANES))
    for first in range(0, n, LANES):
        side_by_side(demand, first, y)
        side_by_side(weight, first, w)
        width = min(LANES, n - first)
        for g in range(len(grid)):
            alpha, gain = grid[g, 0], grid[g, 0] * grid[g, 1]
            now[:] = 0.0
            now[0, :width] = initial[first : first + width]
            t = 0
            for j in range(len(origins)):
                while t < origins[j]:
                    for lane in range(LANES):
                        drift = damping * now[1, lane]
                        ahead = now[0, lane] + drift
                        miss = y[t, lane] - w[t, lane] * ahead
                        now[2, lane] += miss * miss
                        now[0, lane] = ahead + alpha * miss
                        now[1, lane] = drift + gain * miss
                    t += 1
                for lane in range(width):
                    if now[2, lane] < losses[first + lane, j]:
                        losses[first + lane, j] = now[2, lane]
                        states[first + lane, j, 0] = now[0, lane]
                        states[first + lane, j, 1] = now[1, lane]
    return states, losses


@kernel
def additive_season(
    demand: FloatArray,
    weight: FloatArray,
    level: FloatArray,
    season: FloatArray,
    grid: FloatArray,
    damping: float,
    origins: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """States (n, O, 2 + m) = level, trend, season by phase t mod m, and squared errors (n, O), of the best of grid
    (G, 3) = α, β, γ: e = y − w(ℓ + φb + s); ℓ ← ℓ + φb + αe; b ← φb + αβe; s ← s + γe."""
    n, periods = demand.shape
    length = season.shape[1]
    states = np.zeros((n, len(origins), 2 + length))
    losses = np.full((n, len(origins)), np.inf)
    y, w = np.zeros((periods, LANES)), np.zeros((periods, LANES))
    now = np.zeros((3 + length, LANES))
    for first in range(0, n, LANES):
        side_by_side(demand, first, y)
        side_by_side(weight, first, w)
        width = min(LANES, n - first)
        for g in range(len(grid)):
            alpha, gain, gamma = grid[g, 0], grid[g, 0] * grid[g, 1], grid[g, 2]
            now[:] = 0.0
            for lane in range(width):
                now[0, lane] = level[first + lane]
                for p in range(length):
                    now[3 + p, lane] = season[first + lane, p]
            t, row = 0, 3
            for j in range(len(origins)):
                while t < origins[j]:
                    for lane in range(LANES):
                        drift = damping * now[1, lane]
                        ahead = now[0, lane] + drift
                        miss = y[t, lane] - w[t, lane] * (ahead + now[row, lane])
                        now[2, lane] += miss * miss
                        now[0, lane] = ahead + alpha * miss
                        now[1, lane] = drift + gain * miss
                        now[row, lane] += gamma * miss
                    t += 1
                    row = row + 1 if row < 2 + length else 3
                for lane in range(width):
                    if now[2, lane] < losses[first + lane, j]:
                        losses[first + lane, j] = now[2, lane]
                        states[first + lane, j, 0] = now[0, lane]
                        states[first + lane, j, 1] = now[1, lane]
                        for p in range(length):
                            states[first + lane, j, 2 + p] = now[3 + p, lane]
    return states, losses
