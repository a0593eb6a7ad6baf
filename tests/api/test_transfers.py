"""Transfers, moves, changes of status, kits and places over the API."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import KitPart
from tests.cast import World, make_lot, make_sku, put_stock
from warehouses.models import Location, StockLevel, Transfer

pytestmark = pytest.mark.django_db
Api = Callable[..., Any]


def post(client: Any, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"/api/v1/{path}/", body or {}, format="json", headers=headers)


def transfer_body(**more: Any) -> dict[str, Any]:
    return {"source": "MAIN", "destination": "NORTH", "lines": [{"sku": "MUG", "quantity": "30"}], **more}


def test_a_transfer_goes_its_whole_way(world: World, api: Api) -> None:
    clerk = api(world.clerk)

    made = post(clerk, "transfers", transfer_body(expected_on="2099-01-01"), **{"Idempotency-Key": "k1"})
    number = made.json()["number"]
    assert (made.status_code, made["Location"]) == (201, f"/api/v1/transfers/{number}/")
    assert post(clerk, f"transfers/{number}/reserve").json()["status"] == "reserved"
    sent = post(clerk, f"transfers/{number}/ship").json()
    assert (sent["status"], sent["lines"][0]["in_transit_quantity"]) == ("in_transit", "30")
    part = post(clerk, f"transfers/{number}/receive", {"lines": [{"line_number": 1, "good": "20", "damaged": "1"}]})
    assert part.json()["status"] == "partially_received"
    closed = post(clerk, f"transfers/{number}/close-short").json()

    assert closed["status"] == "received"
    assert closed["lines"] == [
        {
            "line_number": 1,
            "sku": "MUG",
            "lot": None,
            "quantity": "30",
            "reserved_quantity": "0",
            "shipped_quantity": "30",
            "in_transit_quantity": "0",
            "received_quantity": "21",
            "lost_quantity": "9",
        }
    ]
    found = api(world.viewer).get("/api/v1/transfers/?status=received&source=MAIN&sku=MUG").json()
    assert [row["number"] for row in found["results"]] == [number]


def test_one_key_writes_one_transfer_and_another_body_is_refused(world: World, api: Api) -> None:
    clerk, key = api(world.clerk), {"Idempotency-Key": "k1"}

    first, again = (post(clerk, "transfers", transfer_body(), **key) for _n in range(2))
    other = post(clerk, "transfers", transfer_body(note="another"), **key)

    assert (first.json(), again["Idempotent-Replayed"]) == (again.json(), "true")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Transfer.objects.count() == 1


def test_faults_and_shortages_name_their_lines(world: World, api: Api) -> None:
    clerk = api(world.clerk)
    bad = post(
        clerk,
        "transfers",
        transfer_body(destination="MOON", lines=[{"sku": "MUG", "quantity": "-1"}, {"sku": "CUP", "quantity": "1"}]),
    )
    assert bad.status_code == 422
    assert [(i.get("line"), i["field"]) for i in bad.json()["items"]] == [
        (None, "destination"),
        (1, "quantity"),
        (2, "sku"),
    ]

    number = post(clerk, "transfers", transfer_body(lines=[{"sku": "TEA", "quantity": "2"}])).json()["number"]
    short = post(clerk, f"transfers/{number}/reserve")

    assert (short.status_code, short.json()["code"]) == (409, "insufficient_stock")
    assert short.json()["items"][0]["short_by"] == "2"


def test_units_move_from_bin_to_bin(world: World, api: Api) -> None:
    Location.objects.create(warehouse=world.main, code="A-02")
    line = {"sku": "MUG", "from_location": "A-01", "to_location": "A-02", "quantity": "10"}

    made = post(api(world.clerk), "stock-moves", {"warehouse": "MAIN", "lines": [line]})
    short = post(api(world.clerk), "stock-moves", {"warehouse": "MAIN", "lines": [{**line, "quantity": "91"}]})
    unknown = post(api(world.clerk), "stock-moves", {"warehouse": "MAIN", "lines": [{**line, "to_location": "X"}]})

    assert (made.status_code, [row["quantity"] for row in made.json()["movements"]]) == (201, ["-10", "10"])
    assert (short.status_code, short.json()["items"][0]["short_by"]) == (409, "1")
    assert unknown.json()["items"] == [{"line": 1, "field": "to_location", "message": "There is no X."}]


def test_units_are_set_aside_and_adjusted_there(world: World, api: Api) -> None:
    clerk = api(world.clerk)
    place = {"sku": "LAMP", "warehouse": "MAIN", "location": "A-01"}

    post(clerk, "status-changes", {**place, "quantity": "3", "to_status": "damaged", "reason": "damaged"})
    scrapped = post(
        clerk,
        "stock-movements",
        {**place, "quantity": "-2", "kind": "scrap", "status": "damaged", "reason": "damaged"},
    )

    assert (scrapped.status_code, scrapped.json()["status"]) == (201, "damaged")
    levels = StockLevel.objects.filter(sku=world.lamp).values_list("status", "on_hand")
    assert sorted(levels) == [("available", 17), ("damaged", 1)]
    assert clerk.get("/api/v1/stock-levels/?status=damaged").json()["results"][0]["on_hand"] == "1"


def test_kits_are_put_together(world: World, api: Api) -> None:
    kit = make_sku("SET", is_kit=True)
    KitPart.objects.create(kit=kit, part=world.mug, quantity=Decimal(2))
    body = {"kit": "SET", "warehouse": "MAIN", "location": "A-01", "quantity": "4"}

    made = post(api(world.clerk), "kit-assemblies", body)
    undone = post(api(world.clerk), "kit-assemblies", {**body, "quantity": "1", "disassemble": True})

    assert [(row["sku"], row["quantity"]) for row in made.json()["movements"]] == [("MUG", "-8"), ("SET", "4")]
    assert [(row["sku"], row["quantity"]) for row in undone.json()["movements"]] == [("SET", "-1"), ("MUG", "2")]


def test_a_planner_keeps_the_places_and_the_tree_stays_a_tree(world: World, api: Api) -> None:
    planner = api(world.planner)
    zone = {"warehouse": "MAIN", "code": "Z", "level": "zone"}
    assert post(planner, "locations", zone).status_code == 201
    made = post(planner, "locations", {"warehouse": "MAIN", "code": "Z-1", "parent": "Z", "capacity_units": "50"})
    assert (made.status_code, made.json()["parent"]) == (201, "Z")

    within_bin = post(planner, "locations", {"warehouse": "MAIN", "code": "Z-2", "parent": "Z-1"})
    elsewhere = post(planner, "locations", {"warehouse": "NORTH", "code": "N-1", "parent": "Z"})
    place = world.shelf.pk
    not_a_bin = planner.patch(f"/api/v1/locations/{place}/", {"level": "aisle"}, format="json")
    moved = planner.patch(f"/api/v1/locations/{place}/", {"warehouse": "NORTH"}, format="json")
    fine = planner.patch(f"/api/v1/locations/{place}/", {"parent": "Z", "sequence": 3}, format="json")

    assert [r.status_code for r in (within_bin, elsewhere, not_a_bin, moved)] == [400] * 4, within_bin.json()
    assert "only a bin holds stock" in not_a_bin.content.decode()
    assert (fine.status_code, fine.json()["parent"]) == (200, "Z")


def test_what_is_in_transit_is_not_adjusted(world: World, api: Api) -> None:
    Location.objects.create(warehouse=world.main, code="T", kind="in_transit")
    put_stock(world.tea, world.shelf, 1, lot=make_lot(world.tea, "B"))

    refused = post(
        api(world.clerk),
        "stock-movements",
        {"sku": "MUG", "warehouse": "MAIN", "location": "T", "quantity": "1", "reason": "found"},
    )

    assert refused.status_code == 422
