"""A planner at the proposals board in a real browser: by keyboard alone, with the explanation opened in place."""

import os
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from procurement.models import Policy, PolicyReplay, Proposal, PurchaseOrder, Scenario
from tests.browser.chromium import PHONE, Visit
from tests.cast import PASSWORD, World, build_world
from tests.forecasting.looking_ahead import expect, make_run
from tests.procurement.buying import make_proposal

pytestmark = pytest.mark.browser
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
BOARD = "/admin/procurement/proposal/"


@pytest.fixture
def house(transactional_db: None) -> World:
    world = build_world()
    today = timezone.localdate()
    type(world.northwind).objects.filter(pk=world.northwind.pk).update(minimum_order_value=600)
    run = make_run(today - timedelta(days=1))
    terms = {"on_hand": 100, "inventory_position": 100, "order_up_to_level": 150, "order_quantity": 50}
    for sku in (world.mug, world.lamp, world.tea):
        expect(run, sku, world.main, 10)
        make_proposal(
            world,
            sku,
            50 if sku is world.mug else 20,
            run=run,
            need_by=today + timedelta(days=14),
            stockout_on=today + timedelta(days=10),
            reorder_point=Decimal(120),
            explanation=[{"code": code, "value": value} for code, value in terms.items()],
        )
    return world


@pytest.fixture
def planner(chromium: Any, live_server: Any, house: World) -> Iterator[Visit]:
    visit = Visit(chromium, live_server.url)
    visit.sign_in("pia", PASSWORD)
    yield visit
    visit.context.close()


def picture(visit: Visit, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        visit.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_the_keyboard_explains_changes_and_accepts(planner: Visit, house: World) -> None:
    page = planner.go(BOARD)
    mug = page.locator("tbody[data-row]", has_text="MUG")
    press(page, "j")
    while "b-now" not in (mug.get_attribute("class") or ""):
        press(page, "j")
    press(page, "e")
    mug.get_by_role("heading", name="How the quantity adds up, in units").wait_for()
    assert mug.locator("svg:visible").count() >= 1
    picture(planner, "board-explained")
    press(page, "q")
    page.keyboard.type("150")
    assert page.locator("[data-group]", has_text="Northwind").locator("[data-total]").inner_text() == "1,000.00"
    assert page.get_by_text("Minimum order value reached").count() == 1
    press(page, "Enter", "a")
    page.get_by_text("1 proposal was accepted").wait_for()

    assert PurchaseOrder.objects.get().lines.get().quantity == Decimal(150)
    assert planner.complaints == []


def test_the_keyboard_splits_and_merges_and_dismisses(planner: Visit, house: World) -> None:
    page = planner.go(BOARD + "?q=mug")
    press(page, "j", "s")
    page.locator("[name=split_quantity]:focus").wait_for()
    page.keyboard.type("20")
    press(page, "Enter")
    page.get_by_text("Split into 30 + 20.").wait_for()
    assert page.locator("tbody[data-row]").count() == 2
    press(page, "k", " ", "j", " ")
    assert page.locator("[data-chosen-lines]").inner_text() == "2"
    page.once("dialog", lambda dialog: dialog.accept())
    press(page, "m")
    page.get_by_text("Merged: 1 proposal").wait_for()
    assert Proposal.objects.get(status="open", sku=house.mug).quantity == Decimal(50)
    press(page, "j", "d")
    page.get_by_text("1 proposal was dismissed.").wait_for()

    assert Proposal.objects.filter(status="open", sku=house.mug).count() == 0
    assert planner.complaints == []


def test_a_policy_is_tried_and_a_scenario_made_from_their_pages(planner: Visit, house: World) -> None:
    policy = Policy.objects.create(name="All", service_level=Decimal("0.95"))
    page = planner.go(f"/admin/procurement/policy/{policy.pk}/change/")
    page.get_by_role("link", name="Try a change").click()
    page.locator("[name=service_level]").fill("0.98")
    picture(planner, "replay-form")
    page.get_by_role("button", name="Start the replay").click()
    page.get_by_text("The replay was queued.").wait_for()
    assert PolicyReplay.objects.get().changes == {"service_level": "0.98"}
    planner.go("/admin/procurement/scenario/new/")
    page.locator("[name=name]").fill("A fifth more")
    page.locator("[name=demand_factor]").fill("1.2")
    page.get_by_role("button", name="Work it out").click()
    page.get_by_text("The scenario was queued.").wait_for()

    assert Scenario.objects.get().assumptions == {"demand_factor": 1.2}
    assert planner.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_them_is_wider_than_a_phone(chromium: Any, live_server: Any, house: World, scheme: str) -> None:
    visit = Visit(chromium, live_server.url, screen=PHONE, scheme=scheme)
    visit.sign_in("pia", PASSWORD)
    policy = Policy.objects.create(name="All", service_level=Decimal("0.95"))
    wide = {}
    for path in (
        BOARD,
        BOARD + "?group=urgency",
        f"/admin/procurement/policyreplay/new/?policy={policy.pk}",
        "/admin/procurement/policyreplay/",
        "/admin/procurement/scenario/",
        "/admin/procurement/scenario/new/",
        "/admin/procurement/scenario/compare/",
        "/admin/procurement/scenarioline/",
    ):
        page = visit.go(path)
        if path == BOARD:
            page.locator("[data-explain]").first.click()
            page.get_by_role("heading", name="Projected stock").wait_for()
        if beyond := visit.width_beyond_the_screen():
            wide[path] = beyond
    picture(visit, f"board-phone-{scheme}")

    assert wide == {}
    assert visit.complaints == []
    visit.context.close()
