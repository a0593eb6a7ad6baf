"""The panel's yearly swing: last autumn comes back, one giant or one week does not make a season."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine import forecast_panel
from forecasting.engine.seasonality import RHYTHMS
from forecasting.engine.swing import base_level, yearly_swing
from tests.engine.forecasting.panels import panel_of

WEEKS = 104


def seasonal(n: int, rng: np.random.Generator) -> np.ndarray:
    """Weekly Poisson counts, rates 5 to 50, rising to half as much again around week 44 of each year."""
    week = np.arange(WEEKS) % 52
    season = np.exp(np.log(1.5) * np.exp(-(((week - 44.0) / 6.0) ** 2)))
    return rng.poisson(np.geomspace(5, 50, n)[:, None] * season[None, :]).astype(float)


def swing_of(values: np.ndarray, origin: int, blocks: list[tuple[int, int]]) -> np.ndarray:
    return yearly_swing(values, np.ones(values.shape), np.array([origin]), blocks, RHYTHMS["W"])[0]


def test_a_season_seen_last_year_is_expected_again():
    values = seasonal(200, np.random.default_rng(1))

    swing = swing_of(values[:, :90], 90, [(4, 8)])

    assert swing[0] == pytest.approx(np.log(1.5), abs=0.06)


def test_a_known_season_is_forecast_within_eight_per_cent_though_demand_rises_by_three_tenths():
    values = seasonal(200, np.random.default_rng(2))

    result = forecast_panel(panel_of(values[:, :92], freq="W"), horizon=8, windows=(8,))

    total = values[:, 92:100].sum()
    assert total > 1.3 * values[:, 84:92].sum()
    assert abs(result.window_mean.sum() / total - 1) < 0.08


def test_without_a_year_before_no_swing_is_known():
    values = seasonal(200, np.random.default_rng(3))

    assert swing_of(values[:, :50], 50, [(0, 1), (1, 4)]).tolist() == [0.0, 0.0]


def test_a_single_giant_makes_no_season():
    values = np.full((100, 90), 5.0)
    values[0, 40:46] = 5000.0

    assert abs(swing_of(values, 90, [(2, 6)])[0]) < 0.04


def test_demand_after_the_origin_changes_no_swing():
    values = seasonal(100, np.random.default_rng(4))
    later = values.copy()
    later[:, 80:] = 999.0

    assert np.array_equal(swing_of(values, 80, [(0, 1), (4, 8)]), swing_of(later, 80, [(0, 1), (4, 8)]))


def test_the_base_level_of_a_constant_series_is_that_constant():
    level = base_level(np.full((1, 60), 7.0), np.ones((1, 60)), np.array([30, 60]), RHYTHMS["W"])

    assert level == pytest.approx(np.full((1, 2), 7.0))
