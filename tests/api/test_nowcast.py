"""The short-term view over HTTP, and the word of a surprise."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.kernel.models import OutboxEvent
from forecasting.models import DemandHistory
from forecasting.selectors import channel_clocks
from forecasting.services.surprises import tell_surprises
from monitoring.services.findings import surprise_findings
from tests.cast import make_sku
from tests.forecasting.nowcasting import place_order
from tests.monitoring.forecasts import expect, make_run


@pytest.fixture
def forecast(world: Any) -> Any:
    channel_clocks._REMEMBERED.clear()
    run = make_run(as_of=timezone.localdate() - timedelta(days=1))
    DemandHistory.objects.create(
        sku=world.mug, warehouse=world.main, channel=world.web, day=run.as_of, quantity=10, ordered=10, orders=1
    )
    return expect(run, world.mug, world.main, per_day=10.0, protection_sd=42.0)


@pytest.mark.django_db
def test_an_order_is_in_the_next_answer(world: Any, api: Any, forecast: Any) -> None:
    viewer = api(world.viewer)
    before = viewer.get("/api/v1/forecasts/MUG/nowcast").json()

    place_order(world, 30, at=timezone.now(), number="N-1")
    after = viewer.get("/api/v1/forecasts/MUG/nowcast/").json()

    assert (before["sku"], before["run"], before["as_of"]) == ("MUG", forecast.run_id, forecast.run.as_of.isoformat())
    assert (before["total"]["today"]["observed"], after["total"]["today"]["observed"]) == (0.0, 30.0)
    assert after["total"]["level"]["factor"] > before["total"]["level"]["factor"]
    assert after["total"]["protection_interval"]["days"] == 20
    assert list(after["total"]["next_7_days"]["quantiles"]) == ["0.1", "0.5", "0.9"]
    assert [one["warehouse"] for one in after["warehouses"]] == ["MAIN"]


@pytest.mark.django_db
def test_one_warehouse_or_channel_may_be_asked_for(world: Any, api: Any, forecast: Any) -> None:
    place_order(world, 3, at=timezone.now(), number="N-1", channel=world.market)
    place_order(world, 4, at=timezone.now(), number="N-2")

    answer = api(world.viewer).get("/api/v1/forecasts/MUG/nowcast", {"channel": "WEB", "warehouse": "MAIN"}).json()

    assert (answer["channel"], answer["total"]["warehouse"]) == ("WEB", "MAIN")
    assert answer["total"]["today"]["observed"] == 4.0


@pytest.mark.django_db
def test_a_code_with_a_slash_is_found(world: Any, api: Any, forecast: Any) -> None:
    expect(forecast.run, make_sku("A/B 1"), world.main, per_day=1.0)

    assert api(world.viewer).get("/api/v1/forecasts/A/B 1/nowcast").json()["sku"] == "A/B 1"


@pytest.mark.django_db
def test_what_does_not_exist_is_said(world: Any, api: Any, forecast: Any) -> None:
    viewer = api(world.viewer)

    assert viewer.get("/api/v1/forecasts/NONE/nowcast").status_code == 404
    assert viewer.get("/api/v1/forecasts/LAMP/nowcast").json()["code"] == "no_forecast"
    assert viewer.get("/api/v1/forecasts/MUG/nowcast?warehouse=NORTH").status_code == 404
    assert viewer.get("/api/v1/forecasts/MUG/nowcast?warehouse=NONE").status_code == 422
    assert viewer.get("/api/v1/forecasts/MUG/nowcast?chanel=WEB").status_code == 400
    assert viewer.get("/api/v1/forecasts/M%00G/nowcast").status_code in (400, 404)
    assert api(world.northwind_user).get("/api/v1/forecasts/MUG/nowcast").status_code == 403
    assert api().get("/api/v1/forecasts/MUG/nowcast").status_code == 401


@pytest.mark.django_db
def test_a_surprise_is_told_once_a_day_and_becomes_an_alert(world: Any, forecast: Any) -> None:
    place_order(world, 500, at=timezone.now(), number="N-1")

    first, second = tell_surprises(now=timezone.now()), tell_surprises(now=timezone.now())

    assert (first.looked_at, first.surprising, first.told, second.told) == (1, 1, 1, 0)
    told = OutboxEvent.objects.get(kind="forecast.surprised").payload
    assert (told["sku"], told["warehouse"], told["direction"], told["observed"]) == ("MUG", "MAIN", "above", 500.0)
    (finding,) = surprise_findings(now=timezone.now())
    assert finding.subject == f"surprise:{world.mug.pk}:MAIN:above"
    assert surprise_findings(now=timezone.now() + timedelta(days=2)) == []


@pytest.mark.django_db
def test_ordinary_orders_are_no_news(world: Any, forecast: Any) -> None:
    place_order(world, 1, at=timezone.now(), number="N-1")

    assert tell_surprises(now=timezone.now()).told == 0
    assert not OutboxEvent.objects.filter(kind="forecast.surprised").exists()
