"""A channel's order events folded to one state, whatever order they arrive in and however often; and what is still
to be done to bring a recorded order there.

Channels send events late, twice and out of order. The state is a function of the SET of events, so recording is:
fold all that is known, compare with what is recorded, do the difference (`next_steps`). Physical facts win: what was
shipped cannot be cancelled any more.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

ZERO = Decimal(0)
CREATED, CANCELLED, SHIPPED, DELIVERED, RETURNED = KINDS = ("created", "cancelled", "shipped", "delivered", "returned")


@dataclass(frozen=True, slots=True)
class EventLine:
    """So many units of an order line; `restock` (of a return): they can be sold again."""

    line: Hashable
    quantity: Decimal
    restock: bool = False


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """What a channel or a WMS says happened. `kind` is one of KINDS; quantities are of THIS event, not totals.

    `cancelled` without lines cancels all that is not shipped. `delivered` needs no lines. Two events with one
    `event_id` are the same event.
    """

    event_id: str
    kind: str
    occurred_at: datetime
    lines: tuple[EventLine, ...] = ()


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What is true of an order line, in units: cancelled + shipped ≤ ordered, restocked ≤ returned ≤ shipped.

    `asked_to_cancel` is what cancellations ask for in all (at most `ordered`), `cancelled` what of it was possible.
    """

    line: Hashable
    ordered: Decimal
    asked_to_cancel: Decimal
    cancelled: Decimal
    shipped: Decimal
    returned: Decimal
    restocked: Decimal

    @property
    def open(self) -> Decimal:
        return self.ordered - self.cancelled - self.shipped


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about the events that somebody should know.

    conflicting_event   two contents under one event_id; the one that sorts first (earliest) counts
    not_created         events without the creation: nothing can be recorded yet, they wait for it
    created_again       a second creation with other lines; the earliest counts
    dated_before_creation     the event claims to have happened before the order was placed (it counts all the same)
    unknown_line        the creation has no such line; quantity is not counted
    cancelled_too_late  quantity of a cancellation that was already shipped (no event: all cancellations together)
    shipped_too_much    quantity shipped beyond what was ordered; not counted
    returned_too_much   quantity returned beyond what was shipped (so far); unmatched, not counted
    delivered_unshipped a delivery while nothing is known to be shipped; it waits
    unknown_kind        not counted
    """

    code: str
    event_id: str = ""
    line: Hashable = None
    quantity: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The order as its events tell it. Not `created`: lines are empty, everything waits."""

    created: bool
    lines: tuple[LineFacts, ...] = ()
    delivered: bool = False
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class LineCounters:
    """What is recorded of an order line, in units; `restocked` is part of `returned`."""

    cancelled: Decimal = ZERO
    shipped: Decimal = ZERO
    returned: Decimal = ZERO
    restocked: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Step:
    """Something left to do: `action` uncancel, ship, cancel, return (then `restock` says of which sort) or deliver."""

    action: str
    line: Hashable = None
    quantity: Decimal = ZERO
    restock: bool = False


def folded(events: Iterable[OrderEvent]) -> OrderFacts:
    """The state that the events add up to: the same for any order of arrival and any repetition.

    Per line: shipped = min(Σ shipped, ordered); cancelled = min(Σ asked to cancel, ordered − shipped);
    returned = min(Σ returned, shipped), the earliest returns first. What was cut off is among the problems.

    Worked: 5 ordered, all cancelled, 2 shipped nevertheless → shipped 2, cancelled 3 and the problem
    cancelled_too_late over 2.
    """
    unique, problems = _deduplicated(events)
    creations = [event for event in unique if event.kind == CREATED]
    if not creations:
        return OrderFacts(False, problems=_sorted([*problems, *(Problem("not_created", e.event_id) for e in unique)]))
    creation = creations[0]
    ordered = _totals([creation])
    for event in creations[1:]:
        if _totals([event]) != ordered:
            problems.append(Problem("created_again", event.event_id))
    for event in unique:
        if event.occurred_at < creation.occurred_at:
            problems.append(Problem("dated_before_creation", event.event_id))
        if event.kind != CREATED:
            problems += [
                Problem("unknown_line", event.event_id, each.line, each.quantity)
                for each in event.lines
                if each.line not in ordered
            ]
    of_kind = {kind: [event for event in unique if event.kind == kind] for kind in KINDS}
    lines = tuple(_line_facts(line, quantity, of_kind, problems) for line, quantity in ordered.items())
    arrived, gone = of_kind[DELIVERED], any(facts.shipped for facts in lines)
    if arrived and not gone:
        problems += [Problem("delivered_unshipped", event.event_id) for event in arrived]
    return OrderFacts(True, lines, bool(arrived) and gone, _sorted(problems))


def next_steps(
    current: Mapping[Hashable, LineCounters], facts: OrderFacts, *, delivered: bool = False
) -> tuple[Step, ...]:
    """What a service has still to do, in this order, to bring the recorded counters (and `delivered`) to the facts.

    Recorded physical facts stand: shipped and returned only grow, and what was shipped or cancelled here without the
    channel's knowledge stays. A cancellation is undone only as far as a shipment contradicts it: uncancel, then ship.
    Applying the steps and asking again gives none. Nothing before the order is created.

    Worked: 5 ordered, recorded 5 cancelled; facts 2 shipped, 3 cancelled → uncancel 2, ship 2.
    """
    if not facts.created:
        return ()
    undo, ship, cancel, back = [], [], [], []
    for line in facts.lines:
        now = current.get(line.line, LineCounters())
        shipped = max(now.shipped, line.shipped)
        undone = min(now.cancelled, max(now.cancelled + shipped - line.ordered, ZERO))
        still_cancelled = now.cancelled - undone
        to_cancel = max(min(line.asked_to_cancel, line.ordered - shipped) - still_cancelled, ZERO)
        if undone:
            undo.append(Step("uncancel", line.line, undone))
        if shipped > now.shipped:
            ship.append(Step("ship", line.line, shipped - now.shipped))
        if to_cancel:
            cancel.append(Step("cancel", line.line, to_cancel))
        back += _returns(line, now)
    arrived = [Step("deliver")] if facts.delivered and not delivered else []
    return (*undo, *ship, *cancel, *back, *arrived)


def _returns(line: LineFacts, now: LineCounters) -> list[Step]:
    """Units still to take back; when the sorts differ from what is recorded, the total counts."""
    left = max(line.returned - now.returned, ZERO)
    sellable = min(left, max(line.restocked - now.restocked, ZERO))
    steps = [Step("return", line.line, sellable, True)] if sellable else []
    return [*steps, Step("return", line.line, left - sellable)] if left > sellable else steps


def _line_facts(
    line: Hashable, ordered: Decimal, of_kind: Mapping[str, list[OrderEvent]], problems: list[Problem]
) -> LineFacts:
    sent = _totals(of_kind[SHIPPED]).get(line, ZERO)
    shipped = min(sent, ordered)
    if sent > ordered:
        problems.append(Problem("shipped_too_much", line=line, quantity=sent - ordered))
    asked = _totals(of_kind[CANCELLED]).get(line, ZERO)
    if any(not event.lines for event in of_kind[CANCELLED]):
        asked = ordered
    asked = min(asked, ordered)
    cancelled = min(asked, ordered - shipped)
    if asked > cancelled:
        problems.append(Problem("cancelled_too_late", line=line, quantity=asked - cancelled))
    returned = restocked = ZERO
    for event in of_kind[RETURNED]:
        for each in event.lines:
            if each.line == line:
                matched = min(each.quantity, shipped - returned)
                returned += matched
                restocked += matched if each.restock else ZERO
                if matched < each.quantity:
                    problems.append(Problem("returned_too_much", event.event_id, line, each.quantity - matched))
    return LineFacts(line, ordered, asked, cancelled, shipped, returned, restocked)


def _deduplicated(events: Iterable[OrderEvent]) -> tuple[list[OrderEvent], list[Problem]]:
    """One event per id, in canonical order (time, id), and the conflicts and unknown kinds found on the way."""
    contents: dict[str, set[OrderEvent]] = {}
    for event in events:
        contents.setdefault(event.event_id, set()).add(_canonical(event))
    unique, problems = [], []
    for event_id, versions in contents.items():
        event = min(versions, key=_place)
        if len(versions) > 1:
            problems.append(Problem("conflicting_event", event_id))
        if event.kind in KINDS:
            unique.append(event)
        else:
            problems.append(Problem("unknown_kind", event_id))
    unique.sort(key=_place)
    return unique, problems


def _canonical(event: OrderEvent) -> OrderEvent:
    """The same event with one entry per line and sort, in one order: how its lines are cut up is not its content."""
    totals: dict[tuple[Hashable, bool], Decimal] = {}
    for each in event.lines:
        sort = each.line, each.restock and event.kind == RETURNED
        totals[sort] = totals.get(sort, ZERO) + each.quantity
    lines = [EventLine(line, quantity, restock) for (line, restock), quantity in totals.items()]
    lines.sort(key=lambda each: (str(each.line), each.restock))
    return OrderEvent(event.event_id, event.kind, event.occurred_at, tuple(lines))


def _place(event: OrderEvent) -> tuple[object, ...]:
    lines = [(str(each.line), each.quantity, each.restock) for each in event.lines]
    return event.occurred_at, event.event_id, event.kind, lines


def _totals(events: Iterable[OrderEvent]) -> dict[Hashable, Decimal]:
    totals: dict[Hashable, Decimal] = {}
    for event in events:
        for each in event.lines:
            totals[each.line] = totals.get(each.line, ZERO) + each.quantity
    return totals


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.code, problem.event_id, str(problem.line))))
