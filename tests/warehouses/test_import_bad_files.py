"""A file that cannot be read to its end: one line says which file, which line and why; nothing is written."""

import gzip
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Channel, Product
from config.kernel.errors import NotFound, ValidationFailed
from tests.warehouses.importing_files import HEADER, line, sales_csv, take
from warehouses.models import SalesImport, SalesOrder, Warehouse

pytestmark = pytest.mark.django_db


def refusal_of(path: Path, **more: object) -> str:
    with pytest.raises(ValidationFailed) as refusal:
        take(path, **more)
    assert not any(model.objects.exists() for model in (Channel, Warehouse, Product, SalesOrder, SalesImport))
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def many_lines(count: int = 40_000) -> bytes:
    return "".join(f"{text}\n" for text in (HEADER, *(line(order=str(n)) for n in range(count)))).encode()


def test_wrong_columns(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, "1,2", header="Day,Weather")

    assert refusal_of(path) == (
        "sales.csv, line 1: missing column Invoice (order_id), StockCode (sku), Quantity (quantity), "
        "InvoiceDate (ordered_at), Price (unit_price) (the columns are: Day, Weather); "
        "rename them in the file, or name them to “manage.py import_sales” with --map COLUMN=FIELD."
    )


def test_one_column_missing(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, header=HEADER.replace("Price", "Prize"))

    assert refusal_of(path).startswith(
        "sales.csv, line 1: missing column Price (unit_price) (the columns are: Invoice,"
    )


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "nothing.csv"
    path.touch()

    assert refusal_of(path).startswith("nothing.csv, line 1: missing column Invoice (order_id), StockCode (sku)")


def test_another_encoding(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line())
    path.write_bytes(path.read_bytes() + line(name="CAFÉ AU LAIT").encode("latin-1") + b"\n")

    assert refusal_of(path) == "sales.csv, line 3: not UTF-8 at byte 16 of the line."


def test_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(f"{HEADER}\n{line()}\n".encode("utf-16"))

    assert refusal_of(path) == "sales.csv, line 1: not UTF-8 at byte 1 of the line."


def test_a_truncated_gzip_names_the_line_it_breaks_at(tmp_path: Path) -> None:
    whole = many_lines()
    packed = gzip.compress(whole, mtime=0)
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(EOFError):
        gzip.decompress(path.read_bytes())

    said = refusal_of(path)

    assert said.endswith(": the gzip archive ends early or is damaged.")
    number = int(said.removeprefix("sales.csv.gz, line ").partition(":")[0])
    assert 15_000 < number < 25_000


def test_a_damaged_gzip(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(many_lines(), mtime=0))
    packed[-6] ^= 0xFF  # in the check sum
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(packed)

    assert refusal_of(path).endswith("the gzip archive ends early or is damaged.")


def test_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(b"PK\x03\x04 and so on")

    assert refusal_of(path) == (
        "sales.csv, line 1: this is a workbook or an archive, not CSV or Parquet; export it as CSV."
    )


def test_damaged_parquet(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    path.write_bytes(b"PAR1 and nothing more")

    assert refusal_of(path).startswith("sales.parquet, line 1: damaged Parquet: ")


def test_an_open_quotation(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line(), '"' + "x" * 200_000)

    assert refusal_of(path).startswith("sales.csv, line 3: not CSV: field larger than field limit")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "no.csv") == "no.csv cannot be read: No such file or directory."


def test_a_fault_late_in_the_file_takes_everything_back(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(many_lines() + b"\xff\n")

    assert refusal_of(path) == "sales.csv, line 40002: not UTF-8 at byte 1 of the line."


def test_a_warehouse_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"There is no warehouse LODNON\."):
        take(sales_csv(tmp_path, line()), warehouse_code="LODNON")

    assert not Channel.objects.exists()


def test_an_unknown_time_zone_is_refused(tmp_path: Path) -> None:
    assert refusal_of(sales_csv(tmp_path, line()), time_zone="Europe/Londn").startswith("Europe/Londn is no time zone")


def test_the_command_says_it_in_one_line_and_fails(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, "1,2", header="Day,Weather")

    with pytest.raises(CommandError) as refusal:
        call_command("import_sales", str(path), channel="SHOP", stdout=io.StringIO())

    assert str(refusal.value).startswith("sales.csv, line 1: missing column Invoice")
    assert refusal.value.returncode == 1


@pytest.mark.parametrize(
    ("header", "title"),
    [
        (HEADER.replace("Description", "Quantity"), "Quantity"),
        (HEADER.replace("Description", "quantity "), "quantity"),
        (HEADER.replace("Customer ID", "Price"), "Price"),
    ],
)
def test_a_column_that_is_there_twice_is_named(tmp_path: Path, header: str, title: str) -> None:
    said = refusal_of(sales_csv(tmp_path, line(), header=header))

    assert said.startswith(
        f"sales.csv, line 1: the column {title} is there more than once; leave one (the columns are: "
    )


def test_a_column_that_is_not_used_may_be_there_twice(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, f"{line()},a,b", header=f"{HEADER},Note,Note")

    assert take(path).counts == {"taken": 1}


def test_a_column_named_with_map_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line(), header=HEADER.replace("Description", "Qty.").replace("Quantity", "Qty."))

    assert "the column Qty. is there more than once" in refusal_of(path, column_map={"Qty.": "quantity"})


def test_a_heading_with_an_open_quotation_mark(tmp_path: Path) -> None:
    path = sales_csv(tmp_path, line(), header=HEADER.replace("Country", '"Country'))

    assert refusal_of(path) == "sales.csv, line 1: a quotation mark that is not closed."


def parquet(folder: Path, **columns: object) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    told = {
        "order_id": ["1", "2"],
        "sku": ["MUG", "MUG"],
        "name": ["Mug", "Mug"],
        "quantity": [1, 2],
        "ordered_at": ["2025-12-01", "2025-12-02"],
        "unit_price": [2.5, -2.5],
        **columns,
    }
    pq.write_table(pa.table(told), folder / "sales.parquet")
    return folder / "sales.parquet"


def test_a_column_of_lists_that_is_not_used_is_left_alone(tmp_path: Path) -> None:
    path = parquet(tmp_path, tags=[["a", "b"], []], place=[{"x": 1}, {"x": 2}])

    summary = take(path, rejects_path=tmp_path / "rejects.csv")

    assert summary.counts == {"taken": 1, "rejected.negative_price": 1}
    assert (tmp_path / "rejects.csv").read_text().splitlines()[1] == (
        "2,negative price,2,MUG,Mug,2,2025-12-02,-2.5,[],{'x': 2}"
    )


@pytest.mark.parametrize(
    ("cells", "kind"), [([["a"], ["b"]], "list<"), ([{"x": 1}, {"x": 2}], "struct<"), ([b"\xff", b"a"], "binary")]
)
def test_a_column_that_is_used_and_no_text_is_named(tmp_path: Path, cells: list, kind: str) -> None:
    said = refusal_of(parquet(tmp_path, sku=cells))

    assert said.startswith(f"sales.parquet, line 1: the column sku holds {kind}")
    assert said.endswith(", which cannot be read as text.")
