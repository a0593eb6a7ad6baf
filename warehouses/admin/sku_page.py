"""Stock on the page of a SKU: what is where, what of it is spoken for, and the latest movements."""

from decimal import Decimal

from django.db.models import F, Q, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from catalog.models import Sku
from config.kernel.admin import panel, render_panel
from warehouses.models import SalesOrder, SalesOrderLine, StockMovement, Warehouse
from warehouses.selectors.stock import Position, stock_positions

LATEST_MOVEMENTS = 8


def waiting_by_warehouse(sku: Sku) -> dict[int, Decimal]:
    """Units of open orders without stock behind them."""
    waiting = F("quantity") - F("reserved_quantity") - F("shipped_quantity") - F("cancelled_quantity")
    rows = (
        SalesOrderLine.objects.filter(sku=sku, order__status__in=SalesOrder.OPEN, order__is_history=False, is_kit=False)
        .values_list("warehouse_id")
        .annotate(units=Sum(waiting))
    )
    return dict(rows)


@panel("catalog.sku", order=10, permission="warehouses.view_stocklevel")
def stock_panel(request: HttpRequest, sku: Sku) -> SafeString:
    positions, waiting = stock_positions([sku.pk], today=timezone.localdate()), waiting_by_warehouse(sku)
    known = {warehouse for _sku, warehouse in positions} | set(waiting)
    rows = [
        {
            "warehouse": warehouse,
            "position": positions.get((sku.pk, warehouse.pk), Position()),
            "waiting": waiting.get(warehouse.pk, Decimal(0)),
        }
        for warehouse in Warehouse.objects.filter(Q(is_active=True) | Q(pk__in=known))
    ]
    movements = StockMovement.objects.filter(sku=sku).select_related("location__warehouse").order_by("-happened_at")
    context = {"sku": sku, "rows": rows, "movements": movements[:LATEST_MOVEMENTS]}
    return render_panel("admin/house/sku_stock.html", request, context)
