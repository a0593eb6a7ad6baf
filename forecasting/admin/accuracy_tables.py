"""The rows behind the accuracy dashboard: weeks that are over, and forecasts that have drifted."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import BigTableAdmin, PageAction, ReadOnlyAdmin
from config.kernel.admin.named import named_values
from forecasting.admin.accuracy_page import REFIT, accuracy_view, refit, refit_view
from forecasting.admin.search import sku_ids
from forecasting.models import ForecastAccuracy, ForecastDrift
from forecasting.words import DEMAND_CLASSES, METHODS, method_name

_STATES = {"open": "warning", "refitted": "info", "closed": "success"}


@admin.register(ForecastAccuracy)
class ForecastAccuracyAdmin(BigTableAdmin):
    list_display = (
        "week",
        "lag_weeks",
        "sku",
        "warehouse",
        "shown_actual",
        "shown_naive",
        "shown_model",
        "shown_final",
        "shown_error",
        "shown_method",
        "override",
    )
    list_select_related = ("sku", "warehouse", "override__sku", "override__category")
    list_filter = (
        "lag_weeks",
        "week",
        "warehouse",
        "value_class",
        ("demand_class", named_values(DEMAND_CLASSES)),
        ("method", named_values(METHODS)),
        ("sku", AutocompleteSelectFilter),
    )
    search_fields = ("sku__code",)
    search_help_text = _("SKU code")
    empty_hint = _("The first rows come on the Monday after the first whole week with a forecast.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("dashboard/", view(accuracy_view), name="forecasting_accuracy"),
            path("refit/", view(refit_view), name="forecasting_refit"),
            *super().get_urls(),
        ]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "week__gte" or super().lookup_allowed(lookup, value, request)

    def find(self, term: str) -> Any:
        return Q(sku_id__in=sku_ids(term))

    @display(description=_("demand, units"))
    def shown_actual(self, row: ForecastAccuracy) -> str:
        return number_format(row.actual, 0, force_grouping=True)

    @display(description=_("naive"))
    def shown_naive(self, row: ForecastAccuracy) -> str:
        return number_format(row.naive, 1, force_grouping=True)

    @display(description=_("model"))
    def shown_model(self, row: ForecastAccuracy) -> str:
        return number_format(row.model, 1, force_grouping=True)

    @display(description=_("with overrides"))
    def shown_final(self, row: ForecastAccuracy) -> str:
        return number_format(row.final, 1, force_grouping=True)

    @display(description=_("error"))
    def shown_error(self, row: ForecastAccuracy) -> str:
        if row.was_in_stock < 1:
            return str(_("not counted: out of stock"))
        error = row.final - row.actual
        return f"{'+' if error > 0 else '−' if error < 0 else ''}{number_format(abs(error), 1, force_grouping=True)}"

    @display(description=_("method"))
    def shown_method(self, row: ForecastAccuracy) -> str:
        return str(method_name(row.method))


def _learn_anew(request: HttpRequest, drift: ForecastDrift) -> HttpResponse:
    return refit(request, ForecastDrift.objects.filter(pk=drift.pk))


@admin.register(ForecastDrift)
class ForecastDriftAdmin(ReadOnlyAdmin):
    list_display = ("sku_code", "warehouse", "kind", "shown_measure", "shown_state", "found_on", "closed_on", "refit")
    list_select_related = ("sku", "warehouse", "refit")
    list_filter = ("state", "kind", "warehouse", ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code", "sku__name")
    search_help_text = _("SKU code or name")
    actions = ("learn_anew",)
    empty_hint = _("Forecasts that err to one side, or too far, for weeks are noted here every morning; none does.")
    page_actions = (
        PageAction(
            "learn-anew",
            _("Learn anew"),
            REFIT,
            _learn_anew,
            style="primary",
            is_offered=lambda drift: drift.state != ForecastDrift.State.CLOSED,
        ),
    )

    def has_refit_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(REFIT)

    @admin.action(description=_("Learn selected anew"), permissions=["refit"])
    def learn_anew(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return refit(request, queryset)

    @display(description=_("SKU"), header=True, ordering="sku__code")
    def sku_code(self, drift: ForecastDrift) -> list[str]:
        return [drift.sku.code, drift.sku.name]

    @display(description=_("measure, limit"), ordering="measure")
    def shown_measure(self, drift: ForecastDrift) -> str:
        return f"{drift.measure:.2f} / {drift.limit:.2f}"

    @display(description=_("state"), ordering="state", label=_STATES)
    def shown_state(self, drift: ForecastDrift) -> tuple[str, str]:
        return drift.state, drift.get_state_display()
