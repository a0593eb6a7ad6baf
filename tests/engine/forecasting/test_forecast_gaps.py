"""Gaps and stock-outs say nothing of demand: every candidate reads 3, 4, 3, 4 … with every fifth period unknown as
3.5 a period."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine import fit_pooled, forecast_panel
from forecasting.engine.cleaning import clean
from forecasting.engine.frame import build_frame
from forecasting.engine.methods import PATH_METHODS
from forecasting.engine.methods.empirical import empirical_step, empirical_window
from forecasting.engine.methods.pooled import features_of, pooled_path
from forecasting.engine.metrics import naive_scale
from tests.engine.forecasting.panels import panel_of

PERIODS = 210


def fifth_unknown(kind: str):
    values, share = np.tile([3.0, 4.0], (2, PERIODS // 2)), np.ones((2, PERIODS))
    if kind == "empty":
        values[:, 4::5] = np.nan
        return panel_of(values)
    values[:, 4::5] = 0.0
    share[:, 4::5] = 0.0
    return panel_of(values, in_stock=share)


def frame_of(panel):
    pooled = fit_pooled(panel, horizon=14, windows=(7, 14))
    cleaned = clean(panel)
    return cleaned, build_frame(cleaned, pooled.calendar).at(pooled.plan.columns), pooled


KINDS = pytest.mark.parametrize("kind", ["empty", "out of stock"])


@KINDS
def test_unknown_periods_are_no_zeros_in_the_forecast(kind):
    result = forecast_panel(fifth_unknown(kind), horizon=14, windows=(7, 14))

    assert result.mean[0].mean() == pytest.approx(3.5, abs=1e-9)
    assert result.window_mean[0] == pytest.approx([24.5, 49.0], abs=0.02)
    assert result.window_quantiles[0, 0, 0] == pytest.approx(24.5, abs=0.5)  # whole units


@KINDS
def test_own_past_sums_leave_out_or_scale_up_windows_with_unknown_periods(kind):
    cleaned, frame, _ = frame_of(fifth_unknown(kind))

    sums, mean, sd = empirical_window(frame, cleaned.actual, cleaned.exposure, PERIODS, 7, (0.5, 0.9))
    steps, step_mean = empirical_step(frame, cleaned.actual, cleaned.exposure, 0, (0.0001, 0.9999))

    assert sums[0] == pytest.approx([24.5, 7 * 22 / 6], abs=1e-9)  # 22 sold in 6 seen of 7 periods
    assert mean[0] == pytest.approx(24.5, abs=0.02)
    assert sd[0] < 0.7
    assert steps[0] == pytest.approx([3.0, 4.0], abs=0.01)
    assert step_mean[0] == pytest.approx(3.5)


@KINDS
@pytest.mark.parametrize("method", [m.name for m in PATH_METHODS])
def test_every_candidate_comes_out_near_the_true_rate(kind, method):
    _, frame, _ = frame_of(fifth_unknown(kind))

    path = next(m for m in PATH_METHODS if m.name == method).path(frame)[0, -1, :14]

    if method == "naive":
        assert set(path) <= {3.0, 4.0}
    else:
        assert path.mean() == pytest.approx(3.5, abs=0.08)


@KINDS
def test_the_pooled_level_comes_out_at_the_true_rate(kind):
    _, frame, pooled = frame_of(fifth_unknown(kind))

    path = pooled_path(frame, features_of(frame), np.stack([f.betas for f in pooled.fits]))

    assert path[0, -1, :14].mean() == pytest.approx(3.5, abs=0.01)


@KINDS
def test_no_candidate_is_biased_by_unknown_periods_in_the_backtest(kind):
    choice = forecast_panel(fifth_unknown(kind), horizon=14, windows=(7, 14)).choices[0]

    drift = {name: abs(score.bias) for name, score in choice.scores.items() if name != "naive"}
    assert max(drift.values()) < 0.02


def test_a_month_out_of_stock_leaves_every_candidate_at_the_level_before_it():
    values, share = np.tile([3.0, 4.0], (2, PERIODS // 2)), np.ones((2, PERIODS))
    values[:, -35:], share[:, -35:] = 0.0, 0.0
    cleaned, frame, _ = frame_of(panel_of(values, in_stock=share))

    means = {m.name: m.path(frame)[0, -1, :14].mean() for m in PATH_METHODS}
    _, own, _ = empirical_window(frame, cleaned.actual, cleaned.exposure, PERIODS, 7, (0.5,))

    assert means.pop("naive") == 3.0  # column 174
    assert means == pytest.approx(dict.fromkeys(means, 3.5), abs=0.11)
    assert own[0] == pytest.approx(24.5, abs=0.02)


def test_a_weekday_never_observed_is_read_from_the_other_days():
    values = np.full((1, 70), 6.0)
    values[0, ::7] = np.nan
    values[0, 1::7] = 5.0
    cleaned, frame, _ = frame_of(panel_of(values))

    _, mean = empirical_step(frame, cleaned.actual, cleaned.exposure, 0, (0.5,))

    assert mean[0] == pytest.approx((5 + 5 * 6) / 6)


def test_a_window_longer_than_the_history_is_scaled_up_and_not_zero():
    cleaned, frame, _ = frame_of(panel_of(np.tile([3.0, 4.0], (2, 35))))

    quantiles, mean, _ = empirical_window(frame, cleaned.actual, cleaned.exposure, 70, 140, (0.5,))

    assert (quantiles[0, 0], mean[0]) == (490.0, 490.0)


def test_steps_into_and_out_of_a_gap_do_not_widen_the_scale():
    values = np.array([[3.0, 4.0, 0.0, 4.0, 3.0]])

    assert naive_scale(values, 5)[0] == pytest.approx((1 + 4 + 4 + 1) / 4)
    assert naive_scale(values, 5, np.array([[1.0, 1.0, 0.0, 1.0, 1.0]]))[0] == 1.0


def test_values_no_shop_can_sell_are_gaps_and_named():
    values = np.tile([3.0, 4.0], (2, PERIODS // 2))
    values[0, 100] = 1e308

    result = forecast_panel(panel_of(values), horizon=7, windows=(7,))

    assert result.choices[0].notes == ("1 values beyond 10^15 treated as gaps",)
    assert result.window_mean[0, 0] == pytest.approx(24.5, abs=0.1)
    assert np.isfinite(result.quantiles).all()
