"""An order is recorded once, with every fault named at once, and its stock is reserved."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from catalog.models import Channel
from config.kernel.errors import Conflict, ValidationFailed
from tests.cast import NOW, World, make_channel, make_lot, make_warehouse, put_stock
from warehouses.models import Reservation, SalesOrder, SalesOrderLine, StockLevel
from warehouses.selectors.sales import backordered_quantities
from warehouses.services.sales import Sale, SaleLine, record_sale

pytestmark = pytest.mark.django_db


def line(sku_code: str, quantity="1", price="9.00", warehouse: str | None = None) -> SaleLine:
    return SaleLine(sku_code, Decimal(quantity), Decimal(price), warehouse)


def sale(*lines: SaleLine, number: str = "W-1", channel: str = "WEB", **more) -> Sale:
    return Sale(channel, number, more.pop("ordered_at", NOW), lines, **more)


def facts(order: SalesOrder) -> list[tuple]:
    rows = order.lines.order_by("line_number").select_related("sku", "warehouse")
    return [(r.line_number, r.sku.code, r.warehouse.code, r.quantity, r.reserved_quantity) for r in rows]


def reserved(sku, location, lot=None) -> Decimal:
    return StockLevel.objects.get(sku=sku, location=location, lot=lot).reserved


def test_an_order_reserves_its_stock_at_the_first_warehouse_of_the_channel(world: World) -> None:
    order, is_new = record_sale(
        sale(line("MUG", 30), line("LAMP", 2, "45.00"), customer_reference="C-7", ship_to_country="GB"), now=NOW
    )

    assert is_new
    assert (order.status, order.currency, order.customer_reference) == ("reserved", "GBP", "C-7")
    assert facts(order) == [(1, "MUG", "MAIN", 30, 30), (2, "LAMP", "MAIN", 2, 2)]
    assert reserved(world.mug, world.shelf) == 30
    assert reserved(world.lamp, world.shelf) == 2
    assert Reservation.objects.count() == 2


def test_a_line_goes_whole_to_the_first_warehouse_that_can_serve_it(world: World) -> None:
    record_sale(sale(line("MUG", 80), number="W-0"), now=NOW)

    order, _ = record_sale(sale(line("MUG", 30)), now=NOW)

    assert facts(order) == [(1, "MUG", "NORTH", 30, 30)]


def test_where_no_warehouse_can_serve_a_line_several_do(world: World) -> None:
    record_sale(sale(line("MUG", 70), number="W-0"), now=NOW)

    order, _ = record_sale(sale(line("MUG", 50)), now=NOW)

    assert order.status == "reserved"
    assert facts(order) == [(1, "MUG", "MAIN", 50, 50)]
    assert reserved(world.mug, world.shelf) == 70 + 30
    assert reserved(world.mug, world.north_shelf) == 20


def test_what_no_warehouse_has_waits_at_the_first_that_serves(world: World) -> None:
    order, _ = record_sale(sale(line("MUG", 150)), now=NOW)

    assert order.status == "backordered"
    assert facts(order) == [(1, "MUG", "MAIN", 150, 140)]
    assert backordered_quantities() == {(world.mug.pk, world.main.pk): 10}


def test_a_channel_that_sends_one_parcel_is_served_by_the_fullest(world: World) -> None:
    Channel.objects.filter(code="WEB").update(allows_split=False)
    record_sale(sale(line("MUG", 70), number="W-0"), now=NOW)

    order, _ = record_sale(sale(line("MUG", 50)), now=NOW)

    assert order.status == "backordered"
    assert facts(order) == [(1, "MUG", "NORTH", 50, 40)]
    assert backordered_quantities() == {(world.mug.pk, world.north.pk): 10}


def test_an_order_without_any_stock_waits_at_the_first_warehouse(world: World) -> None:
    order, _ = record_sale(sale(line("TEA", 3)), now=NOW)

    assert order.status == "backordered"
    assert facts(order) == [(1, "TEA", "MAIN", 3, 0)]
    assert backordered_quantities([world.tea.pk]) == {(world.tea.pk, world.main.pk): 3}
    assert backordered_quantities([world.mug.pk]) == {}


def test_a_named_warehouse_is_kept_even_off_the_route_and_without_stock(world: World) -> None:
    order, _ = record_sale(sale(line("MUG", 50, warehouse="NORTH"), line("LAMP", warehouse="NORTH")), now=NOW)

    assert facts(order) == [(1, "MUG", "NORTH", 50, 40), (2, "LAMP", "NORTH", 1, 0)]


def test_a_channel_never_takes_from_a_warehouse_that_does_not_serve_it(world: World) -> None:
    order, _ = record_sale(sale(line("LAMP", 1), channel="MARKET"), now=NOW)

    assert facts(order) == [(1, "LAMP", "NORTH", 1, 0)]
    assert reserved(world.lamp, world.shelf) == 0


def test_lines_of_one_sku_share_what_is_free(world: World) -> None:
    order, _ = record_sale(sale(line("LAMP", 12), line("LAMP", 7), line("LAMP", 5)), now=NOW)

    assert [row[4] for row in facts(order)] == [12, 7, 1]
    assert reserved(world.lamp, world.shelf) == 20
    assert order.status == "backordered"


def test_storage_is_taken_before_receiving_and_the_first_to_expire_first(world: World) -> None:
    late = make_lot(world.tea, "LATE", expires_on=date(2027, 1, 1))
    soon = make_lot(world.tea, "SOON", expires_on=date(2026, 4, 1))
    dock = make_lot(world.tea, "DOCK", expires_on=date(2026, 3, 10))
    gone = make_lot(world.tea, "GONE", expires_on=date(2026, 3, 1))
    for lot, location in ((late, world.shelf), (soon, world.shelf), (dock, world.receiving), (gone, world.shelf)):
        put_stock(world.tea, location, 10, lot=lot)
    put_stock(world.tea, world.shelf, 10)

    record_sale(sale(line("TEA", 35)), now=NOW)

    assert reserved(world.tea, world.shelf, soon) == 10
    assert reserved(world.tea, world.shelf, late) == 10
    assert reserved(world.tea, world.shelf) == 10
    assert reserved(world.tea, world.receiving, dock) == 5
    assert reserved(world.tea, world.shelf, gone) == 0


@pytest.mark.parametrize("place", ["returns", "quarantine"])
def test_stock_that_is_set_aside_is_not_promised(world: World, place: str) -> None:
    put_stock(world.tea, getattr(world, place), 9)

    order, _ = record_sale(sale(line("TEA", 1)), now=NOW)

    assert order.status == "backordered"


def test_the_same_order_again_is_the_first_one(world: World) -> None:
    first, _ = record_sale(sale(line("MUG", 2), line("LAMP", 1, "45")), now=NOW)

    again, is_new = record_sale(sale(line("MUG", "2.000"), line("LAMP", 1, "45.00")), now=NOW + timedelta(hours=1))

    assert (again, is_new) == (first, False)
    assert SalesOrderLine.objects.count() == 2
    assert reserved(world.mug, world.shelf) == 2


def test_the_same_order_is_known_after_its_sku_was_discontinued(world: World) -> None:
    first, _ = record_sale(sale(line("MUG")), now=NOW)
    world.mug.status = "discontinued"
    world.mug.save()

    assert record_sale(sale(line("MUG")), now=NOW) == (first, False)


@pytest.mark.parametrize(
    "other",
    [
        sale(line("MUG", 3)),
        sale(line("MUG", 2, "8.99")),
        sale(line("LAMP", 2)),
        sale(line("MUG", 2), line("MUG", 2)),
        sale(line("MUG", 2, warehouse="NORTH")),
        sale(line("MUG", 2), ordered_at=NOW - timedelta(days=1)),
        sale(line("MUG", 2), customer_reference="somebody"),
    ],
    ids=["quantity", "price", "SKU", "lines", "warehouse", "day", "customer"],
)
def test_the_same_number_with_other_contents_is_a_conflict(world: World, other: Sale) -> None:
    record_sale(sale(line("MUG", 2)), now=NOW)

    with pytest.raises(Conflict) as refused:
        record_sale(other, now=NOW)

    assert refused.value.code == "already_recorded"
    assert SalesOrderLine.objects.count() == 1


def test_two_channels_may_use_the_same_number(world: World) -> None:
    record_sale(sale(line("MUG")), now=NOW)

    _, is_new = record_sale(sale(line("MUG"), channel="MARKET"), now=NOW)

    assert is_new


def test_every_fault_of_an_order_is_named_at_once_and_nothing_is_written(world: World) -> None:
    world.lamp.status = "discontinued"
    world.lamp.save()
    faulty = sale(
        line("NOPE", 1),
        line("MUG", 0, "-1"),
        line("LAMP", 1),
        line("MUG", "0.0001", "0.00001"),
        line("MUG", "NaN", "Infinity", "NOWHERE"),
        line("TEA", 1),
        number=" ",
        ordered_at=NOW + timedelta(minutes=6),
        ship_to_country="x" * 65,
    )

    with pytest.raises(ValidationFailed) as refused:
        record_sale(faulty, now=NOW)

    assert [(item["line"], item["field"]) for item in refused.value.items] == [
        (0, "external_id"),
        (0, "ship_to_country"),
        (0, "ordered_at"),
        (1, "sku_code"),
        (2, "quantity"),
        (2, "unit_price"),
        (3, "sku_code"),
        (4, "quantity"),
        (4, "unit_price"),
        (5, "quantity"),
        (5, "unit_price"),
        (5, "warehouse_code"),
    ]
    assert all(item["message"] for item in refused.value.items)
    assert not SalesOrder.objects.exists()


@pytest.mark.parametrize(
    ("faulty", "field"),
    [
        (sale(line("MUG"), channel="NOPE"), "channel_code"),
        (sale(), "lines"),
        (sale(line("MUG"), ordered_at=NOW.replace(tzinfo=None)), "ordered_at"),
    ],
    ids=["unknown channel", "no lines", "no time zone"],
)
def test_a_faulty_head_is_refused(world: World, faulty: Sale, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        record_sale(faulty, now=NOW)

    assert [(item["line"], item["field"]) for item in refused.value.items] == [(0, field)]


def test_a_channel_without_a_route_needs_a_warehouse_on_every_line(world: World) -> None:
    make_channel("FAIR")

    with pytest.raises(ValidationFailed) as refused:
        record_sale(sale(line("MUG"), channel="FAIR"), now=NOW)
    order, _ = record_sale(sale(line("MUG", warehouse="MAIN"), channel="FAIR"), now=NOW)

    assert [item["field"] for item in refused.value.items] == ["channel_code"]
    assert facts(order) == [(1, "MUG", "MAIN", 1, 1)]


def test_an_inactive_channel_or_warehouse_takes_no_orders(world: World) -> None:
    closed = make_warehouse("CLOSED")
    closed.is_active = False
    closed.save()
    make_channel("SHUT", routes=(closed,))
    world.market.is_active = False
    world.market.save()

    with pytest.raises(ValidationFailed) as no_channel:
        record_sale(sale(line("MUG"), channel="MARKET"), now=NOW)
    with pytest.raises(ValidationFailed) as no_route:
        record_sale(sale(line("MUG"), channel="SHUT"), now=NOW)

    assert [item["message"] for item in no_channel.value.items] == ["This channel is not active."]
    assert [item["message"] for item in no_route.value.items] == ["No warehouse serves this channel."]


def test_five_minutes_of_clock_skew_are_allowed_and_no_time_means_now(world: World) -> None:
    ahead, _ = record_sale(sale(line("MUG"), ordered_at=NOW + timedelta(minutes=5)), now=NOW)
    unsaid, _ = record_sale(sale(line("MUG"), number="W-2", ordered_at=None), now=NOW)
    again, is_new = record_sale(sale(line("MUG"), number="W-2", ordered_at=None), now=NOW + timedelta(days=1))

    assert ahead.ordered_at == NOW + timedelta(minutes=5)
    assert unsaid.ordered_at == NOW
    assert (again, is_new) == (unsaid, False)


def test_a_sku_that_is_phased_out_may_be_sold(world: World) -> None:
    world.mug.status = "phase_out"
    world.mug.save()

    order, _ = record_sale(sale(line("MUG")), now=NOW)

    assert order.status == "reserved"
