"""Signals of interest: taken once however often they are sent, refused whole when they cannot be read."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Channel
from forecasting.models import DemandSignal, SignalBatch
from tests.cast import make_sku

TODAY = timezone.localdate()
URL = "/api/v1/signals/"


def body(*lines: dict[str, Any], batch: str = "b-1", **more: Any) -> dict[str, Any]:
    return {"channel": "WEB", "batch_id": batch, "lines": list(lines), **more}


def line(sku: str = "MUG", **more: Any) -> dict[str, Any]:
    return {"sku": sku, "at": TODAY.isoformat(), "page_views": 10, **more}


def kept() -> list[tuple[Any, ...]]:
    return list(DemandSignal.objects.order_by("sku__code", "day").values_list("sku__code", "day", *DemandSignal.NAMES))


@pytest.mark.django_db
def test_lines_of_one_sku_and_day_are_added_up_within_and_over_batches(world: Any, api: Any) -> None:
    shop = api(world.integration)

    first = shop.post(URL, body(line(), line(cart_adds=2, wishes=1), line("LAMP", impressions=5)), format="json")
    second = shop.post(URL, body(line(), batch="b-2"), format="json")

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == {
        "channel": "WEB",
        "batch_id": "b-1",
        "lines": 3,
        "taken": 3,
        "is_duplicate": False,
        "rejected": [],
    }
    assert kept() == [("LAMP", TODAY, 10, 0, 0, 5), ("MUG", TODAY, 30, 2, 1, 0)]


@pytest.mark.django_db
def test_the_same_batch_again_is_answered_alike_and_counts_nothing(world: Any, api: Any) -> None:
    shop, sent = api(world.integration), body(line(), line("NEW"))
    first = shop.post(URL, sent, format="json").json()
    make_sku("NEW")

    again = shop.post(URL, sent, format="json")

    assert again.status_code == 200
    assert again.json() == {**first, "is_duplicate": True}
    assert first["rejected"] == [{"line": 2, "field": "sku", "sku": "NEW", "message": "There is no such SKU."}]
    assert kept() == [("MUG", TODAY, 10, 0, 0, 0)]
    assert SignalBatch.objects.count() == 1


@pytest.mark.django_db
def test_the_same_batch_with_other_lines_is_a_conflict_but_not_in_another_channel(world: Any, api: Any) -> None:
    shop = api(world.integration)
    shop.post(URL, body(line()), format="json")

    other = shop.post(URL, body(line(page_views=11)), format="json")
    elsewhere = shop.post(URL, body(line(page_views=11), channel="MARKET"), format="json")

    assert (other.status_code, other.json()["code"]) == (409, "already_recorded")
    assert elsewhere.status_code == 200
    assert DemandSignal.objects.get(channel=world.web).page_views == 10


@pytest.mark.django_db
def test_the_house_s_idempotency_key_is_honoured_too(world: Any, api: Any) -> None:
    shop, sent = api(world.integration), body(line())
    first = shop.post(URL, sent, format="json", HTTP_IDEMPOTENCY_KEY="k")

    again = shop.post(URL, sent, format="json", HTTP_IDEMPOTENCY_KEY="k")

    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


@pytest.mark.django_db
def test_a_moment_counts_for_the_day_of_the_channel(world: Any, api: Any) -> None:
    Channel.objects.filter(pk=world.web.pk).update(time_zone="Asia/Shanghai")
    day = TODAY - timedelta(days=3)
    sent = body(line(at=f"{day}T15:59:59Z"), line("LAMP", at=f"{day}T16:00:00Z"), line("TEA", at=f"{day}T23:00:00"))

    api(world.integration).post(URL, sent, format="json")

    assert [(sku, on) for sku, on, *_ in kept()] == [("LAMP", day + timedelta(days=1)), ("MUG", day), ("TEA", day)]


BAD: list[tuple[Any, int, str]] = [
    ({"page_views": -1}, 400, "page_views"),
    ({"page_views": 1.5}, 400, "page_views"),
    ({"page_views": True}, 400, "page_views"),
    ({"page_views": "7"}, 400, "page_views"),
    ({"page_views": 10**9 + 1}, 400, "page_views"),
    ({"page_views": None}, 400, "page_views"),
    ({"page_views": 0}, 400, "line"),
    ({"views": 3}, 400, "views"),
    ({"sku": "MU\x00G"}, 400, "sku"),
    ({"sku": ""}, 400, "sku"),
    ({"sku": "X" * 65}, 400, "sku"),
    ({"sku": 5}, 400, "sku"),
    ({"at": "yesterday"}, 400, "at"),
    ({"at": 20260302}, 400, "at"),
    ({"at": "2026-02-30"}, 400, "at"),
    ({"at": (TODAY + timedelta(days=3)).isoformat()}, 422, "at"),
    ({"at": (TODAY - timedelta(days=740)).isoformat()}, 422, "at"),
    ({"at": "0001-01-01T00:00:00+14:00"}, 422, "at"),
    ({"at": "9999-12-31T23:59:59-14:00"}, 422, "at"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("fault", "status", "field"), BAD, ids=lambda one: str(one)[:40])
def test_a_line_that_cannot_be_refuses_the_batch_and_is_named(
    world: Any, api: Any, fault: dict[str, Any], status: int, field: str
) -> None:
    response = api(world.integration).post(URL, body(line(), {**line(), **fault}), format="json")

    assert response.status_code == status, response.content
    assert [(item["line"], item["field"]) for item in response.json()["items"]] == [(2, field)]
    assert (DemandSignal.objects.count(), SignalBatch.objects.count()) == (0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sent",
    [
        {},
        [],
        body(),
        body(line(), channel="NOWHERE"),
        body(line(), channel="WE\x00B"),
        body(line(), batch=""),
        body(line(), batch="b\x00"),
        body(line(), batch="b" * 121),
        {**body(), "lines": {"sku": "MUG"}},
        {**body(), "lines": [1, None, "x", []]},
        body(*[line()] * 10_001),
    ],
    ids=list("abcdefghijk"),
)
def test_a_body_that_cannot_be_read_is_a_problem_and_takes_nothing(world: Any, api: Any, sent: Any) -> None:
    response = api(world.integration).post(URL, sent, format="json")

    assert 400 <= response.status_code < 500, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert (DemandSignal.objects.count(), SignalBatch.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_ten_thousand_lines_cost_the_statements_of_one(world: Any, api: Any) -> None:
    shop = api(world.integration)
    shop.post(URL, body(line(), batch="warm"), format="json")
    days = [(TODAY - timedelta(days=n)).isoformat() for n in range(500)]

    with CaptureQueriesContext(connection) as small:
        shop.post(URL, body(line(), batch="small"), format="json")
    with CaptureQueriesContext(connection) as large:
        shop.post(URL, body(*[line(at=days[n % 500]) for n in range(10_000)], batch="large"), format="json")

    assert len(large) == len(small)
    assert DemandSignal.objects.count() == 500


@pytest.mark.django_db
def test_signals_are_listed_by_sku_channel_and_day(world: Any, api: Any) -> None:
    api(world.integration).post(URL, body(line(), line("LAMP"), line(at="2026-01-01")), format="json")

    found = api(world.viewer).get(URL, {"sku": "MUG", "channel": "WEB", "day__gte": str(TODAY)}).json()["results"]

    assert [(one["sku"], one["channel"], one["day"], one["page_views"]) for one in found] == [
        ("MUG", "WEB", TODAY.isoformat(), 10)
    ]
    assert date.fromisoformat(found[0]["day"]) == TODAY


@pytest.mark.django_db
def test_only_integrations_post_and_a_supplier_reads_nothing(world: Any, api: Any) -> None:
    for who in (world.planner, world.viewer, world.clerk, world.northwind_user):
        assert api(who).post(URL, body(line()), format="json").status_code == 403
    for path in (URL, f"{URL}verdict/"):
        assert api(world.northwind_user).get(path).status_code == 403
        assert api(world.viewer).get(path).status_code == 200


@pytest.mark.django_db
def test_before_any_backtest_the_verdict_says_so(world: Any, api: Any) -> None:
    verdict = api(world.viewer).get(f"{URL}verdict/").json()

    assert (verdict["run"], verdict["helps"], verdict["reason"]) == (None, False, "not_weighed")
