"""What a scanned code means: the right row, only what the actor may see, and never a guess."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from catalog.selectors import label_code
from config.kernel.scanning import numbered
from tests.cast import NOW, World, make_location, make_lot, make_sku, make_warehouse
from tests.procurement.buying import sent_order
from warehouses.models import SalesOrder, Shipment
from warehouses.selectors.scanning import found, location_code, lot_code, order_code

TODAY = date(2026, 3, 2)
MUG_GTIN = "4006381333931"


def scan(world: World, code: str, actor: Any = None) -> Any:
    hit = found(code, actor=actor or world.viewer, today=TODAY)
    return hit and (hit.type, hit.pk)


def make_order(world: World, number: str, channel: Any = None) -> SalesOrder:
    return SalesOrder.objects.create(
        channel=channel or world.web, external_id=number, status="shipped", currency="GBP", ordered_at=NOW
    )


def test_every_label_leads_to_its_row(world: World) -> None:
    lot = make_lot(world.mug, "B/7")
    order = make_order(world, "1001")
    bought = sent_order(world, mugs=100)
    shipment = Shipment.objects.create(number="SH-000001", key="k", order=order, shipped_at=NOW)

    assert scan(world, label_code(world.mug)) == ("sku", world.mug.pk)
    assert scan(world, location_code(world.shelf)) == ("location", world.shelf.pk)
    assert scan(world, lot_code(lot)) == ("lot", lot.pk)
    assert scan(world, order_code(order)) == ("order", order.pk)
    assert scan(world, "1001") == ("order", order.pk)
    assert scan(world, bought.number) == ("purchase_order", bought.pk)
    assert scan(world, "]C0sh-000001\r") == ("shipment", shipment.pk)
    assert scan(world, "DOCK") == ("location", world.receiving.pk)


def test_codes_with_slashes_are_split_where_both_halves_are_known(world: World) -> None:
    depot = make_warehouse("MAIN/2")
    shelf = make_location(depot, "B/01/3")

    assert scan(world, location_code(shelf)) == ("location", shelf.pk)


def test_a_text_that_two_rows_answer_to_means_none(world: World) -> None:
    make_order(world, "1001"), make_order(world, "1001", world.market)
    world.mug.barcode = world.lamp.barcode = MUG_GTIN
    world.mug.save(), world.lamp.save()
    make_location(make_warehouse("A"), "B/C"), make_location(make_warehouse("A/B"), "C")

    assert scan(world, "1001") is None
    assert scan(world, "O:WEB/1001") is not None
    assert scan(world, MUG_GTIN) is None
    assert scan(world, "A-01") is None  # a shelf in both warehouses
    assert scan(world, "L:A/B/C") is None


def test_a_gtin_is_found_with_and_without_leading_zeros(world: World) -> None:
    world.mug.barcode = MUG_GTIN
    world.lamp.barcode = "012345678905"
    world.mug.save(), world.lamp.save()

    assert scan(world, "04006381333931") == ("sku", world.mug.pk)
    assert scan(world, "]E04006381333931") == ("sku", world.mug.pk)
    assert scan(world, "0012345678905") == ("sku", world.lamp.pk)
    assert scan(world, "12345678905") == ("sku", world.lamp.pk)


def test_a_suppliers_carton_names_the_sku_the_lot_and_the_day(world: World) -> None:
    world.mug.barcode = MUG_GTIN
    world.mug.save()
    lot = make_lot(world.mug, "B7")

    known = found("]C1010400638133393117261231" + "10B7\x1d3712", actor=world.clerk, today=TODAY)
    new = found("(01)04006381333931(10)B8(17)261200", actor=world.clerk, today=TODAY)

    assert (known.type, known.pk) == ("lot", lot.pk)
    assert known.codes == {
        "sku": "MUG",
        "barcode": MUG_GTIN,
        "lot": "B7",
        "gtin": "04006381333931",
        "quantity": "12",
        "expires_on": "2026-12-31",
    }
    assert (new.type, new.pk, new.codes["lot"], new.codes["expires_on"]) == ("sku", world.mug.pk, "B8", "2026-12-31")


@pytest.mark.parametrize("code", ["L:MAIN", "SH-1", "(99)1", "]C0X", "T:A/B", " spaced"])
def test_a_sku_whose_code_would_be_misread_gets_a_mark(world: World, code: str) -> None:
    sku = make_sku(code)

    assert label_code(sku) == f"S:{code}"
    assert scan(world, label_code(sku)) == ("sku", sku.pk)


@pytest.mark.parametrize(
    "code", ["", "\r", "nothing", "L:", "L:/", "L:MAIN/none", "T:/", "\x00", "]C1", "O:" + "/" * 300]
)
def test_what_nothing_is_called_is_none(world: World, code: str) -> None:
    assert scan(world, code) is None


def test_nobody_learns_of_what_he_may_not_see(world: World) -> None:
    bought = sent_order(world, mugs=100)

    for code in ("MUG", "L:MAIN/A-01"):
        assert scan(world, code, world.northwind_user) is None
        assert scan(world, code, AnonymousUser()) is None
    assert scan(world, bought.number, world.northwind_user) == ("purchase_order", bought.pk)
    assert scan(world, bought.number, world.outsider_user) is None


def test_a_number_has_one_owner() -> None:
    with pytest.raises(ValueError, match="SH- is read as"):
        numbered("SH-", "warehouses.location", type="location")
