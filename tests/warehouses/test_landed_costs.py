"""Landed costs: spread exactly, what is in stock becomes worth more, what has left is cost of goods sold."""

from datetime import timedelta
from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, ValidationFailed
from tests.cast import NOW, World
from tests.warehouses.test_valuation import book, open_layers, pool_of
from tests.warehouses.worth import worth_faults
from warehouses.models import LandedCost, StockMovement
from warehouses.selectors.value import cost_of_goods_sold
from warehouses.services.landed_costs import record_landed_cost
from warehouses.services.valuation_method import switch_valuation

pytestmark = pytest.mark.django_db


def receive(world: World, sku, quantity, cost, number: str, **more) -> StockMovement:
    return book("receipt", sku, more.pop("place", world.shelf), quantity, cost, reference=number, **more)


def land(amount, *references: str, **more) -> LandedCost:
    body = {
        "kind": "freight", "basis": "value", "amount": Decimal(amount), "references": list(references),
        "happened_at": NOW, "key": "K", "now": NOW, **more,
    }  # fmt: skip
    cost, _is_new = record_landed_cost(**body)
    return cost


def lines(cost: LandedCost) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    return [(n.movement.sku.code, n.amount, n.capitalised, n.expensed) for n in cost.lines.select_related("movement")]


@pytest.mark.parametrize(
    ("basis", "shares"),
    # 10 lamps at 30.00 (2 kg, 5 l each) and 30 teas at 10.00 (0.5 kg, 1 l each)
    [("value", (500, 500)), ("quantity", (250, 750)), ("weight", ("571.4286", "428.5714")), ("volume", (625, 375))],
)
def test_a_cost_is_spread_by_its_basis(world: World, basis: str, shares: tuple) -> None:
    for sku, weight, volume in ((world.lamp, "2", "5"), (world.tea, "0.5", "1")):
        sku.weight_kg, sku.volume_litres = Decimal(weight), Decimal(volume)
        sku.save()
    receive(world, world.lamp, 10, "30", "GR-1")
    receive(world, world.tea, 30, "10", "GR-2")

    cost = land(1000, "GR-1", "GR-2", basis=basis)

    lamp, tea = map(Decimal, shares)
    assert lines(cost) == [("LAMP", lamp, lamp, 0), ("TEA", tea, tea, 0)]
    assert pool_of(world.tea, world.main) == (30, 300 + tea)
    assert worth_faults() == []


def test_the_share_of_units_that_left_is_expensed(world: World) -> None:
    receive(world, world.tea, 10, "2.00", "GR-1")
    book("sale", world.tea, world.shelf, -3)

    cost = land("1.00", "GR-1")

    assert lines(cost) == [("TEA", 1, Decimal("0.7"), Decimal("0.3"))]
    assert open_layers(world.tea) == [(7, Decimal("14.7"))]
    [movement] = StockMovement.objects.filter(reference=cost.number)
    assert (movement.kind, movement.quantity, movement.value, movement.location) == (
        "revaluation", 0, Decimal("0.7"), world.shelf,
    )  # fmt: skip
    assert cost_of_goods_sold(NOW, NOW + timedelta(hours=1)).expensed == Decimal("0.3")
    assert worth_faults() == []


def test_a_bill_older_than_the_goods_is_worth_nothing_before_them(world: World) -> None:
    receive(world, world.tea, 10, "2.00", "GR-1")

    cost = land("1.00", "GR-1", happened_at=NOW - timedelta(days=40))

    [movement] = StockMovement.objects.filter(reference=cost.number)
    assert movement.happened_at == StockMovement.objects.get(reference="GR-1").happened_at
    assert cost.happened_at == NOW - timedelta(days=40)


def test_fifo_knows_whose_units_left(world: World) -> None:
    receive(world, world.tea, 10, "2.00", "GR-1")
    receive(world, world.tea, 10, "2.00", "GR-2")
    book("sale", world.tea, world.shelf, -10)

    cost = land(8, "GR-1", "GR-2")

    assert lines(cost) == [("TEA", 4, 0, 4), ("TEA", 4, 4, 0)]
    assert open_layers(world.tea) == [(10, 24)]


def test_the_average_assumes_that_what_is_on_hand_came_last(world: World) -> None:
    switch_valuation("avco", actor=None, now=NOW)
    receive(world, world.tea, 10, "2.00", "GR-1")
    receive(world, world.tea, 10, "2.00", "GR-2", happened_at=NOW + timedelta(minutes=1))
    book("sale", world.tea, world.shelf, -8)

    cost = land(20, "GR-1", "GR-2", happened_at=NOW, now=NOW)

    assert lines(cost) == [("TEA", 10, 2, 8), ("TEA", 10, 10, 0)]
    assert open_layers(world.tea) == [(12, 36)]
    assert worth_faults() == []


def test_a_receipt_from_before_the_change_to_fifo_shares_in_the_common_layer(world: World) -> None:
    switch_valuation("avco", actor=None, now=NOW)
    receive(world, world.tea, 10, "2.00", "GR-1")
    switch_valuation("fifo", actor=None, now=NOW)
    receive(world, world.tea, 10, "2.00", "GR-2")
    book("sale", world.tea, world.shelf, -4)

    cost = land(10, "GR-1")

    assert lines(cost) == [("TEA", 10, 6, 4)]
    assert open_layers(world.tea) == [(6, 18), (10, 20)]


def test_a_credit_makes_stock_worth_less_but_never_less_than_nothing(world: World) -> None:
    receive(world, world.tea, 10, "2.00", "GR-1")
    land(-5, "GR-1")
    assert open_layers(world.tea) == [(10, 15)]

    with pytest.raises(ValidationFailed) as refused:
        land("-15.0001", "GR-1", key="L")

    assert [(item["line"], item["field"]) for item in refused.value.items] == [(1, "amount")]
    assert LandedCost.objects.count() == 1
    land(-15, "GR-1", key="M")
    assert open_layers(world.tea) == [(10, 0)]
    assert worth_faults() == []


def test_the_same_key_is_booked_once_and_another_cost_with_it_is_refused(world: World) -> None:
    receive(world, world.tea, 10, "2.00", "GR-1")
    first = land(5, "GR-1")

    assert land(5, "GR-1") == first
    assert open_layers(world.tea) == [(10, 25)]
    with pytest.raises(Conflict) as refused:
        land(6, "GR-1")
    assert refused.value.code == "idempotency_key_reused"


def test_every_fault_of_the_header_is_named_at_once(world: World) -> None:
    with pytest.raises(ValidationFailed) as refused:
        land(
            "0.00001", "GR-1", "GR-1", kind="bribe", basis="colour", key="", note="x" * 201,
            happened_at=NOW + timedelta(days=1),
        )  # fmt: skip

    fields = [item["field"] for item in refused.value.items]
    assert fields == ["kind", "basis", "amount", "references", "note", "happened_at", "key"]


def test_unknown_receipts_and_unknown_weights_are_named_together(world: World) -> None:
    receive(world, world.tea, 10, "2.00", "GR-1")

    with pytest.raises(ValidationFailed) as refused:
        land(5, "GR-7", "GR-1", "GR-9", basis="weight")

    assert [(i.get("line"), i.get("sku"), i["field"]) for i in refused.value.items] == [
        (1, None, "references"),
        (3, None, "references"),
        (None, "TEA", "basis"),
    ]
    assert not LandedCost.objects.exists()


def test_goods_that_cost_nothing_need_another_basis(world: World) -> None:
    receive(world, world.tea, 10, "0", "GR-1")

    with pytest.raises(ValidationFailed):
        land(5, "GR-1")

    assert lines(land(5, "GR-1", basis="quantity")) == [("TEA", 5, 5, 0)]


def test_no_cent_is_lost_in_the_spreading(world: World) -> None:
    for number in range(7):
        receive(world, world.tea, 3, "1.1111", f"GR-{number}")
    book("sale", world.tea, world.shelf, "-8.5")

    cost = land("10.0001", *(f"GR-{number}" for number in range(7)))

    found = lines(cost)
    assert sum(amount for _sku, amount, _c, _e in found) == Decimal("10.0001")
    assert all(amount == c + e for _sku, amount, c, e in found)
    assert worth_faults() == []
