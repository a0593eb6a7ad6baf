"""Boosted trees: ordered, bounded, deterministic, blind to the future, and one more candidate among the others."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine import fit_pooled, forecast_panel
from forecasting.engine.boosted.candidate import fill_boosted
from forecasting.engine.boosted.cases import build_cases
from forecasting.engine.boosted.model import at_levels, squeeze, unsqueeze
from forecasting.engine.boosted.reader import reader_of
from forecasting.engine.cleaning import clean
from forecasting.engine.frame import build_frame
from forecasting.engine.methods.pooled import features_of
from forecasting.engine.whole import in_whole_units, sales_units
from tests.engine.forecasting.panels import panel_of, shop

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


def nasty() -> np.ndarray:
    values = shop(80, 300)
    values[3] = 0
    values[4, 100] = 1e9
    values[5, ::7] = np.nan
    values[6] = 4
    return values


@pytest.fixture(scope="module")
def learnt():
    panel = panel_of(nasty())
    return panel, fit_pooled(panel, horizon=14, windows=(7, 14), mode="full")


def reader(panel, pooled):
    cleaned = clean(panel)
    frame = build_frame(cleaned, pooled.calendar, pooled.plan.columns)
    return reader_of(pooled, frame, features_of(frame), cleaned, panel.covariates)


def test_trees_are_learnt_and_scored_beside_the_other_methods(learnt):
    panel, pooled = learnt

    result = forecast_panel(panel, horizon=14, windows=(7, 14), pooled=pooled)

    assert pooled.boosted is not None
    assert "boosted_trees" in result.choices[10].scores


def test_quantiles_of_a_nasty_panel_are_finite_ordered_and_bounded(learnt):
    trees = reader(*learnt)
    rows = np.arange(80)

    steps = trees.step_quantiles(rows, 14, LEVELS)
    sums, _ = trees.window_quantiles(len(trees.frame.origins) - 1, rows, np.full(80, 14), LEVELS)

    for found in (steps, sums):
        assert np.isfinite(found).all()
        assert (found >= 0).all()
        assert (np.diff(found, axis=-1) >= 0).all()
    assert sums.max() <= 60 * trees.path[:, -1].sum(axis=1).max() + 1e-9


def test_a_series_does_not_depend_on_its_neighbours(learnt):
    panel, pooled = learnt
    rows = np.arange(20)

    together = reader(panel, pooled).step_quantiles(rows, 14, LEVELS)
    alone = reader(panel.take(rows), pooled).step_quantiles(rows, 14, LEVELS)

    assert np.array_equal(together, alone)


def test_the_same_seed_learns_the_same_trees(learnt):
    panel, pooled = learnt

    again = fit_pooled(panel, horizon=14, windows=(7, 14), mode="full")

    assert [m.mean.text for m in again.boosted.moments] == [m.mean.text for m in pooled.boosted.moments]


def test_the_future_of_a_fold_changes_none_of_its_cases(learnt):
    panel, pooled = learnt
    origin = int(pooled.plan.origins[pooled.plan.folds[0]])
    later = panel.values.copy()
    later[:, origin:] = 50.0

    tables = []
    for values in (panel.values, later):
        cleaned = clean(panel_of(values))
        frame = build_frame(cleaned, pooled.calendar, pooled.plan.columns)
        cases = build_cases(frame, features_of(frame), cleaned, None, np.ones(frame.factor.shape))
        tables.append(cases.history[:, 0])

    assert np.array_equal(*tables, equal_nan=True)


def test_the_mean_of_a_window_is_the_sum_of_its_steps(learnt):
    trees, out = reader(*learnt), {"mean": np.zeros((80, 14)), "quantiles": np.zeros((80, 14, 5))}
    out |= {"window_mean": np.zeros((80, 1)), "window_quantiles": np.zeros((80, 1, 5))}

    fill_boosted(out, trees, np.arange(80), LEVELS, (14,), None)

    assert out["window_mean"][:, 0] == pytest.approx(out["mean"].sum(axis=1))


def test_a_panel_of_few_series_is_not_boosted():
    pooled = fit_pooled(panel_of(shop(12, 160)), horizon=7, windows=(7,), mode="full")

    assert pooled.boosted is None


def test_trees_that_agree_with_the_table_leave_it_as_it_is():
    have = (0.5, 0.8, 0.9, 0.95, 0.99)
    table = np.array([[0.8, 1.5, 2.0, 2.5, 4.0]])

    assert at_levels(squeeze(table), table, have, have) == pytest.approx(table)
    assert unsqueeze(squeeze(np.array([0.0, 1.0, 1e9]))) == pytest.approx([0.0, 1.0, 60.0])


def test_quantiles_of_whole_sales_are_multiples_of_their_unit():
    actual = np.array([[4.0, 6, 10], [8, 16, 0], [1.234, 5.678, 0], [1, 2, 3], [0, 0, 0]])

    units = sales_units(np.tile(actual, 4))

    assert units == pytest.approx([2, 8, 0, 1, 0])
    assert in_whole_units(np.full((5, 1), 5.4), units)[:, 0] == pytest.approx([6, 8, 5.4, 5, 5.4])
