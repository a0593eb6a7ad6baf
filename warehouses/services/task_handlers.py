"""What each kind of task does when it is completed: registered here by the services that own it.

Picks register in `picks`, put-aways and moves in `carrying`, counts with the count sheets; the app imports them when it
starts. A kind nobody has registered cannot be completed.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict
from warehouses.models import Location, Task


@dataclass(frozen=True, slots=True)
class Completion:
    """What a handler is told of a task that is being completed; the task is locked."""

    task: Task
    quantity: Decimal | None
    """What was done or counted; None: all that was asked."""
    note: str
    to_location: Location | None
    """Where it was put, when that is not where the task said."""
    held: Any
    """What the handler's `lock` returned."""
    now: datetime
    actor: Any


@dataclass(frozen=True, slots=True)
class TaskHandler:
    """What a kind of task does. `complete` makes its effect and returns the quantity done, or raises a DomainError.

    `lock(task)` takes the document the effect changes, before the task itself is locked. `pointless(tasks)` names the
    tasks (by pk) that have lost their reason, such as picks whose reservation is gone. `settle(task, held, now)` is
    called when a task is done, or was cancelled by a person.
    """

    complete: Callable[[Completion], Decimal | None]
    lock: Callable[[Task], Any] = lambda task: None
    pointless: Callable[[Sequence[Task]], Collection[int]] = lambda tasks: ()
    settle: Callable[[Task, Any, datetime], None] = lambda task, held, now: None


HANDLERS: dict[str, TaskHandler] = {}


def register_handler(kind: str, handler: TaskHandler) -> None:
    HANDLERS[kind] = handler


def handler_of(task: Task) -> TaskHandler:
    """What completes the task; of a kind that nobody has registered, a refusal."""
    return HANDLERS.get(task.kind, _NOBODY)


def _refuse(completion: Completion) -> Decimal | None:
    raise Conflict(_("Tasks of this kind cannot be completed here."), code="no_handler")


_NOBODY = TaskHandler(_refuse)


def pointless_tasks(tasks: Sequence[Task]) -> set[int]:
    """Those of these tasks (by pk) that have lost their reason."""
    found: set[int] = set()
    for kind in {task.kind for task in tasks}:
        if handler := HANDLERS.get(kind):
            found |= set(handler.pointless([task for task in tasks if task.kind == kind]))
    return found
