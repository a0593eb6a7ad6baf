"""The supplier's answers to an order and the planner's word on them (step 11 of the story)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from procurement.locks import locked_lines, locked_order, locked_order_of_response
from procurement.models import LineResponse, PurchaseOrder, PurchaseOrderLine
from procurement.services.pricing import number_fault
from procurement.services.states import Action, next_status, record, settle
from warehouses.services.availability import note_changes

Kind, Verdict, LineStatus = LineResponse.Kind, LineResponse.Decision, PurchaseOrderLine.Status
NOTE_LENGTH = 500
FURTHEST_PROMISE = timedelta(days=3 * 365 + 1)


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """The supplier's answer to one line: accept (by `promised_on`), change (`quantity`, `promised_on`) or reject."""

    line_id: int
    kind: str
    quantity: Decimal | None = None
    promised_on: date | None = None
    note: str = ""


@one_transaction
def respond_to_order(order_id: int, answers: Sequence[LineAnswer], *, actor: Any, now: datetime) -> PurchaseOrder:
    """Take all of `answers` or none.

    accept: the line is promised for the day given, else for its need-by day (today when that has passed); with a later
    day it is taken as a change of that day, for a supplier cannot put off a delivery alone. reject: it will not come;
    change: waits for the planner. Nobody promises more than FURTHEST_PROMISE ahead. An accepted line that is still to
    come takes a change too (a late notice): the agreement stands until the planner accepts the new one. When every line
    is accepted or rejected the order is confirmed, when all are rejected it is cancelled.

    Locks the order and its lines. Raises NotFound, ValidationFailed naming every answer that is wrong in itself, and
    Conflict when the order or a line cannot be answered now.
    """
    today = timezone.localdate(now)
    order = locked_order(order_id)
    next_status(order, Action.ANSWER)
    lines = locked_lines(order)
    by_id = {line.pk: line for line in lines}
    _refuse_wrong_answers(answers, by_id, today)
    _refuse_untimely_answers(answers, by_id)
    answers = [_as_taken(answer, by_id[answer.line_id], today) for answer in answers]
    for answer in answers:
        _take(answer, by_id[answer.line_id], actor=actor, now=now, today=today)
    note_changes(by_id[answer.line_id].sku_id for answer in answers)
    record(order, "answered", actor=actor, now=now, answers=[_told(a, by_id[a.line_id]) for a in answers])
    settle(order, lines, actor=actor, now=now)
    return order


@one_transaction
def decide_response(response_id: int, *, accept: bool, actor: Any, now: datetime) -> LineResponse:
    """The planner accepts a proposed change (quantity and day come into force) or declines it.

    A declined line goes back to what stood before: accepted when there was an agreement already, else open, and the
    supplier is asked again. Locks the order, its lines and the answer. Raises NotFound and Conflict.
    """
    order, lines, response = locked_order_of_response(response_id)
    next_status(order, Action.DECIDE)
    if response.decision != Verdict.PENDING:
        raise Conflict(_("This answer does not wait for a decision."), code="already_decided")
    line = next(line for line in lines if line.pk == response.line_id)
    quantity = response.proposed_quantity
    if accept:
        if quantity is not None and quantity < line.received_quantity:
            raise Conflict(
                _("%(received)s of line %(line)s were received already; decline the change.")
                % {"received": plain(line.received_quantity), "line": line.line_number}
            )
        line.quantity = line.quantity if quantity is None else quantity
        line.promised_on = response.proposed_on or line.expected_on
    line.status = LineStatus.ACCEPTED if line.promised_on else LineStatus.OPEN
    line.save(update_fields=["quantity", "promised_on", "status"])
    note_changes([line.sku_id])
    response.decision = Verdict.ACCEPTED if accept else Verdict.DECLINED
    response.decided_by, response.decided_at = actor, now
    response.save(update_fields=["decision", "decided_by", "decided_at"])
    kind = "change_accepted" if accept else "change_declined"
    record(order, kind, actor=actor, now=now, line=line.line_number, response=response.pk)
    settle(order, lines, actor=actor, now=now)
    return response


def _refuse_wrong_answers(answers: Sequence[LineAnswer], lines: Mapping[int, PurchaseOrderLine], today: date) -> None:
    if not answers:
        raise ValidationFailed(_("No line was answered."))
    faults: list[dict[str, Any]] = []
    seen: set[int] = set()
    for answer in answers:
        line = lines.get(answer.line_id)
        fault = _("is not on this order") if line is None else _fault(answer, line, today)
        if answer.line_id in seen:
            fault = _("is answered twice")
        seen.add(answer.line_id)
        if fault:
            name = _named(line) if line else str(answer.line_id)
            faults.append({"line_id": answer.line_id, "message": _("Line %(line)s") % {"line": name} + " " + fault})
    if faults:
        raise ValidationFailed("; ".join(f["message"] for f in faults) + ".", items=faults)


def _fault(answer: LineAnswer, line: PurchaseOrderLine, today: date) -> str:
    if answer.kind not in Kind.values:
        return _("needs an answer: accept, change or reject")
    if len(answer.note) > NOTE_LENGTH:
        return _("has a note of more than %(length)s characters") % {"length": NOTE_LENGTH}
    if answer.kind == Kind.REJECT:
        return ""
    if answer.promised_on is not None and answer.promised_on < today:
        return _("is promised for a day that has passed")
    if answer.promised_on is not None and answer.promised_on > today + FURTHEST_PROMISE:
        return _("is promised for a day more than three years ahead")
    if answer.kind == Kind.ACCEPT:
        if answer.quantity is not None and answer.quantity != line.quantity:
            return _("has another quantity; propose a change instead")
        return ""
    quantity = line.quantity if answer.quantity is None else answer.quantity
    wrong = number_fault(quantity)
    if wrong:
        return _("has a quantity that %(wrong)s; reject the line if nothing will come") % {"wrong": wrong}
    if quantity < line.received_quantity:
        return _("has %(received)s received already") % {"received": plain(line.received_quantity)}
    if quantity == line.quantity and answer.promised_on in (None, line.expected_on):
        return _("has no other quantity and no other day")
    return ""


def _refuse_untimely_answers(answers: Sequence[LineAnswer], lines: Mapping[int, PurchaseOrderLine]) -> None:
    faults: list[dict[str, Any]] = []
    for answer in answers:
        line = lines[answer.line_id]
        fault = _state_fault(answer, line)
        if fault:
            message = _("Line %(line)s") % {"line": _named(line)} + " " + fault
            faults.append({"line_id": line.pk, "status": line.status, "message": message})
    if faults:
        raise Conflict("; ".join(f["message"] for f in faults) + ".", items=faults, code="already_answered")


def _state_fault(answer: LineAnswer, line: PurchaseOrderLine) -> str:
    if line.status == LineStatus.CHANGE_PROPOSED:
        return _("waits for the buyer's decision")
    if line.status == LineStatus.REJECTED:
        return _("was rejected already")
    if not line.outstanding_quantity:
        return _("was received in full")
    if line.status == LineStatus.ACCEPTED and answer.kind != Kind.CHANGE:
        return _("was accepted already; propose a change if something is different now")
    if answer.kind == Kind.REJECT and line.received_quantity:
        return _("was received in part and cannot be rejected")
    return ""


def _as_taken(answer: LineAnswer, line: PurchaseOrderLine, today: date) -> LineAnswer:
    """An accept for a later day than was asked for is a change: the planner decides about it."""
    is_later = answer.promised_on is not None and answer.promised_on > max(line.need_by, today)
    return replace(answer, kind=Kind.CHANGE, quantity=None) if answer.kind == Kind.ACCEPT and is_later else answer


def _take(answer: LineAnswer, line: PurchaseOrderLine, *, actor: Any, now: datetime, today: date) -> None:
    proposed_on = answer.promised_on
    if answer.kind == Kind.ACCEPT:
        proposed_on = proposed_on or max(line.need_by, today)
        line.status, line.promised_on = LineStatus.ACCEPTED, proposed_on
    elif answer.kind == Kind.REJECT:
        line.status, proposed_on = LineStatus.REJECTED, None
    else:
        line.status = LineStatus.CHANGE_PROPOSED
    line.save(update_fields=["status", "promised_on"])
    is_change = answer.kind == Kind.CHANGE
    LineResponse.objects.create(
        line=line,
        kind=answer.kind,
        proposed_quantity=answer.quantity if is_change else None,
        proposed_on=proposed_on,
        note=answer.note,
        decision=Verdict.PENDING if is_change else Verdict.NONE_NEEDED,
        responded_by=actor,
        responded_at=now,
    )


def _told(answer: LineAnswer, line: PurchaseOrderLine) -> dict[str, Any]:
    return {
        "line": line.line_number,
        "sku": line.sku.code,
        "kind": answer.kind,
        "quantity": None if answer.quantity is None else plain(answer.quantity),
        "promised_on": answer.promised_on and answer.promised_on.isoformat(),
        "note": answer.note,
    }


def _named(line: PurchaseOrderLine) -> str:
    return f"{line.line_number} {line.sku.code}"
