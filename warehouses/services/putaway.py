"""From receiving to the shelf, and from bin to bin: the tasks, and what completing them does."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from catalog.models import Sku
from config.kernel.errors import InsufficientStock, NotFound, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_levels
from warehouses.models import Location, Lot, StockLevel, StockMovement, StockStatus, Task, Warehouse
from warehouses.selectors.putaway import Bins, putaway_suggestions
from warehouses.services.stock import is_storable
from warehouses.services.tasks import make_tasks

__all__ = ["PutawayOutcome", "create_move_task", "create_putaway_tasks", "putaway_suggestions"]

_NOTHING = Decimal(0)
_Kind = Task.Kind


@dataclass(slots=True)
class PutawayOutcome:
    tasks: list[Task] = field(default_factory=list)
    without_room: list[dict[str, str]] = field(default_factory=list)
    """{sku, lot, location, quantity, message} of what no bin has room for."""


@one_transaction
def create_putaway_tasks(
    warehouse_code: str, *, reference: str = "", priority: int = 100, now: datetime, actor: Any = None
) -> PutawayOutcome:
    """Tasks for what lies free in the receiving bins and no waiting task takes away yet; again makes nothing new.

    With the `reference` of a receipt, transfer or return, only for what it brought. Locks the levels in receiving, so
    two calls at once do not make the same tasks. Raises NotFound for an unknown warehouse.
    """
    warehouse = Warehouse.objects.filter(code=warehouse_code).first()
    if warehouse is None:
        raise NotFound(_("There is no such warehouse."))
    levels = _in_receiving(warehouse, reference)
    wanted = _uncovered(levels, reference)
    bins = Bins.of(warehouse.pk, {level.sku_id for level in wanted})
    outcome, tasks = PutawayOutcome(), []
    for level, quantity in wanted.items():
        plan = bins.plan(level.sku_id, level.lot_id, quantity, leaving=level.location_id)
        for suggestion in plan.suggestions:
            tasks.append(_task(_Kind.PUTAWAY, level, suggestion.location, suggestion.quantity, now=now))
        if plan.overflow:
            outcome.without_room.append(_without_room(level, plan.overflow))
    for task in tasks:
        task.reference, task.priority = reference, priority
    outcome.tasks = make_tasks(tasks)
    return outcome


@one_transaction
def create_move_task(
    *,
    warehouse_code: str,
    sku_code: str,
    from_location: str,
    to_location: str,
    quantity: Decimal,
    lot_code: str = "",
    status: str = StockStatus.AVAILABLE,
    reference: str = "",
    priority: int = 100,
    note: str = "",
    now: datetime,
    actor: Any = None,
) -> Task:
    """A task to carry units from one bin to another of the same warehouse. Raises ValidationFailed with every fault,
    InsufficientStock when fewer lie there."""
    warehouse = Warehouse.objects.filter(code=warehouse_code).first()
    sku = Sku.objects.filter(code=sku_code).first()
    places = {place.code: place for place in Location.objects.filter(warehouse=warehouse)} if warehouse else {}
    source, target = places.get(from_location), places.get(to_location)
    lot = Lot.objects.filter(sku=sku, code=lot_code).first() if sku and lot_code else None
    faults = {
        "warehouse": _("There is no such warehouse.") if warehouse is None else "",
        "sku": _("There is no such SKU.") if sku is None else "",
        "lot": _("There is no such lot of this SKU.") if lot_code and lot is None else "",
        "from_location": _place_fault(source, is_target=False),
        "to_location": _place_fault(target, is_target=True)
        or (_("It lies there already.") if source is not None and source == target else ""),
        "quantity": "" if is_storable(quantity) and quantity > 0 else _("The quantity must be above zero."),
        "status": "" if status in StockStatus.values else _("There is no such stock status."),
        "priority": "" if 0 <= priority <= 32767 else _("From 0 to 32767."),
    }
    items = [{"field": name, "message": message} for name, message in faults.items() if message]
    if items or sku is None or source is None or target is None:
        raise ValidationFailed(str(items[0]["message"]), items=items)
    level = StockLevel.objects.filter(sku=sku, location=source, lot=lot, status=status).first()
    there = level.on_hand if level else _NOTHING
    if level is None or there < quantity:
        item = {"sku": sku_code, "location": str(source), "requested": plain(quantity), "available": plain(there)}
        message = _("Only %s lie there.") % plain(there)
        raise InsufficientStock(message, items=[{**item, "short_by": plain(quantity - there), "message": message}])
    task = _task(_Kind.MOVE, level, target, quantity, now=now)
    task.reference, task.priority, task.note = reference[:80], priority, note[:200]
    return make_tasks([task])[0]


def put_back_tasks(
    levels: Sequence[tuple[StockLevel, Decimal]], *, reference: str, note: str, now: datetime
) -> list[Task]:
    """Move tasks that take these units (location loaded) back to the shelf; without a bin where none has room."""
    tasks = []
    for warehouse_id in {level.location.warehouse_id for level, _units in levels}:
        here = [(level, units) for level, units in levels if level.location.warehouse_id == warehouse_id]
        bins = Bins.of(warehouse_id, {level.sku_id for level, _units in here})
        for level, units in here:
            plan = bins.plan(level.sku_id, level.lot_id, units, leaving=level.location_id)
            parts: list[tuple[Location | None, Decimal]] = [(s.location, s.quantity) for s in plan.suggestions]
            if plan.overflow:
                parts.append((None, plan.overflow))
            tasks += [_task(_Kind.MOVE, level, place, part, now=now) for place, part in parts]
    for task in tasks:
        task.reference, task.note = reference, note
    return make_tasks(tasks)


def _place_fault(place: Location | None, *, is_target: bool) -> str:
    if place is None:
        return _("There is no such location.")
    if place.level != Location.Level.BIN:
        return _("Stock lies in bins; this location only holds bins together.")
    if is_target and not place.is_active:
        return _("The warehouse or the location is closed.")
    return ""


def _in_receiving(warehouse: Warehouse, reference: str) -> list[StockLevel]:
    levels = StockLevel.objects.filter(
        location__warehouse=warehouse,
        location__kind=Location.Kind.RECEIVING,
        status=StockStatus.AVAILABLE,
        on_hand__gt=0,
    )
    if reference:
        brought = StockMovement.objects.filter(reference=reference, quantity__gt=0)
        levels = levels.filter(sku__in=brought.values("sku"), location__in=brought.values("location"))
    return locked_levels(levels.select_related("sku", "lot", "location__warehouse"))


def _uncovered(levels: Sequence[StockLevel], reference: str) -> dict[StockLevel, Decimal]:
    """What of each level is free and not taken away by a waiting task; at most what the document brought."""
    skus = {level.sku_id for level in levels}
    tasks = Task.objects.filter(kind__in=(_Kind.PUTAWAY, _Kind.MOVE), sku__in=skus, status=StockStatus.AVAILABLE)
    leaving = _units(tasks.filter(state__in=Task.WAITING), "from_location_id", "quantity")
    brought = made = None
    if reference:
        moves = StockMovement.objects.filter(reference=reference, quantity__gt=0, sku__in=skus)
        brought = _units(moves, "location_id", "quantity")
        its_own = tasks.filter(Q(reference=reference) & ~Q(state=Task.State.CANCELLED))
        made = _units(its_own, "from_location_id", "quantity")
    found = {}
    for level in levels:
        key = (level.sku_id, level.lot_id, level.location_id)
        quantity = level.on_hand - level.reserved - leaving[key]
        if brought is not None and made is not None:
            quantity = min(quantity, brought[key] - made[key])
        if quantity > 0:
            found[level] = quantity
    return found


def _units(rows: Any, place: str, units: str) -> dict[tuple[int, int | None, int], Decimal]:
    sums: dict[tuple[int, int | None, int], Decimal] = defaultdict(Decimal)
    for sku, lot, location, total in (
        rows.order_by().values_list("sku_id", "lot_id", place).annotate(total=Sum(units, default=_NOTHING))
    ):
        sums[sku, lot, location] += total
    return sums


def _task(kind: str, level: StockLevel, to: Location | None, quantity: Decimal, *, now: datetime) -> Task:
    return Task(
        kind=kind,
        warehouse=level.location.warehouse,
        sku=level.sku,
        lot=level.lot,
        status=level.status,
        from_location=level.location,
        to_location=to,
        quantity=quantity,
        created_at=now,
    )


def _without_room(level: StockLevel, quantity: Decimal) -> dict[str, str]:
    message = _("No bin has room for %(quantity)s of %(sku)s.")
    return {
        "sku": level.sku.code,
        "lot": level.lot.code if level.lot else "",
        "location": level.location.code,
        "quantity": plain(quantity),
        "message": message % {"quantity": plain(quantity), "sku": level.sku.code},
    }
