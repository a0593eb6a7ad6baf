"""Demand read as series (step 4 of the story): gaps are zeros, days before the launch and out of stock are not."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Max, Min, QuerySet, Sum

from catalog.models import Sku
from config.kernel.fields import ZERO
from forecasting.models import DemandHistory, Forecast, ForecastRun
from warehouses.models import Location

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pair = tuple[int, int]
"""(sku id, warehouse id)"""

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


def active_pairs(until: date) -> list[Pair]:
    """The (SKU, warehouse) worth a forecast: not discontinued, and demanded in the year up to `until` or in stock."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ACTIVE, {"since": until - timedelta(ACTIVE_DAYS), "until": until, "statuses": list(FORECAST_STATUSES)}
        )
        return [(sku, warehouse) for sku, warehouse in cursor.fetchall()]


def demand_panel(pairs: Sequence[Pair], *, until: date, days: int) -> "tuple[NDArray[np.float64], NDArray[np.int64]]":
    """(values, starts): units of all channels on the `days` days that end with `until`, one row a pair.

    values[i, t] is day until − days + 1 + t: 0 without a sale, NaN before the pair's first demand (or its SKU's launch,
    where that is earlier) and after it was discontinued. starts[i] is the first column that is not NaN, `days` if none.
    """
    import numpy as np

    first = until - timedelta(days - 1)
    values = np.zeros((len(pairs), days))
    starts = np.full(len(pairs), days, dtype=np.int64)
    if not pairs:
        return values, starts
    cells = _copied(_DEMAND, pairs, ("units",), first=first, until=until)
    values[cells["row"], cells["column"]] = cells["units"]
    spans = _copied(_SPANS, pairs, ("end",), first=first, until=until)
    starts[spans["row"]] = np.clip(spans["column"], 0, days)
    ends = np.full(len(pairs), days)
    ends[spans["row"]] = np.clip(spans["end"], 0, days).astype(int)
    column = np.arange(days)
    values[(column < starts[:, None]) | (column >= ends[:, None])] = np.nan
    return values, starts


def in_stock_panel(pairs: Sequence[Pair], *, until: date, days: int) -> "NDArray[np.float64]":
    """1 for a day with usable stock, 0 for one that began and ended with none and received none, NaN where unknown.

    From the ledger, by days of the warehouse's own clock; unknown are pairs without a movement, and the days before a
    pair's first one. A sale on a day of 0 is a lower bound of demand; so is one on the day the stock ran out, but the
    ledger cannot tell how long that day was dry, and it counts as 1.
    """
    import numpy as np

    first = until - timedelta(days - 1)
    share = np.full((len(pairs), days), np.nan)
    if not pairs:
        return share
    cells = _copied(_LEDGER, pairs, ("net", "inflow"), first=first, until=until)
    known = np.unique(cells["row"])
    place = np.searchsorted(known, cells["row"])
    # Column 0 is all that happened before the window.
    net = np.zeros((len(known), days + 1))
    inflow = np.zeros((len(known), days + 1))
    net[place, cells["column"] + 1] = cells["net"]
    inflow[place, cells["column"] + 1] = cells["inflow"]
    on_hand = net.cumsum(axis=1)
    dry = (on_hand[:, :-1] <= 0) & (on_hand[:, 1:] <= 0) & (inflow[:, 1:] == 0)
    began = np.full(len(known), days)
    np.minimum.at(began, place, cells["column"])
    share[known] = np.where(np.arange(days) < began[:, None], np.nan, np.where(dry, 0.0, 1.0))
    return share


def _copied(query: str, pairs: Sequence[Pair], names: Sequence[str], *, first: date, until: date) -> Any:
    """The query's (row, column, float8 …) as a numpy record array, by binary COPY: no Python object a cell."""
    import numpy as np

    with connection.cursor() as cursor:
        values = {
            "skus": [sku for sku, _warehouse in pairs],
            "warehouses": [warehouse for _sku, warehouse in pairs],
            "first": first,
            "until": until,
            "usable": list(Location.USABLE),
        }
        sink = BytesIO()
        bound = cursor.mogrify(query, values).decode()
        cursor.copy_expert(f"COPY ({bound}) TO STDOUT (FORMAT binary)", sink)
    fields = [("fields", ">i2"), ("row_bytes", ">i4"), ("row", ">i4"), ("column_bytes", ">i4"), ("column", ">i4")]
    for name in names:
        fields += [(f"{name}_bytes", ">i4"), (name, ">f8")]
    body = memoryview(sink.getbuffer())[_COPY_HEADER_BYTES:-_COPY_TRAILER_BYTES]
    return np.frombuffer(body, dtype=np.dtype(fields))


_COPY_HEADER_BYTES = 19
_COPY_TRAILER_BYTES = 2

_PAIRS = "unnest(%(skus)s::bigint[], %(warehouses)s::bigint[]) WITH ORDINALITY AS pair(sku_id, warehouse_id, place)"

_DEMAND = f"""
SELECT (pair.place - 1)::int4, (d.day - %(first)s::date)::int4, sum(d.quantity)::float8
FROM {_PAIRS}
JOIN forecasting_demandhistory d USING (sku_id, warehouse_id)
WHERE d.day BETWEEN %(first)s AND %(until)s GROUP BY 1, 2
"""  # noqa: S608 - the only thing put in is the constant above

_SPANS = f"""
SELECT (place - 1)::int4, (least(launched_on, first_day) - %(first)s::date)::int4,
       coalesce(greatest(discontinued_on, last_day) - %(first)s::date + 1, 2000000)::float8
FROM (
    SELECT pair.place, sku.launched_on, min(d.day) AS first_day,
           sku.discontinued_on, CASE WHEN sku.discontinued_on IS NOT NULL THEN max(d.day) END AS last_day
    FROM {_PAIRS}
    JOIN catalog_sku sku ON sku.id = pair.sku_id
    LEFT JOIN forecasting_demandhistory d
           ON d.sku_id = pair.sku_id AND d.warehouse_id = pair.warehouse_id AND d.day <= %(until)s AND d.quantity > 0
    GROUP BY pair.place, sku.id
) span
WHERE least(launched_on, first_day) IS NOT NULL
"""  # noqa: S608

_LEDGER = f"""
SELECT (place - 1)::int4, greatest(day - %(first)s::date, -1)::int4, sum(units)::float8,
       sum(greatest(units, 0))::float8
FROM (
    SELECT pair.place, (m.happened_at AT TIME ZONE w.time_zone)::date AS day,
           CASE WHEN location.kind = ANY (%(usable)s) THEN m.quantity ELSE 0 END AS units
    FROM {_PAIRS}
    JOIN warehouses_warehouse w ON w.id = pair.warehouse_id
    JOIN warehouses_location location ON location.warehouse_id = pair.warehouse_id
    JOIN warehouses_stockmovement m ON m.location_id = location.id AND m.sku_id = pair.sku_id
) moved
WHERE day <= %(until)s GROUP BY 1, 2
"""  # noqa: S608

_ACTIVE = """
SELECT wanted.sku_id, wanted.warehouse_id
FROM (
    SELECT d.sku_id, d.warehouse_id FROM forecasting_demandhistory d
    WHERE d.day > %(since)s AND d.day <= %(until)s AND d.quantity > 0
    UNION
    SELECT level.sku_id, location.warehouse_id
    FROM warehouses_stocklevel level JOIN warehouses_location location ON location.id = level.location_id
    WHERE level.on_hand > 0
) wanted
JOIN catalog_sku sku ON sku.id = wanted.sku_id AND sku.status = ANY (%(statuses)s)
JOIN warehouses_warehouse w ON w.id = wanted.warehouse_id AND w.is_active
ORDER BY 1, 2
"""
