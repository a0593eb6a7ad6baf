"""Stock is put right by hand with a reason, once a key, and never below what is reserved."""

from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from tests.cast import NOW, World, make_lot
from warehouses.models import SalesOrder, StockLevel, StockMovement
from warehouses.services.adjustments import adjust_stock
from warehouses.services.sales import Sale, SaleLine, record_sale

pytestmark = pytest.mark.django_db


def adjust(world: World, quantity: object, **more) -> StockMovement:
    asked = {"sku_id": world.lamp.pk, "location_id": world.shelf.pk, "reason": "count", "key": "K", "now": NOW}
    return adjust_stock(**{**asked, "quantity": Decimal(str(quantity)), **more})


def lamps(world: World) -> Decimal:
    return StockLevel.objects.get(sku=world.lamp, location=world.shelf, lot=None).on_hand


def test_an_adjustment_is_a_movement_with_its_reason_and_its_actor(world: World) -> None:
    movement = adjust(world, -3, actor=world.clerk, reason="damaged: fell off the shelf")

    assert (movement.kind, movement.quantity, movement.reason) == ("adjustment", -3, "damaged: fell off the shelf")
    assert (movement.actor, movement.happened_at) == (world.clerk, NOW)
    assert lamps(world) == 17


def test_the_same_key_again_is_the_first_adjustment(world: World) -> None:
    first = adjust(world, -3)

    assert adjust(world, -3) == first
    assert lamps(world) == 17


def test_the_same_key_for_another_quantity_is_a_conflict(world: World) -> None:
    adjust(world, -3)

    with pytest.raises(Conflict):
        adjust(world, -4)


def test_long_keys_are_told_apart(world: World) -> None:
    adjust(world, -1, key="x" * 200 + "a")
    adjust(world, -1, key="x" * 200 + "b")

    assert lamps(world) == 18


def test_what_is_reserved_stays(world: World) -> None:
    record_sale(Sale("WEB", "W-1", NOW, [SaleLine("LAMP", Decimal(15), Decimal(45))]), now=NOW)

    with pytest.raises(InsufficientStock, match=r"Not enough stock: LAMP at MAIN/A-01: short by 1\.") as refused:
        adjust(world, -6)
    adjust(world, -5)

    assert [(i["requested"], i["available"], i["short_by"]) for i in refused.value.items] == [("6", "5", "1")]
    assert lamps(world) == 15


def test_stock_that_is_found_serves_who_waits(world: World) -> None:
    order, _ = record_sale(Sale("WEB", "W-1", NOW, [SaleLine("LAMP", Decimal(23), Decimal(45))]), now=NOW)

    adjust(world, 3, reason="found")

    assert SalesOrder.objects.get(pk=order.pk).status == "reserved"


def test_a_lot_and_opening_stock_with_its_cost_can_be_booked(world: World) -> None:
    lot = make_lot(world.lamp, "L-1")

    movement = adjust(world, 8, kind="opening", unit_cost=Decimal("19.50"), lot_id=lot.pk)

    assert (movement.kind, movement.unit_cost, movement.lot) == ("opening", Decimal("19.50"), lot)


@pytest.mark.parametrize(
    ("quantity", "more", "fields"),
    [
        (0, {}, ["quantity"]),
        ("0.0004", {}, ["quantity"]),
        ("NaN", {}, ["quantity"]),
        (1, {"kind": "scrap"}, ["quantity"]),
        (-1, {"kind": "opening"}, ["quantity"]),
        (1, {"kind": "sale"}, ["kind"]),
        (1, {"reason": " "}, ["reason"]),
        (1, {"unit_cost": Decimal(-1)}, ["unit_cost"]),
        (0, {"reason": "x" * 201, "key": ""}, ["quantity", "reason", "key"]),
    ],
    ids=str,
)
def test_every_fault_is_named(world: World, quantity: object, more: dict, fields: list[str]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        adjust(world, quantity, **more)

    assert [item["field"] for item in refused.value.items] == fields
    assert lamps(world) == 20


def test_an_unknown_sku_is_refused(world: World) -> None:
    with pytest.raises(ValidationFailed):
        adjust(world, 1, sku_id=0)
