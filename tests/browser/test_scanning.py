"""A scanner in front of a real browser: it types fast and sends Enter or Tab; and a sheet of labels is asked for."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.chromium import PHONE, Visit
from tests.cast import PASSWORD, World, build_world

pytestmark = pytest.mark.browser
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def house(transactional_db: None) -> World:
    return build_world()


@pytest.fixture
def clerk(chromium: Any, live_server: Any, house: World) -> Iterator[Visit]:
    visit = Visit(chromium, live_server.url)
    visit.sign_in("carl", PASSWORD)
    yield visit
    visit.context.close()


def test_slash_reaches_the_box_and_a_scan_opens_the_row(clerk: Visit, house: World) -> None:
    page = clerk.go("/admin/")
    page.keyboard.press("/")
    page.keyboard.type("]C0L:MAIN/A-01")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/warehouses/location/{house.shelf.pk}/change/")

    page.go_back()
    page.keyboard.press("/")
    page.keyboard.type("MUG")
    page.keyboard.press("Tab")
    page.wait_for_url(f"**/catalog/sku/{house.mug.pk}/change/")
    assert clerk.complaints == []


def test_slash_in_a_list_reaches_its_own_box_and_pressed_again_the_one_of_the_header(
    clerk: Visit, house: World
) -> None:
    page = clerk.go("/admin/warehouses/stocklevel/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "searchbar"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "code"
    assert page.evaluate("document.activeElement.value") == ""


def test_labels_are_chosen_in_the_list_and_open_as_a_pdf(clerk: Visit, house: World) -> None:
    page = clerk.go("/admin/catalog/sku/")
    page.locator("tr", has_text="MUG").locator("input.action-select").check()
    page.select_option("[name=action]", "print_labels")
    page.click("button[name=index]")
    page.get_by_role("button", name="Make the PDF").wait_for()
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/labels-form.png")
    with (
        page.expect_popup() as opened,
        clerk.context.expect_event("response", lambda response: response.url.endswith("/labels/print/")) as answered,
    ):
        page.get_by_role("button", name="Make the PDF").click()

    assert answered.value.headers["content-type"] == "application/pdf"
    opened.value.close()
    assert clerk.complaints == []


def test_the_box_fits_on_a_phone(chromium: Any, live_server: Any, house: World) -> None:
    visit = Visit(chromium, live_server.url, screen=PHONE)
    visit.sign_in("carl", PASSWORD)
    for path in (
        "/admin/",
        "/admin/catalog/sku/",
        "/admin/scan/?code=mu",
        f"/admin/catalog/sku/labels/?ids={house.mug.pk}",
    ):
        page = visit.go(path)
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}/phone{len(path)}.png")
        assert visit.width_beyond_the_screen() == 0, path
    assert visit.complaints == []
    visit.context.close()
