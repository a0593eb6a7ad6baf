"""Receipts, suppliers' answers and order lines as tables: looked at here, written by services."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin, ReadOnlyInline, panel, render_panel
from config.kernel.fields import plain
from procurement.models import LineResponse, PurchaseOrderLine, Receipt, ReceiptLine
from warehouses.models import StockMovement


@panel("procurement.receipt", order=10, permission="warehouses.view_stockmovement")
def stock_panel(request: HttpRequest, receipt: Receipt) -> SafeString | None:
    """What went into stock: where, which lot, as what."""
    moves = StockMovement.objects.filter(reference=receipt.number).select_related("sku", "lot", "location__warehouse")
    rows = list(moves.order_by("pk"))
    return render_panel("admin/house/receipt_stock.html", request, {"rows": rows}) if rows else None


class ReceiptLines(ReadOnlyInline):
    model = ReceiptLine
    fields = readonly_fields = ("order_line", "sku_code", "quantity")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("order_line__order", "order_line__sku")

    @display(description=_("SKU"))
    def sku_code(self, line: ReceiptLine) -> str:
        return line.order_line.sku.code


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ("number", "order", "supplier", "delivery_note", "received_at", "actor")
    search_fields = ("number", "order__number", "delivery_note")
    list_select_related = ("order__supplier", "actor")
    list_filter = ("order__supplier", "received_at")
    inlines = (ReceiptLines,)
    ordering = ("-pk",)
    empty_hint = _("A receipt is written when goods of a purchase order are received, on the order's page.")

    @display(description=_("supplier"), ordering="order__supplier__name")
    def supplier(self, receipt: Receipt) -> str:
        return receipt.order.supplier.name


@admin.register(LineResponse)
class LineResponseAdmin(ReadOnlyAdmin):
    list_display = ("order", "sku_code", "kind", "proposed_quantity", "proposed_on", "note", "decision", "responded_at")
    search_fields = ("line__order__number", "line__sku__code", "note")
    list_select_related = ("line__order", "line__sku")
    list_filter = ("decision", "kind", "line__order__supplier")
    ordering = ("-pk",)
    empty_hint = _("Suppliers answer in their portal; changes they propose wait here and on the order's page.")
    export_fields = (
        "line__order__number",
        "line__sku__code",
        "kind",
        "proposed_quantity",
        "proposed_on",
        "note",
        "decision",
        "responded_at",
        "decided_at",
    )

    @display(description=_("purchase order"), ordering="line__order__number")
    def order(self, response: LineResponse) -> str:
        return response.line.order.number

    @display(description=_("SKU"))
    def sku_code(self, response: LineResponse) -> str:
        return response.line.sku.code


@admin.register(PurchaseOrderLine)
class PurchaseOrderLineAdmin(ReadOnlyAdmin):
    list_display = ("order", "line_number", "sku_code", "status", "ordered", "received", "need_by", "promised_on")
    search_fields = ("order__number", "sku__code")
    list_select_related = ("order", "sku")
    list_filter = ("status", "order__status", "order__supplier", ("sku", AutocompleteSelectFilter))
    ordering = ("-pk",)
    empty_hint = _("Lines come with purchase orders: accept proposals, or write an order by hand.")
    export_fields = (
        "order__number",
        "line_number",
        "order__supplier__code",
        "order__warehouse__code",
        "order__status",
        "sku__code",
        "status",
        "quantity",
        "received_quantity",
        "unit_cost",
        "order__currency",
        "need_by",
        "promised_on",
    )

    @display(description=_("SKU"), ordering="sku__code")
    def sku_code(self, line: PurchaseOrderLine) -> str:
        return line.sku.code

    @display(description=_("ordered"), ordering="quantity")
    def ordered(self, line: PurchaseOrderLine) -> str:
        return plain(line.quantity)

    @display(description=_("received"), ordering="received_quantity")
    def received(self, line: PurchaseOrderLine) -> str:
        return plain(line.received_quantity)
