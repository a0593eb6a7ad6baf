"""The table of transfers; a transfer's page is in `transfer_page`, its form in `new_transfer`."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.templatetags.house import units
from warehouses.admin.new_transfer import ADD, new_transfer_view, skus_view
from warehouses.admin.transfer_page import PAGE_ACTIONS
from warehouses.models import Transfer

Status = Transfer.Status
STATUS_LABELS = {
    Status.DRAFT: "default",
    Status.RESERVED: "info",
    Status.IN_TRANSIT: "info",
    Status.PARTIALLY_RECEIVED: "warning",
    Status.RECEIVED: "success",
    Status.CANCELLED: "danger",
}


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = (
        "number",
        "source",
        "destination",
        "shown_status",
        "line_count",
        "in_transit",
        "expected_on",
        "created_at",
    )
    list_select_related = ("source", "destination")
    list_filter = ("status", "source", "destination", "expected_on", "created_at")
    search_fields = ("number", "lines__sku__code", "note")
    search_help_text = _("Number, SKU or note")
    ordering = ("-pk",)
    empty_hint = _("Goods that go from one warehouse to another. Write the first transfer with the button above.")
    change_form_template = DOCUMENT_TEMPLATE
    list_before_template = "admin/house/new_transfer_bar.html"
    page_actions = PAGE_ACTIONS
    export_fields = (
        "number",
        "source__code",
        "destination__code",
        "status",
        "lines__line_number",
        "lines__sku__code",
        "lines__lot__code",
        "lines__quantity",
        "lines__shipped_quantity",
        "lines__received_quantity",
        "lines__lost_quantity",
        "expected_on",
        "created_at",
        "shipped_at",
        "closed_at",
    )

    def get_urls(self) -> list[URLPattern]:
        new, skus = self.admin_site.admin_view(new_transfer_view), self.admin_site.admin_view(skus_view)
        return [
            path("new/", new, name="warehouses_transfer_new"),
            path("new/skus/", skus, name="warehouses_transfer_skus"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_add": request.user.has_perm(ADD), **(extra_context or {})})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The sums of the page shown, in one query."""
        changelist = super().get_changelist_instance(request)
        page: list[Any] = list(changelist.result_list)
        sums = {row["pk"]: row for row in _sums([transfer.pk for transfer in page])}
        for transfer in page:
            transfer.sums = sums.get(transfer.pk, {})
        changelist.result_list = page
        return changelist

    @display(description=_("status"), ordering="status", label=STATUS_LABELS)
    def shown_status(self, transfer: Transfer) -> tuple[str, str]:
        return transfer.status, transfer.get_status_display()

    @display(description=_("lines"))
    def line_count(self, transfer: Any) -> int:
        return transfer.sums.get("line_count", 0)  # type: ignore[no-any-return]

    @display(description=_("in transit"))
    def in_transit(self, transfer: Any) -> str:
        return units(coming) if (coming := transfer.sums.get("under_way")) else "–"


def _sums(ids: list[int]) -> QuerySet:
    left = F("lines__shipped_quantity") - F("lines__received_quantity") - F("lines__lost_quantity")
    rows = Transfer.objects.filter(pk__in=ids).annotate(line_count=Count("lines"), under_way=Sum(left))
    return rows.values("pk", "line_count", "under_way")
