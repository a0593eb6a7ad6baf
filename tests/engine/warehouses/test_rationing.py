"""Who gets what is short: worked numbers, and what every rule keeps to."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouses.engine.rationing import Claim, by_priority, fair_share, fair_share_by_class

D = Decimal

NOON = datetime(2026, 11, 23, 12)
RULES = (by_priority, fair_share, fair_share_by_class)


def claims(*asked: object, priorities: tuple[int, ...] = ()) -> list[Claim]:
    return [
        Claim(n, D(str(quantity)), NOON + timedelta(minutes=n), priorities[n] if priorities else 0)
        for n, quantity in enumerate(asked)
    ]


def test_first_come_first_served_within_a_priority() -> None:
    assert by_priority(D(10), claims(6, 6, 6)) == {0: D(6), 1: D(4), 2: D(0)}
    assert by_priority(D(10), claims(6, 6, 6, priorities=(2, 1, 1))) == {0: D(0), 1: D(6), 2: D(4)}


def test_a_fair_share_is_in_proportion_with_the_rest_by_largest_remainder() -> None:
    assert fair_share(D(10), claims(9, 6, 3)) == {0: D(5), 1: D(3), 2: D(2)}
    assert fair_share(D(1), claims(1, 1, 1)) == {0: D(1), 1: D(0), 2: D(0)}
    assert fair_share(D(50), claims(9, 6, 3)) == {0: D(9), 1: D(6), 2: D(3)}


def test_what_is_asked_by_the_gram_is_shared_by_the_gram_and_pieces_stay_whole() -> None:
    assert fair_share(D(1), claims("1.5", "1.5")) == {0: D("0.5"), 1: D("0.5")}
    assert fair_share(D("2.5"), claims(2, 2)) == {0: D(1), 1: D(1)}
    assert fair_share(D("2.5"), claims(2, "2.5")) == {0: D(1), 1: D("1.5")}


def test_a_better_class_is_served_before_the_next_shares() -> None:
    assert fair_share_by_class(D(10), claims(9, 4, 3, priorities=(2, 1, 2))) == {1: D(4), 0: D(5), 2: D(1)}


quantities = st.integers(0, 30).map(D) | st.integers(0, 30_000).map(lambda n: D(n) / 1000)
many = st.lists(
    st.builds(
        lambda asked, minutes, priority: (asked, NOON + timedelta(minutes=minutes), priority),
        quantities,
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=7,
).map(lambda rows: [Claim(n, *row) for n, row in enumerate(rows)])


@pytest.mark.parametrize("rule", RULES)
@given(many, quantities, st.randoms())
def test_nobody_gets_more_than_asked_and_nothing_usable_is_left(rule, asked, available, rng) -> None:
    shares = rule(available, asked)

    shuffled = list(asked)
    rng.shuffle(shuffled)
    left = available - sum(shares.values())
    assert rule(available, shuffled) == shares
    assert left >= 0
    for claim in asked:
        piecewise = claim.asked == int(claim.asked)
        assert 0 <= shares[claim.key] <= claim.asked
        assert not piecewise or shares[claim.key] == int(shares[claim.key])
        assert shares[claim.key] == claim.asked or left < (1 if piecewise else D("0.001"))


@given(st.lists(st.integers(0, 40), max_size=6), st.integers(0, 100))
def test_a_fair_share_is_less_than_a_unit_from_the_exact_proportion(asked, available) -> None:
    shares, total = fair_share(D(available), claims(*asked)), sum(asked)

    for n, quantity in enumerate(asked):
        exact = quantity * min(available, total) / total if total else 0
        assert abs(float(shares[n]) - exact) < 1
    assert sum(shares.values()) == min(available, total)
