"""Row locks of stock, and the lock order of the whole house.

Lock order, everywhere: document (sales order, return, purchase order) → its lines in primary-key order → stock levels in
primary-key order. Whoever needs several documents takes them in primary-key order too. Levels are locked only here.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import QuerySet

from warehouses.models import SalesOrder, StockLevel

LevelKey = tuple[int, int, int | None]
"""(sku id, location id, lot id)"""


def locked_order(order_id: int) -> SalesOrder:
    """The sales order, locked until the transaction ends. Raises SalesOrder.DoesNotExist."""
    _in_transaction()
    return SalesOrder.objects.select_for_update(of=("self",)).get(pk=order_id)


def locked_levels(levels: QuerySet[StockLevel]) -> list[StockLevel]:
    """These levels, locked in primary-key order."""
    _in_transaction()
    return list(levels.order_by("pk").select_for_update(of=("self",)))


def locked_levels_by_key(keys: Iterable[LevelKey]) -> dict[LevelKey, StockLevel]:
    """The levels of these keys, made where missing, locked in primary-key order: two statements, three when one is new."""
    _in_transaction()
    wanted = sorted(set(keys), key=lambda k: (k[0], k[1], k[2] or 0))
    found = _lock(wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        StockLevel.objects.bulk_create(
            [StockLevel(sku_id=sku, location_id=location, lot_id=lot) for sku, location, lot in missing],
            ignore_conflicts=True,
        )
        found = _lock(wanted)
    return found


def _lock(keys: list[LevelKey]) -> dict[LevelKey, StockLevel]:
    skus, locations, lots = ([key[i] for key in keys] for i in range(3))
    rows = StockLevel.objects.raw(
        "SELECT level.* FROM warehouses_stocklevel level "
        "JOIN unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS wanted(sku_id, location_id, lot_id) "
        "ON level.sku_id = wanted.sku_id AND level.location_id = wanted.location_id "
        "AND level.lot_id IS NOT DISTINCT FROM wanted.lot_id ORDER BY level.id FOR UPDATE OF level",
        [skus, locations, lots],
    )
    return {(row.sku_id, row.location_id, row.lot_id): row for row in rows}


def _in_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Locks are taken inside a transaction only.")
