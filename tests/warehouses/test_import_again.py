"""What an earlier import brought is recognised by its content, however the files overlap; again means not one row."""

from decimal import Decimal
from pathlib import Path

import pytest

from catalog.models import Product, Sku
from tests.cast import World
from tests.warehouses.importing_files import NOW, line, order_lines, return_lines, rows_touched, sales_csv, take
from warehouses.models import SalesImport, SalesOrder
from warehouses.services.sales import Sale, SaleLine, record_sale

pytestmark = pytest.mark.django_db

MONTH = (
    line(),
    line(),
    line(sku="22752", name="BOXES"),
    line(order="C1002", quantity=-6, at="2025-12-03 10:00"),
    line(sku="POST"),
    line(price=-1),
)


def test_the_same_file_again_writes_not_one_row(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, *MONTH)
    take(path)
    before = rows_touched()

    summary = take(path)

    assert summary.counts == {"already_there": 4, "skipped.not_goods": 1, "rejected.negative_price": 1}
    assert (summary.rows_written, rows_touched() - before) == (0, 0)
    assert "Nothing new: not a row was written." in summary.text()
    assert SalesImport.objects.count() == 1


def test_identical_lines_of_one_order_are_all_taken(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(), line(), line()))

    assert order_lines() == [("1001", "85123A", 6, 6, 0, 0)] * 3


def test_a_file_that_overlaps_another_brings_only_what_is_new(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(), line(order="1002")))

    summary = take(sales_csv(tmp_path, line(order="1002"), line(order="1002"), line(order="1003"), name="next.csv"))

    assert summary.counts == {"already_there": 1, "taken": 2}
    assert [row[0] for row in order_lines()] == ["1001", "1002", "1002", "1003"]
    numbers = SalesOrder.objects.get(external_id="1002").lines.order_by("line_number")
    assert list(numbers.values_list("line_number", flat=True)) == [1, 2]


def test_overlapping_parts_of_one_file_are_counted_once(tmp_path: Path) -> None:
    import pandas as pd

    rows = [("1", 6, "2009-2010"), ("2", 6, "2009-2010"), ("2", 6, "2009-2010"), ("2", 6, "2010-2011")]
    rows += [("3", 6, "2010-2011"), ("C4", -6, "2009-2010"), ("C4", -6, "2010-2011")]
    frame = pd.DataFrame(rows, columns=["invoice", "quantity", "sheet"])
    path = tmp_path / "both.parquet"
    frame.assign(
        stock_code="85123A", description="HEART", invoice_ts=pd.Timestamp("2010-12-05 10:00"), unit_price=2.55
    ).to_parquet(path)

    summary = take(path)

    assert summary.counts == {"taken": 4, "repeated": 2, "returned.unmatched": 1}
    assert [row[0] for row in order_lines()] == ["1", "2", "2", "3"]


def test_the_same_order_number_in_another_channel_is_another_order(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line())
    take(path)

    assert take(path, channel_code="OTHER").counts == {"taken": 1}


def test_a_name_that_exists_is_not_changed(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(name="FIRST NAME")))

    take(sales_csv(tmp_path, line(order="2", name="SECOND NAME"), line(sku="85123B", name="OTHER"), name="next.csv"))

    assert Sku.objects.get(code="85123A").name == "FIRST NAME"
    assert Product.objects.get().name == "FIRST NAME"


def test_an_order_recorded_live_is_not_changed(world: World, tmp_path: Path) -> None:
    sold = [SaleLine("MUG", Decimal(3), Decimal(9))]
    record_sale(Sale("WEB", "W-1", NOW, sold), now=NOW)
    path = sales_csv(tmp_path, line("W-1", "MUG", 3, price="9.00"), line("W-1", "LAMP", 1, price="45.00"))

    summary = take(path, channel_code="WEB")

    assert summary.counts == {"already_there": 1, "rejected.live_order": 1}
    assert SalesOrder.objects.get().lines.count() == 1
    assert not return_lines()
