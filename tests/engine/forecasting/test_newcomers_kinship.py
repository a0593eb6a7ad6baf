"""Successors, launches to come and items that end: pasts handed over, forecasts that ramp up, fade and stop."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine import fit_pooled, forecast_panel
from forecasting.engine.newcomers.handover import hand_over, level_factor
from forecasting.engine.newcomers.kinship import Kinship
from forecasting.engine.newcomers.phaseout import fade, fading_curve, shares_ahead, sold_out
from tests.engine.forecasting.panels import panel_of, shop


def kin(n, *, predecessor=(), launch=(), end=(), ramp=0):
    columns = [np.full(n, -1, dtype=np.int64) for _ in range(3)]
    for column, pairs in zip(columns, (predecessor, launch, end), strict=True):
        for row, value in pairs:
            column[row] = value
    return Kinship(*columns, ramp)


@pytest.fixture(scope="module")
def world():
    panel = panel_of(shop(40, 150, closed_on_saturday=False))
    return panel, fit_pooled(panel, horizon=28, windows=(7, 28))


def test_kinship_refuses_what_makes_no_sense():
    with pytest.raises(ValueError, match="another row"):
        kin(2, predecessor=[(0, 0)], launch=[(0, 5)])
    with pytest.raises(ValueError, match="launch must be known"):
        kin(2, predecessor=[(0, 1)])
    with pytest.raises(ValueError, match="circle"):
        hand_over(panel_of(np.ones((2, 5))), kin(2, predecessor=[(0, 1), (1, 0)], launch=[(0, 3), (1, 3)]), 7)
    with pytest.raises(ValueError, match="ramp"):
        kin(1, ramp=-1)


def test_a_successor_takes_over_linearly():
    share = kin(2, predecessor=[(1, 0)], launch=[(1, 93)], ramp=28).take_over(100, 30, 7)

    assert share[1, 0] == pytest.approx(8 / 28)
    assert share[1, [20, 29]].tolist() == [1.0, 1.0]
    assert share[0].tolist() == [1.0] * 30


def test_the_level_follows_what_the_successor_sold_so_far():
    past = np.tile([5.0], 40)
    own = np.concatenate([np.zeros(36), np.full(4, 7.5)])

    assert level_factor(own, past, 36, 1) == pytest.approx((4 + 6) / (4 + 4))  # O 30, E 20, φ 5
    assert level_factor(own[:36], past[:36], 36, 1) == 1.0


def test_the_past_of_a_predecessor_becomes_the_successors():
    values = np.array([[2.0, 2, 2, 2, 1, 0], [np.nan, np.nan, np.nan, np.nan, 1, 2]])
    panel = panel_of(values, starts=[0, 4])

    whole = hand_over(panel, kin(2, predecessor=[(1, 0)], launch=[(1, 4)], ramp=2), 7)

    factor = (4 + 3 / 2) / (4 + 2 * 1.5 / 2)  # sold 3, expected 2 · (½ + 1), 2 units a sale
    assert whole.starts.tolist() == [0, 0]
    assert whole.values[1] == pytest.approx([2 * factor] * 4 + [1 + factor, 2.0])
    assert whole.values[0].tolist() == values[0].tolist()


def test_a_chain_of_successors_is_followed_from_its_oldest():
    values = np.array([[np.nan, np.nan, np.nan, 0.0], [np.nan, np.nan, 4, 4], [4.0, 4, 0, 0]])
    chain = kin(3, predecessor=[(0, 1), (1, 2)], launch=[(0, 3), (1, 2)], ramp=1)

    whole = hand_over(panel_of(values, starts=[3, 2, 0]), chain, 7)

    assert np.isfinite(whole.values[0]).all()
    assert whole.starts.tolist() == [0, 0, 0]


def test_a_fading_item_follows_the_curve_to_its_end():
    curve = np.array([1.0, 1, 1, 1, 1, 1, 1, 0.5])

    share = fade(curve, np.array([14, -1, 0]), 21, 7)

    assert share[0].tolist() == [1.0] * 7 + [0.5] * 7 + [0.0] * 7
    assert share[1].tolist() == [1.0] * 21
    assert not share[2].any()


def test_dying_items_teach_how_demand_fades():
    rng = np.random.default_rng(1)
    life = np.concatenate([np.full(20, 8.0), np.linspace(8, 1, 8)])
    rows = [np.concatenate([np.repeat(life, 7), np.zeros(70)]) for _ in range(60)]
    demand = rng.poisson(np.array(rows)).astype(float)

    curve = fading_curve(demand, np.ones_like(demand), 7)

    assert curve[0] == 1.0
    assert (np.diff(curve) <= 0).all()
    assert curve[4] == pytest.approx(0.5, abs=0.12)
    assert fading_curve(demand[:5], np.ones((5, demand.shape[1])), 7).tolist() == [1.0] * 8


def test_a_predecessor_keeps_what_its_successor_has_not_taken():
    share = shares_ahead(kin(2, predecessor=[(1, 0)], launch=[(1, 100)], ramp=4), 100, 6, 7, np.ones(8))

    assert share[1].tolist() == [0.25, 0.5, 0.75, 1, 1, 1]
    assert share[0].tolist() == [0.75, 0.5, 0.25, 0, 0, 0]


def test_the_rest_to_sell_is_known_by_date():
    share = fade(np.ones(8), np.array([3]), 5, 1)

    assert sold_out(np.full((1, 5), 2.0), share).tolist() == [[2, 4, 6, 6, 6]]


def test_an_item_that_ends_sells_nothing_after_and_its_windows_stop_growing(world):
    panel, pooled = world
    end = kin(40, end=[(30, 157)])

    plain = forecast_panel(panel, horizon=28, windows=(7, 28), pooled=pooled)
    result = forecast_panel(panel, horizon=28, windows=(7, 28), pooled=pooled, kinship=end)

    assert not result.quantiles[30, 7:].any()
    assert result.window_quantiles[30, 1].tolist() == result.window_quantiles[30, 0].tolist()
    assert result.window_quantiles[30, 0] == pytest.approx(plain.window_quantiles[30, 0])
    assert result.window_quantiles[29] == pytest.approx(plain.window_quantiles[29])


def test_an_item_not_yet_launched_waits(world):
    panel, pooled = world
    later = kin(40, launch=[(30, 160)])
    own = np.full(40, 17, dtype=np.int64)

    plain = forecast_panel(panel, horizon=28, windows=(7,), pooled=pooled)
    result = forecast_panel(panel, horizon=28, windows=(7,), per_series_windows=own, pooled=pooled, kinship=later)

    assert not result.quantiles[30, :10].any()
    assert result.mean[30, 10:].tolist() == plain.mean[30, :18].tolist()
    assert not result.window_quantiles[30].any()
    assert result.protection_quantiles[30] == pytest.approx(plain.window_quantiles[30, 0])  # 7 of 17 days on sale


def test_a_successor_without_a_past_is_forecast_at_its_predecessors_level(world):
    panel, pooled = world
    values = np.concatenate([panel.values, np.where(np.arange(150) >= 148, panel.values[[30]], np.nan)])
    both = panel_of(values, starts=[0] * 40 + [148])

    result = forecast_panel(
        both,
        horizon=28,
        windows=(28,),
        pooled=pooled,
        kinship=kin(41, predecessor=[(40, 30)], launch=[(40, 148)], ramp=1),
    )
    plain = forecast_panel(panel, horizon=28, windows=(28,), pooled=pooled)

    assert result.window_mean[40, 0] == pytest.approx(plain.window_mean[30, 0], rel=0.35)
    assert not result.window_quantiles[30].any()
