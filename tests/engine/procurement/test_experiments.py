"""Experiments: fair lots, sharper comparisons, intervals that allow peeking, and the counterfactual of a change."""

import numpy as np
import pytest

from procurement.engine.errors import ParameterError
from procurement.engine.experiments import (
    Look,
    Verdict,
    always_valid,
    assign,
    compare_arms,
    correct_service,
    days_needed,
    evaluate_effect,
    judge,
    mixture_variance,
    strata_of,
)

KEYS = [f"sku-{n}" for n in range(100)]


def test_the_share_holds_in_every_segment() -> None:
    drawn = assign(KEYS, ["A"] * 60 + ["B"] * 40, share=0.3, seed=5)

    assert drawn.counts == {"A": (42, 18), "B": (28, 12)}
    assert sum(arm == "challenger" for arm in drawn.arms.values()) == 30


def test_the_same_seed_draws_the_same_whoever_stands_where() -> None:
    backwards = assign(KEYS[::-1], ["A"] * 100, seed=9).arms

    assert assign(KEYS, ["A"] * 100, seed=9).arms == backwards
    assert assign(KEYS, ["A"] * 100, seed=10).arms != backwards


def test_a_lone_key_is_drawn_as_often_as_the_share_says() -> None:
    drawn = [assign(["one"], ["A"], share=0.3, seed=seed).arms["one"] == "challenger" for seed in range(2000)]

    assert np.mean(drawn) == pytest.approx(0.3, abs=0.04)


def test_small_segments_are_put_together() -> None:
    assert strata_of(["A"] * 4 + ["B"], ["smooth"] * 4 + ["lumpy"]) == ["A smooth"] * 4 + ["other"]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("share", lambda: assign(KEYS, ["A"] * 100, share=1.0)),
        ("keys", lambda: assign(["a", "a"], ["A", "A"])),
        ("strata", lambda: compare_arms([1, 2], [True, False], ["a", "a"])),
        ("outcome", lambda: compare_arms([float("nan"), 2], [True, False], ["a", "a"])),
        ("variance", lambda: always_valid(0, 1, variance=0)),
        ("alpha", lambda: mixture_variance(1, 1.0)),
        ("realised", lambda: correct_service(0.9, 0.0, 5)),
        ("weights", lambda: evaluate_effect([1], [1], [1], [1], weights=[0])),
    ],
)
def test_an_unusable_number_is_named(name: str, call: object) -> None:
    with pytest.raises(ParameterError) as error:
        call()  # type: ignore[operator]

    assert error.value.parameter == name


def test_the_worked_comparison() -> None:
    found = compare_arms([1, 2, 3, 4, 5, 6], [False] * 3 + [True] * 3, ["a"] * 6)

    assert (found.effect, found.champions, found.challengers) == (3.0, 3, 3)
    assert found.error == pytest.approx((2 / 3) ** 0.5)


def test_what_was_known_before_takes_its_share_of_the_variance_away() -> None:
    rng = np.random.default_rng(1)
    before = rng.normal(100, 20, 4000)
    arm = rng.random(4000) < 0.5
    after = before + rng.normal(0, 10, 4000) + 2.0 * arm

    found = compare_arms(after, arm, ["a"] * 4000, before)

    assert found.removed == pytest.approx(20**2 / (20**2 + 10**2), abs=0.02)
    assert found.effect == pytest.approx(2.0, abs=3 * found.error)
    assert found.error < compare_arms(after, arm, ["a"] * 4000).error / 2


def test_segments_of_other_levels_do_not_pass_for_an_effect() -> None:
    outcome = [10, 10.5, 11, 100, 101, 10.2, 10.7, 100.2, 101.2, 100.7]
    arm = [False] * 5 + [True] * 5
    strata = ["low"] * 3 + ["high"] * 2 + ["low"] * 2 + ["high"] * 3

    found = compare_arms(outcome, arm, strata)

    assert found.effect == pytest.approx(0.1, abs=0.15)
    assert abs(np.mean(outcome[5:]) - np.mean(outcome[:5])) > 15


def _false_alarms(*, is_valid: bool) -> float:
    """Share of 300 experiments without any effect that were "significant" at one of 60 daily looks."""
    rng = np.random.default_rng(4)
    alarms = 0
    for _experiment in range(300):
        days = rng.normal(0, 1, (60, 2)).cumsum(axis=0) / np.arange(1, 61)[:, None]
        effects, errors = days[:, 0] - days[:, 1], np.sqrt(2.0 / np.arange(1, 61))
        variance = mixture_variance(float(errors[-1]), 0.05)
        if is_valid:
            looks = [always_valid(e, s, variance=variance) for e, s in zip(effects, errors, strict=True)]
            alarms += any(look.low > 0 or look.high < 0 for look in looks)
        else:
            alarms += bool((np.abs(effects) > 1.96 * errors).any())
    return alarms / 300


def test_looking_every_day_raises_no_more_false_alarms_than_was_agreed() -> None:
    assert _false_alarms(is_valid=True) <= 0.05


def test_control_looking_every_day_at_the_usual_interval_does() -> None:
    assert _false_alarms(is_valid=False) > 0.2


def test_the_worked_interval_is_wider_than_that_of_one_look() -> None:
    look = always_valid(0, 1, variance=mixture_variance(1, 0.05))

    assert look.high == pytest.approx(3.035208990376253)
    assert look.p_value == 1.0


def test_the_p_value_never_rises_again() -> None:
    assert always_valid(0, 1, variance=8, p_before=0.01).p_value == 0.01


def test_p_is_below_alpha_exactly_when_the_interval_leaves_zero_out() -> None:
    variance = mixture_variance(0.5, 0.05)
    for effect in np.linspace(0, 4, 81):
        look = always_valid(float(effect), 0.7, variance=variance)
        assert (look.p_value < 0.05) == (look.low > 0)


def test_harm_to_the_fill_rate_stops_whatever_the_metric_says() -> None:
    looks = [Look(day=9, low=-5, high=-1, fill_effect=-0.03, fill_high=-0.001)]

    assert judge(looks, lower_is_better=True, harm_limit=0.02, planned_days=56) == (Verdict.HARM, "fill_rate_fell")


@pytest.mark.parametrize(
    ("low", "high", "day", "verdict"),
    [
        (-3, -1, 10, Verdict.CHALLENGER),
        (1, 3, 10, Verdict.CHAMPION),
        (-1, 1, 10, Verdict.NONE),
        (-1, 1, 56, Verdict.CHAMPION),
    ],
)
def test_the_interval_of_a_cost_decides(low: float, high: float, day: int, verdict: Verdict) -> None:
    looks = [Look(day=day, low=low, high=high, fill_effect=0.0, fill_high=0.01)]

    assert judge(looks, lower_is_better=True, harm_limit=0.02, planned_days=56)[0] == verdict


def test_days_needed_agree_with_the_power_of_a_simulation() -> None:
    days = days_needed(effect=1, item_sd=0, daily_sd=10, champions=100, challengers=100, alpha=0.05)
    rng = np.random.default_rng(2)
    means = rng.normal(0, 10 / days**0.5, (4000, 200))  # type: ignore[operator]

    found = (means[:, :100].mean(axis=1) + 1 - means[:, 100:].mean(axis=1)) / (10 * (0.02 / days) ** 0.5)  # type: ignore[operator]

    assert days == 16
    assert (found > 1.96).mean() == pytest.approx(0.8, abs=0.03)


def test_what_differs_between_items_is_not_waited_away() -> None:
    assert days_needed(effect=0.1, item_sd=5, daily_sd=1, champions=10, challengers=10, alpha=0.05) is None


def test_the_bias_of_the_replay_is_taken_out_of_the_effect() -> None:
    found = evaluate_effect([12, 14], [10, 10], [9, 9], [8, 8])

    assert (found.value, found.real, found.counterfactual, found.bias) == (2.0, 13.0, 11.0, 1.0)


def test_the_interval_of_an_effect_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    covered = 0
    for seed in range(200):
        base = rng.gamma(2, 10, 60)
        before, after = base + rng.normal(0, 2, (2, 60)), base + 1.5 + rng.normal(0, 2, 60)
        found = evaluate_effect(after, base * 0.9, before[0], base * 0.9, draws=300, seed=seed)
        covered += found.low <= 1.5 <= found.high

    assert covered / 200 == pytest.approx(0.95, abs=0.05)


def test_a_segment_that_gave_less_than_was_asked_gets_more_safety() -> None:
    found = correct_service(0.95, 0.90, 90)

    assert (round(found.raw, 3), found.weight, round(found.factor, 3)) == (1.283, 0.75, 1.213)
    assert correct_service(0.95, 0.95, 90, before=1.2).factor == pytest.approx(1.2)
    assert correct_service(0.95, 0.99, 90).factor < 1
    assert correct_service(0.95, 0.2, 10_000).factor == pytest.approx(2.0, abs=0.01)
