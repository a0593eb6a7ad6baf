"""Counts through the API: asked for, entered, approved; and a blind sheet that tells nobody what is expected."""

import json
from typing import Any

import pytest

from tests.cast import World, make_user
from tests.warehouses.floor import lies
from warehouses.models import CountSheet

pytestmark = pytest.mark.django_db
SHEETS = "/api/v1/count-sheets/"


def make(api: Any, user: Any, **body: Any) -> Any:
    return api(user).post(SHEETS, {"warehouse": "MAIN", **body}, format="json")


def send(api: Any, user: Any, number: str, verb: str, body: Any = None, **headers: str) -> Any:
    return api(user).post(f"{SHEETS}{number}/{verb}/", body or {}, format="json", headers=headers)


def entries(*units: int | str) -> dict[str, Any]:
    return {"lines": [{"line_number": n, "quantity": str(number)} for n, number in enumerate(units, start=1)]}


def test_a_sheet_is_made_counted_and_posted(world: World, api: Any) -> None:
    made = make(api, world.clerk)
    assert made.status_code == 201
    number = made.json()["number"]
    assert made["Location"] == f"{SHEETS}{number}/"

    answer = send(api, world.clerk, number, "counts", entries(21, 98))

    sheet = answer.json()
    assert (answer.status_code, sheet["status"], sheet["counted_lines"]) == (200, "posted", 2)
    assert [(line["sku"], line["expected_quantity"], line["variance"]) for line in sheet["lines"]] == [
        ("LAMP", "20", "1"),
        ("MUG", "100", "-2"),
    ]
    assert lies(world.mug, world.shelf) == (98, 0)


def test_nothing_of_a_blind_sheet_tells_what_is_expected_while_it_is_counted(world: World, api: Any) -> None:
    """The books say 100 and 20; whoever asks, by whatever way, reads neither."""
    number = make(api, world.clerk).json()["number"]
    second = make_user("cora", "Warehouse clerk")

    def told(user: Any) -> list[Any]:
        detail = api(user).get(f"{SHEETS}{number}/").json()
        for line in detail["lines"]:
            assert {line[name] for name in ("expected_quantity", "variance", "variance_value", "first_count")} == {None}
        listed = api(user).get(SHEETS).json()
        return [detail, listed]

    for user in (world.clerk, world.planner, world.viewer):
        assert '"100' not in json.dumps(told(user))
    entered = send(api, world.clerk, number, "counts", entries(20, 7)).json()

    assert entered["status"] == "recount"
    assert [line["variance"] for line in entered["lines"]] == [None, None]
    for user in (world.clerk, second, world.planner):
        assert '"100' not in json.dumps(told(user))
        assert '"7"' not in json.dumps(told(user))  # nor what was counted before
    send(api, second, number, "counts", {"lines": [{"line_number": 2, "quantity": "8"}]})
    shown = api(world.planner).get(f"{SHEETS}{number}/").json()
    assert (shown["status"], shown["lines"][1]["first_count"]) == ("counted", "7")
    assert (shown["lines"][1]["variance"], shown["lines"][1]["variance_value"]) == ("-92", "-184.0000")


def test_an_open_sheet_that_is_not_blind_says_what_the_books_say(world: World, api: Any) -> None:
    lines = make(api, world.clerk, is_blind=False).json()["lines"]

    assert [line["expected_quantity"] for line in lines] == ["20", "100"]


def test_a_large_variance_is_approved_by_the_planner_not_by_the_clerk(world: World, api: Any) -> None:
    number = make(api, world.clerk).json()["number"]
    send(api, world.clerk, number, "counts", entries(20, 7))
    send(api, make_user("cora", "Warehouse clerk"), number, "counts", {"lines": [{"line_number": 2, "quantity": "8"}]})

    assert send(api, world.clerk, number, "approve").status_code == 403
    again = send(api, world.planner, number, "recount", {"lines": [2]})
    assert (again.status_code, again.json()["status"]) == (200, "recount")
    send(api, world.integration, number, "counts", {"lines": [{"line_number": 2, "quantity": "8"}]})
    first = send(api, world.planner, number, "approve", **{"Idempotency-Key": "A"})
    twice = send(api, world.planner, number, "approve", **{"Idempotency-Key": "A"})

    assert (first.status_code, twice.status_code) == (200, 200)
    assert first.json()["approved_by"] == "pia"
    assert first.content == twice.content
    assert lies(world.mug, world.shelf) == (8, 0)
    assert send(api, world.planner, number, "approve").status_code == 409


def test_found_stock_is_added_with_its_count(world: World, api: Any) -> None:
    number = make(api, world.clerk, skus=["LAMP"]).json()["number"]

    answer = send(api, world.clerk, number, "found", {"sku": "TEA", "location": "A-01", "quantity": "3"})

    assert [(line["sku"], line["counted_quantity"]) for line in answer.json()["lines"]] == [
        ("LAMP", None),
        ("TEA", "3"),
    ]
    wrong = send(api, world.clerk, number, "found", {"sku": "NONE", "location": "NONE"})
    assert wrong.status_code == 422
    assert [item["field"] for item in wrong.json()["items"]] == ["sku", "location"]


def test_the_same_key_makes_one_sheet_and_a_second_one_has_nothing_left(world: World, api: Any) -> None:
    client = api(world.planner)
    body = {"warehouse": "MAIN"}
    first, again = (
        client.post(SHEETS, body, format="json", headers={"Idempotency-Key": "S"}).json()["number"] for _ in range(2)
    )

    assert first == again
    refused = make(api, world.planner)
    assert (refused.status_code, refused.json()["code"]) == (409, "counted_already")
    assert CountSheet.objects.count() == 1


def test_tasks_cancelling_and_accuracy(world: World, api: Any) -> None:
    number = make(api, world.clerk).json()["number"]

    tasks = send(api, world.clerk, number, "tasks").json()
    assert [(task["kind"], task["sku"]) for task in tasks] == [("count", "LAMP"), ("count", "MUG")]
    assert send(api, world.planner, number, "cancel").json()["status"] == "cancelled"
    assert api(world.viewer).get(f"{SHEETS}accuracy/").json() == []
    number = make(api, world.clerk).json()["number"]
    send(api, world.clerk, number, "counts", entries(20, 98))

    assert api(world.viewer).get(f"{SHEETS}accuracy/?warehouse=MAIN").json() == [
        {"warehouse": "MAIN", "counted_lines": 2, "accurate_lines": 1, "accuracy": 0.5}
    ]
    assert api(world.viewer).get(f"{SHEETS}accuracy/?depot=MAIN").status_code == 400


def test_the_list_is_filtered_and_costs_the_same_however_many_sheets(
    world: World, api: Any, django_assert_max_num_queries: Any
) -> None:
    make(api, world.clerk)
    make(api, world.clerk, warehouse="NORTH")

    with django_assert_max_num_queries(8):
        rows = api(world.viewer).get(f"{SHEETS}?warehouse=NORTH&status=open").json()["results"]

    assert [(row["warehouse"], row["line_count"], row["counted_lines"]) for row in rows] == [("NORTH", 1, 0)]
