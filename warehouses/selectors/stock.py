"""Stock as numbers: what is on hand, usable, reserved and available; and the proof that levels and ledger agree."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.models import Q, Sum

from warehouses.models import Location, StockLevel, StockStatus


@dataclass(frozen=True, slots=True)
class Position:
    """Units of one SKU in one warehouse. available = usable − reserved; what is in transit to it is not on hand yet."""

    on_hand: Decimal = Decimal(0)
    usable: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    in_transit: Decimal = Decimal(0)

    @property
    def available(self) -> Decimal:
        return self.usable - self.reserved


def usable(today: date | None = None) -> Q:
    """The levels whose stock can be promised and shipped: available, in an active, usable bin, not expired `today`."""
    places = Q(status=StockStatus.AVAILABLE, location__kind__in=Location.USABLE, location__is_active=True)
    if today is None:
        return places
    return places & (Q(lot=None) | Q(lot__expires_on=None) | Q(lot__expires_on__gte=today))


def stock_positions(
    sku_ids: Iterable[int] | None = None, *, today: date | None = None
) -> dict[tuple[int, int], Position]:
    """(sku id, warehouse id) → Position, in one query; all SKUs with a level when none are named.

    With `today`, lots that expired before it are on hand but not usable.
    """
    in_transit = Q(location__kind=Location.Kind.IN_TRANSIT)
    levels = StockLevel.objects.all() if sku_ids is None else StockLevel.objects.filter(sku_id__in=list(sku_ids))
    rows = (
        levels.order_by()
        .values("sku_id", "location__warehouse_id")
        .annotate(
            total=Sum("on_hand", filter=~in_transit, default=Decimal(0)),
            usable_total=Sum("on_hand", filter=usable(today), default=Decimal(0)),
            # What is picked lies in packing: reserved, and no more among the usable units.
            reserved_total=Sum("reserved", filter=usable(today), default=Decimal(0)),
            transit_total=Sum("on_hand", filter=in_transit, default=Decimal(0)),
        )
        .values_list("sku_id", "location__warehouse_id", "total", "usable_total", "reserved_total", "transit_total")
    )
    return {(sku, warehouse): Position(*figures) for sku, warehouse, *figures in rows}


def drifting_levels() -> list[dict[str, object]]:
    """Every level that differs from the sum of its movements or of its reservations; an empty list when all is well.

    Ids and names of SKU, location and lot; on_hand and ledger_quantity; reserved and reservation_quantity.
    """
    return _rows(_LEVEL_DRIFT)


def drifting_lines() -> list[dict[str, object]]:
    """Every order line whose reserved quantity differs from the sum of its reservations."""
    return _rows(_LINE_DRIFT)


def _rows(query: str) -> list[dict[str, object]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_LEVEL_DRIFT = """
WITH ledger AS (
    SELECT sku_id, location_id, lot_id, status, sum(quantity) AS quantity
    FROM warehouses_stockmovement GROUP BY sku_id, location_id, lot_id, status
), held AS (
    SELECT level_id, sum(quantity) AS quantity FROM warehouses_reservation GROUP BY level_id
), compared AS (
    SELECT coalesce(level.sku_id, ledger.sku_id) AS sku_id,
           coalesce(level.location_id, ledger.location_id) AS location_id,
           coalesce(level.lot_id, ledger.lot_id) AS lot_id,
           coalesce(level.status, ledger.status) AS status,
           coalesce(level.on_hand, 0) AS on_hand, coalesce(ledger.quantity, 0) AS ledger_quantity,
           coalesce(level.reserved, 0) AS reserved, coalesce(held.quantity, 0) AS reservation_quantity
    FROM warehouses_stocklevel level
    FULL JOIN ledger ON ledger.sku_id = level.sku_id AND ledger.location_id = level.location_id
         AND coalesce(ledger.lot_id, 0) = coalesce(level.lot_id, 0) AND ledger.status = level.status
    LEFT JOIN held ON held.level_id = level.id
)
SELECT compared.*, sku.code AS sku, warehouse.code || '/' || location.code AS location, coalesce(lot.code, '') AS lot
FROM compared
JOIN catalog_sku sku ON sku.id = compared.sku_id
JOIN warehouses_location location ON location.id = compared.location_id
JOIN warehouses_warehouse warehouse ON warehouse.id = location.warehouse_id
LEFT JOIN warehouses_lot lot ON lot.id = compared.lot_id
WHERE on_hand <> ledger_quantity OR reserved <> reservation_quantity
ORDER BY compared.sku_id, compared.location_id, compared.lot_id
"""

_LINE_DRIFT = """
SELECT line.id AS line_id, line.order_id, line.line_number, sku.code AS sku,
       line.reserved_quantity AS reserved, coalesce(held.quantity, 0) AS reservation_quantity
FROM warehouses_salesorderline line
JOIN catalog_sku sku ON sku.id = line.sku_id
LEFT JOIN (SELECT line_id, sum(quantity) AS quantity FROM warehouses_reservation GROUP BY line_id) held
     ON held.line_id = line.id
WHERE line.reserved_quantity <> coalesce(held.quantity, 0) AND NOT line.is_kit
ORDER BY line.id
"""
