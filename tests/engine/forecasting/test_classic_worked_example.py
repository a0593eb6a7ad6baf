"""The page docs/forecast-worked-example.md, recomputed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from forecasting.engine import Panel, fit_pooled, forecast_panel
from forecasting.engine.methods.arima import fit_arima, kpss, select_arima
from forecasting.engine.methods.registry import forecaster

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "forecast-worked-example.md").read_text()
SALES = np.array([100.0, 120, 130, 140, 150, 160])
PANEL = Panel(("LAMP",), SALES[None], np.zeros(1, dtype=np.int64), None, "M", date(2026, 1, 1))
LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    """(7, 6) the numbers of the page's table."""
    rows = [line.split("|")[2:-1] for line in PAGE.splitlines() if line.startswith("| ")][1:]
    return np.array([[float(cell) for cell in row] for row in rows])


def test_the_arima_columns_are_what_arima_says(table):
    method, fit = forecaster("arima"), select_arima(SALES, 1)

    steps, window = method.fit_predict(PANEL, 6, LEVELS)[0], method.window_quantiles(PANEL, (6,), LEVELS)[0, 0]

    assert table[:6, 0].tolist() == fit.forecast(6).mean.tolist()
    assert table[6, 0] == fit.forecast(6).mean.sum()
    assert np.array_equal(table[:6, 1:3], steps[:, [0, 2]].round())
    assert table[6, 1:3].tolist() == window[[0, 2]].round().tolist()
    assert f"above it, {steps[:, 2].sum():.0f}:" in PAGE


def test_the_chosen_columns_are_what_the_engine_says(table):
    pooled = fit_pooled(PANEL, quantiles=LEVELS, horizon=6, windows=(6,))

    found = forecast_panel(PANEL, horizon=6, quantiles=LEVELS, windows=(6,), pooled=pooled)

    assert table[:6, 3].tolist() == found.mean[0].round().tolist()
    assert np.array_equal(table[:6, 4:], found.quantiles[0][:, [0, 2]].round())
    assert table[6, 3:].tolist() == [found.window_mean[0, 0].round(), *found.window_quantiles[0, 0, [0, 2]].round()]
    assert found.choices[0].method == "short_trend"
    assert f"*{found.choices[0].fallback}*" in PAGE


def test_the_steps_by_hand_are_what_the_code_computes():
    fit, walk = select_arima(SALES, 1), fit_arima(SALES, (0, 1, 0, 0, 0, 0, 1, 0))
    spread = fit.forecast(6).step_sd()

    assert f"gives {kpss(SALES):.3f}, above its limit of 0.463" in PAGE
    assert kpss(np.diff(SALES)) < 0.463
    assert fit.order == (0, 1, 0, 0, 0, 0, 1, 1)
    assert f"has {fit.aicc:.2f}; without the drift {walk.aicc:.2f}" in PAGE
    assert fit.mean == pytest.approx(12)
    assert f"√(80 / 4) = {spread[0]:.2f}" in PAGE
    assert f"in July, {spread[5]:.2f} in December" in PAGE


def test_the_methods_in_between_say_what_the_page_says():
    sums = {n: forecaster(n).window_quantiles(PANEL, (6,), (0.5,))[0, 0, 0] for n in ("holt_damped", "theta", "ses")}

    said = (
        f"a damped trend says {sums['holt_damped']:.0f}, Theta {sums['theta']:.0f}, simple smoothing {sums['ses']:.0f}"
    )
    assert said in PAGE
