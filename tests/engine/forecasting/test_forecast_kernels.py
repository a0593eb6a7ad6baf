"""Vectorised kernels against the textbook, against slow plain loops and against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine.methods.intermittent import croston_states, tsb_states
from forecasting.engine.methods.smoothing import damped_sum, holt_states, holt_winters_states, ses_states

RNG = np.random.default_rng(3)


def ones(demand: np.ndarray) -> np.ndarray:
    return np.ones_like(demand)


def test_simple_smoothing_gives_the_levels_of_hyndman_and_athanasopoulos_table_8_1():
    exports = np.array([[39.04, 46.24, 19.79, 24.68, 25.08, 22.60]])  # Algeria 1960-65, fpp3 §8.1: α = .84, ℓ₀ = 39.54

    levels, _ = ses_states(exports, ones(exports), np.array([39.54]), np.array([0.84]), np.arange(1, 7))

    # the book prints 25.00 and 22.99 at the end: its α has more digits
    assert levels[0, :, 0].round(2).tolist() == [39.12, 45.10, 23.84, 24.55, 24.99, 22.98]


def test_simple_smoothing_agrees_with_statsmodels():
    from statsmodels.tsa.api import SimpleExpSmoothing

    demand = RNG.poisson(4, (3, 50)).astype(float)

    levels, losses = ses_states(
        demand, ones(demand), np.array([2.0, 3.0, 4.0]), np.array([0.1, 0.4]), np.array([30, 50])
    )

    for i, start in enumerate((2.0, 3.0, 4.0)):
        for g, alpha in enumerate((0.1, 0.4)):
            theirs = SimpleExpSmoothing(demand[i], initialization_method="known", initial_level=start)
            fitted = theirs.fit(smoothing_level=alpha, optimized=False)
            assert levels[g, 1, i] == pytest.approx(fitted.forecast(1)[0], rel=1e-12)
            assert losses[g, 1, i] == pytest.approx(fitted.sse, rel=1e-9)


def test_damped_trend_agrees_with_statsmodels():
    from statsmodels.tsa.api import Holt

    demand = RNG.normal(20, 3, (2, 40)) + np.arange(40) * 0.3
    grid = np.array([(0.3, 0.2)])

    states, _ = holt_states(demand, ones(demand), np.array([18.0, 19.0]), grid, 0.9, np.array([40]))

    for i, start in enumerate((18.0, 19.0)):
        theirs = Holt(
            demand[i], damped_trend=True, initialization_method="known", initial_level=start, initial_trend=0.0
        )
        fitted = theirs.fit(smoothing_level=0.3, smoothing_trend=0.2, damping_trend=0.9, optimized=False)
        ours = states[0, 0, i, 0] + states[0, 0, i, 1] * damped_sum(5, 0.9)
        assert ours == pytest.approx(fitted.forecast(5), rel=1e-9)


def test_holt_winters_agrees_with_statsmodels():
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    demand = RNG.normal(20, 2, (1, 42)) + np.tile(np.arange(7.0), 6)
    season = np.linspace(-3, 3, 7)

    states, _ = holt_winters_states(
        demand, ones(demand), np.array([20.0]), season[None, :], np.array([(0.3, 0.1, 0.2)]), 0.95, np.array([42])
    )

    # ETSModel, not ExponentialSmoothing: the latter's 7th forecast ignores the last seasonal update (statsmodels 0.15)
    theirs = ETSModel(
        demand[0],
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=7,
        initialization_method="known",
        initial_level=20.0,
        initial_trend=0.0,
        initial_seasonal=season,
    ).smooth([0.3, 0.3 * 0.1, 0.2, 0.95])
    level, trend, *cycle = states[0, 0, 0]
    ours = level + trend * damped_sum(7, 0.95) + np.array(cycle)
    assert ours == pytest.approx(theirs.forecast(7), rel=1e-9)


def test_croston_with_the_syntetos_boylan_correction_on_a_series_worked_by_hand():
    demand = np.array([[0.0, 0, 3, 0, 0, 0, 5]])

    rates, _ = croston_states(demand, ones(demand), np.array([0.1]), np.array([2, 3, 7]))

    assert rates[0, 0, 0] == 0.0
    assert rates[0, 1, 0] == pytest.approx(0.95 * 3 / 3)
    assert rates[0, 2, 0] == pytest.approx(0.95 * 3.2 / 3.1)  # size 3 + .1·2, interval 3 + .1·(4 − 3)


def test_tsb_fades_without_sales_and_croston_does_not():
    demand = np.array([[4.0, 0, 0, 0]])

    fading, _ = tsb_states(demand, ones(demand), np.array([0.5]), np.array([(0.2, 0.1)]), np.array([1, 4]))
    steady, _ = croston_states(demand, ones(demand), np.array([0.2]), np.array([1, 4]))

    assert fading[0, :, 0] == pytest.approx([0.55 * 4, 0.55 * 0.9**3 * 4])  # chance .5 + .1·(1 − .5) = .55
    assert steady[0, 0, 0] == steady[0, 1, 0] == pytest.approx(0.9 * 4)


def plain_tsb(demand, weight, chance, alpha, beta):
    size, seen = 0.0, False
    for y, w in zip(demand, weight, strict=True):
        if y > 0:
            size = size + alpha * (y - size) if seen else y
            seen = True
        chance = max(chance + beta * ((1.0 if y > 0 else 0.0) - w * chance), 0.0)
    return chance * size


def plain_croston(demand, weight, alpha):
    size = interval = gap = rate = 0.0
    seen = False
    for y, w in zip(demand, weight, strict=True):
        gap += w
        if y > 0:
            length = max(gap, 0.1)
            size, interval = (
                (size + alpha * (y - size), interval + alpha * (length - interval)) if seen else (y, length)
            )
            rate, gap, seen = (1 - alpha / 2) * size / interval, 0.0, True
    return rate


def test_intermittent_kernels_agree_with_plain_loops_also_on_closed_days():
    demand = RNG.poisson(0.4, (20, 80)) * RNG.integers(1, 9, (20, 80)).astype(float)
    weight = np.where(np.arange(80) % 7 == 5, 0.0, 1.1)[None, :] * np.ones((20, 1))
    demand = demand * (weight > 0)

    rates, _ = croston_states(demand, weight, np.array([0.07, 0.3]), np.array([80]))
    fading, _ = tsb_states(demand, weight, np.full(20, 0.3), np.array([(0.2, 0.03)]), np.array([80]))

    for i in range(20):
        assert rates[0, 0, i] == pytest.approx(plain_croston(demand[i], weight[i], 0.07))
        assert rates[1, 0, i] == pytest.approx(plain_croston(demand[i], weight[i], 0.3))
        assert fading[0, 0, i] == pytest.approx(plain_tsb(demand[i], weight[i], 0.3, 0.2, 0.03))


def test_the_statsmodels_theta_continues_a_weekly_pattern():
    from forecasting.engine.methods.theta import theta_path

    noise = np.random.default_rng(4).normal(0, 0.2, 60)

    path = theta_path(np.tile([4.0, 6.0], 30) + noise, 2, 4)

    assert path == pytest.approx([4.0, 6.0, 4.0, 6.0], abs=0.3)
