"""Count sheets as a table, and their pages."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from warehouses.admin.count_actions import ADD, PAGE_ACTIONS
from warehouses.admin.count_page import recent_accuracy
from warehouses.admin.count_print import count_sheet_pdf
from warehouses.admin.new_count import new_count_view
from warehouses.models import CountSheet
from warehouses.selectors.counting import ACCURACY_DAYS, shown_lines, with_progress

_Status = CountSheet.Status
_COLOURS = {
    _Status.OPEN: "info",
    _Status.RECOUNT: "warning",
    _Status.COUNTED: "warning",
    _Status.POSTED: "success",
    _Status.CANCELLED: "danger",
}
# The browser's own viewer of PDFs is a plugin to the content security policy.
_viewer_allowed: Any = csp_replace({"object-src": [SELF]})


@admin.register(CountSheet)
class CountSheetAdmin(ReadOnlyAdmin):
    list_display = ("number", "warehouse", "shown_status", "origin", "progress", "actor", "created_at", "posted_at")
    list_select_related = ("warehouse", "actor")
    list_filter = ("warehouse", "status", "origin", "created_at")
    search_fields = ("number", "note", "lines__sku__code")
    search_help_text = _("Number, note or SKU")
    ordering = ("-pk",)
    change_form_template = DOCUMENT_TEMPLATE
    list_before_template = "admin/house/count_bar.html"
    empty_hint = _("Ask for a count here. Every night, what is due by its ABC class comes by itself.")
    page_actions = PAGE_ACTIONS
    # Nothing of what the books expect: the sheet may be blind.
    export_fields = (
        "number",
        "warehouse__code",
        "status",
        "origin",
        "is_blind",
        "note",
        "line_count",
        "counted_lines",
        "actor__username",
        "approved_by__username",
        "created_at",
        "posted_at",
    )

    def get_urls(self) -> list[URLPattern]:
        new, sheet = self.admin_site.admin_view(new_count_view), self.admin_site.admin_view(self.print_view)
        return [
            path("new/", new, name="warehouses_countsheet_new"),
            path("<int:sheet_id>/print/", sheet, name="warehouses_countsheet_print"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_progress(super().get_queryset(request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {
            "may_ask": request.user.has_perm(ADD),
            "accuracies": recent_accuracy(),
            "accuracy_days": ACCURACY_DAYS,
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def print_view(self, request: HttpRequest, sheet_id: int) -> HttpResponse:
        """The sheet as PDF, shown by the browser."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        sheet = super().get_queryset(request).select_related("warehouse").filter(pk=sheet_id).first()
        if sheet is None:
            raise Http404
        return _shown(request, sheet)

    @display(description=_("status"), ordering="status", label=_COLOURS)
    def shown_status(self, sheet: CountSheet) -> tuple[str, str]:
        return sheet.status, sheet.get_status_display()

    @display(description=_("counted"))
    def progress(self, sheet: Any) -> str:
        return f"{sheet.counted_lines} / {sheet.line_count}"


@_viewer_allowed
def _shown(request: HttpRequest, sheet: CountSheet) -> HttpResponse:
    return HttpResponse(
        count_sheet_pdf(sheet, shown_lines(sheet)),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{sheet.number}.pdf"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
