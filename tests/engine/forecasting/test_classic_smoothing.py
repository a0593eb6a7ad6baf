"""Averages, exponential smoothing, ETS and Theta against printed textbook numbers, plain loops and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine.methods.averages import last_season, weighted_average
from forecasting.engine.methods.ets import ADDITIVE, MULTIPLICATIVE, aicc, fit_ets, run_ets, select_ets, spec_of
from forecasting.engine.methods.linear import LinearForecast
from forecasting.engine.methods.theta import fit_theta

RNG = np.random.default_rng(11)
# Makridakis, Wheelwright & Hyndman (1998), Forecasting: methods and applications, ch. 4: electric can openers
SHIPMENTS = np.array([200.0, 135, 195, 197.5, 310, 175, 155, 130, 220, 277.5, 235])
# Hyndman & Athanasopoulos, fpp3 §8.2: population of Australia in millions, 1960 to 1966
POPULATION = np.array([10.28, 10.48, 10.74, 10.95, 11.17, 11.39, 11.65])
WEEKLY = RNG.poisson(30 * np.tile([1.2, 1.0, 1.0, 0.9, 1.4, 0.6, 0.8], 18)).astype(float) + 1.0


def run(y, label, theta, level, slope=0.0, cycle=(0.0,), season=1):
    return run_ets(y, label, spec_of(label, season), np.array(theta), level, slope, np.array(cycle))


def statsmodels_of(y, label, season, **initial):
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    kind = {"A": "add", "M": "mul", "N": None}
    return ETSModel(
        y,
        error=kind[label[0]],
        trend="add" if label[1] == "A" else None,
        damped_trend=label[1:-1] == "Ad",
        seasonal=kind[label[-1]],
        seasonal_periods=season if label[-1] != "N" else None,
        **initial,
    )


@pytest.mark.parametrize(("length", "expected"), [(3, 176.7), (5, 207.5)])
def test_a_moving_average_gives_makridakis_and_wheelwrights_first_forecasts(length, expected):
    forecast = weighted_average(SHIPMENTS[:length], np.ones(length), 2)

    assert forecast.mean == pytest.approx([expected, expected], abs=0.05)


def test_a_weighted_average_counts_the_newest_most_and_a_gap_for_nothing():
    whole = weighted_average(np.array([2.0, 4.0, 9.0]), np.array([3.0, 2.0, 1.0]), 2)
    gap = weighted_average(np.array([2.0, np.nan, 9.0]), np.array([3.0, 2.0, 1.0]), 1)

    assert whole.mean == pytest.approx([37 / 6, 37 / 6])
    assert gap.mean == pytest.approx([(27 + 2) / 4])


def test_a_moving_average_spreads_as_the_autoregression_it_is():
    forecast = weighted_average(SHIPMENTS, np.ones(2), 4)

    assert forecast.psi == pytest.approx([1, 0.5, 0.75, 0.625])  # ψ_h = (ψ_{h−1} + ψ_{h−2}) / 2


def test_the_seasonal_naive_repeats_the_last_season_and_spreads_at_every_whole_season():
    forecast = last_season(np.array([1.0, 2, 3, 4, 6, 8]), 3, 5)

    assert forecast.mean.tolist() == [4, 6, 8, 4, 6]
    assert forecast.errors.tolist() == [3, 4, 5]
    assert forecast.step_sd()[[0, 2, 3]] == pytest.approx(np.sqrt(50 / 3) * np.sqrt([1, 1, 2]))


@pytest.mark.parametrize(
    ("alpha", "printed"),
    [
        (0.1, [200.0, 193.5, 193.7, 194.0, 205.6, 202.6, 197.8, 191.0, 193.9, 202.3, 205.6]),
        (0.5, [200.0, 167.5, 181.3, 189.4, 249.7, 212.3, 183.7, 156.8, 188.4, 233.0, 234.0]),
    ],
)
def test_simple_smoothing_gives_the_forecasts_of_makridakis_and_wheelwright(alpha, printed):
    fit = run(SHIPMENTS[1:], "ANN", [alpha, 0, 0, 1], SHIPMENTS[0])

    forecasts = [*(SHIPMENTS[1:] - fit.errors), fit.mean(1)[0]]

    assert forecasts == pytest.approx(printed, abs=0.06)


def test_holts_method_gives_hyndman_and_athanasopoulos_table_8_2():
    fit = run(POPULATION, "AAN", [0.9999, 0.3267, 0, 1], 10.05, 0.22)

    forecasts = POPULATION - fit.errors

    assert forecasts == pytest.approx([10.28, 10.50, 10.70, 10.97, 11.17, 11.39, 11.61], abs=0.011)
    assert fit.level == pytest.approx(11.65, abs=0.005)
    assert fit.slope == pytest.approx(0.23, abs=0.005)


def test_a_damped_trend_flattens_towards_its_limit():
    forecast = run(np.array([10.0]), "AAdN", [0.5, 0.1, 0, 0.9], 8.2, 2.0).mean(300)

    assert forecast[:2] == pytest.approx([10 + 0.9 * 1.8, 10 + (0.9 + 0.81) * 1.8])  # no error: b stays φb₀ = 1.8
    assert forecast[-1] == pytest.approx(10 + 9 * 1.8)  # φ / (1 − φ) = 9


@pytest.mark.parametrize("label", [*ADDITIVE, *MULTIPLICATIVE])
def test_every_ets_model_has_the_states_likelihood_and_aicc_of_statsmodels(label):
    cycle = np.linspace(0.9, 1.1, 7) if label[-1] == "M" else np.linspace(-3, 3, 7)
    gamma = 0.0 if label[-1] == "M" else 0.1  # statsmodels 0.15 divides a multiplicative season's step by the new level
    theta = [0.3, 0.05, gamma, 0.9 if "d" in label else 1.0]
    seasonal, trend = label[-1] != "N", label[1] == "A"

    ours = run(WEEKLY, label, theta, 30.0, 0.1, cycle if seasonal else (0.0,), 7)

    initial = {"initial_level": 30.0}
    initial |= {"initial_trend": 0.1} if trend else {}
    initial |= {"initial_seasonal": cycle} if seasonal else {}
    wanted = [0.3] + [0.05] * trend + [gamma] * seasonal + [0.9] * ("d" in label)
    theirs = statsmodels_of(WEEKLY, label, 7, initialization_method="known", **initial).smooth(wanted)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-6)
    assert ours.mean(9) == pytest.approx(theirs.forecast(9), rel=1e-9)
    estimated = statsmodels_of(WEEKLY, label, 7, initialization_method="estimated")
    assert ours.parameters == estimated.k_params + 1


def test_a_multiplicative_season_moves_as_the_equations_of_ets_m_a_m_say():
    cycle, level, slope, errors = [0.9, 1.1], 12.0, 0.5, []
    y = np.array([12.0, 13, 15, 14, 16, 18])

    fit = run(y, "MAM", [0.3, 0.05, 0.1, 1], level, slope, cycle, 2)

    for t, value in enumerate(y):  # fpp3 table 8.7: ℓ = (ℓ + b)(1 + αε), b = b + β(ℓ + b)ε, s = s(1 + γε)
        ahead = level + slope
        errors.append(value / (ahead * cycle[t % 2]) - 1)
        cycle[t % 2] *= 1 + 0.1 * errors[-1]
        level, slope = ahead * (1 + 0.3 * errors[-1]), slope + 0.05 * ahead * errors[-1]
    assert fit.errors == pytest.approx(errors)
    assert (fit.level, fit.slope, *fit.cycle) == pytest.approx((level, slope, *cycle))


@pytest.mark.parametrize("label", ["ANN", "AAdN", "MAN", "ANA", "MNM"])
def test_the_fitted_likelihood_reaches_that_of_statsmodels(label):
    ours = fit_ets(WEEKLY, label, 7)

    theirs = statsmodels_of(WEEKLY, label, 7).fit(disp=False)
    assert ours.aicc < theirs.aicc + 1.5
    assert aicc(theirs.llf, ours.parameters, len(WEEKLY)) == pytest.approx(theirs.aicc, abs=1e-6)


def test_the_correction_of_aic_is_hurvich_and_tsais():
    assert aicc(-10, 2, 10) == pytest.approx(20 + 4 + 12 / 7)
    assert aicc(-10, 9, 10) == np.inf


def test_the_chosen_form_has_the_season_the_series_has():
    flat = np.random.default_rng(5).normal(50, 4, 120)

    assert select_ets(WEEKLY, 7).label[-1] in "AM"
    assert select_ets(flat, 7).label[1:] == "NN"


def test_an_unknown_period_moves_the_state_by_its_own_expectation():
    gap = run(np.array([12.0, np.nan, 14.0]), "AAN", [0.5, 0.1, 0, 1], 10.0, 1.0)

    expected = run(np.array([12.0, 11.0 + 0.5 + 1.1, 14.0]), "AAN", [0.5, 0.1, 0, 1], 10.0, 1.0)
    assert gap.mean(3) == pytest.approx(expected.mean(3))
    assert (gap.seen, expected.seen) == (2, 3)


def test_paths_of_simple_smoothing_spread_as_the_formula_of_class_one_models_says():
    fit = run(WEEKLY, "ANN", [0.4, 0, 0, 1], 30.0)
    from forecasting.engine.methods.base import even_chances

    paths = fit.draw(even_chances(4096, 5, 0))

    sigma = np.sqrt((fit.errors**2).sum() / (len(WEEKLY) - 2))
    assert paths.std(axis=0) == pytest.approx(sigma * np.sqrt(1 + 0.16 * np.arange(5)), rel=0.02)  # fpp3 §8.7


def test_the_sum_of_a_random_walk_spreads_by_root_fourteen_in_three_steps():
    walk = LinearForecast(np.zeros(3), np.ones(3), np.array([1.0, -1.0, 1.0, -1.0]), spent=0)

    assert walk.window_sd(3) == pytest.approx(np.sqrt(14))
    assert walk.step_sd() == pytest.approx(np.sqrt([1, 2, 3]))


@pytest.mark.parametrize(
    ("y", "season"),
    [(WEEKLY, 7), (WEEKLY - 15.5, 7), (np.cumsum(RNG.normal(0.2, 1, 90)) + 50, 1), (RNG.normal(60, 3, 80), 4)],
)
def test_theta_agrees_with_statsmodels(y, season):
    from statsmodels.tsa.forecasting.theta import ThetaModel

    ours = fit_theta(y, season, 9)

    theirs = ThetaModel(y, period=season, deseasonalize=season > 1).fit()
    assert ours.mean == pytest.approx(np.asarray(theirs.forecast(9)), rel=2e-5, abs=1e-3)


def test_theta_of_a_straight_line_goes_on_at_half_its_slope():
    forecast = fit_theta(np.arange(10.0, 40.0), 1, 3)

    assert forecast.alpha == pytest.approx(1.0)
    assert forecast.drift == pytest.approx(1.0)
    assert forecast.mean == pytest.approx([39.5, 40.0, 40.5])  # SES with α = 1 stays at 39
