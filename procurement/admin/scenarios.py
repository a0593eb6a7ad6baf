"""What-if scenarios: made with assumptions, worked out by a job, compared side by side with the plan."""

from typing import Any

from django.contrib import admin
from django.db.models import F, FloatField, QuerySet
from django.db.models.functions import Abs, Cast
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.admin.jobs import STATE_LABELS, job_panel
from config.kernel.models import Job
from config.kernel.templatetags.house import units, units_signed
from procurement.admin.scenario_pages import (
    assumptions_in_words,
    compare_url,
    compare_view,
    new_scenario_view,
    sums_table,
)
from procurement.models import Scenario, ScenarioLine
from procurement.services.scenarios import MOST_COMPARED

ADD = "procurement.add_scenario"


@admin.register(Scenario)
class ScenarioAdmin(ReadOnlyAdmin):
    list_display = ("name", "shown_assumptions", "scope", "run", "shown_state", "created_by", "created_at")
    list_select_related = ("category", "supplier", "warehouse", "run", "job", "created_by")
    list_filter = ("supplier", "warehouse", "created_by")
    search_fields = ("name", "note")
    actions = ("compare_selected",)
    change_form_template = DOCUMENT_TEMPLATE
    list_before_template = "admin/house/scenario_bar.html"
    empty_hint = _("Assume more demand, slower suppliers or another service, and see what the plan would buy.")
    export_fields = ("name", "assumptions", "supplier__code", "warehouse__code", "created_at", "result")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("new/", view(new_scenario_view), name="procurement_scenario_new"),
            path("compare/", view(compare_view), name="procurement_scenario_compare"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"may_add": request.user.has_perm(ADD), **(extra_context or {})})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("procurement.delete_scenario")

    @admin.action(description=_("Compare selected"))
    def compare_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponseRedirect:
        chosen = queryset.order_by("pk").values_list("pk", flat=True)[:MOST_COMPARED]
        return HttpResponseRedirect(compare_url(list(chosen)))

    @display(description=_("assumes"))
    def shown_assumptions(self, scenario: Scenario) -> str:
        return "; ".join(f"{name} {value}" for name, value in assumptions_in_words(scenario.assumptions))

    @display(description=_("of"))
    def scope(self, scenario: Scenario) -> str:
        parts = [str(part) for part in (scenario.category, scenario.supplier, scenario.warehouse) if part]
        return " · ".join(parts) or str(_("everything"))

    @display(description=_("state"), label=STATE_LABELS)
    def shown_state(self, scenario: Scenario) -> tuple[str, str]:
        return (scenario.job.state, scenario.job.get_state_display()) if scenario.job else ("", "–")


@panel("procurement.scenario", order=10)
def scenario_job_panel(request: HttpRequest, scenario: Scenario) -> SafeString | None:
    job = scenario.job
    if job is None or (job.state == Job.State.DONE and scenario.result):
        return None
    return job_panel(request, job)


@panel("procurement.scenario", order=20)
def scenario_panel(request: HttpRequest, scenario: Scenario) -> SafeString:
    lines = reverse("admin:procurement_scenarioline_changelist")
    context = {
        "scenario": scenario,
        "assumptions": assumptions_in_words(scenario.assumptions),
        "table": sums_table([scenario]) if scenario.result else None,
        "refused": (scenario.result or {}).get("refused", []),
        "compare_url": compare_url([scenario.pk]),
        "lines_url": f"{lines}?scenario__id__exact={scenario.pk}&differs=yes",
    }
    return render_panel("admin/house/scenario.html", request, context)


def _apart() -> Any:
    """Units more than the plan orders."""
    return Cast(F("quantity") - F("plan_quantity"), FloatField())


class DiffersFilter(admin.SimpleListFilter):
    title = _("differs from the plan")
    parameter_name = "differs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("more", _("Orders more")), ("less", _("Orders less"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "more":
            return queryset.filter(quantity__gt=F("plan_quantity"))
        if self.value() == "less":
            return queryset.filter(quantity__lt=F("plan_quantity"))
        return queryset.exclude(quantity=F("plan_quantity")) if self.value() == "yes" else queryset


@admin.register(ScenarioLine)
class ScenarioLineAdmin(ReadOnlyAdmin):
    empty_hint = _("No scenario has been worked out yet.")
    list_display = (
        "sku_code",
        "place",
        "scenario",
        "shown_plan",
        "shown_quantity",
        "change",
        "shown_value",
        "shown_stock",
        "shown_fill",
    )
    list_select_related = ("sku", "warehouse", "scenario")
    list_display_links = None
    list_filter = ("scenario", "warehouse", DiffersFilter, ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code", "sku__name")
    show_facets = admin.ShowFacets.NEVER
    export_fields = (
        "scenario__name",
        "sku__code",
        "warehouse__code",
        "plan_quantity",
        "quantity",
        "reorder_point",
        "order_up_to_level",
        "safety_stock",
        "order_value",
        "expected_stock_value",
        "expected_fill_rate",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(apart=_apart())

    def get_ordering(self, request: HttpRequest) -> Any:
        return (Abs(_apart()).desc(), "pk")

    @display(description=_("SKU"), ordering="sku__code")
    def sku_code(self, line: ScenarioLine) -> str:
        url = reverse("admin:catalog_sku_change", args=[line.sku_id])
        return format_html('<a href="{}">{}</a> <small class="h-soft">{}</small>', url, line.sku.code, line.sku.name)

    @display(description=_("to"), ordering="warehouse__code")
    def place(self, line: ScenarioLine) -> str:
        return format_html('<abbr title="{}">{}</abbr>', line.warehouse.name, line.warehouse.code)

    @display(description=_("plan, units"), ordering="plan_quantity")
    def shown_plan(self, line: ScenarioLine) -> str:
        return units(line.plan_quantity)

    @display(description=_("scenario, units"), ordering="quantity")
    def shown_quantity(self, line: ScenarioLine) -> str:
        return units(line.quantity)

    @display(description=_("difference"), ordering="apart")
    def change(self, line: ScenarioLine) -> str:
        return units_signed(line.quantity - line.plan_quantity)

    @display(description=_("order value"), ordering="order_value")
    def shown_value(self, line: ScenarioLine) -> str:
        return f"{line.order_value:,.2f}"

    @display(description=_("stock value expected"), ordering="expected_stock_value")
    def shown_stock(self, line: ScenarioLine) -> str:
        return f"{line.expected_stock_value:,.2f}"

    @display(description=_("fill rate expected"), ordering="expected_fill_rate")
    def shown_fill(self, line: ScenarioLine) -> str:
        return f"{100 * line.expected_fill_rate:.1f} %"
