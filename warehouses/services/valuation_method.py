"""The company's way of valuing stock, changed: every pool's layers brought together, not a cent lost."""

from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from config.kernel.acting import acting
from config.kernel.errors import ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.models import StockRules
from warehouses.selectors.company import stock_rules


@one_transaction
def switch_valuation(method: str, *, actor: Any, now: datetime) -> bool:
    """Value stock by `method` ("fifo" or "avco") from now on; False when it was valued so already.

    Every pool's open layers become one that holds all its units and all its value: the pool itself under the moving
    average, the first and oldest layer under FIFO. Movements posted before keep their values.

    It takes the table of pools for itself. Every posting holds that table (weakly) from its first statement on, so the
    postings that run now are waited for, later ones wait, and those read the rule in a statement that starts after we
    have committed. `actor` is whom the audit trail names. Raises ValidationFailed for a method that does not exist.
    """
    if method not in StockRules.Valuation.values:
        items = [{"field": "method", "message": _("Stock is valued by FIFO layers or at its moving average.")}]
        raise ValidationFailed(_("There is no such valuation."), items=items)
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE warehouses_stockvalue IN EXCLUSIVE MODE")
        if stock_rules().valuation == method:
            return False
        cursor.execute(_MERGE, {"now": now})
    with acting(actor):
        StockRules.objects.filter(pk=1).update(valuation=method)
    return True


# A layer that was used up stays: it says what came in. Open ones are removed, so that a receipt without a layer of its
# own is one whose units are in the common layer. `armed` lets us past the database's guard.
_MERGE = """
WITH armed AS MATERIALIZED (SELECT set_config('entrepot.stock_writer', 'on', true) AS writer), gone AS (
    DELETE FROM warehouses_costlayer layer USING armed WHERE layer.remaining > 0
    RETURNING layer.sku_id, layer.warehouse_id, layer.received_at
), oldest AS (
    SELECT sku_id, warehouse_id, min(received_at) AS received_at FROM gone GROUP BY sku_id, warehouse_id
)
INSERT INTO warehouses_costlayer (sku_id, warehouse_id, movement_id, received_at, quantity, remaining, value)
SELECT pool.sku_id, pool.warehouse_id, NULL, coalesce(oldest.received_at, %(now)s), pool.quantity, pool.quantity,
       pool.value
FROM armed CROSS JOIN warehouses_stockvalue pool LEFT JOIN oldest USING (sku_id, warehouse_id)
WHERE pool.quantity > 0
"""
