"""Counting with a phone and a keyboard in a real browser: Enter goes on, a scan jumps to its line."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.chromium import PHONE, Visit
from tests.cast import NOW, PASSWORD, World, build_world, make_location, put_stock
from tests.warehouses.floor import lies
from warehouses.models import CountSheet
from warehouses.services.count_sheets import CountChoice, make_count_sheet

pytestmark = pytest.mark.browser
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def house(transactional_db: None) -> World:
    return build_world()


@pytest.fixture
def clerk(chromium: Any, live_server: Any, house: World) -> Iterator[Visit]:
    visit = Visit(chromium, live_server.url, screen=PHONE)
    visit.sign_in("carl", PASSWORD)
    yield visit
    visit.context.close()


def picture(page: Any, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_sheet_is_counted_on_a_phone_with_enter_and_scans(clerk: Visit, house: World) -> None:
    other = make_location(house.main, "B-07")
    put_stock(house.mug, other, 6)
    sheet, _new = make_count_sheet("MAIN", CountChoice(), key="K", now=NOW)
    page = clerk.go(f"/admin/warehouses/countsheet/{sheet.pk}/change/")
    picture(page, "count-phone")
    assert clerk.width_beyond_the_screen() == 0

    at = "document.activeElement.name"
    scan = page.locator("[data-count-scan]")
    scan.fill("L:MAIN/B-07")
    scan.press("Enter")
    assert page.evaluate(at) == "count-3"
    page.keyboard.type("6")
    scan.fill("]C0MUG")
    scan.press("Enter")
    assert page.evaluate(at) == "count-2"  # the mugs at B-07 are counted, those at A-01 are not
    page.keyboard.type("L:MAIN/A-01")  # a label read while the box has the cursor
    page.keyboard.press("Enter")
    assert page.evaluate(at) == "count-1"
    assert page.locator("[name=count-2]").input_value() == ""
    page.keyboard.type("20")
    page.keyboard.press("Enter")
    assert page.evaluate(at) == "count-2"
    page.keyboard.type("99")
    page.keyboard.press("Enter")
    assert page.evaluate(at) == "count-3"
    page.keyboard.press("Enter")
    scan.fill("NOWHERE")
    scan.press("Enter")
    assert page.locator("[data-count-said]").inner_text() == "Not on this sheet."
    page.get_by_role("button", name="Save the counts").click()
    page.get_by_text("the stock is right again").wait_for()

    picture(page, "counted-phone")
    assert CountSheet.objects.get().status == "posted"
    assert lies(house.mug, house.shelf) == (99, 0)
    assert clerk.width_beyond_the_screen() == 0
    assert clerk.complaints == []


def test_a_count_is_asked_for_on_a_phone(clerk: Visit, house: World) -> None:
    page = clerk.go("/admin/warehouses/countsheet/")
    page.get_by_role("link", name="New count").click()
    page.select_option("[name=warehouse]", "MAIN")
    page.get_by_role("button", name="Choose what to count").click()
    page.fill("[name=skus]", "MUG")
    picture(page, "new-count-phone")
    assert clerk.width_beyond_the_screen() == 0
    page.get_by_role("button", name="Make the sheet").click()
    page.wait_for_url("**/countsheet/*/change/")

    assert CountSheet.objects.get().lines.get().sku == house.mug
    assert clerk.complaints == []
