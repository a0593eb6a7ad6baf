"""The filters of the proposals' table."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from forecasting.models import Forecast
from procurement.models import Proposal


class StatusFilter(admin.SimpleListFilter):
    """Open ones unless others are asked for."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [*Proposal.Status.choices[1:], ("all", _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, words in [(None, Proposal.Status.OPEN.label), *self.lookup_choices]:
            query = changelist.get_query_string({self.parameter_name: value} if value else {}, [self.parameter_name])
            yield {"selected": self.value() == value, "query_string": query, "display": words}

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(status=self.value() or Proposal.Status.OPEN)


class DemandClassFilter(admin.SimpleListFilter):
    title = _("demand class")
    parameter_name = "demand_class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [(name, words) for name, words in Forecast.DEMAND_CLASSES.items() if name != "none"]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        forecast = Forecast.objects.filter(
            run=OuterRef("run"), sku=OuterRef("sku"), warehouse=OuterRef("warehouse"), demand_class=self.value()
        )
        return queryset.filter(Exists(forecast))


class RunsOutFilter(admin.SimpleListFilter):
    """By the day stock ends if nothing more is ordered."""

    title = _("runs out")
    parameter_name = "runs_out"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("before", _("Before this can arrive")), ("later", _("Later")), ("never", _("Not in sight"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "before":
            return queryset.filter(stockout_on__lte=F("need_by"))
        if self.value() == "later":
            return queryset.filter(stockout_on__gt=F("need_by"))
        return queryset.filter(stockout_on=None) if self.value() == "never" else queryset
