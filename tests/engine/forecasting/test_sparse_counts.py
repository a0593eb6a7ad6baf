"""Count distributions: moments, convolutions against scipy, and the discrete rule of quantiles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import nbinom, poisson

from forecasting.engine.methods.count_sums import (
    HURDLE,
    NEGATIVE_BINOMIAL,
    POISSON,
    ZERO_INFLATED,
    Counts,
    level_points,
    negative_binomial_log,
    sum_quantiles,
)
from forecasting.engine.methods.counts import FORECASTERS, fit_counts, inflated, inverse_size
from tests.engine.forecasting.panels import panel_of

BY_NAME = {f.name: f for f in FORECASTERS}
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


def counts(model, *, mean=1.0, inverse=0.0, rate=1.0, live=1.0, chance=0.5, extra=1.0, extra_inverse=0.0):
    numbers = (mean, inverse, rate, live, chance, extra, extra_inverse)
    return Counts(*(np.array([x], dtype=float) for x in (*numbers, 0.0)), np.array([model]))


def test_the_negative_binomial_has_the_mean_and_variance_it_is_named_by():
    y = np.arange(400.0)

    chance = np.exp(negative_binomial_log(y, np.array(2.0), np.array(1.0)))

    assert chance[:2] == pytest.approx([1 / 3, 2 / 9])
    assert (y * chance).sum() == pytest.approx(2.0)
    assert (y**2 * chance).sum() - 4 == pytest.approx(6.0)  # mean + mean² / r


def test_a_poisson_mean_of_a_hundredth_needs_no_stock():
    panel = panel_of(np.concatenate([[1.0], np.zeros(99)])[None, :], freq="M")

    steps = BY_NAME["poisson"].fit_predict(panel, 3, LEVELS)

    assert sum_quantiles(counts(POISSON, mean=0.01), np.ones((1, 1)), LEVELS).tolist() == [[0, 0, 0, 0, 0]]
    assert not steps[:, :, :4].any()


def test_sums_of_poissons_and_negative_binomials_are_what_scipy_says():
    seven = sum_quantiles(counts(POISSON, mean=1.0), np.ones((1, 7)), LEVELS)
    three = sum_quantiles(counts(NEGATIVE_BINOMIAL, mean=2.0, inverse=1.0), np.ones((1, 3)), LEVELS)

    assert seven[0].tolist() == poisson.ppf(LEVELS, 7).tolist()
    assert three[0].tolist() == nbinom.ppf(LEVELS, 3, 1 / 3).tolist()  # r adds up: 3 of mean 6


def test_sums_of_zero_inflated_and_hurdle_counts_agree_with_a_plain_convolution():
    y = np.arange(60)
    for fits, one in (
        (counts(ZERO_INFLATED, rate=2.0, live=0.3, mean=0.6), 0.3 * poisson.pmf(y, 2) + 0.7 * (y == 0)),
        (
            counts(HURDLE, chance=0.4, extra=1.5, extra_inverse=0.5, mean=1.0),
            np.where(y > 0, 0.4 * nbinom.pmf(y - 1, 2, 2 / 3.5), 0.6),
        ),
    ):
        plain = np.convolve(np.convolve(one, one), one)
        want = [int((plain.cumsum() < level - 1e-9).sum()) for level in LEVELS]

        assert sum_quantiles(fits, np.ones((1, 3)), LEVELS)[0].tolist() == want


def test_the_zero_inflated_rate_solves_its_likelihood_equation():
    rate, live = inflated(np.array([0.5]), np.array([0.3]))

    want = brentq(lambda x: x / (1 - np.exp(-x)) - 0.5 / 0.3, 0.01, 10)
    assert rate[0] == pytest.approx(want, rel=1e-6)
    assert live[0] == pytest.approx(0.5 / want)


def test_dispersions_are_drawn_towards_the_panels():
    own = inverse_size(np.array([1.0, 1.0]), np.array([3.0, 1.0]), np.array([10.0, 10.0]))

    assert own.tolist() == pytest.approx([1.5, 0.5])  # own 2 and 0, panel 1, half and half at 10 cases


def test_a_level_known_from_few_periods_widens_sums_more_than_steps():
    sure, unsure = counts(POISSON, mean=4.0), counts(POISSON, mean=4.0)
    unsure = replace(unsure, noise=np.array([0.25]))

    step, window = ([sum_quantiles(f, np.ones((1, k)), (0.5, 0.95))[0] for f in (sure, unsure)] for k in (1, 12))

    assert level_points(np.array([0.25])).mean() == pytest.approx(1.0)
    assert (window[1][1] - window[0][1]) / window[0][1] > (step[1][1] - step[0][1]) / step[0][1] + 0.2


def test_the_distribution_is_chosen_by_what_made_the_series():
    rng = np.random.default_rng(2)
    plain = rng.poisson(2.0, (30, 300))
    wide = nbinom.rvs(0.5, 0.2, size=(30, 300), random_state=3)
    bulky = (rng.random((30, 300)) < 0.2) * (20 + rng.poisson(3, (30, 300)))

    models = [np.bincount(fit_counts(v.astype(float), "M").model, minlength=4) for v in (plain, wide, bulky)]

    assert models[0].argmax() == POISSON
    assert models[1].argmax() == NEGATIVE_BINOMIAL
    assert models[2][[ZERO_INFLATED, HURDLE]].sum() == 30


def test_windows_of_a_steady_poisson_cover_what_they_promise():
    rng = np.random.default_rng(4)
    values = rng.poisson(0.6, (800, 60)).astype(float)
    panel = panel_of(values[:, :48], freq="M")

    windows = BY_NAME["counts"].window_quantiles(panel, (6,), LEVELS)[:, 0]

    actual = values[:, 48:54].sum(axis=1)[:, None]
    low, high = (actual < windows).mean(axis=0), (actual <= windows).mean(axis=0)
    for tau, below, upto in zip(LEVELS, low, high, strict=True):
        assert below - 0.03 <= tau <= upto + 0.03


def test_a_capped_bulk_order_leaves_a_series_of_counts():
    values = np.array([[1.0, 2] * 15])
    values[0, 25] = 5000.0

    steps = BY_NAME["counts"].fit_predict(panel_of(values, freq="M"), 1, (0.5,))

    assert np.isfinite(steps).all()


def test_fractions_and_sums_of_many_thousands_are_left_to_others():
    panel = panel_of(np.array([[0.5, 1, 2] * 8, [1.0, 0, 2] * 8, [9e6, 8e6, 9e6] * 8]), freq="M")

    steps = BY_NAME["counts"].fit_predict(panel, 2, (0.5, 0.9))

    assert np.isnan(steps).all(axis=(1, 2)).tolist() == [True, False, True]
