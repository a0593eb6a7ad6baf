"""Which stock is held for which order line: choosing the levels, holding them, letting go, serving who waits.

Within a warehouse what is taken first is its picking rule's choice (FEFO, FIFO, nearest bin); receiving comes last.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from config.kernel.transactions import one_transaction
from warehouses.locks import locked_free_levels, locked_levels, locked_waiting_orders
from warehouses.models import (
    CartLine,
    Location,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    StockLevel,
    TransferLine,
    Warehouse,
)
from warehouses.selectors.sales import waiting_lines
from warehouses.selectors.stock import usable
from warehouses.services.stock import change_reservations

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

Holder = SalesOrderLine | CartLine | TransferLine
"""Whose line a reservation can be."""


@dataclass(frozen=True, slots=True)
class FreeStock:
    """What is free of the levels we hold locked; taking from it makes it smaller, so lines of one SKU share it."""

    levels: Mapping[tuple[int, int], list[StockLevel]]
    """(sku id, warehouse id) → levels in the order they are taken."""
    taken: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @classmethod
    def of(cls, levels: Iterable[StockLevel]) -> "FreeStock":
        """The levels need their location and lot loaded."""
        groups: dict[tuple[int, int], list[StockLevel]] = defaultdict(list)
        for level in sorted(levels, key=removal_order):
            groups[level.sku_id, level.location.warehouse_id].append(level)
        return cls(groups)

    def available(self, sku_id: int, warehouse_id: int) -> Decimal:
        return sum((self._free(level) for level in self.levels.get((sku_id, warehouse_id), ())), Decimal(0))

    def take(self, sku_id: int, warehouse_id: int, quantity: Decimal) -> dict[int, Decimal]:
        """Up to `quantity` units, level id → units."""
        parts: dict[int, Decimal] = {}
        for level in self.levels.get((sku_id, warehouse_id), ()):
            part = min(self._free(level), quantity - sum(parts.values()))
            if part > 0:
                parts[level.pk] = part
                self.taken[level.pk] += part
        return parts

    def choose(self, sku_id: int, warehouse_ids: Sequence[int], quantity: Decimal) -> int:
        """The first warehouse that can serve the whole quantity; if none can, the (first) one with most."""
        free = {warehouse: self.available(sku_id, warehouse) for warehouse in warehouse_ids}
        whole = (warehouse for warehouse in warehouse_ids if free[warehouse] >= quantity)
        return next(whole, max(warehouse_ids, key=free.__getitem__))

    def _free(self, level: StockLevel) -> Decimal:
        return level.on_hand - level.reserved - self.taken[level.pk]


def locked_free_stock(sku_ids: Iterable[int], warehouse_ids: Iterable[int], *, now: datetime) -> FreeStock:
    """The usable levels of these SKUs in these warehouses, locked in primary-key order."""
    levels = StockLevel.objects.filter(usable(timezone.localdate(now)), sku_id__in=list(sku_ids))
    return FreeStock.of(
        locked_levels(
            levels.filter(location__warehouse_id__in=list(warehouse_ids)).select_related("location__warehouse", "lot")
        )
    )


def hold(parts: Sequence[tuple[Holder, Mapping[int, Decimal]]]) -> None:
    """Write what was taken of locked levels: reservations and the levels' `reserved`; the caller saves the lines.

    All lines are of one kind (order, cart or transfer lines).
    """
    rows = [(line.pk, level_id, quantity) for line, taken in parts for level_id, quantity in taken.items()]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_HOLD[type(parts[0][0])], [list(column) for column in zip(*rows, strict=True)])
    deltas: dict[int, Decimal] = defaultdict(Decimal)
    for _line_id, level_id, quantity in rows:
        deltas[level_id] += quantity
    change_reservations(deltas, sku_ids={line.sku_id for line, taken in parts if taken})


def release(lines: Iterable[Holder]) -> None:
    """Let go of everything these lines hold (their document is locked; all of one kind); the caller saves the lines."""
    lines = list(lines)
    if not lines:
        return
    reservations = list(Reservation.objects.filter(**{f"{_COLUMN[type(lines[0])]}__in": lines}).select_related("level"))
    locked_levels(StockLevel.objects.filter(pk__in={row.level_id for row in reservations}))
    deltas: dict[int, Decimal] = defaultdict(Decimal)
    for row in reservations:
        deltas[row.level_id] -= row.quantity
    Reservation.objects.filter(pk__in=[row.pk for row in reservations]).delete()
    change_reservations(deltas, sku_ids={row.level.sku_id for row in reservations})


@one_transaction
def reserve_backorders(sku_ids: Iterable[int] | None = None, *, now: datetime) -> int:
    """Give free stock to lines that wait for it, by channel priority, then oldest first; how many lines got some.

    To be called in the transaction that made stock free (receipt, return, cancellation, adjustment). It never waits for
    a lock (see warehouses.locks), so an order or level that is busy elsewhere is passed over; the task
    `warehouses.reserve_backorders` comes back for it. A line is served from its own warehouse.
    """
    waiting = waiting_lines(sku_ids)
    orders = locked_waiting_orders(waiting)
    # Read again now that the orders are ours: a rival may have shipped or cancelled lines since the first look.
    lines = list(
        waiting.filter(order__in=list(orders)).order_by(
            "order__channel__priority", "order__ordered_at", "order_id", "line_number"
        )
    )
    if not lines:
        return 0
    free = FreeStock.of(_free_levels_for(lines, timezone.localdate(now)))
    parts = []
    for line in lines:
        taken = free.take(line.sku_id, line.warehouse_id, line.backordered)  # type: ignore[attr-defined]
        line.reserved_quantity += sum(taken.values())
        parts.append((line, taken))
    served = [line for line, taken in parts if taken]
    hold(parts)
    SalesOrderLine.objects.bulk_update(served, ["reserved_quantity"], batch_size=2000)
    _no_longer_backordered({line.order_id for line in served})
    return len(served)


def _free_levels_for(lines: Sequence[SalesOrderLine], today: date) -> list[StockLevel]:
    levels = StockLevel.objects.filter(
        usable(today),
        sku_id__in={line.sku_id for line in lines},
        location__warehouse_id__in={line.warehouse_id for line in lines},
    )
    return locked_free_levels(levels.select_related("location__warehouse", "lot"))


def _no_longer_backordered(order_ids: Iterable[int]) -> None:
    orders = SalesOrder.objects.filter(pk__in=list(order_ids), status=SalesOrder.Status.BACKORDERED)
    orders.exclude(pk__in=waiting_lines().values("order_id")).update(status=SalesOrder.Status.RESERVED)


def removal_order(level: StockLevel) -> tuple[bool, Any, int]:
    """What is taken first of one warehouse, by its picking rule; what is still in receiving comes last."""
    rule = level.location.warehouse.picking_rule
    expires_on = (level.lot.expires_on if level.lot else None) or date.max
    came_in = level.filled_at or _LONG_AGO
    if rule == Warehouse.PickingRule.NEAREST:
        order: Any = (level.location.sequence, level.location.code, expires_on)
    elif rule == Warehouse.PickingRule.FIFO:
        order = ((level.lot.received_on if level.lot else None) or came_in.date(), came_in, level.location.sequence)
    else:
        order = (expires_on, came_in, level.location.sequence)
    return (level.location.kind == Location.Kind.RECEIVING, order, level.pk)


_COLUMN: dict[type, str] = {SalesOrderLine: "line", CartLine: "cart_line", TransferLine: "transfer_line"}


def _hold_sql(column: str) -> str:
    """A line that waits may hold some of a level already."""
    condition = "" if column == "line" else f"WHERE {column}_id IS NOT NULL"
    return f"""
        INSERT INTO warehouses_reservation ({column}_id, level_id, quantity)
        SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[])
        ON CONFLICT ({column}_id, level_id) {condition}
        DO UPDATE SET quantity = warehouses_reservation.quantity + excluded.quantity
    """  # noqa: S608 (no values in it, only the column's name)


_HOLD = {kind: _hold_sql(column) for kind, column in _COLUMN.items()}
