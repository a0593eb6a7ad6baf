"""Orders through the API: kits, units, short stock; parcels, delivery, cancelling by line; batches; few statements."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import PackUnit
from tests.warehouses.selling import make_kit
from warehouses.models import SalesOrder, Shipment

LINE = {"sku": "MUG", "quantity": "2", "unit_price": "9.00"}
ORDER = {"channel": "WEB", "external_id": "W-1", "ordered_at": "2026-03-02T08:00:00Z", "lines": [LINE]}


def post(client: Any, path: str, body: Any, **more: Any) -> tuple[int, Any]:
    answer = client.post(f"/api/v1/orders/{path}", body, **more)
    return answer.status_code, answer.json()


def numbered(number: str, **change: Any) -> dict[str, Any]:
    return {**ORDER, "external_id": number, **change}


# --- one order ----------------------------------------------------------------------------------------------------


def test_a_kit_is_shown_with_its_parts_and_the_reasons_with_the_order(world: Any, api: Any) -> None:
    make_kit("GIFT", (world.mug, 2), (world.lamp, 1))
    client = api(world.integration)

    status, order = post(client, "", {**ORDER, "lines": [{**LINE, "sku": "GIFT"}, LINE]})

    assert status == 201
    assert [(li["line_number"], li["sku"], li["is_kit"], li["reserved_quantity"]) for li in order["lines"]] == [
        (1, "GIFT", True, "2"),
        (2, "MUG", False, "2"),
    ]
    assert [(p["line_number"], p["sku"], p["units_per_kit"], p["quantity"]) for p in order["lines"][0]["parts"]] == [
        (3, "MUG", "2", "4"),
        (4, "LAMP", "1", "2"),
    ]
    assert order["sourcing"][0] == "MAIN sends 4, at a cost of 0."
    assert client.get(f"/api/v1/orders/{order['id']}/").json() == order
    rows = client.get("/api/v1/order-lines/?external_id=W-1").json()["results"]
    assert sorted((row["line_number"], row["kit_line"]) for row in rows) == [(1, None), (2, None), (3, 1), (4, 1)]


def test_boxes_and_a_place_on_earth_are_taken_in(world: Any, api: Any) -> None:
    PackUnit.objects.create(sku=world.mug, code="box", units=12)
    place = {"ship_to_latitude": "55.95", "ship_to_longitude": "-3.19"}

    status, order = post(api(world.integration), "", {**ORDER, **place, "lines": [{**LINE, "unit": "box"}]})

    assert (status, order["lines"][0]["quantity"]) == (201, "24")
    assert (order["ship_to_latitude"], order["ship_to_longitude"]) == ("55.95000", "-3.19000")
    status, problem = post(api(world.integration), "", numbered("W-2", lines=[{**LINE, "unit": "crate"}]))
    assert (status, problem["items"][0]["field"]) == (422, "unit")


def test_an_order_that_is_short_may_be_refused_with_every_short_line(world: Any, api: Any) -> None:
    lines = [{**LINE, "sku": "LAMP", "quantity": "21"}, LINE, {**LINE, "sku": "TEA"}]

    status, problem = post(api(world.integration), "", {**ORDER, "on_short": "refuse", "lines": lines})

    assert (status, problem["code"]) == (409, "insufficient_stock")
    assert [(item["line"], item["short_by"]) for item in problem["items"]] == [(1, "1"), (3, "2")]
    assert not SalesOrder.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_taking_in_an_order_of_one_line_costs_few_statements(world: Any, api: Any) -> None:
    client = api(world.integration)
    post(client, "", ORDER)

    with CaptureQueriesContext(connection) as spent:
        status, _order = post(client, "", numbered("W-2"))

    of_orders = [q["sql"] for q in spent.captured_queries if "warehouses_" in q["sql"]]
    assert status == 201
    assert len(of_orders) == 3, of_orders  # what is known, the locks on the levels, everything that is written


# --- what becomes of it -------------------------------------------------------------------------------------------


def test_a_parcel_names_its_warehouse_carrier_and_code_and_is_delivered(world: Any, api: Any) -> None:
    client = api(world.clerk)
    _, order = post(api(world.integration), "", {**ORDER, "lines": [{**LINE, "quantity": "120"}]})
    path = f"{order['id']}/"

    status, problem = post(client, f"{path}ship/", {})
    assert (status, problem["code"]) == (409, "several_warehouses")
    assert problem["items"] == [{"warehouse": "MAIN"}, {"warehouse": "NORTH"}]
    parcel = {"warehouse": "NORTH", "carrier": "DHL", "tracking_code": "JD01"}
    status, shipment = post(client, f"{path}ship/", parcel)
    assert status == 201
    assert {name: shipment[name] for name in parcel} == parcel
    assert post(client, f"{path}ship/", {})[0] == 201
    assert post(client, f"{path}deliver/", {"shipment": shipment["number"]})[1]["status"] == "shipped"
    assert post(client, f"{path}deliver/", {})[1]["status"] == "delivered"
    assert post(client, f"{path}deliver/", {})[0] == 409
    assert Shipment.objects.filter(delivered_at=None).count() == 0


def test_units_of_a_line_are_called_off(world: Any, api: Any) -> None:
    client = api(world.integration)
    _, order = post(client, "", {**ORDER, "lines": [LINE, LINE]})
    body = {"lines": [{"line_number": 2, "quantity": "1"}]}

    status, after = post(client, f"{order['id']}/cancel/", body)

    assert (status, [line["cancelled_quantity"] for line in after["lines"]]) == (200, ["0", "1"])
    status, problem = post(client, f"{order['id']}/cancel/", {"lines": [{"line_number": 2, "quantity": "5"}]})
    assert (status, problem["items"][0]["message"]) == (422, "Only 1 of this line are still open.")
    assert post(client, f"{order['id']}/cancel/", {})[1]["status"] == "cancelled"


# --- batches ------------------------------------------------------------------------------------------------------


def test_a_batch_says_of_each_order_what_became_of_it(world: Any, api: Any) -> None:
    client = api(world.integration)
    post(client, "", ORDER)
    orders = [
        ORDER,
        numbered("W-2"),
        numbered("W-3", lines=[{**LINE, "sku": "NOPE"}]),
        numbered("W-1", lines=[{**LINE, "quantity": "3"}]),
        {"channel": "WEB"},
        numbered("W-4", on_short="refuse", lines=[{**LINE, "sku": "TEA"}]),
        numbered("W-2"),
    ]

    status, answer = post(client, "batch/", {"orders": orders})

    assert status == 207
    assert {name: answer[name] for name in ("created", "known", "refused")} == {"created": 1, "known": 2, "refused": 4}
    assert [(r["index"], r["external_id"], r["outcome"], r["status"]) for r in answer["results"]] == [
        (0, "W-1", "known", "reserved"),
        (1, "W-2", "created", "reserved"),
        (2, "W-3", "refused", None),
        (3, "W-1", "refused", None),
        (4, None, "refused", None),
        (5, "W-4", "refused", None),
        (6, "W-2", "known", "reserved"),
    ]
    problems = [r["problem"] for r in answer["results"] if r["problem"]]
    assert [(p["status"], p["code"]) for p in problems] == [
        (422, "invalid"),
        (409, "already_recorded"),
        (400, "invalid"),
        (409, "insufficient_stock"),
    ]
    assert problems[0]["items"][0]["field"] == "sku"
    assert SalesOrder.objects.count() == 2


def test_the_same_batch_again_records_nothing_twice(world: Any, api: Any) -> None:
    client = api(world.integration)
    batch = {"orders": [numbered(f"W-{n}") for n in range(5)]}
    post(client, "batch/", batch)

    status, again = post(client, "batch/", batch)

    assert (status, again["known"], again["created"]) == (207, 5, 0)
    assert SalesOrder.objects.count() == 5


@pytest.mark.parametrize("body", [{}, {"orders": []}, {"orders": [1]}, {"orders": [ORDER] * 201}, []])
def test_what_is_no_batch_is_refused(world: Any, api: Any, body: Any) -> None:
    status, problem = post(api(world.integration), "batch/", body)

    assert (status, problem["code"]) == (400, "invalid")
    assert not SalesOrder.objects.exists()
