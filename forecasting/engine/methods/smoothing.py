"""Exponential smoothing over small grids of parameters, chosen anew at every origin by the one-step errors so far."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.kernels.smoothing import additive_season, damped_trend
from forecasting.engine.lines import DAMPING, Line
from forecasting.engine.lines import damped_sum as damped_sum
from forecasting.engine.types import FloatArray, IntArray

SES_ALPHAS = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8])
HOLT_GRID = np.array([(a, b) for a in (0.02, 0.05, 0.1, 0.2, 0.4) for b in (0.05, 0.2)])
HW_GRID = np.array([(a, b, g) for a in (0.02, 0.05, 0.1, 0.3) for b in (0.05,) for g in (0.02, 0.1)])


def ses_states(
    demand: FloatArray, weight: FloatArray, initial: FloatArray, alphas: FloatArray, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Levels and running squared errors (G, O, n) of ℓ ← ℓ + α(y − wℓ), w the expected share of the period (1 = plain
    SES).

    y = 3, 5, 9 with ℓ₀ = 2, α = .2: 2.2, 2.76, 4.008 (Brown's recursion; Hyndman & Athanasopoulos, fpp3 §8.1).
    """
    grid = np.stack([alphas, np.zeros_like(alphas)], axis=1)
    states, losses = holt_states(demand, weight, initial, grid, 1.0, origins)
    return states[..., 0], losses


def simple_smoothing_line(frame: Frame) -> Line:
    """SES level × seasonal factor."""
    grid = np.stack([SES_ALPHAS, np.zeros_like(SES_ALPHAS)], axis=1)
    states, _ = damped_trend(frame.demand, frame.weight, frame.initial_level(), grid, 1.0, frame.origins)
    return Line(states[:, :, 0])


def simple_smoothing(frame: Frame) -> FloatArray:
    """(n, O, H) the path of `simple_smoothing_line`."""
    return simple_smoothing_line(frame).path(frame)


def holt_states(
    demand: FloatArray, weight: FloatArray, initial: FloatArray, grid: FloatArray, damping: float, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """States (G, O, n, 2) = level, trend, and losses (G, O, n) of each member of the grid: the damped trend in
    error-correction form.

    e = y − w(ℓ + φb); ℓ ← ℓ + φb + αe; b ← φb + αβe (ETS(A,Ad,N); fpp3 §8.5). Initial trend 0. φ = 1 is Holt's linear
    trend.
    """
    each = [damped_trend(demand, weight, initial, grid[[g]], damping, origins) for g in range(len(grid))]
    return np.stack([np.swapaxes(s, 0, 1) for s, _ in each]), np.stack([loss.T for _, loss in each])


def holt_damped_line(frame: Frame) -> Line:
    """max(0, ℓ + (φ + … + φ^h) b) × seasonal factor."""
    states, _ = damped_trend(frame.demand, frame.weight, frame.initial_level(), HOLT_GRID, DAMPING, frame.origins)
    return Line(states[:, :, 0], trend=states[:, :, 1])


def holt_damped(frame: Frame) -> FloatArray:
    """(n, O, H) the path of `holt_damped_line`."""
    return holt_damped_line(frame).path(frame)


def holt_winters_states(
    demand: FloatArray,
    weight: FloatArray,
    level: FloatArray,
    season: FloatArray,
    grid: FloatArray,
    damping: float,
    origins: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """States (G, O, n, 2 + m) = level, trend, seasonal by phase (t mod m), and losses, of ETS(A,Ad,A) (fpp3 §8.5).

    e = y − w(ℓ + φb + s); ℓ ← ℓ + φb + αe; b ← φb + αβe; s ← s + γe. level (n,), season (n, m) are the initial states.
    """
    each = [additive_season(demand, weight, level, season, grid[[g]], damping, origins) for g in range(len(grid))]
    return np.stack([np.swapaxes(s, 0, 1) for s, _ in each]), np.stack([loss.T for _, loss in each])


def holt_winters_line(frame: Frame) -> Line:
    """max(0, ℓ + (φ + … + φ^h) b + s). Seasons of 2 to 24 periods; without a season it is the damped trend."""
    length = frame.season
    if not 2 <= length <= 24:
        return holt_damped_line(frame)
    level = frame.initial_level()
    season = np.zeros((len(level), length))
    if frame.horizon >= length:
        first = frame.factor[:, 0, (np.arange(length) - frame.origins[0]) % length]
        season = np.ascontiguousarray(level[:, None] * (first - 1.0))
    states, _ = additive_season(frame.demand, frame.open_share, level, season, HW_GRID, DAMPING, frame.origins)
    return Line(states[:, :, 0], trend=states[:, :, 1], cycle=states[:, :, 2:], seasonal=False)


def holt_winters(frame: Frame) -> FloatArray:
    """(n, O, H) the path of `holt_winters_line`."""
    return holt_winters_line(frame).path(frame)
