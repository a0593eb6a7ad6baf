"""The level of a forecast moved by orders: the worked numbers of the docstrings, a slow oracle, and what must hold."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.nowcast import (
    Prior,
    day_variance,
    nowcast,
    pooled_prior,
    prior_of,
    quantiles_ahead,
)
from forecasting.engine.totals import tail_probabilities, total_cdf, total_quantile


def one(mean: list[float], observed: list[float], exposure: list[float], v0: float = 0.25, phi: float = 1.0, **more):
    return nowcast(
        Prior(np.array([phi]), np.array([v0])), np.array([mean]), np.array([observed]), np.array([exposure]), **more
    )


def test_a_total_is_negative_binomial_with_the_mean_and_variance_asked_for() -> None:
    # m = 2, v = 4: r = 2, p = 1/2: P(0) = 1/4, P(1) = 1/4, P(2) = 3/16
    assert total_cdf(np.array([-1.0, 0, 1, 2]), 2.0, 4.0) == pytest.approx([0, 0.25, 0.5, 0.6875])
    assert total_quantile(np.array([0.25, 0.5, 0.51]), 2.0, 4.0).tolist() == [0, 1, 2]
    above, below = tail_probabilities(np.array([2.0]), np.array([2.0]), np.array([4.0]))
    assert (above[0], below[0]) == pytest.approx((0.5, 0.6875))


def test_a_total_whose_variance_is_its_mean_is_poisson() -> None:
    by_hand = math.exp(-3) * (1 + 3 + 4.5)

    assert total_cdf(np.array([2.0]), 3.0, 3.0) == pytest.approx([by_hand])
    assert total_cdf(np.array([0.0]), 0.0, 0.0) == pytest.approx([1.0])


@given(st.floats(0.01, 200), st.floats(1.0, 8.0), st.floats(0.001, 0.9995))
def test_a_quantile_is_the_smallest_whole_number_that_reaches_its_level(mean: float, ratio: float, tau: float) -> None:
    found = float(total_quantile(tau, mean, mean * ratio))

    assert total_cdf(found, mean, mean * ratio) >= tau
    assert found == 0 or total_cdf(found - 1, mean, mean * ratio) < tau


def test_a_whole_day_of_sixteen_orders_where_ten_were_expected_lifts_the_level_to_1_429() -> None:
    now = one([10.0], [16.0], [1.0])

    assert (now.alpha[0], now.beta[0]) == (20.0, 14.0)
    assert now.factor[0] == pytest.approx(1.4286, abs=1e-4)


def test_after_the_night_half_a_day_as_expected_leaves_1_314() -> None:
    now = one([10.0, 10.0], [16.0, 5.0], [1.0, 0.5])

    assert (now.alpha[0], now.beta[0]) == pytest.approx((24.6, 18.72))
    assert now.factor[0] == pytest.approx(1.3141, abs=1e-4)
    assert (now.day_expected[0], now.day_observed[0]) == (pytest.approx(5 * 20 / 14), 5.0)


def test_an_hour_by_hour_day_ends_where_the_day_at_once_does() -> None:
    """Conjugacy: within a day, orders and exposure add up."""
    alpha = beta = 4.0
    for _hour in range(24):
        alpha, beta = alpha + 12 / 24, beta + 10 / 24

    now = one([10.0], [12.0], [1.0])

    assert (now.alpha[0], now.beta[0]) == pytest.approx((alpha, beta))


def oracle(mean: np.ndarray, y: np.ndarray, exposure: np.ndarray, dry: np.ndarray, v0: float, phi: float) -> float:
    """The recursion of the module's docstring, one number at a time."""
    alpha = beta = first = 1 / v0
    for day in range(len(mean)):
        if day:
            level = alpha / beta
            beta = max(0.98 * beta, first)
            alpha = level * beta
        if exposure[day] == 0 or (dry[day] and y[day] <= mean[day] * exposure[day] * alpha / beta):
            continue
        due = mean[day] * exposure[day]
        expected = due * alpha / beta
        most = float(total_quantile(0.999, expected, phi * expected + due**2 * alpha / beta**2))
        alpha, beta = alpha + min(y[day], most) / phi, beta + due / phi
    return alpha / beta


def test_the_vectorised_pass_equals_the_loop() -> None:
    chance = np.random.default_rng(4)
    n, days = 60, 9
    mean, exposure = chance.gamma(2, 3, (n, days)), chance.choice([0, 0.4, 1], (n, days))
    observed, dry = (
        chance.poisson(mean * chance.choice([0.5, 1, 5], (n, days))).astype(float),
        chance.random((n, days)) < 0.3,
    )
    v0, phi = chance.uniform(0.01, 0.5, n), chance.uniform(1, 3, n)

    now = nowcast(Prior(phi, v0), mean, observed, exposure, censored=dry)

    loop = [oracle(mean[i], observed[i], exposure[i], dry[i], v0[i], phi[i]) for i in range(n)]
    assert now.factor == pytest.approx(loop)


def test_no_order_and_no_time_leaves_the_forecast_as_it_is() -> None:
    prior = Prior(np.array([1.5]), np.array([0.1]))
    now = nowcast(prior, np.zeros((1, 0)), np.zeros((1, 0)), np.zeros((1, 0)))
    own = np.array([[90.0, 100.0, 171.0]])

    assert now.factor[0] == 1.0
    assert quantiles_ahead(now, prior, np.array([100.0]), np.array([0.3, 0.5, 0.95]), own) == pytest.approx(own)


def test_a_closed_day_says_nothing_though_orders_came() -> None:
    assert one([10.0], [50.0], [0.0]).factor[0] == 1.0


def test_a_day_out_of_stock_counts_only_where_more_was_asked_for_than_expected() -> None:
    quiet = one([10.0], [0.0], [1.0], censored=np.array([[True]]))
    loud = one([10.0], [16.0], [1.0], censored=np.array([[True]]))

    assert (quiet.factor[0], quiet.expected[0]) == (1.0, 0.0)
    assert loud.factor[0] == pytest.approx(20 / 14)


def test_one_bulk_order_is_a_surprise_and_moves_the_level_no_further_than_its_999th_quantile() -> None:
    now = one([10.0], [74_215.0], [1.0], v0=0.04)
    most = float(total_quantile(0.999, 10.0, 10 + 100 * 0.04))

    assert now.above[0] < 1e-9
    assert now.factor[0] == pytest.approx((25 + most) / 35)


def test_a_window_s_variance_is_parted_into_days_that_bunch_and_a_level_that_is_unsure() -> None:
    prior = prior_of(np.array([10.0]), np.array([20.0]), np.array([100.0]), np.array([1100.0]))

    assert (prior.level_variance[0], prior.dispersion[0]) == (pytest.approx(0.1), 1.0)
    narrow = prior_of(np.array([10.0]), np.array([10.0]), np.array([100.0]), np.array([300.0]))
    assert narrow.dispersion[0] * 100 + 100**2 * narrow.level_variance[0] == pytest.approx(300)


def test_a_day_s_variance_comes_from_its_upper_quantiles_and_is_at_least_poisson() -> None:
    mean, levels = np.full((1, 7), 10.0), np.array([0.5, 0.9])
    low = day_variance(mean, np.stack([np.full((1, 7), 10.0), np.full((1, 7), 14.0)], axis=1), levels)
    high = day_variance(mean, np.stack([np.full((1, 7), 10.0), np.full((1, 7), 20.0)], axis=1), levels)

    assert low[0] == 10.0
    assert high[0] == pytest.approx((10 / 1.2815516) ** 2)


def test_two_equal_halves_share_half_of_their_level() -> None:
    prior = pooled_prior(Prior(np.array([1.0, 2.0]), np.array([0.16, 0.16])), np.array([5.0, 5.0]))

    assert (prior.level_variance[0], prior.dispersion[0]) == (pytest.approx(0.12), 1.5)


@given(st.integers(0, 60), st.integers(0, 60))
def test_more_orders_never_lower_the_level_or_the_quantiles(few: int, more: int) -> None:
    low, high = sorted((few, more))
    prior = Prior(np.array([1.2]), np.array([0.1]))
    views = [one([12.0], [float(units)], [0.7], v0=0.1, phi=1.2) for units in (low, high)]
    ahead = [quantiles_ahead(view, prior, np.array([84.0]), np.array([0.5, 0.9])) for view in views]

    assert views[0].factor[0] <= views[1].factor[0]
    assert np.all(ahead[0] <= ahead[1])
    assert np.all(np.diff(ahead[1]) >= 0)


def test_a_right_forecast_is_called_surprising_about_as_seldom_as_it_says() -> None:
    chance = np.random.default_rng(11)
    n, days, v0 = 20_000, 2, 0.05
    level = chance.gamma(1 / v0, v0, n)
    mean = np.full((n, days), 6.0)

    now = nowcast(
        Prior(np.ones(n), np.full(n, v0)), mean, chance.poisson(mean * level[:, None]).astype(float), np.ones((n, days))
    )

    share = float(np.mean(np.minimum(now.above, now.below) < 0.001))
    assert share < 0.002
