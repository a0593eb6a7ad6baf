"""Sales as numbers: what was promised to customers and has no stock behind it yet."""

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import F, QuerySet, Sum

from warehouses.models import SalesOrder, SalesOrderLine

BACKORDERED = F("quantity") - F("reserved_quantity") - F("shipped_quantity") - F("cancelled_quantity")
"""Units of a line that are owed and not reserved."""


def waiting_lines(sku_ids: Iterable[int] | None = None) -> QuerySet[SalesOrderLine]:
    """Lines of open orders with units that are owed and not reserved, with `backordered`; of kits the parts."""
    lines = SalesOrderLine.objects.filter(order__status__in=SalesOrder.OPEN, order__is_history=False, is_kit=False)
    if sku_ids is not None:
        lines = lines.filter(sku_id__in=list(sku_ids))
    return lines.annotate(backordered=BACKORDERED).filter(backordered__gt=0)


def backordered_quantities(sku_ids: Iterable[int] | None = None) -> dict[tuple[int, int], Decimal]:
    """(sku id, warehouse id) → units backordered; pairs with none are left out."""
    rows = waiting_lines(sku_ids).order_by().values("sku_id", "warehouse_id").annotate(total=Sum("backordered"))
    return {(row["sku_id"], row["warehouse_id"]): row["total"] for row in rows}
