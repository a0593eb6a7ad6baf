"""Features know the past, and of the future only what was said to be known: changing all else changes no earlier
origin."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from forecasting.engine.cleaning import clean
from forecasting.engine.features import calendar_features, covariate_features, history_features, paydays
from forecasting.engine.types import Covariates, Panel

N, PERIODS, AHEAD = 6, 120, 28
ORIGINS, WINDOWS = np.array([60, 80, 100]), (7, 28)


def panel(seed: int = 1, **more) -> Panel:
    rng = np.random.default_rng(seed)
    return Panel(
        ids=tuple("abcdef"),
        values=rng.poisson(3, (N, PERIODS)).astype(float),
        starts=np.zeros(N, dtype=np.int64),
        in_stock=rng.choice([0.0, 0.5, 1.0, 1.0], (N, PERIODS)),
        origin_ds=date(2026, 1, 1),
        covariates=Covariates(
            known={"price": rng.uniform(5, 9, (N, PERIODS + AHEAD))},
            past={"page_views": rng.poisson(20, (N, PERIODS)).astype(float)},
            static={"weight": np.arange(N, dtype=float)},
            categories={"family": np.array([0, 1, 1, -1, 2, 0])},
            ahead=AHEAD,
        ),
        **more,
    )


def with_another_future(origin: int) -> Panel:
    """All that is not known ahead changed after the origin: demand, stock, past covariates."""
    one, other = panel(), panel(seed=2)

    def mixed(a, b):
        return np.concatenate([a[:, :origin], b[:, origin:]], axis=1)

    views = mixed(one.covariates.past["page_views"], other.covariates.past["page_views"])
    covariates = replace(one.covariates, past={"page_views": views})
    return replace(
        one,
        values=mixed(one.values, other.values * 50),
        in_stock=mixed(one.in_stock, other.in_stock),
        covariates=covariates,
    )


@pytest.mark.parametrize("column", range(len(ORIGINS)))
def test_no_feature_of_an_origin_changes_with_what_happens_after_it(column):
    there = with_another_future(int(ORIGINS[column]))
    here = panel()

    for one, other in (
        (covariate_features(here, ORIGINS, WINDOWS), covariate_features(there, ORIGINS, WINDOWS)),
        (history_features(clean(here), ORIGINS), history_features(clean(there), ORIGINS)),
    ):
        np.testing.assert_array_equal(one[1][:, : column + 1], other[1][:, : column + 1])
        assert not np.array_equal(one[1][:, -1], other[1][:, -1], equal_nan=True) or column == len(ORIGINS) - 1


def test_what_is_known_ahead_is_read_ahead_and_nothing_else_is():
    there = panel()
    there.covariates.known["price"][:, 100 + 7 :] += 3.0

    names, here = covariate_features(panel(), ORIGINS, WINDOWS)
    _, changed = covariate_features(there, ORIGINS, WINDOWS)

    moved = {names[k] for k in range(len(names)) if not np.array_equal(here[..., k], changed[..., k], equal_nan=True)}
    assert moved == {"price:ahead", "price:change", "price:after"}
    assert np.array_equal(here[:, 2, 0, names.index("price:ahead")], changed[:, 2, 0, names.index("price:ahead")])


def test_covariates_are_the_means_a_slow_loop_finds():
    names, x = covariate_features(panel(), ORIGINS, WINDOWS)
    price = panel().covariates.known["price"]

    for o, origin in enumerate(ORIGINS):
        for w, window in enumerate(WINDOWS):
            ahead, usual = price[:, origin : origin + window].mean(axis=1), price[:, origin - 56 : origin].mean(axis=1)
            assert x[:, o, w, names.index("price:ahead")] == pytest.approx(ahead)
            change = np.log((ahead + 0.1 * usual) / (1.1 * usual))
            assert x[:, o, w, names.index("price:change")] == pytest.approx(change)
    assert x[:, 0, 0, names.index("weight")].tolist() == [0, 1, 2, 3, 4, 5]
    assert np.isnan(x[3, 0, 0, names.index("category:family")])


def test_unknown_days_are_left_out_of_means_and_all_unknown_is_unknown():
    there = panel()
    there.covariates.known["price"][0, 100:104] = np.nan
    there.covariates.known["price"][1, 100:] = np.nan

    names, x = covariate_features(there, ORIGINS, WINDOWS)

    price = there.covariates.known["price"]
    assert x[0, 2, 0, names.index("price:ahead")] == pytest.approx(price[0, 104:107].mean())
    assert np.isnan(x[1, 2, :, names.index("price:ahead")]).all()


def test_a_panel_without_covariates_or_dates_has_no_such_features():
    bare = replace(panel(), covariates=None, origin_ds=None)

    assert covariate_features(bare, ORIGINS, WINDOWS)[1].shape == (N, 3, 2, 0)
    assert calendar_features(bare, ORIGINS, WINDOWS)[1].shape == (3, 2, 0)


def test_the_calendar_counts_weekends_and_pay_days_of_the_window():
    names, x = calendar_features(panel(), np.array([0, 8]), (7,))

    # 2026-01-01 is a Thursday and a pay-day; the window from the 9th holds the 15th.
    assert x[:, 0, names.index("weekday")].tolist() == [3, 4]
    assert x[:, 0, names.index("weekend")] == pytest.approx([2 / 7, 2 / 7])
    assert x[:, 0, names.index("payday")] == pytest.approx([1 / 7, 1 / 7])


def test_a_pay_day_on_a_weekend_is_paid_on_the_friday():
    days = [date(2026, 2, d) for d in range(26, 29)]

    assert paydays(days).tolist() == [0, 1, 1]


def test_history_is_free_of_scale_and_leaves_out_days_without_stock():
    small = replace(panel(), covariates=None)
    large = replace(small, values=small.values * 1000)

    names, x = history_features(clean(small), ORIGINS)
    _, y = history_features(clean(large), ORIGINS)
    quiet = replace(small, in_stock=np.ones((N, PERIODS)))
    _, z = history_features(clean(quiet), ORIGINS)

    assert y[..., names.index("sold_28")] == pytest.approx(x[..., names.index("sold_28")])
    assert z[..., names.index("stockout_28")].tolist() == np.zeros((N, 3)).tolist()
    assert z[..., names.index("mean_7")] == pytest.approx(
        history_features(clean(replace(quiet, values=quiet.values * 1000)), ORIGINS)[1][..., names.index("mean_7")]
    )
