"""Printing labels from the admin: what is chosen, what comes out, and who may."""

from typing import Any

import pytest

from catalog.models import Sku
from tests.cast import World, make_lot, make_sku
from tests.kernel.pdf_pages import decoded, text_of
from tests.kernel.test_export_admin import enter
from tests.permissions.test_headers import policy_of

PRINT = "/admin/catalog/sku/labels/print/"


def form(*rows: Any, **more: str) -> dict[str, str]:
    return {"ids": ",".join(str(row.pk) for row in rows), "layout": "a4-3x8", "copies": "1", **more}


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_the_action_and_the_button_lead_to_the_form(world: World) -> None:
    client = enter(world.viewer)
    chosen = {"action": "print_labels", "_selected_action": [world.mug.pk, world.lamp.pk]}
    from_list = client.post("/admin/catalog/sku/", chosen)
    from_page = client.post(f"/admin/catalog/sku/{world.mug.pk}/do/labels/", follow=True)

    assert f'name="ids" value="{world.lamp.pk},{world.mug.pk}"' in from_list.content.decode()
    assert f'name="ids" value="{world.mug.pk}"' in from_page.content.decode()
    assert "Print labels" in client.get(f"/admin/catalog/sku/{world.mug.pk}/change/").content.decode()


def test_the_sheet_is_a_pdf_that_says_what_was_chosen(world: World) -> None:
    world.mug.barcode = "4006381333931"
    world.mug.name = "马克杯"
    world.mug.save()
    response = enter(world.clerk).post(PRINT, form(world.mug, world.lamp, copies="3", quantity="12.5", qr="on"))

    assert response["Content-Type"] == "application/pdf"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("inline")
    assert "no-store" in response["Cache-Control"]
    assert policy_of(response)["object-src"] == "'self'"
    assert decoded(response.content) == {
        ("Code128", "4006381333931"): 3,
        ("QRCode", "4006381333931"): 3,
        ("Code128", "LAMP"): 3,
        ("QRCode", "LAMP"): 3,
    }
    assert text_of(response.content).count("× 12.5") == 6
    assert text_of(response.content).count("马克杯") == 3


def test_places_and_lots_have_labels_too(world: World) -> None:
    client, lot = enter(world.clerk), make_lot(world.mug, "B7")
    places = client.post("/admin/warehouses/location/labels/print/", form(world.shelf, world.north_shelf))
    lots = client.post("/admin/warehouses/lot/labels/print/", form(lot, layout="roll-57x32"))

    assert decoded(places.content) == {("Code128", "L:MAIN/A-01"): 1, ("Code128", "L:NORTH/A-01"): 1}
    assert decoded(lots.content) == {("Code128", "T:MUG/B7"): 1}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"copies": "0"}, "Copies: a whole number from 1 to 1000"),
        ({"copies": "1001"}, "Copies: a whole number from 1 to 1000"),
        ({"copies": "501"}, "At most 1000 labels"),
        ({"copies": "x"}, "Copies"),
        ({"quantity": "-1"}, "more than 0"),
        ({"quantity": "2,40"}, "decimals have a point"),
        ({"layout": "papyrus"}, "Choose the paper"),
        ({"skip": "-1"}, "Places already used"),
    ],
)
def test_what_is_wrong_is_said_on_the_form(world: World, wrong: dict[str, str], words: str) -> None:
    response = enter(world.clerk).post(PRINT, {**form(world.mug, world.lamp), **wrong})

    assert response["Content-Type"].startswith("text/html")
    assert words in said(response)


@pytest.mark.parametrize("ids", ["", "x", "999999999", "1;2", "-1", "9" * 30])
def test_without_rows_it_goes_back_to_the_list(world: World, ids: str) -> None:
    response = enter(world.clerk).post(PRINT, {**form(), "ids": ids})

    assert (response.status_code, response["Location"]) == (302, "/admin/catalog/sku/")


def test_a_thousand_labels_are_printed_and_one_more_is_not(world: World) -> None:
    product = world.mug.product
    Sku.objects.bulk_create(Sku(code=f"S{n:04}", name=f"S{n}", product=product) for n in range(1000))
    rows, client = Sku.objects.filter(code__startswith="S0").order_by("pk"), enter(world.clerk)

    assert len(decoded(client.post(PRINT, form(*rows)).content, dpi=150)) >= 990
    everything = {"action": "print_labels", "select_across": "1", "_selected_action": [world.mug.pk]}
    refused = client.post("/admin/catalog/sku/", everything, follow=True)
    assert "At most 1000 labels" in said(refused)


def test_only_whoever_sees_the_rows_prints_them(world: World) -> None:
    sku = make_sku("SECRET")

    for user in (world.northwind_user, world.integration):
        response = enter(user).post(PRINT, form(sku))
        assert response.status_code in (302, 403)
        assert response["Content-Type"] != "application/pdf"
    assert enter(world.viewer).get(PRINT).status_code == 405
