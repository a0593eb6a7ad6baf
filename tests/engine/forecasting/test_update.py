"""One more day is forecast by yesterday's tables exactly as a whole run with the same tables would."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine import advance_panel, fit_pooled, forecast_panel, shift_present
from forecasting.engine.methods import EMPIRICAL, PATH_METHODS, POOLED
from tests.engine.forecasting.panels import panel_of, shop

OPTIONS = {"horizon": 14, "windows": (7, 14)}


@pytest.fixture(scope="module")
def world():
    values = shop(60, 213)
    odd = np.vstack([values, np.zeros(213), np.full(213, 4.0), np.r_[np.full(205, np.nan), 2, 0, 3, 1, 2, 1, 1, 0]])
    panel = panel_of(odd, starts=[0] * 62 + [205])
    return panel, fit_pooled(panel.until(210), **OPTIONS, max_window=40)


def test_advancing_equals_forecasting_the_longer_panel_with_the_same_tables(world):
    panel, pooled = world
    own = np.arange(63) % 36 + 5

    for day in (211, 213):
        grown = panel.until(day)
        whole = forecast_panel(grown, **OPTIONS, per_series_windows=own, pooled=shift_present(pooled, day))
        quick = advance_panel(grown, pooled, whole.choices, **OPTIONS, per_series_windows=own)

        for name in ("mean", "quantiles", "window_mean", "window_quantiles", "protection_mean", "protection_quantiles"):
            assert getattr(quick, name) == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("method", [*(m.name for m in PATH_METHODS), EMPIRICAL, POOLED])
def test_every_method_of_the_panel_can_be_carried_on(world, method):
    panel, pooled = world

    result = advance_panel(panel.until(211), pooled, [method] * 63, **OPTIONS)

    assert np.isfinite(result.quantiles).all()
    assert (np.diff(result.window_quantiles, axis=2) >= 0).all()
    assert result.choices[5].method == method
    assert result.choices[5].reason_code == "carried_on"


def test_a_costly_method_is_stood_in_for_by_the_pooled_one(world):
    panel, pooled = world

    theta = advance_panel(panel.until(211), pooled, ["theta"] * 63, **OPTIONS)
    stand_in = advance_panel(panel.until(211), pooled, [POOLED] * 63, **OPTIONS)

    assert np.array_equal(theta.quantiles, stand_in.quantiles)
    assert theta.choices[0].method == POOLED


@pytest.mark.parametrize("periods", [209, 225])
def test_tables_of_an_older_or_much_newer_history_are_refused(world, periods):
    _, pooled = world

    with pytest.raises(ValueError, match="another history"):
        shift_present(pooled, periods)


def test_a_wrong_number_of_methods_is_named(world):
    panel, pooled = world

    with pytest.raises(ValueError, match="2 names for 63 series"):
        advance_panel(panel, pooled, ["naive", "naive"], horizon=7)


def test_a_holiday_among_the_new_days_is_no_evidence_of_falling_demand(world):
    panel, pooled = world
    values = np.array(panel.until(211).values)
    values[:, 210] = 0.0
    shut = panel_of(values, starts=panel.starts)

    told = advance_panel(shut, pooled, ["ses"] * 63, **OPTIONS, closed=np.ones(1))
    blind = advance_panel(shut, pooled, ["ses"] * 63, **OPTIONS)

    assert told.window_mean[59, 0] > blind.window_mean[59, 0]
