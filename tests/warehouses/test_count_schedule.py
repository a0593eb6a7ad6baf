"""What is due to be counted by ABC class, and how often the books were right."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import NOW, World, make_sku, put_stock
from tests.warehouses.counting import count, sheet_of
from tests.warehouses.floor import order_of
from warehouses.models import CountLine, CountSheet, Location, Warehouse
from warehouses.selectors.counting import consumption_values, daily_lines, due_levels, record_accuracy
from warehouses.services import count_schedule
from warehouses.services.count_schedule import schedule_counts
from warehouses.services.count_sheets import cancel_count
from warehouses.services.sales import ship_order

pytestmark = pytest.mark.django_db


def sell(sku: str, units: int, *, days_ago: int = 1) -> None:
    order = order_of(f"W-{sku}-{days_ago}", (sku, units))
    ship_order(order.pk, key=order.external_id, now=NOW - timedelta(days=days_ago))


def due(warehouse: Warehouse, *, days: int = 0) -> list[tuple[str, str]]:
    now = NOW + timedelta(days=days)
    consumed = consumption_values(now=now).get(warehouse.pk, {})
    levels = due_levels(warehouse, now=now, consumed=consumed)
    names = {line.pk: line.code for line in _skus()}
    return [(names[level.key.sku_id], level.abc_class) for level in levels]


def _skus() -> Any:
    from catalog.models import Sku

    return Sku.objects.all()


def test_what_was_sold_in_a_year_is_valued_by_warehouse(world: World) -> None:
    sell("MUG", 30)
    sell("LAMP", 5)
    sell("LAMP", 10, days_ago=20)

    values = consumption_values(now=NOW)

    assert values == {world.main.pk: {world.mug.pk: Decimal("60.0000"), world.lamp.pk: Decimal("30.0000")}}
    assert consumption_values(now=NOW, days=10)[world.main.pk][world.lamp.pk] == Decimal("10.0000")


def test_every_class_is_due_after_its_own_days(world: World) -> None:
    put_stock(world.tea, world.shelf, 5)
    sell("MUG", 80)  # 160 of 176: A; the lamp crosses 95 %: B; tea: C
    sell("LAMP", 8)
    assert due(world.main) == [("MUG", "A"), ("LAMP", "B"), ("TEA", "C")]

    count(sheet_of(), MUG=20, LAMP=12, TEA=5)

    assert due(world.main, days=29) == []
    assert due(world.main, days=30) == [("MUG", "A")]
    assert due(world.main, days=90) == [("MUG", "A"), ("LAMP", "B")]
    assert [name for name, _class in due(world.main, days=363)] == ["MUG", "LAMP"]
    # A year later nothing was sold within the year any more: all are C.
    assert sorted(due(world.main, days=366)) == [("LAMP", "C"), ("MUG", "C"), ("TEA", "C")]


def test_only_posted_sheets_count_and_open_ones_are_not_asked_for_again(world: World) -> None:
    sheet = sheet_of(sku_codes=("MUG",))
    assert due(world.main) == [("LAMP", "C")]

    cancel_count(sheet.pk, now=NOW)

    assert sorted(due(world.main)) == [("LAMP", "C"), ("MUG", "C")]


def test_the_night_makes_sheets_by_warehouse_and_zone_of_sixty_lines_in_walking_order(world: World) -> None:
    zone = Location.objects.create(warehouse=world.main, code="Z", level="zone")
    bins = [
        Location.objects.create(warehouse=world.main, code=f"Z-{n:02}", parent=zone, sequence=n) for n in range(1, 66)
    ]
    for place in bins:
        put_stock(world.tea, place, 1)
    for warehouse in (world.main, world.north):
        Warehouse.objects.filter(pk=warehouse.pk).update(count_days_c=1)

    outcome = schedule_counts(now=NOW)

    assert (outcome.warehouses, outcome.sheets) == (2, 4)
    assert {sheet.origin for sheet in CountSheet.objects.all()} == {"schedule"}
    sizes = sorted((sheet.warehouse.code, sheet.lines.count()) for sheet in CountSheet.objects.all())
    assert sizes == [("MAIN", 2), ("MAIN", 5), ("MAIN", 60), ("NORTH", 1)]
    big = next(sheet for sheet in CountSheet.objects.all() if sheet.lines.count() == 60)
    walked = list(big.lines.order_by("line_number").values_list("location__code", flat=True))
    assert walked == [place.code for place in bins[:60]]
    assert set(big.lines.values_list("abc_class", flat=True)) == {"C"}


def test_the_same_day_again_makes_none_and_the_next_day_leaves_out_what_is_open(world: World) -> None:
    schedule_counts(now=NOW)
    put_stock(world.tea, world.shelf, 5)

    assert schedule_counts(now=NOW + timedelta(hours=3)).sheets == 0
    assert schedule_counts(now=NOW + timedelta(days=1)).sheets == 1

    assert sorted(CountLine.objects.values_list("sku__code", flat=True)) == ["LAMP", "MUG", "MUG", "TEA"]


def test_a_day_brings_no_more_than_twice_the_steady_work() -> None:
    assert daily_lines(["A"] * 3000 + ["C"] * 36500, {"A": 30, "B": 90, "C": 365}) == 400
    assert daily_lines(["A"] * 10, {"A": 30}) == 60
    assert daily_lines([], {}) == 60


def test_the_number_of_queries_does_not_grow_with_the_levels(world: World) -> None:
    def queries(day: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            count_schedule.schedule_counts(now=NOW + timedelta(days=day))
        return len(asked)

    few = queries(0)
    CountSheet.objects.update(status="cancelled")
    for number in range(40):
        put_stock(make_sku(f"S-{number}"), world.shelf, 1)

    assert queries(1) == few


def test_the_books_are_right_within_the_tolerance_of_the_class(world: World) -> None:
    sheet = sheet_of()
    CountLine.objects.filter(sku=world.mug).update(abc_class="C")  # 5 % of 100
    count(sheet, MUG=95, LAMP=21)  # no class: exact
    count(sheet_of("NORTH", key="N"), MUG=40)
    period = {"since": NOW, "until": NOW + timedelta(days=1)}

    rows = record_accuracy(**period)

    assert [(row.warehouse, row.counted, row.accurate, row.share) for row in rows] == [
        (world.main, 2, 1, 0.5),
        (world.north, 1, 1, 1.0),
    ]
    assert record_accuracy(**period, warehouse_ids=[world.north.pk]) == rows[1:]
    assert record_accuracy(since=NOW - timedelta(days=1), until=NOW) == []
