"""The engine's door: honest quantiles, no look ahead, named fallbacks, results that do not depend on the neighbours."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.engine import fit_pooled, forecast_panel
from forecasting.engine.cleaning import clean
from forecasting.engine.frame import build_frame
from forecasting.engine.methods import PATH_METHODS, POOLED
from forecasting.engine.methods.pooled import features_of, pooled_path
from tests.engine.forecasting.panels import panel_of, shop

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


@pytest.fixture(scope="module")
def shop_run():
    panel = panel_of(shop())
    pooled = fit_pooled(panel, horizon=14, windows=(7, 14), max_window=40)
    own = np.arange(60) % 36 + 5
    result = forecast_panel(panel, horizon=14, quantiles=LEVELS, windows=(7, 14), per_series_windows=own, pooled=pooled)
    return panel, pooled, own, result


def test_shapes_are_those_of_the_contract(shop_run):
    _, _, _, result = shop_run

    assert result.mean.shape == (60, 14)
    assert result.quantiles.shape == (60, 14, 5)
    assert result.window_quantiles.shape == (60, 2, 5)
    assert result.protection_quantiles.shape == (60, 5)
    assert result.protection_sd.shape == result.protection_mean.shape == (60,)


def test_quantiles_never_cross_and_are_never_negative(shop_run):
    _, _, _, result = shop_run

    for values in (result.quantiles, result.window_quantiles, result.protection_quantiles):
        assert values.min() >= 0
        assert np.diff(values, axis=-1).min() >= 0
    assert (result.window_quantiles[:, 1] >= result.window_quantiles[:, 0]).all()


def test_the_window_mean_is_the_sum_of_the_steps(shop_run):
    _, _, own, result = shop_run

    assert result.window_mean[:, 0] == pytest.approx(result.mean[:, :7].sum(axis=1))
    short = own <= 14
    sums = np.array([result.mean[i, : own[i]].sum() for i in np.flatnonzero(short)])
    assert result.protection_mean[short] == pytest.approx(sums)


def test_the_quantile_of_a_sum_is_below_the_sum_of_the_quantiles(shop_run):
    _, _, _, result = shop_run

    assert (result.window_quantiles[:, 1, 3] < result.quantiles[:, :, 3].sum(axis=1)).all()


def test_a_shop_closed_on_saturday_is_forecast_to_sell_nothing_on_saturday(shop_run):
    _, _, _, result = shop_run  # 210 periods: column 5 of each week, steps 5 and 12 ahead

    assert result.mean[:, [5, 12]].max() == 0
    assert result.quantiles[:, [5, 12]].max() == 0
    assert result.mean[:, 4].min() > 0


def test_means_are_near_the_true_rates(shop_run):
    _, _, _, result = shop_run
    truth = np.geomspace(0.3, 12, 60) * 6.4

    assert result.window_mean[:, 0].sum() == pytest.approx(truth.sum(), rel=0.05)
    assert np.median(np.abs(result.window_mean[:, 0] / truth - 1)) < 0.12


def test_held_out_windows_are_covered_as_often_as_promised():
    values = shop(300, 250, seed=11)

    result = forecast_panel(panel_of(values[:, :222]), horizon=28, windows=(7, 28))

    for j, window in enumerate((7, 28)):
        actual = values[:, 222 : 222 + window].sum(axis=1)
        for level, name in ((0.8, 1), (0.95, 3)):
            quantile = result.window_quantiles[:, j, name]
            assert (actual < quantile).mean() <= level + 0.05
            assert (actual <= quantile).mean() >= level - 0.05


def test_the_same_run_gives_the_same_numbers(shop_run):
    panel, _, own, result = shop_run

    again = forecast_panel(
        panel,
        horizon=14,
        quantiles=LEVELS,
        windows=(7, 14),
        per_series_windows=own,
        pooled=fit_pooled(panel, horizon=14, windows=(7, 14), max_window=40),
    )

    assert np.array_equal(again.quantiles, result.quantiles)
    assert again.choices == result.choices


def test_a_series_does_not_depend_on_its_neighbours_in_the_chunk(shop_run):
    panel, pooled, own, result = shop_run
    carried = pickle.loads(pickle.dumps(pooled))  # noqa: S301 - as another process would get it

    part = forecast_panel(
        panel.take(slice(10, 13)),
        horizon=14,
        quantiles=LEVELS,
        windows=(7, 14),
        per_series_windows=own[10:13],
        pooled=carried,
    )

    assert part.window_quantiles == pytest.approx(result.window_quantiles[10:13], rel=1e-9)
    assert part.protection_quantiles == pytest.approx(result.protection_quantiles[10:13], rel=1e-9)
    assert [c.method for c in part.choices] == [c.method for c in result.choices[10:13]]


def test_changing_the_future_changes_no_earlier_fold():
    values = shop(40, 210)
    pooled = fit_pooled(panel_of(values), horizon=14, windows=(7, 14))
    origin = int(pooled.plan.origins[pooled.plan.folds[0]])
    other = values.copy()
    other[:, origin:] = np.random.default_rng(5).integers(0, 90, other[:, origin:].shape)

    changed = fit_pooled(panel_of(other), horizon=14, windows=(7, 14))

    assert np.array_equal(pooled.fits[0].betas, changed.fits[0].betas)
    for method, tables in pooled.fits[0].tables.items():
        for window, table in tables.items():
            assert np.array_equal(table.ratios, changed.fits[0].tables[method][window].ratios)
    for one, two in zip(fold_paths(values, pooled), fold_paths(other, changed), strict=True):
        assert np.array_equal(one, two)


def fold_paths(values, pooled):
    frame = build_frame(clean(panel_of(values)), pooled.calendar).at(pooled.plan.columns[:1])
    features = features_of(frame)
    return [m.path(frame) for m in PATH_METHODS] + [pooled_path(frame, features, pooled.fits[0].betas)]


def test_folds_lie_in_the_past_and_learn_only_from_ended_windows():
    pooled = fit_pooled(panel_of(shop(30, 300)), horizon=28, windows=(7, 28))
    plan = pooled.plan

    for column in plan.folds:
        assert plan.origins[column] + 28 <= 300
        assert plan.origins[0] + 28 <= plan.origins[column]


@pytest.mark.parametrize("factor", [8.0, 0.125])
def test_forecasts_scale_with_the_unit_of_measure(factor):
    values = shop(40, 160)

    one = forecast_panel(panel_of(values), horizon=7, windows=(7,))
    two = forecast_panel(panel_of(values * factor), horizon=7, windows=(7,))

    assert two.window_quantiles == pytest.approx(one.window_quantiles * factor, rel=1e-5, abs=1e-9)
    assert [c.method for c in two.choices] == [c.method for c in one.choices]


def test_days_out_of_stock_do_not_lower_the_forecast():
    values, share = shop(40, 160, closed_on_saturday=False), np.ones((40, 160))
    values[20, 130:] = 0.0
    share[20, 130:] = 0.0
    rate = np.geomspace(0.3, 12, 40)[20]

    masked = forecast_panel(panel_of(values, in_stock=share), horizon=7, windows=(7,))
    blind = forecast_panel(panel_of(values), horizon=7, windows=(7,))

    assert masked.window_mean[20, 0] == pytest.approx(7 * rate, rel=0.35)
    assert blind.window_mean[20, 0] < 0.5 * masked.window_mean[20, 0]
    assert masked.choices[20].censored_periods == 30


def test_the_choice_names_method_reason_rivals_and_the_naive_benchmark(shop_run):
    _, _, _, result = shop_run
    choice = result.choices[59]

    assert {"naive", "seasonal_naive", "ses", "croston_sba", "tsb", "holt_winters", POOLED} <= set(choice.scores)
    assert choice.scores[choice.method].pinball < choice.scores["seasonal_naive"].pinball
    assert choice.runner_up in choice.scores
    assert choice.fallback is None
    assert choice.folds == 8
    assert "held-out origins" in choice.reason


FALLBACKS = {
    "all zero": "all zero: nothing sold in 210 observed periods",
    "constant": "constant: the same quantity in every period",
    "short": "too short: 5 periods, 42 needed",
    "unknown": "no observed period",
}


def test_series_that_cannot_be_backtested_get_a_named_fallback():
    odd = np.vstack(
        [shop(30), np.zeros(210), np.full(210, 4.0), np.r_[np.full(205, np.nan), 2, 0, 3, 1, 2], np.full(210, np.nan)]
    )
    starts = [0] * 32 + [205, 210]

    result = forecast_panel(panel_of(odd, starts=starts), horizon=7, windows=(7,), per_series_windows=np.full(34, 9))

    assert [c.fallback for c in result.choices[30:]] == list(FALLBACKS.values())
    assert result.window_quantiles[30, 0].tolist() == [0.0] * 5
    assert result.window_quantiles[31, 0].tolist() == [28.0] * 5
    assert result.protection_quantiles[31].tolist() == [36.0] * 5
    assert result.window_mean[32, 0] == pytest.approx(7 * 8 / 5, rel=0.4)
    assert result.window_quantiles[32, 0, 4] > result.window_mean[32, 0]
    assert result.window_mean[33, 0] == 0.0


def test_gaps_infinities_and_negatives_are_named():
    values = shop(30)
    values[3, 50:60] = np.nan
    values[3, 70] = np.inf
    values[3, 80] = -4

    notes = forecast_panel(panel_of(values), horizon=7).choices[3].notes

    assert notes == (
        "10 unknown periods (NaN) treated as gaps, not as zeros",
        "1 infinite values treated as gaps",
        "1 negative values set to 0",
    )


@pytest.mark.parametrize("periods", [1, 2, 3, 10, 30, 60])
@pytest.mark.parametrize("freq", ["D", "W", "M", "Q", "Y", "H"])
def test_no_history_is_too_short_to_answer(freq, periods):
    values = np.random.default_rng(2).poisson(3, (3, periods)) + np.array([[1.0], [0.0], [0.0]])

    result = forecast_panel(
        panel_of(values, freq=freq), horizon=5, windows=(2, 9), per_series_windows=np.array([1, 5, 30])
    )

    assert np.isfinite(result.quantiles).all()
    assert np.isfinite(result.protection_quantiles).all()
    assert result.window_mean[0, 0] > 0
    assert all(c.fallback or c.folds for c in result.choices)


def test_an_empty_panel_gives_an_empty_forecast():
    result = forecast_panel(panel_of(np.zeros((0, 50))), horizon=7, windows=(7,))

    assert result.quantiles.shape == (0, 7, 5)
    assert result.choices == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"horizon": 0}, "at least 1 period"),
        ({"horizon": 7, "quantiles": (0.5, 1.0)}, "strictly between 0 and 1"),
        ({"horizon": 7, "per_series_windows": np.array([3])}, "per_series_windows must hold 2"),
    ],
)
def test_a_wrong_argument_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        forecast_panel(panel_of(shop(2, 100)), **given)


def test_pooled_of_another_history_is_refused():
    pooled = fit_pooled(panel_of(shop(5, 100)), horizon=7)

    with pytest.raises(ValueError, match="another history"):
        forecast_panel(panel_of(shop(5, 101)), horizon=7, pooled=pooled)


def test_a_granted_budget_lets_smooth_series_try_theta_and_stays_deterministic():
    values = shop(30, 150) + 5

    one, two = (forecast_panel(panel_of(values), horizon=7, windows=(7,), budget_seconds=1.0) for _ in range(2))

    assert np.array_equal(one.quantiles, two.quantiles)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_small_panel_gets_finite_ordered_quantiles(data):
    n, periods = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 70))
    cell = st.one_of(st.just(0.0), st.integers(0, 9).map(float), st.just(np.nan), st.floats(-5, 1e7), st.just(np.inf))
    values = np.array(data.draw(st.lists(st.lists(cell, min_size=periods, max_size=periods), min_size=n, max_size=n)))
    starts = data.draw(st.lists(st.integers(0, periods), min_size=n, max_size=n))
    panel = panel_of(values, starts=starts, freq=data.draw(st.sampled_from("DWM")))

    result = forecast_panel(panel, horizon=3, windows=(2, 6), per_series_windows=np.full(n, 4))

    for values in (result.quantiles, result.window_quantiles, result.protection_quantiles):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
        assert (np.diff(values, axis=-1) >= 0).all()


def test_results_are_plain_data(shop_run):
    _, _, _, result = shop_run

    assert dataclasses.is_dataclass(result)
    assert pickle.loads(pickle.dumps(result)).choices == result.choices  # noqa: S301 - our own bytes
