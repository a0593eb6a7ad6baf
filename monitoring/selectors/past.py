"""Figures of past days, read backwards off the ledger: today's stock minus what moved since."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from catalog.models import Sku
from config.kernel.fields import money
from forecasting.selectors import latest_run
from monitoring.selectors.figures import WINDOW_DAYS, fill_by_day, planned_pairs
from warehouses.models import Location
from warehouses.selectors.as_of import value_over_time
from warehouses.selectors.stock import stock_positions

Pair = tuple[int, int]
_INSTANT = timedelta(microseconds=1)


def figures_of_past_days(*, today: date, days: int) -> dict[date, dict[str, Any]]:
    """Day → stock value, stock-outs and fill rate at its end, for the `days` days before today.

    The value is the ledger's as of the day's end; the SKUs counted for stock-outs are those of the latest forecast once
    launched.
    """
    start = datetime.combine(today - timedelta(days=days), time(0), tzinfo=UTC)
    moved = _moved_by_day(start)
    launched = dict(Sku.objects.values_list("pk", "launched_on"))
    pairs = planned_pairs(latest_run(), today=today)
    usable = {pair: position.usable for pair, position in stock_positions(today=today).items()}
    ends = [start + timedelta(days=n + 1) - _INSTANT for n in range(days)]
    value = dict(zip((end.date() for end in ends), value_over_time(ends), strict=True))
    filled = fill_by_day(since=start - timedelta(days=WINDOW_DAYS))
    found: dict[date, dict[str, Any]] = {}
    for back in range(days + 1):
        day = today - timedelta(days=back)
        if back:
            out = sum(usable.get(p, Decimal(0)) <= 0 for p in pairs if (launched[p[0]] or date.min) <= day)
            found[day] = {"stock_value": str(money(value[day])), "stockouts": out, "fill_rate": _rate(filled, day)}
        for (sku, warehouse, is_usable), units in moved.get(day, {}).items():
            if is_usable:
                usable[sku, warehouse] = usable.get((sku, warehouse), Decimal(0)) - units
    return found


def _rate(filled: dict[date, tuple[Decimal, Decimal]], day: date) -> float | None:
    window = [filled[d] for d in (day - timedelta(days=n) for n in range(WINDOW_DAYS)) if d in filled]
    asked = sum((a for a, _served in window), Decimal(0))
    return round(float(sum((s for _asked, s in window), Decimal(0)) / asked), 4) if asked else None


def _moved_by_day(start: datetime) -> dict[date, dict[tuple[int, int, bool], Decimal]]:
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, {"start": start, "usable": list(Location.USABLE)})
        moved: dict[date, dict[tuple[int, int, bool], Decimal]] = defaultdict(dict)
        for day, sku, warehouse, is_usable, units in cursor.fetchall():
            moved[day][sku, warehouse, is_usable] = units
    return moved


_MOVED = """
SELECT (move.happened_at AT TIME ZONE 'UTC')::date, move.sku_id, place.warehouse_id,
       place.kind = ANY(%(usable)s) AND move.status = 'available',
       sum(move.quantity)
FROM warehouses_stockmovement move JOIN warehouses_location place ON place.id = move.location_id
WHERE move.happened_at >= %(start)s GROUP BY 1, 2, 3, 4
"""
