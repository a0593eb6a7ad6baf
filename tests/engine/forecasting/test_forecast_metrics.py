"""Errors have one sign; losses, classes, cleaning and tables are what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine import metrics
from forecasting.engine.calibration import fit_table, poisson_regression
from forecasting.engine.classify import demand_classes, demand_intervals
from forecasting.engine.cleaning import clean, outlier_caps
from tests.engine.forecasting.panels import panel_of


def test_error_is_forecast_minus_actual():
    assert metrics.error(np.array([12.0]), np.array([10.0])).tolist() == [2.0]
    assert metrics.bias(np.array([12.0, 8.0]), np.array([10.0, 6.0])) == 0.25
    assert metrics.wape(np.array([12.0, 4.0]), np.array([10.0, 6.0])) == 0.25


def test_nothing_sold_has_no_percentage_error():
    assert np.isnan(metrics.wape(np.array([1.0]), np.array([0.0])))
    assert np.isnan(metrics.bias(np.array([1.0]), np.array([0.0])))


def test_pinball_charges_a_shortage_with_tau_and_an_excess_with_the_rest():
    assert metrics.pinball(np.array([10.0, 6.0]), np.array([8.0, 8.0]), 0.9) == pytest.approx([1.8, 0.2])


def test_rmsse_divides_by_the_naive_error_from_the_first_sale():
    history = np.array([0.0, 0, 4, 6, 2])  # steps +2, −4 → mean square 10

    assert metrics.rmsse(np.array([5.0]), np.array([0.0]), history) == pytest.approx(np.sqrt(25 / 10))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.floats(0, 100), st.sampled_from([0.5, 0.9, 0.99]))
def test_pinball_agrees_with_a_plain_loop(actuals, quantile, level):
    slow = [level * (a - quantile) if a >= quantile else (1 - level) * (quantile - a) for a in actuals]

    assert metrics.pinball(np.array(actuals), np.full(len(actuals), quantile), level) == pytest.approx(slow)


def test_demand_classes_follow_interval_and_size_variation():
    demand = np.array(
        [[3.0, 3, 3, 3, 3, 3], [1, 9, 1, 9, 1, 9], [0, 0, 3, 0, 0, 5], [0, 0, 1, 0, 0, 20], [0, 0, 0, 0, 0, 0]]
    )

    adi, cv2 = demand_intervals(demand, np.ones_like(demand))

    assert adi.tolist() == [1.0, 1.0, 3.0, 3.0, np.inf]
    assert cv2[:4] == pytest.approx([0.0, 0.64, 0.0625, (9.5 / 10.5) ** 2])
    assert demand_classes(adi, cv2) == ["smooth", "erratic", "intermittent", "lumpy", "none"]


def test_a_closed_weekday_does_not_make_a_series_intermittent():
    demand = np.tile([5.0, 5, 5, 5, 5, 0, 0], 4)[None, :]
    exposure = np.tile([1.0, 1, 1, 1, 1, 0, 0], 4)[None, :]

    assert demand_classes(*demand_intervals(demand, exposure)) == ["smooth"]


def test_cleaning_counts_what_it_changes():
    values = [[np.inf, -3.0, np.nan, *([10.0] * 12), 74215.0, 10.0]]

    cleaned = clean(panel_of(values))

    assert (cleaned.infinite[0], cleaned.negatives[0], cleaned.gaps[0], cleaned.outliers[0]) == (1, 1, 1, 1)
    assert cleaned.exposure[0, :3].tolist() == [0.0, 1.0, 0.0]
    assert cleaned.demand[0, 15] == pytest.approx(10 * np.exp(2.5))
    assert cleaned.actual[0, 15] == pytest.approx(3 * 10 * np.exp(2.5))
    assert 74215.0 in cleaned.changes.observed


def test_the_cap_of_a_period_does_not_know_the_periods_after_it():
    values = np.random.default_rng(0).poisson(5, (3, 60)).astype(float)
    other = values.copy()
    other[:, 40:] *= 50

    assert outlier_caps(values)[:, :40].tolist() == outlier_caps(other)[:, :40].tolist()


def test_a_table_returns_the_conformal_rank_of_its_samples():
    ratio = np.arange(1, 300) / 300  # 299 values: rank (299 + 1)·.7 = 210 → .7

    table = fit_table(np.zeros(299), ratio, (0.5, 0.7))

    assert table is not None
    assert table.at(np.array([0.0]))[0] == pytest.approx([0.5, 0.7])
    assert fit_table(np.zeros(5), ratio[:5], (0.5,)) is None


def test_a_table_interpolates_between_cells_and_is_flat_beyond():
    key = np.repeat([0.0, 1.0], 150)
    ratio = np.repeat([1.0, 3.0], 150)

    table = fit_table(key, ratio, (0.5,))

    assert table is not None
    assert table.at(np.array([-5.0, 0.0, 0.5, 1.0, 9.0]))[:, 0] == pytest.approx([1.0, 1.0, 2.0, 3.0, 3.0])


def test_poisson_regression_recovers_its_coefficients():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(5000, 1))
    design = np.concatenate([np.ones((5000, 1)), x], axis=1)

    beta = poisson_regression(design, rng.poisson(np.exp(0.5 + 0.4 * x[:, 0])).astype(float), np.ones(5000), ridge=0.0)

    assert beta == pytest.approx([0.5, 0.4], abs=0.04)
