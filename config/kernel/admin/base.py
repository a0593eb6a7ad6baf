"""The parents of every admin class: scoped rows, constant queries, CSV, panels and page buttons."""

from functools import cached_property
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.views import ChangeList

from config.kernel.admin.actions import PageActionsMixin
from config.kernel.admin.export import CsvExportMixin
from config.kernel.admin.panels import has_panels, panels_of
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.scan_page import scan_redirect
from config.kernel.templatetags.house import price, units

DOCUMENT_TEMPLATE = "admin/house/page.html"


class HouseChangeList(ChangeList):
    """Says "N results" only when something was filtered; the unfiltered count is the full one."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.has_active_filters or self.query):
            self.full_result_count = self.result_count


class HouseAdmin(PageActionsMixin, CsvExportMixin, ModelAdmin):
    """A table and its pages. Rows come from `for_actor`, so nobody lists or opens what the policy hides."""

    list_per_page = 50
    list_fullwidth = True
    list_filter_submit = True
    show_full_result_count = False
    actions: Any = ()
    warn_unsaved_form = True
    change_form_outer_before_template = "admin/house/panels.html"
    # Said above an empty table: what to do next.
    empty_hint: Any = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return HouseChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).for_actor(request.user)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """A page that is only looked at reads its row once, for the panels and for the form."""
        if request.method != "GET":
            return super().get_object(request, object_id, from_field)
        rows: dict[Any, Any] = request.__dict__.setdefault("_house_rows", {})
        wanted = (self.model, object_id, from_field)
        if wanted not in rows:
            rows[wanted] = super().get_object(request, object_id, from_field)
        return rows[wanted]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Amounts and quantities lose the zeros they are stored with."""
        return [self._neat_columns.get(name, name) for name in super().get_list_display(request)]

    @cached_property
    def _neat_columns(self) -> dict[Any, Any]:
        fields = [f for f in self.model._meta.concrete_fields if isinstance(f, (MoneyField, QuantityField))]
        return {field.name: _neat_column(field) for field in fields if field.name in self.list_display}

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Rows are deleted one at a time, on their own page."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        options = self.model._meta
        if scan := scan_redirect(request, options.label_lower):
            return scan
        export = reverse(f"{self.admin_site.name}:{options.app_label}_{options.model_name}_export")
        name = capfirst(options.verbose_name_plural)
        context = {"title": name, "export_url": export, "empty_hint": self.empty_hint, **(extra_context or {})}
        return super().changelist_view(request, context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = dict(extra_context or {})
        if object_id and request.method == "GET":
            context |= self._page_context(request, object_id)
        return super().changeform_view(request, object_id, form_url, context)

    def _page_context(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        label = self.model._meta.label_lower
        if not (has_panels(label) or self.page_actions):
            return {}
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_or_change_permission(request, row):
            return {}
        return {"panels": panels_of(label, request, row), "buttons": self.buttons(request, row)}


def _neat_column(field: Any) -> Any:
    write = price if isinstance(field, MoneyField) else units

    @display(description=field.verbose_name, ordering=field.name)
    def column(row: Any) -> str:
        return write(getattr(row, field.name))

    column.__name__ = field.name
    return column


class ReadOnlyAdmin(HouseAdmin):
    """Services own the writes: here the rows can only be looked at (and acted on through page buttons)."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
