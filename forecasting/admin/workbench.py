"""The workbench: every forecast by what is at stake and how far it errs, and one override for many of them."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import F, FloatField, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeNumericFilter
from unfold.decorators import display
from unfold.views import ChangeList

from config.kernel.admin import ReadOnlyAdmin
from config.kernel.admin.base import DOCUMENT_TEMPLATE, HouseChangeList
from config.kernel.admin.named import named_values
from config.kernel.charts import sparkline
from config.kernel.models import Job
from forecasting.admin.bulk_override import ADD, override_page, override_view
from forecasting.admin.search import sku_ids
from forecasting.admin.workbench_figures import AHEAD_DAYS, RowFigures, figures_of
from forecasting.admin.workbench_filters import CategoryFilter, DriftFilter, LatestRunFilter, OverriddenFilter
from forecasting.models import Forecast
from forecasting.selectors import latest_run
from forecasting.services.overrides import MAX_AT_ONCE
from forecasting.words import DEMAND_CLASSES, METHODS

HINT = _("Forecasts are made by a plan: every night, by “Run the plan now”, or with “manage.py plan”.")
# A forecast that nothing could be tested for is taken to be wrong by all of its demand.
_UNTESTED = 1.0


class WorkbenchList(HouseChangeList):
    """The rows of the page get their figures all at once."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        figures = figures_of(rows, today=timezone.localdate())
        for row in rows:
            row.figures = figures[row.pk]
        self.result_list = rows


@admin.register(Forecast)
class ForecastAdmin(ReadOnlyAdmin):
    list_display = (
        "sku_code",
        "place",
        "picture",
        "next_days",
        "at_stake",
        "shown_wape",
        "shown_bias",
        "live_error",
        "shown_class",
        "marks",
    )
    list_select_related = ("sku", "warehouse", "run")
    list_filter = (
        "warehouse",
        CategoryFilter,
        "value_class",
        "variability_class",
        ("demand_class", named_values(DEMAND_CLASSES)),
        ("method", named_values(METHODS)),
        DriftFilter,
        OverriddenFilter,
        ("value_at_stake", RangeNumericFilter),
        ("sku", AutocompleteSelectFilter),
        LatestRunFilter,
    )
    search_fields = ("sku__code", "sku__name")
    search_help_text = _("SKU code or name")
    actions = ("override_selected",)
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = HINT
    show_facets = admin.ShowFacets.NEVER
    list_before_template = "admin/house/workbench_bar.html"
    export_fields = (
        "run_id",
        "run__as_of",
        "sku__code",
        "sku__name",
        "warehouse__code",
        "method",
        "fallback",
        "demand_class",
        "value_class",
        "variability_class",
        "value_at_stake",
        "wape",
        "bias",
        "protection_days",
        "protection_mean",
        "protection_sd",
        "reason",
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(override_view)
        return [path("override/", view, name="forecasting_forecast_override"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """The lists need no arrays; a page fetches them when it opens."""
        rows = super().get_queryset(request).annotate(at_risk=_at_risk())
        return rows.defer("mean", "quantiles", "protection_quantiles", "scores", "reason")

    def get_ordering(self, request: HttpRequest) -> Any:
        """Where the most money can be wrong comes first."""
        return (F("at_risk").desc(),)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WorkbenchList

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip().replace("\x00", "")
        return (queryset.filter(sku_id__in=sku_ids(term)) if term else queryset), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {
            "title": gettext("Forecast workbench"),
            "run": latest_run(),
            "plan_job": Job.objects.filter(kind="plan", state__in=Job.OPEN).order_by("-created_at").first(),
            "may_see_accuracy": request.user.has_perm("forecasting.view_forecastaccuracy"),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def has_override_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ADD)

    @admin.action(description=_("Override selected …"), permissions=["override"])
    def override_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        numbers = list(queryset.order_by("pk").values_list("pk", flat=True)[: MAX_AT_ONCE + 1])
        return override_page(request, numbers)

    @display(description=_("SKU"), header=True, ordering="sku__code")
    def sku_code(self, row: Forecast) -> list[str]:
        return [row.sku.code, row.sku.name]

    @display(description=_("warehouse"), ordering="warehouse__code")
    def place(self, row: Forecast) -> str:
        return format_html('<abbr title="{}">{}</abbr>', row.warehouse.name, row.warehouse.code)

    @display(description=_("8 + 4 weeks"))
    def picture(self, row: Forecast) -> str:
        return sparkline(_figures(row).past, _figures(row).ahead)

    @display(description=_("units, 28 days"), ordering=F("protection_mean") / F("protection_days"))
    def next_days(self, row: Forecast) -> str:
        """With the overrides in force; pointed at, what the model alone says."""
        figures = _figures(row)
        daily = gettext("%s a day") % number_format(figures.final / AHEAD_DAYS, 1)
        alone = number_format(figures.model, 0, force_grouping=True)
        title = gettext("%s without overrides") % alone if figures.is_overridden else ""
        final = number_format(figures.final, 0, force_grouping=True)
        return format_html('<span title="{}">{}</span><br><small class="h-soft">{}</small>', title, final, daily)

    @display(description=format_lazy("{}, {}", _("at stake"), settings.COMPANY_CURRENCY), ordering="value_at_stake")
    def at_stake(self, row: Forecast) -> str:
        return number_format(row.value_at_stake, 0, force_grouping=True)

    @display(description=_("WAPE"), ordering="wape")
    def shown_wape(self, row: Forecast) -> str:
        return _share(row.wape)

    @display(description=_("bias"), ordering="bias")
    def shown_bias(self, row: Forecast) -> str:
        return "–" if row.bias is None else f"{row.bias:+.0%}"

    @display(description=_("WAPE lately"))
    def live_error(self, row: Forecast) -> str:
        return _share(_figures(row).live_wape)

    @display(description=_("segment, method"), ordering="method")
    def shown_class(self, row: Forecast) -> str:
        classes = f"{row.value_class}{row.variability_class}"
        segment = " ".join(part for part in (classes, row.demand_class_name) if part) or "–"
        words = f"{row.method_meaning} {row.fallback}".strip()
        return format_html('{}<br><small class="h-soft" title="{}">{}</small>', segment, words, row.method_name)

    @display(description=_("marks"))
    def marks(self, row: Forecast) -> str:
        figures, parts = _figures(row), []
        if figures.is_overridden:
            parts.append(format_html('<span class="h-tag info">{}</span>', gettext("override")))
        if figures.is_drifted:
            parts.append(format_html('<span class="h-tag warn">{}</span>', gettext("drift")))
        return format_html("{} {}", *parts) if len(parts) == 2 else (parts[0] if parts else "")


def _at_risk() -> Any:
    """Value at stake × WAPE: the money that is likely to be forecast wrong."""
    wape = Coalesce(F("wape"), Value(_UNTESTED), output_field=FloatField())
    return F("value_at_stake") * wape


def _figures(row: Any) -> RowFigures:
    return row.figures


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
