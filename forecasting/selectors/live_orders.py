"""What the orders since a day say of some SKUs, and which days were dry.

Read off the orders as they stand, so an order is seen by the first question after its commit.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from warehouses.models import Location


@dataclass(frozen=True, slots=True)
class Placed:
    """Units of a SKU ordered in a warehouse and channel on a day of the channel, less cancelled and returned."""

    sku_id: int
    warehouse_id: int
    channel_id: int
    day: date
    units: float
    latest: datetime


def placed_since(sku_ids: Collection[int], *, first: date, now: datetime) -> list[Placed]:
    """The orders of these SKUs from the day `first` on, in one query; of kits their parts."""
    with connection.cursor() as cursor:
        cursor.execute(_PLACED, {"skus": list(sku_ids), "first": first, "now": now})
        return [Placed(*row) for row in cursor.fetchall()]


def dry_days(sku_ids: Collection[int], *, first: date, count: int) -> dict[tuple[int, int], list[bool]]:
    """(sku, warehouse) → which of the `count` days from `first` on began and ended without stock and received none.

    From what is on hand now and the movements since, by days of the warehouse; pairs that never held stock are left
    out. Two queries.
    """
    moved: dict[tuple[int, int], dict[int, tuple[float, float]]] = defaultdict(dict)
    values: dict[str, Any] = {"skus": list(sku_ids), "first": first, "usable": list(Location.USABLE)}
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, values)
        for sku_id, warehouse_id, day, net, inflow in cursor.fetchall():
            moved[sku_id, warehouse_id][day] = (net, inflow)
        cursor.execute(_ON_HAND, values)
        levels = {(sku_id, warehouse_id): on_hand for sku_id, warehouse_id, on_hand in cursor.fetchall()}
    return {pair: _dry(on_hand, moved[pair], count) for pair, on_hand in levels.items()}


def _dry(closing: float, moved: Mapping[int, tuple[float, float]], count: int) -> list[bool]:
    """Backwards from today: the day before ended with what this one began with."""
    found = [False] * count
    for day in reversed(range(max([count, *(day + 1 for day in moved)]))):
        net, inflow = moved.get(day, (0.0, 0.0))
        opening = closing - net
        if day < count:
            found[day] = opening <= 0 and closing <= 0 and inflow == 0
        closing = opening
    return found


_PLACED = """
SELECT line.sku_id, line.warehouse_id, placed.channel_id, (placed.ordered_at AT TIME ZONE channel.time_zone)::date,
       sum(line.quantity - line.cancelled_quantity - line.returned_quantity)::float8, max(placed.ordered_at)
FROM warehouses_salesorder placed
JOIN warehouses_salesorderline line ON line.order_id = placed.id
JOIN catalog_channel channel ON channel.id = placed.channel_id
WHERE line.sku_id = ANY(%(skus)s) AND NOT line.is_kit
  AND placed.ordered_at >= %(first)s::timestamp AT TIME ZONE 'UTC' - interval '14 hours'
  AND placed.ordered_at <= %(now)s
  AND (placed.ordered_at AT TIME ZONE channel.time_zone)::date >= %(first)s
GROUP BY 1, 2, 3, 4
"""

_ON_HAND = """
SELECT level.sku_id, location.warehouse_id, sum(level.on_hand)::float8
FROM warehouses_stocklevel level JOIN warehouses_location location ON location.id = level.location_id
WHERE level.sku_id = ANY(%(skus)s) AND location.kind = ANY(%(usable)s) GROUP BY 1, 2
"""

_MOVED = """
SELECT moved.sku_id, location.warehouse_id,
       ((moved.happened_at AT TIME ZONE place.time_zone)::date - %(first)s::date) AS day,
       sum(moved.quantity)::float8, sum(greatest(moved.quantity, 0))::float8
FROM warehouses_location location
JOIN warehouses_warehouse place ON place.id = location.warehouse_id
JOIN warehouses_stockmovement moved ON moved.location_id = location.id
WHERE moved.sku_id = ANY(%(skus)s) AND location.kind = ANY(%(usable)s)
  AND moved.happened_at >= %(first)s::timestamp AT TIME ZONE 'UTC' - interval '14 hours'
  AND (moved.happened_at AT TIME ZONE place.time_zone)::date >= %(first)s
GROUP BY 1, 2, 3
"""
