"""Small worlds for the engine's tests."""

from __future__ import annotations

from datetime import date

import numpy as np

from forecasting.engine import Panel

WEEK = np.array([1.2, 1.0, 1.0, 1.0, 1.4, 0.0, 0.8])


def panel_of(values, *, starts=None, freq="D", in_stock=None) -> Panel:
    values = np.asarray(values, dtype=float)
    starts = np.zeros(len(values), dtype=np.int64) if starts is None else np.asarray(starts, dtype=np.int64)
    return Panel(tuple(f"S{i}" for i in range(len(values))), values, starts, in_stock, freq, date(2026, 1, 5))


def shop(n: int = 60, periods: int = 210, *, seed: int = 7, closed_on_saturday: bool = True) -> np.ndarray:
    """Poisson demand, rates 0.3 to 12 a day, a weekday profile; column 5 of each week (Saturday) is closed."""
    rng = np.random.default_rng(seed)
    week = WEEK if closed_on_saturday else np.ones(7)
    rates = np.geomspace(0.3, 12, n)
    return rng.poisson(rates[:, None] * week[np.arange(periods) % 7][None, :]).astype(float)
