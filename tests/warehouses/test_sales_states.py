"""An order's way: being picked, picked, partly called off, leaving from several warehouses, delivered."""

from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, InsufficientStock, NotFound, ValidationFailed
from tests.cast import NOW, World, put_stock
from tests.warehouses.selling import counters, sell, standing, status
from warehouses.models import Location, Reservation, Shipment, StockLevel, Task
from warehouses.selectors.sales import left_in_packing
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.adjustments import adjust_stock
from warehouses.services.order_states import mark_allocated
from warehouses.services.picking import release_for_picking
from warehouses.services.sales import cancel_order, mark_delivered, reserve_backorders, ship_order
from warehouses.services.tasks import claim_tasks, complete_task

pytestmark = pytest.mark.django_db


def pick(order) -> None:
    """Everything that is to be picked of the order, by the tasks of its release."""
    release_for_picking(order.pk, now=NOW)
    for task in claim_tasks("scanner", warehouse_code="MAIN", limit=50, now=NOW):
        complete_task(task.number, lease_token=task.lease_token, now=NOW)


def level(world: World, sku=None) -> tuple[int, int]:
    return standing(sku or world.mug, world.shelf)


# --- picking ------------------------------------------------------------------------------------------------------


def test_released_then_picked_then_shipped_from_packing(world: World) -> None:
    order = sell(("MUG", 5))

    release_for_picking(order.pk, now=NOW)
    assert status(order) == "allocated"
    pick(order)
    assert status(order) == "picked"
    assert counters(order, "reserved", "picked") == [(1, "MUG", 5, 5)]
    ship_order(order.pk, key="S", now=NOW)

    assert status(order) == "shipped"
    assert counters(order, "reserved", "picked", "shipped") == [(1, "MUG", 0, 0, 5)]
    assert level(world) == (95, 0)
    packing = StockLevel.objects.get(location__kind=Location.Kind.PACKING)
    assert (packing.on_hand, packing.reserved) == (0, 0)
    assert drifting_levels() == drifting_lines() == []


def test_what_is_picked_leaves_before_what_is_not(world: World) -> None:
    put_stock(world.mug, world.receiving, 10)
    order = sell(("MUG", 105), number="W-1")
    tasks = release_for_picking(order.pk, now=NOW)
    [dock] = [task for task in tasks if task.from_location == world.receiving] or [tasks[-1]]
    claimed = {task.number: task for task in claim_tasks("scanner", warehouse_code="MAIN", limit=50, now=NOW)}
    complete_task(dock.number, lease_token=claimed[dock.number].lease_token, now=NOW)
    picked = int(order.lines.get().picked_quantity)

    ship_order(order.pk, key="S", now=NOW, quantities={1: Decimal(picked)})

    assert counters(order, "picked", "shipped") == [(1, "MUG", 0, picked)]
    assert not Reservation.objects.filter(level__location__kind=Location.Kind.PACKING).exists()


def test_an_order_without_anything_reserved_is_not_picked(world: World) -> None:
    order = sell(("TEA", 1))

    with pytest.raises(Conflict) as refused:
        mark_allocated(order)

    assert refused.value.code == "nothing_reserved"


@pytest.mark.parametrize("step", ["reserved", "backordered", "allocated", "picked"])
def test_an_order_is_cancelled_at_every_step_before_it_leaves(world: World, step: str) -> None:
    order = sell(("MUG", 5)) if step != "backordered" else sell(("MUG", 5), ("TEA", 1))
    if step == "allocated":
        release_for_picking(order.pk, now=NOW)
    elif step == "picked":
        pick(order)
    assert status(order) == step

    cancel_order(order.pk, now=NOW)

    assert status(order) == "cancelled"
    assert not Reservation.objects.exists()
    assert not Task.objects.filter(kind=Task.Kind.PICK, state__in=Task.WAITING).exists()
    assert StockLevel.objects.filter(reserved__gt=0).count() == 0
    assert [int(one.for_nobody) for one in left_in_packing()] == ([5] if step == "picked" else [])
    assert drifting_levels() == drifting_lines() == []


def test_goods_of_a_cancelled_order_are_carried_back_from_packing(world: World) -> None:
    order = sell(("MUG", 5))
    pick(order)

    cancel_order(order.pk, now=NOW, quantities={1: Decimal(2)})

    assert counters(order, "reserved", "picked", "cancelled") == [(1, "MUG", 3, 3, 2)]
    assert status(order) == "picked"
    [task] = Task.objects.filter(state__in=Task.WAITING)
    assert (task.from_location.kind, task.quantity) == ("packing", 2)


def test_what_is_reserved_later_is_picked_too(world: World) -> None:
    order = sell(("LAMP", 22))
    pick(order)
    assert status(order) == "picked"
    put_stock(world.lamp, world.shelf, 5)

    reserve_backorders(now=NOW)

    assert status(order) == "allocated"
    assert [int(task.quantity) for task in Task.objects.filter(kind="pick", state="open")] == [2]


# --- partial cancellation -----------------------------------------------------------------------------------------


def test_what_waits_is_called_off_before_what_is_reserved(world: World) -> None:
    order = sell(("LAMP", 25))

    cancel_order(order.pk, now=NOW, quantities={1: Decimal(3)})
    assert counters(order, "reserved", "cancelled") == [(1, "LAMP", 20, 3)]
    assert status(order) == "backordered"
    cancel_order(order.pk, now=NOW, quantities={1: Decimal(10)})

    assert counters(order, "reserved", "cancelled") == [(1, "LAMP", 12, 13)]
    assert (status(order), level(world, world.lamp)) == ("reserved", (20, 12))


def test_what_is_called_off_serves_who_waits(world: World) -> None:
    first, second = sell(("LAMP", 20)), sell(("LAMP", 4), number="W-2")

    cancel_order(first.pk, now=NOW, quantities={1: Decimal(4)})

    assert (status(first), status(second)) == ("reserved", "reserved")


def test_more_than_is_open_cannot_be_called_off_and_every_fault_is_named(world: World) -> None:
    order = sell(("LAMP", 5), ("MUG", 2))
    faulty = {1: Decimal(6), 2: Decimal(0), 9: Decimal(1)}

    with pytest.raises(ValidationFailed) as refused:
        cancel_order(order.pk, now=NOW, quantities=faulty)

    assert [item["line"] for item in refused.value.items] == [1, 2, 9]
    assert counters(order, "cancelled") == [(1, "LAMP", 0), (2, "MUG", 0)]


def test_the_rest_of_a_partly_shipped_order_called_off_leaves_what_left(world: World) -> None:
    order = sell(("LAMP", 5))
    ship_order(order.pk, key="S", now=NOW, quantities={1: Decimal(2)})

    cancel_order(order.pk, now=NOW)

    assert status(order) == "shipped"
    assert counters(order, "shipped", "cancelled", "reserved") == [(1, "LAMP", 2, 3, 0)]


# --- several warehouses -------------------------------------------------------------------------------------------


def test_goods_in_two_warehouses_need_the_name_of_the_one_that_ships(world: World) -> None:
    order = sell(("MUG", 120))

    with pytest.raises(Conflict) as refused:
        ship_order(order.pk, key="S", now=NOW)
    assert (refused.value.code, refused.value.items) == (
        "several_warehouses",
        [{"warehouse": "MAIN"}, {"warehouse": "NORTH"}],
    )
    first = ship_order(order.pk, key="N", now=NOW, warehouse_code="NORTH", carrier="Royal Mail", tracking_code="RM 123")
    second = ship_order(order.pk, key="M", now=NOW)

    assert (first.warehouse, first.carrier, first.tracking_code) == (world.north, "Royal Mail", "RM 123")
    assert second.warehouse == world.main
    assert status(order) == "shipped"
    assert drifting_levels() == drifting_lines() == []


def test_more_than_is_reserved_in_the_named_warehouse_does_not_leave(world: World) -> None:
    order = sell(("MUG", 120))

    with pytest.raises(InsufficientStock) as refused:
        ship_order(order.pk, key="S", now=NOW, warehouse_code="NORTH", quantities={1: Decimal(21)})

    assert refused.value.items[0]["short_by"] == "1"
    with pytest.raises(ValidationFailed):
        ship_order(order.pk, key="S", now=NOW, warehouse_code="NOWHERE")
    with pytest.raises(ValidationFailed):
        ship_order(order.pk, key="S", now=NOW, carrier="x" * 65)


# --- delivery -----------------------------------------------------------------------------------------------------


def test_an_order_is_delivered_when_all_its_shipments_are(world: World) -> None:
    order = sell(("MUG", 120))
    north = ship_order(order.pk, key="N", now=NOW, warehouse_code="NORTH")

    mark_delivered(order.pk, now=NOW, shipment_number=north.number)
    assert status(order) == "partially_shipped"
    with pytest.raises(Conflict):
        mark_delivered(order.pk, now=NOW)
    ship_order(order.pk, key="M", now=NOW)
    mark_delivered(order.pk, now=NOW)

    assert status(order) == "delivered"
    assert Shipment.objects.filter(delivered_at=NOW).count() == 2


def test_what_arrived_does_not_arrive_again(world: World) -> None:
    order = sell(("MUG", 1))
    shipment = ship_order(order.pk, key="S", now=NOW)
    mark_delivered(order.pk, now=NOW)

    for again in ({}, {"shipment_number": shipment.number}):
        with pytest.raises(Conflict):
            mark_delivered(order.pk, now=NOW, **again)
    with pytest.raises(NotFound):
        mark_delivered(order.pk, now=NOW, shipment_number="SH-0")
    with pytest.raises(Conflict):
        cancel_order(order.pk, now=NOW)


# --- what peers get wrong -----------------------------------------------------------------------------------------


def take(world: World, units: int) -> None:
    adjust_stock(
        sku_id=world.mug.pk,
        location_id=world.shelf.pk,
        quantity=Decimal(-units),
        reason="gone",
        key=f"take {units}",
        now=NOW,
    )


def test_ninety_of_a_hundred_do_not_leave_while_sixty_are_reserved(world: World) -> None:
    sell(("MUG", 60))

    with pytest.raises(InsufficientStock) as refused:
        take(world, 90)

    assert (refused.value.items[0]["available"], refused.value.items[0]["short_by"]) == ("40", "50")
    assert level(world) == (100, 60)


def test_five_of_three_are_refused_loudly(world: World) -> None:
    take(world, 97)

    with pytest.raises(InsufficientStock) as refused:
        take(world, 5)

    assert refused.value.items[0]["short_by"] == "2"
    assert level(world) == (3, 0)


def test_what_was_reserved_is_let_go_when_it_left(world: World) -> None:
    order = sell(("MUG", 60))

    ship_order(order.pk, key="S", now=NOW)

    assert level(world) == (40, 0)
    assert not Reservation.objects.exists()
    take(world, 40)
    assert level(world) == (0, 0)
