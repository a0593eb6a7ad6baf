"""The compiled replay and a slow one written apart agree on every count, whatever the policy and its terms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement.engine.replay.simulate import simulate
from procurement.engine.replay.types import ReplayInput
from tests.engine.procurement.replay_oracle import slow_replay

wholes = st.integers(0, 12)


@st.composite
def policies(draw):
    """A policy with terms, and demand of up to 40 days, in quarters of a unit."""
    quarter = draw(st.sampled_from([1.0, 0.25]))
    days = draw(st.integers(1, 40))
    changes = [0, *sorted(draw(st.sets(st.integers(1, 30), max_size=2)))]
    low = [draw(st.integers(-3, 25)) for _ in changes]
    high = [s + draw(wholes) for s in low]
    minimum = draw(st.sampled_from([0, 0, 5]))
    return {
        "demand": [quarter * x for x in draw(st.lists(wholes, min_size=days, max_size=days))],
        "changes": changes,
        "s": [quarter * x for x in low],
        "S": [quarter * x for x in high],
        "lot": draw(st.sampled_from([0.0, 0.0, 3.0, 0.75])),
        "lead": draw(st.integers(0, 9)),
        "terms": {
            "review": draw(st.integers(1, 8)),
            "offset": draw(st.integers(0, 5)),
            "lost": draw(st.booleans()),
            "at_point": draw(st.booleans()),
            "minimum": minimum,
            "pack": draw(st.sampled_from([0, 0, 1, 4, 2.5])),
            "maximum": draw(st.sampled_from([float("inf"), 30.0, 12.5, 5.0])),
            "life": draw(st.sampled_from([0, 0, 1, 3, 10])),
            "opening": draw(st.integers(0, 20)),
            "pipeline": draw(st.lists(wholes, min_size=1, max_size=45)),
            "warm_up": draw(st.integers(0, days - 1)),
        },
    }


def replayed(case, **more):
    terms = case["terms"]
    given = {
        "demand": [case["demand"]],
        "level_days": case["changes"],
        "reorder_point": [case["s"]],
        "order_up_to_level": [case["S"]],
        "lot": case["lot"],
        "lead_time_days": case["lead"],
        "review_days": terms["review"],
        "review_offset": terms["offset"],
        "is_lost": terms["lost"],
        "order_at_reorder_point": terms["at_point"],
        "minimum": terms["minimum"],
        "pack": terms["pack"],
        "maximum_stock": terms["maximum"],
        "shelf_life_days": terms["life"],
        "opening_stock": terms["opening"],
        "opening_pipeline": terms["pipeline"],
        "warm_up_days": terms["warm_up"],
    }
    return simulate(ReplayInput(**given | more))


def level_of(case):
    def level_at(day):
        place = max(k for k, change in enumerate(case["changes"]) if change <= day)
        return case["s"][place], case["S"][place], case["lot"]

    return level_at


@settings(max_examples=400, deadline=None, derandomize=True)
@given(policies())
def test_every_count_is_that_of_the_plain_loop(case):
    expected = slow_replay(
        case["demand"], level_of(case), lambda day: case["lead"], mean_lead=case["lead"], **case["terms"]
    )

    found = replayed(case)

    assert {name: getattr(found, name)[0, 0] for name in expected} == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(policies(), st.booleans())
def test_random_lead_times_are_drawn_by_the_day_of_the_order_and_cross_only_where_allowed(case, cross):
    draws = [1, 4, 9]
    case["terms"] |= {"pipeline": [0], "warm_up": 0}
    drawn = lead_times_drawn(draws, len(case["demand"]))
    expected = slow_replay(
        case["demand"], level_of(case), drawn.__getitem__, mean_lead=5, cross=cross, **case["terms"]
    )  # fmt: skip

    found = replayed(case, lead_time_days=None, lead_time_draws=[draws], orders_cross=cross, seed=5)

    assert {name: getattr(found, name)[0, 0] for name in expected} == pytest.approx(expected, abs=1e-9)


def lead_times_drawn(draws, days):
    """What each order day draws, seen from outside: nothing but one order on that day, and when it is in stock."""
    seen = []
    for day in range(days):
        probe = ReplayInput(
            demand=np.zeros((1, days + 10)), order_up_to_level=1, lead_time_draws=[draws], review_days=1000,
            review_offset=day, opening_stock=0, seed=5,
        )  # fmt: skip
        seen.append(days + 10 - day - int(simulate(probe).stock_days[0, 0]))
    return seen


def test_draws_are_as_frequent_as_they_are_given():
    seen = np.array(lead_times_drawn([1, 4, 9], 600))

    assert sorted(set(seen)) == [1, 4, 9]
    assert all(150 < (seen == days).sum() < 250 for days in (1, 4, 9))
