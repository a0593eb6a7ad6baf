"""Stock as numbers: what is on hand, usable, reserved and available, per SKU and warehouse."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Q, Sum

from warehouses.models import Location, StockLevel


@dataclass(frozen=True, slots=True)
class Position:
    """Units of one SKU in one warehouse. available = usable − reserved."""

    on_hand: Decimal = Decimal(0)
    usable: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)

    @property
    def available(self) -> Decimal:
        return self.usable - self.reserved


def stock_positions(sku_ids: list[int] | None = None) -> dict[tuple[int, int], Position]:
    """(sku id, warehouse id) → Position, in one query; all SKUs with a level when none are named."""
    levels = StockLevel.objects.all() if sku_ids is None else StockLevel.objects.filter(sku_id__in=sku_ids)
    rows = levels.values_list("sku_id", "location__warehouse_id").annotate(
        on_hand=Sum("on_hand"),
        usable=Sum("on_hand", filter=Q(location__kind__in=Location.USABLE), default=Decimal(0)),
        reserved=Sum("reserved"),
    )
    return {(sku, warehouse): Position(on_hand, usable, reserved) for sku, warehouse, on_hand, usable, reserved in rows}


def drifting_levels() -> list[dict[str, object]]:
    """Every level that differs from the sum of its movements or of its reservations; an empty list when all is well."""
    with connection.cursor() as cursor:
        cursor.execute(_DRIFT)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_DRIFT = """
WITH ledger AS (
    SELECT sku_id, location_id, lot_id, sum(quantity) AS quantity
    FROM warehouses_stockmovement GROUP BY sku_id, location_id, lot_id
), held AS (
    SELECT level_id, sum(quantity) AS quantity FROM warehouses_reservation GROUP BY level_id
)
SELECT coalesce(level.sku_id, ledger.sku_id) AS sku_id,
       coalesce(level.location_id, ledger.location_id) AS location_id,
       coalesce(level.lot_id, ledger.lot_id) AS lot_id,
       coalesce(level.on_hand, 0) AS on_hand, coalesce(ledger.quantity, 0) AS ledger_quantity,
       coalesce(level.reserved, 0) AS reserved, coalesce(held.quantity, 0) AS reservation_quantity
FROM warehouses_stocklevel level
FULL JOIN ledger ON ledger.sku_id = level.sku_id AND ledger.location_id = level.location_id
     AND coalesce(ledger.lot_id, 0) = coalesce(level.lot_id, 0)
LEFT JOIN held ON held.level_id = level.id
WHERE coalesce(level.on_hand, 0) <> coalesce(ledger.quantity, 0)
   OR coalesce(level.reserved, 0) <> coalesce(held.quantity, 0)
ORDER BY 1, 2, 3
"""
