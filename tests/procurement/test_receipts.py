"""Goods arrive: wholly, in part, twice under one key, and more than was ordered."""

from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from procurement.models import PurchaseOrder, Receipt
from procurement.selectors import on_order_quantities
from procurement.services.confirmations import LineAnswer, respond_to_order
from procurement.services.receipts import ReceivedLine, receive_goods
from tests.cast import NOW, World
from tests.procurement.buying import confirmed_order, event_kinds, sent_order
from warehouses.models import StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels
from warehouses.services.sales import Sale, SaleLine, record_sale


def receive(world: World, order: PurchaseOrder, *quantities: Any, key: str = "dock-1", **more: Any) -> Receipt:
    """These quantities of the order's lines, in their order."""
    rows = [ReceivedLine(x.pk, Decimal(q)) for x, q in zip(order.lines.all(), quantities, strict=False)]
    receipt, _is_new = receive_goods(order.pk, rows, key=key, actor=world.clerk, now=NOW, **more)
    order.refresh_from_db()
    return receipt


def stock(location: Any) -> dict[str, Decimal]:
    return dict(StockLevel.objects.filter(location=location).values_list("sku__code", "on_hand"))


def test_a_whole_delivery_goes_to_the_receiving_location(world: World) -> None:
    order = confirmed_order(world, lamps=6)

    receipt = receive(world, order, 100, 6, delivery_note="DN-7")

    assert (order.status, order.closed_at) == ("received", NOW)
    assert stock(world.receiving) == {"MUG": 100, "LAMP": 6}
    assert (receipt.delivery_note, receipt.received_at, receipt.actor) == ("DN-7", NOW, world.clerk)
    moves = StockMovement.objects.filter(reference=receipt.number).order_by("pk")
    assert [(m.kind, m.sku.code, m.quantity, m.unit_cost, m.idempotency_key) for m in moves] == [
        ("receipt", "MUG", 100, Decimal("3.50"), f"receipt:{receipt.number}:1"),
        ("receipt", "LAMP", 6, Decimal("20.00"), f"receipt:{receipt.number}:2"),
    ]
    assert event_kinds(order)[-2:] == ["goods_received", "received"]
    assert drifting_levels() == []


def test_part_of_a_delivery_leaves_the_rest_on_order(world: World) -> None:
    order = confirmed_order(world, lamps=6)

    receive(world, order, 30)
    assert order.status == "partially_received"
    assert on_order_quantities() == {
        (world.mug.pk, world.main.pk): Decimal(70),
        (world.lamp.pk, world.main.pk): Decimal(6),
    }
    receive(world, order, 70, 6, key="dock-2")

    assert order.status == "received"
    assert on_order_quantities() == {}
    assert stock(world.receiving) == {"MUG": 100, "LAMP": 6}


def test_a_warehouse_without_a_receiving_location_takes_goods_into_storage(world: World) -> None:
    world.receiving.is_active = False
    world.receiving.save()

    receive(world, confirmed_order(world), 100)

    assert stock(world.shelf)["MUG"] == 200


def test_goods_go_where_the_clerk_says_within_the_orders_warehouse(world: World) -> None:
    order = confirmed_order(world)

    with pytest.raises(ValidationFailed, match="This is no location of Leeds"):
        receive(world, order, 60, location_id=world.north_shelf.pk)
    receive(world, order, 60, location_id=world.quarantine.pk)

    assert stock(world.quarantine) == {"MUG": 60}


def test_the_same_key_returns_the_first_receipt(world: World) -> None:
    order = confirmed_order(world)
    rows = [ReceivedLine(order.lines.get().pk, Decimal(100))]

    first, is_new = receive_goods(order.pk, rows, key="dock-1", actor=world.clerk, now=NOW)
    again, is_new_again = receive_goods(order.pk, rows, key="dock-1", actor=world.clerk, now=NOW)

    assert (is_new, is_new_again, again) == (True, False, first)
    assert stock(world.receiving) == {"MUG": 100}
    assert order.lines.get().received_quantity == 100


def test_the_same_key_with_other_contents_is_refused(world: World) -> None:
    order, other = confirmed_order(world), sent_order(world, supplier=world.outsider, mugs=5)
    receive(world, order, 30)

    with pytest.raises(Conflict, match="was used for another receipt"):
        receive(world, order, 31)
    with pytest.raises(Conflict, match="was used for another receipt"):
        receive(world, other, 5)

    assert Receipt.objects.count() == 1


def test_more_than_the_tolerance_allows_is_refused_with_every_line_named(world: World) -> None:
    world.northwind.over_receipt_tolerance = Decimal("0.05")
    world.northwind.save()
    order = confirmed_order(world, lamps=6)
    receive(world, order, 90)

    with pytest.raises(ValidationFailed) as refused:
        receive(world, order, 20, 7, key="dock-2")

    assert str(refused.value) == (
        "Nothing was received: "
        "line 1 MUG: ordered 100, received 90, tolerance 5 %, at most 15 more; 20 given; "
        "line 2 LAMP: ordered 6, received 0, tolerance 5 %, at most 6.3 more; 7 given."
    )
    assert stock(world.receiving) == {"MUG": 90}
    receive(world, order, 15, 6, key="dock-3")
    assert (order.status, stock(world.receiving)["MUG"]) == ("received", 105)


def test_without_a_tolerance_not_one_unit_more_is_taken(world: World) -> None:
    order = confirmed_order(world)

    with pytest.raises(ValidationFailed, match=r"tolerance 0 %, at most 100 more; 101 given"):
        receive(world, order, 101)
    with pytest.raises(ValidationFailed, match=r"at most 100 more; 100.001 given"):
        receive(world, order, "100.001")

    assert StockMovement.objects.filter(kind="receipt").count() == 0


def test_lines_that_cannot_be_received_are_refused_together(world: World) -> None:
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()
    respond_to_order(order.pk, [LineAnswer(lamps.pk, "reject")], actor=world.northwind_user, now=NOW)
    rows = [
        ReceivedLine(mugs.pk, Decimal(0)),
        ReceivedLine(lamps.pk, Decimal(1)),
        ReceivedLine(mugs.pk, Decimal(5)),
        ReceivedLine(999999, Decimal(1)),
    ]

    with pytest.raises(ValidationFailed) as refused:
        receive_goods(order.pk, rows, key="k", actor=world.clerk, now=NOW)

    assert [item["message"] for item in refused.value.items] == [
        "line 1 MUG: the quantity must be greater than zero",
        "line 2 LAMP: the supplier rejected it",
        "line 1 MUG: is named twice",
        "line 999999: is not on this order",
    ]
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("quantity", ["-1", "0", "NaN", "Infinity", "0.0001"])
def test_a_quantity_that_is_none_is_refused(world: World, quantity: str) -> None:
    order = confirmed_order(world)

    with pytest.raises(ValidationFailed, match="line 1 MUG: the quantity"):
        receive(world, order, quantity)


def test_a_receipt_needs_lines_a_key_and_an_order(world: World) -> None:
    order = confirmed_order(world)

    with pytest.raises(ValidationFailed, match="No line was received"):
        receive(world, order)
    with pytest.raises(ValidationFailed, match="needs a key"):
        receive(world, order, 1, key="")
    with pytest.raises(NotFound):
        receive_goods(999999, [ReceivedLine(1, Decimal(1))], key="k", actor=world.clerk, now=NOW)


def test_goods_that_arrive_serve_the_orders_that_wait(world: World) -> None:
    sale = Sale("WEB", "W-1", NOW, [SaleLine("LAMP", Decimal(26), Decimal(45))])
    waiting, _is_new = record_sale(sale, now=NOW)
    assert (waiting.status, waiting.lines.get().reserved_quantity) == ("backordered", 20)
    order = confirmed_order(world, lamps=6)

    receive(world, order, 100, 6)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.lines.get().reserved_quantity) == ("reserved", 26)
    level = StockLevel.objects.get(sku=world.lamp, location=world.receiving)
    assert (level.on_hand, level.reserved) == (6, 6)


def test_a_complete_order_leaves_no_change_waiting(world: World) -> None:
    order = confirmed_order(world)
    line = order.lines.get()
    respond_to_order(
        order.pk, [LineAnswer(line.pk, "change", quantity=Decimal(90))], actor=world.northwind_user, now=NOW
    )

    receive(world, order, 100)

    assert (order.status, line.responses.first().decision) == ("received", "declined")
    assert event_kinds(order)[-1] == "changes_dropped"
