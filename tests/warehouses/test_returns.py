"""What comes back is matched to its order, never more than was shipped, and lies where it may or may not be sold."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, ValidationFailed
from tests.cast import NOW, World, make_lot, put_stock
from warehouses.models import Location, SalesOrder, SalesReturn, StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import Sale, SaleLine, record_sale, ship_order

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=4)


@pytest.fixture
def shipped(world: World) -> SalesOrder:
    """30 mugs at 9.00, 2 lamps at 45.00, 5 mugs at 8.00, all shipped from MAIN; 65 mugs and 18 lamps are left."""
    lines = [SaleLine("MUG", Decimal(30), Decimal(9)), SaleLine("LAMP", Decimal(2), Decimal(45))]
    lines.append(SaleLine("MUG", Decimal(5), Decimal(8)))
    order, _ = record_sale(Sale("WEB", "W-1", NOW, lines, customer_reference="C-7"), now=NOW)
    ship_order(order.pk, key="S", now=NOW)
    return order


def give_back(*lines: tuple[str, object, bool], number: str = "R-1", **more) -> tuple[SalesReturn, bool]:
    return receive_return(
        **{"channel_code": "WEB", "order_external_id": "W-1", "now": LATER, **more},
        external_id=number,
        lines=[ReturnLine(sku, Decimal(str(quantity)), restock) for sku, quantity, restock in lines],
    )


def on_hand(sku, location) -> int:
    return int(sum(StockLevel.objects.filter(sku=sku, location=location).values_list("on_hand", flat=True)))


def test_goods_as_new_go_back_to_storage(world: World, shipped: SalesOrder) -> None:
    sales_return, is_new = give_back(("MUG", 3, True), actor=world.clerk)

    assert is_new
    assert (sales_return.customer_reference, sales_return.returned_at) == ("C-7", LATER)
    [row] = sales_return.lines.all()
    assert (row.kind, row.quantity, row.unit_price, row.is_restocked) == ("return", 3, 9, True)
    assert row.order_line.returned_quantity == 3
    assert on_hand(world.mug, world.shelf) == 68
    [moved] = StockMovement.objects.filter(kind="return")
    assert (moved.quantity, moved.reference, moved.actor, moved.happened_at) == (3, "R-1", world.clerk, LATER)


def test_goods_that_cannot_be_sold_are_set_aside(world: World, shipped: SalesOrder) -> None:
    give_back(("LAMP", 1, False))

    assert on_hand(world.lamp, world.shelf) == 18
    assert on_hand(world.lamp, world.quarantine) == 1


def test_without_quarantine_they_go_to_returns_and_without_both_they_are_not_booked(
    world: World, shipped: SalesOrder
) -> None:
    Location.objects.filter(pk=world.quarantine.pk).update(is_active=False)
    give_back(("LAMP", 1, False))
    Location.objects.filter(pk=world.returns.pk).update(is_active=False)
    give_back(("LAMP", 1, False), number="R-2")

    assert on_hand(world.lamp, world.returns) == 1
    assert StockMovement.objects.filter(kind="return").count() == 1
    assert shipped.lines.get(line_number=2).returned_quantity == 2


def test_a_return_falls_on_the_orders_lines_one_after_another(world: World, shipped: SalesOrder) -> None:
    sales_return, _ = give_back(("MUG", 32, True), ("MUG", 1, False))

    rows = sales_return.lines.order_by("line_number")
    assert [(r.order_line.line_number, r.quantity, r.unit_price, r.is_restocked) for r in rows] == [
        (1, 30, 9, True),
        (3, 2, 8, True),
        (3, 1, 8, False),
    ]
    assert on_hand(world.mug, world.shelf) == 97
    assert on_hand(world.mug, world.quarantine) == 1
    assert drifting_levels() == []


def test_returned_stock_serves_who_waits(world: World, shipped: SalesOrder) -> None:
    waiting, _ = record_sale(Sale("WEB", "W-2", NOW, [SaleLine("LAMP", Decimal(20), Decimal(45))]), now=NOW)

    give_back(("LAMP", 2, True))

    assert SalesOrder.objects.get(pk=waiting.pk).status == "reserved"


def test_more_than_was_shipped_cannot_come_back(world: World, shipped: SalesOrder) -> None:
    give_back(("MUG", 30, True))

    with pytest.raises(ValidationFailed) as refused:
        give_back(("MUG", 4, True), ("MUG", 2, False), ("TEA", 1, True), ("LAMP", 0, True), number="R-2")

    assert [(i["line"], i["field"], i["message"]) for i in refused.value.items] == [
        (2, "quantity", "Only 5 were shipped and not yet returned."),
        (3, "sku_code", "The order has no such SKU."),
        (4, "quantity", "The quantity must be above zero, with at most three digits after the point."),
    ]
    assert SalesReturn.objects.count() == 1


def test_what_was_not_shipped_cannot_come_back(world: World) -> None:
    record_sale(Sale("WEB", "W-1", NOW, [SaleLine("MUG", Decimal(1), Decimal(9))]), now=NOW)

    with pytest.raises(ValidationFailed, match="The return cannot be recorded"):
        give_back(("MUG", 1, True))


def test_the_same_return_again_is_the_first_one(world: World, shipped: SalesOrder) -> None:
    first, _ = give_back(("MUG", 32, True))

    assert give_back(("MUG", 32, True)) == (first, False)
    assert on_hand(world.mug, world.shelf) == 97


@pytest.mark.parametrize("lines", [[("MUG", 2, True)], [("MUG", 3, False)], [("LAMP", 3, True)]], ids=str)
def test_the_same_number_with_other_contents_is_a_conflict(world: World, shipped: SalesOrder, lines: list) -> None:
    give_back(("MUG", 3, True))

    with pytest.raises(Conflict) as refused:
        give_back(*lines)

    assert refused.value.code == "already_recorded"


def test_a_number_used_for_another_order_is_a_conflict(world: World, shipped: SalesOrder) -> None:
    other, _ = record_sale(Sale("WEB", "W-2", NOW, [SaleLine("MUG", Decimal(3), Decimal(9))]), now=NOW)
    ship_order(other.pk, key="S2", now=NOW)
    give_back(("MUG", 3, True))

    with pytest.raises(Conflict):
        give_back(("MUG", 3, True), order_external_id="W-2")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"channel_code": "NOPE"}, "channel_code"),
        ({"order_external_id": "W-9"}, "order_external_id"),
        ({"number": " "}, "external_id"),
    ],
    ids=["channel", "order", "number"],
)
def test_an_unknown_origin_is_refused(world: World, shipped: SalesOrder, more: dict, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        give_back(("MUG", 1, True), **more)

    assert [item["field"] for item in refused.value.items] == [field]


def test_an_empty_return_is_refused(world: World, shipped: SalesOrder) -> None:
    with pytest.raises(ValidationFailed):
        give_back()


# --- lots, cost, damage -------------------------------------------------------------------------------------------


def lots_at(sku, location) -> dict[str, tuple[int, str]]:
    levels = StockLevel.objects.filter(sku=sku, location=location, on_hand__gt=0).select_related("lot")
    return {level.lot.code if level.lot else "": (int(level.on_hand), level.status) for level in levels}


@pytest.fixture
def lotted(world: World) -> SalesOrder:
    """7 units of tea that left: 4 of lot A, 3 of lot B."""
    for code, units in (("A", 4), ("B", 3)):
        put_stock(
            world.tea, world.shelf, units, lot=make_lot(world.tea, code, expires_on=date(2027, 1, ord(code) - 60))
        )
    order, _ = record_sale(Sale("WEB", "W-1", NOW, [SaleLine("TEA", Decimal(7), Decimal(5))]), now=NOW)
    ship_order(order.pk, key="S", now=NOW)
    return order


def test_a_returned_lot_is_kept(world: World, lotted: SalesOrder) -> None:
    lines = [ReturnLine("TEA", Decimal(2), True), ReturnLine("TEA", Decimal(3), True, lot_code="B")]

    receive_return(channel_code="WEB", order_external_id="W-1", external_id="R-1", lines=lines, now=LATER)

    assert lots_at(world.tea, world.shelf) == {"A": (2, "available"), "B": (3, "available")}


def test_no_more_of_a_lot_comes_back_than_left(world: World, lotted: SalesOrder) -> None:
    more = {"channel_code": "WEB", "order_external_id": "W-1", "now": LATER}
    receive_return(**more, external_id="R-1", lines=[ReturnLine("TEA", Decimal(2), True, lot_code="B")])

    for units, lot in (("2", "B"), ("1", "C")):
        with pytest.raises(ValidationFailed) as refused:
            receive_return(**more, external_id="R-2", lines=[ReturnLine("TEA", Decimal(units), True, lot_code=lot)])
        assert [(item["line"], item["field"]) for item in refused.value.items] == [(1, "lot_code")]


def test_damaged_goods_are_set_aside_as_damaged(world: World, lotted: SalesOrder) -> None:
    lines = [ReturnLine("TEA", Decimal(1), restock=True, is_damaged=True)]

    made, _ = receive_return(channel_code="WEB", order_external_id="W-1", external_id="R-1", lines=lines, now=LATER)

    assert lots_at(world.tea, world.quarantine) == {"A": (1, "damaged")}
    assert not made.lines.get().is_restocked


def test_goods_come_back_at_the_cost_at_which_they_left(world: World) -> None:
    world.tea.unit_cost = Decimal("3.5000")
    world.tea.save()
    put_stock(world.tea, world.shelf, 10)
    order, _ = record_sale(Sale("WEB", "W-1", NOW, [SaleLine("TEA", Decimal(4), Decimal(5))]), now=NOW)
    ship_order(order.pk, key="S", now=NOW)
    world.tea.unit_cost = Decimal("9.0000")
    world.tea.save()
    left = StockMovement.objects.get(kind="sale")

    give_back(("TEA", 3, True))

    back = StockMovement.objects.get(kind="return")
    assert back.value == -left.value * 3 / 4
    assert drifting_levels() == []
