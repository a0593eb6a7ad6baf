"""The page of a sales order: its lines with what happened to each, why from there, forms to ship and cancel."""

import uuid
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from config.kernel.admin import panel, render_panel
from warehouses.admin.order_actions import CANCEL, SHIP, is_open
from warehouses.models import Reservation, SalesOrder, Shipment, StockMovement
from warehouses.selectors.sales import reserved_by_warehouse, sourcing_sentences


@panel("warehouses.salesorder", order=10)
def order_panel(request: HttpRequest, order: SalesOrder) -> SafeString:
    every: list[Any] = list(order.lines.select_related("sku", "warehouse").order_by("line_number"))
    lines = _with_parts(every)
    for line in lines:
        line.still_open = line.quantity - line.shipped_quantity - line.cancelled_quantity
        line.waiting = line.still_open - line.reserved_quantity
        line.amount = line.quantity * line.unit_price
    shipments = list(order.shipments.select_related("actor", "warehouse").order_by("pk"))
    moved = StockMovement.objects.filter(
        reference__in=[s.number for s in shipments], kind=StockMovement.Kind.SALE
    ).select_related("sku", "location__warehouse")
    context = {
        "order": order,
        "lines": lines,
        "reasons": sourcing_sentences(order),
        "currency": settings.COMPANY_CURRENCY,
        "total": sum((line.amount for line in lines), Decimal(0)),
        "reservations": Reservation.objects.filter(line__order=order).select_related(
            "line", "level__sku", "level__location__warehouse"
        ),
        "shipments": shipments,
        "moved": moved,
        "ship": _ship_forms(request, order, every),
        "cancel": _cancel_form(request, order, every),
    }
    return render_panel("admin/house/sales_order.html", request, context)


@panel("warehouses.shipment", order=10, permission="warehouses.view_stockmovement")
def shipped_panel(request: HttpRequest, shipment: Shipment) -> SafeString | None:
    """The goods that left with it, and where they had lain."""
    moves = StockMovement.objects.filter(reference=shipment.number, kind=StockMovement.Kind.SALE)
    rows = list(moves.select_related("sku", "location__warehouse", "lot").order_by("pk"))
    return render_panel("admin/house/shipped.html", request, {"rows": rows}) if rows else None


def _with_parts(lines: list[Any]) -> list[Any]:
    """Each kit is followed by its parts."""
    parts: dict[int | None, list[Any]] = {}
    for line in lines:
        parts.setdefault(line.kit_line_id, []).append(line)
    return [one for line in parts.get(None, []) for one in (line, *parts.get(line.pk, []))]


def _ship_forms(request: HttpRequest, order: SalesOrder, lines: list[Any]) -> dict[str, Any] | None:
    """What may leave now, one form a warehouse, filled with what is reserved there; none for whoever may not ship."""
    if not is_open(order) or not request.user.has_perm(SHIP):
        return None
    by_number = {line.line_number: line for line in lines}
    return {
        "url": reverse("admin:warehouses_salesorder_do", args=[order.pk, "ship"]),
        "forms": [
            {
                "warehouse": warehouse,
                "key": f"admin:{uuid.uuid4()}",
                "lines": [{"line": by_number[number], "units": units} for number, units in there.items()],
            }
            for warehouse, there in reserved_by_warehouse(lines).items()
            if there
        ],
    }


def _cancel_form(request: HttpRequest, order: SalesOrder, lines: list[Any]) -> dict[str, Any] | None:
    if not is_open(order) or not request.user.has_perm(CANCEL):
        return None
    return {
        "url": reverse("admin:warehouses_salesorder_do", args=[order.pk, "cancel_units"]),
        "lines": [line for line in lines if not line.kit_line_id and line.still_open],
    }
