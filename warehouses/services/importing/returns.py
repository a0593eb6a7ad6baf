"""What came back or was called off, and the sale it undoes: within 24 hours it never was demand, later it is netted."""

from datetime import datetime
from typing import Any

from django.db import connection

from catalog.models import Channel
from warehouses.services.importing.orders import told_apart

MANY = 1_000  # rows after which the planner must look at the table again


def write_returns(*, channel: Channel, has_parts: bool, now: datetime) -> dict[str, int]:
    """Returns and their lines from import_item, not matched yet; fills import_back with each line's `state`."""
    values: dict[str, Any] = {"channel": channel.pk, "now": now}
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE import_new_back (id bigint) ON COMMIT DROP")
        cursor.execute(told_apart(_BACK, has_parts), values)
        cursor.execute("ANALYZE import_back")
        cursor.execute(_RETURNS, values)
        returns = cursor.rowcount
        if returns > MANY:
            cursor.execute("ANALYZE warehouses_salesreturn")
        cursor.execute(_LINES, values)
        lines = cursor.rowcount
        if lines > MANY:
            cursor.execute("ANALYZE warehouses_salesreturnline")
        return {"returns": returns, "return lines": lines}


def match_returns(*, channel: Channel) -> int:
    """Match the returns of every customer and SKU that this import touched; returns the order lines changed.

    A group (customer, SKU) is matched afresh from all its sales and returns, so the result does not depend on the order
    in which files arrive. A return takes the sale with exactly its quantity, else one with as much left; the latest
    such sale before it. Each round gives a sale to one return at most; rounds go on until none finds a sale.
    """
    values = {"channel": channel.pk}
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, values)
        cursor.execute("ANALYZE match_group")
        for statement in (_MATCH_RETURNS, _MATCH_SALES):
            cursor.execute(statement, values)
        cursor.execute("CREATE INDEX ON match_sale (customer, sku_id)")
        cursor.execute("ANALYZE match_return")
        cursor.execute("ANALYZE match_sale")
        cursor.execute(_ROUND)
        while cursor.rowcount:
            cursor.execute(_ROUND)
        cursor.execute(_SAVE_RETURNS)
        cursor.execute(_SAVE_LINES)
        lines = cursor.rowcount
        cursor.execute(_SAVE_ORDERS, values)
        cursor.execute("DROP TABLE match_group, match_return, match_sale, match_changed")
    return lines


def kinds_of_new_returns() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.kind, count(*) FROM warehouses_salesreturnline l JOIN import_new_back USING (id) GROUP BY 1"
        )
        return dict(cursor.fetchall())


_BACK = """
CREATE TEMP TABLE import_back ON COMMIT DROP AS
WITH item AS (
    SELECT i.line, i.order_id, code.sku_id, -i.quantity AS quantity, i.unit_price, i.ordered_at, i.customer,
           row_number() OVER (
               PARTITION BY i.order_id, code.sku_id, i.quantity, i.unit_price /*part*/ ORDER BY i.line
           ) AS nth
    FROM import_item i JOIN import_code code USING (code) WHERE i.verdict = 'return'
), known_line AS (
    SELECT r.external_id AS order_id, l.sku_id, l.quantity, l.unit_price, count(*) AS times
    FROM warehouses_salesreturn r JOIN warehouses_salesreturnline l ON l.sales_return_id = r.id
    WHERE r.channel_id = %(channel)s GROUP BY 1, 2, 3, 4
)
SELECT item.*, CASE
           WHEN nth <= known_line.times THEN 'already_there'
           /*repeated*/
           WHEN NOT r.is_history THEN 'rejected.live_order'
           ELSE 'taken'
       END AS state
FROM item
LEFT JOIN known_line USING (order_id, sku_id, quantity, unit_price)
LEFT JOIN warehouses_salesreturn r ON r.channel_id = %(channel)s AND r.external_id = item.order_id
"""

_RETURNS = """
INSERT INTO warehouses_salesreturn (channel_id, external_id, customer_reference, is_history, returned_at, recorded_at)
SELECT %(channel)s, order_id, coalesce(min(nullif(customer, '')), ''), true, min(ordered_at), %(now)s
FROM import_back WHERE state = 'taken' GROUP BY order_id ORDER BY min(line)
ON CONFLICT (channel_id, external_id) DO NOTHING
"""

_LINES = """
WITH made AS (
    INSERT INTO warehouses_salesreturnline (sales_return_id, line_number, sku_id, kind, quantity, unit_price,
                                            is_restocked)
    SELECT r.id, coalesce(last.line_number, 0) + row_number() OVER (PARTITION BY r.id ORDER BY b.line), b.sku_id,
           'unmatched', b.quantity, b.unit_price, false
    FROM import_back b
    JOIN warehouses_salesreturn r ON r.channel_id = %(channel)s AND r.external_id = b.order_id
    LEFT JOIN (
        SELECT sales_return_id, max(line_number) AS line_number FROM warehouses_salesreturnline GROUP BY 1
    ) last ON last.sales_return_id = r.id
    WHERE b.state = 'taken'
    RETURNING id
)
INSERT INTO import_new_back SELECT id FROM made
"""

# Guests (no customer) cannot be told apart, so their returns stay unmatched.
_GROUPS = """
CREATE TEMP TABLE match_group ON COMMIT DROP AS
WITH returned AS (
    SELECT DISTINCT r.customer_reference AS customer, l.sku_id, new.id IS NOT NULL AS is_new
    FROM warehouses_salesreturn r JOIN warehouses_salesreturnline l ON l.sales_return_id = r.id
    LEFT JOIN import_new_back new ON new.id = l.id
    WHERE r.channel_id = %(channel)s AND r.is_history AND r.customer_reference <> ''
), sold AS (
    SELECT DISTINCT o.customer_reference AS customer, s.sku_id
    FROM import_sale s JOIN warehouses_salesorder o ON o.channel_id = %(channel)s AND o.external_id = s.order_id
    WHERE s.state = 'taken'
)
SELECT DISTINCT customer, sku_id FROM returned
WHERE is_new OR EXISTS (SELECT FROM sold WHERE sold.customer = returned.customer AND sold.sku_id = returned.sku_id)
"""

_MATCH_RETURNS = """
CREATE TEMP TABLE match_return ON COMMIT DROP AS
SELECT l.id, customer, sku_id, l.quantity, l.unit_price, r.returned_at, r.external_id, l.line_number,
       NULL::bigint AS sale_id, NULL::timestamptz AS sold_at
FROM match_group g
JOIN warehouses_salesreturnline l USING (sku_id)
JOIN warehouses_salesreturn r ON r.id = l.sales_return_id AND r.customer_reference = g.customer
WHERE r.channel_id = %(channel)s AND r.is_history
"""

# What a return recorded live took from a line is no longer there to be matched.
_MATCH_SALES = """
CREATE TEMP TABLE match_sale ON COMMIT DROP AS
SELECT l.id, customer, l.sku_id, l.quantity, l.unit_price, o.ordered_at, o.external_id, l.line_number,
       l.order_id, l.quantity - coalesce(live.quantity, 0) AS left_over
FROM match_group g
JOIN warehouses_salesorderline l USING (sku_id)
JOIN warehouses_salesorder o ON o.id = l.order_id AND o.customer_reference = g.customer
LEFT JOIN (
    SELECT b.order_line_id, sum(b.quantity) AS quantity
    FROM warehouses_salesreturnline b JOIN warehouses_salesreturn r ON r.id = b.sales_return_id AND NOT r.is_history
    WHERE b.order_line_id IS NOT NULL GROUP BY 1
) live ON live.order_line_id = l.id
WHERE o.channel_id = %(channel)s AND o.is_history
"""

_ROUND = """
WITH wish AS (
    SELECT DISTINCT ON (r.id) r.*, s.id AS wished, s.ordered_at AS wished_at, s.quantity = r.quantity AS is_exact
    FROM match_return r
    JOIN match_sale s ON s.customer = r.customer AND s.sku_id = r.sku_id AND s.ordered_at <= r.returned_at
         AND s.left_over >= r.quantity
    WHERE r.sale_id IS NULL
    ORDER BY r.id, s.quantity = r.quantity DESC, s.ordered_at DESC, s.unit_price = r.unit_price DESC,
             s.external_id DESC, s.quantity, s.unit_price, s.line_number
), granted AS (
    SELECT DISTINCT ON (wished) id, wished, wished_at FROM wish
    ORDER BY wished, is_exact DESC, returned_at, external_id, quantity, unit_price, line_number
), matched AS (
    UPDATE match_return r SET sale_id = granted.wished, sold_at = granted.wished_at
    FROM granted WHERE granted.id = r.id RETURNING r.sale_id, r.quantity
)
UPDATE match_sale s SET left_over = s.left_over - matched.quantity FROM matched WHERE matched.sale_id = s.id
"""

_SAVE_RETURNS = """
UPDATE warehouses_salesreturnline l SET order_line_id = new.sale_id, kind = new.kind
FROM (
    SELECT id, sale_id, CASE WHEN sale_id IS NULL THEN 'unmatched'
                             WHEN returned_at - sold_at <= interval '24 hours' THEN 'cancellation'
                             ELSE 'return' END AS kind
    FROM match_return
) new
WHERE l.id = new.id AND (l.order_line_id IS DISTINCT FROM new.sale_id OR l.kind <> new.kind)
"""

_SAVE_LINES = """
CREATE TEMP TABLE match_changed (order_id bigint) ON COMMIT DROP;
WITH total AS (
    SELECT s.id, coalesce(sum(b.quantity) FILTER (WHERE b.kind = 'cancellation'), 0) AS cancelled,
           coalesce(sum(b.quantity) FILTER (WHERE b.kind = 'return'), 0) AS returned
    FROM match_sale s LEFT JOIN warehouses_salesreturnline b ON b.order_line_id = s.id GROUP BY 1
), changed AS (
    UPDATE warehouses_salesorderline l
    SET cancelled_quantity = total.cancelled, returned_quantity = total.returned,
        shipped_quantity = l.quantity - total.cancelled
    FROM total
    WHERE l.id = total.id AND (l.cancelled_quantity, l.returned_quantity) <> (total.cancelled, total.returned)
    RETURNING l.order_id
)
INSERT INTO match_changed SELECT order_id FROM changed
"""

_SAVE_ORDERS = """
UPDATE warehouses_salesorder o SET status = new.status
FROM (
    SELECT order_id, CASE WHEN bool_and(quantity = cancelled_quantity) THEN 'cancelled' ELSE 'shipped' END AS status
    FROM warehouses_salesorderline
    WHERE order_id IN (
        SELECT order_id FROM match_changed
        UNION -- a cancelled order that this file brought another line of
        SELECT o.id FROM warehouses_salesorder o JOIN import_sale s ON s.order_id = o.external_id
        WHERE o.channel_id = %(channel)s AND o.is_history AND o.status = 'cancelled' AND s.state = 'taken'
    )
    GROUP BY 1
) new
WHERE o.id = new.order_id AND o.status <> new.status
"""
