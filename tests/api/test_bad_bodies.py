"""Whatever body arrives, the answer is a problem document of 4xx, and nothing is written."""

from typing import Any

import pytest

from warehouses.models import SalesOrder

PROBLEM = "application/problem+json"
LINE = {"sku": "MUG", "quantity": "2", "unit_price": "9.00"}
ORDER = {"channel": "WEB", "external_id": "W-1", "ordered_at": "2026-03-02T08:00:00Z", "lines": [LINE]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"NaN", 400),
        (b'{"channel": NaN}', 400),
        (b"\xff\xfe", 400),
        (b'{"channel": "\\u0000"}', 400),
    ],
)
def test_a_malformed_body_gets_a_problem_document(world: Any, api: Any, body: bytes, status: int) -> None:
    answer = api(world.integration).generic("POST", "/api/v1/orders/", body, content_type="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    assert SalesOrder.objects.count() == 0


def test_another_media_type_gets_415(world: Any, api: Any) -> None:
    answer = api(world.integration).generic("POST", "/api/v1/orders/", b"a=1", content_type="text/plain")

    assert (answer.status_code, answer["Content-Type"]) == (415, PROBLEM)


def test_a_body_above_the_limit_gets_413(world: Any, api: Any) -> None:
    big = b'{"channel": "' + b"x" * (4 * 1024 * 1024) + b'"}'

    answer = api(world.integration).generic("POST", "/api/v1/orders/", big, content_type="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (413, PROBLEM)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": 7.5e300}, "channel"),
        ({"external_id": ""}, "external_id"),
        ({"ordered_at": "yesterday"}, "ordered_at"),
        ({"lines": []}, "lines"),
        ({"lines": [LINE | {"quantity": "-1"}]}, "lines"),
        ({"lines": [LINE | {"quantity": "1e400"}]}, "lines"),
        ({"lines": [LINE | {"unit_price": "-0.01"}]}, "lines"),
        ({"lines": [LINE] * 501}, "lines"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(world: Any, api: Any, change: dict, field: str) -> None:
    answer = api(world.integration).post("/api/v1/orders/", ORDER | change)

    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM) if field != "channel" else True
    if answer.status_code == 400:
        assert field in answer.json()["fields"]
    assert answer.status_code in (400, 404, 422)
    assert SalesOrder.objects.count() == 0


def test_every_fault_of_an_order_is_reported_at_once(world: Any, api: Any) -> None:
    lines = [LINE | {"sku": "NOPE"}, LINE | {"sku": "NADA"}]

    answer = api(world.integration).post("/api/v1/orders/", ORDER | {"lines": lines})

    assert answer.status_code == 422
    assert [item["line"] for item in answer.json()["items"]] == [1, 2]


def test_an_unknown_path_below_the_api_gets_a_problem_document(world: Any, api: Any) -> None:
    answer = api(world.planner).get("/api/v1/nothing-here/")

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


@pytest.mark.parametrize(
    "query", ["cursor=rubbish", "page_size=-1", "ordering=nope,--pk", "unknown=1", "sku__code=%00"]
)
def test_a_rubbish_query_never_breaks_the_server(world: Any, api: Any, query: str) -> None:
    answer = api(world.planner).get(f"/api/v1/stock-levels/?{query}")

    assert answer.status_code in (200, 400, 404)
