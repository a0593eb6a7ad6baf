"""Where an order leaves from, and why: cost, capacity, quotas, units, and what is refused when stock is short."""

from datetime import timedelta
from decimal import Decimal

import pytest

from catalog.models import Channel, PackUnit
from config.kernel.errors import InsufficientStock, ValidationFailed
from tests.cast import NOW, World, make_location, make_lot, make_warehouse, put_stock
from tests.warehouses.selling import counters, line, sale, sell, shortages, standing, status
from warehouses.models import ChannelQuota, ChannelRoute, Reservation, SalesOrder, ShippingRate, StockRules, Warehouse
from warehouses.selectors.sales import sourcing_sentences, waiting_units
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.sales import cancel_order, record_sale, reserve_backorders, ship_order

pytestmark = pytest.mark.django_db


def places(order: SalesOrder) -> list[str]:
    return list(order.lines.order_by("line_number").values_list("warehouse__code", flat=True))


def rate(warehouse, country: str, base: str, **more) -> None:
    ShippingRate.objects.create(warehouse=warehouse, country=country, base_cost=Decimal(base), **more)


def quota(channel, sku, units: int, **more) -> ChannelQuota:
    return ChannelQuota.objects.create(channel=channel, sku=sku, quantity=Decimal(units), **more)


# --- cost ---------------------------------------------------------------------------------------------------------


def test_the_cheaper_warehouse_of_the_country_sends_and_the_reasons_are_kept(world: World) -> None:
    rate(world.main, "", "8.00")
    rate(world.north, "FR", "5.00")
    rate(world.north, "", "9.00")

    to_france, home = sell(("MUG", 2), ship_to_country="FR"), sell(("MUG", 2), number="W-2", ship_to_country="GB")

    assert (places(to_france), places(home)) == (["NORTH"], ["MAIN"])
    assert to_france.sourcing["cost"] == "5"
    assert sourcing_sentences(SalesOrder.objects.get(pk=to_france.pk)) == [
        "NORTH sends 2, at a cost of 5.",
        "Next best: MAIN with 2, at a cost of 8.",
        "MAIN would cost more: 8.",
    ]


def test_weight_chooses_the_row_of_the_table(world: World) -> None:
    world.mug.weight_kg = Decimal(2)
    world.mug.save()
    rate(world.main, "", "3.00", up_to_kg=Decimal(5))
    rate(world.main, "", "20.00")
    rate(world.north, "", "6.00")

    assert places(sell(("MUG", 2))) == ["MAIN"]
    assert places(sell(("MUG", 3), number="W-2")) == ["NORTH"]


def test_without_rates_the_nearer_warehouse_sends(world: World) -> None:
    for warehouse, latitude, longitude in ((world.main, "53.80", "-1.55"), (world.north, "55.86", "-4.25")):
        warehouse.latitude, warehouse.longitude = Decimal(latitude), Decimal(longitude)
        warehouse.save()
    edinburgh = {"ship_to_latitude": Decimal("55.95"), "ship_to_longitude": Decimal("-3.19")}

    assert places(sell(("MUG", 2), **edinburgh)) == ["NORTH"]
    assert places(sell(("MUG", 2), number="W-2")) == ["MAIN"]


def test_two_parcels_only_where_one_does_not_do(world: World) -> None:
    order = sell(("MUG", 120), ("LAMP", 1))

    assert status(order) == "reserved"
    assert standing(world.mug, world.shelf) == (100, 100)
    assert standing(world.mug, world.north_shelf) == (40, 20)
    assert places(order) == ["MAIN", "MAIN"]


def test_a_warehouse_with_no_orders_left_today_is_passed_over(world: World) -> None:
    world.main.orders_a_day = 1
    world.main.save()

    # recorded_at is the database's clock; the day is that of `now`.
    now = sell(("MUG", 1)).recorded_at
    second, _ = record_sale(sale(("MUG", 1), number="W-2", ordered_at=now), now=now)

    assert places(second) == ["MAIN"]  # the first was ordered long ago and counts for its own day
    third, _ = record_sale(sale(("MUG", 1), number="W-3", ordered_at=now), now=now)
    assert places(third) == ["NORTH"]
    assert "MAIN has no orders left for this day." in sourcing_sentences(third)


def test_coordinates_off_the_earth_and_half_coordinates_are_faults(world: World) -> None:
    for more in ({"ship_to_latitude": Decimal(91), "ship_to_longitude": Decimal(0)}, {"ship_to_latitude": Decimal(1)}):
        with pytest.raises(ValidationFailed) as refused:
            sell(("MUG", 1), **more)
        assert [item["field"] for item in refused.value.items] == ["ship_to_latitude"]


# --- short stock --------------------------------------------------------------------------------------------------


def test_where_no_backorders_are_taken_every_short_line_is_named_and_nothing_written(world: World) -> None:
    Channel.objects.filter(code="WEB").update(allows_backorders=False)

    with pytest.raises(InsufficientStock) as refused:
        sell(("LAMP", 15), ("MUG", 10), ("LAMP", 15), ("TEA", 2))

    assert shortages(refused.value.items) == [(3, "LAMP", "10"), (4, "TEA", "2")]
    assert "line 3 (LAMP): short by 10" in str(refused.value)
    assert not SalesOrder.objects.exists()
    assert standing(world.mug, world.shelf) == (100, 0)


def test_an_order_may_ask_to_be_refused_when_short_and_the_known_one_is_known(world: World) -> None:
    first = sell(("LAMP", 20), on_short="refuse")

    assert record_sale(sale(("LAMP", 20), on_short="refuse"), now=NOW) == (first, False)
    with pytest.raises(InsufficientStock):
        sell(("LAMP", 1), number="W-2", on_short="refuse")
    with pytest.raises(ValidationFailed):
        sell(("MUG", 1), number="W-3", on_short="perhaps")


# --- units --------------------------------------------------------------------------------------------------------


def test_a_box_of_twelve_reserves_twelve(world: World) -> None:
    PackUnit.objects.create(sku=world.mug, code="box", units=Decimal(12))

    order = sell(line("MUG", 2, unit="box"), line("MUG", 3, unit="each"))

    assert counters(order, "quantity", "reserved") == [(1, "MUG", 24, 24), (2, "MUG", 3, 3)]
    again, is_new = record_sale(sale(line("MUG", 24), line("MUG", 3)), now=NOW)
    assert (again, is_new) == (order, False)


def test_a_unit_the_sku_does_not_know_is_a_fault(world: World) -> None:
    with pytest.raises(ValidationFailed) as refused:
        sell(line("MUG", 2, unit="pallet"))

    assert [(item["line"], item["field"]) for item in refused.value.items] == [(1, "unit")]
    assert "Wrong unit" in refused.value.items[0]["message"]


# --- quotas -------------------------------------------------------------------------------------------------------


def test_another_channels_quota_is_not_eaten(world: World) -> None:
    kept = quota(world.market, world.mug, 25)  # the marketplace is served by NORTH alone, which has 40

    order = sell(("MUG", 140))

    assert counters(order, "reserved") == [(1, "MUG", 115)]
    assert standing(world.mug, world.north_shelf) == (40, 15)
    kept.refresh_from_db()
    assert kept.used == 0


def test_a_channel_uses_its_own_quota_first_and_gives_it_back(world: World) -> None:
    kept = quota(world.market, world.mug, 25)

    order = sell(("MUG", 30), channel="MARKET")

    kept.refresh_from_db()
    assert kept.used == 25
    assert "25 came from the channel's quota." in sourcing_sentences(order)
    cancel_order(order.pk, now=NOW, quantities={1: Decimal(10)})
    kept.refresh_from_db()
    assert kept.used == 20
    ship_order(order.pk, key="S", now=NOW, quantities={1: Decimal(15)})
    cancel_order(order.pk, now=NOW)
    kept.refresh_from_db()
    assert kept.used == 15


@pytest.mark.parametrize("over", ["expired", "released", "used"])
def test_a_quota_that_is_over_keeps_nothing(world: World, over: str) -> None:
    more = {"expired": {"expires_at": NOW}, "released": {"released_at": NOW}, "used": {"used": Decimal(25)}}[over]
    quota(world.market, world.mug, 25, **more)

    assert sell(("MUG", 140)).status == "reserved"


def test_who_waits_is_not_served_from_anothers_quota(world: World) -> None:
    waiting = sell(("LAMP", 30))
    quota(world.market, world.lamp, 4, expires_at=NOW + timedelta(hours=1))
    put_stock(world.lamp, world.north_shelf, 6)

    reserve_backorders(now=NOW)

    assert counters(waiting, "reserved") == [(1, "LAMP", 22)]
    mine = sell(("LAMP", 9), channel="MARKET", number="M-1")
    assert counters(mine, "reserved") == [(1, "LAMP", 4)]
    assert drifting_levels() == drifting_lines() == []


def test_who_waits_uses_the_quota_of_its_own_channel(world: World) -> None:
    waiting = sell(("LAMP", 5), channel="MARKET")
    kept = quota(world.market, world.lamp, 3)
    put_stock(world.lamp, world.north_shelf, 5)

    reserve_backorders(now=NOW)

    kept.refresh_from_db()
    assert (kept.used, status(waiting)) == (3, "reserved")
    cancel_order(waiting.pk, now=NOW)
    kept.refresh_from_db()
    assert kept.used == 0


# --- who waits ----------------------------------------------------------------------------------------------------


def test_by_priority_the_first_is_served_whole(world: World) -> None:
    small = sell(("TEA", 6), channel="MARKET", number="M-1")
    large = sell(("TEA", 12), number="W-1")
    put_stock(world.tea, world.north_shelf, 12)

    reserve_backorders(now=NOW)

    # The web shop comes first (priority 10) and may be served from NORTH, though its line waits at MAIN.
    assert counters(large, "reserved") == [(1, "TEA", 12)]
    assert counters(small, "reserved") == [(1, "TEA", 0)]


def test_in_fair_shares_everybody_who_waits_in_a_place_gets_some(world: World) -> None:
    StockRules.objects.update_or_create(pk=1, defaults={"rationing": "fair_share"})
    orders = [sell(("TEA", units), number=f"W-{units}") for units in (9, 6, 3)]
    put_stock(world.tea, world.shelf, 10)

    reserve_backorders(now=NOW)

    assert [counters(order, "reserved")[0][2] for order in orders] == [5, 3, 2]
    assert drifting_levels() == drifting_lines() == []


def test_a_channel_that_sends_one_parcel_waits_for_its_own_warehouse(world: World) -> None:
    Channel.objects.filter(code="WEB").update(allows_split=False)
    order = sell(("TEA", 2))
    put_stock(world.tea, world.north_shelf, 2)

    reserve_backorders(now=NOW)

    assert status(order) == "backordered"


def test_what_waits_at_a_closed_warehouse_is_served_by_one_that_is_open(world: World) -> None:
    Channel.objects.filter(code="WEB").update(allows_split=False)
    third = make_warehouse("THIRD")
    ChannelRoute.objects.create(channel=world.web, warehouse=third, rank=3)
    order, named = sell(("TEA", 2), ("LAMP", 21)), sell(line("TEA", 1, warehouse="MAIN"), number="W-2")
    assert places(order) == ["MAIN", "MAIN"]
    put_stock(world.tea, make_location(third, "A-01"), 3)
    lamps = put_stock(world.lamp, world.north_shelf, 1)

    reserve_backorders(now=NOW)
    assert counters(order, "reserved") == [(1, "TEA", 0), (2, "LAMP", 20)]
    Warehouse.objects.filter(code="MAIN").update(is_active=False)
    assert waiting_units([world.tea.pk]) == [
        (world.tea.pk, world.main.pk, None, 1),
        (world.tea.pk, world.main.pk, world.web.pk, 2),
    ]
    for _again in range(2):  # NORTH comes first and has something, so all the rest waits for it
        reserve_backorders(now=NOW)

    lamps.refresh_from_db()
    assert (lamps.reserved, counters(order, "reserved")) == (1, [(1, "TEA", 0), (2, "LAMP", 21)])
    put_stock(world.tea, world.north_shelf, 5)
    reserve_backorders(now=NOW)
    assert (status(order), status(named)) == ("reserved", "backordered")
    assert standing(world.tea, world.north_shelf) == (5, 2)
    assert drifting_levels() == drifting_lines() == []


def test_a_line_whose_warehouse_was_named_waits_there(world: World) -> None:
    order = sell(line("TEA", 2, warehouse="MAIN"))
    put_stock(world.tea, world.north_shelf, 2)

    reserve_backorders(now=NOW)

    assert status(order) == "backordered"
    assert "The channel named the warehouse (line 1)." in sourcing_sentences(order)


def test_of_lots_over_several_warehouses_each_gives_by_its_own_rule(world: World) -> None:
    lot = make_lot(world.lamp, "L-1")
    put_stock(world.lamp, world.north_shelf, 5, lot=lot)

    order = sell(("LAMP", 24))

    assert Reservation.objects.filter(line__order=order).count() == 2
    assert standing(world.lamp, world.north_shelf, lot=lot) == (5, 4)
