"""Exponential smoothing, vectorised over series × parameters in one pass over time; parameters are chosen anew at
every origin."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.types import FloatArray, IntArray

SES_ALPHAS = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8])
HOLT_GRID = np.array([(a, b) for a in (0.02, 0.05, 0.1, 0.2, 0.4) for b in (0.05, 0.2)])
HW_GRID = np.array([(a, b, g) for a in (0.02, 0.05, 0.1, 0.3) for b in (0.05,) for g in (0.02, 0.1)])
DAMPING = 0.95


def pick(states: FloatArray, loss: FloatArray) -> FloatArray:
    """states (G, O, n, …) at the parameters whose squared error up to each origin, loss (G, O, n), is least → (n, O,
    …)."""
    best = loss.argmin(axis=0)
    index = best.reshape(1, *best.shape, *([1] * (states.ndim - 3)))
    chosen = np.take_along_axis(states, index, axis=0)[0]
    return np.swapaxes(chosen, 0, 1)


def ses_states(
    demand: FloatArray, weight: FloatArray, initial: FloatArray, alphas: FloatArray, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Levels and running squared errors (G, O, n) of ℓ ← ℓ + α(y − wℓ), w the expected share of the period (1 = plain
    SES).

    y = 3, 5, 9 with ℓ₀ = 2, α = .2: 2.2, 2.76, 4.008 (Brown's recursion; Hyndman & Athanasopoulos, fpp3 §8.1).
    """
    y, w = np.ascontiguousarray(demand.T), np.ascontiguousarray(weight.T)
    alpha = alphas[:, None]
    level = np.repeat(initial[None, :], len(alphas), axis=0)
    loss = np.zeros_like(level)
    levels = np.zeros((len(alphas), len(origins), len(demand)))
    losses = np.zeros_like(levels)
    stops: dict[int, list[int]] = {}
    for j, o in enumerate(origins):
        stops.setdefault(int(o), []).append(j)
    for t in range(len(y)):
        miss = y[t] - w[t] * level
        loss += miss * miss
        level = level + alpha * miss
        for j in stops.get(t + 1, ()):
            levels[:, j], losses[:, j] = level, loss
    return levels, losses


def simple_smoothing(frame: Frame) -> FloatArray:
    """(n, O, H) SES level × seasonal factor."""
    levels, losses = ses_states(frame.demand, frame.weight, frame.initial_level(), SES_ALPHAS, frame.origins)
    return np.maximum(pick(levels, losses), 0.0)[:, :, None] * frame.factor


def holt_states(
    demand: FloatArray, weight: FloatArray, initial: FloatArray, grid: FloatArray, damping: float, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """States (G, O, n, 2) = level, trend, and losses (G, O, n) of the damped trend in error-correction form.

    e = y − w(ℓ + φb); ℓ ← ℓ + φb + αe; b ← φb + αβe (ETS(A,Ad,N); fpp3 §8.5). Initial trend 0. φ = 1 is Holt's linear
    trend.
    """
    y, w = np.ascontiguousarray(demand.T), np.ascontiguousarray(weight.T)
    alpha, gain = grid[:, :1], grid[:, :1] * grid[:, 1:2]
    level = np.repeat(initial[None, :], len(grid), axis=0)
    trend, loss = np.zeros_like(level), np.zeros_like(level)
    states = np.zeros((len(grid), len(origins), len(demand), 2))
    losses = np.zeros(states.shape[:3])
    at = {int(o): j for j, o in enumerate(origins)}
    for t in range(len(y)):
        drift = damping * trend
        ahead = level + drift
        miss = y[t] - w[t] * ahead
        loss += miss * miss
        level = ahead + alpha * miss
        trend = drift + gain * miss
        j = at.get(t + 1)
        if j is not None:
            states[:, j, :, 0], states[:, j, :, 1], losses[:, j] = level, trend, loss
    return states, losses


def damped_sum(horizon: int, damping: float) -> FloatArray:
    """(H,) φ + φ² + … + φ^h."""
    return np.cumsum(damping ** np.arange(1, horizon + 1))


def holt_damped(frame: Frame) -> FloatArray:
    """(n, O, H) max(0, ℓ + (φ + … + φ^h) b) × seasonal factor."""
    states, losses = holt_states(frame.demand, frame.weight, frame.initial_level(), HOLT_GRID, DAMPING, frame.origins)
    best = pick(states, losses)
    line = best[:, :, :1] + best[:, :, 1:2] * damped_sum(frame.horizon, DAMPING)
    return np.maximum(line, 0.0) * frame.factor


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
    y, w = np.ascontiguousarray(demand.T), np.ascontiguousarray(weight.T)
    alpha, gain, gamma = grid[:, :1], grid[:, :1] * grid[:, 1:2], grid[:, 2:3]
    length, shape = season.shape[1], (len(grid), len(demand))
    now = np.broadcast_to(level, shape).copy()
    trend, loss = np.zeros(shape), np.zeros(shape)
    cycle = [np.broadcast_to(season[:, p], shape).copy() for p in range(length)]
    states = np.zeros((len(grid), len(origins), len(demand), 2 + length))
    losses = np.zeros(states.shape[:3])
    at = {int(o): j for j, o in enumerate(origins)}
    for t in range(len(y)):
        phase = t % length
        drift = damping * trend
        ahead = now + drift
        miss = y[t] - w[t] * (ahead + cycle[phase])
        loss += miss * miss
        now = ahead + alpha * miss
        trend = drift + gain * miss
        cycle[phase] = cycle[phase] + gamma * miss
        j = at.get(t + 1)
        if j is not None:
            states[:, j, :, 0], states[:, j, :, 1], losses[:, j] = now, trend, loss
            for p in range(length):
                states[:, j, :, 2 + p] = cycle[p]
    return states, losses


def holt_winters(frame: Frame) -> FloatArray:
    """(n, O, H) max(0, ℓ + (φ + … + φ^h) b + s). Seasons of 2 to 24 periods; without a season it is the damped
    trend."""
    length = frame.season
    if not 2 <= length <= 24:
        return holt_damped(frame)
    level = frame.initial_level()
    first = frame.factor[:, 0, (np.arange(length) - frame.origins[0]) % length] if frame.horizon >= length else None
    season = np.zeros((len(level), length)) if first is None else level[:, None] * (first - 1.0)
    states, losses = holt_winters_states(frame.demand, frame.open_share, level, season, HW_GRID, DAMPING, frame.origins)
    best = pick(states, losses)
    phases = (frame.origins[:, None] + np.arange(frame.horizon)[None, :]) % length
    cycle = np.take_along_axis(best[:, :, 2:], np.broadcast_to(phases, (len(best), *phases.shape)), axis=2)
    return np.maximum(best[:, :, :1] + best[:, :, 1:2] * damped_sum(frame.horizon, DAMPING) + cycle, 0.0)
