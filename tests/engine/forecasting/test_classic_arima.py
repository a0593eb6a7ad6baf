"""ARIMA, its tests and search, and regression, against identities, plain loops and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine.methods.arima import differences_of, fit_arima, kpss, seasonal_strength, select_arima
from forecasting.engine.methods.arima_kernel import arima_filter, arima_psi, differencing, product, stable
from forecasting.engine.methods.ets import run_ets, spec_of
from forecasting.engine.methods.regression import fading, poisson_fit, ridge, ridge_forecast, waves
from forecasting.engine.methods.sarimax import completed, exact, known_ahead, two_steps

RNG = np.random.default_rng(3)
WALK = np.cumsum(RNG.normal(0, 1, 200)) + 100
SEASONAL = 50 + np.tile([0.0, 8, 3, -6, -9, 2, 2], 30) + RNG.normal(0, 2, 210)


def test_polynomials_multiply_as_numpy_multiplies_them():
    ar, seasonal = np.array([0.5, -0.3]), np.array([0.4])

    ours = product(ar, seasonal, 4)

    theirs = np.polymul([0, 0, 0.3, -0.5, 1][::-1][::-1], [-0.4, 0, 0, 0, 1])[::-1]
    assert [1, *(-ours)] == pytest.approx(theirs[: len(ours) + 1])
    assert differencing(2, 0, 1).tolist() == [2, -1]
    assert differencing(1, 1, 3).tolist() == [1, 0, 1, -1]


def test_partial_autocorrelations_give_a_stationary_autoregression():
    coefficients = stable(np.arctanh(np.array([0.5, -0.4])))

    assert coefficients == pytest.approx([0.5 + 0.4 * 0.5, -0.4])  # φ₁₁ (1 − φ₂₂), φ₂₂ (Durbin–Levinson)
    assert np.abs(np.roots([1, *(-stable(RNG.normal(0, 2, 4)))])).max() < 1


def plain_errors(y, ar, ma, mean):
    """ARMA errors of once-differenced y by the definition."""
    w = np.concatenate([[mean], np.diff(y)]) - mean
    e = np.zeros(len(y))
    for t in range(1, len(y)):
        e[t] = w[t]
        e[t] -= sum(a * w[t - 1 - i] for i, a in enumerate(ar) if t - 1 - i >= 0)
        e[t] -= sum(b * e[t - 1 - j] for j, b in enumerate(ma) if t - 1 - j >= 0)
    return e


def test_the_filter_agrees_with_a_plain_loop():
    order, ar, ma = np.array([2, 1, 1, 0, 0, 0, 1, 1]), np.array([0.5, -0.2]), np.array([0.3])
    known, errors = np.empty(200), np.empty(200)

    total, judged = arima_filter(WALK, order, ar, ma, 0.1, known, errors)

    expected = plain_errors(WALK, ar, ma, 0.1)
    assert errors == pytest.approx(expected)
    assert total == pytest.approx((expected**2).sum())
    assert judged == 199


def test_arima_0_1_1_is_simple_smoothing_with_alpha_one_plus_theta():
    fit = fit_arima(WALK, (0, 1, 1, 0, 0, 0, 1, 0))

    alpha = 1 + fit.ma[0]
    smoothed = run_ets(WALK, "ANN", spec_of("ANN", 1), np.array([alpha, 0, 0, 1.0]), WALK[0], 0.0, np.zeros(1))
    assert fit.forecast(4).mean == pytest.approx(smoothed.mean(4), abs=1e-9)
    assert fit.errors[1:] == pytest.approx(smoothed.errors[1:], abs=1e-9)
    assert fit.forecast(4).psi == pytest.approx([1, alpha, alpha, alpha])


def test_an_autoregression_forecasts_back_to_its_mean_and_spreads_by_powers():
    y = np.array([10.0, 14.0])
    order = np.array([1, 0, 0, 0, 0, 0, 1, 1])
    known = np.empty(5)

    arima_filter(np.append(y, [np.nan] * 3), order, np.array([0.5]), np.zeros(0), 10.0, known, np.empty(5))

    assert known[2:].tolist() == [12.0, 11.0, 10.5]
    assert arima_psi(order, np.array([0.5]), np.zeros(0), 4).tolist() == [1, 0.5, 0.25, 0.125]


@pytest.mark.filterwarnings("ignore")  # statsmodels on its own starting values
@pytest.mark.parametrize("order", [(1, 0, 0), (0, 1, 1), (2, 1, 1)])
def test_coefficients_are_near_those_of_the_exact_likelihood(order):
    from statsmodels.tsa.arima.model import ARIMA

    y = np.zeros(600)
    e = np.random.default_rng(1).normal(0, 1, 600)
    for t in range(1, 600):
        y[t] = 0.6 * y[t - 1] + e[t]
    y = y if order[1] == 0 else np.cumsum(y)
    p, d, q = order

    ours = fit_arima(y, (p, d, q, 0, 0, 0, 1, 0))

    theirs = ARIMA(y, order=order, trend="n").fit()
    assert [*ours.ar, *ours.ma] == pytest.approx(theirs.params[:-1], abs=0.03)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=2.0)


def test_the_forecast_with_given_coefficients_is_that_of_statsmodels():
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    order = np.array([1, 1, 1, 0, 1, 1, 7, 0])
    known = np.empty(len(SEASONAL) + 10)
    ma = -product(np.array([0.3]), np.array([0.6]), 7)

    arima_filter(np.append(SEASONAL, [np.nan] * 10), order, np.array([0.4]), ma, 0.0, known, np.empty(len(known)))

    model = SARIMAX(SEASONAL, order=(1, 1, 1), seasonal_order=(0, 1, 1, 7))
    theirs = model.smooth([0.4, -0.3, -0.6, 4.0]).forecast(10)
    assert known[-10:] == pytest.approx(theirs, abs=0.01)


def test_the_unit_root_test_is_the_one_of_statsmodels():
    import warnings

    from statsmodels.tsa.stattools import kpss as theirs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for y in (WALK, SEASONAL):
            assert kpss(y) == pytest.approx(theirs(y, nlags=int(3 * np.sqrt(len(y)) / 13))[0])


def test_differences_follow_the_unit_root_and_the_strength_of_the_season():
    assert differences_of(WALK, 1) == (1, 0)
    assert differences_of(RNG.normal(20, 2, 200), 1) == (0, 0)
    assert differences_of(SEASONAL, 7) == (0, 1)
    assert seasonal_strength(SEASONAL, 7) == pytest.approx(0.9, abs=0.06)


def test_the_search_finds_a_drift_and_a_season():
    trend = select_arima(np.array([100.0, 120, 130, 140, 150, 160]), 1)
    week = select_arima(SEASONAL, 7)

    assert trend.order == (0, 1, 0, 0, 0, 0, 1, 1)
    assert trend.forecast(3).mean == pytest.approx([172, 184, 196])
    assert week.order[4:] == (1, week.order[5], 7, week.order[7])
    assert week.forecast(7).mean == pytest.approx([50, 58, 53, 44, 41, 52, 52], abs=1.5)


def test_promotions_are_learnt_and_foreseen():
    rng = np.random.default_rng(8)
    promotion = (rng.random(154) < 0.15).astype(float)
    promotion[140:] = [0, 1] * 7
    y = 20 + 15 * promotion[:140] + rng.normal(0, 1, 140)
    x = known_ahead({"promotion": promotion[None]}, 0, 0, 140, 14)

    fit, explained = two_steps(y, x, 1)
    forecast = exact(y, x, fit, 14)

    assert np.ptp(explained[140:]) == pytest.approx(15, abs=1)
    assert forecast.mean == pytest.approx([20, 35] * 7, abs=1.0)


def test_unknown_covariates_carry_a_price_on_and_read_as_no_promotion():
    assert completed(np.array([3.0, 4.0, np.nan, 5.0]), 6).tolist() == [3, 4, 4, 5, 5, 5]
    assert completed(np.array([0.0, 1.0, np.nan]), 4).tolist() == [0, 1, 0, 0]
    assert completed(np.array([np.nan, 7.0, 8.0, 9.0]), 4).tolist() == [7, 7, 8, 9]


def test_what_never_changed_or_repeats_another_covariate_is_left_out():
    promotion = np.array([[0.0, 1, 0, 0, 1, 0, 1, 0]])
    known = {"a": promotion, "b": 2 * promotion + 1, "c": np.ones((1, 8))}

    assert known_ahead(known, 0, 0, 6, 2).shape == (8, 1)


def test_fourier_waves_are_those_of_the_textbook():
    week = waves(4, 4, 3)

    assert week[:, 0] == pytest.approx([0, 1, 0, -1])  # sin 2πt/4; the second sine is 0 throughout and left out
    assert week[:, 1] == pytest.approx([1, 0, -1, 0])
    assert week[:, 2] == pytest.approx([1, -1, 1, -1])


def test_ridge_is_least_squares_where_there_is_hardly_noise():
    x = RNG.normal(size=(300, 2))
    y = 5 + x @ np.array([2.0, -1.0]) + RNG.normal(0, 0.01, 300)

    beta, constant = ridge(x, y)

    assert beta == pytest.approx([2, -1], abs=0.01)
    assert constant == pytest.approx(5, abs=0.01)


def test_regression_errors_fade_by_their_autocorrelation():
    x = np.zeros((6, 1))
    y = np.array([8.0, 4, 2, 1])

    assert fading(np.array([4.0, 2, 1])) == pytest.approx(0.5)
    forecast = ridge_forecast(y, x)
    assert forecast.psi[0] == 1.0
    assert forecast.psi[1] == pytest.approx(fading(y - y.mean()))


def test_poisson_regression_is_the_glm_of_statsmodels_but_for_its_small_penalty():
    import statsmodels.api as sm

    x = RNG.normal(size=(500, 2))
    y = RNG.poisson(np.exp(1.0 + x @ np.array([0.5, -0.2]))).astype(float)

    ours = poisson_fit(x, y)

    theirs = sm.GLM(y, sm.add_constant(x), family=sm.families.Poisson()).fit().params
    assert ours == pytest.approx(theirs, abs=2e-3)
