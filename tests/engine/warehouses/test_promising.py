"""Available to promise: the worked case, its explanation, and promises that never outrun supply."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from warehouses.engine.promising import (
    Commitment,
    Fact,
    RingFence,
    Supply,
    SupplyPicture,
    available_to_promise,
    with_promise,
)

D = Decimal

TODAY = date(2026, 11, 23)


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def test_a_promise_keeps_what_a_later_backorder_needs() -> None:
    picture = SupplyPicture(
        TODAY,
        D(12),
        D(9),
        buffer=D(2),
        supplies=(Supply(date(2026, 12, 3), D(40), "PO-7"),),
        commitments=(Commitment(D(25), date(2026, 12, 10), "BO-1"),),
    )

    promise = available_to_promise(picture)

    assert promise.now == D(1)
    assert promise.steps == ((date(2026, 12, 3), D(16)),)
    assert promise.by(date(2026, 12, 2)) == D(1)
    assert promise.by(date(2027, 1, 1)) == D(16)
    assert promise.earliest(D(1)) == TODAY
    assert promise.earliest(D(2)) == date(2026, 12, 3)
    assert promise.earliest(D(17)) is None
    assert promise.explanation(date(2026, 12, 3)) == (
        Fact("on_hand", D(12)),
        Fact("reserved", D(-9)),
        Fact("buffer", D(-2)),
        Fact("arriving", D(40), date(2026, 12, 3), "PO-7"),
        Fact("kept_for_later", D(-25), date(2026, 12, 10)),
    )
    assert promise.explanation() == (Fact("on_hand", D(12)), Fact("reserved", D(-9)), Fact("buffer", D(-2)))


def test_a_ring_fence_is_free_on_the_day_after_it_expires() -> None:
    promise = available_to_promise(SupplyPicture(TODAY, D(10), ring_fences=(RingFence(D(8), day(2), "market"),)))

    assert [promise.now, promise.by(day(2)), promise.by(day(3))] == [D(2), D(2), D(10)]
    assert Fact("ring_fenced", D(-8), day(2), "market") in promise.explanation()


def test_what_is_owed_takes_the_first_of_what_arrives() -> None:
    picture = SupplyPicture(TODAY, D(3), commitments=(Commitment(D(5)),), supplies=(Supply(day(4), D(10)),))

    promise = available_to_promise(picture)

    assert (promise.now, promise.by(day(4))) == (D(0), D(8))
    assert promise.explanation() == (Fact("on_hand", D(3)), Fact("owed", D(-5)), Fact("short", D(2)))


def test_todays_arrival_counts_for_today_and_not_for_now() -> None:
    promise = available_to_promise(SupplyPicture(TODAY, D(1), supplies=(Supply(TODAY, D(4)),)))

    assert (promise.now, promise.by(TODAY)) == (D(1), D(5))


def test_a_late_supply_is_promised_on_only_when_it_has_a_new_date() -> None:
    late = (Supply(day(-3), D(4), "PO-1"),)

    unknown = available_to_promise(SupplyPicture(TODAY, D(1), supplies=late))
    dated = available_to_promise(SupplyPicture(TODAY, D(1), supplies=late, late_supply_on=day(2)))

    assert (unknown.by(day(99)), unknown.explanation()[-1]) == (D(1), Fact("late", D(0), day(-3), "PO-1"))
    assert (dated.by(day(1)), dated.by(day(2))) == (D(1), D(5))


units = st.integers(0, 20).map(D)
days = st.integers(-2, 8).map(day)
pictures = st.builds(
    SupplyPicture,
    st.just(TODAY),
    units,
    st.integers(0, 5).map(D),
    st.integers(0, 3).map(D),
    st.integers(0, 3).map(D),
    st.lists(st.builds(RingFence, units, st.none() | days), max_size=3).map(tuple),
    st.lists(st.builds(Commitment, units, st.none() | days), max_size=4).map(tuple),
    st.lists(st.builds(Supply, days, units), max_size=5).map(tuple),
    st.none() | st.integers(0, 4).map(day),
)
HORIZON = [day(n) for n in range(15)]


def cumulative(picture: SupplyPicture, on: date | None) -> D:
    """Uncommitted supply on a day (None: now, before anything arrives), counted afresh: the slow oracle."""
    at = on or TODAY
    total = picture.usable - picture.reserved - picture.buffer - picture.safety_stock
    for fence in picture.ring_fences:
        if fence.expires_on is None or at <= fence.expires_on:
            total -= fence.quantity
    for owed in picture.commitments:
        if owed.due is None or owed.due <= at:
            total -= owed.quantity
    for supply in picture.supplies:
        arrives = supply.on if supply.on >= TODAY else picture.late_supply_on
        if on and arrives and arrives <= at:
            total += supply.quantity
    return total


@given(pictures)
def test_the_promise_is_the_least_of_what_is_left_from_then_on(picture: SupplyPicture) -> None:
    promise = available_to_promise(picture)

    assert promise.now == max(D(0), min(cumulative(picture, on) for on in [None, *HORIZON]))
    for place, on in enumerate(HORIZON):
        assert promise.by(on) == max(D(0), min(cumulative(picture, later) for later in HORIZON[place:]))


@given(pictures, st.integers(1, 40).map(D))
def test_promises_rise_with_the_date_and_the_earliest_date_is_the_first_that_holds(picture, wanted) -> None:
    promise = available_to_promise(picture)
    line = [promise.now, *(promise.by(on) for on in HORIZON)]

    assert line == sorted(line)
    assert line[0] >= 0
    assert promise.earliest(wanted) == next(
        (on for on, units in zip([TODAY, *HORIZON], line, strict=True) if units >= wanted), None
    )


@given(pictures, st.none() | st.integers(-1, 12).map(day))
def test_the_terms_of_an_explanation_add_up_to_the_promise(picture, on) -> None:
    promise = available_to_promise(picture)

    told = sum(fact.quantity for fact in promise.explanation(on))

    assert told == (promise.now if on is None else promise.by(max(on, TODAY)))


@given(pictures, st.lists(st.tuples(st.none() | st.integers(0, 12).map(day), st.integers(1, 15).map(D)), max_size=8))
def test_accepted_promises_never_exceed_the_supply_of_any_day(picture, asked) -> None:
    before, accepted = picture, []
    for on, quantity in asked:
        promise = available_to_promise(picture)
        if quantity <= (promise.now if on is None else promise.by(on)):
            picture = with_promise(picture, quantity, on)
            accepted.append((on or TODAY, quantity))

    for on in HORIZON:
        promised = sum(quantity for due, quantity in accepted if due <= on)
        assert not promised or promised <= cumulative(before, on)
