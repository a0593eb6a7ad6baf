"""A kit is sold as one and stocked as its parts: reserved, shipped, cancelled and returned whole."""

from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from tests.cast import NOW, World, make_sku, put_stock
from tests.warehouses.selling import counters, line, make_kit, sale, sell, shortages, standing, status
from warehouses.models import Reservation, SalesOrder
from warehouses.selectors.sales import backordered_quantities
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import cancel_order, record_sale, reserve_backorders, ship_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def gift(world: World) -> None:
    """A gift box: 2 mugs and 1 lamp."""
    make_kit("GIFT", (world.mug, 2), (world.lamp, 1))


def test_a_kit_reserves_its_parts(world: World, gift: None) -> None:
    order = sell(("GIFT", 3))

    assert order.status == "reserved"
    assert counters(order, "quantity", "reserved") == [(1, "GIFT", 3, 3), (2, "MUG", 6, 6), (3, "LAMP", 3, 3)]
    assert [(li.is_kit, li.kit_line_id is not None, li.units_per_kit) for li in order.lines.order_by("pk")] == [
        (True, False, None),
        (False, True, 2),
        (False, True, 1),
    ]
    assert standing(world.mug, world.shelf) == (100, 6)
    assert standing(world.lamp, world.shelf) == (20, 3)


def test_only_whole_kits_are_reserved_and_the_rest_waits_whole(world: World, gift: None) -> None:
    order = sell(("GIFT", 25))

    assert order.status == "backordered"
    assert counters(order, "quantity", "reserved") == [(1, "GIFT", 25, 20), (2, "MUG", 50, 40), (3, "LAMP", 25, 20)]
    assert backordered_quantities() == {(world.mug.pk, world.main.pk): 10, (world.lamp.pk, world.main.pk): 5}


def test_kits_and_lines_share_their_parts(world: World, gift: None) -> None:
    order = sell(("LAMP", 15), ("GIFT", 8), ("LAMP", 2))

    held = {(number, sku): units for number, sku, units in counters(order, "reserved")}
    assert held[1, "LAMP"] + held[2, "GIFT"] + held[3, "LAMP"] == 20
    assert standing(world.lamp, world.shelf) == (20, 20)
    assert held[4, "MUG"] == 2 * held[2, "GIFT"]
    assert drifting_levels() == drifting_lines() == []


def test_each_kit_comes_whole_from_one_warehouse(world: World, gift: None) -> None:
    put_stock(world.lamp, world.north_shelf, 3)

    order = sell(("GIFT", 23))

    assert order.status == "reserved"
    assert standing(world.lamp, world.north_shelf) == (3, 3)
    assert standing(world.mug, world.north_shelf) == (40, 6)
    assert standing(world.mug, world.shelf) == (100, 40)


def test_a_kit_that_is_short_where_no_backorders_are_taken_is_refused_whole(world: World, gift: None) -> None:
    with pytest.raises(InsufficientStock) as refused:
        sell(("MUG", 200), ("GIFT", 25), on_short="refuse")

    # 140 mugs and 20 lamps are there. As many units as can be: 140 mugs are more than any mix with kits.
    assert {short[:2] for short in shortages(refused.value.items)} == {(1, "MUG"), (2, "GIFT")}
    assert not SalesOrder.objects.exists()
    assert not Reservation.objects.exists()


@pytest.mark.parametrize(("quantity", "field"), [("1.5", "quantity"), ("0", "quantity")], ids=["half a kit", "no kit"])
def test_kits_are_sold_whole(world: World, gift: None, quantity: str, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        sell(line("GIFT", quantity))

    assert [(item["line"], item["field"]) for item in refused.value.items] == [(1, field)]


def test_a_kit_without_parts_cannot_be_sold(world: World) -> None:
    make_sku("EMPTY", is_kit=True)

    with pytest.raises(ValidationFailed, match="cannot be recorded") as refused:
        sell(("EMPTY", 1))

    assert [item["message"] for item in refused.value.items] == ["This kit has no parts."]


def test_the_same_kit_order_again_is_known(world: World, gift: None) -> None:
    first = sell(("GIFT", 2))

    assert record_sale(sale(("GIFT", 2)), now=NOW) == (first, False)


def test_kits_are_shipped_in_parts_and_counted_whole(world: World, gift: None) -> None:
    order = sell(("GIFT", 3))

    ship_order(order.pk, key="S-1", now=NOW, quantities={1: Decimal(2)})

    assert status(order) == "partially_shipped"
    assert counters(order, "reserved", "shipped") == [(1, "GIFT", 1, 2), (2, "MUG", 2, 4), (3, "LAMP", 1, 2)]
    assert standing(world.mug, world.shelf) == (96, 2)
    ship_order(order.pk, key="S-2", now=NOW)
    assert status(order) == "shipped"
    assert standing(world.lamp, world.shelf) == (17, 0)
    assert drifting_levels() == drifting_lines() == []


def test_a_part_is_not_shipped_or_cancelled_without_its_kit(world: World, gift: None) -> None:
    order = sell(("GIFT", 3))

    for refused in (
        lambda: ship_order(order.pk, key="S", now=NOW, quantities={2: Decimal(1)}),
        lambda: cancel_order(order.pk, now=NOW, quantities={2: Decimal(1)}),
        lambda: ship_order(order.pk, key="S", now=NOW, quantities={1: Decimal("0.5")}),
        lambda: cancel_order(order.pk, now=NOW, quantities={1: Decimal("0.5")}),
    ):
        with pytest.raises(ValidationFailed):
            refused()


def test_kits_are_cancelled_in_parts(world: World, gift: None) -> None:
    order = sell(("GIFT", 3))

    cancel_order(order.pk, now=NOW, quantities={1: Decimal(1)})

    assert counters(order, "reserved", "cancelled") == [(1, "GIFT", 2, 1), (2, "MUG", 4, 2), (3, "LAMP", 2, 1)]
    cancel_order(order.pk, now=NOW)
    assert status(order) == "cancelled"
    assert standing(world.lamp, world.shelf) == (20, 0)


def test_a_part_that_arrives_serves_waiting_kits_whole(world: World, gift: None) -> None:
    order = sell(("GIFT", 25))
    put_stock(world.lamp, world.shelf, 4)

    reserve_backorders([world.lamp.pk], now=NOW)

    assert counters(order, "reserved") == [(1, "GIFT", 24), (2, "MUG", 48), (3, "LAMP", 24)]
    assert drifting_levels() == drifting_lines() == []


def test_a_kit_that_comes_back_comes_back_as_its_parts(world: World, gift: None) -> None:
    order = sell(("GIFT", 3), ("LAMP", 1))
    ship_order(order.pk, key="S-1", now=NOW)
    back = {"channel_code": "WEB", "order_external_id": "W-1", "now": NOW}

    receive_return(**back, external_id="R-1", lines=[ReturnLine("GIFT", Decimal(2), restock=True)])

    assert counters(order, "returned") == [(1, "GIFT", 2), (2, "LAMP", 0), (3, "MUG", 4), (4, "LAMP", 2)]
    assert standing(world.mug, world.shelf) == (98, 0)
    with pytest.raises(ValidationFailed) as refused:
        receive_return(**back, external_id="R-2", lines=[ReturnLine("GIFT", Decimal(2), restock=True)])
    assert [item["message"] for item in refused.value.items] == ["Only 1 were shipped and not yet returned."]


def test_kits_in_two_warehouses_leave_from_each(world: World, gift: None) -> None:
    put_stock(world.lamp, world.north_shelf, 3)
    order = sell(("GIFT", 23))

    with pytest.raises(Conflict) as refused:
        ship_order(order.pk, key="S", now=NOW)
    ship_order(order.pk, key="N", now=NOW, warehouse_code="NORTH")

    assert refused.value.code == "several_warehouses"
    assert counters(order, "shipped") == [(1, "GIFT", 3), (2, "MUG", 6), (3, "LAMP", 3)]
    ship_order(order.pk, key="M", now=NOW, warehouse_code="MAIN")
    assert status(order) == "shipped"
