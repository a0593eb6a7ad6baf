"""Numbers for the new documents, the company's one row of rules, and what the stock of before is worth.

Movements posted before this release carry no value. Their sum is brought to today's worth by one revaluation per SKU
and warehouse (on hand × the SKU's unit cost), which is also its first layer.
"""

from django.db import migrations

SEQUENCES = ("transfer", "countsheet", "task", "landedcost")

OPENING = """
SELECT set_config('entrepot.stock_writer', 'on', true);

INSERT INTO warehouses_stockrules (id, valuation, rationing, split_penalty, cart_minutes)
VALUES (1, 'fifo', 'priority', 2, 15);

INSERT INTO warehouses_stockvalue (sku_id, warehouse_id, quantity, value)
SELECT level.sku_id, location.warehouse_id, sum(level.on_hand), round(sum(level.on_hand) * max(sku.unit_cost), 4)
FROM warehouses_stocklevel level
JOIN warehouses_location location ON location.id = level.location_id
JOIN catalog_sku sku ON sku.id = level.sku_id
GROUP BY level.sku_id, location.warehouse_id;

INSERT INTO warehouses_costlayer (sku_id, warehouse_id, received_at, quantity, remaining, value)
SELECT sku_id, warehouse_id, now(), quantity, quantity, value FROM warehouses_stockvalue WHERE quantity > 0;

INSERT INTO warehouses_stockmovement
    (kind, sku_id, location_id, status, quantity, value, reference, reason, idempotency_key, happened_at, recorded_at)
SELECT 'revaluation', worth.sku_id, place.id, 'available', 0, worth.value, '', 'worth of the stock before valuation',
       'opening-value:' || worth.sku_id || ':' || worth.warehouse_id, now(), now()
FROM warehouses_stockvalue worth
JOIN LATERAL (
    SELECT level.location_id AS id FROM warehouses_stocklevel level
    JOIN warehouses_location location ON location.id = level.location_id
    WHERE level.sku_id = worth.sku_id AND location.warehouse_id = worth.warehouse_id
    ORDER BY level.on_hand DESC, level.id LIMIT 1
) place ON true
WHERE worth.value > 0;

SELECT set_config('entrepot.stock_writer', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("warehouses", "0005_stock_that_is_never_wrong")]
    operations = [
        *(
            migrations.RunSQL(f"CREATE SEQUENCE warehouses_{name}_number", f"DROP SEQUENCE warehouses_{name}_number")
            for name in SEQUENCES
        ),
        migrations.RunSQL(OPENING, migrations.RunSQL.noop),
    ]
