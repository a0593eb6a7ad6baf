"""What completing a put-away or a move does: the units change bins, with what is reserved of them.

Lock order: the documents that hold the units → the task → stock levels.
"""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.fields import plain
from warehouses.models import Location, Task
from warehouses.services.backorders import reserve_backorders
from warehouses.services.held_moves import Holders, level_key_of, lock_holders, move_with_holds
from warehouses.services.pick_tasks import picking_goes_on
from warehouses.services.task_handlers import Completion, TaskHandler, register_handler
from warehouses.services.tasks import make_tasks

_NOTHING = Decimal(0)
_Kind = Task.Kind


def _lock(task: Task) -> Holders:
    return lock_holders(level_key_of(task), task.quantity or _NOTHING)


def _carried(completion: Completion) -> Decimal:
    """Move what was carried; what was left behind becomes a task of its own."""
    task, asked = completion.task, completion.task.quantity or _NOTHING
    to = completion.to_location or task.to_location
    quantity = asked if completion.quantity is None else completion.quantity
    if not 0 < quantity <= asked:
        message = _("More than 0 and at most %s; what was not carried at all is released.") % plain(asked)
        raise ValidationFailed(message, items=[{"field": "quantity", "message": message}])
    if to is None:
        raise Conflict(_("Say where it was put: no bin had room when the task was made."), code="no_place")
    source = task.from_location
    assert source is not None  # noqa: S101 (every task of this kind has one)
    orders = move_with_holds(
        level_key_of(task),
        to,
        quantity,
        holders=completion.held,
        idempotency_key=f"task:{task.number}",
        reference=task.number,
        reason=task.kind,
        now=completion.now,
        actor=completion.actor,
    )
    if orders:
        picking_goes_on(orders, now=completion.now)
    if quantity < asked:
        _leave_rest(task, asked - quantity, now=completion.now)
    if to.kind in Location.USABLE and source.kind not in Location.USABLE:
        reserve_backorders([task.sku_id], now=completion.now)
    return quantity


def _leave_rest(task: Task, quantity: Decimal, *, now: datetime) -> None:
    names = ("kind", "warehouse_id", "sku_id", "lot_id", "status", "from_location_id", "to_location_id", "reference")
    rest = Task(**{name: getattr(task, name) for name in names}, priority=task.priority, created_at=now)
    rest.quantity, rest.note = quantity, _("The rest of %s.") % task.number
    make_tasks([rest])


register_handler(_Kind.PUTAWAY, TaskHandler(_carried, lock=_lock))
register_handler(_Kind.MOVE, TaskHandler(_carried, lock=_lock))
