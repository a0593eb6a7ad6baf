"""The files of sales that were taken in, and the button that takes in another."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from warehouses.admin.import_page import ADD, import_file_view, rejects_response
from warehouses.models import SalesImport


@admin.register(SalesImport)
class SalesImportAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "channel", "warehouse", "lines", "actor", "started_at", "finished_at")
    list_select_related = ("channel", "warehouse", "actor")
    list_filter = ("channel", "warehouse", "started_at")
    search_fields = ("file_name", "file_sha256")
    ordering = ("-pk",)
    change_form_template = DOCUMENT_TEMPLATE
    list_before_template = "admin/house/import_bar.html"
    empty_hint = _("Import a file of sales here, or with “manage.py import_sales FILE”.")

    def get_urls(self) -> list[URLPattern]:
        form = self.admin_site.admin_view(import_file_view)
        rejects = self.admin_site.admin_view(self.rejects)
        return [
            path("import-file/", form, name="warehouses_salesimport_file"),
            path("rejects/<uuid:upload_id>/", rejects, name="warehouses_salesimport_rejects"),
            *super().get_urls(),
        ]

    def rejects(self, request: HttpRequest, upload_id: UUID) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return rejects_response(request, upload_id)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_import": request.user.has_perm(ADD), **(extra_context or {})})

    @display(description=_("lines"))
    def lines(self, sales_import: SalesImport) -> str:
        counts = sales_import.counts or {}
        return " · ".join(f"{name} {count}" for name, count in counts.items() if isinstance(count, int)) or "–"
