"""The pick tasks of an order: one for each reservation that lies on a shelf, kept in step with the reservations.

Whoever changes the reservations of an order that is being picked (its order locked) calls `pick_tasks_follow`.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from warehouses.models import Location, Reservation, SalesOrder, StockLevel, Task, Warehouse
from warehouses.services.order_states import order_lines, save_lines
from warehouses.services.tasks import cancel_tasks, make_tasks

PACKING_CODE = "PACKING"
MOST_REFERENCE = 80
DIGEST = 16


def order_reference(order: SalesOrder) -> str:
    """How the tasks of an order name it: channel and order number, as on its label; what is too long is cut, and told
    from others that begin alike by a digest of the whole."""
    whole = f"{order.channel.code}/{order.external_id}"
    if len(whole) <= MOST_REFERENCE:
        return whole
    return f"{whole[: MOST_REFERENCE - DIGEST - 1]}~{hashlib.sha256(whole.encode()).hexdigest()[:DIGEST]}"


def packing_bin(warehouse: Warehouse) -> Location:
    """Where picked goods of the warehouse are packed; made when there is none."""
    bins = Location.objects.filter(
        warehouse=warehouse, kind=Location.Kind.PACKING, level=Location.Level.BIN, is_active=True
    ).order_by("sequence", "code")
    place = bins.first()
    number = 1
    while place is None:
        code = PACKING_CODE if number == 1 else f"{PACKING_CODE}-{number}"
        new = Location(warehouse=warehouse, code=code, kind=Location.Kind.PACKING)
        Location.objects.bulk_create([new], ignore_conflicts=True)  # a twin may make it at this moment
        place, number = bins.first(), number + 1
    return place


def to_pick(order_ids: Iterable[int]) -> QuerySet[Reservation]:
    """What is reserved for these orders and does not lie in packing yet."""
    rows = Reservation.objects.filter(line__order__in=list(order_ids))
    return rows.exclude(level__location__kind=Location.Kind.PACKING)


def waiting_picks(reservation: str = "pk") -> Exists:
    """Whether a reservation has a pick task that waits or is being done."""
    return Exists(
        Task.objects.filter(kind=Task.Kind.PICK, state__in=Task.WAITING, subject_id=OuterRef(reservation)).order_by()
    )


def is_its_level(level: StockLevel, task: Task) -> bool:
    return (level.sku_id, level.location_id, level.lot_id) == (task.sku_id, task.from_location_id, task.lot_id)


def pointless_picks(tasks: Sequence[Task]) -> Collection[int]:
    """Picks whose reservation is gone, or lies elsewhere by now."""
    rows = Reservation.objects.filter(pk__in=[task.subject_id for task in tasks], line__isnull=False)
    held = {row.pk: row.level for row in rows.select_related("level")}
    return {task.pk for task in tasks if task.subject_id not in held or not is_its_level(held[task.subject_id], task)}


def make_pick_tasks(reservations: QuerySet[Reservation], *, priority: int = 100, now: datetime) -> list[Task]:
    """A task for each of these reservations that has none; their orders are locked."""
    missing = reservations.exclude(waiting_picks()).select_related(
        "line__order__channel", "level__sku", "level__lot", "level__location__warehouse"
    )
    packing: dict[int, Location] = {}
    tasks = []
    for row in missing.order_by("level__location__sequence", "level__location__code", "pk"):
        level, line = row.level, row.line
        assert line is not None  # noqa: S101 (they are of orders)
        place = level.location
        if place.warehouse_id not in packing:
            packing[place.warehouse_id] = packing_bin(place.warehouse)
        tasks.append(
            Task(
                kind=Task.Kind.PICK,
                warehouse=place.warehouse,
                sku=level.sku,
                lot=level.lot,
                status=level.status,
                from_location=place,
                to_location=packing[place.warehouse_id],
                quantity=row.quantity,
                reference=order_reference(line.order),
                subject_id=row.pk,
                priority=priority,
                created_at=now,
            )
        )
    return make_tasks(tasks)


def pick_tasks_follow(order_ids: Iterable[int], *, now: datetime) -> None:
    """Bring the pick tasks of these orders (locked) in step with what is reserved: those that lost their reservation
    are cancelled, quantities follow, and reservations that moved to another bin of their warehouse get a new task."""
    for order in SalesOrder.objects.filter(pk__in=list(order_ids)).select_related("channel"):
        tasks = Task.objects.filter(kind=Task.Kind.PICK, reference=order_reference(order))
        picked_in = set(tasks.values_list("warehouse_id", flat=True).order_by().distinct())
        drop_pointless_picks(order, now=now)
        rows = to_pick([order.pk]).filter(level__location__warehouse__in=picked_in)
        for row_id, units in rows.filter(waiting_picks()).values_list("pk", "quantity"):
            picks = Task.objects.filter(kind=Task.Kind.PICK, state=Task.State.OPEN, subject_id=row_id)
            picks.exclude(quantity=units).update(quantity=units)
        make_pick_tasks(rows, now=now)


def picking_goes_on(order_ids: Iterable[int], *, now: datetime) -> None:
    """After units of these orders (locked) gave way: what is left on the floor has its tasks, the order its state."""
    order_ids = list(order_ids)
    pick_tasks_follow(order_ids, now=now)
    for order in SalesOrder.objects.filter(pk__in=order_ids).select_related("channel").order_by("pk"):
        if was_released(order):
            settle_picking(order)


def drop_pointless_picks(order: SalesOrder, *, now: datetime) -> None:
    """Cancel the order's picks that lost their reservation (the order is locked)."""
    tasks = Task.objects.filter(kind=Task.Kind.PICK, reference=order_reference(order), state__in=Task.WAITING)
    waiting = list(tasks)
    if pointless := pointless_picks(waiting) if waiting else ():
        note = _("What it was for was cancelled, shipped or moved.")
        cancel_tasks(Task.objects.filter(pk__in=pointless), now=now, note=note)


def was_released(order: SalesOrder) -> bool:
    """Whether the order ever had a pick task."""
    return Task.objects.filter(kind=Task.Kind.PICK, reference=order_reference(order)).exists()


def released_among(orders: Iterable[SalesOrder]) -> set[int]:
    """The ids of those that ever had a pick task; their channels are loaded."""
    by_reference = {order_reference(order): order.pk for order in orders}
    picks = Task.objects.filter(kind=Task.Kind.PICK, reference__in=list(by_reference))
    return {by_reference[name] for name in picks.values_list("reference", flat=True).order_by().distinct()}


def settle_picking(order: SalesOrder) -> None:
    """Put the order (locked) in the state its picking is in: allocated while something of it is to be picked, picked
    when all that is reserved lies in packing, and without tasks or picked units what its lines say."""
    lines = order_lines(order)
    is_released = any(line.picked_quantity for line in lines) or to_pick([order.pk]).filter(waiting_picks()).exists()
    save_lines(order, lines, is_released=is_released)
