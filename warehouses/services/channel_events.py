"""What channels tell about their orders: kept as it came, applied as far as it can be, whatever the order of arrival.

An order's state is a function of the set of its events (`engine.fold`): every arrival folds all that is known and does
the difference to what is recorded. What cannot be matched stays, with the reason, in the channel's report.

Lock order: the order's events (an advisory lock by channel and order number) → the order → as its services do.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel.errors import DomainError, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.engine.fold import EventLine, OrderEvent, OrderFacts, Problem, folded
from warehouses.locks import locked_order
from warehouses.models import ChannelEvent, SalesOrder
from warehouses.services.event_steps import bring_to
from warehouses.services.sales import Sale, SaleLine, record_sale
from warehouses.services.stock import is_storable

MAX_EVENTS = 500
MAX_LINES = 1000
_Kind, _State = ChannelEvent.Kind, ChannelEvent.State
# Problems that another event may still solve; the others are for a person.
WAITS = {"not_created", "delivered_unshipped", "not_recorded", "not_done"}
NOTES = {"dated_before_creation", "created_again"}
_FAILS = {"ship": _Kind.SHIPPED, "uncancel": _Kind.SHIPPED, "cancel": _Kind.CANCELLED, "return": _Kind.RETURNED}


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A line of an event: by its number in the order, or by its SKU where only one line of the order has it.

    A `created` event gives price and, if wanted, warehouse and unit; its lines are numbered from 1 as they come.
    """

    quantity: Decimal
    line: int | None = None
    sku_code: str = ""
    unit_price: Decimal = Decimal(0)
    warehouse_code: str | None = None
    unit: str = ""
    restock: bool = False


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """What a channel says has happened. `event_id` is the channel's own and unique there."""

    event_id: str
    kind: str
    order_external_id: str
    occurred_at: datetime
    lines: Sequence[ToldLine] = ()
    customer_reference: str = ""
    ship_to_country: str = ""


@dataclass(slots=True)
class Outcome:
    """What became of one told event: applied, waiting, unmatched, or `conflict` (told before with other contents)."""

    event_id: str
    outcome: str
    is_duplicate: bool = False
    problem: str = ""
    order_id: int | None = None


@dataclass(slots=True)
class _Reading:
    """The events of one order, and what is wrong with some of them: event id → (code, sentence)."""

    rows: Sequence[ChannelEvent]
    events: list[OrderEvent] = field(default_factory=list)
    troubles: dict[str, tuple[str, str]] = field(default_factory=dict)


def receive_events(channel_code: str, told: Sequence[ToldEvent], *, now: datetime, actor: Any = None) -> list[Outcome]:
    """Keep the events, then apply those of each order in a transaction of its own; one outcome each, in their order.

    An event told again with the same contents is a duplicate and changes nothing. Raises ValidationFailed with every
    malformed event, before anything is kept.
    """
    channel = Channel.objects.filter(code=channel_code).first()
    _refuse_malformed(channel, told)
    assert channel is not None  # noqa: S101 (refused above)
    fresh, conflicts = _keep(channel, told)
    for number in sorted({event.order_external_id for event in told}):
        apply_events(channel.pk, number, now=now, actor=actor)
    rows = {row.event_id: row for row in ChannelEvent.objects.filter(channel=channel, event_id__in=_ids(told))}
    outcomes = []
    for event in told:
        row = rows[event.event_id]
        if event.event_id in conflicts:
            text = _("This event was told before, with other contents; the first counts.")
            outcomes.append(Outcome(event.event_id, "conflict", True, text, row.order_id))
        else:
            duplicate = event.event_id not in fresh
            fresh.discard(event.event_id)  # the same event twice in one call: the second is the duplicate
            outcomes.append(Outcome(event.event_id, row.state, duplicate, row.problem, row.order_id))
    return outcomes


@one_transaction
def apply_events(channel_id: int, order_external_id: str, *, now: datetime, actor: Any = None) -> None:
    """Bring one order to what all its events say, and note of each event whether it is applied. Doing it again changes
    nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"events:{channel_id}:{order_external_id}"]
        )
    rows = list(
        ChannelEvent.objects.filter(channel_id=channel_id, order_external_id=order_external_id)
        .select_related("channel")
        .order_by("occurred_at", "event_id")
    )
    if not rows:
        return
    order, trouble = _recorded_order(rows, now=now, actor=actor)
    reading = _read(rows, order)
    facts = folded(reading.events)
    failed: Mapping[str, DomainError] = {}
    if order is not None and not order.is_history:
        locked_order(order.pk)
        moments: dict[str, datetime] = {row.kind: row.occurred_at for row in rows}
        failed = bring_to(order, facts, moments=moments, now=now, actor=actor)
    _note(rows, order, _problems(reading, facts, trouble, failed))


def apply_waiting_events(*, now: datetime, limit: int = 500) -> int:
    """Try again the orders that have events waiting (for stock, a SKU that was unknown); how many orders were tried."""
    waiting = ChannelEvent.objects.filter(state=_State.WAITING).order_by("pk")
    pairs = list(dict.fromkeys(waiting.values_list("channel_id", "order_external_id")[:limit]))
    for channel_id, number in pairs:
        apply_events(channel_id, number, now=now)
    return len(pairs)


def _refuse_malformed(channel: Channel | None, told: Sequence[ToldEvent]) -> None:
    items: list[dict[str, Any]] = []
    if channel is None:
        items.append({"field": "channel_code", "message": _("There is no such channel.")})
    if not told or len(told) > MAX_EVENTS:
        items.append({"field": "events", "message": _("Between 1 and %d events.") % MAX_EVENTS})
    for place, event in enumerate(told, start=1):
        items += [{"event": place, "field": name, "message": message} for name, message in _faults(event)]
    if items:
        raise ValidationFailed(_("The events cannot be taken."), items=items)


def _faults(event: ToldEvent) -> list[tuple[str, str]]:
    faults = []
    if not event.event_id.strip() or len(event.event_id) > 100:
        faults.append(("event_id", _("The event's id has 1 to 100 characters.")))
    if not event.order_external_id.strip() or len(event.order_external_id) > 64:
        faults.append(("order", _("The order's number has 1 to 64 characters.")))
    if event.kind not in _Kind.values:
        faults.append(("kind", _("There is no such kind of event.")))
    if event.occurred_at.tzinfo is None:
        faults.append(("occurred_at", _("The time needs its time zone.")))
    if event.kind in (_Kind.CREATED, _Kind.SHIPPED, _Kind.RETURNED) and not event.lines:
        faults.append(("lines", _("This kind of event needs lines.")))
    if len(event.lines) > MAX_LINES:
        faults.append(("lines", _("At most %d lines.") % MAX_LINES))
    for number, line in enumerate(event.lines, start=1):
        if not is_storable(line.quantity) or line.quantity <= 0:
            message = _("line %d: the quantity must be above zero, with at most three digits after the point")
            faults.append(("lines", message % number))
        if event.kind == _Kind.CREATED and not line.sku_code:
            faults.append(("lines", _("line %d: the SKU is missing") % number))
        elif line.line is None and not line.sku_code:
            faults.append(("lines", _("line %d: name the order's line or its SKU") % number))
    return faults


def _keep(channel: Channel, told: Sequence[ToldEvent]) -> tuple[set[str], set[str]]:
    """Write what is new; the ids that are new, and those told before with other contents."""
    before = set(
        ChannelEvent.objects.filter(channel=channel, event_id__in=_ids(told)).values_list("event_id", flat=True)
    )
    first: dict[str, ToldEvent] = {}
    for event in told:
        first.setdefault(event.event_id, event)
    ChannelEvent.objects.bulk_create(
        [_row(channel, event) for event in first.values() if event.event_id not in before],
        ignore_conflicts=True,
        batch_size=500,
    )
    kept = {row.event_id: _print(row) for row in ChannelEvent.objects.filter(channel=channel, event_id__in=_ids(told))}
    conflicts = {event.event_id for event in told if _print(_row(channel, event)) != kept[event.event_id]}
    return set(first) - before, conflicts


def _ids(told: Sequence[ToldEvent]) -> list[str]:
    return [event.event_id for event in told]


def _row(channel: Channel, event: ToldEvent) -> ChannelEvent:
    lines = [
        {
            "quantity": plain(line.quantity),
            **({"line": line.line} if line.line is not None else {}),
            **({"sku": line.sku_code} if line.sku_code else {}),
            **({"restock": True} if line.restock else {}),
            **(
                {"unit_price": plain(line.unit_price), "warehouse": line.warehouse_code or "", "unit": line.unit}
                if event.kind == _Kind.CREATED
                else {}
            ),
        }
        for line in event.lines
    ]
    payload: dict[str, Any] = {"lines": lines}
    if event.kind == _Kind.CREATED:
        payload |= {"customer_reference": event.customer_reference, "ship_to_country": event.ship_to_country}
    return ChannelEvent(
        channel=channel,
        event_id=event.event_id,
        order_external_id=event.order_external_id,
        kind=event.kind,
        payload=payload,
        occurred_at=event.occurred_at,
    )


def _print(row: ChannelEvent) -> str:
    contents = [row.kind, row.order_external_id, row.occurred_at.timestamp(), row.payload]
    return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()


def _recorded_order(
    rows: Sequence[ChannelEvent], *, now: datetime, actor: Any
) -> tuple[SalesOrder | None, tuple[str, str] | None]:
    """The order of these events, recorded now if its creation is among them; else why there is none."""
    first = rows[0]
    creations = [row for row in rows if row.kind == _Kind.CREATED]
    order = SalesOrder.objects.filter(channel_id=first.channel_id, external_id=first.order_external_id).first()
    if order is not None or not creations:
        return order, None
    try:
        order, _is_new = record_sale(_sale(creations[0]), now=now, actor=actor)
    except DomainError as error:
        return None, ("not_recorded", _words(error))
    return order, None


def _sale(row: ChannelEvent) -> Sale:
    return Sale(
        channel_code=row.channel.code,
        external_id=row.order_external_id,
        ordered_at=row.occurred_at,
        customer_reference=row.payload["customer_reference"],
        ship_to_country=row.payload["ship_to_country"],
        lines=[
            SaleLine(
                line["sku"],
                Decimal(line["quantity"]),
                Decimal(line["unit_price"]),
                line["warehouse"] or None,
                line["unit"],
            )
            for line in row.payload["lines"]
        ],
    )


def _read(rows: Sequence[ChannelEvent], order: SalesOrder | None) -> _Reading:
    """The events in the fold's words. The order as it is recorded stands for its creation, however it came."""
    reading = _Reading(rows)
    if order is None:
        reading.events = [
            OrderEvent(row.event_id, row.kind, row.occurred_at) for row in rows if row.kind != _Kind.CREATED
        ]
        return reading
    lines = list(order.lines.filter(kit_line=None).select_related("sku").order_by("line_number"))
    by_sku: dict[str, list[int]] = {}
    for line in lines:
        by_sku.setdefault(line.sku.code, []).append(line.line_number)
    reading.events.append(
        OrderEvent(
            "the order itself",
            _Kind.CREATED,
            order.ordered_at,
            tuple(EventLine(line.line_number, line.quantity) for line in lines),
        )
    )
    recorded = sorted((line.sku.code, plain(line.quantity)) for line in lines)
    for row in rows:
        if row.kind == _Kind.CREATED:
            asked = sorted((told["sku"], told["quantity"]) for told in row.payload["lines"])
            if asked != recorded and not any(told["unit"] for told in row.payload["lines"]):
                text = _("the order is recorded with other contents")
                reading.troubles[row.event_id] = ("other_contents", text)
            continue
        found = []
        for told in row.payload["lines"]:
            numbers = [told["line"]] if "line" in told else by_sku.get(told["sku"], [])
            if len(numbers) != 1:
                text = _("the order has no line of %s") if not numbers else _("several lines of the order have %s")
                reading.troubles[row.event_id] = ("unknown_line", text % told["sku"])
                continue
            found.append(EventLine(numbers[0], Decimal(told["quantity"]), bool(told.get("restock"))))
        if found or not row.payload["lines"]:
            reading.events.append(OrderEvent(row.event_id, row.kind, row.occurred_at, tuple(found)))
    return reading


def _problems(
    reading: _Reading,
    facts: OrderFacts,
    trouble: tuple[str, str] | None,
    failed: Mapping[str, DomainError],
) -> dict[str, tuple[str, str]]:
    """Event id → (code, sentence), the first of each event."""
    found = dict(reading.troubles)
    of_kind: dict[str, list[str]] = {}
    for row in reading.rows:
        of_kind.setdefault(row.kind, []).append(row.event_id)
    if trouble:
        for event_id in of_kind.get(_Kind.CREATED, []):
            found.setdefault(event_id, trouble)
    for problem in facts.problems:
        named = [problem.event_id] if problem.event_id else of_kind.get(_KIND_OF.get(problem.code, ""), [])[-1:]
        for event_id in named:
            if problem.code not in NOTES:
                found.setdefault(event_id, (problem.code, _sentence(problem)))
    for action, error in failed.items():
        for event_id in of_kind.get(_FAILS.get(action, _Kind.DELIVERED), []):
            found.setdefault(event_id, ("not_done", _words(error)))
    return found


def _note(rows: Sequence[ChannelEvent], order: SalesOrder | None, problems: Mapping[str, tuple[str, str]]) -> None:
    changed = []
    for row in rows:
        code, text = problems.get(row.event_id, ("", ""))
        state = _State.WAITING if code in WAITS else _State.UNMATCHED if code else _State.APPLIED
        new = (state, text[:300], order.pk if order else None)
        if (row.state, row.problem, row.order_id) != new:
            row.state, row.problem, row.order_id = new
            changed.append(row)
    ChannelEvent.objects.bulk_update(changed, ["state", "problem", "order_id"], batch_size=500)


def _words(error: DomainError) -> str:
    told = "; ".join(str(item["message"]) for item in error.items if item.get("message"))
    return f"{error} {told}".strip()


def _sentence(problem: Problem) -> str:
    words = {
        "not_created": _("the order has not been told yet"),
        "unknown_line": _("the order has no line %(line)s"),
        "cancelled_too_late": _("%(quantity)s of line %(line)s were shipped already and cannot be cancelled"),
        "shipped_too_much": _("%(quantity)s more of line %(line)s were shipped than ordered"),
        "returned_too_much": _("%(quantity)s more of line %(line)s came back than were shipped"),
        "delivered_unshipped": _("delivered, but nothing is known to be shipped"),
        "conflicting_event": _("told twice with different contents"),
    }
    text = words.get(problem.code, problem.code)
    return text % {"line": problem.line, "quantity": plain(problem.quantity)}


_KIND_OF = {
    "cancelled_too_late": _Kind.CANCELLED,
    "shipped_too_much": _Kind.SHIPPED,
}
