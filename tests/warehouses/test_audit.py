"""The audit proves that levels, ledger and reservations agree, and names every place where they do not."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from tests.cast import NOW, World
from warehouses.models import Reservation, SalesOrderLine, StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.sales import Sale, SaleLine, record_sale

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def order(world: World) -> None:
    record_sale(Sale("WEB", "W-1", NOW, [SaleLine("LAMP", Decimal(4), Decimal(45))]), now=NOW)


def audit() -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("audit_stock", stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_all_is_well(world: World) -> None:
    assert drifting_levels() == drifting_lines() == []
    assert audit() == ("Every level equals its ledger and its reservations.\n", 0)


def test_a_level_that_was_tampered_with_is_named(world: World) -> None:
    StockLevel.objects.filter(sku=world.mug, location=world.shelf).update(on_hand=99)

    [row] = drifting_levels()
    assert (row["sku"], row["location"], row["lot"]) == ("MUG", "MAIN/A-01", "")
    assert (row["on_hand"], row["ledger_quantity"]) == (99, 100)
    assert audit() == (
        "MUG at MAIN/A-01: on hand 99, ledger 100; reserved 0, reservations 0\n1 levels and 0 order lines drift.\n",
        1,
    )


def test_a_ledger_row_without_a_level_is_named(world: World) -> None:
    StockMovement.objects.create(
        kind="receipt",
        sku=world.tea,
        location=world.shelf,
        quantity=5,
        idempotency_key="past the one writer",
        happened_at=NOW,
    )

    assert [(row["sku"], row["on_hand"], row["ledger_quantity"]) for row in drifting_levels()] == [("TEA", 0, 5)]


def test_a_lost_reservation_drifts_on_the_level_and_on_the_line(world: World) -> None:
    Reservation.objects.all().delete()

    assert [(row["sku"], row["reserved"], row["reservation_quantity"]) for row in drifting_levels()] == [("LAMP", 4, 0)]
    assert [(row["line_number"], row["reserved"], row["reservation_quantity"]) for row in drifting_lines()] == [
        (1, 4, 0)
    ]


def test_a_line_that_was_tampered_with_is_named(world: World) -> None:
    SalesOrderLine.objects.update(reserved_quantity=3)

    text, code = audit()

    assert code == 1
    assert "line 1 (LAMP): reserved 3, reservations 4" in text
