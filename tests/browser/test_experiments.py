"""A planner tries a policy in a real browser: written down, started, watched, stopped; on a wide screen and a phone."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from forecasting.services.history import refresh_demand
from procurement.models import Experiment, ExperimentEvent, ExperimentLook, PolicyChange
from tests.browser.chromium import PHONE, Visit
from tests.cast import PASSWORD, World, build_world, make_item, make_sku, put_stock
from tests.procurement.planning_world import sell_daily

pytestmark = pytest.mark.browser
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def house(transactional_db: None) -> World:
    world = build_world()
    yesterday = timezone.localdate() - timedelta(days=1)
    for number in range(12):
        sku = make_sku(f"X{number:02d}", unit_price="9.00", unit_cost="4.00")
        make_item(world.northwind, sku)
        put_stock(sku, world.shelf, 100 + 20 * number)
        sell_daily(sku, world.web, world.main, quantities=[1 + number % 3] * 60, until=yesterday)
    refresh_demand()
    return world


@pytest.fixture
def running(house: World) -> Experiment:
    """Under way for 34 days, with a look a day since the twentieth."""
    today = timezone.localdate()
    experiment = Experiment.objects.create(
        name="Less safety on slow movers", hypothesis="Nobody misses what nobody asks for.", status="running",
        metric="stock_value", changes={"service_level": "0.9"}, starts_on=today - timedelta(days=34),
    )  # fmt: skip
    for place in range(14):
        reach = 9.0 / (1 + place) ** 0.9
        ExperimentLook.objects.create(
            experiment=experiment, day=today - timedelta(days=14 - place), champion_items=60, challenger_items=58,
            champion_mean=80.0, challenger_mean=76.0, effect=-3.0 - 0.1 * place, low=-3.0 - 0.1 * place - reach,
            high=-3.0 - 0.1 * place + reach, p_value=0.03, variance_reduction=0.6, fill_effect=-0.002,
            fill_low=-0.002 - reach / 300, fill_high=-0.002 + reach / 300,
        )  # fmt: skip
    for arm, stratum, count in (("champion", "A smooth", 7), ("challenger", "A smooth", 5)):
        skus = [make_sku(f"{arm[:4]}{n}") for n in range(count)]
        experiment.items.bulk_create(
            experiment.items.model(experiment=experiment, sku=sku, arm=arm, stratum=stratum, covariate=80)
            for sku in skus
        )
    started = {"seed": 0, "champion": 7, "challenger": 5, "left_out": 0}
    ExperimentEvent.objects.create(
        experiment=experiment, kind="started", detail=started, actor=house.planner, happened_at=timezone.now()
    )
    return experiment


@pytest.fixture
def change(house: World) -> PolicyChange:
    def figure(value: float, low: float, high: float, was: float) -> dict[str, float]:
        return {"value": value, "low": low, "high": high, "real": was + value, "counterfactual": was, "bias": 0.0}

    effect = {
        "currency": "GBP", "first_day": "2026-01-01", "last_day": "2026-02-01", "before_first_day": "2025-12-01",
        "items": 120, "left_out": 4, "days": 32,
        "figures": {
            "stock_value": figure(-2000, -2500, -1500, 12000), "fill_rate": figure(0.001, -0.01, 0.012, 0.95),
            "cost": figure(-8, -12, -4, 60),
        },
    }  # fmt: skip
    return PolicyChange.objects.create(
        policy_name="All", before={"service_level": "0.95"}, after={"service_level": "0.9"}, item_count=124,
        changed_at=timezone.now(), evaluated_at=timezone.now(), effect=effect,
    )  # fmt: skip


@pytest.fixture
def planner(chromium: Any, live_server: Any, house: World) -> Iterator[Visit]:
    visit = Visit(chromium, live_server.url)
    visit.sign_in("pia", PASSWORD)
    yield visit
    visit.context.close()


def picture(visit: Visit, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        visit.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_an_experiment_is_written_down_started_and_stopped(planner: Visit) -> None:
    page = planner.go("/admin/procurement/experiment/")
    page.get_by_role("link", name="New experiment").click()
    page.fill("[name=name]", "Less safety")
    page.fill("[name=service_level]", "0.9")
    picture(planner, "experiment-form")
    page.get_by_role("button", name="Save as a draft").click()
    page.get_by_text("15 SKUs would take part.").wait_for()
    picture(planner, "experiment-draft")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("Started: the next plan goes by the arms.").wait_for()
    page.fill("[name=note]", "The fair begins")
    page.get_by_role("button", name="Stop the experiment").click()
    page.get_by_text("Stopped: all SKUs are planned by the champion again.").wait_for()

    experiment = Experiment.objects.get()
    assert (experiment.status, experiment.changes) == ("stopped", {"service_level": "0.9"})
    assert planner.complaints == []


def test_the_page_draws_the_effect_and_the_guard_rail(
    planner: Visit, running: Experiment, change: PolicyChange
) -> None:
    page = planner.go(f"/admin/procurement/experiment/{running.pk}/change/")
    picture(planner, "experiment")

    assert (
        page.locator("figure.h-chart svg.h-wide polygon.h-fan, figure.h-chart svg.h-narrow polygon.h-fan").count() == 4
    )
    page.get_by_text("sure enough to stop").first.wait_for()
    page.get_by_role("link", name="5").first.click()
    page.locator("#result_list").wait_for()
    assert page.locator("#result_list tbody tr").count() == 5
    planner.go(f"/admin/procurement/policychange/{change.pk}/change/")
    picture(planner, "policy-change")
    assert planner.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone(
    chromium: Any, live_server: Any, running: Experiment, change: PolicyChange, scheme: str
) -> None:
    visit = Visit(chromium, live_server.url, screen=PHONE, scheme=scheme)
    visit.sign_in("pia", PASSWORD)
    beyond = {}
    for name, path in (
        ("list", "/admin/procurement/experiment/"),
        ("form", "/admin/procurement/experiment/new/"),
        ("page", f"/admin/procurement/experiment/{running.pk}/change/"),
        ("items", "/admin/procurement/experimentitem/"),
        ("looks", "/admin/procurement/experimentlook/"),
        ("change", f"/admin/procurement/policychange/{change.pk}/change/"),
        ("changes", "/admin/procurement/policychange/"),
        ("corrections", "/admin/procurement/servicecorrection/"),
    ):
        visit.go(path)
        picture(visit, f"phone-{scheme}-{name}")
        if width := visit.width_beyond_the_screen():
            beyond[path] = width

    assert beyond == {}
    assert visit.complaints == []
    visit.context.close()
