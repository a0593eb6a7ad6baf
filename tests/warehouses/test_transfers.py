"""Goods between two warehouses: written down, held, sent, in transit, taken in or lost; value and lots go along."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import PackUnit
from config.kernel.errors import Conflict, InsufficientStock, NotFound, ValidationFailed
from tests.cast import NOW, World, make_lot, put_stock
from warehouses.models import Location, Reservation, StockLevel, StockMovement, StockValue, Transfer
from warehouses.selectors.stock import drifting_levels, stock_positions
from warehouses.services.sales import Sale, SaleLine, record_sale
from warehouses.services.transfer_arrivals import Arrival
from warehouses.services.transfers import (
    TransferItem,
    cancel_transfer,
    close_transfer_short,
    create_transfer,
    receive_transfer,
    reserve_transfer,
    ship_transfer,
)

pytestmark = pytest.mark.django_db


def write(world: World, *items: Any, key: str = "T", source: str = "MAIN", to: str = "NORTH", **more: Any) -> Transfer:
    rows = [item if isinstance(item, TransferItem) else TransferItem(item[0], Decimal(item[1])) for item in items]
    transfer, _new = create_transfer(rows, source_code=source, destination_code=to, key=key, now=NOW, **more)
    return transfer


def held(world: World, *items: Any, **more: Any) -> Transfer:
    return reserve_transfer(write(world, *items, **more).pk, now=NOW)


def sent(world: World, *items: Any, **more: Any) -> Transfer:
    return ship_transfer(held(world, *items, **more).pk, key="S", now=NOW)


def stock(world: World, warehouse: Any) -> dict[tuple[str, str, str], Decimal]:
    levels = StockLevel.objects.filter(location__warehouse=warehouse, on_hand__gt=0)
    return {
        (code, kind, status): units
        for code, kind, status, units in levels.values_list("sku__code", "location__kind", "status", "on_hand")
    }


def test_a_transfer_goes_its_whole_way(world: World) -> None:
    transfer = write(world, ("MUG", 30), ("LAMP", 5), actor=world.planner, expected_on=date(2026, 3, 9))
    assert (transfer.status, transfer.number[:3], transfer.actor) == ("draft", "TR-", world.planner)

    reserve_transfer(transfer.pk, now=NOW)
    assert StockLevel.objects.get(sku=world.mug, location=world.shelf).reserved == 30

    ship_transfer(transfer.pk, key="S", now=NOW, actor=world.clerk)
    transfer.refresh_from_db()
    assert (transfer.status, transfer.shipped_at) == ("in_transit", NOW)
    assert stock(world, world.main) == {("MUG", "storage", "available"): 70, ("LAMP", "storage", "available"): 15}
    assert stock(world, world.north) == {
        ("MUG", "storage", "available"): 40,
        ("MUG", "in_transit", "available"): 30,
        ("LAMP", "in_transit", "available"): 5,
    }
    position = stock_positions([world.mug.pk])[world.mug.pk, world.north.pk]
    assert (position.on_hand, position.available, position.in_transit) == (40, 40, 30)

    receive_transfer(transfer.pk, key="R", now=NOW, actor=world.clerk)
    transfer.refresh_from_db()
    assert (transfer.status, transfer.closed_at) == ("received", NOW)
    assert stock(world, world.north) == {
        ("MUG", "storage", "available"): 40,
        ("MUG", "receiving", "available"): 30,
        ("LAMP", "receiving", "available"): 5,
    }
    assert drifting_levels() == []
    assert not Reservation.objects.exists()


def test_value_and_lots_go_along(world: World) -> None:
    lot = make_lot(world.tea, "B-1", expires_on=date(2027, 1, 1))
    put_stock(world.tea, world.shelf, 10, lot=lot)
    before = StockValue.objects.get(sku=world.tea, warehouse=world.main).value

    transfer = sent(world, ("TEA", 4))

    moves = StockMovement.objects.filter(reference=transfer.number).order_by("pk")
    assert [(m.kind, m.quantity, m.value, m.lot) for m in moves] == [
        ("transfer_out", -4, Decimal(-8), lot),
        ("transfer_in", 4, Decimal(8), lot),
    ]
    values = dict(StockValue.objects.filter(sku=world.tea).values_list("warehouse__code", "value"))
    assert (values, before) == ({"MAIN": Decimal(12), "NORTH": Decimal(8)}, 20)
    receive_transfer(transfer.pk, key="R", now=NOW)
    level = StockLevel.objects.get(sku=world.tea, location__kind="receiving")
    assert (level.lot, level.on_hand) == (lot, 4)
    assert StockValue.objects.get(sku=world.tea, warehouse=world.north).value == 8


def test_every_fault_of_every_line_is_named_at_once_and_nothing_is_written(world: World) -> None:
    PackUnit.objects.create(sku=world.mug, code="box", units=Decimal(12))
    make_lot(world.lamp, "L-1")
    make_lot(world.tea, "OLD", expires_on=date(2026, 3, 1))
    world.north.is_active = False
    world.north.save()
    items = [
        TransferItem("NOPE", Decimal(1)),
        TransferItem("MUG", Decimal(0)),
        TransferItem("MUG", Decimal(-1), unit="box"),
        TransferItem("LAMP", Decimal(1), unit="box"),
        TransferItem("TEA", Decimal(1), lot_code="L-1"),
        TransferItem("TEA", Decimal(1), lot_code="OLD"),
        TransferItem("LAMP", Decimal("0.0001")),
    ]

    with pytest.raises(ValidationFailed) as refused:
        write(world, *items)

    assert [(i.get("line"), i["field"], i["message"]) for i in refused.value.items] == [
        (None, "destination", "Glasgow is closed."),
        (1, "sku", "There is no SKU NOPE."),
        (2, "quantity", "The quantity must be above zero, with at most three digits after the point."),
        (3, "quantity", "The quantity must be above zero, with at most three digits after the point."),
        (3, "sku", "It is named twice."),
        (4, "unit", "It is not kept in “box”."),
        (5, "lot", "TEA has no lot L-1."),
        (6, "lot", "The lot expired on 2026-03-01."),
        (7, "quantity", "The quantity must be above zero, with at most three digits after the point."),
        (7, "sku", "It is named twice."),
    ]
    assert not Transfer.objects.exists()


def test_boxes_are_counted_in_units(world: World) -> None:
    PackUnit.objects.create(sku=world.mug, code="box", units=Decimal(12))

    transfer = write(world, TransferItem("MUG", Decimal(2), unit="box"))

    assert transfer.lines.get().quantity == 24


def test_a_transfer_goes_somewhere_else_and_has_lines(world: World) -> None:
    with pytest.raises(ValidationFailed) as refused:
        write(world, to="MAIN")

    assert [item["field"] for item in refused.value.items] == ["destination", "lines"]


def test_the_same_key_is_the_same_transfer_and_never_another(world: World) -> None:
    first = write(world, ("MUG", 3))

    assert write(world, ("MUG", 3)) == first
    with pytest.raises(Conflict):
        write(world, ("MUG", 4))
    assert Transfer.objects.count() == 1


def test_a_key_with_another_day_or_note_is_another_transfer(world: World) -> None:
    first = write(world, ("MUG", 3), expected_on=date(2026, 3, 9), note="By van.")

    assert write(world, ("MUG", 3), expected_on=date(2026, 3, 9), note="By van.") == first
    for other in ({"note": "By van."}, {"expected_on": date(2026, 3, 9)}):
        with pytest.raises(Conflict) as refused:
            write(world, ("MUG", 3), **other)
        assert refused.value.code == "idempotency_key_reused"


def test_a_key_answers_with_its_transfer_even_if_the_lot_has_expired_since(world: World) -> None:
    lot = make_lot(world.tea, "L-1", expires_on=NOW.date())
    items = [TransferItem("TEA", Decimal(2), "L-1")]
    first = write(world, *items)
    lot.expires_on = date(2026, 3, 1)
    lot.save()

    assert write(world, *items) == first
    with pytest.raises(ValidationFailed):
        write(world, *items, key="other")


def test_a_draft_may_be_short_but_holding_names_every_short_line(world: World) -> None:
    transfer = write(world, ("MUG", 130), ("LAMP", 5), ("TEA", 1))

    with pytest.raises(InsufficientStock) as short:
        reserve_transfer(transfer.pk, now=NOW)

    assert [(i["line"], i["sku"], i["available"], i["short_by"]) for i in short.value.items] == [
        (1, "MUG", "100", "30"),
        (3, "TEA", "0", "1"),
    ]
    assert Reservation.objects.count() == 0
    put_stock(world.mug, world.shelf, 30)
    put_stock(world.tea, world.shelf, 1)
    assert reserve_transfer(transfer.pk, now=NOW).status == "reserved"
    reserve_transfer(transfer.pk, now=NOW)
    assert StockLevel.objects.get(sku=world.mug, location=world.shelf).reserved == 130


def test_a_line_that_names_a_lot_gets_that_lot_and_the_others_the_rest(world: World) -> None:
    soon, late = (make_lot(world.tea, c, expires_on=date(2026 + n, 6, 1)) for n, c in enumerate(("SOON", "LATE")))
    put_stock(world.tea, world.shelf, 5, lot=soon)
    put_stock(world.tea, world.shelf, 5, lot=late)

    transfer = held(world, ("TEA", 4), TransferItem("TEA", Decimal(3), lot_code="SOON"))

    rows = Reservation.objects.filter(transfer_line__transfer=transfer)
    assert sorted(rows.values_list("transfer_line__line_number", "level__lot__code", "quantity")) == [
        (1, "LATE", 2),
        (1, "SOON", 2),
        (2, "SOON", 3),
    ]


def test_it_leaves_in_parts_and_never_more_than_is_held(world: World) -> None:
    transfer = held(world, ("MUG", 30), ("LAMP", 5))

    ship_transfer(transfer.pk, key="S-1", now=NOW, quantities={1: Decimal(10)})
    with pytest.raises(ValidationFailed, match="Only 20 of this line have not left yet"):
        ship_transfer(transfer.pk, key="S-2", now=NOW, quantities={1: Decimal(21), 9: Decimal(1)})
    ship_transfer(transfer.pk, key="S-2", now=NOW)

    assert list(transfer.lines.order_by("pk").values_list("shipped_quantity", "reserved_quantity")) == [(30, 0), (5, 0)]
    assert drifting_levels() == []


def test_one_key_sends_and_receives_once(world: World) -> None:
    transfer = held(world, ("MUG", 30))
    parts = {1: Decimal(10)}

    for _again in range(2):
        ship_transfer(transfer.pk, key="S", now=NOW, quantities=parts)
    with pytest.raises(Conflict):
        ship_transfer(transfer.pk, key="S", now=NOW, quantities={1: Decimal(11)})
    for _again in range(2):
        receive_transfer(transfer.pk, [Arrival(1, Decimal(4))], key="R", now=NOW)
    with pytest.raises(Conflict):
        receive_transfer(transfer.pk, [Arrival(1, Decimal(5))], key="R", now=NOW)

    line = transfer.lines.get()
    assert (line.shipped_quantity, line.received_quantity) == (10, 4)


def test_goods_arrive_in_parts_some_of_them_damaged(world: World) -> None:
    transfer = sent(world, ("MUG", 30), ("LAMP", 5))

    receive_transfer(transfer.pk, [Arrival(1, Decimal(20), Decimal(2))], key="R-1", now=NOW, actor=world.clerk)
    transfer.refresh_from_db()
    assert transfer.status == "partially_received"
    with pytest.raises(ValidationFailed) as refused:
        receive_transfer(transfer.pk, [Arrival(1, Decimal(9)), Arrival(2, Decimal(6))], key="R-2", now=NOW)
    assert [(i["line"], i["message"]) for i in refused.value.items] == [
        (1, "Only 8 of this line are under way."),
        (2, "Only 5 of this line are under way."),
    ]
    receive_transfer(transfer.pk, key="R-2", now=NOW, location_id=world.north_shelf.pk)

    transfer.refresh_from_db()
    assert transfer.status == "received"
    assert stock(world, world.north) == {
        ("MUG", "storage", "available"): 48,
        ("MUG", "receiving", "available"): 20,
        ("MUG", "receiving", "damaged"): 2,
        ("LAMP", "storage", "available"): 5,
    }


def test_what_never_arrived_is_written_off(world: World) -> None:
    transfer = sent(world, ("MUG", 30))
    receive_transfer(transfer.pk, [Arrival(1, Decimal(26))], key="R", now=NOW)

    close_transfer_short(transfer.pk, now=NOW, actor=world.clerk)

    transfer.refresh_from_db()
    line = transfer.lines.get()
    assert (transfer.status, line.received_quantity, line.lost_quantity) == ("received", 26, 4)
    lost = StockMovement.objects.get(kind="scrap")
    assert (lost.quantity, lost.value, lost.reason, lost.reference) == (
        -4,
        Decimal(-8),
        "lost: lost under way",
        transfer.number,
    )
    assert StockLevel.objects.get(location__kind="in_transit").on_hand == 0
    with pytest.raises(Conflict):
        close_transfer_short(transfer.pk, now=NOW)


def test_two_transfers_in_one_transit_bin_do_not_take_each_others_goods(world: World) -> None:
    first, second = sent(world, ("MUG", 10), key="A"), held(world, ("MUG", 7), key="B")
    ship_transfer(second.pk, key="S2", now=NOW)

    close_transfer_short(first.pk, now=NOW)
    receive_transfer(second.pk, key="R", now=NOW)

    assert second.lines.get().received_quantity == 7
    assert StockLevel.objects.get(sku=world.mug, location__kind="in_transit").on_hand == 0


def test_a_transfer_that_has_not_left_can_be_called_off_and_its_stock_serves_who_waits(world: World) -> None:
    transfer = held(world, ("LAMP", 20))
    order, _new = record_sale(Sale("WEB", "W-1", NOW, [SaleLine("LAMP", Decimal(3), Decimal(45))]), now=NOW)
    assert order.status == "backordered"

    cancel_transfer(transfer.pk, now=NOW)

    order.refresh_from_db()
    transfer.refresh_from_db()
    assert (order.status, transfer.status, transfer.lines.get().reserved_quantity) == ("reserved", "cancelled", 0)


def test_what_arrives_serves_who_waits(world: World) -> None:
    transfer = sent(world, ("LAMP", 20))
    order, _new = record_sale(Sale("MARKET", "M-1", NOW, [SaleLine("LAMP", Decimal(3), Decimal(45))]), now=NOW)
    assert order.status == "backordered"

    receive_transfer(transfer.pk, key="R", now=NOW)

    order.refresh_from_db()
    assert order.status == "reserved"


@pytest.mark.parametrize("act", ["reserve", "ship", "receive", "close", "cancel"])
def test_a_wrong_state_is_refused(world: World, act: str) -> None:
    transfer = write(world, ("MUG", 3))
    cancel_transfer(transfer.pk, now=NOW)
    acts = {
        "reserve": lambda: reserve_transfer(transfer.pk, now=NOW),
        "ship": lambda: ship_transfer(transfer.pk, key="S", now=NOW),
        "receive": lambda: receive_transfer(transfer.pk, key="R", now=NOW),
        "close": lambda: close_transfer_short(transfer.pk, now=NOW),
        "cancel": lambda: cancel_transfer(transfer.pk, now=NOW),
    }

    with pytest.raises(Conflict, match="is cancelled; this cannot be done with it now"):
        acts[act]()


def test_what_is_under_way_cannot_be_called_off(world: World) -> None:
    transfer = sent(world, ("MUG", 3))

    with pytest.raises(Conflict):
        cancel_transfer(transfer.pk, now=NOW)
    with pytest.raises(NotFound):
        cancel_transfer(0, now=NOW)


def test_a_transfer_is_not_received_in_another_warehouse(world: World) -> None:
    transfer = sent(world, ("MUG", 3))

    with pytest.raises(ValidationFailed, match="no place to receive"):
        receive_transfer(transfer.pk, key="R", now=NOW, location_id=world.shelf.pk)

    assert Location.objects.filter(warehouse=world.north, kind="in_transit").count() == 1
