"""Stock that moves inside a warehouse and takes along what is reserved of it.

Free units go first; when more is moved than is free, reservations go with their units. A reservation changes only while
its document is locked, so the documents are locked before the level (`lock_holders`); those that came to hold units
meanwhile are asked without waiting.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q

from warehouses.locks import LevelKey, locked_levels_by_key
from warehouses.models import Cart, Location, Reservation, SalesOrder, StockLevel, StockMovement, Task, Transfer
from warehouses.services.stock import Move, post_movements

_NOTHING = Decimal(0)
# In the lock order of the house: orders, carts, transfers.
_HOLDERS: tuple[tuple[type, str], ...] = (
    (SalesOrder, "line__order_id"),
    (Cart, "cart_line__cart_id"),
    (Transfer, "transfer_line__transfer_id"),
)


@dataclass(slots=True)
class Holders:
    """The documents that hold units of a level, locked."""

    ids: dict[type, set[int]] = field(default_factory=lambda: {model: set() for model, _path in _HOLDERS})

    def theirs(self) -> Q:
        """Their reservations."""
        condition = Q(pk__in=[])
        for model, path in _HOLDERS:
            condition |= Q(**{f"{path}__in": self.ids[model]})
        return condition

    def lock(self, reservations: Any, *, is_waiting: bool) -> None:
        for model, path in _HOLDERS:
            missing = set(reservations.values_list(path, flat=True)) - {None} - self.ids[model]
            if missing:
                manager: Any = model
                rows = manager.objects.filter(pk__in=missing).order_by("pk")
                locked = rows.select_for_update(of=("self",), no_key=True, skip_locked=not is_waiting)
                self.ids[model] |= set(locked.values_list("pk", flat=True))


def lock_holders(key: LevelKey, quantity: Decimal) -> Holders:
    """Lock the documents whose reservations may have to go along when so many units leave this level."""
    holders = Holders()
    level = _level(key)
    if level is not None and level.on_hand - level.reserved < quantity:
        holders.lock(Reservation.objects.filter(level=level), is_waiting=True)
    return holders


def move_with_holds(
    key: LevelKey,
    to: Location,
    quantity: Decimal,
    *,
    holders: Holders,
    idempotency_key: str,
    reference: str,
    reason: str,
    now: datetime,
    actor: Any = None,
) -> set[int]:
    """Move units of one level to another bin of its warehouse; the orders (ids, locked) whose reservations moved.

    Reservations that somebody is picking at this moment stay where they are, and none goes to a bin that is not for
    stock that can be promised. Locks both levels. Raises what a posting raises: InsufficientStock when more is asked
    than is free or can go along, ValidationFailed when the bin is closed or full.
    """
    there = LevelKey(key.sku_id, to.pk, key.lot_id, key.status)
    levels = locked_levels_by_key([key, there])
    level = levels[key]
    parts = _going_along(level.pk, quantity - (level.on_hand - level.reserved), to, holders)
    held = sum((part for _row, part in parts), _NOTHING)
    shared: Any = {
        "kind": StockMovement.Kind.MOVE,
        "sku_id": key.sku_id,
        "lot_id": key.lot_id,
        "status": key.status,
        "reference": reference,
        "reason": reason,
        "is_internal": True,
    }
    out = Move(
        location_id=key.location_id,
        quantity=-quantity,
        release=held,
        idempotency_key=f"{idempotency_key}:out",
        **shared,
    )
    in_ = Move(location_id=to.pk, quantity=quantity, hold=held, idempotency_key=f"{idempotency_key}:in", **shared)
    post_movements([out, in_], happened_at=now, actor=actor)
    was_picked = bool(parts) and Location.objects.filter(pk=key.location_id, kind=Location.Kind.PACKING).exists()
    move_reservations(parts, levels[there].pk)
    for row, part in parts:
        if was_picked and row.line is not None:
            row.line.picked_quantity -= part
            row.line.save(update_fields=["picked_quantity"])
    return {row.line.order_id for row, _part in parts if row.line is not None}


def _going_along(level_id: int, missing: Decimal, to: Location, holders: Holders) -> list[tuple[Reservation, Decimal]]:
    """(reservation, units of it) that cover what is not free; fewer than `missing` when no more can go."""
    if missing <= 0 or to.kind not in Location.USABLE:
        return []
    rows = Reservation.objects.filter(level_id=level_id)
    holders.lock(rows, is_waiting=False)
    picked = Task.objects.filter(kind=Task.Kind.PICK, state=Task.State.CLAIMED, subject_id__isnull=False)
    movable = rows.filter(holders.theirs()).exclude(pk__in=picked.values("subject_id"))
    parts = []
    for row in movable.select_related("line").order_by("pk"):
        part = min(row.quantity, missing)
        if part > 0:
            parts.append((row, part))
            missing -= part
    return parts


def move_reservations(parts: Iterable[tuple[Reservation, Decimal]], to_level_id: int) -> None:
    """Write that so many units of these reservations are held at another level; the levels' `reserved` was posted.

    The row itself moves when all of it does and the line holds nothing there yet; otherwise it is merged or split.
    """
    for row, part in parts:
        column = next(name for name in ("line_id", "cart_line_id", "transfer_line_id") if getattr(row, name))
        rows = Reservation.objects.filter(**{column: getattr(row, column)}, level_id=to_level_id)
        twin = rows.first()
        if twin is None and part == row.quantity:
            Reservation.objects.filter(pk=row.pk).update(level_id=to_level_id)
            continue
        shrink_reservation(row, part)
        if twin is not None:
            Reservation.objects.filter(pk=twin.pk).update(quantity=twin.quantity + part)
        else:
            Reservation.objects.create(**{column: getattr(row, column)}, level_id=to_level_id, quantity=part)


def shrink_reservation(row: Reservation, quantity: Decimal) -> None:
    """Take so many units off a reservation; one of nothing is deleted."""
    row.quantity -= quantity
    if row.quantity:
        Reservation.objects.filter(pk=row.pk).update(quantity=row.quantity)
    else:
        Reservation.objects.filter(pk=row.pk).delete()


def _level(key: LevelKey) -> StockLevel | None:
    where: Any = key._asdict()
    return StockLevel.objects.filter(**where).first()


def level_key_of(task: Task) -> LevelKey:
    """The level a task takes from."""
    assert task.from_location_id is not None  # noqa: S101 (picks, put-aways and moves have one)
    return LevelKey(task.sku_id, task.from_location_id, task.lot_id, task.status)
