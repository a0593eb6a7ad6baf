"""Row locks of stock, and the lock order of the whole house.

Lock order, everywhere: document (sales order, return, purchase order) → its lines in primary-key order → stock levels
in primary-key order. Whoever needs several documents takes them in primary-key order too. Levels are locked only here.
Lines, reservations and returns of an order change only while the order itself is locked.

One exception, and why it cannot deadlock: stock that arrives (levels already locked) serves waiting orders, which would
be the wrong way round; `locked_waiting_orders` and `locked_free_levels` therefore never wait, they skip what is busy.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from config.kernel.errors import NotFound, ValidationFailed
from warehouses.models import SalesOrder, SalesOrderLine, StockLevel

LevelKey = tuple[int, int, int | None]
"""(sku id, location id, lot id)"""


def locked_order(order_id: int) -> SalesOrder:
    """The sales order, locked until the transaction ends. Raises NotFound."""
    _in_transaction()
    order = SalesOrder.objects.select_for_update(of=("self",), no_key=True).filter(pk=order_id).first()
    if order is None:
        raise NotFound(_("There is no such sales order."))
    return order


def locked_waiting_orders(lines: QuerySet[SalesOrderLine]) -> dict[int, SalesOrder]:
    """The orders of these lines by id, locked; orders another transaction is working on are left out."""
    _in_transaction()
    orders = SalesOrder.objects.filter(pk__in=lines.values("order_id")).order_by("pk")
    return {order.pk: order for order in orders.select_for_update(of=("self",), no_key=True, skip_locked=True)}


def locked_levels(levels: QuerySet[StockLevel]) -> list[StockLevel]:
    """These levels, locked in primary-key order."""
    _in_transaction()
    return list(levels.order_by("pk").select_for_update(of=("self",), no_key=True))


def locked_free_levels(levels: QuerySet[StockLevel]) -> list[StockLevel]:
    """These levels, locked; levels another transaction is working on are left out."""
    _in_transaction()
    return list(levels.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True))


def locked_levels_by_key(keys: Iterable[LevelKey]) -> dict[LevelKey, StockLevel]:
    """The levels of these keys, made where missing, locked in primary-key order: two statements.

    Missing levels are made first, in the order of their keys, and only then is anything locked: two postings that make
    the same level meet at its unique index while neither holds a lock the other wants. Raises ValidationFailed when a
    key names a SKU, a location or a lot that does not exist, or the lot of another SKU.
    """
    _in_transaction()
    wanted = sorted(set(keys), key=lambda k: (k[0], k[1], k[2] or 0))
    columns = [[key[i] for key in wanted] for i in range(3)]
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_MISSING, columns)
    found = {(row.sku_id, row.location_id, row.lot_id): row for row in StockLevel.objects.raw(_LOCK, columns)}
    if len(found) < len(wanted):
        unknown = [dict(zip(("sku_id", "location_id", "lot_id"), k, strict=True)) for k in wanted if k not in found]
        raise ValidationFailed(_("No such SKU, location or lot, or a lot of another SKU."), items=unknown)
    return found


_WANTED = (
    "unnest(%s::bigint[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS wanted(sku_id, location_id, lot_id, place)"
)

_MAKE_MISSING = f"""
INSERT INTO warehouses_stocklevel (sku_id, location_id, lot_id, on_hand, reserved, updated_at)
SELECT wanted.sku_id, wanted.location_id, wanted.lot_id, 0, 0, now()
FROM {_WANTED}
JOIN catalog_sku sku ON sku.id = wanted.sku_id
JOIN warehouses_location location ON location.id = wanted.location_id
LEFT JOIN warehouses_lot lot ON lot.id = wanted.lot_id
WHERE lot.sku_id IS NOT DISTINCT FROM CASE WHEN wanted.lot_id IS NOT NULL THEN wanted.sku_id END
  AND NOT EXISTS (
    SELECT 1 FROM warehouses_stocklevel level WHERE level.sku_id = wanted.sku_id
    AND level.location_id = wanted.location_id AND level.lot_id IS NOT DISTINCT FROM wanted.lot_id)
ORDER BY wanted.place
ON CONFLICT DO NOTHING
"""  # noqa: S608 (no values in it, only the text above)

_LOCK = f"""
SELECT level.* FROM warehouses_stocklevel level
JOIN {_WANTED}
  ON level.sku_id = wanted.sku_id AND level.location_id = wanted.location_id
  AND level.lot_id IS NOT DISTINCT FROM wanted.lot_id
ORDER BY level.id FOR NO KEY UPDATE OF level
"""  # noqa: S608


def _in_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Locks are taken inside a transaction only.")
