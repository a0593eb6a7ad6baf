"""What one movement costs the database: the budget of the one writer and of what is built on it.

Statements are the same on a busy machine and on a quiet one; milliseconds are measured in benchmarks/stock/posting.py.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import NOW, World
from tests.warehouses.selling import sell
from warehouses.models import StockMovement
from warehouses.services.adjustments import adjust_stock
from warehouses.services.sales import ship_order
from warehouses.services.stock import Move, post_movements

pytestmark = pytest.mark.django_db(transaction=True)


def statements(call: Callable[[], Any]) -> list[str]:
    """What the call sends, without the BEGIN and COMMIT around it."""
    with CaptureQueriesContext(connection) as spent:
        call()
    return [query["sql"] for query in spent if query["sql"] not in ("BEGIN", "COMMIT")]


@pytest.mark.parametrize(
    ("kind", "quantity"), [("receipt", 5), ("sale", -5), ("adjustment", -1), ("scrap", -1), ("return", 1)]
)
def test_one_movement_takes_at_most_five_statements(world: World, kind: str, quantity: int) -> None:
    def post(key: str) -> None:
        move = Move(kind, world.mug.pk, world.shelf.pk, Decimal(quantity), key)
        post_movements([move], happened_at=NOW)

    post("warm")
    sent = statements(lambda: post("counted"))

    assert len(sent) <= 5, sent
    assert StockMovement.objects.filter(kind=kind).count() == 2


def test_a_movement_that_happened_long_ago_costs_no_more(world: World) -> None:
    """No later row is rewritten: a back-dated movement is a row like any other."""
    for n in range(30):
        post_movements(
            [Move("receipt", world.mug.pk, world.shelf.pk, Decimal(1), f"k{n}")], happened_at=NOW + timedelta(hours=n)
        )
    before = list(StockMovement.objects.order_by("pk").values())

    sent = statements(
        lambda: post_movements(
            [Move("receipt", world.mug.pk, world.shelf.pk, Decimal(1), "old")], happened_at=NOW - timedelta(days=400)
        )
    )

    assert len(sent) <= 5, sent
    assert list(StockMovement.objects.order_by("pk").values())[: len(before)] == before


def test_adjusting_and_shipping_cost_few_statements_more(world: World) -> None:
    orders = [sell(("MUG", 1), number=f"W-{n}") for n in range(2)]

    def take(key: str) -> None:
        adjust_stock(
            sku_id=world.mug.pk, location_id=world.shelf.pk, quantity=Decimal(-1), reason="lost", key=key, now=NOW
        )

    take("warm")
    assert len(sent := statements(lambda: take("counted"))) <= 5, sent
    ship_order(orders[0].pk, key="warm", now=NOW)
    assert len(sent := statements(lambda: ship_order(orders[1].pk, key="counted", now=NOW))) <= 20, sent
