"""The tables of demand, runs and forecasts."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from catalog.models import Sku
from config.kernel.admin import BigTableAdmin, ReadOnlyAdmin
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.admin.named import named_values
from config.kernel.fields import plain
from forecasting.models import DemandHistory, Forecast, ForecastRun
from forecasting.selectors import complete_runs
from forecasting.words import DEMAND_CLASSES, METHODS

_HINT = _("Forecasts are made by a plan: every night, by “Run the plan now”, or with “manage.py plan”.")


def _sku_ids(term: str) -> list[int]:
    exact = list(Sku.objects.filter(code__iexact=term).values_list("pk", flat=True))
    return exact or list(Sku.objects.filter(code__istartswith=term).values_list("pk", flat=True)[:200])


class LatestRunFilter(admin.SimpleListFilter):
    """Forecasts of the latest run unless another is asked for: old runs are history."""

    title = _("run")
    parameter_name = "runs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All runs"))]

    def choices(self, changelist: Any) -> Any:
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": _("Latest run"),
        }
        yield {
            "selected": self.value() == "all",
            "query_string": changelist.get_query_string({self.parameter_name: "all"}),
            "display": _("All runs"),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all" or "run__id__exact" in request.GET:
            return queryset
        latest = complete_runs().values("pk")[:1]
        return queryset.filter(run_id__in=list(latest.values_list("pk", flat=True)))


@admin.register(DemandHistory)
class DemandHistoryAdmin(BigTableAdmin):
    list_display = ("day", "sku_code", "warehouse", "channel", "demand", "ordered", "cancelled", "returned", "orders")
    list_select_related = ("sku", "warehouse", "channel")
    list_filter = (("sku", AutocompleteSelectFilter),)
    search_fields = ("sku__code",)
    search_help_text = _("SKU code")
    empty_hint = _("Demand is read off the orders by the next plan.")

    def find(self, term: str) -> Any:
        return Q(sku_id__in=_sku_ids(term))

    @display(description=_("SKU"))
    def sku_code(self, row: DemandHistory) -> str:
        return row.sku.code

    @display(description=_("demand"))
    def demand(self, row: DemandHistory) -> str:
        return plain(row.quantity)


@admin.register(ForecastRun)
class ForecastRunAdmin(ReadOnlyAdmin):
    list_display = ("as_of", "series_count", "horizon_days", "is_complete", "job", "created_at")
    list_select_related = ("job",)
    list_filter = ("is_complete", "created_at")
    search_fields = ("input_fingerprint",)
    search_help_text = _("Fingerprint of the input")
    ordering = ("-pk",)
    empty_hint = _HINT
    export_fields = ("pk", "as_of", "series_count", "horizon_days", "is_complete", "input_fingerprint", "created_at")


@admin.register(Forecast)
class ForecastAdmin(ReadOnlyAdmin):
    list_display = (
        "sku_code",
        "warehouse",
        "shown_method",
        "shown_class",
        "per_day",
        "shown_wape",
        "shown_bias",
        "fell_back",
    )
    list_select_related = ("sku", "warehouse", "run")
    list_filter = (
        LatestRunFilter,
        ("method", named_values(METHODS)),
        ("demand_class", named_values(DEMAND_CLASSES)),
        "warehouse",
        ("sku", AutocompleteSelectFilter),
    )
    search_fields = ("sku__code",)
    search_help_text = _("SKU code")
    ordering = ("-pk",)
    sortable_by = ("shown_wape", "shown_bias", "per_day")
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _HINT
    export_fields = (
        "run_id",
        "run__as_of",
        "sku__code",
        "warehouse__code",
        "method",
        "fallback",
        "demand_class",
        "wape",
        "bias",
        "protection_days",
        "protection_mean",
        "protection_sd",
        "reason",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """The lists need no arrays; a page fetches them when it opens."""
        rows = super().get_queryset(request)
        return rows.defer("mean", "quantiles", "protection_quantiles", "scores", "reason")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip().replace("\x00", "")
        return (queryset.filter(sku_id__in=_sku_ids(term)) if term else queryset), False

    @display(description=_("SKU"), header=True)
    def sku_code(self, row: Forecast) -> list[str]:
        return [row.sku.code, row.sku.name]

    @display(description=_("method"), ordering="method")
    def shown_method(self, row: Forecast) -> str:
        return format_html('<span title="{}">{}</span>', row.method_meaning, row.method_name)

    @display(description=_("demand class"), ordering="demand_class")
    def shown_class(self, row: Forecast) -> str:
        return row.demand_class_name or "–"

    @display(description=_("expected a day"), ordering="protection_mean")
    def per_day(self, row: Forecast) -> str:
        return f"{row.protection_mean / row.protection_days:.1f}" if row.protection_days else "–"

    @display(description=_("WAPE"), ordering="wape")
    def shown_wape(self, row: Forecast) -> str:
        return "–" if row.wape is None else f"{row.wape:.0%}"

    @display(description=_("bias"), ordering="bias")
    def shown_bias(self, row: Forecast) -> str:
        return "–" if row.bias is None else f"{row.bias:+.0%}"

    @display(description=_("fallback"))
    def fell_back(self, row: Forecast) -> str:
        return row.fallback or "–"
