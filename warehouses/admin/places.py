"""Warehouses, their locations and lots, and which warehouse serves which channel."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from config.kernel.admin import HouseAdmin
from config.kernel.admin.labels import LabelsMixin
from config.kernel.labels import Label
from warehouses.models import ChannelRoute, Location, Lot, Warehouse
from warehouses.selectors.scanning import location_code, lot_code


@admin.register(Warehouse)
class WarehouseAdmin(HouseAdmin):
    list_display = ("name", "code", "city", "country", "time_zone", "is_active")
    search_fields = ("code", "name", "city")
    list_filter = ("is_active", "country")
    empty_hint = _("Add the places your stock lies in. An import of sales makes a first one, called MAIN.")


@admin.register(Location)
class LocationAdmin(LabelsMixin, HouseAdmin):
    list_display = ("code", "warehouse", "kind", "is_active")
    search_fields = ("code", "warehouse__code", "warehouse__name")
    list_select_related = ("warehouse",)
    autocomplete_fields = ("warehouse",)
    list_filter = ("warehouse", "kind", "is_active")
    empty_hint = _("Add a storage location to each warehouse: goods are received and counted there.")

    def label_of(self, location: Location) -> Label:
        return Label(title=location.code, subtitle=location.warehouse.name, code=location_code(location))


@admin.register(Lot)
class LotAdmin(LabelsMixin, HouseAdmin):
    list_display = ("code", "sku", "expires_on")
    search_fields = ("code", "sku__code")
    list_select_related = ("sku",)
    autocomplete_fields = ("sku",)
    list_filter = ("expires_on", ("sku", AutocompleteSelectFilter))
    empty_hint = _("Lots come with counted stock that names them, or are added here.")

    def label_of(self, lot: Lot) -> Label:
        expires = f" · {lot.expires_on.isoformat()}" if lot.expires_on else ""
        return Label(title=lot.sku.code, subtitle=f"{lot.code}{expires} · {lot.sku.name}", code=lot_code(lot))


@admin.register(ChannelRoute)
class ChannelRouteAdmin(HouseAdmin):
    list_display = ("channel", "warehouse", "rank")
    search_fields = ("channel__name", "warehouse__name")
    list_select_related = ("channel", "warehouse")
    autocomplete_fields = ("channel", "warehouse")
    list_filter = ("channel", "warehouse")
    empty_hint = _("Say which warehouse serves which channel: orders are reserved there first.")
