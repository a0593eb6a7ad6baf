"""The sales of a file as orders of the past: what an earlier import brought is recognised, the rest is written."""

from datetime import datetime
from typing import Any

from django.db import connection

from catalog.models import Channel
from warehouses.models import Warehouse

MANY = 10_000  # lines after which the planner must look again before returns are matched


def write_orders(*, channel: Channel, warehouse: Warehouse, has_parts: bool, now: datetime) -> dict[str, int]:
    """Orders (shipped, history) and their lines from import_item; fills import_sale with each line's `state`.

    Two lines are the same when order, SKU, quantity and price are, and both are the n-th such line of their file. An
    order that was recorded live is not touched. Posts nothing to the ledger: these goods left before we counted.
    """
    values: dict[str, Any] = {
        "channel": channel.pk,
        "warehouse": warehouse.pk,
        "currency": channel.currency,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(told_apart(_SALES, has_parts), values)
        cursor.execute("ANALYZE import_sale")
        cursor.execute("SELECT EXISTS (SELECT FROM import_sale WHERE state = 'taken')")
        if not cursor.fetchone()[0]:
            return {"orders": 0, "order lines": 0}
        cursor.execute(_ORDERS, values)
        orders = cursor.rowcount
        cursor.execute(_EARLIER, values)
        cursor.execute(_LINES, values)
        lines = cursor.rowcount
        if lines > MANY:
            cursor.execute("ANALYZE warehouses_salesorder, warehouses_salesorderline")
        return {"orders": orders, "order lines": lines}


def told_apart(sql: str, has_parts: bool) -> str:
    """The statement with the n-th-line window of one file, or of each part of a file that joins overlapping exports."""
    return sql.replace("/*part*/", ", i.part" if has_parts else "").replace(
        "/*repeated*/",
        "WHEN row_number() OVER (PARTITION BY order_id, sku_id, quantity, unit_price, nth ORDER BY line) > 1 "
        "THEN 'repeated'"
        if has_parts
        else "",
    )


_SALES = """
CREATE TEMP TABLE import_sale ON COMMIT DROP AS
WITH item AS (
    SELECT i.line, i.order_id, code.sku_id, i.quantity, i.unit_price, i.ordered_at, i.customer, i.country,
           row_number() OVER (
               PARTITION BY i.order_id, code.sku_id, i.quantity, i.unit_price /*part*/ ORDER BY i.line
           ) AS nth
    FROM import_item i JOIN import_code code USING (code) WHERE i.verdict = 'sale'
), known_order AS MATERIALIZED (
    SELECT o.id, o.external_id, o.is_history FROM warehouses_salesorder o
    WHERE o.channel_id = %(channel)s
      AND EXISTS (SELECT FROM import_item i WHERE i.order_id = o.external_id AND i.verdict = 'sale')
), known_line AS (
    SELECT o.external_id AS order_id, l.sku_id, l.quantity, l.unit_price, count(*) AS times
    FROM known_order o JOIN warehouses_salesorderline l ON l.order_id = o.id GROUP BY 1, 2, 3, 4
)
SELECT item.*, CASE
           WHEN nth <= known_line.times THEN 'already_there'
           /*repeated*/
           WHEN NOT known_order.is_history THEN 'rejected.live_order'
           ELSE 'taken'
       END AS state
FROM item
LEFT JOIN known_line USING (order_id, sku_id, quantity, unit_price)
LEFT JOIN known_order ON known_order.external_id = item.order_id
"""

_ORDERS = """
INSERT INTO warehouses_salesorder (channel_id, external_id, status, is_history, customer_reference, ship_to_country,
                                   currency, ordered_at, recorded_at)
SELECT %(channel)s, order_id, 'shipped', true, coalesce(min(nullif(customer, '')), ''),
       coalesce(min(nullif(country, '')), ''), %(currency)s, min(ordered_at), %(now)s
FROM import_sale WHERE state = 'taken' GROUP BY order_id ORDER BY min(line)
ON CONFLICT (channel_id, external_id) DO NOTHING
"""

# An order's time is that of its earliest line, whichever file brought it.
_EARLIER = """
UPDATE warehouses_salesorder o SET ordered_at = early.ordered_at
FROM (SELECT order_id, min(ordered_at) AS ordered_at FROM import_sale WHERE state = 'taken' GROUP BY 1) early
WHERE o.channel_id = %(channel)s AND o.external_id = early.order_id AND o.ordered_at > early.ordered_at
"""

_LINES = """
INSERT INTO warehouses_salesorderline (order_id, line_number, sku_id, warehouse_id, quantity, unit_price,
                                       reserved_quantity, shipped_quantity, cancelled_quantity, returned_quantity)
SELECT o.id, coalesce(last.line_number, 0) + row_number() OVER (PARTITION BY o.id ORDER BY s.line), s.sku_id,
       %(warehouse)s, s.quantity, s.unit_price, 0, s.quantity, 0, 0
FROM import_sale s
JOIN warehouses_salesorder o ON o.channel_id = %(channel)s AND o.external_id = s.order_id
LEFT JOIN (
    SELECT l.order_id, max(l.line_number) AS line_number FROM warehouses_salesorderline l GROUP BY 1
) last ON last.order_id = o.id
WHERE s.state = 'taken'
"""
