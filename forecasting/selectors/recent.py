"""The last days of every pair at once: what an update reads instead of all histories."""

from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.db import connection

from warehouses.models import Location

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HEADER_BYTES, _TRAILER_BYTES = 19, 2


def recent_demand(*, first: date, until: date) -> "NDArray[np.void]":
    """(sku, warehouse, column, units) of the days with sales; column 0 is `first`."""
    return _copied(_DEMAND, ("units",), first=first, until=until)


def recent_movements(*, first: date, until: date) -> "NDArray[np.void]":
    """(sku, warehouse, column, net, inflow) of usable stock by days of the warehouse's own clock; the column after the
    last day holds all that happened since."""
    return _copied(_MOVED, ("net", "inflow"), first=first, until=until, usable=list(Location.USABLE))


def usable_stock() -> "NDArray[np.void]":
    """(sku, warehouse, column 0, units) of what is there now."""
    return _copied(_LEVELS, ("units",), usable=list(Location.USABLE))


def selling_spans(skus: list[int]) -> dict[int, tuple[date | None, date | None]]:
    """Launch and end of the SKUs that have either."""
    with connection.cursor() as cursor:
        cursor.execute(_SPANS, [skus])
        return {sku: (launched, ended) for sku, launched, ended in cursor.fetchall()}


def _copied(query: str, names: tuple[str, ...], **values: Any) -> "NDArray[np.void]":
    import numpy as np

    if "first" in values:
        values["early"] = values["first"] - timedelta(days=2)  # no clock is further off; lets an index on time serve
    with connection.cursor() as cursor:
        sink = BytesIO()
        bound = cursor.mogrify(query, values).decode()
        cursor.copy_expert(f"COPY ({bound}) TO STDOUT (FORMAT binary)", sink)
    fields = [("fields", ">i2")]
    for name, kind in (("sku", ">i8"), ("warehouse", ">i8"), ("column", ">i4"), *((name, ">f8") for name in names)):
        fields += [(f"{name}_bytes", ">i4"), (name, kind)]
    return np.frombuffer(sink.getbuffer()[_HEADER_BYTES:-_TRAILER_BYTES], dtype=np.dtype(fields))


_DEMAND = """
SELECT sku_id::bigint, warehouse_id::bigint, (day - %(first)s::date)::int4, sum(quantity)::float8
FROM forecasting_demandhistory WHERE day BETWEEN %(first)s AND %(until)s GROUP BY 1, 2, 3
"""

_MOVED = """
SELECT sku_id::bigint, warehouse_id::bigint, column_of::int4, sum(units)::float8, sum(greatest(units, 0))::float8
FROM (
    SELECT m.sku_id, location.warehouse_id,
           least((m.happened_at AT TIME ZONE w.time_zone)::date, %(until)s::date + 1) - %(first)s::date AS column_of,
           CASE WHEN location.kind = ANY (%(usable)s) THEN m.quantity ELSE 0 END AS units
    FROM warehouses_stockmovement m
    JOIN warehouses_location location ON location.id = m.location_id
    JOIN warehouses_warehouse w ON w.id = location.warehouse_id
    WHERE m.happened_at >= %(early)s
) moved
WHERE column_of >= 0 GROUP BY 1, 2, 3
"""

_LEVELS = """
SELECT level.sku_id::bigint, location.warehouse_id::bigint, 0::int4, sum(level.on_hand)::float8
FROM warehouses_stocklevel level JOIN warehouses_location location ON location.id = level.location_id
WHERE location.kind = ANY (%(usable)s) GROUP BY 1, 2
"""

_SPANS = """
SELECT id, launched_on, discontinued_on FROM catalog_sku
WHERE id = ANY (%s) AND (launched_on IS NOT NULL OR discontinued_on IS NOT NULL)
"""
