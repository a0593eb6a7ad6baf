"""New items: like items, empirical Bayes, the launch curve, and forecasts of what has hardly begun."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecasting.engine import Panel, fit_pooled, forecast_panel
from forecasting.engine.cleaning import clean
from forecasting.engine.frame import build_frame
from forecasting.engine.metrics import pinball
from forecasting.engine.newcomers.curve import launch_curve, relative_ahead, relative_curve
from forecasting.engine.newcomers.early import early_of
from forecasting.engine.newcomers.likeitems import (
    category_effects,
    fit_like_items,
    gamma_poisson_shape,
    posterior_rate,
)
from forecasting.engine.types import Covariates
from tests.engine.forecasting.panels import panel_of

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


def launches(n: int = 240, periods: int = 240, *, seed: int = 3, known: int | None = None) -> Panel:
    """Items launched all along: gamma rates around .3 (family 0) or 3 (family 1), three times as much in week one."""
    rng = np.random.default_rng(seed)
    starts = np.concatenate([np.zeros(40, dtype=np.int64), np.linspace(50, periods - 36, n - 40).astype(np.int64)])
    family = (np.arange(n) % 2).astype(np.int64)
    rates = rng.gamma(2.0, np.where(family == 1, 1.5, 0.15))
    age = np.arange(periods)[None, :] - starts[:, None]
    mean = rates[:, None] * np.where(age < 7, 3.0, 1.0)
    values = np.where(age >= 0, rng.poisson(mean), np.nan)
    covariates = Covariates(static={"price": np.where(family == 1, 2.0, 20.0)}, categories={"family": family})
    return Panel(tuple(f"S{i}" for i in range(n)), values, starts, None, "D", None, covariates).until(known or periods)


@pytest.fixture(scope="module")
def learnt():
    """The panel as it stood 28 days ago, what it taught, and what came after."""
    whole = launches()
    past = whole.until(212)
    return past, fit_pooled(past, horizon=28, windows=(7, 28)), whole.values[:, 212:]


def test_a_category_of_five_items_counts_half():
    effects = category_effects(np.array([0.4] * 5 + [0.0]), np.array([1, 1, 1, 1, 1, -1]))

    assert effects.tolist() == pytest.approx([0.0, 0.2])


def test_like_items_are_those_of_the_same_category_and_price_level():
    family = np.array([0] * 50 + [1] * 50)
    covariates = Covariates(categories={"family": family}, static={"price": np.r_[np.full(50, 2.0), np.full(50, 9.0)]})
    target = np.where(family == 0, 0.0, 2.0)

    like = fit_like_items(target, covariates)
    alone = Covariates(categories={"family": np.array([0, 1, -1, 7])}, static={"price": np.full(4, np.nan)})

    assert like.at(covariates, 100)[[0, 99]] == pytest.approx([0.0, 2.0], abs=0.05)
    assert like.at(alone, 4)[2:].tolist() == [1.0, 1.0]  # unknown category and price: an average item
    assert like.at(None, 1).tolist() == [1.0]


def test_own_sales_are_drawn_towards_like_items():
    rate = posterior_rate(np.array([3.0]), np.array([5.0]), np.array([0.2]), 2.0)

    assert rate[0] == pytest.approx(1 / 3)  # (2 + 3) / (2 / .2 + 5)


def test_the_shape_of_gamma_rates_is_found_from_their_counts():
    rng = np.random.default_rng(0)
    for shape in (0.5, 1.0, 4.0):
        counts = rng.poisson(rng.gamma(shape, 3.0 / shape, 4000)).astype(float)

        assert gamma_poisson_shape(counts, np.full(4000, 3.0)) == pytest.approx(shape, rel=0.15)


def test_the_launch_curve_counts_every_item_by_its_own_scale():
    curve = relative_curve(np.array([[4.0, 2.0], [40.0, 20.0]]), np.ones((2, 2)))

    assert curve.tolist() == pytest.approx([(10 + 8 / 3) / 12, (10 + 4 / 3) / 12])


def test_the_launch_curve_of_a_panel_finds_the_first_week():
    panel = launches(400)
    cleaned = clean(panel)

    curve = launch_curve(cleaned.demand, cleaned.exposure, cleaned.starts, 7, 4)

    assert curve[0] / curve[1:].mean() == pytest.approx(3.0, rel=0.15)


def test_fourteen_days_into_a_falling_curve_the_own_mean_is_too_high():
    ahead = relative_ahead(np.array([2.0, 1.0, 1.0]), np.array([14.0]), 7, 7)

    assert ahead[0, 3] == pytest.approx(1 / 1.5)


def test_what_is_known_of_a_young_item_does_not_change_with_its_future(learnt):
    past, pooled, _ = learnt
    other = past.values.copy()
    at = int(pooled.calendar.origins[-3])
    other[:, at:] = np.where(np.isnan(other[:, at:]), np.nan, 99.0)
    column = np.array([len(pooled.calendar.origins) - 3])

    one, two = (
        early_of(build_frame(clean(p), pooled.calendar).at(column)) for p in (past, replace(past, values=other))
    )

    for name in ("events", "units", "late_units", "logs", "squares", "first", "age"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()


def test_windows_of_new_items_beat_their_own_mean_by_a_fifth(learnt):
    past, pooled, future = learnt
    age = 212 - past.starts
    rows = np.flatnonzero((age >= 3) & (age < 56))
    young = past.take(rows)
    actual = future[rows].sum(axis=1)

    new, old = (
        forecast_panel(young, horizon=28, quantiles=LEVELS, windows=(28,), pooled=p)
        for p in (pooled, replace(pooled, newcomers=None))
    )

    loss = [pinball(actual[:, None], r.window_quantiles[:, 0], np.array(LEVELS)).sum() for r in (new, old)]
    inside = (actual[:, None] <= new.window_quantiles[:, 0]).mean(axis=0)
    assert {c.method for c in new.choices} == {"new_item"}
    assert loss[0] < 0.8 * loss[1]
    assert inside[3] >= 0.85
    assert (np.diff(new.window_quantiles, axis=2) >= 0).all()
    assert (new.quantiles >= 0).all()


def test_an_item_that_has_not_sold_yet_starts_like_its_kind(learnt):
    _, pooled, _ = learnt
    values = np.where(np.arange(212) >= 205, 0.0, np.nan)
    kin = Covariates(static={"price": np.array([2.0, 20.0])}, categories={"family": np.array([1, 0])})
    fresh = replace(panel_of([values, values], starts=[205, 205]), origin_ds=None, covariates=kin)

    result = forecast_panel(fresh, horizon=28, windows=(28,), pooled=pooled)
    unknown = forecast_panel(replace(fresh, covariates=None), horizon=28, windows=(28,), pooled=pooled)

    assert [c.method for c in result.choices] == ["new_item", "new_item"]
    assert result.window_mean[0, 0] > 2 * result.window_mean[1, 0] > 0
    assert [c.method for c in unknown.choices] == ["zero", "zero"]


def test_a_new_items_forecast_does_not_depend_on_its_neighbours(learnt):
    past, pooled, _ = learnt
    rows = np.flatnonzero(212 - past.starts < 56)

    together = forecast_panel(past.take(rows), horizon=28, windows=(28,), pooled=pooled)
    alone = forecast_panel(past.take(rows[:1]), horizon=28, windows=(28,), pooled=pooled)

    assert together.window_quantiles[0] == pytest.approx(alone.window_quantiles[0], rel=1e-12)
    assert together.quantiles[0] == pytest.approx(alone.quantiles[0], rel=1e-12)


def test_a_panel_without_launches_teaches_nothing_of_them():
    panel = panel_of(np.random.default_rng(0).poisson(2.0, (60, 150)))

    pooled = fit_pooled(panel, horizon=14, windows=(14,))

    assert pooled.newcomers is None


def test_the_reason_says_how_new_the_item_is(learnt):
    past, pooled, _ = learnt

    choice = forecast_panel(past.take(np.array([239])), horizon=7, pooled=pooled).choices[0]

    assert choice.method == "new_item"
    assert choice.fallback == f"new: {212 - past.starts[239]} periods on sale"
    assert choice.reason == "what earlier launches and like items sold at the same age, drawn towards its own few sales"
