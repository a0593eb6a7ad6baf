"""The workbench and a forecast's page: what they show in exact numbers, to whom, and for how many queries."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import CalendarEvent
from forecasting.models import ForecastDrift, ForecastOverride, HistoryCorrection
from tests.cast import World, make_sku
from tests.forecasting.looking_ahead import expect, make_run, sold
from tests.kernel.test_export_admin import enter

pytestmark = pytest.mark.django_db
LIST = "/admin/forecasting/forecast/"
BULK = f"{LIST}override/"


def yesterday() -> date:
    return timezone.localdate() - timedelta(days=1)


def asked(world: World, *rows: Any, **more: Any) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "rows": ",".join(str(row.pk) for row in rows),
        "step": "preview",
        "kind": "factor",
        "value": "2",
        "starts_on": f"{today}",
        "ends_on": f"{today + timedelta(days=6)}",
        "reason": "Two for one",
        **more,
    }


def corrected(world: World, day: date) -> HistoryCorrection:
    return HistoryCorrection.objects.create(
        sku=world.mug, warehouse=world.main, day=day, kind="bulk", observed=500, corrected=5
    )


def shown(user: Any, address: str) -> str:
    response = enter(user).get(address)
    assert response.status_code == 200
    return response.content.decode()


def queries_of(client: Client, address: str) -> int:
    client.get(address)  # what is cached for all pages is cached
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_most_money_that_is_likely_wrong_comes_first(world: World) -> None:
    run = make_run(yesterday())
    expect(run, world.tea, world.main, 1, value_at_stake=1000, wape=0.1)
    expect(run, world.mug, world.main, 10, value_at_stake=400, wape=0.5)
    expect(run, world.lamp, world.main, 2, value_at_stake=300, wape=None)

    page = shown(world.viewer, LIST)

    assert page.index(">LAMP<") < page.index(">MUG<") < page.index(">TEA<")
    assert "280" in page  # ten a day for 28 days
    assert "10.0 a day" in page


def test_the_filters_narrow_the_workbench(world: World) -> None:
    run = make_run(yesterday())
    mug = expect(run, world.mug, world.main, 10, value_at_stake=400, variability_class="X")
    expect(run, world.lamp, world.main, 2, value_at_stake=300, value_class="C", variability_class="Z")
    ForecastDrift.objects.create(
        sku=world.mug, warehouse=world.main, kind="bias", measure=0.9, limit=0.6, found_on=yesterday()
    )
    enter(world.planner).post(BULK, asked(world, mug, step="save"))

    for query in (
        "value_class__exact=A",
        "variability_class__exact=X",
        "drifted=yes",
        "overridden=yes",
        "value_at_stake_from=350",
        "q=mu",
    ):
        page = shown(world.viewer, f"{LIST}?{query}")
        assert ">MUG<" in page, query
        assert ">LAMP<" not in page, query
    assert ">LAMP<" in shown(world.viewer, f"{LIST}?overridden=no")


def test_an_override_is_previewed_in_units_and_money_before_it_is_set(world: World) -> None:
    run = make_run(yesterday())
    mug = expect(run, world.mug, world.main, 10, value_at_stake=400)
    lamp = expect(run, world.lamp, world.main, 2, value_at_stake=800)
    client = enter(world.planner)

    page = client.post(BULK, asked(world, mug, lamp)).content.decode()

    assert ForecastOverride.objects.count() == 0
    assert ">84<" in page  # 7 × (10 + 2)
    assert ">168<" in page
    assert ">+420<" in page  # 70 mugs at 2.00 and 14 lamps at 20.00
    answer = client.post(BULK, asked(world, mug, lamp, step="save"))
    assert answer.status_code == 302
    rows = ForecastOverride.objects.order_by("sku__code").values_list("sku__code", "warehouse__code", "value")
    assert list(rows) == [("LAMP", "MAIN", Decimal(2)), ("MUG", "MAIN", Decimal(2))]


def test_a_slip_of_the_finger_has_to_be_confirmed(world: World) -> None:
    mug = expect(make_run(yesterday()), world.mug, world.main, 10, value_at_stake=400)
    client = enter(world.planner)

    page = client.post(BULK, asked(world, mug, value="11", step="save")).content.decode()

    assert "770 units where 70 are forecast: confirm that you mean it." in page
    assert "I mean it" in page
    assert ForecastOverride.objects.count() == 0
    client.post(BULK, asked(world, mug, value="11", step="save", is_confirmed="1"))
    assert ForecastOverride.objects.count() == 1


def test_a_fault_is_said_once_however_many_rows_have_it(world: World) -> None:
    run = make_run(yesterday())
    rows = [expect(run, sku, world.main, 10) for sku in (world.mug, world.lamp)]

    page = enter(world.planner).post(BULK, asked(world, *rows, reason="")).content.decode()

    assert page.count("Say why, in 1 to 300 characters.") == 1


def test_a_viewer_looks_but_neither_overrides_nor_decides(world: World) -> None:
    mug = expect(make_run(yesterday()), world.mug, world.main, 10)
    correction = corrected(world, yesterday())
    viewer = enter(world.viewer)

    page = viewer.get(f"{LIST}{mug.pk}/change/").content.decode()

    assert 'value="preview"' not in page
    assert "Keep as sold" not in page
    assert viewer.post(BULK, asked(world, mug, step="save")).status_code == 403
    assert viewer.post(f"/admin/forecasting/historycorrection/{correction.pk}/do/keep/").status_code == 403
    assert enter(world.clerk).get(LIST).status_code == 403
    assert enter(world.planner).get(BULK).status_code == 405
    assert ForecastOverride.objects.count() == 0


def test_a_planner_keeps_a_large_order_as_real_demand(world: World) -> None:
    correction = corrected(world, yesterday())

    enter(world.planner).post(f"/admin/forecasting/historycorrection/{correction.pk}/do/keep/")

    correction.refresh_from_db()
    assert (correction.decision, correction.decided_by) == ("kept", world.planner)


def test_a_forecast_s_page_tells_its_reason_folds_and_special_days(world: World) -> None:
    run = make_run(yesterday())
    run.backtest = {"origins": [330, 337], "windows": [7], "step": 7, "history_days": 365}
    run.save()
    scores = {
        "candidates": {"theta": {"pinball": 0.2}, "naive": {"pinball": 0.9}},
        "runner_up": "naive",
        "reason_code": "better",
        "reason_numbers": {"folds": 2, "gap_percent": 17.2},
        "held_out": [[[40, 38, 37, 60]], [[70, 39, 38, 61]]],
    }
    mug = expect(run, world.mug, world.main, 10, method="theta", scores=scores)
    sold(world.mug, world.main, world.web, yesterday(), 12)
    CalendarEvent.objects.create(kind="promotion", name="Autumn", starts_on=yesterday(), ends_on=yesterday())

    page = shown(world.viewer, f"{LIST}{mug.pk}/change/")

    assert "Its loss on 2 held-out origins is 17 % below the naive method&#x27;s" in page
    assert "Next best: Last value." in page
    assert "1 of 2 at or below the 95 % quantile" in page
    assert f"{yesterday() - timedelta(days=35):%Y-%m-%d}" in page  # 365 − 330 days before the last day known
    assert "Autumn, Promotion" in page
    assert 'class="h-fan-3"' in page


def test_the_model_is_dotted_beside_what_a_planner_made_of_it(world: World) -> None:
    mug = expect(make_run(yesterday()), world.mug, world.main, 10)
    client = enter(world.planner)
    plain = client.get(f"{LIST}{mug.pk}/change/").content.decode()
    client.post(BULK, asked(world, mug, step="save"))

    page = client.get(f"{LIST}{mug.pk}/change/").content.decode()

    assert 'polyline class="h-model"' not in plain
    assert 'polyline class="h-model"' in page
    assert "490 are expected in the next 42 days." in page  # 42 × 10 and once more for seven days
    assert "model 200.0" in page
    assert "Two for one" in page


def test_pages_cost_the_same_with_more_forecasts_overrides_and_corrections(world: World) -> None:
    run = make_run(yesterday())
    mug = expect(run, world.mug, world.main, 10)
    client = enter(world.planner)
    client.post(BULK, asked(world, mug, step="save"))
    corrected(world, yesterday() - timedelta(days=9))
    addresses = (LIST, f"{LIST}{mug.pk}/change/", f"/admin/catalog/sku/{world.mug.pk}/change/")
    before = [queries_of(client, address) for address in addresses]

    for n in range(4):
        other = expect(run, make_sku(f"SKU-{n}"), world.main, 5)
        client.post(BULK, asked(world, mug, other, step="save"))
        corrected(world, yesterday() - timedelta(days=n))
    expect(run, world.mug, world.north, 3)

    assert [queries_of(client, address) for address in addresses] == before
    assert before[0] <= 25
