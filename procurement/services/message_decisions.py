"""A planner's word on action messages: the supplier is asked, or nothing is done and the message keeps quiet."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.fields import plain
from config.kernel.outbox import Event, record_events
from config.kernel.transactions import one_transaction
from procurement.locks import locked_lines, locked_order
from procurement.models import ActionMessage, PurchaseOrder, PurchaseOrderLine
from procurement.notifications import mail_supplier_on_commit
from procurement.services.states import Action, advance, next_status, record, settle
from warehouses.services.availability import note_changes

Kind, Status = ActionMessage.Kind, ActionMessage.Status
MOVED = "purchase_order.move_asked"


@one_transaction
def accept_messages(ids: Iterable[int], *, actor: Any, now: datetime, note: str = "") -> list[ActionMessage]:
    """Do what these messages ask, all or none.

    Sooner or later: the line is needed by the new day, and the supplier of a sent order is told by mail and in the
    portal; what was promised stands until the supplier answers. Cancel: the rest of the line is taken off, and with the
    last line the order. Locks the orders by primary key, their lines, then the messages. Raises NotFound, Conflict
    naming every message that is decided already or whose line has changed since, and where the order's state does not
    allow it.
    """
    ids = _checked(ids, note)
    orders = ActionMessage.objects.filter(pk__in=ids).values_list("line__order_id", flat=True)
    locked = {pk: locked_order(pk) for pk in sorted(set(orders))}
    lines = {line.pk: line for order in locked.values() for line in locked_lines(order)}
    messages = _locked_open(ids)
    _refuse_stale(messages, lines)
    for pk, order in locked.items():
        of_order = [message for message in messages if lines[message.line_id].order_id == pk]
        _ask(order, of_order, lines, actor=actor, now=now)
    _decide(messages, Status.ACCEPTED, actor=actor, now=now, note=note)
    return messages


@one_transaction
def dismiss_messages(ids: Iterable[int], *, actor: Any, now: datetime, note: str = "") -> int:
    """Leave the orders as they are; said again only once a date changes. Raises as `accept_messages`."""
    messages = _locked_open(_checked(ids, note))
    _decide(messages, Status.DISMISSED, actor=actor, now=now, note=note)
    return len(messages)


def _checked(ids: Iterable[int], note: str) -> list[int]:
    found = sorted(set(ids))
    if not found:
        raise ValidationFailed(_("No message was chosen."))
    if len(note) > 300:
        raise ValidationFailed(_("The note is longer than 300 characters."))
    return found


def _locked_open(ids: Sequence[int]) -> list[ActionMessage]:
    rows = ActionMessage.objects.filter(pk__in=ids).select_related("line__order", "line__sku").order_by("pk")
    messages = list(rows.select_for_update(of=("self",), no_key=True))
    if missing := sorted(set(ids) - {message.pk for message in messages}):
        raise NotFound(_("There is no such action message: %(ids)s.") % {"ids": ", ".join(map(str, missing))})
    if decided := [message for message in messages if message.status != Status.OPEN]:
        _refuse(_("Decided already: %(named)s."), decided, "already_decided")
    return messages


def _refuse_stale(messages: Sequence[ActionMessage], lines: dict[int, PurchaseOrderLine]) -> None:
    stale = [
        message
        for message in messages
        if lines[message.line_id].expected_on != message.from_date
        or lines[message.line_id].outstanding_quantity != message.quantity
        or lines[message.line_id].status == PurchaseOrderLine.Status.CHANGE_PROPOSED
    ]
    if stale:
        _refuse(_("Changed since the plan: %(named)s. Plan again."), stale, "changed_since")


def _refuse(sentence: str, messages: Sequence[ActionMessage], code: str) -> None:
    items: list[dict[str, Any]] = [
        {"message_id": message.pk, "line": str(message.line), "sku": message.line.sku.code, "message": str(message)}
        for message in messages
    ]
    raise Conflict(sentence % {"named": "; ".join(item["message"] for item in items)}, items=items, code=code)


def _ask(
    order: PurchaseOrder,
    messages: Sequence[ActionMessage],
    lines: dict[int, PurchaseOrderLine],
    *,
    actor: Any,
    now: datetime,
) -> None:
    if order.status not in PurchaseOrder.ON_ORDER:
        raise Conflict(_("%(order)s is not on order any more.") % {"order": order.number}, code="wrong_state")
    asked = []
    for message in messages:
        line = lines[message.line_id]
        asked.append(_told(message, line))
        if message.kind == Kind.CANCEL:
            _take_off(line)
        elif message.to_date is not None:
            line.need_by = message.to_date
            line.save(update_fields=["need_by"])
    record(order, "move_asked", actor=actor, now=now, lines=asked)
    record_events([Event(MOVED, payload={"order": order.number, "lines": asked})])
    note_changes([lines[message.line_id].sku_id for message in messages])
    _close_if_empty(order, actor=actor, now=now)
    if order.sent_at and order.status != PurchaseOrder.Status.CANCELLED:
        mail_supplier_on_commit(order, "order_moved", now=now)


def _told(message: ActionMessage, line: PurchaseOrderLine) -> dict[str, Any]:
    return {
        "line": line.line_number,
        "sku": line.sku.code,
        "kind": message.kind,
        "quantity": plain(message.quantity),
        "from": message.from_date.isoformat(),
        "to": message.to_date and message.to_date.isoformat(),
    }


def _take_off(line: PurchaseOrderLine) -> None:
    """What has come stays; nothing more is waited for."""
    line.quantity = line.received_quantity
    changed = ["quantity"]
    if line.status == PurchaseOrderLine.Status.OPEN:  # nothing is left for the supplier to answer
        line.status = PurchaseOrderLine.Status.ACCEPTED
        changed.append("status")
    line.save(update_fields=changed)


def _close_if_empty(order: PurchaseOrder, *, actor: Any, now: datetime) -> None:
    """An order of which nothing is waited for has ended: cancelled when nothing came, else received."""
    lines = locked_lines(order)
    live = [line for line in lines if line.status != PurchaseOrderLine.Status.REJECTED]
    if any(line.outstanding_quantity for line in live):
        if order.status == PurchaseOrder.Status.SENT:
            settle(order, [line for line in live if line.quantity > Decimal(0)], actor=actor, now=now)
        return
    if any(line.received_quantity for line in live):
        settle(order, lines, actor=actor, now=now)
        return
    next_status(order, Action.CANCEL)
    advance(order, Action.CANCEL, actor=actor, now=now, reason=_("Nothing of it is needed any more."))
    if order.sent_at:
        mail_supplier_on_commit(order, "order_cancelled", now=now)


def _decide(messages: Sequence[ActionMessage], status: str, *, actor: Any, now: datetime, note: str) -> None:
    for message in messages:
        message.status, message.decided_by, message.decided_at = status, actor, now
        message.decision_note = note
    ActionMessage.objects.bulk_update(messages, ["status", "decided_by", "decided_at", "decision_note"])
