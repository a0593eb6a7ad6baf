"""Which stock is held for which line: holding levels, letting them go, and what of quotas goes with it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from django.db import connection

from warehouses.locks import locked_levels, locked_quotas
from warehouses.models import (
    CartLine,
    Location,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    StockLevel,
    TransferLine,
)
from warehouses.services.free_stock import FreeStock, locked_free_stock, removal_order
from warehouses.services.stock import change_reservations

__all__ = [
    "FreeStock",
    "Holder",
    "hold",
    "locked_free_stock",
    "release",
    "release_units",
    "removal_order",
    "return_quotas",
    "use_quotas",
]

_NOTHING = Decimal(0)

Holder = SalesOrderLine | CartLine | TransferLine
"""Whose line a reservation can be."""


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
    _let_go([(row, row.quantity) for row in reservations])


def release_units(units: Mapping[int, Decimal], lines: Sequence[SalesOrderLine]) -> None:
    """Let go of so many units a line (order line id → units); the caller saves the lines' `reserved_quantity`.

    What is not picked goes first, then what lies in packing, the youngest reservation before the older ones; what is
    let go of in packing is subtracted from the line's `picked_quantity`, and lies there for nobody.
    """
    wanted = {pk: quantity for pk, quantity in units.items() if quantity > 0}
    if not wanted:
        return
    by_id = {line.pk: line for line in lines}
    rows = Reservation.objects.filter(line__in=wanted).select_related("level__location").order_by("-pk")
    parts = []
    for row in sorted(rows, key=lambda row: row.level.location.kind == Location.Kind.PACKING):
        part = min(wanted[row.line_id], row.quantity)  # type: ignore[index]
        if part > 0:
            wanted[row.line_id] -= part  # type: ignore[index]
            parts.append((row, part))
            if row.level.location.kind == Location.Kind.PACKING:
                by_id[row.line_id].picked_quantity -= part  # type: ignore[index]
    locked_levels(StockLevel.objects.filter(pk__in={row.level_id for row, _part in parts}))
    _let_go(parts)


def _let_go(parts: Sequence[tuple[Reservation, Decimal]]) -> None:
    """Of each reservation so many units; the levels are locked."""
    deltas: dict[int, Decimal] = defaultdict(Decimal)
    for row, part in parts:
        deltas[row.level_id] -= part
    shrink([(row.pk, row.quantity - part) for row, part in parts])
    change_reservations(deltas, sku_ids={row.level.sku_id for row, _part in parts})


def shrink(reservations: Sequence[tuple[int, Decimal]]) -> None:
    """(reservation id, units that stay): where nothing stays the reservation ends."""
    gone = [pk for pk, left in reservations if not left]
    kept = [row for row in reservations if row[1]]
    if gone:
        Reservation.objects.filter(pk__in=gone).delete()
    if kept:
        with connection.cursor() as cursor:
            cursor.execute(_SHRINK, [list(column) for column in zip(*kept, strict=True)])


def use_quotas(used: Mapping[int, Decimal]) -> None:
    """Count units (quota id → units, negative gives back) as used; the quotas are locked by whoever took the units."""
    rows = [(pk, units) for pk, units in used.items() if units]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_USE_QUOTAS, [list(column) for column in zip(*rows, strict=True)])


def return_quotas(order: SalesOrder, lines: Iterable[SalesOrderLine]) -> None:
    """Give back what the order used of its channel's quotas and keeps no more: `lines` with what they now hold or sent.

    Units outside the quota go first. To be called before levels are locked. The order's own note is saved with it.
    """
    said: Mapping[str, str] = order.sourcing.get("quota", {})
    if not said:
        return
    kept: dict[int, Decimal] = defaultdict(Decimal)
    skus = set()
    for line in lines:
        skus.add(line.sku_id)
        if not line.is_kit:
            kept[line.sku_id] += line.reserved_quantity + line.shipped_quantity
    now_used: dict[str, str] = dict(said)
    back: dict[int, Decimal] = {}
    for quota in locked_quotas(skus):
        before = Decimal(said.get(str(quota.pk), 0))
        after = min(before, kept[quota.sku_id])
        if after < before:
            back[quota.pk] = -min(before - after, quota.used)
            now_used[str(quota.pk)] = f"{after:f}"
    use_quotas(back)
    order.sourcing = {**order.sourcing, "quota": {pk: units for pk, units in now_used.items() if Decimal(units)}}
    order.save(update_fields=["sourcing"])


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

_SHRINK = """
UPDATE warehouses_reservation held SET quantity = new.quantity
FROM unnest(%s::bigint[], %s::numeric[]) AS new(id, quantity) WHERE held.id = new.id
"""

_USE_QUOTAS = """
UPDATE warehouses_channelquota quota SET used = quota.used + change.units
FROM unnest(%s::bigint[], %s::numeric[]) AS change(id, units) WHERE quota.id = change.id
"""
