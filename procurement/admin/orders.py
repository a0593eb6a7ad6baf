"""The table of purchase orders; an order's page is in `order_page`, its buttons in `order_actions`."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.fields import MoneyField, money
from procurement.admin.new_order import ADD, items_view, new_order_view
from procurement.admin.order_actions import PAGE_ACTIONS
from procurement.models import PurchaseOrder, PurchaseOrderLine

Status = PurchaseOrder.Status
STATUS_LABELS = {
    Status.DRAFT: "default",
    Status.APPROVED: "info",
    Status.SENT: "info",
    Status.CONFIRMED: "success",
    Status.PARTIALLY_RECEIVED: "warning",
    Status.RECEIVED: "success",
    Status.CANCELLED: "danger",
}


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(ReadOnlyAdmin):
    list_display = (
        "number",
        "supplier",
        "warehouse",
        "shown_status",
        "lines",
        "amount",
        "due",
        "waiting",
        "created_at",
    )
    list_select_related = ("supplier", "warehouse")
    list_filter = ("status", "supplier", "warehouse", "created_at")
    search_fields = ("number", "supplier__name", "lines__sku__code")
    search_help_text = _("Number, supplier or SKU")
    ordering = ("-pk",)
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("Accept proposals: those of one supplier and warehouse become one draft order.")
    list_before_template = "admin/house/new_order_bar.html"
    page_actions = PAGE_ACTIONS
    export_fields = (
        "number",
        "supplier__code",
        "warehouse__code",
        "status",
        "currency",
        "created_at",
        "approved_at",
        "sent_at",
        "confirmed_at",
        "closed_at",
    )

    def get_urls(self) -> list[URLPattern]:
        new, items = self.admin_site.admin_view(new_order_view), self.admin_site.admin_view(items_view)
        return [
            path("new/", new, name="procurement_purchaseorder_new"),
            path("new/items/", items, name="procurement_purchaseorder_items"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_order": request.user.has_perm(ADD), **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """With the sums each row shows, so that the list costs the same however long it is."""
        return super().get_queryset(request).select_related("supplier", "warehouse")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The sums are asked for the page shown only, in one query."""
        changelist = super().get_changelist_instance(request)
        page: list[Any] = list(changelist.result_list)
        sums = {row["pk"]: row for row in _sums([order.pk for order in page])}
        for order in page:
            order.sums = sums.get(order.pk, {})
        changelist.result_list = page
        return changelist

    @display(description=_("status"), ordering="status", label=STATUS_LABELS)
    def shown_status(self, order: PurchaseOrder) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=_("lines"))
    def lines(self, order: Any) -> int:
        return order.sums.get("line_count", 0)

    @display(description=_("value"))
    def amount(self, order: Any) -> str:
        return f"{money(order.sums.get('worth') or Decimal(0)):,} {order.currency}"

    @display(description=_("expected"))
    def due(self, order: Any) -> Any:
        return order.sums.get("due") or "–"

    @display(description=_("waits for you"))
    def waiting(self, order: Any) -> str:
        count = order.sums.get("pending") or 0
        return ngettext("%d change", "%d changes", count) % count if count else "–"


def _sums(ids: list[int]) -> QuerySet:
    lines = PurchaseOrder.objects.filter(pk__in=ids).annotate(
        line_count=Count("lines"),
        worth=Sum(
            F("lines__quantity") * F("lines__unit_cost"),
            filter=~Q(lines__status=PurchaseOrderLine.Status.REJECTED),
            output_field=MoneyField(),
        ),
        due=Min(
            Coalesce("lines__promised_on", "lines__need_by"),
            filter=Q(lines__received_quantity__lt=F("lines__quantity"), status__in=PurchaseOrder.OPEN)
            & ~Q(lines__status=PurchaseOrderLine.Status.REJECTED),
        ),
        pending=Count("lines", filter=Q(lines__status="change_proposed")),
    )
    return lines.values("pk", "line_count", "worth", "due", "pending")
