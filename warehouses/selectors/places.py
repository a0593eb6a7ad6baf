"""The tree of a warehouse's places, and what lies in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import connection

from warehouses.models import Location

_BELOW = """
WITH RECURSIVE below AS (
    SELECT id, level FROM warehouses_location WHERE id = %s
    UNION
    SELECT child.id, child.level FROM warehouses_location child JOIN below ON child.parent_id = below.id
)
SELECT id FROM below WHERE level = 'bin' ORDER BY id
"""

_CONTENTS = """
SELECT location_id, sum(on_hand), count(DISTINCT sku_id)
FROM warehouses_stocklevel WHERE location_id = ANY(%s) AND on_hand > 0 GROUP BY location_id
"""


@dataclass(slots=True)
class Place:
    """A node of the tree with what lies in it and below it."""

    location: Location
    depth: int = 0
    units: Decimal = Decimal(0)
    sku_count: int = 0
    """Of a bin. Of a zone or an aisle: the sum over its bins, where a SKU may lie in several."""
    capacity: Decimal | None = None
    """Its own, else the sum of those below it, when every one of them has one."""
    below: list["Place"] = field(default_factory=list)

    @property
    def fill(self) -> float | None:
        """Share of the capacity that is used, 0 to 1 and above."""
        return float(self.units / self.capacity) if self.capacity else None


def bins_below(location_id: int) -> list[int]:
    """Ids of the bins within a place, however deep; of a bin: itself."""
    with connection.cursor() as cursor:
        cursor.execute(_BELOW, [location_id])
        return [row[0] for row in cursor.fetchall()]


def stock_tree(warehouse_id: int) -> list[Place]:
    """Every place of the warehouse in walking order, those within another right after it. Two queries."""
    rows = list(
        Location.objects.filter(warehouse=warehouse_id)
        .select_related("warehouse", "parent")
        .order_by("sequence", "code")
    )
    places = {row.pk: Place(row, capacity=row.capacity_units) for row in rows}
    with connection.cursor() as cursor:
        cursor.execute(_CONTENTS, [list(places)])
        for pk, units, sku_count in cursor.fetchall():
            places[pk].units, places[pk].sku_count = units, sku_count
    tops: list[Place] = []
    for place in places.values():
        parent = places.get(place.location.parent_id or 0)
        (parent.below if parent else tops).append(place)
    return list(_walked(tops, 0))


def _walked(places: Iterable[Place], depth: int) -> Iterable[Place]:
    for place in places:
        place.depth = depth
        inside = list(_walked(place.below, depth + 1))
        for child in place.below:
            place.units += child.units
            place.sku_count += child.sku_count
        if place.capacity is None and place.below and all(child.capacity is not None for child in place.below):
            place.capacity = sum((child.capacity or Decimal(0) for child in place.below), Decimal(0))
        yield place
        yield from inside
