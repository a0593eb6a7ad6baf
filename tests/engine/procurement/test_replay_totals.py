"""Totals, their intervals, the paired comparison and the trade-off curve."""

import numpy as np
import pytest
from scipy.stats import t as student

from procurement.engine.errors import ParameterError
from procurement.engine.replay.compare import compare, trade_off_curve
from procurement.engine.replay.estimates import Estimate, ratio
from procurement.engine.replay.simulate import simulate
from procurement.engine.replay.types import ReplayInput


def worlds(scenarios=6, items=5, days=200, **more):
    demand = np.random.default_rng(7).negative_binomial(1, 0.3, (scenarios, items, days)).astype(float)
    given = {"order_up_to_level": [15, 18, 20, 25, 30], "lead_time_days": 3, "review_days": 7, "warm_up_days": 20}
    return ReplayInput(demand=demand, **given | {"unit_cost": [1, 2, 3, 4, 5], "stockout_cost": 2.0} | more)


def test_a_ratio_has_the_interval_of_its_clusters():
    found = ratio(np.array([9.0, 8.0, 10.0]), np.array([10.0, 10.0, 10.0]))

    half = student.ppf(0.975, 2) * np.std([0.9, 0.8, 1.0], ddof=1) / np.sqrt(3)
    assert (found.value, found.low, found.high) == pytest.approx((0.9, 0.9 - half, 0.9 + half))


def test_intervals_of_a_mean_hold_the_truth_as_often_as_they_say():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(400):
        below = rng.gamma(4.0, 1.0, 20)
        hits += ratio(0.3 * below + rng.normal(0, 0.1, 20) * below, below).holds(0.3)

    assert 0.91 < hits / 400 < 0.98


def test_totals_are_weighed_by_price_and_cost():
    replay = worlds(unit_price=[10, 1, 1, 1, 1])
    found = simulate(replay)
    price, days = replay.unit_price, replay.counted_days

    totals = found.totals()

    assert totals["fill_rate"].value == pytest.approx(1 - found.short.sum() / found.demand.sum())
    assert totals["fill_rate_value"].value == pytest.approx(
        1 - (found.short @ price).sum() / (found.demand @ price).sum()
    )
    assert totals["stock_value"].value == pytest.approx((found.stock_days @ replay.unit_cost).sum() / (6 * days))
    assert totals["cost_total"].value == pytest.approx(found.costs()["total"].sum() / 6)
    assert totals["cost_holding"].value == pytest.approx(totals["stock_value"].value * 0.25 * days / 365)
    assert totals["cost_stockout"].value == pytest.approx(2.0 * found.short.sum() / 6)


@pytest.mark.parametrize("clusters", ["scenarios", "batches", "items"])
def test_the_clusters_change_the_interval_but_not_the_value(clusters):
    found = simulate(worlds(batches=9))

    by_cluster, plain = found.totals(clusters), simulate(worlds()).totals()

    for name, estimate in plain.items():
        assert by_cluster[name].value == pytest.approx(estimate.value, rel=1e-12), name
        assert by_cluster[name].low <= by_cluster[name].value <= by_cluster[name].high, name


def test_a_single_scenario_takes_its_interval_from_batches_of_days_and_a_lone_run_has_none():
    one = simulate(worlds(scenarios=1, batches=6)).totals()["fill_rate"]
    lone = ReplayInput(demand=[[1.0, 2.0, 0.0]], order_up_to_level=2, lead_time_days=1)

    nothing = simulate(lone).totals()["fill_rate"]

    assert 0.0 < one.high - one.low < 0.5
    assert nothing.value == pytest.approx(2 / 3)
    assert np.isnan([nothing.low, nothing.high]).all()


def test_no_demand_has_no_fill_rate_but_a_stock():
    found = simulate(ReplayInput(demand=np.zeros((1, 10)), order_up_to_level=4, lead_time_days=1)).totals()

    assert np.isnan(found["fill_rate"].value)
    assert found["mean_stock"].value == 4.0
    assert found["orders"].value == 0.0


def test_the_same_policy_twice_differs_by_nothing():
    today = simulate(worlds())

    same = compare(today, simulate(worlds()))

    assert all(found == Estimate(0.0, 0.0, 0.0) for found in same.difference.values())


def test_pairing_narrows_the_difference():
    replay = worlds(scenarios=20)
    today, more = simulate(replay), simulate(replay.with_levels(order_up_to_level=[17, 20, 22, 27, 32]))

    found = compare(today, more)

    gain, apart = found.difference["fill_rate"], found.challenger["fill_rate"]
    assert gain.low > 0.0
    assert gain.value == pytest.approx(apart.value - found.today["fill_rate"].value)
    assert gain.high - gain.low < 0.6 * (apart.high - apart.low)


def test_policies_on_different_demand_are_not_compared():
    elsewhere = ReplayInput(demand=np.ones((6, 5, 200)), order_up_to_level=9, lead_time_days=3, warm_up_days=20)

    with pytest.raises(ParameterError, match="same demand"):
        compare(simulate(worlds()), simulate(elsewhere))
    with pytest.raises(ParameterError, match="same scenarios"):
        compare(simulate(worlds()), simulate(worlds(scenarios=5)))


def test_the_curve_of_a_higher_target_holds_more_and_serves_more():
    replay = worlds(scenarios=3)

    curve = trade_off_curve(replay, lambda target: {"order_up_to_level": 100 * target - 75.0}, (0.9, 0.95, 0.99))

    assert [point.target for point in curve] == [0.9, 0.95, 0.99]
    for name in ("fill_rate", "stock_value"):
        values = [point.totals[name].value for point in curve]
        assert values == sorted(values)
        assert values[0] < values[-1]
