"""Bootstraps and combinations, and what all sparse methods promise: no crossing, none negative, the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine.methods import aggregation, bootstrap, combination, counts, croston
from forecasting.engine.methods.bootstrap import jittered, last_state, transitions
from forecasting.engine.methods.combination import Weighted, inverse_error_weights, median_of, weighted_mean
from tests.engine.forecasting.panels import panel_of

ALL = [f for m in (croston, aggregation, counts, bootstrap, combination) for f in m.FORECASTERS]
BY_NAME = {f.name: f for f in ALL}
RNG = np.random.default_rng(6)
SPARSE = (RNG.random((12, 48)) < np.linspace(0.05, 0.8, 12)[:, None]) * RNG.integers(1, 6, (12, 48)).astype(float)


def test_the_chain_counts_what_follows_what():
    none, sale = transitions(np.array([[0.0, 0, 3, 0, 0, 5, 4]]))

    assert none[0] == pytest.approx((2 + 3 / 7) / 5)
    assert sale[0] == pytest.approx((1 + 3 / 7) / 3)
    assert last_state(np.array([[0.0, 2, np.nan], [2, 0, np.nan]])).tolist() == [True, False]


def test_jitter_follows_willemain_smart_and_schwarz():
    moved = jittered(np.array([9.0, 9.0, 1.0]), np.array([0.5, -4.0, 0.0]))

    assert moved.tolist() == [11.0, 9.0, 2.0]  # 1 + ⌊10.5⌋; 1 + ⌊−3⌋ < 1, so the size itself; 1 + ⌊1⌋


def test_runs_of_sales_make_sums_wider_than_independent_sales_do():
    runs = np.tile(np.repeat([0.0, 5.0], 8), 6)[None, :]
    mixed = np.random.default_rng(0).permutation(runs[0])[None, :]

    wide, narrow = (
        BY_NAME["willemain"].window_quantiles(panel_of(v, freq="W"), (8,), (0.1, 0.9))[0, 0] for v in (runs, mixed)
    )

    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_the_plain_bootstrap_repeats_the_past_at_its_phase_of_the_week():
    panel = panel_of(np.tile([0.0, 1, 2, 3, 4, 5, 6], 20)[None, :], freq="D")

    steps = BY_NAME["bootstrap"].fit_predict(panel, 8, (0.1, 0.9))

    assert steps[0, :, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert steps[0, :, 1].tolist() == [0, 1, 2, 3, 4, 5, 6, 0]


def test_the_median_leaves_out_who_has_no_answer():
    answers = np.array([[[2.0]], [[3.0]], [[10.0]], [[np.nan]]])

    assert median_of(answers).tolist() == [[3.0]]
    assert np.isnan(median_of(np.full((2, 1, 1), np.nan))).all()


def test_weights_are_inverse_to_clear_differences_and_equal_within_one_standard_error():
    clear = np.array([[1.0, 3.0], [1.1, 3.1], [0.9, 2.9]])
    noisy = np.array([[1.0, 1.5], [1.2, 0.8], [0.9, 1.0]])

    assert inverse_error_weights(clear).tolist() == pytest.approx([0.625, 0.375])
    assert inverse_error_weights(noisy).tolist() == pytest.approx([0.5, 0.5])
    assert inverse_error_weights(np.ones((1, 4))).tolist() == pytest.approx([0.25] * 4)


def test_a_weighted_mean_shares_the_weight_of_who_is_silent():
    answers = np.array([[[2.0, 2.0]], [[6.0, np.nan]]])

    assert weighted_mean(answers, np.array([0.75, 0.25])).tolist() == [[3.0, 2.0]]


def test_held_out_weights_see_only_the_panel_they_are_given():
    combined = Weighted("two", 1, "", (BY_NAME["tsb"], BY_NAME["poisson"]))
    past = panel_of(SPARSE[:, :36], freq="M")

    losses = combined.held_out(past, 6, (0.5, 0.9))
    later = combined.held_out(panel_of(SPARSE, freq="M").until(36), 6, (0.5, 0.9))

    assert losses.shape == (4, 2)
    assert losses.tolist() == later.tolist()


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_quantiles_ascend_are_never_negative_and_repeat(name):
    panel = panel_of(SPARSE, freq="M")

    first, again = (BY_NAME[name].fit_predict(panel, 4, (0.1, 0.5, 0.9, 0.99)) for _ in range(2))

    assert first.shape == (12, 4, 4)
    assert (np.diff(first, axis=2) >= 0).all()
    assert (first >= 0).all()
    assert (first == again).all()


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_nasty_series_neither_crash_nor_disturb_the_others(name):
    nasty = [
        np.zeros(30),
        np.full(30, np.nan),
        np.where(np.arange(30) == 29, 4.0, np.nan),
        np.where(np.arange(30) == 7, 1e9, 1.0),
        np.where(np.arange(30) == 7, -5.0, 1.0),
        np.where(np.arange(30) == 7, np.inf, 2.0),
        np.full(30, 3.0),
    ]

    steps = BY_NAME[name].fit_predict(panel_of(nasty, freq="M"), 3, (0.5, 0.95))

    known = steps[np.isfinite(steps)]
    assert (known >= 0).all()
    assert np.isnan(steps[1]).all()
    assert not steps[0].any()
    assert (steps[6] >= 0).all()


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_horizon_of_zero_is_refused(name):
    with pytest.raises(ValueError, match="horizon must be at least 1"):
        BY_NAME[name].fit_predict(panel_of(SPARSE, freq="M"), 0, (0.5,))


@pytest.mark.parametrize("name", ["croston_sba", "tsb", "imapa", "willemain", "bootstrap"])
def test_a_sum_is_no_sum_of_quantiles(name):
    panel = panel_of((np.random.default_rng(1).random((1, 60)) < 0.3) * 4.0, freq="W")

    window = BY_NAME[name].window_quantiles(panel, (13,), (0.95,))[0, 0, 0]
    steps = BY_NAME[name].fit_predict(panel, 13, (0.95,))[0, :, 0].sum()

    assert window < 0.75 * steps


def test_a_combinations_windows_are_combined_from_windows():
    panel = panel_of(SPARSE, freq="M")
    members = BY_NAME["median"].members

    window = BY_NAME["median"].window_quantiles(panel, (3,), (0.5, 0.9))
    weighted = BY_NAME["weighted"].window_quantiles(panel, (3,), (0.5, 0.9))

    parts = np.stack([m.window_quantiles(panel, (3,), (0.5, 0.9)) for m in members])
    assert window.tolist() == np.median(parts, axis=0).tolist()
    assert ((weighted >= parts.min(axis=0) - 1e-9) & (weighted <= parts.max(axis=0) + 1e-9)).all()
