"""What completing a pick does: the units lie in packing, reserved as before; what was not found is set aside.

Lock order: the order → the task → stock levels.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.fields import plain
from warehouses.locks import locked_order
from warehouses.models import (
    Location,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    StockLevel,
    StockMovement,
    StockStatus,
    Task,
)
from warehouses.services.backorders import reserve_backorders
from warehouses.services.held_moves import level_key_of, move_reservations, shrink_reservation
from warehouses.services.pick_tasks import is_its_level, pick_tasks_follow, pointless_picks, settle_picking
from warehouses.services.reservations import return_quotas
from warehouses.services.stock import Move, post_movements
from warehouses.services.task_handlers import Completion, TaskHandler, register_handler
from warehouses.services.tasks import make_tasks

SHORT = "short pick"
_NOTHING = Decimal(0)


def _lock(task: Task) -> SalesOrder | None:
    """The order behind the task; none when its reservation is gone."""
    row = Reservation.objects.filter(pk=task.subject_id or 0, line__isnull=False).select_related("line").first()
    return locked_order(row.line.order_id) if row and row.line else None


@dataclass(slots=True)
class _Pick:
    task: Task
    row: Reservation
    line: SalesOrderLine
    found: Decimal
    missing: Decimal


def _picked(completion: Completion) -> Decimal:
    """The units go to packing and stay reserved; what was not found there is set aside until it was counted."""
    task, order = completion.task, completion.held
    row = Reservation.objects.filter(pk=task.subject_id or 0).select_related("line", "level").first()
    if order is None or row is None or row.line is None or not is_its_level(row.level, task):
        raise Conflict(_("%s has lost its reason: its reservation is gone.") % task.number, code="pointless")
    wanted = min(task.quantity or _NOTHING, row.quantity)
    found = wanted if completion.quantity is None else completion.quantity
    if found > wanted:
        message = _("At most %s are asked for.") % plain(wanted)
        raise ValidationFailed(message, items=[{"field": "quantity", "message": message}])
    pick = _Pick(task, row, row.line, found, wanted - found)
    if pick.missing:
        _return_quotas(pick, order)
    _post(pick, now=completion.now, actor=completion.actor)
    if pick.missing:
        _count_again(pick, now=completion.now)
        reserve_backorders([task.sku_id], now=completion.now)
        words = _("short pick: %(found)s / %(wanted)s")
        completion.task.note = words % {"found": plain(found), "wanted": plain(wanted)}
    return found


def _return_quotas(pick: _Pick, order: SalesOrder) -> None:
    """What is not found goes back to the channel's quota, before levels are locked; what replaces it counts anew."""
    lines = list(SalesOrderLine.objects.filter(order=order, sku=pick.line.sku_id))
    for line in lines:
        line.reserved_quantity -= pick.missing if line.pk == pick.line.pk else _NOTHING
    return_quotas(order, lines)


def _post(pick: _Pick, *, now: datetime, actor: Any) -> None:
    key, packing = level_key_of(pick.task), pick.task.to_location
    assert packing is not None  # noqa: S101 (every pick has one)
    shared: Any = {
        "kind": StockMovement.Kind.MOVE,
        "sku_id": key.sku_id,
        "lot_id": key.lot_id,
        "reference": pick.task.number,
        "is_internal": True,
    }
    name = f"task:{pick.task.number}"
    moves = []
    if pick.found:
        out: Any = {"quantity": -pick.found, "release": pick.found, "idempotency_key": f"{name}:out"}
        in_: Any = {"quantity": pick.found, "hold": pick.found, "idempotency_key": f"{name}:in"}
        moves += [
            Move(location_id=key.location_id, reason="pick", **out, **shared),
            Move(location_id=packing.pk, reason="pick", **in_, **shared),
        ]
    if pick.missing:
        lost: Any = {"quantity": -pick.missing, "release": pick.missing, "idempotency_key": f"{name}:missing"}
        aside: Any = {"quantity": pick.missing, "status": StockStatus.BLOCKED, "idempotency_key": f"{name}:aside"}
        moves += [
            Move(location_id=key.location_id, reason=SHORT, **lost, **shared),
            Move(location_id=key.location_id, reason=SHORT, **aside, **shared),
        ]
    post_movements(moves, happened_at=now, actor=actor)
    _keep_books(pick, packing)


def _keep_books(pick: _Pick, packing: Location) -> None:
    """The reservation and its line, after the posting."""
    if pick.missing:
        shrink_reservation(pick.row, pick.missing)
    if pick.found:
        there: Any = level_key_of(pick.task)._replace(location_id=packing.pk)._asdict()
        level = StockLevel.objects.get(**there)
        move_reservations([(pick.row, pick.found)], level.pk)
    pick.line.reserved_quantity -= pick.missing
    pick.line.picked_quantity += pick.found
    pick.line.save(update_fields=["reserved_quantity", "picked_quantity"])


def _count_again(pick: _Pick, *, now: datetime) -> None:
    """The books say there are more: somebody counts what was set aside, which nobody is promised meanwhile."""
    task = pick.task
    words = _("short pick in %(task)s: %(missing)s missing, set aside as blocked.")
    note = words % {"task": task.number, "missing": plain(pick.missing)}
    count = Task(
        kind=Task.Kind.COUNT,
        warehouse_id=task.warehouse_id,
        sku_id=task.sku_id,
        lot_id=task.lot_id,
        status=StockStatus.BLOCKED,
        from_location_id=task.from_location_id,
        reference=task.number,
        priority=min(task.priority, 50),
        note=note[:200],
        created_at=now,
    )
    make_tasks([count])


def _settle(task: Task, order: Any, now: datetime) -> None:
    """Done, the order's other reservations get their tasks: stock found elsewhere, units reserved meanwhile."""
    if order is None:
        return
    if task.state == Task.State.DONE:
        pick_tasks_follow([order.pk], now=now)
    settle_picking(locked_order(order.pk))


register_handler(Task.Kind.PICK, TaskHandler(_picked, lock=_lock, pointless=pointless_picks, settle=_settle))
