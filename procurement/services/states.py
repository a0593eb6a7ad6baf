"""The life of a purchase order: which action leads from which state to which, and the diary entry each one leaves."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.errors import Conflict
from procurement.models import LineResponse, PurchaseOrder, PurchaseOrderEvent, PurchaseOrderLine
from warehouses.services.availability import note_changes

Status = PurchaseOrder.Status


class Action(StrEnum):
    EDIT = "edit"
    APPROVE = "approve"
    SEND = "send"
    ANSWER = "answer"
    DECIDE = "decide"
    CONFIRM = "confirm"
    RECEIVE_PART = "receive_part"
    RECEIVE_REST = "receive_rest"
    CLOSE_SHORT = "close_short"
    CANCEL = "cancel"


TRANSITIONS: dict[str, dict[Action, str]] = {
    Status.DRAFT: {
        Action.EDIT: Status.DRAFT,
        Action.APPROVE: Status.APPROVED,
        Action.CANCEL: Status.CANCELLED,
    },
    Status.APPROVED: {
        Action.SEND: Status.SENT,
        Action.CANCEL: Status.CANCELLED,
    },
    Status.SENT: {
        Action.ANSWER: Status.SENT,
        Action.DECIDE: Status.SENT,
        Action.CONFIRM: Status.CONFIRMED,
        Action.RECEIVE_PART: Status.PARTIALLY_RECEIVED,
        Action.RECEIVE_REST: Status.RECEIVED,
        Action.CANCEL: Status.CANCELLED,
    },
    Status.CONFIRMED: {
        Action.ANSWER: Status.CONFIRMED,
        Action.DECIDE: Status.CONFIRMED,
        Action.RECEIVE_PART: Status.PARTIALLY_RECEIVED,
        Action.RECEIVE_REST: Status.RECEIVED,
        Action.CANCEL: Status.CANCELLED,
    },
    Status.PARTIALLY_RECEIVED: {
        Action.ANSWER: Status.PARTIALLY_RECEIVED,
        Action.DECIDE: Status.PARTIALLY_RECEIVED,
        Action.RECEIVE_PART: Status.PARTIALLY_RECEIVED,
        Action.RECEIVE_REST: Status.RECEIVED,
        Action.CLOSE_SHORT: Status.RECEIVED,
    },
    Status.RECEIVED: {},
    Status.CANCELLED: {},
}

_REFUSALS = {
    Action.EDIT: gettext_lazy("%(order)s is %(status)s and its lines cannot be changed."),
    Action.APPROVE: gettext_lazy("%(order)s is %(status)s and cannot be approved."),
    Action.SEND: gettext_lazy("%(order)s is %(status)s and cannot be sent."),
    Action.ANSWER: gettext_lazy("%(order)s is %(status)s and cannot be answered."),
    Action.DECIDE: gettext_lazy("%(order)s is %(status)s and its answers cannot be decided."),
    Action.CONFIRM: gettext_lazy("%(order)s is %(status)s and cannot be confirmed."),
    Action.RECEIVE_PART: gettext_lazy("%(order)s is %(status)s and cannot be received."),
    Action.RECEIVE_REST: gettext_lazy("%(order)s is %(status)s and cannot be received."),
    Action.CLOSE_SHORT: gettext_lazy("%(order)s is %(status)s and cannot be closed short."),
    Action.CANCEL: gettext_lazy("%(order)s is %(status)s and cannot be cancelled."),
}

# What can be promised to customers differs afterwards (a receipt says so itself: it posts stock).
_CHANGES_SUPPLY = (Action.SEND, Action.CANCEL, Action.CLOSE_SHORT)

_EVENTS = {
    Action.APPROVE: "approved",
    Action.SEND: "sent",
    Action.CONFIRM: "confirmed",
    Action.RECEIVE_PART: "partially_received",
    Action.RECEIVE_REST: "received",
    Action.CLOSE_SHORT: "closed_short",
    Action.CANCEL: "cancelled",
}


def next_status(order: PurchaseOrder, action: Action) -> str:
    """Where `action` leads from the order's state. Raises Conflict where it leads nowhere."""
    status = TRANSITIONS[order.status].get(action)
    if status is None:
        named = {"order": order.number, "status": str(order.get_status_display()).lower()}
        raise Conflict(str(_REFUSALS[action]) % named, code="wrong_state")
    return status


def advance(order: PurchaseOrder, action: Action, *, actor: Any, now: datetime, **detail: Any) -> None:
    """Move an order that the caller has locked, stamp it, and write the event. Raises Conflict."""
    order.status = next_status(order, action)
    changed = ["status"]
    if action is Action.APPROVE:
        order.approved_by, order.approved_at = actor, now
        changed += ["approved_by", "approved_at"]
    elif action is Action.SEND:
        order.sent_at = now
        changed.append("sent_at")
    elif action is Action.CONFIRM:
        order.confirmed_at = now
        changed.append("confirmed_at")
    if order.status in PurchaseOrder.DONE:
        order.closed_at = now
        changed.append("closed_at")
    order.save(update_fields=changed)
    record(order, _EVENTS[action], actor=actor, now=now, **detail)
    if action in _CHANGES_SUPPLY:
        note_changes(order.lines.values_list("sku_id", flat=True))
    if order.status in PurchaseOrder.DONE:
        _drop_pending_answers(order, actor=actor, now=now)


def settle(order: PurchaseOrder, lines: Iterable[PurchaseOrderLine], *, actor: Any, now: datetime) -> None:
    """Bring the order's state in line with its lines after an answer, a decision or a receipt (order and lines locked).

    Every line rejected: cancelled. Anything received: partially received, or received when nothing is outstanding.
    Every line accepted or rejected: confirmed.
    """
    live = [line for line in lines if line.status != PurchaseOrderLine.Status.REJECTED]
    if not live:
        reason = _("Every line was rejected by the supplier.")
        advance(order, Action.CANCEL, actor=actor, now=now, reason=reason)
    elif any(line.received_quantity for line in live):
        is_complete = not any(line.outstanding_quantity for line in live)
        if is_complete or order.status != Status.PARTIALLY_RECEIVED:
            action = Action.RECEIVE_REST if is_complete else Action.RECEIVE_PART
            advance(order, action, actor=actor, now=now)
    elif order.status == Status.SENT and all(line.status == PurchaseOrderLine.Status.ACCEPTED for line in live):
        advance(order, Action.CONFIRM, actor=actor, now=now)


def record(order: PurchaseOrder, kind: str, *, actor: Any, now: datetime, **detail: Any) -> None:
    """One line in the order's diary."""
    PurchaseOrderEvent.objects.create(order=order, kind=kind, detail=detail, actor=actor, happened_at=now)


def _drop_pending_answers(order: PurchaseOrder, *, actor: Any, now: datetime) -> None:
    """A finished order leaves no change waiting for the planner."""
    waiting = LineResponse.objects.filter(line__order=order, decision=LineResponse.Decision.PENDING)
    ids = sorted(waiting.values_list("pk", flat=True))
    if ids:
        waiting.update(decision=LineResponse.Decision.DECLINED, decided_by=actor, decided_at=now)
        record(order, "changes_dropped", actor=actor, now=now, responses=ids)
