"""The folds behind a choice can be drawn, the reason can be translated, and value and variation have their classes."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine import forecast_panel
from forecasting.engine.backtest import plan_backtest
from forecasting.engine.classify import residual_variation, value_classes, variation_classes
from forecasting.engine.explain import CODES
from forecasting.engine.seasonality import RHYTHMS
from forecasting.engine.selection import Losses, choose
from tests.engine.forecasting.panels import panel_of, shop


@pytest.fixture(scope="module")
def result():
    return forecast_panel(panel_of(shop(60, 400)), horizon=14, windows=(7, 14))


def test_two_years_of_days_are_cut_at_eight_origins():
    plan = plan_backtest(730, RHYTHMS["D"], (7, 14, 28), (7, 14, 28))

    assert [int(plan.origins[c]) for c in plan.folds] == [604, 618, 632, 646, 660, 674, 688, 702]


def test_origins_windows_and_step_of_the_backtest_are_stored(result):
    backtest = result.backtest

    assert backtest.origins == (337, 344, 351, 358, 365, 372, 379, 386)
    assert backtest.windows == (7, 14)
    assert backtest.step == 7
    assert backtest.held_out.shape == (60, 8, 2, 4)


def test_the_folds_of_a_series_hold_what_was_sold_and_what_was_forecast(result):
    values = shop(60, 400)
    fold = result.backtest.folds_of(59)[1]

    assert (fold["origin"], fold["window"]) == (337, 14)
    assert fold["actual"] == values[59, 337:351].sum()
    assert fold["median"] < fold["high"]
    assert fold["mean"] == pytest.approx(14 * 12 * 6.4 / 7, rel=0.2)


def test_the_score_of_the_choice_is_that_of_its_drawn_folds(result):
    choice, folds = result.choices[40], result.backtest.folds_of(40)
    actual, mean = (np.array([fold[k] for fold in folds]) for k in ("actual", "mean"))

    assert choice.score.wape == pytest.approx(np.abs(mean - actual).sum() / actual.sum(), rel=1e-5)
    assert choice.score.bias == pytest.approx((mean - actual).sum() / actual.sum(), rel=1e-4)
    assert choice.score.coverage == pytest.approx(np.mean([fold["actual"] <= fold["high"] for fold in folds]))


def test_the_reason_comes_as_a_code_with_its_numbers(result):
    choice = result.choices[59]

    assert choice.reason_code == "better"
    assert choice.reason_numbers["folds"] == 8
    assert f"{choice.reason_numbers['gap_percent']:.0f} % below seasonal naive" in choice.reason
    assert {c.reason_code for c in result.choices} <= set(CODES)


def test_a_gain_within_the_noise_of_the_folds_leaves_the_benchmark():
    methods = ("naive", "ses")
    loss = np.array([[1.2, 0.8], [0.8, 1.1], [1.2, 0.7], [0.8, 1.2]]).reshape(1, 4, 1, 2)
    losses = Losses(methods, loss, loss, loss, np.ones((1, 4, 1)), np.ones((1, 4, 1), dtype=bool), np.ones(1))
    standing = {"smooth": {"naive": 1.0, "ses": 0.9}}

    def chosen(error):
        verdict = choose(losses, ["smooth"], standing, "naive", noise={"smooth": {"naive": 0.0, "ses": error}})
        return methods[verdict.chosen[0]], bool(verdict.noisy[0])

    assert chosen(0.2) == ("naive", True)
    assert chosen(0.01) == ("ses", False)


def test_value_classes_split_the_value_at_80_and_95_percent():
    assert value_classes(np.array([15.0, 50, 5, 30, 0])) == ["B", "A", "C", "A", "C"]
    assert value_classes(np.zeros(3)) == ["C", "C", "C"]


def test_a_weekly_rhythm_and_the_time_before_launch_are_no_variation():
    week = np.tile([5.0, 5, 5, 5, 15, 0, 0], 20)
    late, wild = week.copy(), np.random.default_rng(1).pareto(1.1, 140) * 10
    late[:70] = 0
    weight = np.ones((4, 140))
    weight[1, :70] = 0

    variation = residual_variation(np.stack([week, late, wild, np.zeros(140)]), weight, 7)

    assert variation[:2].tolist() == [0.0, 0.0]
    assert variation_classes(variation) == ["X", "X", "Z", "Z"]
