"""Where parts meet: what one service does to figures that another one keeps."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict, ValidationFailed
from tests.cast import NOW, World, make_lot, make_sku, put_stock
from tests.warehouses import floor
from tests.warehouses.selling import counters, line, make_kit, sell, standing, status
from tests.warehouses.test_carts import put_in_cart
from tests.warehouses.test_promising import day, offer, transfer
from tests.warehouses.test_quotas import keep
from warehouses.models import (
    Cart,
    ChannelQuota,
    Location,
    Reservation,
    SalesOrderLine,
    Task,
    Transfer,
    Warehouse,
)
from warehouses.selectors.reasons import reason
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.adjustments import adjust_stock
from warehouses.services.channel_events import ToldEvent, ToldLine, apply_events, receive_events
from warehouses.services.counts import CountedStock, record_counts
from warehouses.services.expiry import expire_lots
from warehouses.services.moves import change_status
from warehouses.services.putaway import create_move_task
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import cancel_order, ship_order
from warehouses.services.transfers import TransferItem, create_transfer, reserve_transfer, ship_transfer

pytestmark = pytest.mark.django_db


def told(event_id: str, kind: str, *lines: ToldLine, hour: int = 0) -> ToldEvent:
    return ToldEvent(event_id, kind, "W-1", NOW + timedelta(hours=hour), lines)


def block(sku: Any, location: Any, quantity: Any, key: str = "B-1", **more: Any) -> None:
    change_status(
        sku_id=sku.pk,
        location_id=location.pk,
        quantity=Decimal(quantity),
        from_status="available",
        to_status="blocked",
        reason="water",
        key=key,
        now=NOW,
        unreserve=True,
        **more,
    )


# --- returns ------------------------------------------------------------------------------------------------------


def test_what_a_channel_says_came_back_of_a_line_is_taken_back_of_that_line_and_once(world: World) -> None:
    sell(("LAMP", 2), line("LAMP", 3, 40))
    events = [
        told("e2", "shipped", ToldLine(Decimal(2), line=1), ToldLine(Decimal(3), line=2), hour=1),
        told("e3", "returned", ToldLine(Decimal(1), line=2, restock=True), hour=2),
    ]
    receive_events("WEB", events, now=NOW + timedelta(hours=9))

    for hour in range(10, 13):
        apply_events(world.web.pk, "W-1", now=NOW + timedelta(hours=hour))

    assert list(SalesOrderLine.objects.order_by("line_number").values_list("returned_quantity", flat=True)) == [0, 1]
    assert standing(world.lamp, world.shelf) == (16, 0)


def test_returns_and_counts_go_to_a_bin_and_never_to_the_zone_that_holds_it(world: World) -> None:
    Location.objects.create(warehouse=world.main, code="A", kind=Location.Kind.STORAGE, level=Location.Level.ZONE)
    order = sell(("LAMP", 2))
    ship_order(order.pk, key="S", now=NOW)

    receive_return(
        channel_code="WEB",
        external_id="R-1",
        order_external_id="W-1",
        lines=[ReturnLine("LAMP", Decimal(1), True)],
        now=NOW,
    )
    record_counts([CountedStock(1, "TEA", "MAIN", Decimal(7))], now=NOW)

    assert standing(world.lamp, world.shelf) == (19, 0)
    assert standing(world.tea, world.shelf) == (7, 0)


# --- units that are let go ----------------------------------------------------------------------------------------


def test_a_kit_that_lost_a_part_gets_it_again_where_its_other_parts_lie(world: World) -> None:
    make_kit("GIFT", (world.mug, 2), (world.lamp, 1))
    order = sell(("GIFT", 3))
    block(world.lamp, world.shelf, 18)
    assert counters(order, "reserved") == [(1, "GIFT", 2), (2, "MUG", 6), (3, "LAMP", 2)]

    adjust_stock(
        sku_id=world.lamp.pk, location_id=world.shelf.pk, quantity=Decimal(5), reason="found", key="F-1", now=NOW
    )

    assert counters(order, "reserved") == [(1, "GIFT", 3), (2, "MUG", 6), (3, "LAMP", 3)]
    assert status(order) == "reserved"
    ship_order(order.pk, key="S", now=NOW)
    assert drifting_levels() == drifting_lines() == []


def test_units_that_give_way_are_given_back_to_the_quota_and_used_once(world: World) -> None:
    keep(30)
    order = sell(line("MUG", 20), channel="MARKET", number="M-1")
    spare = Location.objects.create(warehouse=world.north, code="A-02")
    put_stock(world.mug, spare, 25)
    assert ChannelQuota.objects.get().used == 20

    block(world.mug, world.north_shelf, 30)

    assert counters(order, "reserved") == [(1, "MUG", 20)]
    assert ChannelQuota.objects.get().used == 20
    cancel_order(order.pk, now=NOW)
    assert ChannelQuota.objects.get().used == 0


def test_units_that_are_not_found_are_given_back_to_the_quota_and_used_once(world: World) -> None:
    keep(10, channel="WEB", sku="LAMP")
    put_stock(world.lamp, Location.objects.create(warehouse=world.main, code="B-01"), 5)
    order, tasks = floor.released("W-1", ("LAMP", 6))
    assert ChannelQuota.objects.get().used == 6

    floor.do(tasks[0], 2)

    assert counters(order, "reserved", "picked") == [(1, "LAMP", 6, 2)]
    assert ChannelQuota.objects.get().used == 6


def test_a_cart_that_has_to_give_way_holds_nothing_any_more(world: World) -> None:
    keep(30, channel="WEB")
    put_in_cart("C-1", ("MUG", 50), ("LAMP", 2))

    block(world.mug, world.shelf, 60)

    cart = Cart.objects.get()
    assert cart.state == "released"
    assert not Reservation.objects.exists()
    assert ChannelQuota.objects.get().used == 0
    assert standing(world.lamp, world.shelf) == (20, 0)
    assert drifting_levels() == drifting_lines() == []


def test_a_cart_gives_back_to_a_quota_what_it_took_of_it(world: World) -> None:
    put_in_cart("C-1", ("LAMP", 5))
    keep(10, channel="WEB", sku="LAMP")
    put_in_cart("C-2", ("LAMP", 4))

    put_in_cart("C-1", ("MUG", 1))

    assert ChannelQuota.objects.get().used == 4


def test_what_is_left_of_a_reservation_that_gave_way_is_still_picked(world: World) -> None:
    order, _tasks = floor.released("W-1", ("LAMP", 6))

    block(world.lamp, world.shelf, 16)

    [task] = Task.objects.filter(kind="pick", state="open")
    assert task.quantity == 4
    assert status(order) == "allocated"


def test_what_is_left_after_an_expiry_is_still_picked(world: World) -> None:
    put_stock(world.tea, world.shelf, 10, lot=make_lot(world.tea, "OLD", expires_on=date(2026, 3, 3)))
    put_stock(world.tea, world.shelf, 10, lot=make_lot(world.tea, "NEW", expires_on=date(2027, 3, 3)))
    order, _tasks = floor.released("W-1", ("TEA", 15))

    expire_lots(now=NOW + timedelta(days=2))

    assert counters(order, "reserved") == [(1, "TEA", 10)]
    open_picks = Task.objects.filter(kind="pick", state="open")
    assert [task.quantity for task in open_picks] == [10]


def test_what_expires_in_a_closed_bin_is_blocked_there_like_the_rest(world: World) -> None:
    bins = [Location.objects.create(warehouse=world.main, code=code) for code in ("B-1", "B-2")]
    for place in bins:
        put_stock(world.tea, place, 4, lot=make_lot(world.tea, place.code, expires_on=date(2026, 3, 3)))
    Location.objects.filter(code="B-1").update(is_active=False)

    outcome = expire_lots(now=NOW + timedelta(days=2))

    assert (outcome.blocked, outcome.held_back) == (2, 0)
    with pytest.raises(ValidationFailed):
        put_stock(world.tea, bins[0], 1)


def test_picked_units_that_are_carried_back_are_not_picked_any_more(world: World) -> None:
    order, tasks = floor.released("W-1", ("LAMP", 6))
    floor.do(tasks[0])
    back = create_move_task(
        warehouse_code="MAIN",
        sku_code="LAMP",
        from_location="PACKING",
        to_location="A-01",
        quantity=Decimal(4),
        now=NOW,
    )

    floor.do(back)

    assert counters(order, "reserved", "picked") == [(1, "LAMP", 6, 2)]
    ship_order(order.pk, key="S", now=NOW)
    assert drifting_levels() == drifting_lines() == []


# --- bad input, keys ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("quantity", "unit_cost"), [("99999999999.999", "1"), ("99999999999", "99999999999999")])
def test_more_than_the_books_can_hold_is_refused(world: World, quantity: str, unit_cost: str) -> None:
    with pytest.raises(ValidationFailed):
        adjust_stock(
            sku_id=world.mug.pk,
            location_id=world.shelf.pk,
            quantity=Decimal(quantity),
            unit_cost=Decimal(unit_cost),
            reason="found",
            key="K",
            now=NOW,
        )


def test_a_shipment_s_key_with_other_quantities_is_refused(world: World) -> None:
    make_kit("GIFT", (world.mug, 2), (world.lamp, 1))
    order = sell(("LAMP", 6), ("GIFT", 4))
    first = ship_order(order.pk, key="S", now=NOW, quantities={1: Decimal(2), 2: Decimal(1)})

    again = ship_order(order.pk, key="S", now=NOW, quantities={2: Decimal(1), 1: Decimal("2.000")})
    with pytest.raises(Conflict) as refused:
        ship_order(order.pk, key="S", now=NOW, quantities={1: Decimal(4)})

    assert again == first
    assert refused.value.code == "idempotency_key_reused"


# --- room ---------------------------------------------------------------------------------------------------------


def test_what_is_under_way_has_its_room_at_the_destination(world: World) -> None:
    Warehouse.objects.filter(pk=world.north.pk).update(capacity_units=60)

    def send(key: str) -> None:
        made, _ = create_transfer(
            [TransferItem("MUG", Decimal(15))], source_code="MAIN", destination_code="NORTH", key=key, now=NOW
        )
        reserve_transfer(made.pk, now=NOW)
        ship_transfer(made.pk, key=key, now=NOW)

    send("T-1")
    with pytest.raises(ValidationFailed) as refused:
        send("T-2")

    assert refused.value.items[0]["code"] == "capacity_exceeded"


# --- kits over several warehouses ---------------------------------------------------------------------------------


def test_a_kit_is_only_offered_and_held_where_all_its_parts_lie(world: World) -> None:
    vase = make_sku("VASE")
    kit = make_kit("SET", (world.lamp, 1), (vase, 1))
    put_stock(vase, world.north_shelf, 8)

    offered = offer(world.web, kit)

    assert offered.now == 0
    assert reason(offered) == "1 VASE in each: 8 on hand; the parts of 0 lie together"
    with pytest.raises(Conflict):
        put_in_cart("C-1", ("SET", 1))
    put_stock(vase, world.shelf, 3)
    assert offer(world.web, kit).now == 3
    put_in_cart("C-1", ("SET", 3))
    with pytest.raises(Conflict):
        put_in_cart("C-2", ("SET", 1))


def test_what_waits_elsewhere_takes_what_arrives_here_where_the_channel_sends_two_parcels(world: World) -> None:
    channel = world.web
    sell(line("TEA", 8, 3, "MAIN"), number="N-1")
    sell(("TEA", 4), number="W-2")
    moving = transfer(world, world.tea, 10, on=day(3))
    Transfer.objects.filter(pk=moving.pk).update(source=world.main, destination=world.north)

    assert offer(world.market, world.tea).by(day(3)) == 6
    type(channel).objects.filter(pk=channel.pk).update(allows_split=False)
    assert offer(world.market, world.tea).by(day(3)) == 10


def test_late_events_reserve_nothing_that_has_expired_meanwhile(world: World) -> None:
    put_stock(world.tea, world.shelf, 10, lot=make_lot(world.tea, "OLD", expires_on=NOW.date()))
    later = NOW + timedelta(days=2)
    receive_events(
        "WEB", [told("e1", "created", ToldLine(Decimal(2), sku_code="TEA", unit_price=Decimal(3)))], now=later
    )

    receive_events("WEB", [told("e2", "shipped", ToldLine(Decimal(1), line=1), hour=1)], now=later)

    assert not Reservation.objects.exists()
