"""Scanning into the admin: the box of the header, the search boxes of the lists, and the endpoint for devices."""

from typing import Any

import pytest
from django.test import Client

from tests.cast import World, make_lot, make_sku
from tests.kernel.test_export_admin import enter
from tests.procurement.buying import sent_order


def went(client: Client, path: str, **query: str) -> str:
    """Where the answer leads: a page's address, or "" when it is a page itself."""
    response = client.get(path, query)
    assert response.status_code in (200, 302)
    return response.headers.get("Location", "")


def test_the_box_stands_in_every_header_and_leads_to_the_row(world: World) -> None:
    client = enter(world.viewer)

    assert 'action="/admin/scan/"' in client.get("/admin/").content.decode()
    assert 'action="/admin/scan/"' in client.get("/admin/catalog/sku/").content.decode()
    assert 'action="/admin/scan/"' not in client.get("/admin/catalog/sku/?_popup=1").content.decode()
    assert went(client, "/admin/scan/", code="]C0MUG\r") == f"/admin/catalog/sku/{world.mug.pk}/change/"
    assert went(client, "/admin/scan/", code="L:MAIN/A-01") == f"/admin/warehouses/location/{world.shelf.pk}/change/"


def test_what_fits_nothing_exactly_is_searched_for_everywhere(world: World) -> None:
    for n in range(9):
        make_sku(f"MUG-{n}")
    page = enter(world.viewer).get("/admin/scan/", {"code": "mug"}).content.decode()

    assert "No single thing has the code “mug”" in page
    assert f"/admin/catalog/sku/{world.mug.pk}/change/" in page
    assert "/admin/catalog/sku/?q=mug" in page


@pytest.mark.parametrize("code", ["", "<b>", "\x00", "x" * 500, "]C1", "Ü" * 300])
def test_any_text_has_an_answer(world: World, code: str) -> None:
    page = enter(world.viewer).get("/admin/scan/", {"code": code})

    assert page.status_code == 200
    assert b"<b>" not in page.content


def test_a_list_leads_to_its_own_row_and_otherwise_lists(world: World) -> None:
    client = enter(world.viewer)

    assert went(client, "/admin/catalog/sku/", q="MUG") == f"/admin/catalog/sku/{world.mug.pk}/change/"
    assert went(client, "/admin/catalog/sku/", q="mu") == ""
    assert went(client, "/admin/catalog/sku/", q="MUG", _popup="1") == ""
    # The levels of a SKU are searched by its code: that is no scan of a level.
    assert went(client, "/admin/warehouses/stocklevel/", q="MUG") == ""


def test_an_unmistakable_scan_leads_away_from_any_list(world: World) -> None:
    client, lot = enter(world.clerk), make_lot(world.mug, "B7")

    assert went(client, "/admin/warehouses/stocklevel/", q="T:MUG/B7") == f"/admin/warehouses/lot/{lot.pk}/change/"
    assert went(client, "/admin/warehouses/salesorder/", q="]C0MUG") == f"/admin/catalog/sku/{world.mug.pk}/change/"
    assert went(client, "/admin/warehouses/lot/", q="L:MAIN/none") == ""


def test_a_scanner_s_marks_do_not_spoil_the_search(world: World) -> None:
    where = went(enter(world.viewer), "/admin/warehouses/stocklevel/", q="]C0LAM\t", location__kind__exact="storage")

    assert where == "/admin/warehouses/stocklevel/?q=LAM&location__kind__exact=storage"


@pytest.mark.parametrize(
    "text", ["\xa0X", " X ", "\u3000X\u3000", "]C1]C1]C1X", "x" * 300, "x" * 255 + " y", "]C1", "\x1d"]
)
def test_cleaning_a_search_ends(world: World, text: str) -> None:
    page = enter(world.viewer).get("/admin/catalog/sku/", {"q": text}, follow=True)

    assert page.status_code == 200
    assert len(page.redirect_chain) <= 3


def test_a_clerk_is_not_led_to_what_he_may_not_open(world: World) -> None:
    order = sent_order(world, mugs=100)

    assert went(enter(world.clerk), "/admin/scan/", code=order.number).endswith(f"purchaseorder/{order.pk}/change/")
    supplier = enter(world.northwind_user).get("/admin/scan/", {"code": order.number})
    assert supplier.status_code in (302, 403)
    assert "purchaseorder" not in supplier.headers.get("Location", "")


def test_a_handheld_asks_what_a_code_is(world: World, api: Any) -> None:
    world.mug.barcode = "4006381333931"
    world.mug.save()
    answer = api(world.clerk).get("/api/v1/scan/", {"code": "(01)04006381333931(10)B7"})

    assert answer.status_code == 200
    assert answer.json() == {
        "type": "sku",
        "id": world.mug.pk,
        "codes": {"sku": "MUG", "barcode": "4006381333931", "gtin": "04006381333931", "lot": "B7"},
        "page": f"/admin/catalog/sku/{world.mug.pk}/change/",
    }


@pytest.mark.parametrize(("query", "status"), [({"code": "none"}, 404), ({}, 400), ({"code": "MUG", "kode": "x"}, 400)])
def test_the_endpoint_says_what_is_wrong(world: World, api: Any, query: dict[str, str], status: int) -> None:
    answer = api(world.clerk).get("/api/v1/scan/", query)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_a_supplier_asks_in_vain(world: World, api: Any) -> None:
    assert api(world.northwind_user).get("/api/v1/scan/", {"code": "MUG"}).status_code == 403
    assert api().get("/api/v1/scan/", {"code": "MUG"}).status_code == 401
