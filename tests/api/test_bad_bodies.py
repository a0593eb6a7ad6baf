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
    assert answer.json()["title"] == "Unsupported Media Type"
    assert "text/plain" in answer.json()["detail"]


def test_another_method_gets_405(world: Any, api: Any) -> None:
    answer = api(world.integration).delete("/api/v1/orders/")

    assert (answer.status_code, answer.json()["title"]) == (405, "Method Not Allowed")


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
        assert {item["field"] for item in answer.json()["items"]} <= {field, "quantity", "unit_price"}
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


DEEP = b"[" * 100_000
SURROGATE = b'{"channel": "WEB", "external_id": "\\ud800", "ordered_at": "2026-03-02T08:00:00Z", "lines": []}'


@pytest.mark.parametrize("path", ["orders/", "predict/", "optimize/", "skus/"])
@pytest.mark.parametrize("body", [DEEP, DEEP + b"]" * 100_000, b'{"a":' * 50_000, SURROGATE, b"9" * 5000, b'"\\ud83d"'])
def test_a_deep_or_broken_body_gets_400_with_and_without_a_key(world: Any, api: Any, path: str, body: bytes) -> None:
    for headers in ({}, {"Idempotency-Key": "k"}):
        answer = api(world.integration).generic(
            "POST", f"/api/v1/{path}", body, content_type="application/json", headers=headers
        )
        assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)


@pytest.mark.parametrize("key", ["x" * 201, "a\x00b"])
def test_an_impossible_key_is_refused(world: Any, api: Any, key: str) -> None:
    answer = api(world.integration).post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": key})

    assert (answer.status_code in (400, 422), answer["Content-Type"]) == (True, PROBLEM)
    assert SalesOrder.objects.count() == 0


@pytest.mark.parametrize("path", ["predict", "optimize", "orders", "proposals/accept", "purchase-orders/PO-1/send"])
def test_a_post_without_the_slash_is_read_not_redirected(world: Any, api: Any, path: str) -> None:
    user = world.integration if path in ("predict", "optimize", "orders") else world.planner

    with_slash, without = (api(user).post(f"/api/v1/{path}{end}", {"x": 1}) for end in ("/", ""))

    assert with_slash.status_code in (400, 404)
    assert (without.status_code, without.content) == (with_slash.status_code, with_slash.content)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("delete", "skus/MUG/", 405, "method_not_allowed"),
        ("put", "orders/1/", 405, "method_not_allowed"),
        ("get", "predict/", 405, "method_not_allowed"),
        ("post", "stock-levels/", 405, "method_not_allowed"),
        ("get", "skus/NOPE/", 404, "not_found"),
        ("get", "orders/abc/", 404, "not_found"),
        ("get", "orders/99999999999999999999999/", 404, "not_found"),
        ("get", "jobs/not-a-uuid/", 404, "not_found"),
        ("get", "nothing/", 404, "not_found"),
        ("get", "", 404, "not_found"),
    ],
)
def test_every_refusal_is_a_problem_document(
    world: Any, api: Any, method: str, path: str, status: int, code: str
) -> None:
    answer = getattr(api(world.planner), method)(f"/api/v1/{path}")

    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)


def test_a_client_that_takes_no_json_gets_406_and_a_browser_gets_json(world: Any, api: Any) -> None:
    client = api(world.planner)

    only_html = client.get("/api/v1/skus/", headers={"Accept": "text/html"})
    browser = client.get("/api/v1/skus/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert (only_html.status_code, only_html["Content-Type"], only_html.json()["code"]) == (
        406,
        PROBLEM,
        "not_acceptable",
    )
    assert (browser.status_code, browser["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("secret", ["wrong", "", "x" * 5000, "a b", "\u00e9"])
def test_a_token_that_is_none_gets_401(world: Any, api: Any, secret: str) -> None:
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}".encode().decode("latin-1"))

    answer = client.get("/api/v1/skus/")

    assert (answer.status_code, answer["Content-Type"], answer["WWW-Authenticate"]) == (401, PROBLEM, "Token")


def test_a_fault_of_ours_says_nothing_of_its_cause(world: Any, api: Any, monkeypatch: Any) -> None:
    from warehouses.api import orders

    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(orders, "record_sale", broken)

    answer = api(world.integration).post("/api/v1/orders/", ORDER)

    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (500, PROBLEM, "internal")
    assert b"swordfish" not in answer.content


def test_a_deadlock_that_lasts_is_a_503_to_try_again(world: Any, api: Any, monkeypatch: Any) -> None:
    from django.db import OperationalError

    from warehouses.api import orders

    class Deadlock(Exception):
        pgcode = "40P01"

    def stuck(*_args: Any, **_kwargs: Any) -> Any:
        raise OperationalError("deadlock detected") from Deadlock()

    monkeypatch.setattr(orders, "record_sale", stuck)

    answer = api(world.integration).post("/api/v1/orders/", ORDER)

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "1")


def test_faults_are_named_in_the_language_of_who_reads_them(world: Any, api: Any) -> None:
    client, wrong = api(world.integration), ORDER | {"channel": "C" * 33}

    def fault(language: str) -> str:
        answer = client.post("/api/v1/orders/", wrong, headers={"Accept-Language": language})
        return str(answer.json()["fields"]["channel"][0])

    first, second, third = fault("en"), fault("zh-hans"), fault("en")

    assert first == third == "Ensure this field has no more than 32 characters."
    assert "32" in second
    assert second != first
