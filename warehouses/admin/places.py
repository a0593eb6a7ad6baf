"""Warehouses, their trees of locations and their lots, which warehouse serves which channel, what a parcel costs."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import HouseAdmin
from config.kernel.admin.labels import LabelsMixin
from config.kernel.labels import Label
from config.kernel.templatetags.house import units
from warehouses.admin.place_page import places_export
from warehouses.models import ChannelRoute, Location, Lot, ShippingRate, StockLevel, Warehouse
from warehouses.selectors.scanning import location_code, lot_code
from warehouses.services.places import location_faults


@admin.register(Warehouse)
class WarehouseAdmin(HouseAdmin):
    list_display = ("name", "code", "city", "country", "time_zone", "is_active")
    search_fields = ("code", "name", "city")
    list_filter = ("is_active", "country")
    empty_hint = _("Add the places your stock lies in. An import of sales makes a first one, called MAIN.")

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(places_export)
        return [
            path("<path:object_id>/places/export/", export, name="warehouses_warehouse_places"),
            *super().get_urls(),
        ]


class LocationForm(forms.ModelForm):
    """Refuses what would break the tree, or leave stock where none can lie."""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if "warehouse" not in data or "level" not in data:
            return data
        columns = Location._meta.concrete_fields
        place = Location(**{column.attname: getattr(self.instance, column.attname) for column in columns})
        for name, value in data.items():
            setattr(place, name, value)
        for fault in location_faults(place):
            self.add_error(fault["field"] if fault["field"] in self.fields else None, fault["message"])
        return data


@admin.register(Location)
class LocationAdmin(LabelsMixin, HouseAdmin):
    form = LocationForm
    list_display = ("code", "warehouse", "within", "level", "kind", "sequence", "capacity_units", "is_active")
    search_fields = ("code", "warehouse__code", "warehouse__name")
    list_select_related = ("warehouse", "parent")
    autocomplete_fields = ("warehouse", "parent")
    list_filter = ("warehouse", "level", "kind", "is_active")
    empty_hint = _("Add a storage location to each warehouse: goods are received and counted there.")
    fieldsets = (
        (_("The place"), {"fields": ("warehouse", "code", ("level", "parent"), "kind", "is_active")}),
        (_("Putting away and picking"), {"fields": (("sequence", "capacity_units"),)}),
    )

    @display(description=_("within"), ordering="parent__code")
    def within(self, location: Location) -> str:
        return location.parent.code if location.parent else "–"

    def label_of(self, location: Location) -> Label:
        return Label(title=location.code, subtitle=location.warehouse.name, code=location_code(location))


class ExpiringFilter(admin.SimpleListFilter):
    """Lots with stock, by the days that are left to them."""

    title = _("expires")
    parameter_name = "expiring"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("past", _("Expired, and still on hand")),
            ("7", _("Within 7 days")),
            ("30", _("Within 30 days")),
            ("90", _("Within 90 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen, today = self.value(), timezone.localdate()
        if chosen is None:
            return queryset
        held = queryset.filter(on_hand__gt=0)
        if chosen == "past":
            return held.filter(expires_on__lt=today)
        if chosen not in ("7", "30", "90"):
            return queryset
        return held.filter(expires_on__range=(today, today + timedelta(days=int(chosen))))


@admin.register(Lot)
class LotAdmin(LabelsMixin, HouseAdmin):
    list_display = ("code", "sku", "expires_on", "received_on", "shown_on_hand")
    search_fields = ("code", "sku__code")
    list_select_related = ("sku",)
    autocomplete_fields = ("sku",)
    list_filter = (ExpiringFilter, "expires_on", ("sku", AutocompleteSelectFilter))
    empty_hint = _("Lots come with receipts and counted stock that name them, or are added here.")
    export_fields = ("sku__code", "code", "expires_on", "received_on", "on_hand")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(on_hand=_units_of_lot())

    @display(description=_("on hand"), ordering="on_hand")
    def shown_on_hand(self, lot: Any) -> str:
        return units(lot.on_hand)

    def label_of(self, lot: Lot) -> Label:
        expires = f" · {lot.expires_on.isoformat()}" if lot.expires_on else ""
        return Label(title=lot.sku.code, subtitle=f"{lot.code}{expires} · {lot.sku.name}", code=lot_code(lot))


def _units_of_lot() -> Any:
    units = StockLevel.objects.filter(lot=OuterRef("pk")).order_by().values("lot").annotate(units=Sum("on_hand"))
    return Coalesce(Subquery(units.values("units")), Value(0), output_field=DecimalField())


@admin.register(ChannelRoute)
class ChannelRouteAdmin(HouseAdmin):
    list_display = ("channel", "warehouse", "rank")
    search_fields = ("channel__name", "warehouse__name")
    list_select_related = ("channel", "warehouse")
    autocomplete_fields = ("channel", "warehouse")
    list_filter = ("channel", "warehouse")
    empty_hint = _("Say which warehouse serves which channel: orders are reserved there first.")


@admin.register(ShippingRate)
class ShippingRateAdmin(HouseAdmin):
    list_display = ("warehouse", "to_country", "up_to", "base_cost", "cost_per_kg", "cost_per_km", "days")
    search_fields = ("warehouse__code", "warehouse__name", "country")
    list_select_related = ("warehouse",)
    autocomplete_fields = ("warehouse",)
    list_filter = ("warehouse", "country")
    empty_hint = _("Say what a parcel costs from each warehouse: orders are then sent from where it is cheapest.")
    fieldsets = (
        (_("The parcel"), {"fields": (("warehouse", "country"), ("up_to_kg", "days"))}),
        (_("What it costs"), {"fields": (("base_cost", "cost_per_kg", "cost_per_km"),)}),
    )

    @display(description=_("to country"), ordering="country")
    def to_country(self, rate: ShippingRate) -> str:
        return rate.country or gettext("anywhere")

    @display(description=_("up to (kg)"), ordering="up_to_kg")
    def up_to(self, rate: ShippingRate) -> str:
        return gettext("any weight") if rate.up_to_kg is None else units(rate.up_to_kg)
