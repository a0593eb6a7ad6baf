"""What came back."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.models import Channel
from config.kernel.admin import BigTableAdmin, ReadOnlyInline
from warehouses.admin.find import skus_like
from warehouses.models import SalesReturn, SalesReturnLine


class ReturnLines(ReadOnlyInline):
    model = SalesReturnLine
    fields = readonly_fields = ("line_number", "sku", "kind", "quantity", "unit_price", "is_restocked")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("sku")


@admin.register(SalesReturn)
class SalesReturnAdmin(BigTableAdmin):
    list_display = ("external_id", "channel", "customer_reference", "returned_at")
    list_select_related = ("channel",)
    list_filter = ("channel",)
    search_fields = ("external_id",)
    search_help_text = _("The whole return number")
    inlines = (ReturnLines,)
    empty_hint = _("Returns arrive through the API or with an import of sales.")

    def find(self, term: str) -> Any:
        return Q(channel_id__in=list(Channel.objects.values_list("pk", flat=True)), external_id=term)


@admin.register(SalesReturnLine)
class SalesReturnLineAdmin(BigTableAdmin):
    list_display = ("sales_return", "line_number", "sku", "kind", "quantity", "unit_price", "is_restocked")
    list_select_related = ("sales_return", "sku")
    list_filter = (("sku", AutocompleteSelectFilter),)
    search_fields = ("sku__code",)
    search_help_text = _("SKU code")
    empty_hint = _("Return lines come with returns: through the API or with an import of sales.")

    def find(self, term: str) -> Any:
        return Q(sku_id__in=skus_like(term))
