"""Every line of an export has one fate: taken, returned, skipped or rejected, each by a rule with a name."""

import csv
import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.models import Channel, Product, Sku
from config.kernel.errors import ValidationFailed
from tests.cast import World
from tests.warehouses.importing_files import HEADER, NOW, line, order_lines, return_lines, sales_csv, take
from warehouses.models import ChannelRoute, SalesImport, SalesOrder, StockMovement, Warehouse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (line(), "taken"),
        (line(sku=" 85123a "), "taken"),
        (line(quantity="1.5"), "taken"),
        (line(order="C1001", quantity=5), "taken"),
        (line(order="A1001"), "taken"),
        (line(order="C1001", quantity=-6), "returned.unmatched"),
        (line(sku="POST"), "skipped.not_goods"),
        (line(sku="gift_0001_20"), "skipped.not_goods"),
        (line(sku="ADJUST2"), "skipped.not_goods"),
        (line(sku="Bank Charges"), "skipped.not_goods"),
        (line(sku="D", order="C1001", quantity=-1), "skipped.not_goods"),
        (line(order="A506401", sku="B", quantity=1, price="-53594.36"), "skipped.bad_debt"),
        (line(order="A506401", price="-1"), "skipped.bad_debt"),
        (line(quantity=-4, price=0), "skipped.write_off"),
        (line(quantity=-4), "skipped.write_off"),
        (line(price="0.0"), "skipped.give_away"),
        (line(quantity=0), "skipped.zero_quantity"),
        (line(quantity="0.0001"), "skipped.zero_quantity"),
        (line(quantity="many"), "rejected.quantity"),
        (line(quantity=""), "rejected.quantity"),
        (line(quantity="NaN"), "rejected.huge_quantity"),
        (line(quantity="-Infinity"), "rejected.huge_quantity"),
        (line(quantity="1000000001"), "rejected.huge_quantity"),
        (line(quantity="1e99999"), "rejected.huge_quantity"),
        (line(price="-2.55"), "rejected.negative_price"),
        (line(price="£2.55"), "rejected.price"),
        (line(price=""), "rejected.price"),
        (line(price="inf"), "rejected.huge_price"),
        (line(at="2026-03-02 09:00:01"), "rejected.future"),
        (line(at="2026-03-02 09:00:00"), "taken"),
        (line(at="2025-02-30 08:00"), "rejected.date"),
        (line(at="01/02/2025 08:00"), "rejected.date"),
        (line(at="now"), "rejected.date"),
        (line(at="infinity"), "rejected.date"),
        (line(at=""), "rejected.date"),
        (line(at="1970-01-01"), "rejected.too_old"),
        (line(order=""), "rejected.order_id"),
        (line(order="  "), "rejected.order_id"),
        (line(order="9" * 65), "rejected.order_id"),
        (line(sku=""), "rejected.sku"),
        (line(sku="9" * 65), "rejected.sku"),
        (line(name="  "), "rejected.unknown_sku"),
        (line(name="A\0B"), "rejected.nul"),
        (line() + ",one more", "rejected.fields"),
        ("1001,85123A", "rejected.fields"),
    ],
)
def test_a_line_has_one_verdict(tmp_path: Path, text: str, verdict: str) -> None:
    summary = take(sales_csv(tmp_path, text))

    assert summary.counts == {verdict: 1}
    assert summary.lines == 1


def test_an_order_is_made_as_it_was(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(), line(sku="22752", name="BABUSHKA BOXES", quantity=2, price="7.65")))

    [order] = SalesOrder.objects.all()
    assert (order.external_id, order.status, order.is_history) == ("1001", "shipped", True)
    assert (order.customer_reference, order.ship_to_country, order.currency) == ("17850", "United Kingdom", "GBP")
    assert order.ordered_at == datetime(2025, 12, 1, 8, 26, tzinfo=UTC)
    assert list(order.lines.order_by("line_number").values_list("line_number", "sku__code", "unit_price")) == [
        (1, "85123A", Decimal("2.55")),
        (2, "22752", Decimal("7.65")),
    ]
    assert order_lines() == [("1001", "22752", 2, 2, 0, 0), ("1001", "85123A", 6, 6, 0, 0)]
    assert not StockMovement.objects.exists()


def test_a_new_channel_comes_with_a_warehouse_a_route_and_its_codes_that_are_no_goods(tmp_path: Path) -> None:
    summary = take(sales_csv(tmp_path, line()), time_zone="Europe/London")

    [channel] = Channel.objects.all()
    assert (channel.code, channel.name, channel.time_zone) == ("SHOP", "SHOP", "Europe/London")
    assert {"POST", "GIFT_*", "BANK CHARGES"} <= set(channel.ignored_codes.splitlines())
    [warehouse] = Warehouse.objects.all()
    assert (warehouse.code, warehouse.locations.count()) == ("MAIN", 3)
    assert ChannelRoute.objects.get().warehouse == warehouse
    assert "New channel SHOP (time zone Europe/London): if that is a typing mistake, delete it again." in summary.text()


def test_a_channel_with_a_route_keeps_its_warehouse(world: World, tmp_path: Path) -> None:
    summary = take(sales_csv(tmp_path, line()), channel_code="MARKET")

    assert (summary.warehouse_code, summary.notes) == ("NORTH", [])


def test_the_codes_that_are_no_goods_are_the_channels(world: World, tmp_path: Path) -> None:
    Channel.objects.filter(code="WEB").update(ignored_codes="85*\n\n__S?R")

    summary = take(
        sales_csv(tmp_path, line(), line(sku="__STR"), line(sku="POST"), line(sku="XXSTR")), channel_code="WEB"
    )

    assert summary.counts == {"skipped.not_goods": 2, "taken": 2}


def test_another_time_zone_than_the_channels_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match="Channel WEB has the time zone"):
        take(sales_csv(tmp_path, line()), channel_code="WEB", time_zone="Asia/Tokyo")


def test_a_timestamp_without_an_offset_is_the_shops_own_clock(tmp_path: Path) -> None:
    at = ["2025-07-01 00:30:00", "2025-07-01T00:30:00+02:00", "2025-07-01T00:30:00Z"]

    take(sales_csv(tmp_path, *(line(order=str(n), at=text) for n, text in enumerate(at))), time_zone="Europe/London")

    assert list(SalesOrder.objects.order_by("external_id").values_list("ordered_at", flat=True)) == [
        datetime(2025, 6, 30, 23, 30, tzinfo=UTC),
        datetime(2025, 6, 30, 22, 30, tzinfo=UTC),
        datetime(2025, 7, 1, 0, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize(("date_order", "month"), [("dmy", 4), ("mdy", 3)])
def test_a_date_order_reads_dates_with_slashes(tmp_path: Path, date_order: str, month: int) -> None:
    take(sales_csv(tmp_path, line(at="3/4/2025 8:26")), date_order=date_order)

    assert SalesOrder.objects.get().ordered_at.month == month


def test_variants_share_the_product_their_code_begins_with(tmp_path: Path) -> None:
    take(
        sales_csv(
            tmp_path,
            line(sku="79323P", name="PINK CHERRY LIGHTS"),
            line(sku="79323W", name=" WHITE CHERRY  LIGHTS"),
            line(sku="22752", name="BABUSHKA BOXES"),
            line(sku="DCGSSGIRL", name="GIRLS PARTY BAG"),
        )
    )

    assert list(Product.objects.order_by("code").values_list("code", "name")) == [
        ("22752", "BABUSHKA BOXES"),
        ("79323", "CHERRY LIGHTS"),
        ("DCGSSGIRL", "GIRLS PARTY BAG"),
    ]
    assert list(Sku.objects.filter(product__code="79323").order_by("code").values_list("code", "name")) == [
        ("79323P", "PINK CHERRY LIGHTS"),
        ("79323W", "WHITE CHERRY LIGHTS"),
    ]


def test_a_sku_is_called_what_most_sales_call_it_and_costs_what_most_of_them_cost(tmp_path: Path) -> None:
    take(
        sales_csv(
            tmp_path,
            line(name="HEART HOLDER", price="2.95"),
            line(name="WHITE HEART HOLDER", price="2.55"),
            line(name="WHITE HEART HOLDER", price="2.55"),
            *[line(name="damaged", quantity=-1, price=0)] * 5,
        )
    )

    [sku] = Sku.objects.all()
    assert (sku.name, sku.unit_price, sku.status) == ("WHITE HEART HOLDER", Decimal("2.55"), "active")


def test_a_sku_that_was_only_written_off_is_not_made(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(quantity=-1, price=0)))

    assert not Sku.objects.exists()


def test_a_code_without_a_name_is_taken_when_another_line_names_it(tmp_path: Path) -> None:
    summary = take(sales_csv(tmp_path, line(name=""), line(quantity=-1, price=0)))

    assert summary.counts == {"taken": 1, "skipped.write_off": 1}


def test_with_known_skus_only_nothing_is_added_to_the_catalogue(world: World, tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line(sku="mug"), line(sku="85123A"))

    summary = take(path, channel_code="WEB", known_skus_only=True, rejects_path=tmp_path / "rejects.csv")

    assert summary.counts == {"taken": 1, "rejected.unknown_sku": 1}
    assert not Sku.objects.filter(code="85123A").exists()
    assert "unknown SKU 85123A" in (tmp_path / "rejects.csv").read_text()


def test_the_rejects_file_holds_line_reason_and_the_original_fields(tmp_path: Path) -> None:
    path = sales_csv(
        tmp_path, line(), line(quantity="two", name='"A ""quoted""\nname"'), "", line(price=-1), line(at="never"), "1,2"
    )

    summary = take(path, rejects_path=tmp_path / "out" / "rejects.csv")

    assert summary.counts == {
        "taken": 1,
        "rejected.fields": 1,
        "rejected.quantity": 1,
        "rejected.negative_price": 1,
        "rejected.date": 1,
    }
    with (tmp_path / "out" / "rejects.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["line", "reason", *HEADER.split(",")]
    assert [(row[0], row[1]) for row in rows] == [
        ("3", "the quantity is not a number"),
        ("6", "negative price"),
        ("7", "the date is not understood (year-month-day, or say --date-order)"),
        ("8", "not as many fields as the header"),
    ]
    assert rows[0][2:6] == ["1001", "85123A", 'A "quoted"\nname', "two"]


def test_a_corrected_rejects_file_can_be_imported_as_it_is(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    take(sales_csv(tmp_path, line(), line(order="1002", quantity="two")), rejects_path=rejects)
    rejects.write_text(rejects.read_text().replace(",two,", ",2,"))

    assert take(rejects).counts == {"taken": 1}
    assert order_lines() == [("1001", "85123A", 6, 6, 0, 0), ("1002", "85123A", 2, 2, 0, 0)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_of_three_delimiters_a_byte_order_mark_and_windows_line_ends(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "sales.txt"
    text = f"{HEADER}\r\n{line()}\r\n".replace(",", delimiter)
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert take(path).counts == {"taken": 1}


def test_a_gzipped_file_of_several_archives(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv.gz"
    parts = [f"{HEADER}\n{line()[:20]}", f"{line()[20:]}\n", f"{line(order='2')}\n"]
    path.write_bytes(b"".join(gzip.compress(part.encode()) for part in parts))

    assert take(path).counts == {"taken": 2}


def test_a_file_with_only_a_header_has_no_lines(tmp_path: Path) -> None:
    summary = take(sales_csv(tmp_path))

    assert (summary.lines, summary.counts) == (0, {})


def test_shopifys_cancelled_orders_are_skipped_whole(tmp_path: Path) -> None:
    path = sales_csv(
        tmp_path,
        "#1,a@x.org,paid,2025-05-01 10:00:00 +0200,2,Mug,9.00,M-1,DE,",
        "#2,a@x.org,refunded,2025-05-02 10:00:00 +0200,1,Mug,9.00,M-1,DE,2025-05-02 11:00:00 +0200",
        "#2,a@x.org,,2025-05-02 10:00:00 +0200,3,Lamp,45.00,L-1,,",
        header="Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,"
        "Shipping Country,Cancelled at",
    )

    assert take(path).counts == {"taken": 1, "skipped.cancelled_order": 2}
    assert SalesOrder.objects.get().ordered_at == datetime(2025, 5, 1, 8, 0, tzinfo=UTC)


def test_amazons_price_of_the_line_is_divided_by_the_units(tmp_path: Path) -> None:
    path = sales_csv(
        tmp_path,
        "111-1\t2025-05-01T10:00:00+00:00\tShipped\tM-1\tMug\t3\t27.00",
        "111-2\t2025-05-01T10:00:00+00:00\tCancelled\tM-1\tMug\t0\t",
        header="amazon-order-id\tpurchase-date\torder-status\tsku\tproduct-name\tquantity\titem-price",
    )

    assert take(path).counts == {"taken": 1, "skipped.cancelled_order": 1}
    assert SalesOrder.objects.get().lines.get().unit_price == 9


def test_customers_written_as_floats_are_the_same_customers(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(customer="17850.0"), line(order="C2", quantity=-6, at="2025-12-01 09:00")))

    assert return_lines() == [("C2", "85123A", 6, "cancellation", "1001")]


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "sales.parquet"
    pd.DataFrame(
        {
            "invoice": ["1001", "1001", "1002", "1001"],
            "stock_code": pd.Categorical(["85123A", "POST", "85123A", "85123A"]),
            "description": ["HEART", None, "HEART", "HEART\0"],
            "quantity": [6, 1, -2, 1],
            "invoice_ts": pd.to_datetime(["2025-12-01 08:26:00"] * 4),
            "unit_price": [2.55, 18.0, 0.0, 1.0],
            "customer_id": [17850.0, None, None, None],
            "country": ["United Kingdom"] * 4,
        }
    ).to_parquet(path)

    summary = take(path, rejects_path=tmp_path / "rejects.csv")

    assert summary.counts == {"taken": 1, "skipped.not_goods": 1, "skipped.write_off": 1, "rejected.nul": 1}
    assert SalesOrder.objects.get().customer_reference == "17850"
    assert (tmp_path / "rejects.csv").read_text().splitlines()[1].startswith("4,a NUL character in the text,1001,")


def test_the_import_is_recorded_with_its_counts(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line(), line(sku="POST"), line(price=-1))

    summary = take(path)

    [record] = SalesImport.objects.all()
    assert record.counts == {"taken": 1, "skipped.not_goods": 1, "rejected.negative_price": 1}
    assert (record.file_name, record.file_sha256, record.started_at) == ("sales.csv", summary.file_sha256, NOW)
    assert record.column_map["order_id"] == "Invoice"


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    summary = take(sales_csv(tmp_path, line()), is_dry_run=True)

    assert summary.counts == {"taken": 1}
    assert not any(model.objects.exists() for model in (Channel, Sku, SalesOrder, SalesImport))


def test_a_dry_run_writes_no_rejects_file_and_shows_the_first_rejects(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line(), *(line(order=str(n), price="x") for n in range(12)))

    summary = take(path, is_dry_run=True, rejects_path=tmp_path / "rejects.csv")

    assert sorted(found.name for found in tmp_path.iterdir()) == ["sales.csv"]
    assert summary.first_rejects == [(n, "the price is not a number") for n in range(3, 13)]
    said = summary.text()
    assert "line 3: the price is not a number" in said
    assert said[-1] == f"The rejected lines would go to {tmp_path / 'rejects.csv'}"


@pytest.mark.parametrize("name", ["sales.csv", "link.csv"])
def test_rejects_never_go_over_the_file_they_come_from(tmp_path: Path, name: str) -> None:
    path = sales_csv(tmp_path, line(), line(price="x"))
    (tmp_path / "link.csv").symlink_to(path)
    before = path.read_bytes()

    with pytest.raises(ValidationFailed, match="that is the file they come from"):
        take(path, rejects_path=tmp_path / name)

    assert path.read_bytes() == before
    assert not SalesOrder.objects.exists()


def test_a_quotation_mark_left_open_costs_its_own_line_only(tmp_path: Path) -> None:
    path = sales_csv(
        tmp_path,
        line("1", name='"LEFT OPEN'),
        line("2", name='"WELL QUOTED"'),
        line("3"),
        line("4", name='"OPEN TO THE END'),
        line("5"),
    )

    summary = take(path, rejects_path=tmp_path / "rejects.csv")

    assert (summary.counts, summary.lines) == ({"taken": 3, "rejected.quote": 2}, 5)
    assert [order for order, *_rest in order_lines()] == ["2", "3", "5"]
    with (tmp_path / "rejects.csv").open(newline="") as file:
        assert [row[:2] for row in csv.reader(file)][1:] == [
            ["2", "a quotation mark that is not closed"],
            ["5", "a quotation mark that is not closed"],
        ]


def test_a_quotation_mark_left_open_in_the_last_column_swallows_nothing(tmp_path: Path) -> None:
    path = sales_csv(
        tmp_path,
        line("1").replace("United", '"United'),
        line("2").replace("United Kingdom", '"United Kingdom"'),
        line("3").replace("United", '"United'),
    )

    assert take(path).counts == {"taken": 1, "rejected.quote": 2}


def test_a_quotation_mark_left_open_before_more_than_a_field_may_hold_costs_its_own_line_only(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line("0", name='"LEFT OPEN'), *(line(str(n)) for n in range(1, 3001)))

    assert take(path).counts == {"taken": 3000, "rejected.quote": 1}


def test_text_of_several_lines_is_one_field(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line("1", name='"TWO\nLINES, ""QUOTED"""'), line("2"))

    assert take(path).counts == {"taken": 2}
