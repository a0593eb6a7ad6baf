"""Mistakes of inventory forecasting that are easily made, each named by the test that fails if it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecasting.engine import forecast_panel, metrics
from forecasting.engine.calibration import poisson_regression, table_of_ordered
from forecasting.engine.methods import registry
from forecasting.engine.types import Panel
from tests.engine.forecasting.panels import panel_of

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
NAMES = [name for name in registry.FORECASTERS if name not in registry.ON_DEMAND]


def test_5_the_spread_is_of_the_errors_and_not_of_a_season_that_is_foreseen():
    rng = np.random.default_rng(4)
    week = np.array([5.0, 10, 20, 40, 80, 20, 5])
    values = rng.poisson(week[np.arange(280) % 7], (40, 280)).astype(float)

    result = forecast_panel(panel_of(values), horizon=7, windows=(1, 3, 7), quantiles=(0.5, 0.95))

    by_demand = 1.645 * values.std(axis=1) * math.sqrt(3)
    assert ((result.window_quantiles[:, 1, 1] - result.window_quantiles[:, 1, 0]) < 0.5 * by_demand).all()


def test_5_the_error_of_a_sum_of_steps_that_stray_together_grows_faster_than_its_root():
    rng = np.random.default_rng(5)
    values = np.maximum(200 + rng.normal(0, 8, (40, 300)).cumsum(axis=1), 1.0)

    result = forecast_panel(panel_of(values, freq="W"), horizon=8, windows=(1, 8), quantiles=(0.5, 0.95))

    spread = (result.window_quantiles[:, :, 1] - result.window_quantiles[:, :, 0]).mean(axis=0)
    assert spread[1] > 1.5 * math.sqrt(8) * spread[0]


@pytest.mark.parametrize("name", ["ses", "croston_sba", "tsb"])
def test_16_the_quantile_of_a_rate_method_is_of_its_sums_and_not_a_multiple_of_a_spread_around_the_rate(name):
    rare = np.where(np.random.default_rng(1).random((30, 200)) < 0.02, 6.0, 0.0)

    steps = registry.forecaster(name).fit_predict(panel_of(rare), 1, (0.5, 0.9))

    assert np.median(steps, axis=0).max() == pytest.approx(0, abs=0.7)  # a rate of .12, never a sale of .12


def test_17_errors_are_pooled_before_they_are_divided():
    forecast, actual = np.array([2.0, 100.0]), np.array([1.0, 100.0])

    assert metrics.wape(forecast, actual) == pytest.approx(1 / 101)  # the mean of ratios would be .5
    assert metrics.bias(np.array([1.0, 0.0]), np.array([0.0, 0.0])) != 0  # NaN, no miracle of a percentage of zero


def test_18_a_forecast_of_nothing_does_not_win_though_most_windows_are_empty():
    rng = np.random.default_rng(3)
    values = np.where(rng.random((80, 200)) < 0.08, rng.integers(1, 20, (80, 200)), 0).astype(float)

    result = forecast_panel(panel_of(values), horizon=7, windows=(7,), quantiles=LEVELS)

    truth = 7 * values.mean()
    assert (values == 0).mean() > 0.9
    assert result.window_mean.mean() == pytest.approx(truth, rel=0.15)  # the median, 0, would win on absolute errors
    assert np.median(result.window_quantiles[:, 0, 0]) < truth
    assert (result.window_quantiles[:, 0, 4] > truth).all()


def test_20_the_mean_of_a_skewed_demand_is_not_the_exponential_of_the_mean_logarithm():
    y = np.exp(np.random.default_rng(2).normal(0, 1, 4000))

    beta = poisson_regression(np.ones((4000, 1)), y, np.ones(4000))

    assert math.exp(beta[0]) == pytest.approx(y.mean(), rel=1e-6)  # e^(σ²/2) = 1.65 times the middle


def test_20_a_forecast_of_skewed_demand_has_its_mean():
    values = np.exp(np.random.default_rng(2).normal(1, 1, (60, 250)))

    result = forecast_panel(panel_of(values), horizon=7, windows=(7,))

    assert result.window_mean.mean() == pytest.approx(7 * math.exp(1.5), rel=0.06)


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(registry.forecaster(n), "window_quantiles")])
def test_21_no_method_sums_quantiles_of_days_into_a_quantile_of_weeks(name):
    values = np.random.default_rng(7).poisson(3.0, (1, 120)).astype(float)
    method = registry.forecaster(name)

    window = method.window_quantiles(panel_of(values, freq="W"), (13,), (0.5, 0.95))[0, 0]
    steps = method.fit_predict(panel_of(values, freq="W"), 13, (0.5, 0.95))[0].sum(axis=0)

    assert window[1] < steps[1]


def test_22_no_quantile_is_fed_back_as_if_it_were_demand():
    values = np.random.default_rng(8).poisson(5.0, (40, 200)).astype(float)

    result = forecast_panel(panel_of(values), horizon=28, quantiles=(0.5, 0.95))

    high = result.quantiles[:, :, 1].mean(axis=0)
    assert high[21:].mean() < 1.15 * high[:7].mean()  # a recursion on the .95 quantile grows from day to day


def test_23_the_rank_is_of_one_case_more_than_there_are_and_few_cases_prove_no_99_percent():
    ratio = np.arange(1.0, 20.0) / 10  # 19 cases: ⌈20 · .95⌉ = the 19th

    table = table_of_ordered(np.zeros(19), ratio, (0.5, 0.95, 0.99))

    assert table is not None
    assert table.ratios[0, 0] == pytest.approx(1.0)
    assert table.ratios[0, 1] >= 1.9
    assert table.ratios[0, 2] > 1.9  # beyond the largest of 19: a gamma tail


def test_23_a_series_of_hardly_any_spread_does_not_explode_among_wild_ones():
    rng = np.random.default_rng(9)
    values = np.where(rng.random((60, 200)) < 0.05, rng.integers(1, 5000, (60, 200)), 0).astype(float)
    values[0], values[0, 150] = 5.0, 6.0

    result = forecast_panel(panel_of(values), horizon=7, windows=(7,))

    assert result.window_quantiles[0, 0].max() < 10 * 35


def test_24_ninety_percent_of_zeros_are_covered_by_the_discrete_rule():
    rng = np.random.default_rng(12)
    values = np.where(rng.random((400, 230)) < 0.04, rng.integers(1, 6, (400, 230)), 0).astype(float)

    result = forecast_panel(panel_of(values[:, :223]), horizon=7, windows=(7,), quantiles=(0.8, 0.9, 0.95))

    actual = values[:, 223:].sum(axis=1)[:, None]
    quantiles = result.window_quantiles[:, 0]
    for j, level in enumerate((0.8, 0.9, 0.95)):
        assert (actual[:, 0] < quantiles[:, j] - 1e-9).mean() <= level + 0.04
        assert (actual[:, 0] <= quantiles[:, j] + 1e-9).mean() >= level - 0.04


def test_10_a_slow_mover_needs_the_smallest_stock_that_reaches_the_level():
    values = np.zeros((1, 200))
    values[0, [40, 140]] = 1.0

    quantiles = registry.forecaster("poisson").fit_predict(panel_of(values), 1, (0.5, 0.95, 0.99))[0, 0]

    assert quantiles.tolist()[:2] == [0.0, 0.0]  # mean .01; a rounded normal quantile would hold one


def test_a_few_fast_series_among_many_slow_ones_keep_a_median_above_zero() -> None:
    """Single steps: the .5 quantile of what sells four a day is no 0 because nearly all the others sell nothing."""
    rng = np.random.default_rng(0)
    rates = np.concatenate([np.full(380, 0.05), np.full(20, 4.0)])
    values = rng.poisson(rates[:, None], (400, 400)).astype(float)
    panel = Panel(tuple(map(str, range(400))), values, np.zeros(400, dtype=np.int64), None, "D", None)

    found = forecast_panel(panel, horizon=7, quantiles=(0.5, 0.95))

    assert (found.quantiles[380:, :, 0] >= 2).all()
    assert (found.quantiles[380:, :, 1] >= 5).all()
