"""Channels and what is listed on them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.models import Channel, Listing
from config.kernel.admin import HouseAdmin


@admin.register(Channel)
class ChannelAdmin(HouseAdmin):
    list_display = ("name", "code", "kind", "currency", "time_zone", "priority", "is_active")
    search_fields = ("code", "name")
    list_filter = ("kind", "is_active")
    empty_hint = _("Import your sales: their channel comes with them. Or add one here.")


@admin.register(Listing)
class ListingAdmin(HouseAdmin):
    list_display = ("sku", "channel", "unit_price", "external_id", "is_active")
    search_fields = ("sku__code", "sku__name", "external_id")
    list_select_related = ("sku", "channel")
    autocomplete_fields = ("sku", "channel")
    list_filter = ("channel", "is_active", ("sku", AutocompleteSelectFilter))
    ordering = ("-pk",)
    empty_hint = _("Add what is sold on which channel at which price, here or through the API; an import needs none.")
