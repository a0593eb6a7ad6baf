"""Croston, SBA, TSB, ADIDA and IMAPA: numbers worked by hand, biases the literature states, plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine.methods.aggregation import aggregated, mean_interval, smoothed_block
from forecasting.engine.methods.croston import FORECASTERS, croston_fit, tsb_fit
from forecasting.engine.methods.sales import level_spread, phase_factors, sale_paths
from tests.engine.forecasting.panels import panel_of

RNG = np.random.default_rng(5)
BY_NAME = {f.name: f for f in FORECASTERS}


def plain_croston(row, alpha):
    size, interval, gap, seen = 0.0, 1.0, 0.0, False
    for y in row[np.isfinite(row)]:
        gap += 1
        if y > 0:
            size, interval = (size + alpha * (y - size), interval + alpha * (gap - interval)) if seen else (y, gap)
            gap, seen = 0.0, True
    return size, interval


def test_croston_smooths_sizes_and_gaps_apart():
    demand = np.array([[0.0, 0, 3, 0, 0, 0, 5]])

    size, interval, alpha = croston_fit(demand, np.array([0.1]))[0]

    assert size == pytest.approx(3.2)  # 3 + .1 · (5 − 3)
    assert interval == pytest.approx(3.1)  # 3 + .1 · (4 − 3)
    assert alpha == 0.1


def test_one_sale_on_the_first_day_is_no_sale_every_day():
    demand = np.array([[6.0] + [0] * 59])

    size, interval, _ = croston_fit(demand, np.array([0.1]))[0]

    assert (size, interval) == (6.0, 60.0)


def test_croston_is_too_high_by_what_syntetos_and_boylan_derived_and_the_correction_mends_it():
    # Syntetos & Boylan (2001): E ≈ μ/p · (1 + α/(2 − α) · (p − 1)/p); α = .3, p = 4, μ = 1: .25 · 1.132 = .2831
    demand = (np.random.default_rng(1).random((4000, 200)) < 0.25).astype(float)

    fit = croston_fit(demand, np.array([0.3]))
    rate = fit[:, 0] / fit[:, 1]

    assert rate.mean() == pytest.approx(0.2831, abs=0.006)
    assert ((1 - 0.15) * rate).mean() == pytest.approx(0.25, abs=0.01)


def test_croston_and_tsb_agree_with_plain_loops_also_where_periods_are_unknown():
    demand = RNG.poisson(0.4, (20, 60)) * RNG.integers(1, 9, (20, 60)).astype(float)
    demand[RNG.random((20, 60)) < 0.1] = np.nan

    crostons, tsbs = croston_fit(demand, np.array([0.15])), tsb_fit(demand, np.array([(0.2, 0.05)]))

    for i, row in enumerate(demand):
        assert crostons[i, :2] == pytest.approx(plain_croston(row, 0.15))
        known = row[np.isfinite(row)]
        second = np.flatnonzero(known > 0)[:2]
        upto = second[-1] + 1 if len(second) == 2 else len(known)
        chance, size = (known[:upto] > 0).sum() / upto, 0.0
        for y in known:
            size = y if y > 0 and size == 0 else size + 0.2 * (y - size) * (y > 0)
            chance += 0.05 * ((y > 0) - chance)
        assert tsbs[i, :2] == pytest.approx([size, chance])


def test_dead_stock_fades_under_tsb_and_not_under_croston():
    alive = np.tile([0.0, 4.0], 20)
    dead = np.concatenate([alive, np.zeros(40)])
    grid = np.array([(0.1, 0.1)])

    before, after = (tsb_fit(row[None, :], grid)[0] for row in (alive, dead))
    steady = [croston_fit(row[None, :], np.array([0.1]))[0] for row in (alive, dead)]

    assert after[0] * after[1] == pytest.approx(before[0] * before[1] * 0.9**40)  # 1 − β in each empty period
    assert steady[0][:2] == pytest.approx(steady[1][:2])


def test_adida_is_the_sum_of_blocks_smoothed_and_shared_out():
    demand = np.array([0.0, 1, 2, 0, 4, 1])  # blocks of two: 1, 2, 5; α = .2: 1 → 1.2 → 1.96

    rate, alpha = smoothed_block(demand, 2, np.array([0.2]))

    assert rate == pytest.approx(0.98)
    assert alpha == 0.2
    assert mean_interval(np.array([[0.0, 0, 3, 0, 0, 5, 0, 0, 1, 0, 0, 2]])).tolist() == [3]


def test_imapa_is_the_mean_of_its_levels():
    demand = RNG.poisson(0.5, (5, 24)).astype(float)
    alphas = np.array([0.1, 0.4])

    found = aggregated(demand, np.ones(5, dtype=np.int64), np.full(5, 4), alphas)

    for i, row in enumerate(demand):
        assert found[i, 0] == pytest.approx(np.mean([smoothed_block(row, k, alphas)[0] for k in (1, 2, 3, 4)]))


def test_a_rate_becomes_sales_of_past_sizes_with_that_mean():
    demand = np.array([[2.0, 0, 0, 6, 0, 0, 0, 0]])
    chances = np.array([[0.7], [0.8], [0.95]])

    paths = sale_paths(demand, np.array([1.0]), np.ones((1, 1)), chances)
    many = sale_paths(demand, np.array([1.0]), np.ones((1, 1)), (np.arange(1000)[:, None] + 0.5) / 1000)

    assert paths[0, :, 0].tolist() == [0, 2, 6]  # mean size 4, hence a sale with chance .25
    assert many.mean() == pytest.approx(1.0, abs=1e-9)


def test_a_rate_above_a_sale_each_period_makes_the_sales_larger():
    paths = sale_paths(np.array([[2.0, 2, 2]]), np.array([5.0]), np.ones((1, 1)), np.array([[0.1], [0.9]]))

    assert paths[0, :, 0].tolist() == [5.0, 5.0]


def test_the_level_is_as_uncertain_as_its_smoothing_leaves_it():
    demand = np.array([[0.0, 0, 0, 0, 5.0]])  # CV² = 4

    spread = level_spread(demand, np.array([1 / 9]), 5000, 0)

    assert spread.mean() == pytest.approx(1.0, abs=0.001)
    assert spread.var() == pytest.approx(4 / 9, rel=0.01)


def test_a_phase_that_never_sells_gets_little():
    demand = np.tile([1.0, 1, 0, 1, 1, 0, 1], 10)[None, :]
    demand[0, 5::7] = 0

    factor = phase_factors(demand, "D", 7)

    raw = np.array([1.0, 1, 0, 1, 1, 0, 1]) * 10 + 20 / 7
    share = raw / (10 * 50 / 70 + 20 / 7)
    assert factor[0] == pytest.approx(share / share.mean())


@pytest.mark.parametrize("name", ["croston", "croston_sba", "tsb"])
def test_most_periods_of_slow_stock_sell_nothing_though_the_rate_is_above_zero(name):
    panel = panel_of(np.tile([0, 0, 0, 3.0], 9)[None, :], freq="M")

    steps = BY_NAME[name].fit_predict(panel, 1, (0.5, 0.99))

    assert steps[0, 0, 0] == 0.0
    assert steps[0, 0, 1] == pytest.approx(3.0)
