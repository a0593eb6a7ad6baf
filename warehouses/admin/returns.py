"""Returns, and the files of sales that were taken in."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from catalog.models import Channel
from config.kernel.admin import BigTableAdmin, ReadOnlyAdmin, ReadOnlyInline
from warehouses.admin.find import skus_like
from warehouses.models import SalesImport, SalesReturn, SalesReturnLine


class ReturnLines(ReadOnlyInline):
    model = SalesReturnLine
    fields = readonly_fields = ("line_number", "sku", "kind", "quantity", "unit_price", "is_restocked")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("sku")


@admin.register(SalesReturn)
class SalesReturnAdmin(BigTableAdmin):
    list_display = ("external_id", "channel", "customer_reference", "returned_at", "is_history")
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

    def find(self, term: str) -> Any:
        return Q(sku_id__in=skus_like(term))


@admin.register(SalesImport)
class SalesImportAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "channel", "warehouse", "lines", "actor", "started_at", "finished_at")
    list_select_related = ("channel", "warehouse", "actor")
    list_filter = ("channel", "warehouse", "started_at")
    search_fields = ("file_name", "file_sha256")
    ordering = ("-pk",)
    empty_hint = _("Import a file of sales with “manage.py import_sales FILE”.")

    @display(description=_("lines"))
    def lines(self, sales_import: SalesImport) -> str:
        counts = sales_import.counts or {}
        return " · ".join(f"{name} {count}" for name, count in counts.items() if isinstance(count, int)) or "–"
