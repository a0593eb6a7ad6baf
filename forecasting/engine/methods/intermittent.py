"""Intermittent demand: Croston's method with the Syntetos–Boylan correction, and TSB, which lets dead stock fade."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.methods.smoothing import pick
from forecasting.engine.types import FloatArray, IntArray

CROSTON_ALPHAS = np.array([0.03, 0.07, 0.15, 0.3])
TSB_GRID = np.array([(a, b) for a in (0.05, 0.2) for b in (0.01, 0.03, 0.08, 0.2)])
SHORTEST_INTERVAL = 0.1


def croston_states(
    demand: FloatArray, weight: FloatArray, alphas: FloatArray, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Rates (G, O, n) = (1 − α/2) · size / interval, and running squared errors.

    At a sale: size ← size + α(y − size), interval ← interval + α(gap − interval); the first sale sets both. Gaps are
    counted in
    exposure, so closed days are no interval. Croston (1972); correction: Syntetos & Boylan (2005). Never decays
    without sales.
    """
    y, w = np.ascontiguousarray(demand.T), np.ascontiguousarray(weight.T)
    alpha, shape = alphas[:, None], (len(alphas), len(demand))
    size, interval = np.zeros(shape), np.ones(shape)
    gap, seen = np.zeros(len(demand)), np.zeros(len(demand), dtype=bool)
    rate, loss = np.zeros(shape), np.zeros(shape)
    rates, losses = (
        np.zeros((len(alphas), len(origins), len(demand))),
        np.zeros((len(alphas), len(origins), len(demand))),
    )
    at = {int(o): j for j, o in enumerate(origins)}
    for t in range(len(y)):
        miss = y[t] - w[t] * rate
        loss += miss * miss
        gap = gap + w[t]
        sold = y[t] > 0
        if sold.any():
            length = np.maximum(gap, SHORTEST_INTERVAL)
            gain = np.where(seen, alpha, 1.0)
            size = np.where(sold, size + gain * (y[t] - size), size)
            interval = np.where(sold, interval + gain * (length - interval), interval)
            rate = np.where(sold, (1.0 - alpha / 2.0) * size / interval, rate)
            gap = np.where(sold, 0.0, gap)
            seen = seen | sold
        j = at.get(t + 1)
        if j is not None:
            rates[:, j], losses[:, j] = rate, loss
    return rates, losses


def croston_sba(frame: Frame) -> FloatArray:
    """(n, O, H) Croston–SBA rate × seasonal factor."""
    rates, losses = croston_states(frame.demand, frame.weight, CROSTON_ALPHAS, frame.origins)
    return pick(rates, losses)[:, :, None] * frame.factor


def tsb_states(
    demand: FloatArray, weight: FloatArray, initial: FloatArray, grid: FloatArray, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Rates (G, O, n) = chance × size, and running squared errors. Teunter, Syntetos & Babai (2011).

    Every period: chance ← chance + β(1[y > 0] − w·chance); at a sale: size ← size + α(y − size). `initial` (n,) is the
    first chance;
    the first sale sets the size.
    """
    y, w = np.ascontiguousarray(demand.T), np.ascontiguousarray(weight.T)
    alpha, beta, shape = grid[:, :1], grid[:, 1:2], (len(grid), len(demand))
    size, chance = np.zeros(shape), np.repeat(initial[None, :], len(grid), axis=0)
    seen, loss = np.zeros(len(demand), dtype=bool), np.zeros(shape)
    rates, losses = np.zeros((len(grid), len(origins), len(demand))), np.zeros((len(grid), len(origins), len(demand)))
    at = {int(o): j for j, o in enumerate(origins)}
    for t in range(len(y)):
        miss = y[t] - w[t] * (chance * size)
        loss += miss * miss
        sold = y[t] > 0
        size = np.where(sold, size + np.where(seen, alpha, 1.0) * (y[t] - size), size)
        chance = np.maximum(chance + beta * (sold - w[t] * chance), 0.0)
        seen = seen | sold
        j = at.get(t + 1)
        if j is not None:
            rates[:, j], losses[:, j] = chance * size, loss
    return rates, losses


def tsb(frame: Frame) -> FloatArray:
    """(n, O, H) TSB rate × seasonal factor."""
    length = max(frame.calendar.rhythm.min_history // 2, 1)
    age = np.arange(frame.demand.shape[1])[None, :] - frame.starts[:, None]
    first = (age >= 0) & (age < length)
    initial = ((frame.demand > 0) & first).sum(axis=1) / np.maximum((frame.weight * first).sum(axis=1), 1.0)
    rates, losses = tsb_states(frame.demand, frame.weight, initial, TSB_GRID, frame.origins)
    return pick(rates, losses)[:, :, None] * frame.factor
