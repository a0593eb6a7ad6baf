"""The picture of one SKU in one warehouse: eight weeks of demand, the forecast's fan, and the days without stock."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import TruncDate, TruncWeek
from django.utils.translation import gettext as _

from config.kernel.charts import FanData, Figure, bar_chart, fan_chart
from forecasting.models import DemandHistory, Forecast
from warehouses.models import Location, StockMovement
from warehouses.selectors.stock import Position, stock_positions

PAST_DAYS = 56
AHEAD_DAYS = 42
PAST_WEEKS = 52


def fan_of(sku_id: int, warehouse_id: int, forecast: Forecast | None, *, until: date, title: str) -> Figure:
    """`until` is the last day of demand shown: the forecast's `as_of`, or yesterday when there is none."""
    start = until - timedelta(days=PAST_DAYS - 1)
    middle, lower, upper, band = _band(forecast)
    data = FanData(
        start=start,
        actual=daily_units(sku_id, warehouse_id, start=start, days=PAST_DAYS),
        middle=middle,
        lower=lower,
        upper=upper,
        band_name=band,
        stockout_days=stockout_days(sku_id, warehouse_id, start=start, until=until),
    )
    return fan_chart(data, title=title)


def daily_units(sku_id: int, warehouse_id: int, *, start: date, days: int) -> list[float]:
    """Demand of all channels day by day, zeros filled in."""
    rows = (
        DemandHistory.objects.filter(sku_id=sku_id, warehouse_id=warehouse_id)
        .filter(day__gte=start, day__lt=start + timedelta(days=days))
        .values_list("day")
        .annotate(units=Sum("quantity"))
    )
    found = dict(rows)
    return [float(found.get(start + timedelta(days=n), 0)) for n in range(days)]


def weekly_chart(sku_id: int, *, until: date) -> Figure | None:
    """A year of demand by week, all warehouses; None when there was none."""
    monday = until - timedelta(days=until.weekday())
    first = monday - timedelta(weeks=PAST_WEEKS)
    rows = (
        DemandHistory.objects.filter(sku_id=sku_id, day__gte=first, day__lt=monday)
        .values_list(TruncWeek("day"))
        .annotate(units=Sum("quantity"))
    )
    found = dict(rows)
    if not found:
        return None
    weeks = [first + timedelta(weeks=n) for n in range(PAST_WEEKS)]
    return bar_chart(
        weeks,
        [float(found.get(week, 0)) for week in weeks],
        title=_("Demand per week, one year"),
        value_name=_("Units a week"),
        height=150,
    )


def stockout_days(sku_id: int, warehouse_id: int, *, start: date, until: date) -> frozenset[date]:
    """Days at whose end nothing usable was on hand, walked back from today's stock through the ledger."""
    moved = (
        StockMovement.objects.filter(
            sku_id=sku_id,
            location__in=Location.objects.filter(warehouse_id=warehouse_id, kind__in=Location.USABLE),
            happened_at__gte=datetime.combine(start, time(0), tzinfo=UTC),
        )
        .values_list(TruncDate("happened_at", tzinfo=UTC))
        .annotate(units=Sum("quantity"))
    )
    changes: dict[date, Decimal] = dict(moved)
    usable = stock_positions([sku_id]).get((sku_id, warehouse_id), Position()).usable
    if not changes and not StockMovement.objects.filter(Q(sku_id=sku_id)).exists():
        return frozenset()
    days = set()
    for day in sorted({*changes, *(start + timedelta(days=n) for n in range((until - start).days + 1))}, reverse=True):
        if usable <= 0 and start <= day <= until:
            days.add(day)
        usable -= changes.get(day, Decimal(0))
    return frozenset(days)


def _band(forecast: Forecast | None) -> tuple[Sequence[float], Sequence[float], Sequence[float], str]:
    """Mean, and the quantiles nearest to 10 % and 90 %."""
    if forecast is None:
        return (), (), (), ""
    levels = forecast.run.quantile_levels
    mean = forecast.mean[:AHEAD_DAYS]
    if len(levels) < 2 or len(forecast.quantiles) != len(levels):
        return mean, (), (), ""
    low = min(range(len(levels)), key=lambda i: abs(levels[i] - 0.1))
    high = min(range(len(levels)), key=lambda i: abs(levels[i] - 0.9))
    name = _("Between the %(low)s and %(high)s quantiles") % {
        "low": f"{levels[low]:.0%}",
        "high": f"{levels[high]:.0%}",
    }
    return mean, forecast.quantiles[low][:AHEAD_DAYS], forecast.quantiles[high][:AHEAD_DAYS], name
