"""Ring-fenced quotas: what a channel may take, against a brute force over every way to honour the others."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouses.engine import quotas
from warehouses.engine.quotas import Protection, Quota

D = Decimal

W = ("A", "B", "C")


def quota(channel: str, remaining: int, warehouses: str) -> Quota:
    return Quota(channel, D(remaining), frozenset(warehouses))


def test_a_quota_from_anywhere_is_kept_where_it_can_be_kept() -> None:
    protection = Protection({"A": D(10), "B": D(4)}, [quota("one", 6, "A"), quota("two", 5, "AB")])

    assert (protection.allowed("A"), protection.allowed("B")) == (D(3), D(3))
    assert protection.allowed_together(["A", "B"]) == {"A": D(3), "B": D(0)}
    assert protection.allowed_together(["B", "A"]) == {"A": D(0), "B": D(3)}

    protection.take("B", D(2))

    assert (protection.allowed("A"), protection.allowed("B")) == (D(1), D(1))
    with pytest.raises(ValueError, match="more than may be taken"):
        protection.take("A", D(2))


def test_without_quotas_all_that_is_free_may_be_taken() -> None:
    protection = Protection({"A": D(10), "B": D(-2)})

    assert (protection.allowed("A"), protection.allowed("B"), protection.allowed("nowhere")) == (D(10), D(0), D(0))


def test_when_stock_is_less_than_the_quotas_holders_are_served_as_they_come_and_others_get_nothing() -> None:
    others = [quota("two", 10, "A")]

    stranger = Protection({"A": D(7), "B": D(3)}, others)
    holder = Protection({"A": D(7), "B": D(3)}, others, own=quota("one", 10, "AB"))

    assert (stranger.allowed("A"), stranger.allowed("B")) == (D(0), D(3))
    assert (holder.allowed("A"), holder.allowed("B")) == (D(7), D(3))


def test_a_holder_takes_from_where_nobody_else_depends_on_it() -> None:
    holder = Protection({"A": D(10), "B": D(10)}, [quota("two", 10, "A")], own=quota("one", 10, "AB"))

    assert (holder.allowed("A"), holder.allowed("B")) == (D(0), D(10))


# ——— the oracle


def honoured(free: tuple[int, ...], demands: tuple[tuple[int, str], ...]) -> int:
    """The most units of quota that can be honoured, by trying every warehouse for every single unit."""
    reachable = {free: 0}
    for remaining, reach in demands:
        for _ in range(remaining):
            grown = dict(reachable)
            for state, count in reachable.items():
                for place, warehouse in enumerate(W):
                    if warehouse in reach and state[place]:
                        after = (*state[:place], state[place] - 1, *state[place + 1 :])
                        grown[after] = max(grown.get(after, 0), count + 1)
            reachable = grown
    return max(reachable.values())


def after(free: tuple[int, ...], place: int, taken: int) -> tuple[int, ...]:
    return (*free[:place], free[place] - taken, *free[place + 1 :])


def most(free, others, own, place) -> int:
    """The largest quantity whose taking honours no unit less of the others, or of own and others together."""
    best = 0
    for taken in range(free[place] + 1):
        left = after(free, place, taken)
        if honoured(left, others) == honoured(free, others):
            best = taken
        if W[place] in own[1] and taken <= own[0]:
            rest = (*others, (own[0] - taken, own[1]))
            if honoured(left, rest) + taken == honoured(free, (*others, own)):
                best = max(best, taken)
    return best


stock = st.tuples(*[st.integers(0, 5)] * 3)
routes = st.sampled_from(["A", "B", "C", "AB", "AC", "BC", "ABC", ""])
demand = st.tuples(st.integers(0, 4), routes)


def built(free, others, own) -> Protection:
    return Protection(
        {w: D(n) for w, n in zip(W, free, strict=True)},
        [quota(str(at), *each) for at, each in enumerate(others)],
        quota("own", *own),
    )


@pytest.mark.parametrize("exact", [8, 0])
@given(stock, st.lists(demand, max_size=4).map(tuple), demand)
@settings(max_examples=150, deadline=None)
def test_what_is_allowed_equals_the_brute_force_by_sets_and_by_flow(exact, free, others, own) -> None:
    normal, quotas.EXACT_QUOTAS = quotas.EXACT_QUOTAS, exact
    try:
        protection = built(free, others, own)
    finally:
        quotas.EXACT_QUOTAS = normal

    assert [protection.allowed(w) for w in W] == [most(free, others, own, place) for place in range(3)]


@given(stock, st.lists(demand, max_size=4).map(tuple), st.lists(st.sampled_from(W), max_size=6), st.data())
@settings(max_examples=150, deadline=None)
def test_taking_what_is_allowed_again_and_again_never_costs_another_channel_a_unit(free, others, takes, data) -> None:
    protection = built(free, others, (0, ""))
    left = free

    for warehouse in takes:
        allowed = protection.allowed(warehouse)
        taken = data.draw(st.integers(0, int(allowed)))
        protection.take(warehouse, D(taken))
        left = after(left, W.index(warehouse), taken)

    assert min(left) >= 0
    assert honoured(left, others) == honoured(free, others)


@given(stock, st.lists(demand, max_size=4).map(tuple), demand, st.permutations(W))
@settings(max_examples=200, deadline=None)
def test_what_may_be_taken_in_all_does_not_depend_on_where_one_begins(free, others, own, order) -> None:
    without = built(free, others, (0, ""))

    assert sum(without.allowed_together(order).values()) == sum(without.allowed_together(W).values())


def test_many_quotas_with_different_warehouses_are_as_exact() -> None:
    free = {n: D(5) for n in range(10)}
    others = [Quota(n, D(4), frozenset([n, (n + 1) % 10])) for n in range(10)]

    protection = Protection(free, others)

    assert protection.allowed(0) == D(5)
    assert sum(protection.allowed_together(range(10)).values()) == D(10)
