"""A planner at the forecasts in a real browser: the workbench, one override for two SKUs, the accuracy dashboard."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from forecasting.models import Forecast, ForecastAccuracy, ForecastDrift, ForecastOverride
from tests.browser.chromium import PHONE, Visit
from tests.cast import PASSWORD, World, build_world
from tests.forecasting.looking_ahead import expect, make_run, sold

pytestmark = pytest.mark.browser
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
ACCURACY = "/admin/forecasting/forecastaccuracy/dashboard/"


@pytest.fixture
def house(transactional_db: None) -> World:
    world = build_world()
    today = timezone.localdate()
    run = make_run(today - timedelta(days=1))
    expect(run, world.mug, world.main, 10, value_at_stake=400, wape=0.3)
    expect(run, world.lamp, world.main, 2, value_at_stake=800, wape=0.2)
    expect(run, world.tea, world.main, 1, value_at_stake=20, value_class="C")
    for n in range(1, 40):
        sold(world.mug, world.main, world.web, today - timedelta(days=n), 8 + n % 5)
    monday = today - timedelta(days=today.weekday() + 7)
    for week in range(6):
        ForecastAccuracy.objects.create(
            sku=world.mug, warehouse=world.main, week=monday - timedelta(weeks=week), lag_weeks=1, method="naive",
            demand_class="smooth", value_class="A", actual=100, naive=50, model=80, final=90, unit_cost=2,
        )  # fmt: skip
    ForecastDrift.objects.create(
        sku=world.mug, warehouse=world.main, kind="bias", measure=0.9, limit=0.6, found_on=today
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


def test_two_skus_are_overridden_after_a_preview_and_one_is_withdrawn(planner: Visit, house: World) -> None:
    page = planner.go("/admin/forecasting/forecast/?value_class__exact=A")
    assert page.locator("#result_list tbody tr").count() == 2
    picture(planner, "workbench")
    for code in ("MUG", "LAMP"):
        page.locator("#result_list tr", has_text=code).locator("input.action-select").check()
    page.select_option("[name=action]", "override_selected")
    page.click("button[name=index]")
    page.get_by_role("heading", name="Override 2 forecasts").wait_for()
    page.fill("[name=value]", "2")
    page.fill("[name=reason]", "Two for one")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("heading", name="What it would change").wait_for()
    picture(planner, "override-preview")
    assert page.locator(".h-kpi b").all_inner_texts() == ["84", "168", "+84", "+420"]
    assert ForecastOverride.objects.count() == 0
    page.get_by_role("button", name="Save the override").click()
    page.get_by_text("2 overrides were set.").wait_for()
    assert page.locator("#result_list tbody tr").count() == 2

    planner.go(f"/admin/catalog/sku/{house.mug.pk}/change/")
    page.get_by_role("link", name="See its overrides").click()
    page.get_by_role("cell", name="Two for one").wait_for()
    picture(planner, "forecast")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_text("Withdrawn. No plan uses it from now on.").wait_for()

    withdrawn = ForecastOverride.objects.exclude(withdrawn_at=None)
    assert [row.sku.code for row in withdrawn] == ["MUG"]
    assert planner.complaints == []


def test_the_keyboard_alone_reaches_the_preview(planner: Visit, house: World) -> None:
    forecast = Forecast.objects.get(sku=house.mug)
    page = planner.go(f"/admin/forecasting/forecast/{forecast.pk}/change/")
    page.locator("[name=value]").focus()
    page.keyboard.type("1.5")
    page.locator("[name=reason]").focus()
    page.keyboard.type("Fair")
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="What it would change").wait_for()
    assert page.locator(".h-kpi b").all_inner_texts() == ["70", "105", "+35", "+70"]
    assert planner.complaints == []


def test_the_dashboard_shows_figures_and_leads_to_the_rows(planner: Visit) -> None:
    page = planner.go(ACCURACY)
    picture(planner, "accuracy")
    assert page.locator(".h-kpi b").all_inner_texts()[:2] == ["10.0 %", "-10.0 %"]
    page.get_by_role("link", name="Smooth, A").click()

    page.locator("#result_list tr", has_text="MUG").wait_for()
    assert page.locator("#result_list tbody tr").count() == 2
    assert planner.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone(chromium: Any, live_server: Any, house: World, scheme: str) -> None:
    visit = Visit(chromium, live_server.url, screen=PHONE, scheme=scheme)
    visit.sign_in("pia", PASSWORD)
    forecast = Forecast.objects.get(sku=house.mug)
    beyond = {}
    for path in (
        "/admin/forecasting/forecast/",
        f"/admin/forecasting/forecast/{forecast.pk}/change/",
        f"/admin/catalog/sku/{house.mug.pk}/change/",
        f"/admin/forecasting/forecastrun/{forecast.run_id}/change/",
        "/admin/forecasting/historycorrection/",
        "/admin/forecasting/forecastrules/1/change/",
        ACCURACY,
    ):
        visit.go(path)
        if width := visit.width_beyond_the_screen():
            beyond[path] = width

    assert beyond == {}
    assert visit.complaints == []
    visit.context.close()
