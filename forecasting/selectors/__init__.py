"""Demand read as series (step 4 of the story): gaps are zeros, days before the launch and out of stock are not."""

from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Max, Min, QuerySet, Sum

from catalog.models import Sku
from config.kernel.fields import ZERO
from forecasting.models import DemandHistory, Forecast, ForecastRun
from forecasting.selectors.in_stock import in_stock_panel
from forecasting.selectors.series import Pair, demand_panel

FORECAST_STATUSES = (Sku.Status.ACTIVE, Sku.Status.PHASE_OUT)
ACTIVE_DAYS = 365


def first_demand_day() -> date | None:
    return DemandHistory.objects.aggregate(day=Min("day"))["day"]


def last_demand_day() -> date | None:
    return DemandHistory.objects.aggregate(day=Max("day"))["day"]


def complete_runs() -> QuerySet[ForecastRun]:
    """Finished runs, the one in force first: it has read the latest day; a look back at an earlier day never is."""
    return ForecastRun.objects.filter(is_complete=True).order_by("-as_of", "-pk")


def latest_run() -> ForecastRun | None:
    """The finished run in force."""
    return complete_runs().first()


def latest_forecast(sku_id: int, warehouse_id: int) -> Forecast | None:
    """What the newest finished run says of this SKU and warehouse; None when it did not cover them."""
    run = latest_run()
    if run is None:
        return None
    return Forecast.objects.filter(run=run, sku_id=sku_id, warehouse_id=warehouse_id).first()


def daily_demand(
    sku_id: int, *, channel_id: int | None = None, warehouse_id: int | None = None, start: date, end: date
) -> list[tuple[date, Decimal]]:
    """(day, units) for every day from `start` to `end`, both included; a day nobody bought on is 0."""
    rows = DemandHistory.objects.filter(sku_id=sku_id, day__gte=start, day__lte=end)
    if channel_id is not None:
        rows = rows.filter(channel_id=channel_id)
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    found = dict(rows.values_list("day").annotate(Sum("quantity")).order_by())
    return [(day, found.get(day, ZERO)) for day in (start + timedelta(n) for n in range((end - start).days + 1))]


__all__ = [
    "ACTIVE_DAYS",
    "FORECAST_STATUSES",
    "Pair",
    "complete_runs",
    "daily_demand",
    "demand_panel",
    "first_demand_day",
    "in_stock_panel",
    "last_demand_day",
    "latest_forecast",
    "latest_run",
]
