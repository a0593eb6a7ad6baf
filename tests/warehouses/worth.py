"""What must hold of value always: Σ open layers = pool = Σ movements, and units and value go together."""

from typing import Any

from django.db import connection


def worth_faults() -> list[tuple[Any, ...]]:
    """Every SKU × warehouse where layers, pool and ledger differ: (sku, warehouse, ledger, pool, layers, levels)."""
    with connection.cursor() as cursor:
        cursor.execute(_FAULTS)
        return cursor.fetchall()


_FAULTS = """
WITH ledger AS (
    SELECT move.sku_id, place.warehouse_id, sum(quantity) AS quantity, sum(value) AS value
    FROM warehouses_stockmovement move JOIN warehouses_location place ON place.id = move.location_id GROUP BY 1, 2
), layers AS (
    SELECT sku_id, warehouse_id, sum(remaining) AS quantity, sum(value) AS value
    FROM warehouses_costlayer GROUP BY 1, 2
), levels AS (
    SELECT level.sku_id, place.warehouse_id, sum(on_hand) AS quantity
    FROM warehouses_stocklevel level JOIN warehouses_location place ON place.id = level.location_id GROUP BY 1, 2
)
SELECT sku_id, warehouse_id, ledger.quantity, ledger.value, pool.quantity, pool.value, layers.quantity, layers.value,
       levels.quantity
FROM ledger FULL JOIN warehouses_stockvalue pool USING (sku_id, warehouse_id)
FULL JOIN layers USING (sku_id, warehouse_id) FULL JOIN levels USING (sku_id, warehouse_id)
WHERE coalesce(ledger.quantity, 0) <> coalesce(pool.quantity, 0) OR coalesce(ledger.value, 0) <> coalesce(pool.value, 0)
   OR coalesce(layers.quantity, 0) <> coalesce(pool.quantity, 0) OR coalesce(layers.value, 0) <> coalesce(pool.value, 0)
   OR coalesce(levels.quantity, 0) <> coalesce(pool.quantity, 0)
"""
