"""Row locks of stock, and the lock order of the whole house.

Lock order, everywhere: document (sales order, cart, transfer, count sheet, return, purchase order) → its lines in
primary-key order → quotas of the SKUs → stock levels in primary-key order → value pools in primary-key order (their
layers are guarded by them) → places with a capacity. Tasks come between documents and quotas. Whoever needs several
documents takes them in primary-key order too. Levels and pools are locked only here. Lines, reservations and returns of
an order change only while the order itself is locked, those of carts and transfers while the cart or the transfer is.

One exception, and why it cannot deadlock: stock that arrives (levels already locked) serves waiting orders, which would
be the wrong way round; `locked_waiting_orders` and `locked_free_levels` therefore never wait, they skip what is busy.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from config.kernel.errors import NotFound, ValidationFailed
from warehouses.models import ChannelQuota, Location, SalesOrder, SalesOrderLine, StockLevel, StockStatus


class LevelKey(NamedTuple):
    sku_id: int
    location_id: int
    lot_id: int | None = None
    status: str = StockStatus.AVAILABLE.value


class LockedLevel(NamedTuple):
    """A level we hold, with what a posting must know of its place."""

    pk: int
    sku_id: int
    location_id: int
    lot_id: int | None
    status: str
    on_hand: Decimal
    reserved: Decimal
    warehouse_id: int
    is_open: bool
    is_bin: bool
    is_limited: bool
    expires_on: date | None


class FreeLevel(NamedTuple):
    """A usable level we hold, with what decides when its units are taken."""

    pk: int
    sku_id: int
    warehouse_id: int
    location_id: int
    lot_id: int | None
    on_hand: Decimal
    reserved: Decimal
    kind: str
    code: str
    sequence: int
    picking_rule: str
    filled_at: datetime | None
    expires_on: date | None
    received_on: date | None


def locked_order(order_id: int) -> SalesOrder:
    """The sales order, locked until the transaction ends. Raises NotFound."""
    return locked_document(SalesOrder, order_id, missing=_("There is no such sales order."))


def locked_document(model: Any, pk: int, *, missing: str) -> Any:
    """A document's row, locked until the transaction ends. Raises NotFound with `missing`."""
    _in_transaction()
    row = model.objects.select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
    if row is None:
        raise NotFound(missing)
    return row


def locked_waiting_orders(lines: QuerySet[SalesOrderLine]) -> dict[int, SalesOrder]:
    """The orders of these lines by id, locked; orders another transaction is working on are left out."""
    _in_transaction()
    orders = SalesOrder.objects.filter(pk__in=lines.values("order_id")).order_by("pk")
    return {order.pk: order for order in orders.select_for_update(of=("self",), no_key=True, skip_locked=True)}


def locked_quotas(sku_ids: Iterable[int]) -> list[ChannelQuota]:
    """The quotas of these SKUs that were not released, locked in primary-key order; expired ones are among them."""
    _in_transaction()
    quotas = ChannelQuota.objects.filter(sku_id__in=list(sku_ids), released_at=None).order_by("pk")
    return list(quotas.select_for_update(of=("self",), no_key=True))


def locked_free_quotas(sku_ids: Iterable[int]) -> tuple[list[ChannelQuota], set[int]]:
    """As `locked_quotas`, but never waiting; and the SKUs another transaction holds a quota of."""
    _in_transaction()
    open_quotas = ChannelQuota.objects.filter(sku_id__in=list(sku_ids), released_at=None)
    there = dict(open_quotas.values_list("pk", "sku_id"))
    if not there:
        return [], set()
    rows = ChannelQuota.objects.filter(pk__in=there, released_at=None).order_by("pk")
    ours = list(rows.select_for_update(of=("self",), no_key=True, skip_locked=True))
    return ours, {there[pk] for pk in there.keys() - {row.pk for row in ours}}


def locked_usable_levels(
    sku_ids: Iterable[int], warehouse_ids: Iterable[int], *, today: date, skip_busy: bool = False
) -> list[FreeLevel]:
    """The levels whose stock can be promised (as `selectors.stock.usable` says), locked in primary-key order.

    One statement and no model instances: every order passes here. `skip_busy` never waits.
    """
    _in_transaction()
    values: list[Any] = [list(sku_ids), list(warehouse_ids), StockStatus.AVAILABLE.value, _USABLE, today]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_USABLE + ("SKIP LOCKED" if skip_busy else ""), values)
        return [FreeLevel(*row) for row in cursor.fetchall()]


def locked_levels(levels: QuerySet[StockLevel]) -> list[StockLevel]:
    """These levels, locked in primary-key order."""
    _in_transaction()
    return list(levels.order_by("pk").select_for_update(of=("self",), no_key=True))


def locked_free_levels(levels: QuerySet[StockLevel]) -> list[StockLevel]:
    """These levels, locked; levels another transaction is working on are left out."""
    _in_transaction()
    return list(levels.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True))


def locked_levels_by_key(keys: Iterable[LevelKey]) -> dict[LevelKey, LockedLevel]:
    """The levels of these keys, made where missing, locked in primary-key order: two statements.

    Missing levels are made first, in the order of their keys, and only then is anything locked: two postings that make
    the same level meet at its unique index while neither holds a lock the other wants. Raises ValidationFailed when a
    key names a SKU, a location or a lot that does not exist, or the lot of another SKU.
    """
    _in_transaction()
    wanted = sorted({LevelKey(*key) for key in keys}, key=lambda k: (k.sku_id, k.location_id, k.lot_id or 0, k.status))
    columns = [[key[i] for key in wanted] for i in range(4)]
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_MISSING, columns)
        cursor.execute(_LOCK, columns)
        found = {LevelKey(*row[1:5]): LockedLevel(*row) for row in cursor.fetchall()}
    if len(found) < len(wanted):
        unknown = [key._asdict() for key in wanted if key not in found]
        raise ValidationFailed(_("No such SKU, location or lot, or a lot of another SKU."), items=unknown)
    return found


def lock_places(location_ids: Collection[int], warehouse_ids: Collection[int]) -> None:
    """Places whose capacity is about to be compared, so that two postings do not fill the same room."""
    _in_transaction()
    with connection.cursor() as cursor:
        for table, ids in (("warehouses_location", location_ids), ("warehouses_warehouse", warehouse_ids)):
            if ids:
                cursor.execute(
                    f"SELECT 1 FROM {table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",  # noqa: S608
                    [sorted(ids)],
                )


_USABLE = [kind.value for kind in Location.USABLE]

_LOCK_USABLE = """
SELECT level.id, level.sku_id, location.warehouse_id, level.location_id, level.lot_id, level.on_hand, level.reserved,
       location.kind, location.code, location.sequence, warehouse.picking_rule, level.filled_at, lot.expires_on,
       lot.received_on
FROM warehouses_stocklevel level
JOIN warehouses_location location ON location.id = level.location_id
JOIN warehouses_warehouse warehouse ON warehouse.id = location.warehouse_id
LEFT JOIN warehouses_lot lot ON lot.id = level.lot_id
WHERE level.sku_id = ANY(%s) AND location.warehouse_id = ANY(%s) AND level.status = %s AND location.kind = ANY(%s)
  AND location.is_active AND (lot.expires_on IS NULL OR lot.expires_on >= %s)
ORDER BY level.id FOR NO KEY UPDATE OF level
"""

_WANTED = (
    "unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) "
    "WITH ORDINALITY AS wanted(sku_id, location_id, lot_id, status, place)"
)

# The value pool of a new level is made with it. A level that is there has its pool, so nothing is written twice.
_MAKE_MISSING = f"""
WITH missing AS (
    SELECT wanted.*, location.warehouse_id
    FROM {_WANTED}
    JOIN catalog_sku sku ON sku.id = wanted.sku_id
    JOIN warehouses_location location ON location.id = wanted.location_id
    LEFT JOIN warehouses_lot lot ON lot.id = wanted.lot_id
    WHERE lot.sku_id IS NOT DISTINCT FROM CASE WHEN wanted.lot_id IS NOT NULL THEN wanted.sku_id END
      AND NOT EXISTS (
        SELECT 1 FROM warehouses_stocklevel level WHERE level.sku_id = wanted.sku_id
        AND level.location_id = wanted.location_id AND level.lot_id IS NOT DISTINCT FROM wanted.lot_id
        AND level.status = wanted.status)
), pooled AS (
    INSERT INTO warehouses_stockvalue (sku_id, warehouse_id, quantity, value)
    SELECT DISTINCT sku_id, warehouse_id, 0, 0 FROM missing ORDER BY sku_id, warehouse_id
    ON CONFLICT DO NOTHING
)
INSERT INTO warehouses_stocklevel (sku_id, location_id, lot_id, status, on_hand, reserved, updated_at)
SELECT sku_id, location_id, lot_id, status, 0, 0, now() FROM missing
ORDER BY place
ON CONFLICT DO NOTHING
"""  # noqa: S608 (no values in it, only the text above)

_LOCK = f"""
SELECT level.id, level.sku_id, level.location_id, level.lot_id, level.status, level.on_hand, level.reserved,
       location.warehouse_id, location.is_active AND warehouse.is_active, location.level = 'bin',
       location.capacity_units IS NOT NULL OR warehouse.capacity_units IS NOT NULL, lot.expires_on
FROM {_WANTED}
JOIN warehouses_stocklevel level
  ON level.sku_id = wanted.sku_id AND level.location_id = wanted.location_id
  AND level.lot_id IS NOT DISTINCT FROM wanted.lot_id AND level.status = wanted.status
JOIN warehouses_location location ON location.id = level.location_id
JOIN warehouses_warehouse warehouse ON warehouse.id = location.warehouse_id
LEFT JOIN warehouses_lot lot ON lot.id = level.lot_id
ORDER BY level.id FOR NO KEY UPDATE OF level
"""  # noqa: S608


def _in_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Locks are taken inside a transaction only.")
