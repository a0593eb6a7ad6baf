"""Which SKUs will run out before help can come: the latest forecast laid over what is available today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import F, Min
from django.db.models.functions import Coalesce

from catalog.models import Sku
from forecasting.models import Forecast, ForecastRun
from forecasting.selectors import latest_run
from forecasting.selectors.adjusted import adjusted_days
from forecasting.selectors.overrides import override_effects
from procurement.models import PurchaseOrder, PurchaseOrderLine, SupplierItem
from procurement.models.orders import OUTSTANDING
from warehouses.selectors.inbound import transfers_under_way
from warehouses.selectors.stock import Position, stock_positions

# What a SKU without a supplier is given; the planner should name one, the alert says so by the empty supplier.
UNKNOWN_LEAD_TIME_DAYS = 14
LOOK_AHEAD_DAYS = 120
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class StockoutRisk:
    """A SKU in a warehouse that is expected to run out before `helped_on`, the first day new stock can be there.

    days_of_cover counts whole days and the share of the last one that the available units last for.
    """

    sku_id: int
    sku_code: str
    sku_name: str
    warehouse_id: int
    warehouse_name: str
    available: Decimal
    days_of_cover: float
    runs_out_on: date
    next_arrival: date | None
    lead_time_days: int
    helped_on: date

    @property
    def is_out(self) -> bool:
        return self.available <= 0


def stockout_risks(*, today: date, run: ForecastRun | None = None) -> list[StockoutRisk]:
    """Every risk, the shortest cover first. A SKU is at risk when its available units are expected to be gone before
    the next arrival (an order's or a transfer's) or before an order placed today would come, whichever is sooner. What
    is expected is the forecast with the overrides in force. At most ten queries."""
    run = run or latest_run()
    if run is None:
        return []
    positions, arrivals, lead_times = stock_positions(today=today), next_arrivals(today=today), lead_times_of_skus()
    risks, effects, passed = [], override_effects(run, on=today), days_passed(run, today)
    for row in _expected_demand(run, today):
        pair = (row["sku_id"], row["warehouse_id"])
        lead_time = lead_times.get(row["sku_id"], UNKNOWN_LEAD_TIME_DAYS)
        arrival = arrivals.get(pair)
        helped_on = min(today + timedelta(days=lead_time), arrival or date.max)
        available = positions.get(pair, Position()).available
        expected = adjusted_days(row["ahead"] or [], effects.get(pair, ()), skip=passed)
        cover = days_of_cover(float(available), expected)
        if cover is None or today + timedelta(days=int(cover)) >= helped_on:
            continue
        risks.append(
            StockoutRisk(
                sku_id=pair[0],
                sku_code=row["sku__code"],
                sku_name=row["sku__name"],
                warehouse_id=pair[1],
                warehouse_name=row["warehouse__name"],
                available=available,
                days_of_cover=round(cover, 1),
                runs_out_on=today + timedelta(days=int(cover)),
                next_arrival=arrival,
                lead_time_days=lead_time,
                helped_on=helped_on,
            )
        )
    return sorted(risks, key=lambda risk: (risk.days_of_cover, risk.sku_code, risk.warehouse_id))


def days_of_cover(available: float, expected: Sequence[float]) -> float | None:
    """How many days the units last when day t asks for expected[t]; None when they outlast the forecast.

    12 units and 5 a day last 2.4 days; nothing available lasts 0 days, if anything is expected at all.
    """
    if not any(expected):
        return None
    if available <= 0:
        return 0.0
    left = available
    for day, units in enumerate(expected):
        if units > 0 and units >= left:
            return day + left / units
        left -= units
    return None


def next_arrivals(*, today: date) -> dict[Pair, date]:
    """(SKU, warehouse) → the first day from today on which units should arrive that are ordered, or under way from
    another warehouse. Late and undated ones promise nothing."""
    lines = (
        PurchaseOrderLine.objects.filter(order__status__in=PurchaseOrder.ON_ORDER)
        .annotate(outstanding=OUTSTANDING, expected=Coalesce("promised_on", "need_by"))
        .filter(outstanding__gt=0, expected__gte=today)
        .values_list("sku_id", "order__warehouse_id")
        .annotate(first=Min("expected"))
    )
    arrivals: dict[Pair, date] = {(sku, warehouse): first for sku, warehouse, first in lines}
    for row in transfers_under_way():
        if row.on >= today:
            pair = (row.sku_id, row.warehouse_id)
            arrivals[pair] = min(arrivals.get(pair, row.on), row.on)
    return arrivals


def lead_times_of_skus() -> dict[int, int]:
    """SKU → days from order to arrival at its preferred supplier."""
    items = SupplierItem.objects.filter(is_preferred=True, is_active=True, supplier__is_active=True)
    return dict(items.values_list("sku_id", Coalesce("lead_time_days", "supplier__lead_time_days")))


def days_passed(run: ForecastRun, today: date) -> int:
    """Days of the forecast that lie before today."""
    return max((today - run.as_of).days - 1, 0)


def _expected_demand(run: ForecastRun, today: date):  # type: ignore[no-untyped-def]
    """Forecasts of the run for planned SKUs, cut to the days from today on."""
    passed = days_passed(run, today)
    return (
        Forecast.objects.filter(run=run, sku__status__in=Sku.PLANNED, warehouse__is_active=True)
        .annotate(ahead=F(f"mean__{passed}_{passed + LOOK_AHEAD_DAYS}"))
        .values("sku_id", "warehouse_id", "sku__code", "sku__name", "warehouse__name", "ahead")
    )
