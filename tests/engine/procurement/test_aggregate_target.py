"""One fill rate for many items, and the spread it is computed from."""

import numpy as np
import pytest

from procurement.engine.errors import ParameterError
from procurement.engine.policies.aggregate_target import (
    SharedTarget,
    exceedance_score,
    expected_fill_rate,
    levels_at,
    levels_for,
    mean_excess,
)
from procurement.engine.policies.demand_scale import crossing_lead_time_sd, demand_scale, mean_since, shrunk_to_panel


def shared(**changes):
    given = {
        "mean": [100.0, 20.0, 5.0],
        "scale": [20.0, 30.0, 9.0],
        "protection_days": [21.0, 21.0, 21.0],
        "review_days": [7.0, 7.0, 7.0],
        "unit_cost": [1.0, 1.0, 1.0],
        "worth": [1.0, 1.0, 1.0],
    } | changes
    return SharedTarget(**{name: np.array(values) for name, values in given.items()})


def test_the_tail_is_normal_at_95_percent_and_wider_beyond():
    scores = exceedance_score(np.array([0.05, 0.01]))

    assert scores == pytest.approx([1.6448536, 3.1737], abs=1e-4)


def test_the_mean_excess_is_the_integral_of_the_tail():
    z = np.linspace(0.5, 4000.0, 4_000_001)
    chance = np.interp(z, exceedance_score(np.geomspace(0.49, 1e-13, 20000)), np.geomspace(0.49, 1e-13, 20000))

    integral = float(((chance[1:] + chance[:-1]) / 2 * np.diff(z)).sum())

    assert float(mean_excess(np.array([0.5]))[0]) == pytest.approx(integral, rel=1e-3)


def test_the_expected_fill_rate_is_the_one_asked_for():
    target = shared()

    found = levels_for(target, 0.95)

    assert found.fill_rate == pytest.approx(0.95, abs=1e-9)
    assert expected_fill_rate(target, found.order_up_to_level) == found.fill_rate


def test_no_exchange_of_stock_between_two_items_serves_more():
    target = shared()
    best = levels_for(target, 0.95)

    for giver, taker in ((0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)):
        moved = best.order_up_to_level.copy()
        moved[giver] -= 0.5
        moved[taker] += 0.5

        assert expected_fill_rate(target, moved) < best.fill_rate


def test_a_dear_item_with_a_long_interval_is_kept_less_safe():
    target = shared(unit_cost=[1.0, 2.0, 1.0], protection_days=[21.0, 21.0, 42.0])

    scores = (levels_at(target, 4.0) - target.mean) / target.scale

    assert scores[1] < scores[0]
    assert scores[2] < scores[0]


def test_items_without_spread_hold_their_mean():
    target = shared(scale=[0.0, 0.0, 0.0])

    found = levels_for(target, 0.99)

    assert found.order_up_to_level.tolist() == [100.0, 20.0, 5.0]
    assert found.fill_rate == 1.0


@pytest.mark.parametrize("fill_rate", [0.0, 1.0, float("nan")])
def test_a_target_that_is_no_share_is_refused(fill_rate):
    with pytest.raises(ParameterError, match="strictly between 0 and 1"):
        levels_for(shared(), fill_rate)


def test_a_negative_cost_is_refused_by_name():
    with pytest.raises(ParameterError) as refused:
        shared(unit_cost=[1.0, -1.0, 1.0])

    assert refused.value.parameter == "unit_cost"


def test_the_scale_is_the_middle_of_forecast_and_memory():
    scale = demand_scale(np.array([100.0]), np.array([149.3456]), 0.95, np.array([10.0]), np.array([16.0]))

    assert scale == pytest.approx([35.0], abs=1e-4)


def test_a_scale_far_from_its_like_moves_a_quarter_of_the_way():
    mean, price = np.full(100, 50.0), np.full(100, 2.0)
    scale = np.full(100, 9.5)
    scale[0] = 999.5

    shrunk = shrunk_to_panel(scale, mean, price)

    usual = np.exp((99 * np.log(10.0) + np.log(1000.0)) / 100)
    assert shrunk[0] == pytest.approx(1000.0**0.75 * usual**0.25)
    assert shrunk[1] == pytest.approx(10.0**0.75 * usual**0.25)


def test_a_small_panel_is_left_as_it_is():
    scale = np.array([1.0, 500.0])

    assert shrunk_to_panel(scale, np.ones(2), np.ones(2)) is scale


def test_the_mean_follows_what_was_sold_since():
    assert mean_since(np.array([2.0]), np.array([28.0]), 7.0).tolist() == [2.4]


def test_orders_that_overtake_each_other_spread_less_than_their_lead_times():
    samples = np.array([[7.0, 21.0], [14.0, 14.0]])

    assert crossing_lead_time_sd(samples, 7.0) == pytest.approx([7.0 * np.sqrt(0.5), 0.0])
