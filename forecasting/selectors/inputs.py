"""What a run is made of: the pairs worth a forecast with their value, and a fingerprint of all that it would read."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from forecasting.selectors import ACTIVE_DAYS, FORECAST_STATUSES
from warehouses.models import Location


@dataclass(frozen=True, slots=True)
class ActivePair:
    """A SKU in a warehouse; `value` is its demand of the past year at unit cost."""

    sku_id: int
    warehouse_id: int
    unit_cost: float
    value: float


def valued_pairs(until: date) -> list[ActivePair]:
    """The (SKU, warehouse) worth a forecast, by SKU and warehouse: not discontinued, and demanded in the year up to
    `until` or in stock; and newcomers nobody has bought yet where the SKU they replace or are like has sold: they must
    be bought before they can sell."""
    with connection.cursor() as cursor:
        cursor.execute(
            _VALUED, {"since": until - timedelta(ACTIVE_DAYS), "until": until, "statuses": list(FORECAST_STATUSES)}
        )
        return [ActivePair(*row) for row in cursor.fetchall()]


def pairs_since(known: Sequence[tuple[int, int]], *, first: date, until: date) -> list[ActivePair]:
    """The pairs worth a forecast of those `known`, and those with demand from `first` on or with stock; value 0.

    For an update: what of the rest has gone quiet meanwhile stays until the next run that learns.
    """
    values: dict[str, Any] = {"first": first, "until": until, "statuses": list(FORECAST_STATUSES)}
    values |= {"skus": [sku for sku, _w in known], "warehouses": [warehouse for _s, warehouse in known]}
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, values)
        return [ActivePair(*row) for row in cursor.fetchall()]


def data_fingerprint(*, first: date, until: date) -> str:
    """Changes whenever demand, stock, a launch or a planner's correction between the two days does; or the
    relations of SKUs, or the calendar.

    Rows are hashed each by itself and the hashes put together without an order, so that one pass over the tables in
    whatever order they lie is enough. Kept corrections count, those found by rule follow from the demand.
    """
    values: dict[str, Any] = {"first": first, "until": until, "usable": list(Location.USABLE)}
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for query in (_DEMAND, _LEDGER, _SPANS, _CORRECTIONS, _RELATIONS, _CALENDAR):
            cursor.execute(query, values)
            digest.update(repr(cursor.fetchone()).encode())
    return digest.hexdigest()


_VALUED = """
SELECT wanted.sku_id, wanted.warehouse_id, sku.unit_cost::float8, sum(wanted.units)::float8 * sku.unit_cost::float8
FROM (
    SELECT d.sku_id, d.warehouse_id, sum(d.quantity) AS units FROM forecasting_demandhistory d
    WHERE d.day > %(since)s AND d.day <= %(until)s AND d.quantity > 0 GROUP BY 1, 2
    UNION ALL
    SELECT level.sku_id, location.warehouse_id, 0
    FROM warehouses_stocklevel level JOIN warehouses_location location ON location.id = level.location_id
    WHERE level.on_hand > 0
    UNION ALL
    SELECT relation.sku_id, d.warehouse_id, 0
    FROM forecasting_itemrelation relation
    JOIN catalog_sku newcomer ON newcomer.id = relation.sku_id
    JOIN forecasting_demandhistory d ON d.sku_id = relation.other_id
    WHERE coalesce(relation.starts_on, newcomer.launched_on) > %(since)s
      AND d.day > %(since)s AND d.day <= %(until)s AND d.quantity > 0
    GROUP BY 1, 2
) wanted
JOIN catalog_sku sku ON sku.id = wanted.sku_id AND sku.status = ANY (%(statuses)s)
JOIN warehouses_warehouse w ON w.id = wanted.warehouse_id AND w.is_active
GROUP BY wanted.sku_id, wanted.warehouse_id, sku.unit_cost
ORDER BY 1, 2
"""

_SINCE = """
SELECT wanted.sku_id, wanted.warehouse_id, sku.unit_cost::float8, 0::float8
FROM (
    SELECT sku_id, warehouse_id FROM unnest(%(skus)s::bigint[], %(warehouses)s::bigint[]) AS known(sku_id, warehouse_id)
    UNION
    SELECT sku_id, warehouse_id FROM forecasting_demandhistory
    WHERE day BETWEEN %(first)s AND %(until)s AND quantity > 0
    UNION
    SELECT level.sku_id, location.warehouse_id
    FROM warehouses_stocklevel level JOIN warehouses_location location ON location.id = level.location_id
    WHERE level.on_hand > 0
) wanted
JOIN catalog_sku sku ON sku.id = wanted.sku_id AND sku.status = ANY (%(statuses)s)
JOIN warehouses_warehouse w ON w.id = wanted.warehouse_id AND w.is_active
ORDER BY 1, 2
"""

_DEMAND = """
SELECT count(*), bit_xor(hashint8extended(
    sku_id, hashint8extended(warehouse_id * 100000 + (day - '2000-01-01'), hash_numeric_extended(quantity, channel_id))
))
FROM forecasting_demandhistory WHERE day BETWEEN %(first)s AND %(until)s
"""

# Movements are never changed, so their keys say it all; what moved since does not matter to the days before.
_LEDGER = """
SELECT count(*), bit_xor(hashint8extended(m.id, 0))
FROM warehouses_stockmovement m
JOIN warehouses_location location ON location.id = m.location_id AND location.kind = ANY (%(usable)s)
JOIN warehouses_warehouse w ON w.id = location.warehouse_id
WHERE (m.happened_at AT TIME ZONE w.time_zone)::date <= %(until)s
"""

_SPANS = """
SELECT count(*), bit_xor(hash_record_extended((id, launched_on, discontinued_on, unit_cost, product_id), 0))
FROM catalog_sku
"""

_CORRECTIONS = """
SELECT count(*), bit_xor(hash_record_extended((sku_id, warehouse_id, day, decision, corrected), 0))
FROM forecasting_historycorrection WHERE decision <> 'auto' AND day <= %(until)s
"""

_RELATIONS = """
SELECT count(*), bit_xor(hash_record_extended((sku_id, other_id, kind, share, starts_on, ramp_days), 0))
FROM forecasting_itemrelation
"""

_CALENDAR = """
SELECT count(*), bit_xor(hash_record_extended(
    (kind, starts_on, ends_on, discount, sku_id, category_id, channel_id), 0
))
FROM catalog_calendarevent WHERE ends_on >= %(first)s
"""
