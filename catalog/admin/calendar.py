"""The calendar of what bends demand."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from catalog.models import CalendarEvent
from config.kernel.admin import HouseAdmin


@admin.register(CalendarEvent)
class CalendarEventAdmin(HouseAdmin):
    list_display = ("name", "kind", "starts_on", "ends_on", "channel", "category", "sku", "discount")
    search_fields = ("name", "sku__code")
    list_select_related = ("channel", "category", "sku")
    autocomplete_fields = ("channel", "category", "sku")
    list_filter = ("kind", "starts_on", "channel")
    date_hierarchy = None
    empty_hint = _(
        "Add holidays and promotions here. Forecasts do not read them yet; they are kept for planners to see."
    )
