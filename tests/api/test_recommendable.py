"""What a recommender is told to push and to hold back, from the stock, arrivals and forecasts of the house."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Category, Listing
from tests.cast import make_sku, put_stock
from tests.monitoring.forecasts import expect, make_run
from warehouses.models import ChannelQuota, Transfer, TransferLine

URL = "/api/v1/recommendable/"


@pytest.fixture
def run(world: Any) -> Any:
    """Mugs: 100 in MAIN for 20 a day (20 days: 400). Lamps: 20 for a half a day. Tea: none."""
    run = make_run(as_of=timezone.localdate() - timedelta(days=1))
    expect(run, world.mug, world.main, per_day=20.0)
    expect(run, world.lamp, world.main, per_day=0.5)
    expect(run, world.tea, world.main, per_day=1.0)
    return run


def told(api: Callable[..., Any], world: Any, **asked: Any) -> dict[str, Any]:
    response = api(world.viewer).get(URL, asked)
    assert response.status_code == 200, response.content
    return {one["sku"]: one for one in response.json()["results"]}


def codes(one: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in one["reasons"]]


@pytest.mark.django_db
def test_what_lies_long_is_pushed_and_what_runs_out_is_held(world: Any, api: Any, run: Any) -> None:
    found = told(api, world, channel="WEB")

    # Lamps: r = 20 / 10, s = 1/3. Mugs: MAIN and NORTH serve WEB: 140 free of 400: −1 + ½ · .35.
    assert list(found) == ["LAMP", "MUG", "TEA"]
    assert (found["LAMP"]["score"], found["LAMP"]["verdict"]) == (pytest.approx(1 / 3, abs=1e-6), "push")
    assert (found["MUG"]["score"], found["MUG"]["verdict"]) == (-0.825, "hold")
    assert (found["TEA"]["score"], codes(found["TEA"])) == (-1.0, ["out_of_stock"])
    assert codes(found["LAMP"]) == ["overstocked"]
    assert (found["MUG"]["free"], found["MUG"]["expected"], found["MUG"]["cover_days"]) == (140.0, 400.0, 7.0)


@pytest.mark.django_db
def test_an_arrival_before_it_runs_out_turns_hold_into_push(world: Any, api: Any, run: Any) -> None:
    on = timezone.localdate() + timedelta(days=5)
    transfer = Transfer.objects.create(
        number="T-1",
        source=world.north,
        destination=world.main,
        status="in_transit",
        expected_on=on,
        created_at=timezone.now(),
    )
    TransferLine.objects.create(transfer=transfer, line_number=1, sku=world.mug, quantity=900, shipped_quantity=900)

    mug = told(api, world, channel="WEB")["MUG"]

    # r = (140 + 900) / 400 = 2.6: s = 1.6 / 3.6
    assert (mug["score"], codes(mug)) == (pytest.approx(1.6 / 3.6, abs=1e-6), ["overstocked", "arriving"])
    assert (mug["next_arrival"], mug["arriving"]) == (on.isoformat(), 900.0)


@pytest.mark.django_db
def test_buffers_quotas_and_the_warehouse_narrow_what_is_free(world: Any, api: Any, run: Any) -> None:
    Listing.objects.filter(channel=world.web, sku=world.lamp).update(buffer_quantity=Decimal(15))
    ChannelQuota.objects.create(channel=world.market, sku=world.mug, quantity=30)

    found = told(api, world, channel="WEB")

    assert found["LAMP"]["free"] == 5.0
    assert found["MUG"]["free"] == 110.0
    assert told(api, world, channel="WEB", warehouse="NORTH")["MUG"]["free"] == 40.0
    assert told(api, world)["LAMP"]["free"] == 20.0


@pytest.mark.django_db
def test_what_is_not_for_sale_is_never_pushed_and_what_phases_out_is_pushed_earlier(
    world: Any, api: Any, run: Any
) -> None:
    Listing.objects.filter(sku=world.lamp).update(is_active=False)
    put_stock(world.tea, world.shelf, 20)
    world.tea.status = "phase_out"
    world.tea.save()

    found = told(api, world, channel="WEB")

    assert (found["LAMP"]["verdict"], codes(found["LAMP"])) == ("hold", ["not_for_sale"])
    assert (found["TEA"]["score"], codes(found["TEA"])) == (0.5, ["healthy", "phase_out"])
    assert told(api, world, channel="MARKET") == {}


@pytest.mark.django_db
def test_filters_by_verdict_score_and_category_with_its_children(world: Any, api: Any, run: Any) -> None:
    child = Category.objects.create(code="LIGHT", name="Light", parent=Category.objects.get(code="HOME"))
    type(world.lamp.product).objects.filter(pk=world.lamp.product_id).update(category=child)

    assert set(told(api, world, verdict="hold")) == {"MUG", "TEA"}
    assert set(told(api, world, min_score="0")) == {"LAMP"}
    assert set(told(api, world, category="LIGHT")) == {"LAMP"}
    assert set(told(api, world, category="HOME")) == {"LAMP", "MUG", "TEA"}


@pytest.mark.django_db
def test_pages_show_every_sku_once_in_falling_score_and_then_by_margin(world: Any, api: Any, run: Any) -> None:
    for number in range(7):
        put_stock(make_sku(f"R{number}", unit_cost=str(number % 3)), world.shelf, 5)
    client, address, seen = api(world.viewer), f"{URL}?limit=3", []
    while address:
        page = client.get(address).json()
        seen += [(one["sku"], one["score"], one["margin"]) for one in page["results"]]
        address = page["next"]

    assert len(seen) == len({sku for sku, *_ in seen}) == 10
    assert seen == sorted(seen, key=lambda one: (-one[1], -one[2], one[0]))
    # No forecast covers the seven: neutral, the larger margin first.
    assert [sku for sku, *_ in seen[1:8]] == ["R0", "R3", "R6", "R1", "R4", "R2", "R5"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"chanel": "WEB"}, 400),
        ({"channel": "NOWHERE"}, 422),
        ({"warehouse": "NOWHERE"}, 422),
        ({"category": "NOWHERE"}, 422),
        ({"verdict": "sell"}, 400),
        ({"min_score": "2"}, 400),
        ({"min_score": "NaN"}, 400),
        ({"limit": "0"}, 400),
        ({"limit": "1001"}, 400),
        ({"cursor": "rubbish"}, 400),
        ({"cursor": "WzEsMl0"}, 400),
        ({"channel": "WE\x00B"}, 400),
    ],
)
def test_a_question_that_cannot_be_answered_is_a_problem(world: Any, api: Any, asked: Any, status: int) -> None:
    response = api(world.viewer).get(URL, asked)

    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.django_db
def test_many_skus_cost_the_queries_of_few(world: Any, api: Any, run: Any) -> None:
    client = api(world.viewer)
    with CaptureQueriesContext(connection) as few:
        client.get(URL, {"channel": "WEB"})
    for number in range(20):
        sku = make_sku(f"R{number}")
        Listing.objects.create(channel=world.web, sku=sku, unit_price=1)
        expect(run, sku, world.main, per_day=1.0)

    with CaptureQueriesContext(connection) as many:
        answer = client.get(URL, {"channel": "WEB"})

    assert len(answer.json()["results"]) == 23
    assert len(many) <= len(few)


@pytest.mark.django_db
def test_a_supplier_is_told_nothing(world: Any, api: Any) -> None:
    assert api(world.northwind_user).get(URL).status_code == 403
    assert api().get(URL).status_code == 401
