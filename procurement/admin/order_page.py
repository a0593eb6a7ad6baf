"""The page of a purchase order: where it stands, its lines, what the supplier wants changed, deliveries, its diary."""

import uuid
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, pgettext_lazy

from config.kernel.admin import panel, render_panel
from procurement.admin.new_order import items_url
from procurement.models import ActionMessage, LineResponse, PurchaseOrder, PurchaseOrderLine
from warehouses.models import StockStatus

Status = PurchaseOrder.Status
STEPS = (Status.DRAFT, Status.APPROVED, Status.SENT, Status.CONFIRMED, Status.RECEIVED)
ROWS_TOLD = 6
EVENT_NAMES = {
    "created": gettext_lazy("Draft opened"),
    "line_added": gettext_lazy("Line added"),
    "lines_added": gettext_lazy("Lines added"),
    "line_changed": gettext_lazy("Line changed"),
    "line_removed": gettext_lazy("Line removed"),
    "approved": gettext_lazy("Approved"),
    "sent": gettext_lazy("Sent"),
    "answered": gettext_lazy("The supplier answered"),
    "confirmed": gettext_lazy("Confirmed"),
    "change_accepted": gettext_lazy("Change accepted"),
    "change_declined": gettext_lazy("Change declined"),
    "goods_received": gettext_lazy("Goods received"),
    "partially_received": gettext_lazy("Partially received"),
    "received": gettext_lazy("Received"),
    "closed_short": gettext_lazy("Closed short"),
    "cancelled": gettext_lazy("Cancelled"),
    "changes_dropped": gettext_lazy("Waiting changes dropped"),
    "move_asked": gettext_lazy("Other days asked for"),
    "mail_sent": gettext_lazy("Mail sent"),
    "mail_skipped": gettext_lazy("No mail sent"),
    "mail_failed": gettext_lazy("Mail failed"),
}
DETAIL_NAMES = {
    "sku": gettext_lazy("SKU"),
    "quantity": gettext_lazy("quantity"),
    "from": pgettext_lazy("change", "from"),
    "to": pgettext_lazy("change", "to"),
    "line": gettext_lazy("line"),
    "lines": pgettext_lazy("diary", "lines"),
    "answers": gettext_lazy("answers"),
    "response": gettext_lazy("answer"),
    "responses": gettext_lazy("answers"),
    "receipt": gettext_lazy("receipt"),
    "value": gettext_lazy("value"),
    "below_minimum": gettext_lazy("below minimum"),
    "reason": gettext_lazy("reason"),
    "mail": gettext_lazy("mail"),
    "why": gettext_lazy("why"),
}
VALUE_NAMES = {
    "order_sent": gettext_lazy("order sent"),
    "order_moved": gettext_lazy("other days"),
    "order_cancelled": gettext_lazy("order cancelled"),
    "True": gettext_lazy("yes"),
}
ANSWER_NAMES = dict([*LineResponse.Kind.choices, *ActionMessage.Kind.choices])


def steps_of(order: PurchaseOrder) -> list[dict[str, Any]]:
    """The way of an order, with what is behind it, where it stands and what is to come."""
    if order.status == Status.CANCELLED:
        return [{"label": Status.CANCELLED.label, "css": "now"}]
    at = Status.CONFIRMED if order.status == Status.PARTIALLY_RECEIVED else Status(order.status)
    place = STEPS.index(at)
    steps = [
        {"label": step.label, "css": "done" if n < place else "now" if n == place else ""}
        for n, step in enumerate(STEPS)
    ]
    if order.status == Status.PARTIALLY_RECEIVED:
        steps[place]["css"] = "done"
        steps.insert(place + 1, {"label": Status.PARTIALLY_RECEIVED.label, "css": "now"})
    return steps


def _do(order: PurchaseOrder, verb: str) -> str:
    return reverse("admin:procurement_purchaseorder_do", args=[order.pk, verb])


@panel("procurement.purchaseorder", order=10)
def lines_panel(request: HttpRequest, order: PurchaseOrder) -> SafeString:
    lines: list[Any] = list(order.lines.select_related("sku", "proposal").order_by("line_number"))
    today = timezone.localdate()
    for line in lines:
        line.is_late = bool(
            order.status in PurchaseOrder.RECEIVABLE and line.outstanding_quantity and line.expected_on < today
        )
    may_change = order.status == Status.DRAFT and request.user.has_perm("procurement.change_purchaseorder")
    counted = [line for line in lines if line.status != PurchaseOrderLine.Status.REJECTED]
    context = {
        "order": order,
        "steps": steps_of(order),
        "lines": lines,
        "total": sum((line.value for line in counted), Decimal(0)),
        "may_change": may_change,
        "change_url": _do(order, "change-line"),
        "remove_url": _do(order, "remove-line"),
        "add_url": _do(order, "add-line"),
        "items_url": items_url(order.supplier),
        "key": str(uuid.uuid4()),
        "below_minimum": order.status == Status.DRAFT
        and sum((line.value for line in lines), Decimal(0)) < order.supplier.minimum_order_value,
    }
    return render_panel("admin/house/purchase_order.html", request, context)


@panel("procurement.purchaseorder", order=20, permission="procurement.view_lineresponse")
def changes_panel(request: HttpRequest, order: PurchaseOrder) -> SafeString | None:
    """What the supplier proposes and somebody has to decide; left out when there is nothing."""
    pending = list(
        LineResponse.objects.filter(line__order=order, decision=LineResponse.Decision.PENDING).select_related(
            "line__sku", "responded_by"
        )
    )
    if not pending:
        return None
    context = {
        "pending": pending,
        "may_decide": request.user.has_perm("procurement.decide_lineresponse"),
        "accept_url": _do(order, "accept-change"),
        "decline_url": _do(order, "decline-change"),
    }
    return render_panel("admin/house/supplier_changes.html", request, context)


@panel("procurement.purchaseorder", order=30, permission="procurement.view_receipt")
def receipts_panel(request: HttpRequest, order: PurchaseOrder) -> SafeString | None:
    """What came, and the form for what has come now, filled with what is outstanding."""
    receipts = list(order.receipts.prefetch_related("lines__order_line__sku").select_related("actor"))
    is_receivable = order.status in PurchaseOrder.RECEIVABLE
    if not receipts and not is_receivable:
        return None
    lines = order.lines.select_related("sku").order_by("line_number") if is_receivable else []
    context = {
        "order": order,
        "receipts": receipts,
        "outstanding": [line for line in lines if line.outstanding_quantity],
        "may_receive": is_receivable and request.user.has_perm("procurement.add_receipt"),
        "receive_url": _do(order, "receive"),
        "statuses": StockStatus.choices,
        "key": f"admin:{uuid.uuid4()}",
    }
    return render_panel("admin/house/receipts.html", request, context)


@panel("procurement.purchaseorder", order=40)
def diary_panel(request: HttpRequest, order: PurchaseOrder) -> SafeString:
    events = [
        {
            "name": EVENT_NAMES.get(event.kind, event.kind.replace("_", " ").capitalize()),
            "event": event,
            "detail": _in_words(event.detail),
        }
        for event in order.events.select_related("actor").order_by("-pk")
    ]
    return render_panel("admin/house/diary.html", request, {"events": events})


def _in_words(detail: Any) -> str:
    """The facts of an event on one line."""
    if not isinstance(detail, dict):
        return ""
    told = {name: value for name, value in detail.items() if value not in (None, "", False, [], {})}
    return " · ".join(
        f"{DETAIL_NAMES.get(name, name.replace('_', ' '))}: {_value_in_words(value)}" for name, value in told.items()
    )


def _value_in_words(value: Any) -> str:
    """Rows say their SKU and quantity, the first few of them."""
    if not isinstance(value, list):
        return str(VALUE_NAMES.get(str(value), value))
    said = [_row_in_words(row) if isinstance(row, dict) else str(row) for row in value[:ROWS_TOLD]]
    return ", ".join(said) + (" …" if len(value) > ROWS_TOLD else "")


def _row_in_words(row: dict[str, Any]) -> str:
    kind = row.get("kind", "")
    return f"{row.get('sku', '')} {ANSWER_NAMES.get(kind, kind)} {row.get('quantity') or ''}".strip()
