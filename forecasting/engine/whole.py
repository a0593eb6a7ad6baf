"""Whole units: what is sold by the piece is forecast by the piece."""

from __future__ import annotations

import numpy as np

from forecasting.engine.types import FloatArray

MOST_PARTS = 12
LEAST_SALES = 8
EXACT = 1e-6
SMALLEST = 1e-9
MOST_UNITS = 1e9


def sales_units(actual: FloatArray) -> FloatArray:
    """(n,) the largest unit, smallest sale / k with k ≤ 12, of which every sale of a series is a multiple; 0 where
    there is none or it is lost in rounding. Fewer than eight sales prove no pack: there it is at most 1.

    Sales 4, 6, 10, 8, 4, 2, 6, 4 → 2; 100, 120 → 1; 0.3, 0.7 → 0.1; 1.234, 5.678 → 0.
    """
    smallest = np.where(actual > 0, actual, np.inf).min(axis=1, initial=np.inf)
    units = np.zeros(len(actual))
    sold = np.isfinite(smallest) & (smallest >= SMALLEST)
    open_rows = np.flatnonzero(sold & (actual.max(axis=1, initial=0.0) <= smallest * MOST_UNITS))
    for parts in range(1, MOST_PARTS + 1):
        if not len(open_rows):
            break
        unit = smallest[open_rows] / parts
        multiple = actual[open_rows] / unit[:, None]
        fits = (np.abs(multiple - np.rint(multiple)) < EXACT).all(axis=1)
        units[open_rows[fits]] = unit[fits]
        open_rows = open_rows[~fits]
    few = ((actual > 0).sum(axis=1) < LEAST_SALES) & (units > 1)
    pieces = (np.abs(actual - np.rint(actual)) < EXACT).all(axis=1)
    return np.where(few, np.where(pieces, 1.0, 0.0), units)


def in_whole_units(quantiles: FloatArray, units: FloatArray) -> FloatArray:
    """(n, …) quantiles rounded to the nearest multiple of the series' unit, halves up: the quantile of a count is a
    count, and a median of 0.3 pieces loses against 0. units (n,), 0 = leave."""
    unit = units.reshape(-1, *([1] * (quantiles.ndim - 1)))
    safe = np.where(unit > 0, unit, 1.0)
    return np.where(unit > 0, np.floor(quantiles / safe + 0.5 + EXACT) * safe, quantiles)
