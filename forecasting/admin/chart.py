"""The picture of one SKU in one warehouse: eight weeks of demand, the forecast's fan, and the days without stock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import TruncDate, TruncWeek
from django.utils.translation import gettext as _

from config.kernel.charts import FanData, Figure, bar_chart, fan_chart
from forecasting.models import DemandHistory, Forecast
from warehouses.models import Location, StockMovement
from warehouses.selectors.stock import Position, stock_positions

PAST_DAYS = 56
AHEAD_DAYS = 42
PAST_WEEKS = 52


@dataclass(frozen=True, slots=True)
class Past:
    """What a fan chart shows left of today."""

    start: date
    demand: list[float]
    """units a day, zeros filled in"""
    stockout_days: frozenset[date]


def fan_of(sku_id: int, warehouse_id: int, forecast: Forecast | None, *, until: date, title: str) -> Figure:
    """`until` is the last day of demand shown: the forecast's `as_of`, or yesterday when there is none."""
    return drawn(pasts_of(sku_id, [warehouse_id], until=until)[warehouse_id], forecast, title=title)


def drawn(past: Past, forecast: Forecast | None, *, title: str) -> Figure:
    middle, lower, upper, band = _band(forecast)
    data = FanData(
        start=past.start,
        actual=past.demand,
        middle=middle,
        lower=lower,
        upper=upper,
        band_name=band,
        stockout_days=past.stockout_days,
    )
    return fan_chart(data, title=title)


def pasts_of(sku_id: int, warehouse_ids: Collection[int], *, until: date) -> dict[int, Past]:
    """Warehouse id → its past, all of them in the same few queries."""
    start = until - timedelta(days=PAST_DAYS - 1)
    demand, empty = _daily_units(sku_id, warehouse_ids, start), _stockout_days(sku_id, warehouse_ids, start, until)
    return {
        warehouse: Past(
            start,
            [float(demand.get((warehouse, start + timedelta(days=n)), 0)) for n in range(PAST_DAYS)],
            empty[warehouse],
        )
        for warehouse in warehouse_ids
    }


def _daily_units(sku_id: int, warehouse_ids: Collection[int], start: date) -> dict[tuple[int, date], Decimal]:
    """Demand of all channels by warehouse and day."""
    rows = (
        DemandHistory.objects.filter(sku_id=sku_id, warehouse_id__in=warehouse_ids)
        .filter(day__gte=start, day__lt=start + timedelta(days=PAST_DAYS))
        .order_by()
        .values_list("warehouse_id", "day")
        .annotate(units=Sum("quantity"))
    )
    return {(warehouse, day): units for warehouse, day, units in rows}


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


def _stockout_days(sku_id: int, warehouse_ids: Collection[int], start: date, until: date) -> dict[int, frozenset[date]]:
    """Days at whose end nothing usable was on hand, walked back from today's stock through the ledger."""
    moved = (
        StockMovement.objects.filter(
            sku_id=sku_id,
            location__warehouse_id__in=warehouse_ids,
            location__kind__in=Location.USABLE,
            happened_at__gte=datetime.combine(start, time(0), tzinfo=UTC),
        )
        .order_by()
        .values_list("location__warehouse_id", TruncDate("happened_at", tzinfo=UTC))
        .annotate(units=Sum("quantity"))
    )
    changes: dict[int, dict[date, Decimal]] = {warehouse: {} for warehouse in warehouse_ids}
    for warehouse, day, units in moved:
        changes[warehouse][day] = units
    if not any(changes.values()) and not StockMovement.objects.filter(sku_id=sku_id).exists():
        return dict.fromkeys(warehouse_ids, frozenset())
    positions = stock_positions([sku_id])
    return {
        warehouse: _empty_days(positions.get((sku_id, warehouse), Position()).usable, changes[warehouse], start, until)
        for warehouse in warehouse_ids
    }


def _empty_days(usable: Decimal, changes: Mapping[date, Decimal], start: date, until: date) -> frozenset[date]:
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
