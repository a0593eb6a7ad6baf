"""What is reserved may leave, once, wholly or in part; what is called off goes to whoever waits."""

from datetime import timedelta
from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, InsufficientStock, NotFound, ValidationFailed
from tests.cast import NOW, World, make_lot, put_stock
from warehouses.models import Reservation, SalesOrder, Shipment, StockLevel, StockMovement
from warehouses.selectors.sales import backordered_quantities
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.adjustments import adjust_stock
from warehouses.services.sales import (
    TRANSITIONS,
    Sale,
    SaleLine,
    cancel_order,
    record_sale,
    reserve_backorders,
    ship_order,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=3)


def order_of(number: str, *lines: tuple[str, int], channel: str = "WEB", ordered_at=NOW) -> SalesOrder:
    rows = [SaleLine(sku, Decimal(quantity), Decimal("9.00")) for sku, quantity in lines]
    return record_sale(Sale(channel, number, ordered_at, rows), now=NOW)[0]


def status(order: SalesOrder) -> str:
    return SalesOrder.objects.get(pk=order.pk).status


def quantities(order: SalesOrder) -> list[tuple[int, ...]]:
    """(ordered, reserved, shipped, cancelled) of each line."""
    names = ("quantity", "reserved_quantity", "shipped_quantity", "cancelled_quantity")
    return [tuple(map(int, row)) for row in order.lines.order_by("line_number").values_list(*names)]


def level(sku, location) -> tuple[int, int]:
    row = StockLevel.objects.get(sku=sku, location=location, lot=None)
    return int(row.on_hand), int(row.reserved)


def put_in(world: World, sku, quantity: int, key: str) -> None:
    adjust_stock(
        sku_id=sku.pk, location_id=world.shelf.pk, quantity=Decimal(quantity), reason="found", key=key, now=LATER
    )


class TestShipping:
    def test_a_whole_order_leaves_in_one_shipment(self, world: World) -> None:
        order = order_of("W-1", ("MUG", 30), ("LAMP", 2))

        shipment = ship_order(order.pk, key="S", now=LATER, actor=world.clerk)

        assert status(order) == "shipped"
        assert quantities(order) == [(30, 0, 30, 0), (2, 0, 2, 0)]
        assert level(world.mug, world.shelf) == (70, 0)
        assert level(world.lamp, world.shelf) == (18, 0)
        assert shipment.number.startswith("SH-")
        assert (shipment.shipped_at, shipment.actor) == (LATER, world.clerk)
        moves = StockMovement.objects.filter(reference=shipment.number).order_by("pk")
        assert [(m.kind, m.sku.code, m.quantity, m.actor, m.unit_cost) for m in moves] == [
            ("sale", "MUG", -30, world.clerk, 2),
            ("sale", "LAMP", -2, world.clerk, 2),
        ]
        assert not Reservation.objects.exists()

    def test_a_part_leaves_and_the_rest_stays_reserved(self, world: World) -> None:
        order = order_of("W-1", ("MUG", 30), ("LAMP", 2))

        ship_order(order.pk, key="S1", now=LATER, quantities={1: Decimal(10)})

        assert status(order) == "partially_shipped"
        assert quantities(order) == [(30, 20, 10, 0), (2, 2, 0, 0)]
        assert level(world.mug, world.shelf) == (90, 20)

        ship_order(order.pk, key="S2", now=LATER)

        assert status(order) == "shipped"
        assert level(world.mug, world.shelf) == (70, 0)
        assert drifting_levels() == drifting_lines() == []

    def test_lots_leave_in_the_order_they_were_reserved(self, world: World) -> None:
        early = make_lot(world.tea, "E", expires_on=NOW.date().replace(month=5))
        late = make_lot(world.tea, "L", expires_on=NOW.date().replace(month=9))
        put_stock(world.tea, world.shelf, 4, lot=late)
        put_stock(world.tea, world.shelf, 4, lot=early)
        order = order_of("W-1", ("TEA", 6))

        ship_order(order.pk, key="S", now=LATER, quantities={1: Decimal(5)})

        moves = StockMovement.objects.filter(kind="sale").order_by("pk")
        assert [(m.lot, m.quantity) for m in moves] == [(early, -4), (late, -1)]
        assert [(r.level.lot, r.quantity) for r in Reservation.objects.all()] == [(late, 1)]

    def test_the_same_key_again_is_the_first_shipment(self, world: World) -> None:
        order = order_of("W-1", ("MUG", 30))
        first = ship_order(order.pk, key="S", now=LATER, quantities={1: Decimal(10)})

        again = ship_order(order.pk, key="S", now=LATER, quantities={1: Decimal(10)})

        assert again == first
        assert quantities(order) == [(30, 20, 10, 0)]
        assert Shipment.objects.count() == 1

    def test_a_key_belongs_to_one_order(self, world: World) -> None:
        one, other = order_of("W-1", ("MUG", 1)), order_of("W-2", ("MUG", 1))
        ship_order(one.pk, key="S", now=LATER)

        with pytest.raises(Conflict) as refused:
            ship_order(other.pk, key="S", now=LATER)

        assert refused.value.code == "idempotency_key_reused"
        assert status(other) == "reserved"

    def test_shipping_more_than_is_reserved_names_every_short_line(self, world: World) -> None:
        order = order_of("W-1", ("LAMP", 25), ("MUG", 5), ("TEA", 2))

        with pytest.raises(InsufficientStock) as refused:
            ship_order(order.pk, key="S", now=LATER)

        assert [(i["line"], i["sku"], i["requested"], i["available"], i["short_by"]) for i in refused.value.items] == [
            (1, "LAMP", "25", "20", "5"),
            (3, "TEA", "2", "0", "2"),
        ]
        assert quantities(order) == [(25, 20, 0, 0), (5, 5, 0, 0), (2, 0, 0, 0)]
        assert not Shipment.objects.exists()

    def test_what_is_reserved_of_a_backordered_order_may_leave(self, world: World) -> None:
        order = order_of("W-1", ("LAMP", 25))

        ship_order(order.pk, key="S", now=LATER, quantities={1: Decimal(20)})

        assert status(order) == "partially_shipped"
        assert backordered_quantities() == {(world.lamp.pk, world.main.pk): 5}

    @pytest.mark.parametrize("asked", [{}, {9: 1}, {1: 0}, {1: -1}, {1: 31}, {1: "0.0001"}, {1: "NaN"}], ids=str)
    def test_quantities_that_make_no_sense_are_refused(self, world: World, asked: dict) -> None:
        order = order_of("W-1", ("MUG", 30))

        with pytest.raises(ValidationFailed):
            ship_order(order.pk, key="S", now=LATER, quantities={n: Decimal(q) for n, q in asked.items()})

        assert quantities(order) == [(30, 30, 0, 0)]

    @pytest.mark.parametrize("key", ["", "x" * 256], ids=["empty", "too long"])
    def test_a_shipment_needs_a_key(self, world: World, key: str) -> None:
        order = order_of("W-1", ("MUG", 30))

        with pytest.raises(ValidationFailed):
            ship_order(order.pk, key=key, now=LATER)

    def test_an_unknown_order_is_not_found(self, world: World) -> None:
        with pytest.raises(NotFound):
            ship_order(0, key="S", now=LATER)


class TestCancelling:
    def test_a_cancelled_order_lets_its_stock_go(self, world: World) -> None:
        order = order_of("W-1", ("MUG", 30), ("TEA", 2))

        cancel_order(order.pk, now=LATER)

        assert status(order) == "cancelled"
        assert quantities(order) == [(30, 0, 0, 30), (2, 0, 0, 2)]
        assert level(world.mug, world.shelf) == (100, 0)
        assert backordered_quantities() == {}

    def test_the_rest_of_a_partly_shipped_order_is_called_off(self, world: World) -> None:
        order = order_of("W-1", ("MUG", 30), ("LAMP", 2))
        ship_order(order.pk, key="S", now=LATER, quantities={1: Decimal(10)})

        cancel_order(order.pk, now=LATER)

        assert status(order) == "shipped"
        assert quantities(order) == [(30, 0, 10, 20), (2, 0, 0, 2)]
        assert level(world.mug, world.shelf) == (90, 0)

    def test_freed_stock_goes_to_who_waits(self, world: World) -> None:
        holder, waiting = order_of("W-1", ("LAMP", 20)), order_of("W-2", ("LAMP", 8))

        cancel_order(holder.pk, now=LATER)

        assert status(waiting) == "reserved"
        assert level(world.lamp, world.shelf) == (20, 8)
        assert drifting_levels() == drifting_lines() == []

    def test_an_order_is_cancelled_once_and_never_after_shipping(self, world: World) -> None:
        cancelled, shipped = order_of("W-1", ("MUG", 1)), order_of("W-2", ("MUG", 1))
        cancel_order(cancelled.pk, now=LATER)
        ship_order(shipped.pk, key="S", now=LATER)

        for order, word in ((cancelled, "cancelled"), (shipped, "shipped")):
            with pytest.raises(Conflict, match=f"The order is {word}.") as refused:
                cancel_order(order.pk, now=LATER)
            assert refused.value.code == "wrong_state"
        with pytest.raises(Conflict):
            ship_order(cancelled.pk, key="S2", now=LATER)

    def test_an_imported_order_is_history(self, world: World) -> None:
        order = order_of("W-1", ("TEA", 1))
        SalesOrder.objects.update(is_history=True)

        with pytest.raises(Conflict):
            cancel_order(order.pk, now=LATER)
        assert backordered_quantities() == {}

    def test_every_state_stands_in_the_table(self) -> None:
        assert set(TRANSITIONS) == set(SalesOrder.Status)
        assert TRANSITIONS[SalesOrder.Status.SHIPPED] == {SalesOrder.Status.DELIVERED}
        assert all(not TRANSITIONS[s] for s in (SalesOrder.Status.DELIVERED, SalesOrder.Status.CANCELLED))


class TestBackorders:
    def test_stock_that_comes_in_serves_the_oldest_of_the_first_channel(self, world: World) -> None:
        market = order_of("M-1", ("TEA", 3), channel="MARKET", ordered_at=NOW - timedelta(days=9))
        younger = order_of("W-2", ("TEA", 4), ordered_at=NOW)
        older = order_of("W-1", ("TEA", 5), ordered_at=NOW - timedelta(days=1))

        put_in(world, world.tea, 7, "first")

        assert (status(older), status(younger), status(market)) == ("reserved", "backordered", "backordered")
        assert quantities(younger) == [(4, 2, 0, 0)]

        put_in(world, world.tea, 9, "second")

        assert status(younger) == "reserved"
        assert level(world.tea, world.shelf) == (16, 9)
        assert status(market) == "backordered"  # it waits at NORTH
        assert drifting_levels() == drifting_lines() == []

    def test_an_order_is_reserved_only_when_every_line_is(self, world: World) -> None:
        order = order_of("W-1", ("TEA", 5), ("LAMP", 21))

        put_in(world, world.tea, 5, "tea")
        assert status(order) == "backordered"

        put_in(world, world.lamp, 1, "lamp")
        assert status(order) == "reserved"

    def test_a_partly_shipped_order_stays_so_while_its_rest_is_reserved(self, world: World) -> None:
        order = order_of("W-1", ("LAMP", 25))
        ship_order(order.pk, key="S", now=LATER, quantities={1: Decimal(20)})

        put_in(world, world.lamp, 9, "lamp")

        assert status(order) == "partially_shipped"
        assert quantities(order) == [(25, 5, 20, 0)]

    def test_serving_again_changes_nothing(self, world: World) -> None:
        order_of("W-1", ("TEA", 5))
        put_stock(world.tea, world.shelf, 3)

        assert reserve_backorders(now=LATER) == 1
        assert reserve_backorders(now=LATER) == 0
        assert reserve_backorders([world.mug.pk], now=LATER) == 0
        assert level(world.tea, world.shelf) == (3, 3)

    def test_the_recurring_task_serves_who_was_passed_over(self, world: World) -> None:
        from warehouses.tasks import reserve_backorders as task

        order = order_of("W-1", ("TEA", 5))
        put_stock(world.tea, world.shelf, 5)

        assert task() == 1
        assert status(order) == "reserved"
