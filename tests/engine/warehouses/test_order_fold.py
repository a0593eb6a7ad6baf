"""A channel's events folded to one state: late, twice and out of order change nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from warehouses.engine.fold import (
    EventLine,
    LineCounters,
    LineFacts,
    OrderEvent,
    Problem,
    Step,
    folded,
    next_steps,
)

D = Decimal

NOON = datetime(2026, 11, 23, 12)


def event(event_id: str, kind: str, minutes: int, **lines: int) -> OrderEvent:
    entries = tuple(EventLine(line, D(quantity)) for line, quantity in lines.items())
    return OrderEvent(event_id, kind, NOON + timedelta(minutes=minutes), entries)


CREATED = event("e1", "created", 0, lamp=5, sofa=1)


def test_what_was_shipped_cannot_be_cancelled_any_more() -> None:
    facts = folded([event("e2", "cancelled", 5), event("e3", "shipped", 9, lamp=2), CREATED])

    assert facts.lines == (
        LineFacts("lamp", D(5), D(5), D(3), D(2), D(0), D(0)),
        LineFacts("sofa", D(1), D(1), D(1), D(0), D(0), D(0)),
    )
    assert facts.problems == (Problem("cancelled_too_late", "", "lamp", D(2)),)


def test_a_shipment_that_arrives_after_the_cancellation_undoes_as_much_of_it() -> None:
    recorded = {"lamp": LineCounters(cancelled=D(5)), "sofa": LineCounters(cancelled=D(1))}

    facts = folded([CREATED, event("e2", "cancelled", 5), event("e3", "shipped", 3, lamp=2)])

    assert next_steps(recorded, facts) == (Step("uncancel", "lamp", D(2)), Step("ship", "lamp", D(2)))


def test_what_a_clerk_recorded_without_the_channel_stays() -> None:
    recorded = {"lamp": LineCounters(cancelled=D(1), shipped=D(4)), "sofa": LineCounters(cancelled=D(1))}

    facts = folded([CREATED, event("e2", "shipped", 3, lamp=2), event("e3", "cancelled", 4)])

    assert next_steps(recorded, facts) == ()


def test_everything_waits_for_the_creation() -> None:
    facts = folded([event("e3", "shipped", 9, lamp=2)])

    assert (facts.created, facts.lines) == (False, ())
    assert facts.problems == (Problem("not_created", "e3"),)
    assert next_steps({}, facts) == ()


def test_one_event_twice_counts_once_and_two_contents_under_one_id_are_reported() -> None:
    shipped = event("e2", "shipped", 3, lamp=2)

    facts = folded([shipped, CREATED, shipped, event("e2", "shipped", 4, lamp=3)])

    assert facts.lines[0].shipped == D(2)
    assert facts.problems == (Problem("conflicting_event", "e2"),)


def test_how_an_events_lines_are_cut_up_is_not_its_content() -> None:
    whole = event("e2", "shipped", 3, lamp=2)
    cut = replace(whole, lines=(EventLine("lamp", D("1.0")), EventLine("lamp", D("1.000"))))

    assert folded([CREATED, whole, cut]).problems == ()


def test_what_is_shipped_or_returned_beyond_reason_is_reported_and_not_counted() -> None:
    facts = folded(
        [
            CREATED,
            event("e2", "shipped", 3, lamp=7, mirror=1),
            event("e3", "returned", 2, lamp=4),
            event("e4", "returned", 4, lamp=3),
        ]
    )

    assert facts.lines[0] == LineFacts("lamp", D(5), D(0), D(0), D(5), D(5), D(0))
    assert facts.problems == (
        Problem("returned_too_much", "e4", "lamp", D(2)),
        Problem("shipped_too_much", "", "lamp", D(2)),
        Problem("unknown_line", "e2", "mirror", D(1)),
    )


def test_a_delivery_waits_for_a_shipment() -> None:
    delivered = event("e3", "delivered", 9)

    early = folded([CREATED, delivered])
    later = folded([CREATED, delivered, event("e2", "shipped", 3, lamp=5)])

    assert (early.delivered, early.problems) == (False, (Problem("delivered_unshipped", "e3"),))
    assert next_steps({}, later) == (Step("ship", "lamp", D(5)), Step("deliver"))
    assert next_steps({"lamp": LineCounters(shipped=D(5))}, later, delivered=True) == ()


def test_other_oddities_are_told() -> None:
    facts = folded(
        [
            CREATED,
            event("e2", "created", 5, lamp=6),
            event("e3", "shipped", -5, lamp=1),
            event("e4", "teleported", 6),
            event("e5", "created", 7, sofa=1, lamp=5),
        ]
    )

    assert [(problem.code, problem.event_id) for problem in facts.problems] == [
        ("created_again", "e2"),
        ("dated_before_creation", "e3"),
        ("unknown_kind", "e4"),
    ]


# ——— properties

named = st.sampled_from(["lamp", "sofa", "mirror"])
entries = st.lists(st.builds(EventLine, named, st.integers(1, 4).map(D), st.booleans()), max_size=3).map(tuple)
times = st.integers(-3, 20).map(lambda minutes: NOON + timedelta(minutes=minutes))
kinds = st.sampled_from(["cancelled", "shipped", "delivered", "returned"])
anything = st.lists(
    st.builds(OrderEvent, st.sampled_from("abcdef"), kinds | st.sampled_from(["created", "lost"]), times, entries),
    max_size=8,
)
# A well-behaved channel: one creation, ids unique, but late, twice and in any order.
stories = st.lists(st.tuples(kinds, times, entries), max_size=7).map(
    lambda rows: [CREATED, *(OrderEvent(f"x{n}", *row) for n, row in enumerate(rows))]
)


@given(anything, st.data())
def test_the_state_depends_only_on_the_set_of_events(events, data) -> None:
    again = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events)) if events else st.just([]))))

    assert folded(again) == folded(events)


@given(anything | stories)
def test_no_unit_is_in_two_states(events) -> None:
    for line in folded(events).lines:
        assert min(line.cancelled, line.shipped, line.returned, line.restocked, line.open) >= 0
        assert line.cancelled + line.shipped <= line.ordered
        assert line.restocked <= line.returned <= line.shipped
        assert line.cancelled <= line.asked_to_cancel <= line.ordered


def applied(counters, delivered, steps, ordered):
    """The steps as a service would do them, refusing what a constraint of the database refuses."""
    counters = dict(counters)
    for step in steps:
        if step.action == "deliver":
            delivered = True
            continue
        now = counters.get(step.line, LineCounters())
        if step.action == "uncancel":
            now = replace(now, cancelled=now.cancelled - step.quantity)
        elif step.action == "cancel":
            now = replace(now, cancelled=now.cancelled + step.quantity)
        elif step.action == "ship":
            now = replace(now, shipped=now.shipped + step.quantity)
        else:
            back = step.quantity if step.restock else D(0)
            now = replace(now, returned=now.returned + step.quantity, restocked=now.restocked + back)
        assert step.quantity > 0
        assert now.cancelled >= 0
        assert now.cancelled + now.shipped <= ordered[step.line]
        assert now.returned <= now.shipped
        counters[step.line] = now
    return counters, delivered


@given(stories, st.data())
def test_recording_event_by_event_in_any_order_ends_at_the_facts(events, data) -> None:
    counters, delivered, known = {}, False, []
    ordered = {"lamp": D(5), "sofa": D(1)}

    for arrived in data.draw(st.permutations(events)):
        known.append(arrived)
        steps = next_steps(counters, folded(known), delivered=delivered)
        counters, delivered = applied(counters, delivered, steps, ordered)
        assert next_steps(counters, folded(known), delivered=delivered) == ()

    facts = folded(events)
    unmatched = any(problem.code == "returned_too_much" for problem in facts.problems)
    assert delivered == facts.delivered
    for line in facts.lines:
        now = counters.get(line.line, LineCounters())
        assert (now.cancelled, now.shipped, now.returned) == (line.cancelled, line.shipped, line.returned)
        assert unmatched or now.restocked == line.restocked


counters = st.builds(
    lambda shipped, cancelled, returned, restocked: LineCounters(
        D(min(cancelled, 5 - shipped)), D(shipped), D(min(returned, shipped)), D(min(returned, shipped, restocked))
    ),
    *[st.integers(0, 5)] * 4,
)


@given(stories, counters)
def test_from_whatever_is_recorded_the_steps_are_allowed_and_are_done_once(events, recorded) -> None:
    facts, ordered = folded(events), {"lamp": D(5), "sofa": D(1)}
    steps = next_steps({"lamp": recorded}, facts)

    after, delivered = applied({"lamp": recorded}, False, steps, ordered)

    assert next_steps(after, facts, delivered=delivered) == ()
    assert after["lamp"].shipped >= recorded.shipped
    assert after["lamp"].returned >= recorded.returned
