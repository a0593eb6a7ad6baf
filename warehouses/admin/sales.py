"""Sales orders, their lines (a million and more), reservations and shipments."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import BigTableAdmin
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.templatetags.house import units
from warehouses.admin.find import orders_numbered, skus_like
from warehouses.admin.order_actions import PAGE_ACTIONS
from warehouses.models import Reservation, SalesOrder, SalesOrderLine, Shipment

STATUS_LABELS = {
    SalesOrder.Status.RESERVED: "info",
    SalesOrder.Status.BACKORDERED: "danger",
    SalesOrder.Status.ALLOCATED: "info",
    SalesOrder.Status.PICKED: "info",
    SalesOrder.Status.PARTIALLY_SHIPPED: "warning",
    SalesOrder.Status.SHIPPED: "success",
    SalesOrder.Status.DELIVERED: "success",
    SalesOrder.Status.CANCELLED: "default",
}


@admin.register(SalesOrder)
class SalesOrderAdmin(BigTableAdmin):
    list_display = ("external_id", "channel", "shown_status", "ordered_at", "customer_reference", "ship_to_country")
    list_select_related = ("channel",)
    list_filter = ("status", "channel")
    search_fields = ("external_id",)
    search_help_text = _("The whole order number")
    empty_hint = _("Orders arrive through the API or with an import of sales.")
    change_form_template = DOCUMENT_TEMPLATE
    page_actions = PAGE_ACTIONS

    def find(self, term: str) -> Any:
        return Q(pk__in=orders_numbered(term))

    @display(description=_("status"), label=STATUS_LABELS)
    def shown_status(self, order: SalesOrder) -> tuple[str, str]:
        return order.status, order.get_status_display()


@admin.register(SalesOrderLine)
class SalesOrderLineAdmin(BigTableAdmin):
    list_display = (
        "order_number",
        "line_number",
        "sku_code",
        "warehouse",
        "asked",
        "reserved",
        "picked",
        "shipped",
        "cancelled",
        "unit_price",
    )
    empty_hint = _("Order lines come with orders: through the API or with an import of sales.")
    list_select_related = ("order", "sku", "warehouse")
    list_filter = (("sku", AutocompleteSelectFilter),)
    search_fields = ("sku__code",)
    search_help_text = _("SKU code, or the whole order number")
    export_fields = (
        "order__external_id",
        "line_number",
        "order__ordered_at",
        "sku__code",
        "warehouse__code",
        "quantity",
        "unit_price",
        "reserved_quantity",
        "picked_quantity",
        "shipped_quantity",
        "cancelled_quantity",
        "returned_quantity",
    )

    def find(self, term: str) -> Any:
        skus = skus_like(term)
        return Q(sku_id__in=skus) if skus else Q(order_id__in=orders_numbered(term))

    @display(description=_("order"))
    def order_number(self, line: SalesOrderLine) -> str:
        return line.order.external_id

    @display(description=_("SKU"))
    def sku_code(self, line: SalesOrderLine) -> str:
        return line.sku.code

    @display(description=_("ordered"))
    def asked(self, line: SalesOrderLine) -> str:
        return units(line.quantity)

    @display(description=_("reserved"))
    def reserved(self, line: SalesOrderLine) -> str:
        return units(line.reserved_quantity)

    @display(description=_("picked"))
    def picked(self, line: SalesOrderLine) -> str:
        return units(line.picked_quantity)

    @display(description=_("shipped"))
    def shipped(self, line: SalesOrderLine) -> str:
        return units(line.shipped_quantity)

    @display(description=_("cancelled"))
    def cancelled(self, line: SalesOrderLine) -> str:
        return units(line.cancelled_quantity)


@admin.register(Reservation)
class ReservationAdmin(BigTableAdmin):
    list_display = ("held_for", "sku_code", "place", "quantity")
    list_select_related = (
        "line__order",
        "cart_line__cart",
        "transfer_line__transfer",
        "level__sku",
        "level__location__warehouse",
    )
    search_fields = ("level__sku__code",)
    search_help_text = _("SKU code, or the whole order number")
    export_fields = (
        "line__order__external_id",
        "cart_line__cart__external_id",
        "transfer_line__transfer__number",
        "level__sku__code",
        "level__location__code",
        "quantity",
    )
    empty_hint = _("Units are reserved when an order, a cart or a transfer asks for them, and freed when they leave.")

    def find(self, term: str) -> Any:
        skus = skus_like(term)
        return Q(level__sku_id__in=skus) if skus else Q(line__order_id__in=orders_numbered(term))

    @display(description=_("held for"))
    def held_for(self, reservation: Reservation) -> str:
        """The order, the cart or the transfer."""
        if reservation.line:
            return reservation.line.order.external_id
        if reservation.cart_line:
            return _("Cart %s") % reservation.cart_line.cart.external_id
        return reservation.transfer_line.transfer.number if reservation.transfer_line else ""

    @display(description=_("SKU"))
    def sku_code(self, reservation: Reservation) -> str:
        return reservation.level.sku.code

    @display(description=_("location"))
    def place(self, reservation: Reservation) -> str:
        return str(reservation.level.location)


@admin.register(Shipment)
class ShipmentAdmin(BigTableAdmin):
    list_display = ("number", "order", "warehouse", "carrier", "tracking_code", "shipped_at", "delivered_at", "actor")
    list_select_related = ("order", "warehouse", "actor")
    list_filter = ("warehouse",)
    search_fields = ("number",)
    search_help_text = _("The whole shipment or order number, or the tracking code")
    empty_hint = _("A shipment is written when an order leaves.")

    def find(self, term: str) -> Any:
        return Q(number=term) | Q(tracking_code=term) | Q(order_id__in=orders_numbered(term))
