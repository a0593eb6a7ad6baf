"""The naive benchmark stays where nothing beat it, and the sentence says what is true."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine import forecast_panel
from forecasting.engine.selection import Losses, choose
from tests.engine.forecasting.panels import panel_of

METHODS = ("naive", "seasonal_naive", "ses", "pooled_ratio", "empirical_quantiles")
STANDING = {"smooth": dict(zip(METHODS, (2.0, 1.5, 0.7, 0.6, 0.1), strict=True))}


def verdict_of(own, *, sold=5.0, few=False):
    loss = np.tile(np.array(own), (1, 4, 1, 1))
    actual = np.full((1, 4, 1), sold)
    losses = Losses(METHODS, loss, loss, loss, actual, np.ones((1, 4, 1), dtype=bool), np.ones(1))
    return METHODS[choose(losses, ["smooth"], STANDING, "seasonal_naive", few=few).chosen[0]]


def test_a_benchmark_that_met_every_window_stays_whatever_the_class_does():
    assert verdict_of((1.0, 0.0, 0.2, 0.2, 0.0)) == "seasonal_naive"


def test_being_right_about_windows_without_a_sale_is_no_merit():
    assert verdict_of((0.0, 0.0, 0.2, 0.2, 0.1), sold=0.0) == "empirical_quantiles"


@pytest.mark.parametrize(
    ("naive", "few", "method"),
    [
        (0.201, True, "seasonal_naive"),
        (0.199, True, "seasonal_naive"),
        (0.205, True, "empirical_quantiles"),
        (0.201, False, "empirical_quantiles"),
    ],
)
def test_within_one_percent_the_benchmark_stays_in_a_small_panel(naive, few, method):
    assert verdict_of((1.0, naive, 0.3, 0.3, 0.2), few=few) == method


def test_a_week_that_repeats_itself_exactly_is_repeated_and_said_to_have_been_met():
    week = np.tile([5.0, 5, 5, 5, 15, 5, 5], 18)

    result = forecast_panel(panel_of([week, week * 2]), horizon=7, windows=(7,))

    assert [c.method for c in result.choices] == ["seasonal_naive"] * 2
    assert result.mean[0].tolist() == [5.0, 5, 5, 5, 15, 5, 5]
    assert result.choices[0].scores["seasonal_naive"].pinball == 0.0
    assert result.choices[0].reason == (
        "last season repeated: met every held-out window exactly "
        "(8 held-out origins, windows of 7 periods, weighed with all smooth series)"
    )


@pytest.mark.parametrize(("seed", "rate"), [(1, 4), (2, 20), (3, 100), (4, 1)])
def test_in_a_small_panel_no_method_is_said_to_beat_a_benchmark_that_did_as_well(seed, rate):
    week = np.tile([5.0, 5, 5, 5, 15, 5, 5], 18)
    noise = np.random.default_rng(seed).poisson(rate, 126)

    for choice in forecast_panel(panel_of([week, noise]), horizon=7, windows=(7,)).choices:
        mine, base = choice.scores[choice.method].pinball, choice.scores["seasonal_naive"].pinball
        assert choice.method == "seasonal_naive" or mine < 0.9901 * base
        assert ("below seasonal naive" in choice.reason) == (choice.method != "seasonal_naive")
