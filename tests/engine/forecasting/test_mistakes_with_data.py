"""Mistakes with the data and with the choice of a method, each named by the test that fails if it is made: leaks,
censoring, launches, slips, lucky folds."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from forecasting.engine import fit_pooled, forecast_panel
from forecasting.engine.cleaning import clean
from forecasting.engine.cleaning.kernel import law_of, refit
from forecasting.engine.frame import build_frame
from forecasting.engine.methods import PATH_METHODS, POOLED, registry
from forecasting.engine.methods.pooled import features_of
from forecasting.engine.seasonality import RHYTHMS
from forecasting.engine.selection import SHRINKAGE_FOLDS, Losses, choose, standing_of
from forecasting.engine.trial import backtest_losses, pooled_line
from forecasting.engine.types import Covariates, Panel
from tests.engine.forecasting.panels import panel_of, shop

NAMES = [name for name in registry.FORECASTERS if name not in registry.ON_DEMAND]


def losses_of(**pinball: list[float]) -> Losses:
    """One series, one window, a fold for each number; the benchmark is seasonal_naive."""
    table = np.array(list(pinball.values()), dtype=float).T[None, :, None, :]
    flat = np.zeros(table.shape)
    return Losses(
        tuple(pinball), table, flat, flat, np.ones(table.shape[:3]), np.ones(table.shape[:3], bool), np.ones(1)
    )


def known_panel(values, stock, promotion, price, ahead: int = 0) -> Panel:
    plain = panel_of(values, in_stock=stock)
    past = Covariates(known={"promotion": promotion}, past={"views": price}, ahead=ahead)
    return dataclasses.replace(plain, covariates=past)


@pytest.mark.parametrize("name", NAMES)
def test_25_no_method_of_the_registry_sees_what_came_after_the_fold(name):
    rng = np.random.default_rng(13)
    cut, periods = 100, 140
    values, stock = shop(4, periods), np.ones((4, periods))
    promotion, views = (rng.random((4, periods)) < 0.1).astype(float), rng.random((4, periods))
    later, shut, seen = values.copy(), stock.copy(), views.copy()
    later[:, cut:], shut[:, cut:], seen[:, cut:] = 999.0, 0.5, 77.0

    one, two = (
        registry.forecaster(name).fit_predict(known_panel(v, s, promotion, x).until(cut), 5, (0.1, 0.5, 0.9))
        for v, s, x in ((values, stock, views), (later, shut, seen))
    )
    again = registry.forecaster(name).fit_predict(
        known_panel(values, stock, promotion, views).until(cut), 5, (0.1, 0.5, 0.9)
    )

    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, again)  # and the same numbers each time
    assert not (np.diff(one, axis=2) < 0).any()
    assert not (one < 0).any()


def trial_of(values) -> Losses:
    pooled = fit_pooled(panel_of(values), horizon=14, windows=(7, 14))
    cleaned = clean(panel_of(values))
    frame = build_frame(cleaned, pooled.calendar, pooled.plan.columns)
    features = features_of(frame)
    lines = {m.name: m.line(frame) for m in PATH_METHODS}
    lines[POOLED] = pooled_line(frame, features, np.stack([fit.betas for fit in pooled.fits]))
    return backtest_losses(pooled, cleaned, frame, features, lines)


def test_25_what_every_method_said_at_a_fold_and_how_it_was_judged_stays_when_later_folds_change():
    values = shop(40, 210)
    plan = fit_pooled(panel_of(values), horizon=14, windows=(7, 14)).plan
    end = int(plan.origins[plan.folds[0]]) + max(plan.scored)
    other = values.copy()
    other[:, end:] = np.random.default_rng(5).integers(0, 90, other[:, end:].shape)

    one, two = trial_of(values), trial_of(other)

    for name in ("mean", "band", "pinball", "actual", "valid"):
        np.testing.assert_array_equal(getattr(one, name)[:, 0], getattr(two, name)[:, 0])
    assert not np.array_equal(one.pinball[:, -1], two.pinball[:, -1])


def test_26_days_without_stock_read_as_zeros_would_lower_the_level():
    demand = np.random.default_rng(14).poisson(6.0, (30, 200)).astype(float)
    out = np.random.default_rng(15).random(demand.shape) < 0.25
    sales = np.where(out, 0.0, demand)

    told = forecast_panel(panel_of(sales, in_stock=1.0 - out), horizon=7, windows=(7,))
    blind = forecast_panel(panel_of(sales), horizon=7, windows=(7,))

    assert told.window_mean.mean() == pytest.approx(42, rel=0.04)
    assert blind.window_mean.mean() < 0.85 * 42


def test_26_the_law_behind_cut_off_sales_is_the_most_likely_censored_normal():
    """EM of the Tobit model against direct maximisation; the variance has 8 sales of prior."""
    from scipy.optimize import minimize
    from scipy.stats import norm

    rng = np.random.default_rng(16)
    logs = rng.normal(2.0, 1.05, 3000)
    cut = logs > 2.5
    law, whole = np.zeros(6), logs[~cut]
    law[3:] = len(whole), whole.sum(), (whole**2).sum()
    law[:3] = law[3:]
    bounds = np.stack([np.full(cut.sum(), math.exp(2.5)), np.ones(cut.sum())])

    for _ in range(4):  # 12 rounds each
        refit(law, bounds, True)

    def unlikely(x):
        return -norm.logpdf(whole, x[0], x[1]).sum() - cut.sum() * norm.logsf(2.5, x[0], x[1])

    assert law_of(law) == pytest.approx(minimize(unlikely, [2.0, 1.0], method="Nelder-Mead").x, rel=0.01)


def test_27_zeros_before_the_launch_are_not_demand():
    values = np.random.default_rng(17).poisson(4.0, (40, 240)).astype(float)
    values[:10, :120] = 0.0
    launched = forecast_panel(panel_of(values, starts=[120] * 10 + [0] * 30), horizon=7, windows=(7,))

    frame_mean = launched.window_mean[:10, 0].mean()

    assert frame_mean == pytest.approx(28, rel=0.06)
    assert launched.choices[0].demand_class == "smooth"  # ADI 2 with the 120 zeros


def test_27_a_weekday_that_never_opens_is_no_missing_demand():
    values = shop(40, 210)  # closed on Saturdays

    classes = [c.demand_class for c in forecast_panel(panel_of(values[30:]), horizon=7).choices]

    assert set(classes) == {"smooth"}


@pytest.mark.parametrize(("freq", "season"), [("H", 24), ("D", 7), ("M", 12), ("Q", 4)])
def test_31_each_frequency_has_its_own_season(freq, season):
    assert RHYTHMS[freq].season == season


def test_32_a_few_lucky_folds_do_not_overturn_thousands():
    few = losses_of(seasonal_naive=[1.0] * 5, ses=[1.0] * 5, holt_winters=[0.2] * 5)
    standing = {"smooth": {"seasonal_naive": 1.2, "ses": 0.8, "holt_winters": 1.0}}

    verdict = choose(few, ["smooth"], standing)

    assert verdict.methods[verdict.chosen[0]] == "ses"
    assert 5 / (5 + SHRINKAGE_FOLDS) < 0.15


def test_32_ties_go_to_the_simpler():
    same = losses_of(seasonal_naive=[2.0] * 8, holt_winters=[1.0] * 8, ses=[1.005] * 8)

    verdict = choose(same, ["smooth"], standing_of(same, ["smooth"]))

    assert verdict.methods[verdict.chosen[0]] == "ses"


@pytest.mark.parametrize("freq", ["D", "W", "M", "Q"])
@pytest.mark.parametrize("at", [7, -1])
def test_28_a_slip_of_nine_zeros_in_one_series_is_no_tail_of_the_others(freq, at):
    values = np.random.default_rng(18).poisson(5.0, (15, {"D": 300, "W": 150, "M": 60, "Q": 30}[freq]))
    slip = values.astype(float)
    slip[0, at] = 1e9

    result = forecast_panel(panel_of(slip, freq=freq), horizon=6, windows=(3, 9))

    calm = forecast_panel(panel_of(values, freq=freq), horizon=6, windows=(3, 9))
    assert result.window_quantiles[1:].max() < 10 * calm.window_quantiles[1:].max()
    assert result.window_quantiles[1:, :, 2].mean() < 2 * calm.window_quantiles[1:, :, 2].mean()
    assert result.window_quantiles[0].max() < 1e5


def test_28_a_slip_of_nine_zeros_among_fifteen_years_stays_below_a_hundred_times_the_rest():
    values = np.random.default_rng(18).poisson(5.0, (15, 15)).astype(float)
    values[0, 7] = 1e9

    result = forecast_panel(panel_of(values, freq="Y"), horizon=6, windows=(3, 9))

    assert result.window_quantiles.max() < 100 * 9 * 5  # a billion before: some twenty cases hold no better tail


def test_28_a_bulk_order_is_learnt_from_up_to_three_times_its_cap():
    values = np.full((1, 40), 10.0)
    values[0, 30] = 74215.0

    cleaned = clean(panel_of(values))

    cap = 10 * math.exp(2.5)
    assert (cleaned.demand[0, 30], cleaned.actual[0, 30]) == pytest.approx((cap, 3 * cap))
    assert cleaned.changes.observed.tolist() == [74215.0]
