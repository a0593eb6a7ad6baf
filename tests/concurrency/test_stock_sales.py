"""Sales that meet on real PostgreSQL: nothing promised twice, one order a number, no deadlock to the shop."""

import threading
from decimal import Decimal
from functools import partial

import pytest
from django.db import Error, connection, transaction

from config.kernel.errors import Conflict, DomainError
from tests.cast import NOW, World, put_stock
from tests.concurrency.meet import failures, run_concurrently
from warehouses.models import SalesOrder, SalesOrderLine, Shipment, StockLevel, StockMovement
from warehouses.models.stock import WRITER
from warehouses.selectors.sales import backordered_quantities
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.adjustments import adjust_stock
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import Sale, SaleLine, cancel_order, record_sale, reserve_backorders, ship_order

pytestmark = pytest.mark.django_db(transaction=True)


def buy(number: str, *lines: tuple[str, int]) -> tuple[SalesOrder, bool]:
    return record_sale(Sale("WEB", number, NOW, [SaleLine(s, Decimal(q), Decimal(9)) for s, q in lines]), now=NOW)


def lamps(world: World) -> tuple[int, int]:
    level = StockLevel.objects.get(sku=world.lamp, location=world.shelf)
    return int(level.on_hand), int(level.reserved)


def test_sixty_buyers_of_twenty_lamps_get_twenty(world: World) -> None:
    results = run_concurrently([partial(buy, f"W-{n}", ("LAMP", 1)) for n in range(60)])

    assert failures(results) == []
    assert lamps(world) == (20, 20)
    assert SalesOrder.objects.filter(status="reserved").count() == 20
    assert SalesOrder.objects.filter(status="backordered").count() == 40
    assert backordered_quantities() == {(world.lamp.pk, world.main.pk): 40}
    assert drifting_levels() == drifting_lines() == []


def test_without_the_lock_the_same_sixty_buyers_are_all_promised_a_lamp(world: World) -> None:
    """The negative control: read, decide, write. It oversells, so the test above shows what the lock is for."""
    everybody_has_read = threading.Barrier(60)

    def naive() -> bool:
        level = StockLevel.objects.get(sku=world.lamp, location=world.shelf)
        has_stock = level.on_hand - level.reserved >= 1
        everybody_has_read.wait(60)
        if has_stock:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config(%s, 'on', true)", [WRITER])  # past the guard, as the one writer is
                StockLevel.objects.filter(pk=level.pk).update(reserved=level.reserved + 1)
        return has_stock

    promised = run_concurrently([naive] * 60)

    assert promised == [True] * 60
    assert lamps(world) == (20, 1)


def test_orders_of_many_lines_in_opposite_order_all_go_through(world: World) -> None:
    forth = [("MUG", 1), ("LAMP", 1), ("TEA", 1)]
    put_stock(world.tea, world.shelf, 500)
    calls = [partial(buy, f"W-{n}", *(forth if n % 2 else reversed(forth)), ("MUG", 1)) for n in range(40)]

    results = run_concurrently(calls)

    assert failures(results) == []
    assert SalesOrderLine.objects.count() == 160
    assert lamps(world) == (20, 20)
    mugs = StockLevel.objects.filter(sku=world.mug).values_list("reserved", flat=True)
    assert sum(mugs) == 80
    assert drifting_levels() == drifting_lines() == []


def test_one_number_sent_twenty_times_at_once_is_one_order(world: World) -> None:
    results = run_concurrently([partial(buy, "W-1", ("LAMP", 2))] * 20)

    assert failures(results) == []
    assert len({order.pk for order, _is_new in results}) == 1
    assert sum(is_new for _order, is_new in results) == 1
    assert lamps(world) == (20, 2)


def test_one_number_with_two_contents_is_one_order_and_conflicts(world: World) -> None:
    results = run_concurrently([partial(buy, "W-1", ("LAMP", 1 + n % 2)) for n in range(10)])

    assert [type(result) for result in failures(results)] == [Conflict] * 5
    assert SalesOrder.objects.count() == 1


def test_an_order_that_is_shipped_and_cancelled_at_once_is_one_of_both(world: World) -> None:
    orders = [buy(f"W-{n}", ("LAMP", 2))[0] for n in range(10)]
    calls = [
        call
        for o in orders
        for call in (partial(ship_order, o.pk, key=str(o.pk), now=NOW), partial(cancel_order, o.pk, now=NOW))
    ]

    results = run_concurrently(calls)

    assert [type(result) for result in failures(results)] == [Conflict] * 10
    shipped = SalesOrder.objects.filter(status="shipped").count()
    assert SalesOrder.objects.filter(status="cancelled").count() == 10 - shipped
    assert lamps(world) == (20 - 2 * shipped, 0)
    assert drifting_levels() == drifting_lines() == []


def test_one_shipment_sent_ten_times_at_once_leaves_once(world: World) -> None:
    order, _ = buy("W-1", ("LAMP", 5))

    results = run_concurrently([partial(ship_order, order.pk, key="S", now=NOW)] * 10)

    assert failures(results) == []
    assert len({shipment.pk for shipment in results}) == Shipment.objects.count() == 1
    assert lamps(world) == (15, 0)


def test_one_shipment_key_for_two_orders_at_once_ships_one(world: World) -> None:
    orders = [buy(f"W-{n}", ("LAMP", 1))[0] for n in range(2)]

    results = run_concurrently([partial(ship_order, order.pk, key="S", now=NOW) for order in orders])

    assert [type(result) for result in failures(results)] == [Conflict]
    assert lamps(world) == (19, 1)


def test_one_return_sent_ten_times_at_once_comes_back_once(world: World) -> None:
    order, _ = buy("W-1", ("LAMP", 5))
    ship_order(order.pk, key="S", now=NOW)
    call = partial(
        receive_return,
        channel_code="WEB",
        external_id="R-1",
        order_external_id="W-1",
        lines=[ReturnLine("LAMP", Decimal(2), restock=True)],
        now=NOW,
    )

    results = run_concurrently([call] * 10)

    assert failures(results) == []
    assert sum(is_new for _return, is_new in results) == 1
    assert lamps(world) == (17, 0)


def test_stock_that_arrives_among_buyers_is_promised_once(world: World) -> None:
    """30 buyers of 1 tea meet 12 deliveries of 2; what a busy moment passed over the recurring task serves."""

    def deliver(n: int) -> StockMovement:
        return adjust_stock(
            sku_id=world.tea.pk,
            location_id=world.shelf.pk,
            quantity=Decimal(2),
            reason="found",
            key=str(n),
            now=NOW,
        )

    calls = [partial(buy, f"W-{n}", ("TEA", 1)) for n in range(30)] + [partial(deliver, n) for n in range(12)]
    results = run_concurrently(calls)
    reserve_backorders(now=NOW)

    assert failures(results) == []
    level = StockLevel.objects.get(sku=world.tea)
    assert (level.on_hand, level.reserved) == (24, 24)
    assert backordered_quantities() == {(world.tea.pk, world.main.pk): 6}
    assert drifting_levels() == drifting_lines() == []


def test_everything_at_once_never_shows_a_database_error_and_adds_up(world: World) -> None:
    """Orders, shipments, cancellations, returns, adjustments on the same three SKUs: only domain errors are allowed."""
    put_stock(world.tea, world.shelf, 30)
    put_stock(world.tea, world.receiving, 30)
    first = [buy(f"A-{n}", ("MUG", 2), ("TEA", 1), ("LAMP", 1))[0] for n in range(12)]
    for order in first[:4]:
        ship_order(order.pk, key=f"first-{order.pk}", now=NOW)

    def give_back(n: int) -> object:
        lines = [ReturnLine("TEA", Decimal(1), restock=True), ReturnLine("MUG", Decimal(2), restock=True)]
        return receive_return(
            channel_code="WEB", external_id=f"R-{n}", order_external_id=f"A-{n}", lines=lines, now=NOW
        )

    def adjust(n: int) -> object:
        sku, location = (world.tea, world.receiving) if n % 2 else (world.lamp, world.shelf)
        return adjust_stock(
            sku_id=sku.pk, location_id=location.pk, quantity=Decimal(3 - n), reason="count", key=str(n), now=NOW
        )

    calls = (
        [partial(buy, f"B-{n}", ("LAMP", 3), ("TEA", 4), ("MUG", 9)) for n in range(12)]
        + [partial(ship_order, order.pk, key=str(order.pk), now=NOW) for order in first[4:8]]
        + [partial(cancel_order, order.pk, now=NOW) for order in first[6:12]]
        + [partial(give_back, n) for n in range(4)]
        + [partial(adjust, n) for n in (0, 1, 2, 4, 5, 6)]
    )
    results = run_concurrently(calls)
    reserve_backorders(now=NOW)

    assert [result for result in failures(results) if not isinstance(result, DomainError)] == []
    assert not any(isinstance(result, Error) for result in results)
    assert StockLevel.objects.filter(reserved__lt=0).count() == 0
    assert drifting_levels() == drifting_lines() == []
