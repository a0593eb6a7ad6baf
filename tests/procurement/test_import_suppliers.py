"""Suppliers and prices come in from a file; the same file twice changes nothing."""

from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Sku
from config.kernel.errors import ValidationFailed
from procurement.models import PriceBreak, Supplier, SupplierItem
from procurement.services.importing import SupplierImport, import_suppliers
from tests.cast import World, make_sku


def load(tmp_path: Path, text: str) -> SupplierImport:
    path = tmp_path / "suppliers.csv"
    path.write_text(text, encoding="utf-8")
    return import_suppliers(path)


def test_a_newcomers_file_makes_supplier_items_and_price_breaks(world: World, tmp_path: Path) -> None:
    cup, bowl = make_sku("CUP"), make_sku("BOWL")

    summary = load(
        tmp_path,
        "supplier,supplier_name,currency,email,sku,unit_cost,minimum_order_quantity,pack_size,lead_time_days,price_breaks\n"
        "POTTER,Potter & Sons,eur,sales@potter.example,CUP,2.30,12,6,21,100:2.10; 500:1.95\n"
        "POTTER,,,,BOWL,4,,,,\n",
    )

    assert (summary.rows, summary.items_new, summary.suppliers_new, summary.rejects) == (2, 2, 1, [])
    potter = Supplier.objects.get(code="POTTER")
    assert (potter.name, potter.currency, potter.email) == ("Potter & Sons", "EUR", "sales@potter.example")
    item = SupplierItem.objects.get(supplier=potter, sku=cup)
    assert (item.unit_cost, item.minimum_order_quantity, item.pack_size) == (Decimal("2.30"), 12, 6)
    assert (item.lead_time_days, item.is_preferred) == (21, True)
    assert list(item.price_breaks.values_list("minimum_quantity", "unit_cost")) == [
        (100, Decimal("2.10")),
        (500, Decimal("1.95")),
    ]
    plain = SupplierItem.objects.get(supplier=potter, sku=bowl)
    assert (plain.minimum_order_quantity, plain.pack_size, plain.lead_time_days) == (1, 1, None)


def test_the_same_file_twice_changes_nothing(world: World, tmp_path: Path) -> None:
    text = "supplier,sku,unit_cost,price_breaks\nNORTHWIND,MUG,4.20,200:3.90\nNORTHWIND,TEA,1.80,\n"
    first = load(tmp_path, text)
    before = list(SupplierItem.objects.order_by("pk").values()), list(PriceBreak.objects.order_by("pk").values())

    again = load(tmp_path, text)

    assert (first.items_new, first.items_changed, first.items_same) == (1, 1, 0)
    assert (again.items_new, again.items_changed, again.items_same) == (0, 0, 2)
    after = list(SupplierItem.objects.order_by("pk").values()), list(PriceBreak.objects.order_by("pk").values())
    assert after == before


def test_an_empty_cell_leaves_the_value_and_none_removes_the_breaks(world: World, tmp_path: Path) -> None:
    load(tmp_path, "supplier,sku,unit_cost,pack_size,price_breaks\nNORTHWIND,MUG,4.20,,\n")
    item = SupplierItem.objects.get(supplier=world.northwind, sku=world.mug)
    assert (item.unit_cost, item.pack_size, item.price_breaks.count()) == (Decimal("4.20"), 5, 1)

    load(tmp_path, "supplier,sku,unit_cost,price_breaks\nNORTHWIND,MUG,4.20,none\n")

    assert item.price_breaks.count() == 0


def test_a_second_supplier_is_not_preferred_unless_the_file_says_so(world: World, tmp_path: Path) -> None:
    load(tmp_path, "supplier,sku,unit_cost\nOUTSIDER,MUG,3.00\n")
    assert SupplierItem.objects.get(sku=world.mug, is_preferred=True).supplier == world.northwind

    load(tmp_path, "supplier,sku,unit_cost,is_preferred\nOUTSIDER,MUG,3.00,yes\n")

    assert SupplierItem.objects.get(sku=world.mug, is_preferred=True).supplier == world.outsider


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("NORTHWIND,SPOON,1,1,", "there is no SKU SPOON"),
        ("NORTHWIND,,1,1,", "there is no SKU –"),
        (",MUG,1,1,", "the supplier's code is missing or longer than 32 characters, or the row holds NUL"),
        ("NORTHWIND,MUG,,1,", "unit_cost is missing"),
        ("NORTHWIND,MUG,cheap,1,", "unit_cost cheap is no number with at most 4 decimals"),
        ("NORTHWIND,MUG,-1,1,", "unit_cost -1 is out of range"),
        ("NORTHWIND,MUG,NaN,1,", "unit_cost NaN is no number with at most 4 decimals"),
        ("NORTHWIND,MUG,1e400,1,", "unit_cost 1e400 is no number with at most 4 decimals"),
        ("NORTHWIND,MUG,1,0,", "pack_size 0 is out of range"),
        ("NORTHWIND,MUG,1,1,100", "price_breaks 100 is not written as quantity:cost"),
        ("NORTHWIND,MUG,1,1,0:3", "price_breaks 0:3 is out of range or names a quantity twice"),
        ("NORTHWIND,LAMP,1,1,", "this supplier and SKU stand in the file already"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_are_taken(
    world: World, tmp_path: Path, row: str, reason: str
) -> None:
    summary = load(tmp_path, f"supplier,sku,unit_cost,pack_size,price_breaks\nNORTHWIND,LAMP,19,1,\n{row}\n")

    assert [(r.line, r.reason) for r in summary.rejects] == [(3, reason)]
    assert (summary.rows, summary.items_changed) == (2, 1)
    assert SupplierItem.objects.get(sku=world.lamp).unit_cost == 19
    assert SupplierItem.objects.get(sku=world.mug).unit_cost == 4


def test_a_file_that_is_no_such_table_is_refused_whole(world: World, tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match="Missing columns: unit_cost; unknown columns: colour"):
        load(tmp_path, "supplier,sku,colour\nNORTHWIND,MUG,red\n")
    (tmp_path / "bytes.csv").write_bytes(b"supplier,sku,unit_cost\n\xff\xfe,MUG,1\n")
    with pytest.raises(ValidationFailed, match=r"bytes\.csv is no CSV file in UTF-8"):
        import_suppliers(tmp_path / "bytes.csv")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_suppliers", str(tmp_path / "nowhere.csv"))


def test_the_command_counts_every_row_and_writes_the_rejects(world: World, tmp_path: Path) -> None:
    source, rejects, out = tmp_path / "s.csv", tmp_path / "r.csv", StringIO()
    source.write_text("supplier,sku,unit_cost\nNORTHWIND,MUG,4\nNORTHWIND,SPOON,1\n")

    call_command("import_suppliers", str(source), rejects=rejects, stdout=out)

    assert out.getvalue() == (
        "2 rows: 0 items new, 0 changed, 1 as they were, 1 rejected; 0 suppliers new, 0 SKUs got their unit cost.\n"
        "  line 3: there is no SKU SPOON\n"
    )
    assert "3,there is no SKU SPOON,NORTHWIND,SPOON" in rejects.read_text()


def test_a_sku_without_a_unit_cost_gets_that_of_its_preferred_item_in_the_companys_currency(
    world: World, tmp_path: Path
) -> None:
    Sku.objects.update(unit_cost=0)
    make_sku("CUP", unit_cost="1.10")
    Supplier.objects.filter(code="OUTSIDER").update(currency="EUR")

    summary = load(
        tmp_path,
        "supplier,sku,unit_cost\nNORTHWIND,MUG,4.20\nOUTSIDER,MUG,3.00\nOUTSIDER,TEA,1.80\nNORTHWIND,CUP,9\n",
    )

    assert summary.costs_set == 1
    assert dict(Sku.objects.values_list("code", "unit_cost")) == {
        "MUG": Decimal("4.20"),
        "TEA": 0,
        "LAMP": 0,
        "CUP": Decimal("1.10"),
    }


def test_codes_are_read_as_an_import_of_sales_writes_them(world: World, tmp_path: Path) -> None:
    summary = load(tmp_path, "supplier,sku,unit_cost\nNORTHWIND,mug,4.20\nNORTHWIND,Lamp,21\n")

    assert (summary.items_changed, summary.rejects) == (2, [])
    assert SupplierItem.objects.get(sku=world.lamp).unit_cost == 21


def test_a_file_with_a_column_twice_or_an_open_quotation_mark_is_refused_whole(world: World, tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match=r"suppliers\.csv: the column unit_cost is there more than once; leave"):
        load(tmp_path, "supplier,sku,unit_cost,Unit_cost\nNORTHWIND,MUG,3,4\n")
    with pytest.raises(ValidationFailed, match=r"suppliers\.csv, line 3: not CSV: unexpected end of data\."):
        load(tmp_path, 'supplier,sku,unit_cost\nNORTHWIND,MUG,3\nNORTHWIND,"LAMP,4\nOUTSIDER,TEA,5\n')
    assert SupplierItem.objects.get(sku=world.mug).unit_cost == 4


def test_rejects_never_go_over_the_file_they_come_from(world: World, tmp_path: Path) -> None:
    source = tmp_path / "s.csv"
    source.write_text("supplier,sku,unit_cost\nNORTHWIND,MUG,3\nNORTHWIND,SPOON,1\n")

    with pytest.raises(CommandError, match="that is the file they come from"):
        call_command("import_suppliers", str(source), rejects=source)

    assert source.read_text().endswith("NORTHWIND,SPOON,1\n")
    assert SupplierItem.objects.get(sku=world.mug).unit_cost == 4
