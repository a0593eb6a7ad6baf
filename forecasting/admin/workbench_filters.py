"""The filters of the workbench."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Category
from forecasting.models import ForecastDrift
from forecasting.selectors import complete_runs
from forecasting.selectors.overrides import overrides_in_force


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


class CategoryFilter(admin.SimpleListFilter):
    """A category with all below it."""

    title = _("category")
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Category.objects.order_by("name").values_list("code", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        parents = list(Category.objects.values_list("pk", "parent_id", "code"))
        family = {pk for pk, _parent, code in parents if code == self.value()}
        while fresh := {pk for pk, parent, _code in parents if parent in family and pk not in family}:
            family |= fresh
        return queryset.filter(sku__product__category_id__in=family)


class _YesNo(admin.SimpleListFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "yes":
            return queryset.filter(self.condition())
        return queryset.exclude(self.condition()) if self.value() == "no" else queryset

    def condition(self) -> Q:
        raise NotImplementedError


class DriftFilter(_YesNo):
    title = _("drifted")
    parameter_name = "drifted"

    def condition(self) -> Q:
        return Q(Exists(open_drifts()))


class OverriddenFilter(_YesNo):
    """An override in force speaks of the SKU or of its category (or one above), here or everywhere."""

    title = _("overridden")
    parameter_name = "overridden"

    def condition(self) -> Q:
        today = timezone.localdate()
        rows = overrides_in_force(on=today).filter(ends_on__gte=today)
        here = rows.filter(Q(warehouse=None) | Q(warehouse_id=OuterRef("warehouse_id")))
        whole: dict[int, set[int | None]] = {}
        for category, place in rows.exclude(category=None).values_list("category_id", "warehouse_id"):
            whole.setdefault(category, set()).add(place)
        condition = Q(Exists(here.filter(sku_id=OuterRef("sku_id"))))
        parents = list(Category.objects.values_list("pk", "parent_id")) if whole else []
        for category, places in whole.items():
            family = {category}
            while fresh := {pk for pk, parent in parents if parent in family and pk not in family}:
                family |= fresh
            named = Q(sku__product__category_id__in=family)
            condition |= named if None in places else named & Q(warehouse_id__in=places)
        return condition


def open_drifts() -> QuerySet[ForecastDrift]:
    """Of the outer row's SKU and warehouse."""
    return ForecastDrift.objects.filter(sku_id=OuterRef("sku_id"), warehouse_id=OuterRef("warehouse_id")).exclude(
        state=ForecastDrift.State.CLOSED
    )
