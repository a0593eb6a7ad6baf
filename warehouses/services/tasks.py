"""Work on the floor: handed out for a while, taken back when its worker is gone, and done exactly once.

A claim gives a task a lease: a token and an end. Who holds the token may complete the task, also after the end, as long
as nobody has claimed it anew; from then on the old token is worth nothing. What a task does to the stock and that it is
done are one transaction. What a kind does is registered in `task_handlers`.

Lock order: the document a handler names (an order, a count sheet) → the task → stock levels. A claim takes tasks only,
and never waits for one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.fields import plain
from config.kernel.numbers import next_numbers
from config.kernel.transactions import one_transaction
from warehouses.models import Location, Task, Warehouse
from warehouses.services.task_checks import (
    LEASE_SECONDS,
    MOST_CLAIMED,
    lease_faults,
    note_faults,
    quantity_faults,
    refuse,
    worker_faults,
)
from warehouses.services.task_handlers import Completion, handler_of, pointless_tasks

_State = Task.State


def make_tasks(tasks: Sequence[Task]) -> list[Task]:
    """Number these tasks and write them."""
    for task, number in zip(tasks, next_numbers("warehouses_task_number", "TK", len(tasks)), strict=True):
        task.number = number
    return Task.objects.bulk_create(tasks)


@one_transaction
def claim_tasks(
    worker: str,
    *,
    warehouse_code: str,
    kinds: Sequence[str] = (),
    limit: int = 1,
    lease_seconds: int = LEASE_SECONDS,
    near_location: str = "",
    now: datetime,
    actor: Any = None,
) -> list[Task]:
    """Up to `limit` tasks nobody works on, each with a new lease, in the order they are to be done.

    By priority, then in walking order (from `near_location` on, then from the start), then the oldest first. A task
    whose lease has run out is nobody's. Two claims at once never get the same task: each skips what the other has
    locked. No kinds: any. Raises ValidationFailed with every fault.
    """
    warehouse, near = _claim_places(worker, warehouse_code, kinds, limit, lease_seconds, near_location)
    claimed: list[Task] = []
    while len(claimed) < limit:
        ready = _claimable(now).filter(warehouse=warehouse)
        if kinds:
            ready = ready.filter(kind__in=kinds)
        found = list(_walked(ready, near)[: limit - len(claimed)])
        pointless = pointless_tasks(found)
        _cancel([task for task in found if task.pk in pointless], now=now)
        good = [task for task in found if task.pk not in pointless]
        claimed += _leased(good, worker=worker, lease_seconds=lease_seconds, now=now, actor=actor)
        if len(good) == len(found):
            break
    return claimed


@one_transaction
def claim_task(
    number: str, *, worker: str, lease_seconds: int = LEASE_SECONDS, now: datetime, actor: Any = None
) -> Task:
    """This one task, for whoever picked it from the list. Raises Conflict when somebody works on it, or it is over."""
    refuse([*worker_faults(worker), *lease_faults(lease_seconds)])
    task = _locked(number)
    _require_waiting(task)
    if task.state == _State.CLAIMED and task.lease_expires_at > now:  # type: ignore[operator]
        words = {"worker": task.worker or str(task.claimed_by), "until": f"{task.lease_expires_at:%H:%M:%S} UTC"}
        raise Conflict(_("%(worker)s works on it, until %(until)s.") % words, code="claimed")
    if pointless_tasks([task]):
        raise _pointless_conflict(task)
    return _leased([task], worker=worker, lease_seconds=lease_seconds, now=now, actor=actor)[0]


@one_transaction
def renew_lease(number: str, *, lease_token: UUID, lease_seconds: int = LEASE_SECONDS, now: datetime) -> Task:
    """Keep the task for so many seconds from now. Raises Conflict `lease_lost` when it is somebody else's by now."""
    refuse(lease_faults(lease_seconds))
    task = _locked(number)
    _require_waiting(task)
    _require_lease(task, lease_token)
    task.lease_expires_at = now + timedelta(seconds=lease_seconds)
    task.save(update_fields=["lease_expires_at"])
    return task


@one_transaction
def release_task(number: str, *, lease_token: UUID, note: str = "", now: datetime) -> Task:
    """Give the task back undone, so that the next who asks gets it. Raises Conflict `lease_lost`."""
    refuse(note_faults(note))
    task = _locked(number)
    _require_waiting(task)
    _require_lease(task, lease_token)
    task.state, task.note = _State.OPEN, note or task.note
    task.claimed_by, task.worker, task.lease_token, task.lease_expires_at = None, "", None, None
    task.save(update_fields=["state", "note", "claimed_by", "worker", "lease_token", "lease_expires_at"])
    return task


@one_transaction
def complete_task(
    number: str,
    *,
    lease_token: UUID,
    quantity: Decimal | None = None,
    note: str = "",
    to_location: str = "",
    now: datetime,
    actor: Any = None,
) -> Task:
    """Make the task's effect and mark it done, in one transaction. The same again answers the same.

    No `quantity`: all that was asked. A lease that has run out still counts while nobody else has claimed the task: the
    work was done, and refusing it would only have it done twice. Raises NotFound; Conflict `lease_lost` when the task
    was given back or claimed by another, `wrong_state` when it was cancelled, `pointless` when its reason is gone
    (`cancel_pointless` takes it off the list), `already_done` when it was done with another quantity; ValidationFailed;
    and what the effect itself raises.
    """
    refuse([*note_faults(note), *quantity_faults(quantity)])
    task = _found(number)
    handler = handler_of(task)
    held = handler.lock(task)
    task = _locked(number)
    if task.state == _State.DONE and task.lease_token == lease_token:
        return _same(task, quantity)
    if task.state == _State.CANCELLED:
        raise Conflict(_("The task was cancelled."), code="wrong_state")
    _require_lease(task, lease_token)
    if pointless_tasks([task]):
        raise _pointless_conflict(task)
    place = _put_where(task, to_location)
    done = handler.complete(Completion(task, quantity, note, place, held, now, actor))
    task.state, task.done_quantity, task.done_at, task.lease_expires_at = _State.DONE, done, now, None
    task.note, task.to_location = note or task.note, place or task.to_location
    task.save(update_fields=["state", "done_quantity", "done_at", "lease_expires_at", "note", "to_location"])
    handler.settle(task, held, now)
    return task


@one_transaction
def cancel_task(number: str, *, note: str = "", now: datetime) -> Task:
    """Take a task off the list; whoever works on it is refused when completing. Raises Conflict when it is done."""
    refuse(note_faults(note))
    task = _found(number)
    handler = handler_of(task)
    held = handler.lock(task)
    task = _locked(number)
    if task.state == _State.CANCELLED:
        return task
    _require_waiting(task)
    task.note = note or task.note
    _cancel([task], now=now)
    handler.settle(task, held, now)
    return task


@one_transaction
def cancel_pointless(number: str, *, now: datetime) -> bool:
    """Cancel the task if its reason is gone. For the edges: it is to stay cancelled although completing it is refused,
    so it is called before `complete_task`, in a transaction of its own."""
    task = Task.objects.filter(number=number, state__in=Task.WAITING).first()
    if task is None or not pointless_tasks([task]):
        return False
    handler = handler_of(task)
    handler.lock(task)
    task = _locked(number)
    if task.state not in Task.WAITING or not pointless_tasks([task]):
        return False
    _cancel([task], now=now)
    return True


def cancel_tasks(tasks: QuerySet[Task], *, now: datetime, note: str = "") -> int:
    """Cancel these waiting tasks at once; their document is locked. How many."""
    return tasks.filter(state__in=Task.WAITING).update(
        state=_State.CANCELLED, done_at=now, lease_expires_at=None, **({"note": note} if note else {})
    )


def _claim_places(
    worker: str, warehouse_code: str, kinds: Sequence[str], limit: int, lease_seconds: int, near_location: str
) -> tuple[Warehouse, Location | None]:
    items = [*worker_faults(worker), *lease_faults(lease_seconds)]
    warehouse = Warehouse.objects.filter(code=warehouse_code).first()
    if warehouse is None:
        items.append({"field": "warehouse", "message": _("There is no such warehouse.")})
    if unknown := [kind for kind in kinds if kind not in Task.Kind.values]:
        items.append({"field": "kinds", "message": _("No such kind of task: %s.") % ", ".join(unknown)})
    if not 1 <= limit <= MOST_CLAIMED:
        items.append({"field": "limit", "message": _("From 1 to %d.") % MOST_CLAIMED})
    near = Location.objects.filter(warehouse=warehouse, code=near_location).first() if near_location else None
    if near_location and warehouse and near is None:
        items.append({"field": "near_location", "message": _("There is no such location.")})
    refuse(items)
    assert warehouse is not None  # noqa: S101 (refused above)
    return warehouse, near


def _claimable(now: datetime) -> QuerySet[Task]:
    return Task.objects.filter(Q(state=_State.OPEN) | Q(state=_State.CLAIMED, lease_expires_at__lte=now))


def _walked(tasks: QuerySet[Task], near: Location | None) -> QuerySet[Task]:
    """In the order they are done, locked, without what another claim has locked. A put-away is walked to its bin."""
    spot = Case(When(kind=Task.Kind.PUTAWAY, then=F("to_location__sequence")), default=F("from_location__sequence"))
    tasks = tasks.annotate(spot=Coalesce(spot, Value(0), output_field=IntegerField()))
    behind: list[Any] = []
    if near is not None:
        behind = [Case(When(spot__lt=near.sequence, then=Value(1)), default=Value(0))]
    ordered = tasks.order_by("priority", *behind, "spot", "pk")
    return ordered.select_for_update(skip_locked=True, of=("self",), no_key=True)


def _leased(tasks: list[Task], *, worker: str, lease_seconds: int, now: datetime, actor: Any) -> list[Task]:
    for task in tasks:
        task.state, task.worker, task.claimed_by = _State.CLAIMED, worker.strip(), actor
        task.lease_token, task.lease_expires_at = uuid4(), now + timedelta(seconds=lease_seconds)
        task.attempts += 1
    Task.objects.bulk_update(
        tasks, ["state", "worker", "claimed_by", "lease_token", "lease_expires_at", "attempts"], batch_size=500
    )
    return tasks


def _cancel(tasks: Sequence[Task], *, now: datetime) -> None:
    for task in tasks:
        task.state, task.done_at, task.lease_expires_at = _State.CANCELLED, now, None
    Task.objects.bulk_update(tasks, ["state", "done_at", "lease_expires_at", "note"])


def _found(number: str) -> Task:
    task = Task.objects.filter(number=number).first()
    if task is None:
        raise NotFound(_("There is no such task."))
    return task


def _locked(number: str) -> Task:
    tasks = Task.objects.select_for_update(of=("self",), no_key=True).filter(number=number)
    task = tasks.select_related("warehouse", "sku", "lot", "from_location", "to_location", "claimed_by").first()
    if task is None:
        raise NotFound(_("There is no such task."))
    return task


def _same(task: Task, quantity: Decimal | None) -> Task:
    if quantity is not None and quantity != task.done_quantity:
        raise Conflict(
            _("The task was done already, with %s units.") % plain(task.done_quantity or Decimal(0)),
            code="already_done",
        )
    return task


def _put_where(task: Task, code: str) -> Location | None:
    if not code or (task.to_location and task.to_location.code == code):
        return None
    place = Location.objects.filter(warehouse=task.warehouse_id, code=code).first()
    if task.kind not in (Task.Kind.PUTAWAY, Task.Kind.MOVE):
        message = _("Only what is put away or moved can be put elsewhere.")
    elif place is None:
        message = _("There is no such location.")
    elif place.pk == task.from_location_id:
        message = _("It lies there already.")
    else:
        return place
    raise ValidationFailed(message, items=[{"field": "to_location", "message": message}])


def _require_waiting(task: Task) -> None:
    if task.state not in Task.WAITING:
        state = str(_State(task.state).label).lower()
        raise Conflict(_("The task is %(state)s.") % {"state": state}, code="wrong_state")


def _require_lease(task: Task, lease_token: UUID) -> None:
    if task.state == _State.OPEN or task.lease_token != lease_token:
        raise Conflict(_("Your lease of %s is lost: the task went to another.") % task.number, code="lease_lost")


def _pointless_conflict(task: Task) -> Conflict:
    return Conflict(
        _("%s has lost its reason: what it was for was cancelled or moved.") % task.number, code="pointless"
    )
