"""Orders, shipments, returns and corrections of stock through the API, with exact numbers."""

from typing import Any

import pytest

from warehouses.models import SalesOrder, Shipment, StockLevel, StockMovement

LINE = {"sku": "MUG", "quantity": "2", "unit_price": "9.00"}
ORDER = {"channel": "WEB", "external_id": "W-1", "ordered_at": "2026-03-02T08:00:00Z", "lines": [LINE]}


def an_order(client: Any, **change: Any) -> dict:
    answer = client.post("/api/v1/orders/", ORDER | change)
    assert answer.status_code == 201, answer.content
    return answer.json()


def level(world: Any, sku: Any = None, location: Any = None) -> tuple[int, int]:
    row = StockLevel.objects.get(sku=sku or world.mug, location=location or world.shelf, lot=None)
    return row.on_hand, row.reserved


# --- orders -------------------------------------------------------------------------------------------------------


def test_an_order_is_taken_in_reserved_and_found_again(world: Any, api: Any) -> None:
    client = api(world.integration)
    lines = [LINE, {"sku": "LAMP", "quantity": "25", "unit_price": "45.0000"}]

    answer = client.post("/api/v1/orders/", ORDER | {"lines": lines, "ship_to_country": "GB"})

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/orders/{body['id']}/"
    assert client.get(answer.headers["Location"]).json() == body
    assert (body["channel"], body["external_id"], body["status"], body["currency"]) == (
        "WEB",
        "W-1",
        "backordered",
        "GBP",
    )
    assert [(li["line_number"], li["sku"], li["quantity"], li["reserved_quantity"]) for li in body["lines"]] == [
        (1, "MUG", "2", "2"),
        (2, "LAMP", "25", "20"),
    ]
    assert level(world) == (100, 2)


def test_the_same_order_again_is_answered_with_200_and_another_under_its_number_with_409(world: Any, api: Any) -> None:
    client = api(world.integration)
    first = an_order(client)

    same = client.post("/api/v1/orders/", ORDER)
    other = client.post("/api/v1/orders/", ORDER | {"lines": [LINE | {"quantity": "3"}]})

    assert (same.status_code, same.json()) == (200, first)
    assert (other.status_code, other.json()["code"]) == (409, "already_recorded")
    assert level(world) == (100, 2)


def test_faults_are_named_after_the_fields_of_the_body(world: Any, api: Any) -> None:
    lines = [LINE | {"sku": "NOPE"}, LINE | {"warehouse": "ATLANTIS"}]

    answer = api(world.integration).post("/api/v1/orders/", ORDER | {"lines": lines})

    assert answer.status_code == 422
    assert [(item["line"], item["field"]) for item in answer.json()["items"]] == [(1, "sku"), (2, "warehouse")]
    assert SalesOrder.objects.count() == 0


def test_an_order_is_called_off_once(world: Any, api: Any) -> None:
    client = api(world.integration)
    order = an_order(client)

    first = client.post(f"/api/v1/orders/{order['id']}/cancel/")
    second = client.post(f"/api/v1/orders/{order['id']}/cancel/")

    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert first.json()["lines"][0]["cancelled_quantity"] == "2"
    assert (second.status_code, second.json()["code"]) == (409, "wrong_state")
    assert level(world) == (100, 0)


def test_an_order_is_shipped_in_parts(world: Any, api: Any) -> None:
    client = api(world.clerk)
    order = an_order(api(world.integration), lines=[LINE, LINE | {"quantity": "5"}])
    path = f"/api/v1/orders/{order['id']}/ship/"

    part = client.post(path, {"lines": [{"line_number": 2, "quantity": "3"}]})
    too_much = client.post(path, {"lines": [{"line_number": 2, "quantity": "3"}]})
    rest = client.post(path, {})
    nothing_left = client.post(path, {})

    assert part.status_code == 201
    assert part.headers["Location"] == f"/api/v1/shipments/{part.json()['number']}/"
    assert (part.json()["order"], part.json()["channel"], part.json()["external_id"]) == (order["id"], "WEB", "W-1")
    assert (too_much.status_code, too_much.json()["items"][0]["line"]) == (422, 2)
    assert rest.status_code == 201
    assert (nothing_left.status_code, nothing_left.json()["code"]) == (409, "wrong_state")
    assert client.get(f"/api/v1/orders/{order['id']}/").json()["status"] == "shipped"
    assert level(world) == (93, 0)
    moved = client.get(f"/api/v1/stock-movements/?reference={part.json()['number']}").json()["results"]
    assert [(m["kind"], m["sku"], m["quantity"]) for m in moved] == [("sale", "MUG", "-3")]


def test_more_than_is_reserved_cannot_be_shipped(world: Any, api: Any) -> None:
    order = an_order(api(world.integration), lines=[{"sku": "LAMP", "quantity": "25", "unit_price": "45"}])

    answer = api(world.clerk).post(f"/api/v1/orders/{order['id']}/ship/", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_stock")
    [item] = answer.json()["items"]
    assert (item["line"], item["sku"], item["requested"], item["available"], item["short_by"]) == (
        1,
        "LAMP",
        "25",
        "20",
        "5",
    )


def test_a_line_named_twice_in_a_shipment_is_refused(world: Any, api: Any) -> None:
    order = an_order(api(world.integration))
    line = {"line_number": 1, "quantity": "1"}

    answer = api(world.clerk).post(f"/api/v1/orders/{order['id']}/ship/", {"lines": [line, line]})

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["lines"])
    assert level(world) == (100, 2)


def test_one_key_on_two_orders_makes_two_shipments(world: Any, api: Any) -> None:
    shop, clerk = api(world.integration), api(world.clerk)
    orders = [an_order(shop), an_order(shop, external_id="W-2")]

    answers = [
        clerk.post(f"/api/v1/orders/{order['id']}/ship/", {}, headers={"Idempotency-Key": "today"}) for order in orders
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert Shipment.objects.count() == 2


def test_a_key_holds_with_and_without_the_slash(world: Any, api: Any) -> None:
    order, clerk = an_order(api(world.integration)), api(world.clerk)
    headers = {"Idempotency-Key": "k"}

    first = clerk.post(f"/api/v1/orders/{order['id']}/ship/", {}, headers=headers)
    again = clerk.post(f"/api/v1/orders/{order['id']}/ship", {}, headers=headers)

    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert Shipment.objects.count() == 1


# --- returns ------------------------------------------------------------------------------------------------------


def test_goods_come_back_to_stock_or_aside(world: Any, api: Any) -> None:
    clerk = api(world.clerk)
    order = an_order(api(world.integration), lines=[LINE | {"quantity": "5"}])
    clerk.post(f"/api/v1/orders/{order['id']}/ship/", {})
    lines = [{"sku": "MUG", "quantity": "2", "restock": True}, {"sku": "MUG", "quantity": "1", "restock": False}]
    body = {"channel": "WEB", "external_id": "R-1", "order_external_id": "W-1", "lines": lines}

    answer = clerk.post("/api/v1/returns/", body)
    again = clerk.post("/api/v1/returns/", body)

    assert (answer.status_code, again.status_code) == (201, 200)
    assert again.json() == answer.json()
    assert [(li["quantity"], li["is_restocked"]) for li in answer.json()["lines"]] == [("2", True), ("1", False)]
    assert level(world) == (97, 0)
    assert level(world, location=world.quarantine) == (1, 0)


def test_more_than_was_shipped_does_not_come_back(world: Any, api: Any) -> None:
    order = an_order(api(world.integration))
    lines = [{"sku": "MUG", "quantity": "1"}]
    body = {"channel": "WEB", "external_id": "R-1", "order_external_id": "W-1", "lines": lines}

    answer = api(world.clerk).post("/api/v1/returns/", body)
    unknown = api(world.clerk).post("/api/v1/returns/", body | {"order_external_id": "NOPE", "channel": "NOPE"})

    assert order["status"] == "reserved"
    assert (answer.status_code, answer.json()["items"][0]["field"]) == (422, "quantity")
    assert (unknown.status_code, unknown.json()["items"][0]["field"]) == (422, "channel")


# --- corrections of stock -----------------------------------------------------------------------------------------

LOST = {"sku": "MUG", "warehouse": "MAIN", "location": "A-01", "quantity": "-3", "reason": "lost"}


def test_stock_is_put_right(world: Any, api: Any) -> None:
    answer = api(world.clerk).post("/api/v1/stock-movements/", LOST)

    body = answer.json()
    assert answer.status_code == 201
    assert (body["kind"], body["quantity"], body["reason"]) == ("adjustment", "-3", "lost")
    assert answer.headers["Location"] == f"/api/v1/stock-movements/{body['id']}/"
    assert level(world) == (97, 0)


def test_stock_is_found_where_there_was_none_before(world: Any, api: Any) -> None:
    body = LOST | {"sku": "TEA", "quantity": "4.5", "kind": "opening", "unit_cost": "1.25", "reason": "counted"}

    answer = api(world.clerk).post("/api/v1/stock-movements/", body)

    assert (answer.status_code, answer.json()["unit_cost"]) == (201, "1.2500")
    [row] = api(world.viewer).get("/api/v1/stock-levels/?sku=TEA").json()["results"]
    assert (row["warehouse"], row["location"], row["location_kind"], row["on_hand"]) == (
        "MAIN",
        "A-01",
        "storage",
        "4.5",
    )


@pytest.mark.parametrize(
    ("change", "status", "where"),
    [
        ({"sku": "NOPE", "location": "NOPE"}, 422, ["sku", "location"]),
        ({"lot": "NOPE"}, 422, ["lot"]),
        ({"quantity": "0"}, 422, ["quantity"]),
        ({"kind": "scrap", "quantity": "3"}, 422, ["quantity"]),
        ({"quantity": "-100.5"}, 409, [None]),
        ({"quantity": "1.0001"}, 400, ["quantity"]),
        ({"kind": "sale"}, 400, ["kind"]),
        ({"reason": " "}, 400, ["reason"]),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused_and_changes_nothing(
    world: Any, api: Any, change: dict, status: int, where: list
) -> None:
    before = StockMovement.objects.count(), StockLevel.objects.count()

    answer = api(world.clerk).post("/api/v1/stock-movements/", LOST | change)

    assert answer.status_code == status
    named = list(answer.json()["fields"]) if status == 400 else [i.get("field") for i in answer.json()["items"]]
    assert named == where
    assert (StockMovement.objects.count(), StockLevel.objects.count()) == before
    assert level(world) == (100, 0)


def test_two_corrections_without_a_key_are_two(world: Any, api: Any) -> None:
    clerk = api(world.clerk)

    answers = [clerk.post("/api/v1/stock-movements/", LOST) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert level(world) == (94, 0)
