"""What the buttons of a purchase order's page do. Each reads its form and calls one service."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import PageAction
from config.kernel.admin.reading import typed_day, typed_id, typed_quantity
from config.kernel.errors import ValidationFailed
from config.kernel.fields import MoneyField
from procurement.admin.new_order import said_of, typed_code
from procurement.models import PurchaseOrder, PurchaseOrderLine
from procurement.services.by_hand import HandLine, order_by_hand
from procurement.services.confirmations import decide_response
from procurement.services.orders import (
    approve_order,
    cancel_order,
    change_draft_line,
    close_short,
    remove_draft_line,
    send_order,
)
from procurement.services.receipts import ReceivedLine, receive_goods
from warehouses.models import StockStatus

Status = PurchaseOrder.Status
CHANGE = "procurement.change_purchaseorder"
APPROVE = "procurement.approve_purchaseorder"


def _approve(request: HttpRequest, order: PurchaseOrder) -> str:
    approve_order(order.pk, actor=request.user, now=timezone.now())
    return gettext("Approved: it counts as on order now.")


def _approve_small(request: HttpRequest, order: PurchaseOrder) -> str:
    approve_order(order.pk, actor=request.user, now=timezone.now(), override_minimum=True)
    return gettext("Approved below the supplier's minimum order value.")


def _approve_and_send(request: HttpRequest, order: PurchaseOrder) -> str:
    with transaction.atomic():
        approve_order(order.pk, actor=request.user, now=timezone.now())
        send_order(order.pk, actor=request.user, now=timezone.now())
    return gettext("Approved and sent: the supplier sees it in the portal.")


def _send(request: HttpRequest, order: PurchaseOrder) -> str:
    send_order(order.pk, actor=request.user, now=timezone.now())
    return gettext("Sent: the supplier sees it in the portal.")


def _cancel(request: HttpRequest, order: PurchaseOrder) -> str:
    cancel_order(order.pk, actor=request.user, now=timezone.now(), reason=request.POST.get("reason", ""))
    return gettext("The order was cancelled.")


def _close_short(request: HttpRequest, order: PurchaseOrder) -> str:
    close_short(order.pk, actor=request.user, now=timezone.now())
    return gettext("Closed short: nothing more is expected of it.")


def _change_line(request: HttpRequest, order: PurchaseOrder) -> str:
    line_id, quantity = _line_of(request, order), typed_quantity(request.POST.get("quantity"))
    if quantity is None:
        raise ValidationFailed(gettext("Enter a quantity, or take the line off the order."))
    day = typed_day(request.POST.get("need_by"))
    change_draft_line(line_id, quantity=quantity, need_by=day, actor=request.user, now=timezone.now())
    return gettext("The line was changed.")


def _add_line(request: HttpRequest, order: PurchaseOrder) -> str:
    """One more SKU of the supplier; the key of the form makes a double click one line."""
    code, quantity = typed_code(request.POST.get("sku")), typed_quantity(request.POST.get("quantity"))
    if not code or quantity is None:
        raise ValidationFailed(gettext("Enter a SKU and a quantity."))
    draft, is_new = order_by_hand(
        order.supplier_id,
        warehouse_id=order.warehouse_id,
        lines=[HandLine(code, quantity)],
        key=request.POST.get("key") or str(uuid.uuid4()),
        actor=request.user,
        now=timezone.now(),
        order_id=order.pk,
    )
    return said_of(draft, 1, is_new)


def _remove_line(request: HttpRequest, order: PurchaseOrder) -> str:
    remove_draft_line(_line_of(request, order), actor=request.user, now=timezone.now())
    return gettext("The line was taken off the order.")


def _line_of(request: HttpRequest, order: PurchaseOrder) -> int:
    line_id = typed_id(request.POST.get("line"))
    if not order.lines.filter(pk=line_id).exists():
        raise ValidationFailed(gettext("This line is not on the order any more."))
    return line_id


def _decide(request: HttpRequest, order: PurchaseOrder, accept: bool) -> str:
    response_id = typed_id(request.POST.get("response"))
    if not order.lines.filter(responses=response_id).exists():
        raise ValidationFailed(gettext("This answer is not of this order."))
    decide_response(response_id, accept=accept, actor=request.user, now=timezone.now())
    return gettext("The supplier's change is in force.") if accept else gettext("The change was declined.")


def _receive(request: HttpRequest, order: PurchaseOrder) -> str:
    """Boxes left empty or at 0 were not delivered. The key of the form makes a double click one receipt."""
    lines = [row for line in order.lines.select_related("sku") for row in _arrived(request, line)]
    receipt, is_new = receive_goods(
        order.pk,
        lines,
        key=request.POST.get("key") or str(uuid.uuid4()),
        actor=request.user,
        now=timezone.now(),
        delivery_note=request.POST.get("delivery_note", "").strip(),
    )
    words = gettext("%(receipt)s was booked.") if is_new else gettext("%(receipt)s had been booked already.")
    return words % {"receipt": receipt.number}


def _arrived(request: HttpRequest, line: PurchaseOrderLine) -> Iterator[ReceivedLine]:
    """The rows typed for an order line: several when it came in several lots or some of it is set aside."""
    names = ("received", "lot", "expires", "status", "unit")
    typed = [request.POST.getlist(f"{name}-{line.pk}") for name in names]
    for place, text in enumerate(typed[0]):
        quantity = typed_quantity(text, name=line.sku.code)
        lot, expires, status, unit = (column[place] if place < len(column) else "" for column in typed[1:])
        if quantity:
            lot = lot.strip().replace("\x00", "")
            day = typed_day(expires)
            yield ReceivedLine(line.pk, quantity, lot, day, unit.strip(), status or StockStatus.AVAILABLE)


def _is(*statuses: str) -> Any:
    return lambda order: order.status in statuses


def _is_small_draft(order: PurchaseOrder) -> bool:
    if order.status != Status.DRAFT or not order.supplier.minimum_order_value:
        return False
    value = order.lines.aggregate(v=Sum(F("quantity") * F("unit_cost"), output_field=MoneyField()))["v"]
    return bool(value) and value < order.supplier.minimum_order_value


PAGE_ACTIONS = (
    PageAction("approve-and-send", _("Approve and send"), APPROVE, _approve_and_send, "primary",
               is_offered=_is(Status.DRAFT)),
    PageAction("approve", _("Approve"), APPROVE, _approve, is_offered=_is(Status.DRAFT)),
    PageAction("approve-small", _("Approve below the minimum"), APPROVE, _approve_small,
               confirm=_("The order is below the supplier's minimum order value. Approve it all the same?"),
               is_offered=_is_small_draft),
    PageAction("send", _("Send to the supplier"), "procurement.send_purchaseorder", _send, "primary",
               is_offered=_is(Status.APPROVED)),
    PageAction("close-short", _("Close short"), "procurement.cancel_purchaseorder", _close_short,
               confirm=_("Expect nothing more of this order?"), is_offered=_is(Status.PARTIALLY_RECEIVED)),
    PageAction("cancel", _("Cancel order"), "procurement.cancel_purchaseorder", _cancel, "danger",
               confirm=_("Cancel this order? A supplier who has seen it is told."),
               is_offered=_is(Status.DRAFT, Status.APPROVED, Status.SENT, Status.CONFIRMED)),
    PageAction("change-line", _("Change line"), CHANGE, _change_line, in_bar=False),
    PageAction("add-line", _("Add a line"), CHANGE, _add_line, in_bar=False),
    PageAction("remove-line", _("Remove line"), CHANGE, _remove_line, in_bar=False),
    PageAction("accept-change", _("Accept"), "procurement.decide_lineresponse",
               lambda request, order: _decide(request, order, True), in_bar=False),
    PageAction("decline-change", _("Decline"), "procurement.decide_lineresponse",
               lambda request, order: _decide(request, order, False), in_bar=False),
    PageAction("receive", _("Receive"), "procurement.add_receipt", _receive, in_bar=False),
)  # fmt: skip
