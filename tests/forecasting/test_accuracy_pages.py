"""The accuracy dashboard: exact figures, the way to the rows behind, drifts learnt anew, what it says when empty."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.models import Job
from forecasting.models import ForecastAccuracy, ForecastDrift
from tests.cast import World, make_sku
from tests.kernel.test_export_admin import enter

pytestmark = pytest.mark.django_db
PAGE = "/admin/forecasting/forecastaccuracy/dashboard/"
WEEK = date(2026, 3, 2)


def fared(sku: Any, warehouse: Any, actual: float, naive: float, model: float, final: float, **more: Any) -> None:
    fields = {"week": WEEK, "lag_weeks": 1, "method": "theta", "demand_class": "smooth", "value_class": "A", **more}
    ForecastAccuracy.objects.create(
        sku=sku, warehouse=warehouse, actual=actual, naive=naive, model=model, final=final, unit_cost=2, **fields
    )


def drifted(world: World) -> ForecastDrift:
    return ForecastDrift.objects.create(
        sku=world.mug, warehouse=world.main, kind="bias", measure=0.9, limit=0.6, found_on=WEEK
    )


def test_the_figures_are_pooled_and_lead_to_their_rows(world: World) -> None:
    fared(world.mug, world.main, 100, 50, 80, 90)
    fared(world.lamp, world.main, 100, 100, 110, 120, value_class="B")
    fared(world.tea, world.main, 10, 0, 0, 0, was_in_stock=0.5)

    page = enter(world.viewer).get(PAGE).content.decode()

    assert "<b>15.0 %</b>" in page  # (10 + 20) / 200
    assert "<b>5.0 %</b>" in page  # (−10 + 20) / 200
    assert "1 out of stock left out" in page
    assert "<b>+10.0</b>" in page  # 50 / 200 − 30 / 200 in points
    assert "overrides over model: 0.0" in page
    assert "Smooth, A" in page
    assert "demand_class=smooth&amp;value_class__exact=A" in page
    rows = enter(world.viewer).get("/admin/forecasting/forecastaccuracy/?week__gte=2026-01-12&lag_weeks__exact=1")
    assert "MUG" in rows.content.decode()


def test_each_grouping_names_its_groups_and_links_to_the_workbench(world: World) -> None:
    fared(world.mug, world.main, 100, 50, 80, 90)
    viewer = enter(world.viewer)

    assert "?method=theta" in viewer.get(f"{PAGE}?by=method").content.decode()
    assert f"?warehouse__id__exact={world.main.pk}" in viewer.get(f"{PAGE}?by=warehouse").content.decode()
    assert "No override ruled any of these weeks." in viewer.get(f"{PAGE}?by=planner").content.decode()
    assert "No forecast was made this many weeks ahead." in viewer.get(f"{PAGE}?lag=8").content.decode()
    assert viewer.get(f"{PAGE}?by=x&lag=²&weeks=-1").status_code == 200


def test_before_the_first_week_it_says_when_there_will_be_figures(world: World) -> None:
    page = enter(world.viewer).get(PAGE).content.decode()

    assert "The first figures come on the Monday after the first whole week with a plan." in page
    assert "None: every forecast errs no more" in page


def test_a_planner_has_a_drifted_forecast_learnt_anew_once(
    world: World, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasting.services.drift.send_to_worker", lambda job: None)
    drift, client = drifted(world), enter(world.planner)
    address = "/admin/forecasting/forecastaccuracy/refit/"

    answer = client.post(address, {"drift": drift.pk})
    again = client.post(address, {"drift": drift.pk}, follow=True)

    drift.refresh_from_db()
    job = Job.objects.get()
    assert (drift.refit, job.parameters["skus"]) == (job, [world.mug.pk])
    assert answer["Location"].endswith(f"/admin/kernel/job/{job.pk}/change/")
    assert "was queued today already" in again.content.decode()
    assert enter(world.viewer).post(address, {"drift": drift.pk}).status_code == 403
    assert enter(world.clerk).get(PAGE).status_code == 403


def test_it_costs_the_same_with_more_rows(world: World) -> None:
    fared(world.mug, world.main, 100, 50, 80, 90)
    drifted(world)
    client, counts = enter(world.planner), []
    for n in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        counts.append(len(queries))
        for m in range(5):
            fared(make_sku(f"SKU-{n}{m}"), world.main, 9, 8, 7, 6, week=WEEK - timedelta(weeks=m), value_class="C")

    assert counts[0] == counts[1]
    assert counts[0] <= 25
