"""`import_stock`: what was counted becomes the stock; the difference is posted, once, and bad lines are told apart."""

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Sku
from tests.cast import NOW, World, make_lot, make_sku
from warehouses.models import Lot, SalesOrder, StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels
from warehouses.services import count_file
from warehouses.services.count_file import import_stock
from warehouses.services.sales import Sale, SaleLine, record_sale

pytestmark = pytest.mark.django_db


def counted(tmp_path: Path, *lines: str, header: str = "sku,warehouse,quantity") -> Path:
    path = tmp_path / "count.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8-sig")
    return path


def new_movements() -> list[tuple]:
    rows = StockMovement.objects.filter(happened_at=NOW).order_by("pk").select_related("sku", "location", "lot")
    return [(r.kind, r.sku.code, str(r.location), r.quantity) for r in rows]


def test_the_difference_to_the_count_is_posted(world: World, tmp_path: Path) -> None:
    path = counted(tmp_path, "MUG,MAIN,95", "MUG,NORTH,40", "TEA,MAIN,12.5", "LAMP,MAIN,21")

    outcome = import_stock(path, now=NOW).outcome

    assert (outcome.opened, outcome.adjusted, outcome.unchanged, outcome.rejected) == (1, 2, 1, {})
    assert sorted(new_movements()) == [
        ("count", "LAMP", "MAIN/A-01", 1),
        ("count", "MUG", "MAIN/A-01", -5),
        ("opening", "TEA", "MAIN/A-01", Decimal("12.5")),
    ]
    assert drifting_levels() == []


def test_the_same_file_again_posts_nothing(world: World, tmp_path: Path) -> None:
    path = counted(tmp_path, "MUG,MAIN,95", "TEA,MAIN,12")
    import_stock(path, now=NOW)

    outcome = import_stock(path, now=NOW).outcome

    assert (outcome.opened, outcome.adjusted, outcome.unchanged) == (0, 0, 2)
    assert len(new_movements()) == 2


def test_an_import_that_was_killed_goes_on_where_it_stopped(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(count_file, "BLOCK", 1)
    path = counted(tmp_path, "MUG,MAIN,95", "TEA,MAIN,12", "MUG,MAIN,90")

    def die(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_stock(path, now=NOW, progress=die)
    outcome = import_stock(path, now=NOW).outcome

    assert (outcome.opened, outcome.adjusted, outcome.unchanged) == (1, 0, 1)
    assert outcome.rejected == {4: "counted already in line 2"}


def test_lots_are_made_with_their_expiry_and_cost(world: World, tmp_path: Path) -> None:
    make_lot(world.tea, "OLD", expires_on=date(2026, 5, 1))
    header = "sku,warehouse,location,lot,expires_on,unit_cost,quantity"
    path = counted(
        tmp_path,
        "TEA,MAIN,DOCK,NEW,2026-09-01,1.75,6",
        "TEA,MAIN,,OLD,,,4",
        "TEA,MAIN,DOCK,OLD,2026-06-01,,4",
        header=header,
    )

    outcome = import_stock(path, now=NOW).outcome

    assert outcome.rejected == {4: "lot OLD expires on 2026-05-01"}
    assert Lot.objects.get(code="NEW").expires_on == date(2026, 9, 1)
    assert new_movements() == [("opening", "TEA", "MAIN/DOCK", 6), ("opening", "TEA", "MAIN/A-01", 4)]
    assert StockMovement.objects.get(lot__code="NEW").unit_cost == Decimal("1.75")


def test_what_is_reserved_cannot_be_counted_away_and_what_is_found_serves_who_waits(
    world: World, tmp_path: Path
) -> None:
    record_sale(Sale("WEB", "W-1", NOW, [SaleLine("LAMP", Decimal(15), Decimal(45))]), now=NOW)
    waiting, _ = record_sale(Sale("WEB", "W-2", NOW, [SaleLine("TEA", Decimal(3), Decimal(5))]), now=NOW)

    outcome = import_stock(counted(tmp_path, "LAMP,MAIN,14", "TEA,MAIN,3"), now=NOW).outcome

    assert outcome.rejected == {2: "only 14 counted, but 15 are reserved"}
    assert SalesOrder.objects.get(pk=waiting.pk).status == "reserved"
    assert StockLevel.objects.get(sku=world.lamp).on_hand == 20


def test_bad_lines_are_written_aside_with_their_reasons(world: World, tmp_path: Path) -> None:
    path = counted(
        tmp_path,
        "NOPE,MAIN,1",
        "MUG,NOWHERE,1",
        "MUG,MAIN,many",
        "MUG,MAIN,-1",
        "MUG,MAIN",
        "MUG,MAIN,99",
        "",
        "MUG,MAIN,98",
    )
    rejects = tmp_path / "rejects.csv"
    out = StringIO()

    call_command("import_stock", str(path), "--rejects", str(rejects), stdout=out)

    assert rejects.read_text().splitlines() == [
        "line,reason,sku,warehouse,quantity",
        "2,unknown SKU NOPE,NOPE,MAIN,1",
        '3,"unknown warehouse NOWHERE, or it has no storage location",MUG,NOWHERE,1',
        "4,the quantity is not a number,MUG,MAIN,many",
        '5,"the quantity is negative, too large or finer than a thousandth",MUG,MAIN,-1',
        "6,not as many fields as the header,MUG,MAIN",
        "9,counted already in line 7,MUG,MAIN,98",
    ]
    assert StockLevel.objects.get(sku=world.mug, location=world.shelf).on_hand == 99
    assert "           6  rejected\n           7  lines in the file\n" in out.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"sku,quantity\nMUG,1\n", "needs the columns sku, warehouse, quantity"),
        (b"sku,warehouse,quantity,colour\n", "may have location, lot, expires_on, unit_cost"),
        (b"", "its header is -"),
        (b"sku,warehouse,quantity\nM\xfcG,MAIN,1\n", "is not a CSV file in UTF-8"),
    ],
    ids=["column missing", "column unknown", "empty", "not UTF-8"],
)
def test_a_file_that_is_no_count_is_refused(world: World, tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "count.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=message):
        call_command("import_stock", str(path))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_stock", str(tmp_path / "none.csv"))


def test_a_sku_without_a_unit_cost_gets_the_first_one_that_is_told(world: World, tmp_path: Path) -> None:
    Sku.objects.filter(code__in=["MUG", "TEA"]).update(unit_cost=0)
    path = counted(
        tmp_path,
        "MUG,MAIN,100,2.123456",
        "MUG,NORTH,39,9",
        "TEA,MAIN,-1,7",
        "LAMP,MAIN,20,99",
        header="sku,warehouse,quantity,unit_cost",
    )

    import_stock(path, now=NOW)

    assert dict(Sku.objects.values_list("code", "unit_cost")) == {"MUG": Decimal("2.1235"), "TEA": 0, "LAMP": 2}


def test_codes_are_read_as_an_import_of_sales_writes_them(world: World, tmp_path: Path) -> None:
    exact = make_sku("tea")
    path = counted(tmp_path, "mug,MAIN,95", "tea,MAIN,3", "Tea,MAIN,4", "lam,MAIN,1")

    outcome = import_stock(path, now=NOW).outcome

    assert outcome.rejected == {5: "unknown SKU lam"}
    assert [StockLevel.objects.get(sku=sku, location=world.shelf).on_hand for sku in (world.mug, exact, world.tea)] == [
        95,
        3,
        4,
    ]


def test_rejects_never_go_over_the_counted_file(world: World, tmp_path: Path) -> None:
    path = counted(tmp_path, "MUG,MAIN,95", "NOPE,MAIN,1")
    before = path.read_bytes()

    with pytest.raises(CommandError, match="that is the file they come from"):
        call_command("import_stock", str(path), "--rejects", str(path), stdout=StringIO())

    assert path.read_bytes() == before
    assert new_movements() == []


def test_a_quotation_mark_left_open_names_the_line_it_stands_in(world: World, tmp_path: Path) -> None:
    path = counted(tmp_path, "TEA,MAIN,1", '"MUG,MAIN,95', "LAMP,MAIN,3")

    with pytest.raises(CommandError, match=r"count\.csv, line 3: not CSV: unexpected end of data\."):
        call_command("import_stock", str(path), stdout=StringIO())

    assert new_movements() == []
