"""The page of a sales order: its lines with what happened to each, its reservations and shipments."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString

from config.kernel.admin import panel, render_panel
from warehouses.models import Reservation, SalesOrder, StockMovement


@panel("warehouses.salesorder", order=10)
def order_panel(request: HttpRequest, order: SalesOrder) -> SafeString:
    lines: list[Any] = list(order.lines.select_related("sku", "warehouse").order_by("line_number"))
    for line in lines:
        line.waiting = line.quantity - line.reserved_quantity - line.shipped_quantity - line.cancelled_quantity
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
    }
    return render_panel("admin/house/sales_order.html", request, context)
