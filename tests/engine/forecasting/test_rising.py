"""A short history that rises beyond chance is followed with fading faith; one that wobbles is not."""

import numpy as np
import pytest

from forecasting.engine import Panel, forecast_panel
from forecasting.engine.rising import clear_trends, fading_trend
from forecasting.engine.whole import sales_units

GROWING = np.array([[100.0, 120, 130, 140, 150, 160]])
SEEN = np.ones((1, 6), dtype=bool)


def test_six_rises_in_a_row_are_a_trend_and_a_wobble_is_none() -> None:
    wobbling = np.array([[100.0, 160, 130, 140, 120, 150]])

    assert clear_trends(GROWING, SEEN, np.array([0])).tolist() == [True]
    assert clear_trends(-GROWING + 300, SEEN, np.array([0])).tolist() == [True]
    assert clear_trends(wobbling, SEEN, np.array([0])).tolist() == [False]


def test_four_periods_or_many_zeros_prove_no_trend() -> None:
    assert clear_trends(GROWING[:, :4], SEEN[:, :4], np.array([0])).tolist() == [False]
    assert clear_trends(np.array([[0.0, 0, 1, 2, 3, 4]]), SEEN, np.array([0])).tolist() == [False]


def test_each_step_of_the_trend_weighs_nine_tenths_of_the_one_before() -> None:
    """Slope 10 (median of the 15 pairs), level 160: 160 + 10 · (.9 + .81 + …)."""
    path = fading_trend(GROWING, SEEN, 3)

    assert path[0] == pytest.approx([169.0, 177.1, 184.39])


def test_an_unseen_period_is_no_fall() -> None:
    seen = np.array([[True, True, False, True, True, True]])

    path = fading_trend(np.array([[100.0, 110, 0, 130, 140, 150]]), seen, 1)

    assert path[0] == pytest.approx([159.0])


def test_a_falling_trend_ends_at_zero() -> None:
    assert fading_trend(np.array([[50.0, 40, 30, 20, 10, 1]]), SEEN, 6)[0, -1] == 0.0


def test_the_engine_names_the_fading_trend_of_a_short_history() -> None:
    panel = Panel(("LAMP",), GROWING, np.zeros(1, dtype=np.int64), None, "M", None)

    result = forecast_panel(panel, horizon=6, quantiles=(0.1, 0.5, 0.9))

    assert result.choices[0].method == "short_trend"
    assert result.choices[0].fallback == "too short: 6 periods, 8 needed"
    assert result.mean[0] == pytest.approx([169.0, 177.1, 184.39, 190.951, 196.8559, 202.17031])
    assert (result.quantiles[0, :, 0] < result.mean[0]).all()


def test_few_sales_prove_no_pack() -> None:
    assert sales_units(GROWING).tolist() == [1.0]
    assert sales_units(np.array([[4.0, 6, 10, 8, 4, 2, 6, 4]])).tolist() == [2.0]
    assert sales_units(np.array([[1.5, 4.5]])).tolist() == [0.0]
