"""A clerk with a phone and a scanner: the next task large on the screen, scanned, done, next."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from tests.browser.chromium import PHONE, WIDE, Visit
from tests.cast import PASSWORD, World, build_world, put_stock
from tests.warehouses.floor import lies, order_of, packing
from warehouses.models import Task
from warehouses.services.picking import release_for_picking
from warehouses.services.putaway import create_putaway_tasks

pytestmark = pytest.mark.browser
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def house(transactional_db: None) -> World:
    world = build_world()
    release_for_picking(order_of("W-1", ("MUG", 30), ("LAMP", 2)).pk, now=timezone.now())
    put_stock(world.tea, world.receiving, 8)
    create_putaway_tasks("MAIN", priority=200, now=timezone.now())
    return world


@pytest.fixture
def phone(chromium: Any, live_server: Any, house: World) -> Iterator[Visit]:
    visit = Visit(chromium, live_server.url, screen=PHONE)
    visit.sign_in("carl", PASSWORD)
    yield visit
    visit.context.close()


def picture(visit: Visit, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        visit.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def scan(page: Any, code: str) -> None:
    page.wait_for_load_state()  # nobody scans before the page has its script
    page.locator("[name=scanned]:focus").wait_for()
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def test_a_clerk_works_through_the_tasks_with_a_scanner_and_the_keyboard(phone: Visit, house: World) -> None:
    page = phone.go("/admin/warehouses/task/my-work/")
    picture(phone, "my-work-where")
    page.get_by_role("link", name="Leeds").click()
    page.get_by_text("3 tasks wait").wait_for()
    picture(phone, "my-work-next")
    page.locator("button:focus").wait_for()
    page.keyboard.press("Enter")

    page.locator("[data-part=from] b", has_text="A-01").wait_for()
    assert phone.width_beyond_the_screen() == 0
    scan(page, "L:MAIN/A-01")
    page.locator("[data-part=from].right").wait_for()
    scan(page, "LAMP")
    page.get_by_text("“LAMP” is neither the bin nor the goods of this task.").wait_for()
    scan(page, "MUG")
    page.locator("[data-part=sku].right").wait_for()
    picture(phone, "my-work-task")
    assert Task.objects.filter(state="done").count() == 0
    page.keyboard.press("Enter")  # an empty scan goes to the button
    page.keyboard.press("Enter")

    page.locator("[data-part=sku] b", has_text="LAMP").wait_for()
    picture(phone, "my-work-second")
    assert lies(house.mug, packing(house)) == (30, 30)
    page.get_by_role("button", name="Done, next").click()
    page.locator("[data-part=from] b", has_text="DOCK").wait_for()
    assert page.input_value("[name=to_location]") == "A-01"
    picture(phone, "my-work-putaway")
    page.fill("[name=quantity]", "5")
    page.get_by_role("button", name="Done, next").click()
    page.locator("[data-part=sku] b", has_text="TEA").wait_for()
    page.get_by_role("button", name="Give back").click()
    page.get_by_text("1 task waits").wait_for()
    assert lies(house.tea, house.shelf) == (5, 0)
    assert phone.complaints == []


def test_the_table_and_a_task_s_page_on_a_wide_screen(chromium: Any, live_server: Any, house: World) -> None:
    visit = Visit(chromium, live_server.url, screen=WIDE)
    visit.sign_in("carl", PASSWORD)
    page = visit.go("/admin/warehouses/task/")
    picture(visit, "tasks")
    page.get_by_role("button", name="Create putaway tasks").click()
    page.get_by_text("Nothing in receiving waits for a task.").wait_for()
    visit.go(f"/admin/warehouses/task/{Task.objects.get(sku=house.mug).pk}/change/")
    page.get_by_role("button", name="Claim for me").click()
    page.get_by_role("heading", name="It is yours").wait_for()
    picture(visit, "task")
    page.get_by_role("button", name="Complete").click()
    page.get_by_text("is done.").wait_for()

    assert lies(house.mug, packing(house)) == (30, 30)
    assert visit.complaints == []
    visit.context.close()
