"""Compile the kernels before they are timed or needed: `python -m forecasting.engine.warm`, once after an install.

Numba keeps what it compiled in NUMBA_CACHE_DIR (config/machine_code.py), else beside the sources: about 15 s the first
time, half a second after.
"""

from __future__ import annotations

import numpy as np


def warm() -> None:
    """Forecast a small panel with stock-outs, so that every kernel of the everyday mode is there."""
    from forecasting.engine import Panel, forecast_panel

    draw = np.random.default_rng(0)
    values = draw.poisson(np.linspace(0.1, 4.0, 40)[:, None], (40, 220)).astype(float)
    values[0, 100] = 500.0
    in_stock = np.where(draw.random(values.shape) < 0.1, 0.5, 1.0)
    panel = Panel(tuple(map(str, range(40))), values, np.zeros(40, dtype=np.int64), in_stock, "D", None)
    forecast_panel(panel, horizon=7, quantiles=(0.5, 0.95), windows=(7,))


if __name__ == "__main__":
    warm()
