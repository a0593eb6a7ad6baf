"""A planner's morning in a real browser: the dashboard, proposals accepted with another quantity, an order sent."""

import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.models import Job
from monitoring.services.alerts import evaluate_alerts
from monitoring.services.kpis import record_kpis
from procurement.models import PurchaseOrder
from tests.browser.chromium import PHONE, Visit
from tests.cast import NOW, PASSWORD, World, build_world
from tests.monitoring.forecasts import expect, make_run
from tests.procurement.buying import make_proposal, sent_order

pytestmark = pytest.mark.browser
# Playwright keeps an event loop in this thread; the tests' own queries are still plain and one at a time.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def house(transactional_db: None) -> World:
    world = build_world()
    run = make_run()
    for sku in (world.mug, world.lamp, world.tea):
        expect(run, sku, world.main, per_day=3)
        make_proposal(world, sku, 50, run=run)
    sent_order(world, mugs=100)
    evaluate_alerts(now=NOW)
    record_kpis(now=NOW)
    return world


@pytest.fixture
def planner(chromium: Any, live_server: Any, house: World) -> Iterator[Visit]:
    visit = Visit(chromium, live_server.url)
    visit.sign_in("pia", PASSWORD)
    yield visit
    visit.context.close()


def test_a_planner_accepts_a_changed_quantity_and_sends_the_order(planner: Visit, house: World) -> None:
    page = planner.go("/admin/procurement/proposal/")
    row = page.locator("tr", has_text="LAMP")
    row.locator("input[name^=quantity-]").fill("75")
    row.locator("input.action-select").check()
    page.select_option("[name=action]", "accept_selected")
    page.click("button[name=index]")
    page.get_by_text("1 proposal was accepted").wait_for()

    page.get_by_role("link", name="PO-").first.click()
    page.get_by_role("button", name="Approve and send").click()
    page.get_by_text("Approved and sent").wait_for()

    order = PurchaseOrder.objects.latest("pk")
    assert (order.status, order.lines.get().quantity) == ("sent", Decimal(75))
    assert planner.complaints == []


def test_cancelling_asks_first_and_no_means_no(planner: Visit, house: World) -> None:
    order = PurchaseOrder.objects.get()
    page = planner.go(f"/admin/procurement/purchaseorder/{order.pk}/change/")
    asked = []

    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Cancel order").click()

    assert asked == ["Cancel this order? A supplier who has seen it is told."]
    order.refresh_from_db()
    assert order.status == "sent"


def test_a_job_s_page_follows_the_job(planner: Visit, house: World) -> None:
    job = Job.objects.create(kind="plan", state=Job.State.RUNNING, step="Forecasting", done=1, total=4, started_at=NOW)
    page = planner.go(f"/admin/kernel/job/{job.pk}/change/")
    page.get_by_text("Forecasting · 1 / 4").wait_for()

    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, done=4, finished_at=NOW, result={"series": 721})

    page.get_by_text("721").wait_for()
    assert planner.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone_and_none_complains(
    chromium: Any, live_server: Any, house: World, scheme: str
) -> None:
    visit = Visit(chromium, live_server.url, screen=PHONE, scheme=scheme)
    visit.sign_in("pia", PASSWORD)
    order = PurchaseOrder.objects.get()
    wide = {}
    for path in (
        "/admin/",
        "/admin/procurement/proposal/",
        f"/admin/procurement/proposal/{house.mug.proposals.get().pk}/change/",
        f"/admin/procurement/purchaseorder/{order.pk}/change/",
        f"/admin/catalog/sku/{house.mug.pk}/change/",
        "/admin/monitoring/alert/",
        "/admin/warehouses/salesorderline/",
        "/admin/kernel/job/",
    ):
        visit.go(path)
        if beyond := visit.width_beyond_the_screen():
            wide[path] = beyond

    assert wide == {}
    assert visit.complaints == []
    visit.context.close()


def test_the_charts_are_drawn_and_follow_the_width(planner: Visit, house: World) -> None:
    page = planner.go(f"/admin/catalog/sku/{house.mug.pk}/change/")

    shown = page.locator("svg.h-wide").first
    assert shown.is_visible()
    page.set_viewport_size(PHONE)
    assert page.locator("svg.h-narrow").first.is_visible()
    assert not shown.is_visible()
