"""Counts as work on the floor: a task for every line, for scanners and robots; and the count after a short pick."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.locks import LevelKey
from warehouses.models import CountLine, CountSheet, Task
from warehouses.selectors.counting import open_lines
from warehouses.services.count_entry import enter_counts
from warehouses.services.count_sheets import lines_of, locked_sheet, tasks_of, write_sheets
from warehouses.services.count_states import Action, next_status
from warehouses.services.held_moves import level_key_of
from warehouses.services.task_handlers import Completion, TaskHandler, register_handler
from warehouses.services.tasks import make_tasks

_COUNTING = (CountSheet.Status.OPEN, CountSheet.Status.RECOUNT)


@one_transaction
def create_count_tasks(sheet_id: int, *, priority: int = 100, now: datetime, actor: Any = None) -> list[Task]:
    """A task for every line that is still to be counted; the waiting tasks of the sheet. Again makes no second ones.

    Locks the sheet. Raises NotFound, Conflict when the sheet is not being counted.
    """
    sheet = locked_sheet(sheet_id)
    next_status(sheet, Action.ENTER)
    lines = [line for line in lines_of(sheet) if line.counted_quantity is None]
    waiting = tasks_of(line.pk for line in lines).filter(state__in=Task.WAITING)
    covered = set(waiting.values_list("subject_id", flat=True))
    make_tasks([_task(sheet, line, priority=priority, now=now) for line in lines if line.pk not in covered])
    return list(waiting.order_by("pk"))


def _task(sheet: CountSheet, line: CountLine, *, priority: int, now: datetime) -> Task:
    return Task(
        kind=Task.Kind.COUNT,
        warehouse_id=sheet.warehouse_id,
        sku_id=line.sku_id,
        lot_id=line.lot_id,
        status=line.status,
        from_location_id=line.location_id,
        reference=sheet.number,
        subject_id=line.pk,
        priority=priority,
        created_at=now,
    )


def _line_of(task: Task) -> CountLine | None:
    """The line the task counts; of a task that has none, the open line of its level."""
    if task.subject_id is not None:
        return CountLine.objects.filter(pk=task.subject_id).first()
    key = level_key_of(task)
    return open_lines([key]).get(key)


def _lock(task: Task) -> CountSheet | None:
    line = _line_of(task)
    return locked_sheet(line.sheet_id) if line else None


def _complete(completion: Completion) -> Decimal:
    """Enter the count. A task without a line (after a short pick) makes a sheet of its own, of one line."""
    task, quantity = completion.task, completion.quantity
    if quantity is None:
        message = _("Say how many lie there; 0 when it is empty.")
        raise ValidationFailed(message, items=[{"field": "quantity", "message": message}])
    line = _line_of(task) or _line_of_its_own(task, completion.now, completion.actor)
    enter_counts(
        line.sheet_id, {line.line_number: quantity}, now=completion.now, actor=completion.actor, task_id=task.pk
    )
    if task.subject_id is None:
        task.subject_id = line.pk
        task.save(update_fields=["subject_id"])
    return quantity


def _line_of_its_own(task: Task, now: datetime, actor: Any) -> CountLine:
    key: LevelKey = level_key_of(task)
    sheet = CountSheet(
        key=f"task:{task.number}",
        warehouse_id=task.warehouse_id,
        origin=CountSheet.Origin.DRIFT,
        note=task.note,
        actor=actor,
    )
    [made] = write_sheets([(sheet, {key: ""})], now=now)
    return made.lines.get()


def _pointless(tasks: Sequence[Task]) -> Collection[int]:
    """Tasks whose line is counted by now, or whose sheet is over."""
    lines = CountLine.objects.filter(pk__in=[task.subject_id for task in tasks if task.subject_id])
    waiting = set(lines.filter(counted_quantity=None, sheet__status__in=_COUNTING).values_list("pk", flat=True))
    return {task.pk for task in tasks if task.subject_id is not None and task.subject_id not in waiting}


register_handler(Task.Kind.COUNT, TaskHandler(_complete, lock=_lock, pointless=_pointless))
