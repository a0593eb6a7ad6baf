"""Overrides and accuracy over the API: set, repeated, refused, withdrawn; adjusted numbers beside the model's."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from forecasting.models import ForecastAccuracy, ForecastOverride
from tests.cast import World
from tests.forecasting.looking_ahead import expect, make_run

pytestmark = pytest.mark.django_db
URL = "/api/v1/forecast-overrides/"


def body(**more: Any) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "sku": "MUG",
        "kind": "factor",
        "value": "2",
        "starts_on": f"{today}",
        "ends_on": f"{today + timedelta(days=6)}",
        "reason": "Two for one",
        **more,
    }


def run_of_yesterday(world: World) -> Any:
    return expect(make_run(timezone.localdate() - timedelta(days=1)), world.mug, world.main, 10)


def test_an_override_is_set_once_however_often_it_is_sent(world: World, api: Any) -> None:
    client = api(world.planner)

    first = client.post(URL, body(), HTTP_IDEMPOTENCY_KEY="K-1")
    again = client.post(URL, body(), HTTP_IDEMPOTENCY_KEY="K-1")

    made = ForecastOverride.objects.get()
    assert (first.status_code, first["Location"]) == (201, f"{URL}{made.pk}/")
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert first.json() | {"id": 0, "created_at": "", "starts_on": "", "ends_on": "", "expires_on": ""} == {
        "id": 0,
        "sku": "MUG",
        "category": None,
        "warehouse": None,
        "channel": None,
        "kind": "factor",
        "value": "2.0000",
        "starts_on": "",
        "ends_on": "",
        "expires_on": "",
        "reason": "Two for one",
        "author": "pia",
        "created_at": "",
        "withdrawn_by": None,
        "withdrawn_at": None,
    }


def test_a_forecast_shows_the_adjusted_numbers_beside_the_models_and_its_weeks(world: World, api: Any) -> None:
    forecast = run_of_yesterday(world)
    api(world.planner).post(URL, body())

    shown = api(world.viewer).get(f"/api/v1/forecasts/{forecast.pk}/").json()

    assert shown["mean"][:8] == [10] * 8
    assert shown["adjusted"]["mean"][:8] == [20] * 7 + [10]
    assert shown["adjusted"]["quantiles"]["0.95"][:8] == [40] * 7 + [20]
    assert (shown["protection_mean"], shown["adjusted"]["protection_mean"]) == (200, 270)
    assert shown["adjusted"]["protection_quantiles"] == {"0.5": 270, "0.95": 405}
    assert shown["adjusted"]["overrides"] == [ForecastOverride.objects.get().pk]
    assert sum(week["forecast"] for week in shown["consumption"]) == pytest.approx(
        sum(shown["adjusted"]["mean"][: sum(_days(week) for week in shown["consumption"])])
    )


def _days(week: dict[str, str]) -> int:
    from datetime import date

    return (date.fromisoformat(week["last"]) - date.fromisoformat(week["first"])).days + 1


def test_ten_times_the_forecast_needs_a_confirmation(world: World, api: Any) -> None:
    run_of_yesterday(world)
    client = api(world.planner)

    refused = client.post(URL, body(value="11"))

    assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_needed")
    assert refused.json()["items"][0]["field"] == "value"
    assert client.post(URL, body(value="11", is_confirmed=True)).status_code == 201


def test_many_are_set_at_once_or_none(world: World, api: Any) -> None:
    client = api(world.planner)
    lines = [body(), body(sku="", category="HOME", warehouse="MAIN"), body(sku="NOPE")]

    refused = client.post(f"{URL}batch/", {"overrides": lines}, format="json")

    assert refused.status_code == 422
    assert refused.json()["items"] == [{"line": 3, "field": "sku", "message": "There is no such SKU."}]
    assert ForecastOverride.objects.count() == 0
    made = client.post(f"{URL}batch/", {"overrides": lines[:2]}, format="json")
    assert [line["category"] for line in made.json()["overrides"]] == [None, "HOME"]


def test_overrides_are_listed_by_sku_author_and_whether_they_are_in_force(world: World, api: Any) -> None:
    client = api(world.planner)
    client.post(URL, body())
    gone = client.post(URL, body(sku="LAMP")).json()["id"]
    assert client.post(f"{URL}{gone}/withdraw/").json()["withdrawn_by"] == "pia"
    assert client.post(f"{URL}{gone}/withdraw/").status_code == 409

    def listed(query: str) -> list[str]:
        return [row["sku"] for row in client.get(f"{URL}?{query}").json()["results"]]

    assert listed("in_force=true") == ["MUG"]
    assert listed("in_force=false") == ["LAMP"]
    assert sorted(listed("author=pia")) == ["LAMP", "MUG"]
    assert listed("sku=LAMP") == ["LAMP"]


def test_who_set_and_withdrew_it_stands_in_the_audit_trail(world: World, api: Any) -> None:
    from forecasting.models import ForecastOverrideAudit

    made = api(world.planner).post(URL, body()).json()["id"]
    api(world.planner).post(f"{URL}{made}/withdraw/")

    trail = ForecastOverrideAudit.objects.order_by("pgh_id").values_list("pgh_label", "pgh_actor_id")
    assert list(trail) == [("insert", world.planner.pk), ("update", world.planner.pk)]


def test_accuracy_and_value_added_are_told_by_group(world: World, api: Any) -> None:
    ForecastAccuracy.objects.create(
        sku=world.mug,
        warehouse=world.main,
        week=timezone.localdate() - timedelta(days=14),
        lag_weeks=1,
        method="ets",
        actual=100,
        naive=60,
        model=80,
        final=90,
        unit_cost=2,
    )
    client = api(world.viewer)

    told = client.get("/api/v1/forecast-accuracy/?by=warehouse&lag=1&sku=MUG").json()
    value = client.get("/api/v1/forecast-value-added/?by=all").json()

    assert (told["by"], told["week_so_far"]) == ("warehouse", None)
    assert [(g["group"], g["final"]["wape"]) for g in told["groups"]] == [({"warehouse": "MAIN"}, 0.1)]
    assert value["groups"][0]["model"]["points"] == pytest.approx(20)
    assert value["groups"][0]["override"] == {
        "step": "override",
        "points": pytest.approx(10),
        "units": 10,
        "money": 20,
        "wape": 0.1,
    }
    assert client.get("/api/v1/forecast-accuracy/?lag=4").json()["groups"] == []
    assert client.get("/api/v1/forecast-accuracy/?by=colour").status_code == 400
    assert client.get("/api/v1/forecast-accuracy/?lag=3").status_code == 400
