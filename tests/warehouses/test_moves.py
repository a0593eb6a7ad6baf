"""Stock that changes its bin or its status within a warehouse; what is reserved stays, or gives way when told to."""

from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from tests.cast import NOW, World, make_location, make_lot, put_stock
from warehouses.models import Location, SalesOrder, StockLevel, StockMovement, StockValue
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services import adjustments
from warehouses.services.adjustments import adjust_stock
from warehouses.services.moves import StockMove, change_status, move_stock
from warehouses.services.sales import Sale, SaleLine, record_sale
from warehouses.services.transfers import TransferItem, create_transfer, reserve_transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def bin2(world: World) -> Location:
    return make_location(world.main, "A-02")


def move(world: World, to: Location, quantity: Any, *, sku: Any = None, key: str = "K", **more: Any) -> Any:
    row = StockMove((sku or world.lamp).pk, world.shelf.pk, to.pk, Decimal(quantity), **more)
    return move_stock([row], key=key, now=NOW)


def block(world: World, quantity: Any, *, to: str = "blocked", **more: Any) -> Any:
    asked = {"sku_id": world.lamp.pk, "location_id": world.shelf.pk, "from_status": "available", "key": "K", "now": NOW}
    return change_status(**{**asked, "quantity": Decimal(quantity), "to_status": to, "reason": "damaged", **more})


def buy(world: World, number: str, lamps: int, *, channel: str = "WEB", minute: int = 0) -> SalesOrder:
    lines = [SaleLine("LAMP", Decimal(lamps), Decimal(45))]
    return record_sale(Sale(channel, number, NOW.replace(minute=minute), lines), now=NOW.replace(hour=10))[0]


def lamps(**more: Any) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    levels = StockLevel.objects.filter(sku__code="LAMP", on_hand__gt=0, **more)
    return {(x.location.code, x.status): (x.on_hand, x.reserved) for x in levels.select_related("location")}


def test_units_move_with_their_lot_and_status_and_are_worth_the_same(world: World, bin2: Location) -> None:
    lot = make_lot(world.tea, "B-1")
    put_stock(world.tea, world.shelf, 10, lot=lot)
    worth = StockValue.objects.get(sku=world.tea).value

    move(world, bin2, 4, sku=world.tea, lot_id=lot.pk)

    level = StockLevel.objects.get(sku=world.tea, location=bin2)
    assert (level.lot, level.on_hand, StockValue.objects.get(sku=world.tea).value) == (lot, 4, worth)
    assert [m.value for m in StockMovement.objects.filter(kind="move")] == [0, 0]
    assert drifting_levels() == []


def test_reserved_units_stay_where_they_are(world: World, bin2: Location) -> None:
    buy(world, "W-1", 15)

    with pytest.raises(InsufficientStock) as short:
        move(world, bin2, 6)
    move(world, bin2, 5)

    assert [(i["line"], i["available"], i["short_by"]) for i in short.value.items] == [(1, "5", "1")]
    assert lamps() == {("A-01", "available"): (15, 15), ("A-02", "available"): (5, 0)}


def test_every_line_is_checked_before_one_moves(world: World, bin2: Location) -> None:
    transit = make_location(world.main, "T", Location.Kind.IN_TRANSIT)
    rows = [
        StockMove(world.lamp.pk, world.shelf.pk, world.north_shelf.pk, Decimal(1)),
        StockMove(world.lamp.pk, world.shelf.pk, world.shelf.pk, Decimal(0)),
        StockMove(world.lamp.pk, transit.pk, bin2.pk, Decimal(1), status="gone"),
        StockMove(world.lamp.pk, world.shelf.pk, 0, Decimal(1)),
    ]

    with pytest.raises(ValidationFailed) as refused:
        move_stock(rows, key="K", now=NOW)

    assert [(i["line"], i["field"]) for i in refused.value.items] == [
        (1, "to_location"),
        (2, "quantity"),
        (2, "to_location"),
        (3, "from_location"),
        (3, "status"),
        (4, "to_location"),
    ]
    assert StockMovement.objects.filter(kind="move").count() == 0


def test_one_key_moves_once(world: World, bin2: Location) -> None:
    move(world, bin2, 3)
    move(world, bin2, 3)

    with pytest.raises(Conflict):
        move(world, bin2, 4)
    assert lamps()["A-02", "available"] == (3, 0)


def test_a_full_bin_takes_no_more(world: World, bin2: Location) -> None:
    bin2.capacity_units = Decimal(5)
    bin2.save()

    with pytest.raises(ValidationFailed, match="6 more do not fit"):
        move(world, bin2, 6)


def test_units_moved_out_of_quarantine_serve_who_waits(world: World) -> None:
    put_stock(world.tea, world.quarantine, 5)
    order, _new = record_sale(Sale("WEB", "W-1", NOW, [SaleLine("TEA", Decimal(5), Decimal(3))]), now=NOW)
    assert order.status == "backordered"

    rows = [StockMove(world.tea.pk, world.quarantine.pk, world.shelf.pk, Decimal(5))]
    move_stock(rows, key="K", now=NOW)

    order.refresh_from_db()
    assert order.status == "reserved"


def test_only_free_units_are_blocked(world: World) -> None:
    buy(world, "W-1", 15)

    with pytest.raises(InsufficientStock):
        block(world, 6)
    block(world, 5)

    assert lamps() == {("A-01", "available"): (15, 15), ("A-01", "blocked"): (5, 0)}


def test_reservations_give_way_the_newest_of_the_last_channel_first(world: World) -> None:
    first, second = buy(world, "W-1", 8, minute=1), buy(world, "W-2", 8, minute=2)

    block(world, 10, unreserve=True)

    assert lamps() == {("A-01", "available"): (10, 10), ("A-01", "blocked"): (10, 0)}
    rows = {o.external_id: (o.status, o.lines.get().reserved_quantity) for o in SalesOrder.objects.all()}
    assert rows == {first.external_id: ("reserved", 8), second.external_id: ("backordered", 2)}
    assert drifting_levels() == drifting_lines() == []
    block(world, 10, to="available", from_status="blocked", key="back")
    assert SalesOrder.objects.get(pk=second.pk).status == "reserved"


def test_a_transfer_gives_way_before_an_order_and_is_a_draft_again(world: World) -> None:
    buy(world, "W-1", 10)
    items = [TransferItem("LAMP", Decimal(10))]
    transfer, _new = create_transfer(items, source_code="MAIN", destination_code="NORTH", key="T", now=NOW)
    reserve_transfer(transfer.pk, now=NOW)

    block(world, 4, unreserve=True)

    transfer.refresh_from_db()
    assert (transfer.status, transfer.lines.get().reserved_quantity) == ("draft", 6)
    assert SalesOrder.objects.get().status == "reserved"


def test_blocking_again_under_the_same_key_lets_nothing_go(world: World) -> None:
    buy(world, "W-1", 15)
    block(world, 5, unreserve=True)

    block(world, 5, unreserve=True)

    assert SalesOrder.objects.get().status == "reserved"


def test_more_than_lies_there_is_refused_and_nothing_is_let_go(world: World) -> None:
    buy(world, "W-1", 15)

    with pytest.raises(InsufficientStock):
        block(world, 21, unreserve=True)

    assert SalesOrder.objects.get().status == "reserved"


def test_a_change_of_status_says_what_is_wrong_with_it(world: World) -> None:
    with pytest.raises(ValidationFailed) as refused:
        block(world, 0, to="available", reason=" ")
    with pytest.raises(ValidationFailed):
        block(world, 1, to="gone")

    assert [i["field"] for i in refused.value.items] == ["reason", "quantity", "to_status"]


def test_remove_5_of_3_is_refused_loudly_and_takes_nothing(world: World) -> None:
    """InvenTree takes three and says nothing."""
    put_stock(world.tea, world.shelf, 3)

    with pytest.raises(InsufficientStock) as short:
        adjust_stock(
            sku_id=world.tea.pk,
            location_id=world.shelf.pk,
            quantity=Decimal(-5),
            reason="lost",
            key="K",
            now=NOW,
        )

    assert [(i["requested"], i["available"], i["short_by"]) for i in short.value.items] == [("5", "3", "2")]
    assert StockLevel.objects.get(sku=world.tea).on_hand == 3
    assert drifting_levels() == []


def test_reserved_stock_does_not_leave_by_an_adjustment(world: World) -> None:
    """InvenTree lets 90 of 100 leave while 60 are allocated."""
    record_sale(Sale("WEB", "W-1", NOW, [SaleLine("MUG", Decimal(60), Decimal(9))]), now=NOW)

    with pytest.raises(InsufficientStock, match="short by 50"):
        adjust_stock(
            sku_id=world.mug.pk,
            location_id=world.shelf.pk,
            quantity=Decimal(-90),
            reason="lost",
            key="K",
            now=NOW,
        )

    assert StockLevel.objects.get(sku=world.mug, location=world.shelf).on_hand == 100


def test_the_last_unit_taken_leaves_its_history(world: World) -> None:
    """InvenTree answers 500 after removing all stock and loses the history row."""
    put_stock(world.tea, world.shelf, 3)
    common = {"sku_id": world.tea.pk, "location_id": world.shelf.pk, "reason": "lost", "now": NOW}

    adjust_stock(quantity=Decimal(-3), key="K", **common)

    history = StockMovement.objects.filter(sku=world.tea).order_by("pk")
    assert list(history.values_list("kind", "quantity")) == [("opening", 3), ("adjustment", -3)]
    assert StockLevel.objects.get(sku=world.tea).on_hand == 0
    assert drifting_levels() == []


def test_after_any_error_the_history_and_the_stock_agree(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is posted and then fails leaves neither a row in the ledger nor a change of the level."""

    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(adjustments, "reserve_backorders", fail)
    with pytest.raises(RuntimeError):
        adjust_stock(
            sku_id=world.lamp.pk,
            location_id=world.shelf.pk,
            quantity=Decimal(5),
            reason="found",
            key="K",
            now=NOW,
        )

    assert StockMovement.objects.filter(kind="adjustment").count() == 0
    assert lamps() == {("A-01", "available"): (20, 0)}
    assert drifting_levels() == []
