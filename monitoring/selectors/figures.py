"""The KPIs, each with the definition the dashboard prints. Money is in the company's currency: stock by
the ledger (FIFO or moving average), demand at today's unit cost."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import DecimalField, F, FloatField, Sum
from django.db.models.functions import Cast

from catalog.models import Sku
from config.kernel.fields import money
from forecasting.models import DemandHistory, Forecast, ForecastRun
from forecasting.selectors import latest_run
from forecasting.selectors.adjusted import adjusted_pairs
from monitoring.selectors.orders import Amounts, late_orders, open_proposals, orders_worth
from procurement.models import PurchaseOrder
from warehouses.selectors.as_of import stock_value_now
from warehouses.selectors.stock import Position, stock_positions

WINDOW_DAYS = 28
# An order counts as served at once when it left within this many days: a Friday evening order ships on Monday.
AT_ONCE_DAYS = 3
_MONEY = DecimalField(max_digits=24, decimal_places=4)


@dataclass(frozen=True, slots=True)
class FillRate:
    """Units asked for and units served at once; `rate` is None when nothing was asked."""

    asked: Decimal
    served: Decimal

    @property
    def rate(self) -> float | None:
        return round(float(self.served / self.asked), 4) if self.asked else None


@dataclass(frozen=True, slots=True)
class ForecastError:
    """Backtest error over all series, each weighted by its expected demand. Error = forecast − actual."""

    wape: float | None
    bias: float | None
    series: int


def fill_rate(*, now: datetime) -> FillRate:
    """Fill rate (β, units): of the units ordered in the last 28 days and not cancelled, the share that left within
    three days of the order or is reserved to leave. Imported history is not counted: it never met our stock."""
    days = list(fill_by_day(since=now - timedelta(days=WINDOW_DAYS)).values())
    return FillRate(sum((a for a, _s in days), Decimal(0)), sum((s for _a, s in days), Decimal(0)))


def fill_by_day(*, since: datetime) -> dict[date, tuple[Decimal, Decimal]]:
    """Day of the order → (units asked, units served at once). One query."""
    parameters: dict[str, Any] = {"since": since, "at_once": timedelta(days=AT_ONCE_DAYS)}
    with connection.cursor() as cursor:
        cursor.execute(_FILL_BY_DAY, parameters)
        return {day: (asked, min(served, asked)) for day, asked, served in cursor.fetchall()}


def stock_value() -> Decimal:
    """What all stock is worth by the ledger: Σ open cost layers, every location."""
    return stock_value_now()


def stockouts(pairs: Collection[tuple[int, int]], positions: dict[tuple[int, int], Position]) -> int:
    """How many of these SKU × warehouse have nothing available."""
    return sum(positions.get(pair, Position()).available <= 0 for pair in pairs)


def planned_pairs(run: ForecastRun | None, *, today: date) -> list[tuple[int, int]]:
    """SKU × warehouse of the latest forecast: active SKUs with expected demand, the overrides in force included."""
    if run is None:
        return []
    rows = Forecast.objects.filter(run=run, sku__status__in=Sku.PLANNED)
    return sorted(adjusted_pairs(run, rows, on=today))


def forecast_error(run: ForecastRun | None) -> ForecastError:
    if run is None:
        return ForecastError(None, None, 0)
    weight = Cast("protection_mean", FloatField()) / Cast("protection_days", FloatField())
    sums = (
        Forecast.objects.filter(run=run, wape__isnull=False, protection_days__gt=0, protection_mean__gt=0)
        .annotate(weight=weight)
        .aggregate(weights=Sum("weight"), wape=Sum(F("weight") * F("wape")), bias=Sum(F("weight") * F("bias")))
    )
    if not sums["weights"]:
        return ForecastError(None, None, run.series_count)
    return ForecastError(
        round(sums["wape"] / sums["weights"], 4), round((sums["bias"] or 0) / sums["weights"], 4), run.series_count
    )


def cost_of_demand(*, until: date, days: int = WINDOW_DAYS) -> Decimal:
    """Σ demand × unit cost over the days before `until`; with the stock value it gives the days of stock on hand."""
    rows = DemandHistory.objects.filter(day__gte=until - timedelta(days=days), day__lt=until)
    return rows.aggregate(v=Sum(F("quantity") * F("sku__unit_cost"), output_field=_MONEY))["v"] or Decimal(0)


def current_figures(*, now: datetime, today: date) -> dict[str, Any]:
    """All figures as JSON-ready values; what `record_kpis` keeps and the dashboard shows."""
    run, positions = latest_run(), stock_positions(today=today)
    fill, error, value = fill_rate(now=now), forecast_error(run), stock_value()
    pairs = planned_pairs(run, today=today)
    empty, planned = stockouts(pairs, positions), len(pairs)
    late, proposals = late_orders(today=today), open_proposals()
    ordered, drafts = orders_worth(*PurchaseOrder.ON_ORDER), orders_worth(PurchaseOrder.Status.DRAFT)
    cost_per_day = cost_of_demand(until=today) / WINDOW_DAYS
    return {
        "stock_value": str(money(value)),
        "days_on_hand": round(float(value / cost_per_day), 1) if cost_per_day else None,
        "fill_rate": fill.rate,
        "fill_asked": str(fill.asked),
        "fill_served": str(fill.served),
        "stockouts": empty,
        "stockout_share": round(empty / planned, 4) if planned else None,
        "late_orders": len(late),
        "late_units": str(sum((order.units for order in late), Decimal(0))),
        "wape": error.wape,
        "bias": error.bias,
        "series": error.series,
        "proposals": proposals.count,
        "proposals_value": _in_cents(proposals),
        "drafts": drafts.count,
        "drafts_value": _in_cents(drafts),
        "on_order": ordered.count,
        "on_order_value": _in_cents(ordered),
    }


def _in_cents(amounts: Amounts) -> dict[str, str]:
    return {currency: str(money(value)) for currency, value in amounts.values.items()}


_FILL_BY_DAY = """
WITH recent AS (
    SELECT id, ordered_at FROM warehouses_salesorder WHERE ordered_at >= %(since)s AND NOT is_history
), asked AS (
    SELECT recent.ordered_at::date AS day, sum(line.quantity - line.cancelled_quantity) AS asked,
           sum(line.reserved_quantity) AS reserved
    FROM recent JOIN warehouses_salesorderline line ON line.order_id = recent.id
    WHERE NOT line.is_kit -- its parts are counted, as they are what leaves
    GROUP BY 1
), shipped AS (
    SELECT recent.ordered_at::date AS day, -sum(move.quantity) AS shipped
    FROM recent
    JOIN warehouses_shipment shipment ON shipment.order_id = recent.id
         AND shipment.shipped_at < recent.ordered_at + %(at_once)s
    JOIN warehouses_stockmovement move ON move.reference = shipment.number AND move.kind = 'sale' GROUP BY 1
)
SELECT asked.day, asked.asked, asked.reserved + coalesce(shipped.shipped, 0)
FROM asked LEFT JOIN shipped USING (day) WHERE asked.asked > 0 ORDER BY 1
"""
