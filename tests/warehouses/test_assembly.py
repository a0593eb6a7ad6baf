"""Kits put together and taken apart: the value is the same to the last digit."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import KitPart
from config.kernel.errors import Conflict, InsufficientStock, NotFound, ValidationFailed
from tests.cast import NOW, World, make_sku, put_stock
from warehouses.models import StockLevel, StockMovement, StockValue
from warehouses.selectors.stock import drifting_levels
from warehouses.services.assembly import assemble_kit, disassemble_kit

pytestmark = pytest.mark.django_db


@pytest.fixture
def kit(world: World) -> Any:
    """Two mugs and one lamp."""
    kit = make_sku("SET", is_kit=True)
    KitPart.objects.create(kit=kit, part=world.mug, quantity=Decimal(2))
    KitPart.objects.create(kit=kit, part=world.lamp, quantity=Decimal(1))
    return kit


def worth() -> Decimal:
    return sum(StockValue.objects.filter(warehouse__code="MAIN").values_list("value", flat=True), Decimal(0))


def make(world: World, kit: Any, quantity: Any, key: str = "K") -> Any:
    return assemble_kit(kit.pk, quantity=Decimal(quantity), location_id=world.shelf.pk, key=key, now=NOW)


def test_kits_are_worth_their_parts_and_nothing_is_lost_on_the_way_back(world: World, kit: Any) -> None:
    before = worth()

    make(world, kit, 5)
    assert StockValue.objects.get(sku=kit).value == 2 * 5 * 2 + 5 * 2
    assert worth() == before
    disassemble_kit(kit.pk, quantity=Decimal(3), location_id=world.shelf.pk, key="K2", now=NOW)

    assert worth() == before
    on_hand = dict(StockLevel.objects.filter(location=world.shelf).values_list("sku__code", "on_hand"))
    assert on_hand == {"MUG": 96, "LAMP": 18, "SET": 2}
    assert drifting_levels() == []


def test_odd_values_are_shared_to_the_last_digit(world: World, kit: Any) -> None:
    world.mug.unit_cost, world.lamp.unit_cost = Decimal("0.3333"), Decimal("0.7777")
    world.mug.save()
    world.lamp.save()
    make(world, kit, 7)
    before = worth()

    disassemble_kit(kit.pk, quantity=Decimal(3), location_id=world.shelf.pk, key="K2", now=NOW)

    assert worth() == before


def test_every_part_that_is_short_is_named(world: World, kit: Any) -> None:
    with pytest.raises(InsufficientStock) as short:
        make(world, kit, 51)

    assert [(i["sku"], i["short_by"]) for i in short.value.items] == [("MUG", "2"), ("LAMP", "31")]
    assert not StockMovement.objects.filter(kind="assembly").exists()


def test_parts_come_from_several_bins(world: World, kit: Any) -> None:
    put_stock(world.lamp, world.receiving, 5)

    make(world, kit, 22)

    assert StockLevel.objects.get(sku=world.lamp, location=world.receiving).on_hand == 3


def test_one_key_makes_kits_once(world: World, kit: Any) -> None:
    make(world, kit, 2)
    make(world, kit, 2)

    with pytest.raises(Conflict):
        make(world, kit, 3)
    assert StockLevel.objects.get(sku=kit).on_hand == 2


def test_what_cannot_be_made_is_refused(world: World, kit: Any) -> None:
    with pytest.raises(NotFound):
        make(world, world.mug, 1)
    with pytest.raises(ValidationFailed):
        make(world, kit, 0)
    with pytest.raises(ValidationFailed, match="Nobody has said what is in this kit"):
        make(world, make_sku("EMPTY", is_kit=True), 1)
    with pytest.raises(InsufficientStock):
        disassemble_kit(kit.pk, quantity=Decimal(1), location_id=world.shelf.pk, key="K2", now=NOW)
