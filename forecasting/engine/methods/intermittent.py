"""Intermittent demand: Croston's method with the Syntetos–Boylan correction, and TSB, which lets dead stock fade."""

from __future__ import annotations

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.kernels.intermittent import croston, fading
from forecasting.engine.lines import Line
from forecasting.engine.types import FloatArray, IntArray

CROSTON_ALPHAS = np.array([0.03, 0.07, 0.15, 0.3])
TSB_GRID = np.array([(a, b) for a in (0.05, 0.2) for b in (0.01, 0.03, 0.08, 0.2)])
SHORTEST_INTERVAL = 0.1


def croston_states(
    demand: FloatArray, weight: FloatArray, alphas: FloatArray, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Rates (G, O, n) = (1 − α/2) · size / interval, and running squared errors, of each α.

    At a sale: size ← size + α(y − size), interval ← interval + α(gap − interval); the first sale sets both. Gaps are
    counted in
    exposure, so closed days are no interval. Croston (1972); correction: Syntetos & Boylan (2005). Never decays
    without sales.
    """
    each = [croston(demand, weight, alphas[[g]], SHORTEST_INTERVAL, origins) for g in range(len(alphas))]
    return np.stack([rates.T for rates, _ in each]), np.stack([losses.T for _, losses in each])


def croston_sba_line(frame: Frame) -> Line:
    """Croston–SBA rate × seasonal factor."""
    return Line(croston(frame.demand, frame.weight, CROSTON_ALPHAS, SHORTEST_INTERVAL, frame.origins)[0])


def croston_sba(frame: Frame) -> FloatArray:
    """(n, O, H) the path of `croston_sba_line`."""
    return croston_sba_line(frame).path(frame)


def tsb_states(
    demand: FloatArray, weight: FloatArray, initial: FloatArray, grid: FloatArray, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Rates (G, O, n) = chance × size, and running squared errors. Teunter, Syntetos & Babai (2011).

    Every period: chance ← chance + β(1[y > 0] − w·chance); at a sale: size ← size + α(y − size). `initial` (n,) is the
    first chance;
    the first sale sets the size.
    """
    each = [fading(demand, weight, initial, grid[[g]], origins) for g in range(len(grid))]
    return np.stack([rates.T for rates, _ in each]), np.stack([losses.T for _, losses in each])


def tsb_line(frame: Frame) -> Line:
    """TSB rate × seasonal factor."""
    length = max(frame.calendar.rhythm.min_history // 2, 1)
    sold, weight = frame.first_periods(length)
    chance = (sold > 0).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0)
    return Line(fading(frame.demand, frame.weight, chance, TSB_GRID, frame.origins)[0])


def tsb(frame: Frame) -> FloatArray:
    """(n, O, H) the path of `tsb_line`."""
    return tsb_line(frame).path(frame)
