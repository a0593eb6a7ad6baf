"""Boosted trees and what else is known: a promotion ahead lifts the forecast, the past of others stays the past."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecasting.engine import fit_pooled, forecast_panel
from forecasting.engine.boosted.cases import build_cases
from forecasting.engine.boosted.past import own_quantiles
from forecasting.engine.cleaning import clean
from forecasting.engine.frame import Calendar, build_frame
from forecasting.engine.methods.pooled import features_of
from forecasting.engine.seasonality import RHYTHMS
from forecasting.engine.types import Covariates
from tests.engine.forecasting.panels import panel_of, shop

N, PERIODS, AHEAD = 60, 240, 14
ORIGIN = 120


def calendar(origins: list[int], freq: str = "D") -> Calendar:
    count = len(origins)
    season = RHYTHMS[freq].season
    return Calendar(
        RHYTHMS[freq],
        season,
        np.array(origins),
        AHEAD,
        np.zeros(PERIODS),
        np.ones((count, season)),
        np.zeros((count, 2)),
        ((0, 7), (7, 14)),
    )


def promoted_panel():
    rng = np.random.default_rng(5)
    promoted = (rng.random((N, (PERIODS + AHEAD) // 7 + 1)) < 0.2).repeat(7, axis=1)[:, : PERIODS + AHEAD].astype(float)
    promoted[:, PERIODS:] = 0.0
    values = rng.poisson(np.geomspace(1, 10, N)[:, None] * (1.0 + 2.0 * promoted[:, :PERIODS])).astype(float)
    return panel_of(values), promoted


def promoted_by(panel, promoted, ahead: float):
    """The panel with a promotion plan that says `ahead` of all periods to come."""
    known = promoted.copy()
    known[:, PERIODS:] = ahead
    return replace(panel, covariates=Covariates(known={"promotion": known}, ahead=AHEAD))


def test_a_promotion_known_ahead_lifts_the_forecast():
    panel, promoted = promoted_panel()
    pooled = fit_pooled(promoted_by(panel, promoted, 0.0), horizon=7, windows=(7,), mode="full")
    totals = []

    for ahead in (0.0, 1.0):
        result = forecast_panel(promoted_by(panel, promoted, ahead), horizon=7, windows=(7,), pooled=pooled)
        totals.append(result.window_mean.sum())

    assert totals[1] > 1.5 * totals[0]


@pytest.mark.parametrize("freq", ["D", "W"])
def test_no_case_of_an_origin_changes_with_what_happens_after_it(freq):
    rng = np.random.default_rng(6)
    tables = []

    for later in (0, 1):
        values, views = shop(N, PERIODS), np.full((N, PERIODS), 3.0)
        views += rng.random(views.shape) * (np.arange(PERIODS) >= ORIGIN)
        values[:, ORIGIN:] += 40.0 * later
        covariates = Covariates(past={"page_views": views})
        panel = replace(panel_of(values, freq=freq), covariates=covariates)
        cleaned = clean(panel)
        frame = build_frame(cleaned, calendar([ORIGIN], freq))
        cases = build_cases(frame, features_of(frame), cleaned, covariates, np.ones(frame.factor.shape))
        rows, zero = np.arange(N), np.zeros(N, dtype=np.int64)
        tables.append(cases.table(rows, zero, zero, zero + 7))

    assert np.array_equal(*tables, equal_nan=True)


def test_own_quantiles_are_read_from_the_past_of_the_series():
    values = np.tile(np.arange(10.0), (1, PERIODS // 10))
    frame = build_frame(clean(panel_of(values)), calendar([170]))

    median, _, _, high = own_quantiles(frame, np.array([[4.5]]), 1)

    assert median[0, 0] == pytest.approx(np.log((5 + 0.45) / 4.95), abs=0.25)
    assert high[0, 0] == pytest.approx(np.log((9 + 0.45) / 4.95))


@pytest.mark.parametrize(("freq", "periods"), [("D", 70), ("W", 30), ("M", 20), ("Q", 12)])
def test_any_small_panel_gets_finite_ordered_quantiles(freq, periods):
    rng = np.random.default_rng(periods)
    panel = panel_of(rng.poisson(2.0, (8, periods)).astype(float), freq=freq)

    result = forecast_panel(panel, horizon=4, windows=(2, 4), mode="full")

    for found in (result.quantiles, result.window_quantiles):
        assert np.isfinite(found).all()
        assert (found >= 0).all()
        assert (np.diff(found, axis=-1) >= 0).all()
