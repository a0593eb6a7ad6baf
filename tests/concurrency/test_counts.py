"""Counts that meet on real PostgreSQL: one posting, whoever enters or approves at once, and sales go on meanwhile."""

import threading
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction

from config.kernel.errors import Conflict
from tests.cast import NOW, World, make_location, make_user, put_stock
from tests.concurrency.meet import failures, run_concurrently
from tests.warehouses.counting import count, line_of, sheet_of
from tests.warehouses.floor import order_of
from tests.warehouses.worth import worth_faults
from warehouses.models import CountLine, CountSheet, Reservation, StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.count_entry import enter_counts
from warehouses.services.count_posting import approve_count
from warehouses.services.count_schedule import schedule_counts
from warehouses.services.count_sheets import CountChoice, make_count_sheet
from warehouses.services.counts import CountedStock, record_counts
from warehouses.services.sales import cancel_order, ship_order

pytestmark = pytest.mark.django_db(transaction=True)


def mugs(world: World) -> StockLevel:
    return StockLevel.objects.get(sku=world.mug, location=world.shelf, status="available")


def waiting_sheet(world: World) -> CountSheet:
    sheet = sheet_of(sku_codes=("MUG",))
    count(sheet, MUG=20, by=world.clerk)
    return count(sheet, MUG=30, by=make_user("cora", "Warehouse clerk"))


def test_eight_who_approve_at_once_post_it_once(world: World) -> None:
    sheet = waiting_sheet(world)

    results = run_concurrently([partial(approve_count, sheet.pk, now=NOW, actor=world.planner)] * 8)

    assert [type(result) for result in failures(results)] == [Conflict] * 7
    assert StockMovement.objects.filter(reference=sheet.number).count() == 1
    assert mugs(world).on_hand == 30


def test_the_same_counts_sent_eight_times_at_once_are_one_posting(world: World) -> None:
    sheet = sheet_of()
    entries = {1: Decimal(20), 2: Decimal(98)}

    results = run_concurrently([partial(enter_counts, sheet.pk, entries, now=NOW)] * 8)

    assert failures(results) == []
    assert {result.status for result in results} == {"posted"}
    assert StockMovement.objects.filter(reference=sheet.number).count() == 1
    assert mugs(world).on_hand == 98


def test_two_who_enter_different_lines_at_once_complete_the_sheet_together(world: World) -> None:
    sheets = [sheet_of(), sheet_of("NORTH", key="N")]
    entries = [(sheets[0], {1: Decimal(19)}), (sheets[0], {2: Decimal(99)}), (sheets[1], {1: Decimal(40)})]

    results = run_concurrently([partial(enter_counts, s.pk, lines, now=NOW) for s, lines in entries])

    assert failures(results) == []
    assert set(CountSheet.objects.values_list("status", flat=True)) == {"posted"}
    assert mugs(world).on_hand == 99


def test_sales_that_leave_while_it_is_counted_and_posted_end_in_the_right_level(world: World) -> None:
    """Five are missing of 100. Ten orders of five leave meanwhile, whatever the order: 45 are left."""
    orders = [order_of(f"W-{n}", ("MUG", 5)) for n in range(10)]
    sheet = sheet_of()
    count(sheet, LAMP=20)
    before = partial(_count_what_lies_there, sheet, world)

    results = run_concurrently([before, *(partial(ship_order, o.pk, key=o.external_id, now=NOW) for o in orders)])

    assert failures(results) == []
    assert mugs(world).on_hand == 45
    assert (drifting_levels(), drifting_lines(), worth_faults()) == ([], [], [])


def _count_what_lies_there(sheet: CountSheet, world: World) -> None:
    """A counter who counts at the very moment of the entry: five fewer than the books say."""
    with transaction.atomic():
        level = StockLevel.objects.select_for_update().get(pk=mugs(world).pk)
        line = line_of(sheet, "MUG")
        enter_counts(sheet.pk, {line.line_number: level.on_hand - 5}, now=NOW)


def test_setting_the_level_to_what_was_counted_loses_the_sales_of_the_meantime(world: World) -> None:
    """The negative control: count, let a sale pass, then bring the level to the number on the sheet."""
    order, counted, shipped = order_of("W-1", ("MUG", 30)), threading.Event(), threading.Event()

    def naive() -> None:
        number = mugs(world).on_hand - 5
        counted.set()
        shipped.wait(30)
        record_counts([CountedStock(1, "MUG", "MAIN", number)], now=NOW)

    def sale() -> None:
        counted.wait(30)
        ship_order(order.pk, key="S", now=NOW)
        shipped.set()

    assert failures(run_concurrently([naive, sale])) == []
    assert mugs(world).on_hand == 95  # 65 lie there


def test_sheets_made_at_once_never_share_a_level(world: World) -> None:
    for number in range(10):
        put_stock(world.tea, make_location(world.main, f"T-{number}"), 5)
    calls = [partial(make_count_sheet, "MAIN", CountChoice(), key=f"K-{n}", now=NOW) for n in range(6)]

    results = run_concurrently([*calls, partial(schedule_counts, now=NOW), partial(schedule_counts, now=NOW)])

    assert all(isinstance(result, Conflict) for result in failures(results))
    lines = list(CountLine.objects.values_list("sku", "location", "lot", "status"))
    assert len(lines) == len(set(lines)) == 13
    again = NOW + timedelta(days=1)
    assert schedule_counts(now=again).sheets == 0


def test_a_count_that_takes_reserved_units_meets_orders_that_are_cancelled_and_shipped(world: World) -> None:
    orders = [order_of(f"W-{n}", ("MUG", 10)) for n in range(10)]  # all 100 are reserved
    sheet = sheet_of(sku_codes=("MUG",))
    calls = [partial(enter_counts, sheet.pk, {1: Decimal(60)}, now=NOW)]
    calls += [partial(cancel_order, order.pk, now=NOW) for order in orders[:3]]
    calls += [partial(ship_order, order.pk, key=order.external_id, now=NOW) for order in orders[3:5]]

    results = run_concurrently(calls)

    # An order that gave way has nothing left to ship: an honest refusal, and nothing else.
    assert all(isinstance(result, Conflict) for result in failures(results))
    sheet.refresh_from_db()
    assert sheet.status == "posted"
    level, line = mugs(world), line_of(sheet, "MUG")
    shipped = -sum(StockMovement.objects.filter(kind="sale").values_list("quantity", flat=True))
    variance = line.counted_quantity - line.on_hand_at_count  # type: ignore[operator]
    assert level.on_hand == 100 - shipped + variance
    assert level.reserved == sum(Reservation.objects.filter(level=level).values_list("quantity", flat=True))
    assert (drifting_levels(), drifting_lines(), worth_faults()) == ([], [], [])
