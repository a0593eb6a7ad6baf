"""Shipping and calling off as a clerk does it on the order's page."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from tests.cast import NOW, World
from tests.kernel.test_export_admin import enter
from tests.procurement.test_buying_admin import said
from tests.warehouses.selling import make_kit
from warehouses.models import SalesOrder, Shipment, StockLevel
from warehouses.services.sales import Sale, SaleLine, record_sale


def press(client: Client, row: Any, verb: str, **fields: Any) -> Any:
    return client.post(f"/admin/warehouses/{row._meta.model_name}/{row.pk}/do/{verb}/", fields)


def order_of(number: str, *lines: tuple[str, int]) -> SalesOrder:
    rows = [SaleLine(sku, Decimal(quantity), Decimal("9.00")) for sku, quantity in lines]
    return record_sale(Sale("WEB", number, NOW, rows), now=NOW)[0]


def quantities(order: SalesOrder) -> list[tuple[int, ...]]:
    """(ordered, reserved, shipped, cancelled) of each line."""
    names = ("quantity", "reserved_quantity", "shipped_quantity", "cancelled_quantity")
    return [tuple(map(int, row)) for row in order.lines.order_by("line_number").values_list(*names)]


def page(user: Any, order: SalesOrder) -> str:
    return enter(user).get(f"/admin/warehouses/salesorder/{order.pk}/change/").content.decode()


def test_the_form_offers_what_is_reserved_line_by_line(world: World) -> None:
    order = order_of("W-1", ("MUG", 30), ("LAMP", 25), ("TEA", 4))  # 20 lamps, no tea

    shown = page(world.clerk, order)

    assert 'name="ship-1" inputmode="decimal" value="30"' in shown
    assert 'name="ship-2" inputmode="decimal" value="20"' in shown
    assert 'name="ship-3"' not in shown


def test_a_part_leaves_and_pressing_twice_makes_one_shipment(world: World) -> None:
    order, clerk = order_of("W-1", ("MUG", 30), ("LAMP", 2)), enter(world.clerk)
    form = {"ship-1": "12", "ship-2": "", "key": "admin:form-1"}

    first, second = press(clerk, order, "ship", **form), press(clerk, order, "ship", **form)

    shipment = Shipment.objects.get()
    assert quantities(order) == [(30, 18, 12, 0), (2, 2, 0, 0)]
    assert (shipment.key, shipment.actor) == ("admin:form-1", world.clerk)
    assert said(first) == [f"{shipment.number} was booked."]
    assert said(second)[-1] == f"{shipment.number} had been booked already."
    level = StockLevel.objects.get(sku=world.mug, location=world.shelf)
    assert (level.on_hand, level.reserved) == (88, 18)


def test_more_than_is_reserved_is_said_and_nothing_leaves(world: World) -> None:
    order = order_of("W-1", ("LAMP", 25))

    response = press(enter(world.clerk), order, "ship", **{"ship-1": "21", "key": "k"})

    assert said(response)[0] == "Not enough is reserved: line 1 (LAMP): short by 1."
    assert not Shipment.objects.exists()


@pytest.mark.parametrize("typed", ["abc", "-1", "1.2345", "NaN", "1e999999", ""])
def test_what_is_no_quantity_ships_nothing(world: World, typed: str) -> None:
    order = order_of("W-1", ("MUG", 30))

    response = press(enter(world.clerk), order, "ship", **{"ship-1": typed, "key": "k"})

    assert said(response)
    assert not Shipment.objects.exists()
    assert quantities(order) == [(30, 30, 0, 0)]


def test_what_is_not_shipped_is_called_off(world: World) -> None:
    order, clerk = order_of("W-1", ("MUG", 30)), enter(world.clerk)
    press(clerk, order, "ship", **{"ship-1": "12", "key": "k"})

    press(clerk, order, "cancel")

    assert quantities(order) == [(30, 0, 12, 18)]
    assert StockLevel.objects.get(sku=world.mug, location=world.shelf).reserved == 0
    shown = page(world.clerk, order)
    assert "Cancel what is not shipped" not in shown
    assert "Book the shipment" not in shown


def test_an_order_without_reserved_units_says_why_nothing_can_leave(world: World) -> None:
    assert "Nothing is reserved for this order" in page(world.clerk, order_of("W-1", ("TEA", 1)))


@pytest.mark.parametrize("role", ["planner", "viewer"])
def test_others_see_the_order_but_may_not_ship_or_call_off(world: World, role: str) -> None:
    order, person = order_of("W-1", ("MUG", 30)), getattr(world, role)

    shown = page(person, order)

    assert "W-1" in shown
    assert "Book the shipment" not in shown
    assert "Cancel what is not shipped" not in shown
    assert press(enter(person), order, "ship", **{"ship-1": "1"}).status_code == 403
    assert press(enter(person), order, "cancel").status_code == 403
    assert quantities(order) == [(30, 30, 0, 0)]


def test_each_warehouse_ships_what_lies_there_with_its_carrier(world: World) -> None:
    order, clerk = order_of("W-1", ("MUG", 120)), enter(world.clerk)

    shown = page(world.clerk, order)
    press(clerk, order, "ship", warehouse="NORTH", carrier="DHL", tracking_code="JD01", **{"ship-1": "20"})

    assert "Ship from Leeds" in shown
    assert "Ship from Glasgow" in shown
    assert "MAIN sends 100, at a cost of 0." in shown
    shipment = Shipment.objects.get()
    assert (shipment.warehouse, shipment.carrier, shipment.tracking_code) == (world.north, "DHL", "JD01")
    assert quantities(order) == [(120, 100, 20, 0)]
    assert "JD01" in page(world.clerk, order)


def test_a_kit_is_shown_with_its_parts_and_shipped_by_its_own_line(world: World) -> None:
    make_kit("GIFT", (world.mug, 2), (world.lamp, 1))
    order, clerk = order_of("W-1", ("GIFT", 3)), enter(world.clerk)

    shown = page(world.clerk, order)
    press(clerk, order, "ship", warehouse="MAIN", **{"ship-1": "2"})

    assert 'name="ship-1" inputmode="decimal" value="3"' in shown
    assert 'name="ship-2"' not in shown
    assert quantities(order) == [(3, 1, 2, 0), (6, 2, 4, 0), (3, 1, 2, 0)]


def test_units_of_a_line_are_called_off_and_the_order_is_released_and_delivered(world: World) -> None:
    order, clerk = order_of("W-1", ("MUG", 5)), enter(world.clerk)

    off = press(clerk, order, "cancel_units", **{"cancel-1": "2"})
    nothing = press(clerk, order, "cancel_units", **{"cancel-1": ""})
    released = press(clerk, order, "release")
    press(clerk, order, "ship", warehouse="MAIN", **{"ship-1": "3"})
    delivered = press(clerk, order, "deliver")

    assert said(off) == ["These units are cancelled; what was reserved of them is free again."]
    assert "Enter what is called off: at least one line with more than 0 units." in said(nothing)
    assert said(released)[-1] == "1 pick task waits for this order."
    assert said(delivered)[-1] == "The order is delivered."
    assert quantities(order) == [(5, 0, 3, 2)]
