"""Value in the ledger: FIFO and moving average through the one writer, transfers, late receipts, the change between."""

import random
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.kernel.errors import InsufficientStock, ValidationFailed
from tests.cast import NOW, World
from tests.warehouses.worth import worth_faults
from warehouses.models import CostLayer, StockMovement, StockValue
from warehouses.selectors.company import stock_rules
from warehouses.services.stock import Move, post_movements
from warehouses.services.valuation_method import switch_valuation

pytestmark = pytest.mark.django_db
_keys = iter(range(10**9))


def book(kind: str, sku, place, quantity, cost=None, *, happened_at=NOW, **more) -> StockMovement:
    move = Move(kind, sku.pk, place.pk, Decimal(quantity), f"v:{next(_keys)}", unit_cost=cost and Decimal(cost), **more)
    [row] = post_movements([move], happened_at=happened_at)
    return row


def carry(sku, source, destination, quantity) -> list[StockMovement]:
    out, into = f"v:{next(_keys)}", f"v:{next(_keys)}"
    return post_movements(
        [
            Move("transfer_out", sku.pk, source.pk, -Decimal(quantity), out),
            Move("transfer_in", sku.pk, destination.pk, Decimal(quantity), into, carries=(out,)),
        ],
        happened_at=NOW,
    )


def pool_of(sku, warehouse) -> tuple[Decimal, Decimal]:
    return StockValue.objects.values_list("quantity", "value").get(sku=sku, warehouse=warehouse)


def open_layers(sku) -> list[tuple[Decimal, Decimal]]:
    rows = CostLayer.objects.filter(sku=sku, remaining__gt=0).order_by("received_at", "pk")
    return list(rows.values_list("remaining", "value"))


def test_fifo_takes_the_oldest_first(world: World) -> None:
    book("receipt", world.tea, world.shelf, 10, "2.00")
    book("receipt", world.tea, world.shelf, 10, "3.00")

    sale = book("sale", world.tea, world.shelf, -12)

    assert (sale.value, sale.unit_cost) == (Decimal("-26.0000"), Decimal("2.1667"))
    assert open_layers(world.tea) == [(8, 24)]


def test_a_receipt_booked_late_is_taken_by_when_it_came_and_what_left_before_keeps_its_cost(world: World) -> None:
    book("receipt", world.tea, world.shelf, 10, "3.00")
    first = book("sale", world.tea, world.shelf, -2)
    late = book("receipt", world.tea, world.shelf, 5, "1.00", happened_at=NOW.replace(day=1))

    second = book("sale", world.tea, world.shelf, -6)

    assert late.happened_at < NOW
    assert (first.value, second.value) == (-6, -8)  # five at 1.00 and one at 3.00
    assert open_layers(world.tea) == [(7, 21)]


def test_the_moving_average_is_one_layer(world: World) -> None:
    switch_valuation("avco", actor=None, now=NOW)
    book("receipt", world.tea, world.shelf, 10, "2.00")
    book("receipt", world.tea, world.shelf, 10, "3.00")

    sale = book("sale", world.tea, world.shelf, -12)

    assert sale.value == -30
    assert open_layers(world.tea) == [(8, 20)]


@pytest.mark.parametrize("method", ["fifo", "avco"])
def test_a_transfer_carries_its_value_whole(world: World, method: str) -> None:
    switch_valuation(method, actor=None, now=NOW)
    book("receipt", world.tea, world.shelf, 3, "3.3333")
    book("receipt", world.tea, world.shelf, 3, "1.0001")
    before = sum(value for _q, value in StockValue.objects.filter(sku=world.tea).values_list("quantity", "value"))

    out, into = carry(world.tea, world.shelf, world.north_shelf, 4)

    assert out.value == -into.value
    assert pool_of(world.tea, world.main)[1] + pool_of(world.tea, world.north)[1] == before
    assert worth_faults() == []


def test_moving_within_a_warehouse_changes_no_value(world: World) -> None:
    pair = [
        Move("move", world.mug.pk, world.shelf.pk, Decimal(-5), "m1", is_internal=True),
        Move("move", world.mug.pk, world.receiving.pk, Decimal(5), "m2", is_internal=True),
    ]

    rows = post_movements(pair, happened_at=NOW)

    assert [row.value for row in rows] == [0, 0]
    assert pool_of(world.mug, world.main) == (100, 200)
    assert worth_faults() == []


def test_changing_to_the_average_and_back_keeps_every_cent(world: World) -> None:
    book("receipt", world.tea, world.shelf, 3, "3.3333")
    book("receipt", world.tea, world.shelf, 4, "1.0007")
    whole = Decimal("9.9999") + Decimal("4.0028")

    assert switch_valuation("avco", actor=None, now=NOW) is True
    assert switch_valuation("avco", actor=None, now=NOW) is False
    assert (stock_rules().valuation, open_layers(world.tea)) == ("avco", [(7, whole)])
    book("receipt", world.tea, world.shelf, 1, "5.00")
    assert open_layers(world.tea) == [(8, whole + 5)]

    switch_valuation("fifo", actor=None, now=NOW)
    book("receipt", world.tea, world.shelf, 2, "9.00")
    assert open_layers(world.tea) == [(8, whole + 5), (2, 18)]
    assert book("sale", world.tea, world.shelf, -8).value == -(whole + 5)
    assert worth_faults() == []


def test_there_are_two_ways_to_value(world: World) -> None:
    with pytest.raises(ValidationFailed) as refused:
        switch_valuation("lifo", actor=None, now=NOW)

    assert [item["field"] for item in refused.value.items] == ["method"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_whatever_happens_layers_pool_and_ledger_are_worth_the_same(world: World, seed: int) -> None:
    """Receipts, sales, returns, scrap, transfers and changes of the method in any order."""
    chance = random.Random(seed)
    places = [world.shelf, world.north_shelf]

    for _step in range(25):
        place, other = chance.sample(places, 2)
        quantity = Decimal(chance.randint(1, 9000)) / 1000
        try:
            match chance.randrange(6):
                case 0 | 1:
                    book("receipt", world.tea, place, quantity, Decimal(chance.randint(0, 99999)) / 10000)
                case 2:
                    book("sale", world.tea, place, -quantity)
                case 3:
                    book("return", world.tea, place, quantity)
                case 4:
                    carry(world.tea, place, other, quantity)
                case 5:
                    switch_valuation(chance.choice(["fifo", "avco"]), actor=None, now=NOW)
        except InsufficientStock:
            pass
        assert worth_faults() == []

    moves = StockMovement.objects.filter(sku=world.tea)
    closing = sum(value for value in StockValue.objects.filter(sku=world.tea).values_list("value", flat=True))
    assert (
        sum(row.value for row in moves if row.value > 0) + sum(row.value for row in moves if row.value < 0) == closing
    )
