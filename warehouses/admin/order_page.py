"""The page of a sales order: its lines with what happened to each, the form that ships it, its shipments."""

import uuid
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from config.kernel.admin import panel, render_panel
from warehouses.admin.order_actions import SHIP, is_open
from warehouses.models import Reservation, SalesOrder, StockMovement


@panel("warehouses.salesorder", order=10)
def order_panel(request: HttpRequest, order: SalesOrder) -> SafeString:
    lines: list[Any] = list(order.lines.select_related("sku", "warehouse").order_by("line_number"))
    for line in lines:
        line.still_open = line.quantity - line.shipped_quantity - line.cancelled_quantity
        line.waiting = line.still_open - line.reserved_quantity
        line.amount = line.quantity * line.unit_price
    shipments = list(order.shipments.select_related("actor").order_by("pk"))
    moved = StockMovement.objects.filter(
        reference__in=[s.number for s in shipments], kind=StockMovement.Kind.SALE
    ).select_related("sku", "location__warehouse")
    context = {
        "order": order,
        "lines": lines,
        "total": sum((line.amount for line in lines), Decimal(0)),
        "reservations": Reservation.objects.filter(line__order=order).select_related(
            "line", "level__sku", "level__location__warehouse"
        ),
        "shipments": shipments,
        "moved": moved,
        "ship": _ship_form(request, order, lines),
    }
    return render_panel("admin/house/sales_order.html", request, context)


def _ship_form(request: HttpRequest, order: SalesOrder, lines: list[Any]) -> dict[str, Any] | None:
    """What may leave now, filled with what is reserved; none for whoever may not ship, or when the order is done."""
    if not is_open(order) or not request.user.has_perm(SHIP):
        return None
    return {
        "lines": [line for line in lines if line.reserved_quantity],
        "url": reverse("admin:warehouses_salesorder_do", args=[order.pk, "ship"]),
        "key": f"admin:{uuid.uuid4()}",
    }
