"""Consumption: what real orders have used up of a forecast, so that no demand is counted twice.

An order lowers the available stock at once, while the forecast still expects its units until the next run has read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from forecasting.models import Forecast, ForecastRun
from forecasting.selectors import Pair
from forecasting.selectors.adjusted import adjusted_days
from forecasting.selectors.overrides import override_effects

# Orders above a week's forecast use up what is left of the week before, then of the week after; no further.
BACKWARD_WEEKS, FORWARD_WEEKS = 1, 1


@dataclass(frozen=True, slots=True)
class ConsumedWeek:
    """The days `first` … `last` of one week, as far as the forecast knows them; units. remaining = still expected."""

    first: date
    last: date
    forecast: float
    ordered: float
    remaining: float


def consumption(forecast: Forecast, *, today: date, weeks: int = 8) -> list[ConsumedWeek]:
    """Week by week from as_of + 1 on, with the overrides in force: forecast, orders since as_of, and what is left."""
    start = forecast.run.as_of + timedelta(days=1)
    effect = override_effects(forecast.run, on=today, sku_ids=[forecast.sku_id]).get(
        (forecast.sku_id, forecast.warehouse_id), ()
    )
    mean = adjusted_days(forecast.mean, effect)
    orders = _orders(forecast, start)
    spans = _weeks(start, len(mean))[:weeks]
    expected = [sum(mean[(first - start).days : (last - start).days + 1]) for first, last in spans]
    ordered = [sum(units for day, units in orders if first <= day <= last) for first, last in spans]
    left = remaining(expected, ordered)
    figures = zip(expected, ordered, left, strict=True)
    return [ConsumedWeek(*span, *row) for span, row in zip(spans, figures, strict=True)]


def remaining(forecast: Sequence[float], ordered: Sequence[float]) -> list[float]:
    """What is still expected in each week: max(forecast − ordered, 0), and orders above a week's forecast consume what
    is left of its neighbours, backward before forward. Forecast consumption as in MRP (backward/forward window).

    forecast 10, 10, 10 and ordered 4, 19, 0: week 2 is used up, 6 of its 9 too many come off week 1 and 3 off week 3:
    0, 0, 7.
    """
    left = [max(units - taken, 0.0) for units, taken in zip(forecast, ordered, strict=True)]
    for week, (units, taken) in enumerate(zip(forecast, ordered, strict=True)):
        excess = max(taken - units, 0.0)
        backward = range(week - 1, max(week - BACKWARD_WEEKS, 0) - 1, -1)
        forward = range(week + 1, min(week + FORWARD_WEEKS, len(left) - 1) + 1)
        for neighbour in (*backward, *forward):
            used = min(excess, left[neighbour])
            left[neighbour] -= used
            excess -= used
    return left


def units_counted_twice(run: ForecastRun, *, today: date) -> dict[Pair, float]:
    """(SKU, warehouse) → units that both the position and the forecast hold: ordered after as_of (and not cancelled),
    as far as the run, with the overrides in force, expects them in its days up to `today`.

    To be taken off the expected demand of a protection interval. An order larger than those days' forecast takes no
    more: the days to come are expected as before. Orders without our stock (imported ones) lower no position. At most
    six queries.
    """
    days = (today - run.as_of).days
    if days <= 0:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ORDERED, {"run": run.pk, "as_of": run.as_of, "today": today, "days": days})
        rows = cursor.fetchall()
    if not rows:
        return {}
    effects = override_effects(run, on=today, sku_ids={sku for sku, *_rest in rows})
    return {
        (sku, warehouse): min(units, sum(adjusted_days(mean or [], effects.get((sku, warehouse), ()))))
        for sku, warehouse, units, mean in rows
    }


def _weeks(start: date, days: int) -> list[tuple[date, date]]:
    """(first, last) day of each week from Monday to Sunday within `days` days from `start` on."""
    end, spans, first = start + timedelta(days=days - 1), [], start
    while first <= end:
        last = min(first + timedelta(days=6 - first.weekday()), end)
        spans.append((first, last))
        first = last + timedelta(days=1)
    return spans


def _orders(forecast: Forecast, first: date) -> list[tuple[date, float]]:
    values: dict[str, Any] = {"sku": forecast.sku_id, "warehouse": forecast.warehouse_id, "first": first}
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, values)
        return cursor.fetchall()  # type: ignore[no-any-return]


# Half a day on either side of UTC: whatever the channel's clock, its day has begun by then.
_ORDERED = """
SELECT f.sku_id, f.warehouse_id, placed.units, f.mean[1:%(days)s]
FROM (
    SELECT line.sku_id, line.warehouse_id, sum(line.quantity - line.cancelled_quantity)::float8 AS units
    FROM warehouses_salesorder o
    JOIN warehouses_salesorderline line ON line.order_id = o.id
    JOIN catalog_channel channel ON channel.id = o.channel_id
    WHERE o.ordered_at > %(as_of)s::date + interval '10 hours' AND NOT o.is_history AND NOT line.is_kit
      AND (o.ordered_at AT TIME ZONE channel.time_zone)::date > %(as_of)s
      AND (o.ordered_at AT TIME ZONE channel.time_zone)::date <= %(today)s
    GROUP BY 1, 2
) placed
JOIN forecasting_forecast f
     ON f.run_id = %(run)s AND f.sku_id = placed.sku_id AND f.warehouse_id = placed.warehouse_id
WHERE placed.units > 0
"""

_BY_DAY = """
SELECT (o.ordered_at AT TIME ZONE channel.time_zone)::date AS day,
       sum(line.quantity - line.cancelled_quantity)::float8
FROM warehouses_salesorderline line
JOIN warehouses_salesorder o ON o.id = line.order_id
JOIN catalog_channel channel ON channel.id = o.channel_id
WHERE line.sku_id = %(sku)s AND line.warehouse_id = %(warehouse)s AND NOT line.is_kit
  AND o.ordered_at > %(first)s::date - interval '14 hours'
  AND (o.ordered_at AT TIME ZONE channel.time_zone)::date >= %(first)s
GROUP BY 1 ORDER BY 1
"""
