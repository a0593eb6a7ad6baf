"""What buying reads: supply still to come, and the orders of a supplier's portal."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from config.kernel.fields import MoneyField, plain
from config.kernel.scanning import numbered
from procurement.models import ActionMessage, LineResponse, PurchaseOrder, PurchaseOrderLine, Receipt
from procurement.models.orders import OUTSTANDING

Pair = tuple[int, int]
"""(sku id, warehouse id)"""

_LINE = PurchaseOrderLine.Status

# What a scan of these documents' numbers means.
numbered("PO-", "procurement.purchaseorder", type="purchase_order")
numbered("GR-", "procurement.receipt", type="receipt")


def on_order_quantities(sku_ids: Collection[int] | None = None) -> dict[Pair, Decimal]:
    """Units ordered and still to come, per SKU and warehouse: approved or sent, not received, not rejected."""
    lines = PurchaseOrderLine.objects.filter(order__status__in=PurchaseOrder.ON_ORDER)
    return _summed(lines, sku_ids)


def draft_quantities(sku_ids: Collection[int] | None = None) -> dict[Pair, Decimal]:
    """Units on drafts: accepted by a planner, not yet approved."""
    return _summed(PurchaseOrderLine.objects.filter(order__status=PurchaseOrder.Status.DRAFT), sku_ids)


def supplier_portal_orders(user: Any) -> QuerySet[PurchaseOrder]:
    """The orders this user may see in the portal, with what the list shows of each.

    Annotated: `line_count`, `open_lines` (not answered), `waiting_lines` (a change waits for the buyer), `order_value`
    (without rejected lines), `due_on` (the earliest day on which something still to come is expected).
    """
    lines = PurchaseOrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
    visible: QuerySet[PurchaseOrder] = PurchaseOrder.objects.for_actor(user)
    return visible.select_related("warehouse", "supplier").annotate(
        line_count=Coalesce(lines.annotate(n=Count("pk")).values("n"), 0),
        open_lines=Coalesce(lines.annotate(n=Count("pk", filter=Q(status=_LINE.OPEN))).values("n"), 0),
        waiting_lines=Coalesce(lines.annotate(n=Count("pk", filter=Q(status=_LINE.CHANGE_PROPOSED))).values("n"), 0),
        order_value=Coalesce(
            lines.exclude(status=_LINE.REJECTED).annotate(v=Sum(F("quantity") * F("unit_cost"))).values("v"),
            Decimal(0),
            output_field=MoneyField(),
        ),
        due_on=lines.exclude(status=_LINE.REJECTED)
        .filter(received_quantity__lt=F("quantity"))
        .annotate(day=Min(Coalesce("promised_on", "need_by")))
        .values("day"),
    )


def orders_to_answer(orders: QuerySet[PurchaseOrder]) -> QuerySet[PurchaseOrder]:
    """Those of `orders` with a line the supplier has not answered yet."""
    unanswered = PurchaseOrderLine.objects.filter(order=OuterRef("pk"), status=_LINE.OPEN)
    return orders.filter(Exists(unanswered), status__in=PurchaseOrder.RECEIVABLE)


def orders_found(orders: QuerySet[PurchaseOrder], words: str) -> QuerySet[PurchaseOrder]:
    """Those of `orders` whose number, or the code or name of one of their SKUs, contains `words`."""
    found = PurchaseOrderLine.objects.filter(
        Q(sku__code__icontains=words) | Q(sku__name__icontains=words), order=OuterRef("pk")
    )
    return orders.filter(Q(number__icontains=words) | Exists(found))


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to an order, as its supplier may read it."""

    happened_at: datetime
    text: str
    note: str = ""


def order_history(order: PurchaseOrder, user: Any) -> list[HistoryEntry]:
    """What the supplier may know of the order's past, latest first; made of rows the user may see, not of our diary."""
    entries = [HistoryEntry(order.sent_at, _("Order sent"))] if order.sent_at else []
    responses = LineResponse.objects.for_actor(user).filter(line__order=order).select_related("line__sku")
    for response in responses:
        entries.append(HistoryEntry(response.responded_at, _answer_text(response), response.note))
        if response.decided_at and response.decision in (
            LineResponse.Decision.ACCEPTED,
            LineResponse.Decision.DECLINED,
        ):
            is_accepted = response.decision == LineResponse.Decision.ACCEPTED
            text = _("Line %(line)s: change accepted") if is_accepted else _("Line %(line)s: change declined")
            entries.append(HistoryEntry(response.decided_at, text % {"line": response.line.line_number}))
    entries += _asked_moves(order)
    receipts = Receipt.objects.for_actor(user).filter(order=order).prefetch_related("lines__order_line__sku")
    for receipt in receipts:
        named = ", ".join(f"{row.order_line.sku.code} × {plain(row.quantity)}" for row in receipt.lines.all())
        entries.append(HistoryEntry(receipt.received_at, _("Goods received: %(named)s") % {"named": named}))
    if order.confirmed_at:
        entries.append(HistoryEntry(order.confirmed_at, _("Order confirmed")))
    if order.closed_at:
        is_cancelled = order.status == PurchaseOrder.Status.CANCELLED
        entries.append(HistoryEntry(order.closed_at, _("Order cancelled") if is_cancelled else _("Order complete")))
    return sorted(entries, key=lambda entry: entry.happened_at)[::-1]


def _asked_moves(order: PurchaseOrder) -> list[HistoryEntry]:
    """What we asked to have on another day, or not at all. The order is one the reader may see."""
    texts = {
        ActionMessage.Kind.EXPEDITE: _("Line %(line)s: the buyer asks for it sooner, by %(day)s"),
        ActionMessage.Kind.DEFER: _("Line %(line)s: the buyer asks for it later, by %(day)s"),
        ActionMessage.Kind.CANCEL: _("Line %(line)s: the buyer does not need it any more"),
    }
    asked = ActionMessage.objects.filter(line__order=order, status=ActionMessage.Status.ACCEPTED).select_related("line")
    if not order.sent_at:
        return []
    return [
        HistoryEntry(m.decided_at, texts[m.kind] % {"line": m.line.line_number, "day": m.to_date})  # type: ignore[index]
        for m in asked.only("kind", "to_date", "decided_at", "line__line_number")
        if m.decided_at and m.decided_at >= order.sent_at
    ]


def _answer_text(response: LineResponse) -> str:
    named = {"line": response.line.line_number, "sku": response.line.sku.code}
    if response.kind == LineResponse.Kind.ACCEPT:
        return _("Line %(line)s (%(sku)s): accepted") % named
    if response.kind == LineResponse.Kind.REJECT:
        return _("Line %(line)s (%(sku)s): rejected") % named
    return _("Line %(line)s (%(sku)s): change proposed") % named


def _summed(lines: QuerySet[PurchaseOrderLine], sku_ids: Collection[int] | None) -> dict[Pair, Decimal]:
    if sku_ids is not None:
        lines = lines.filter(sku__in=sku_ids)
    rows = lines.order_by().values("sku", "order__warehouse").annotate(units=Sum(OUTSTANDING))
    return {(row["sku"], row["order__warehouse"]): row["units"] for row in rows if row["units"]}
