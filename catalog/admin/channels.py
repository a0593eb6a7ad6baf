"""Channels and what is listed on them."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.models import Channel, Listing
from config.kernel.admin import HouseAdmin


@admin.register(Channel)
class ChannelAdmin(HouseAdmin):
    list_display = ("name", "code", "kind", "currency", "time_zone", "priority", "is_active")
    search_fields = ("code", "name")
    list_filter = ("kind", "is_active")


@admin.register(Listing)
class ListingAdmin(HouseAdmin):
    list_display = ("sku", "channel", "unit_price", "external_id", "is_active")
    search_fields = ("sku__code", "sku__name", "external_id")
    list_select_related = ("sku", "channel")
    autocomplete_fields = ("sku", "channel")
    list_filter = ("channel", "is_active", ("sku", AutocompleteSelectFilter))
    ordering = ("-pk",)
