"""Stock value, cost of goods and landed costs through the API."""

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import OPENED_AT, World
from tests.warehouses.test_cost_of_goods import sold
from tests.warehouses.test_valuation import book
from warehouses.models import LandedCost

pytestmark = pytest.mark.django_db
AT = "2026-03-02T09:00:00Z"
MOMENT = timedelta(microseconds=1)


def test_rows_and_totals_of_a_moment(world: World, api: Any) -> None:
    client = api(world.viewer)

    rows = client.get("/api/v1/stock-value/", {"at": AT, "warehouse": "MAIN"}).json()
    totals = client.get("/api/v1/stock-value/totals/", {"at": AT}).json()

    assert rows["results"] == [
        {"sku": "MUG", "warehouse": "MAIN", "quantity": "100", "value": "200.0000"},
        {"sku": "LAMP", "warehouse": "MAIN", "quantity": "20", "value": "40.0000"},
    ]
    assert (rows["clock"], rows["next"]) == ("happened", None)
    assert (totals["quantity"], totals["value"], totals["skus"]) == ("160", "320.0000", 2)
    assert totals["warehouses"] == [
        {"warehouse": "MAIN", "quantity": "120", "value": "240.0000"},
        {"warehouse": "NORTH", "quantity": "40", "value": "80.0000"},
    ]


def test_the_clock_and_the_moment_are_asked_for(world: World, api: Any) -> None:
    client = api(world.planner)

    before = client.get("/api/v1/stock-value/totals/", {"at": (OPENED_AT - MOMENT).isoformat()}).json()
    recorded = client.get("/api/v1/stock-value/totals/", {"at": AT, "clock": "recorded"}).json()
    mugs = client.get("/api/v1/stock-value/totals/", {"sku": "MUG,LAMP", "warehouse": "NORTH"}).json()

    assert before["value"] == "0.0000"
    assert recorded["value"] == "0.0000"  # the cast was written long after that moment
    assert mugs["value"] == "80.0000"


def test_pages_follow_each_other(world: World, api: Any) -> None:
    client, found = api(world.viewer), []
    address: str | None = f"/api/v1/stock-value/?at={AT}&page_size=1"

    while address:
        page = client.get(address).json()
        found += [(row["sku"], row["warehouse"]) for row in page["results"]]
        address = page["next"]

    assert found == [("MUG", "MAIN"), ("MUG", "NORTH"), ("LAMP", "MAIN")]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-03-02T09:00:00"}, "at"),
        ({"clock": "sun"}, "clock"),
        ({"sku": "NONE"}, "sku"),
        ({"warehouse": "NONE"}, "warehouse"),
        ({"page_size": "0"}, "page_size"),
        ({"cursor": "x"}, "cursor"),
        ({"location": "A-01"}, "location"),
    ],
)
def test_what_cannot_be_read_is_named(world: World, api: Any, asked: dict, field: str) -> None:
    answer = api(world.viewer).get("/api/v1/stock-value/", asked)

    assert answer.status_code == 400
    assert field in answer.content.decode()


def test_cost_of_goods_by_channel(world: World, api: Any) -> None:
    _order, shipment = sold(world, "A", 4, sku="MUG")
    period = {"start": AT, "end": "2026-03-03T00:00:00Z"}

    cost = api(world.viewer).get("/api/v1/cost-of-goods/", period).json()
    shown = api(world.clerk).get(f"/api/v1/shipments/{shipment.number}/").json()

    assert (cost["net"], cost["expensed"]) == ("8.0000", "0.0000")
    assert cost["channels"] == [{"channel": "WEB", "sold": "8.0000", "returned": "0.0000", "net": "8.0000"}]
    assert shown["cost_of_goods"] == "8.0000"
    assert api(world.northwind_user).get(f"/api/v1/shipments/{shipment.number}/").status_code == 403


def test_a_landed_cost_is_recorded_once(world: World, api: Any) -> None:
    book("receipt", world.tea, world.shelf, 10, "2.00", reference="GR-1")
    body = {"kind": "freight", "amount": "5.00", "receipts": ["GR-1"], "note": "DHL"}
    client = api(world.planner)

    first = client.post("/api/v1/landed-costs/", body, format="json", HTTP_IDEMPOTENCY_KEY="k")
    again = client.post("/api/v1/landed-costs/", body, format="json", HTTP_IDEMPOTENCY_KEY="k")

    assert (first.status_code, again.json()) == (201, first.json())
    assert first.json()["lines"] == [
        {
            "receipt": "GR-1", "sku": "TEA", "warehouse": "MAIN", "quantity": "10", "amount": "5.0000",
            "capitalised": "5.0000", "expensed": "0.0000",
        }
    ]  # fmt: skip
    assert client.get(first["Location"]).json() == first.json()
    assert LandedCost.objects.count() == 1
    assert LandedCost.objects.get().actor == world.planner


def test_faults_of_a_landed_cost_come_together_and_only_a_planner_records_one(world: World, api: Any) -> None:
    body = {"kind": "duty", "amount": "5", "receipts": ["GR-1", "GR-2"]}

    refused = api(world.planner).post("/api/v1/landed-costs/", body, format="json")

    assert refused.status_code == 422
    assert [error["line"] for error in refused.json()["items"]] == [1, 2]
    for who in (world.clerk, world.viewer, world.integration):
        assert api(who).post("/api/v1/landed-costs/", body, format="json").status_code == 403
    assert LandedCost.objects.count() == 0
