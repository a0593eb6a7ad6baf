"""Forecasts above and below SKU × warehouse: of categories, warehouses, channels, everything; and of each channel."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import BigTableAdmin, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.charts import OutlookData, outlook_chart
from forecasting.admin.search import sku_ids
from forecasting.admin.workbench import HINT
from forecasting.admin.workbench_filters import LatestRunFilter
from forecasting.models import AggregateForecast, ChannelForecast

_AHEAD_DAYS = 56


@admin.register(AggregateForecast)
class AggregateForecastAdmin(ReadOnlyAdmin):
    list_display = ("group", "level", "series", "per_day", "over_horizon", "high")
    list_select_related = ("run", "category", "warehouse", "channel")
    list_filter = ("level", "warehouse", "channel", "category", LatestRunFilter)
    search_fields = ("category__code", "category__name", "warehouse__code", "channel__code")
    search_help_text = _("Category, warehouse or channel")
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = HINT
    export_fields = (
        "run__as_of",
        "level",
        "category__code",
        "warehouse__code",
        "channel__code",
        "series",
        "horizon_mean",
        "horizon_quantiles",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("mean", "quantiles")

    @display(description=_("group"))
    def group(self, row: AggregateForecast) -> str:
        return group_name(row)

    @display(description=_("units a day"), ordering="horizon_mean")
    def per_day(self, row: AggregateForecast) -> str:
        return number_format(row.horizon_mean / max(row.run.horizon_days, 1), 1, force_grouping=True)

    @display(description=_("units over the horizon"), ordering="horizon_mean")
    def over_horizon(self, row: AggregateForecast) -> str:
        return number_format(row.horizon_mean, 0, force_grouping=True)

    @display(description=_("95 % quantile"))
    def high(self, row: AggregateForecast) -> str:
        levels = row.run.quantile_levels
        if 0.95 not in levels or len(row.horizon_quantiles) != len(levels):
            return "–"
        return number_format(row.horizon_quantiles[levels.index(0.95)], 0, force_grouping=True)


def group_name(row: AggregateForecast) -> str:
    named = [str(part.name) for part in (row.category, row.warehouse, row.channel) if part]
    return " · ".join(named) or gettext("Everything")


@panel("forecasting.aggregateforecast", order=10)
def group_panel(request: HttpRequest, row: AggregateForecast) -> SafeString:
    title = gettext("Forecast of %(group)s") % {"group": group_name(row)}
    data = OutlookData(
        start=row.run.as_of + timedelta(days=1),
        sold=(),
        read=(),
        kinds=(),
        middle=row.mean[:_AHEAD_DAYS],
        levels=row.run.quantile_levels,
        quantiles=[level[:_AHEAD_DAYS] for level in row.quantiles],
    )
    levels = [f"{100 * level:g} %" for level in row.run.quantile_levels]
    context = {
        "row": row,
        "group": group_name(row),
        "chart": outlook_chart(data, title=title),
        "quantiles": list(zip(levels, row.horizon_quantiles, strict=False)),
    }
    return render_panel("admin/house/forecast_group.html", request, context)


@admin.register(ChannelForecast)
class ChannelForecastAdmin(BigTableAdmin):
    list_display = ("sku", "warehouse", "channel", "shown_share", "expected")
    list_select_related = ("sku", "warehouse", "channel", "run")
    list_filter = (LatestRunFilter, ("sku", AutocompleteSelectFilter), "channel", "warehouse")
    search_fields = ("sku__code",)
    search_help_text = _("SKU code")
    empty_hint = HINT
    export_fields = ("run__as_of", "sku__code", "warehouse__code", "channel__code", "share", "protection_mean")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("mean", "quantiles", "protection_quantiles")

    def find(self, term: str) -> Q:
        return Q(sku_id__in=sku_ids(term))

    @display(description=_("share"))
    def shown_share(self, row: ChannelForecast) -> str:
        return f"{row.share:.0%}"

    @display(description=_("expected over the protection interval"))
    def expected(self, row: ChannelForecast) -> str:
        return number_format(row.protection_mean, 1, force_grouping=True)
