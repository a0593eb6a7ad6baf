"""Sheets for the tests of counting: made, counted, and what became of the levels."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.cast import NOW, World
from warehouses.models import CountLine, CountSheet
from warehouses.services.count_entry import enter_counts
from warehouses.services.count_sheets import CountChoice, make_count_sheet


def sheet_of(warehouse: str = "MAIN", *, key: str = "C", now: datetime = NOW, **more: Any) -> CountSheet:
    choice = CountChoice(**{name: more.pop(name) for name in list(more) if name in CountChoice.__slots__})
    return make_count_sheet(warehouse, choice, key=key, now=now, **more)[0]


def line_of(sheet: CountSheet, sku: str) -> CountLine:
    return CountLine.objects.get(sheet=sheet, sku__code=sku)


def count(sheet: CountSheet, *, by: Any = None, now: datetime = NOW, **units: int | str) -> CountSheet:
    """`count(sheet, MUG=98)`"""
    entries = {line_of(sheet, sku).line_number: Decimal(number) for sku, number in units.items()}
    return enter_counts(sheet.pk, entries, now=now, actor=by)


def let_pass(world: World, worth: int | str) -> None:
    world.main.count_approval_value = Decimal(worth)
    world.main.save(update_fields=["count_approval_value"])
