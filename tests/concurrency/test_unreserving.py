"""Stock is blocked while orders come, ship and are called off: nothing reserved twice, no deadlock to anybody."""

from decimal import Decimal
from functools import partial

import pytest
from django.db import Error

from config.kernel.errors import DomainError
from tests.cast import NOW, World
from tests.concurrency.meet import failures, run_concurrently
from warehouses.models import SalesOrder, StockLevel
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.moves import change_status
from warehouses.services.sales import Sale, SaleLine, cancel_order, record_sale, reserve_backorders, ship_order

pytestmark = pytest.mark.django_db(transaction=True)


def buy(number: str, lamps: int) -> SalesOrder:
    return record_sale(Sale("WEB", number, NOW, [SaleLine("LAMP", Decimal(lamps), Decimal(45))]), now=NOW)[0]


def block(world: World, n: int, quantity: int) -> object:
    return change_status(
        sku_id=world.lamp.pk,
        location_id=world.shelf.pk,
        quantity=Decimal(quantity),
        from_status="available",
        to_status="blocked",
        reason="damaged",
        key=f"B-{n}",
        now=NOW,
        unreserve=True,
    )


def test_blocking_meets_shipping_cancelling_and_buying(world: World) -> None:
    orders = [buy(f"W-{n}", 2) for n in range(10)]

    calls = (
        [partial(block, world, n, 3) for n in range(4)]
        + [partial(ship_order, order.pk, key=str(order.pk), now=NOW) for order in orders[:3]]
        + [partial(cancel_order, order.pk, now=NOW) for order in orders[3:6]]
        + [partial(buy, f"X-{n}", 1) for n in range(6)]
    )
    results = run_concurrently(calls)
    reserve_backorders(now=NOW)

    assert [result for result in failures(results) if not isinstance(result, DomainError)] == []
    assert not any(isinstance(result, Error) for result in results)
    levels = dict(StockLevel.objects.filter(sku=world.lamp).values_list("status", "on_hand"))
    shipped = sum(order.lines.get().shipped_quantity for order in orders)
    assert levels["available"] + levels["blocked"] + shipped == 20
    assert drifting_levels() == drifting_lines() == []


def test_the_same_change_twice_at_once_lets_reservations_go_once(world: World) -> None:
    orders = [buy(f"W-{n}", 2) for n in range(10)]

    results = run_concurrently([partial(block, world, 1, 6) for _twin in range(4)])

    assert failures(results) == []
    assert StockLevel.objects.get(sku=world.lamp, status="blocked").on_hand == 6
    assert sorted(order.lines.get().reserved_quantity for order in orders) == [0] * 3 + [2] * 7
    assert drifting_levels() == drifting_lines() == []
