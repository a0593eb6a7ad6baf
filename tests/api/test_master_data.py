"""Master data through the API: made, changed, found by its code; what contradicts the data's rules is refused."""

from typing import Any

import pytest
from django.apps import apps

from catalog.models import Category, Sku
from procurement.models import PriceBreak, SupplierItem

SKU = {"code": "POT", "name": "Pot", "product": "MUG", "unit_price": "12.5", "unit_cost": "5"}


def counts() -> dict[str, int]:
    return {m._meta.label: m._default_manager.count() for m in apps.get_models()}


def test_a_sku_is_made_found_and_changed(world: Any, api: Any) -> None:
    client = api(world.integration)

    made = client.post("/api/v1/skus/", SKU)
    changed = client.patch(made.headers["Location"], {"unit_price": "13", "created_at": "2000-01-01T00:00:00Z"})
    found = client.get("/api/v1/skus/POT").json()

    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/skus/POT/")
    assert (made.json()["unit_price"], made.json()["status"]) == ("12.5000", "active")
    assert changed.status_code == 200
    assert (found["unit_price"], found["created_at"]) == ("13.0000", made.json()["created_at"])


@pytest.mark.parametrize("code", ["A/B 1", "50%", "茶?#", "茶" * 64])
def test_a_code_of_any_characters_is_found_by_its_address(world: Any, api: Any, code: str) -> None:
    client = api(world.integration)

    made = client.post("/api/v1/skus/", SKU | {"code": code}, headers={"Idempotency-Key": "k"})
    found = client.get(made.headers["Location"])

    assert (made.status_code, found.status_code, found.json()["code"]) == (201, 200, code)


@pytest.mark.parametrize(
    ("resource", "body", "field"),
    [
        ("skus", SKU | {"code": "MUG"}, "code"),
        ("skus", SKU | {"code": "a\r\nX-Y: z"}, "code"),
        ("skus", SKU | {"unit_price": "-1"}, "unit_price"),
        ("skus", SKU | {"unit_price": "1e30"}, "unit_price"),
        ("skus", SKU | {"weight_kg": "-0.5"}, "weight_kg"),
        ("skus", SKU | {"product": "NOPE"}, "product"),
        ("skus", SKU | {"product": {"code": "MUG"}}, "product"),
        ("skus", SKU | {"status": "lost"}, "status"),
        ("skus", SKU | {"name": "x" * 301}, "name"),
        ("skus", SKU | {"name": "a\x00b"}, "name"),
        ("categories", {"code": "X", "name": "X", "parent": "NOPE"}, "parent"),
        ("channels", {"code": "WEB", "name": "Again"}, "code"),
        ("channels", {"code": "X", "name": "X", "time_zone": "Mars/Olympus"}, "time_zone"),
        ("channels", {"code": "X", "name": "X", "currency": "gbp"}, "currency"),
        ("channels", {"code": "X", "name": "X", "priority": 10**9}, "priority"),
        ("listings", {"channel": "WEB", "sku": "MUG", "unit_price": "9"}, "non_field_errors"),
        ("listings", {"channel": "MARKET", "sku": "MUG", "unit_price": "-9"}, "unit_price"),
        (
            "calendar-events",
            {"kind": "holiday", "name": "x", "starts_on": "2026-03-02", "ends_on": "2026-03-01"},
            "ends_on",
        ),
        (
            "calendar-events",
            {"kind": "promotion", "name": "x", "starts_on": "2026-03-02", "ends_on": "2026-03-02", "discount": "1.5"},
            "discount",
        ),
        ("suppliers", {"code": "NORTHWIND", "name": "x"}, "code"),
        ("suppliers", {"code": "X", "name": "x", "review_days": 0}, "review_days"),
        ("suppliers", {"code": "X", "name": "x", "minimum_order_value": "-1"}, "minimum_order_value"),
        ("suppliers", {"code": "X", "name": "x", "over_receipt_tolerance": "1.01"}, "over_receipt_tolerance"),
        ("suppliers", {"code": "X", "name": "x", "lead_time_sd_days": "-1"}, "lead_time_sd_days"),
        ("suppliers", {"code": "X", "name": "x", "lead_time_days": -1}, "lead_time_days"),
        ("suppliers", {"code": "X", "name": "x", "email": "nobody"}, "email"),
        ("supplier-items", {"supplier": "NORTHWIND", "sku": "MUG", "unit_cost": "1"}, "non_field_errors"),
        (
            "supplier-items",
            {"supplier": "NORTHWIND", "sku": "TEA", "unit_cost": "1", "is_preferred": False, "pack_size": "0"},
            "pack_size",
        ),
        (
            "supplier-items",
            {
                "supplier": "NORTHWIND",
                "sku": "TEA",
                "unit_cost": "1",
                "is_preferred": False,
                "price_breaks": [
                    {"minimum_quantity": "5", "unit_cost": "1"},
                    {"minimum_quantity": "5", "unit_cost": "2"},
                ],
            },
            "price_breaks",
        ),
        ("policies", {"name": "x", "service_level": "0.4"}, "service_level"),
        ("policies", {"name": "x", "review_days": 0}, "review_days"),
        ("policies", {"name": "x", "sku": "MUG", "category": "HOME"}, "non_field_errors"),
    ],
)
def test_what_contradicts_the_rules_is_refused_by_name(
    world: Any, api: Any, resource: str, body: dict, field: str
) -> None:
    before = counts()

    answer = api(world.planner).post(f"/api/v1/{resource}/", body)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), answer.content
    assert list(answer.json()["fields"]) == [field]
    after = counts()
    assert (after.pop("knox.AuthToken"), after) == (before.pop("knox.AuthToken") + 1, before)


def test_a_second_preferred_supplier_of_a_sku_is_refused(world: Any, api: Any) -> None:
    body = {"supplier": "NORTHWIND", "sku": "TEA", "unit_cost": "1", "is_preferred": True}

    answer = api(world.planner).post("/api/v1/supplier-items/", body)

    assert answer.status_code in (400, 409)
    assert SupplierItem.objects.filter(sku=world.tea).count() == 1


def test_a_second_policy_for_the_same_is_refused(world: Any, api: Any) -> None:
    planner, body = api(world.planner), {"name": "Mugs", "sku": "MUG", "service_level": "0.98"}

    first, second = planner.post("/api/v1/policies/", body), planner.post("/api/v1/policies/", body)

    assert (first.status_code, first.json()["service_level"]) == (201, "0.98000")
    assert second.status_code in (400, 409)


def test_a_change_is_checked_against_the_row_as_it_will_be(world: Any, api: Any) -> None:
    planner = api(world.planner)
    body = {"kind": "holiday", "name": "x", "starts_on": "2026-03-02", "ends_on": "2026-03-04"}
    made = planner.post("/api/v1/calendar-events/", body)

    wrong = planner.patch(made.headers["Location"], {"ends_on": "2026-03-01"})
    right = planner.patch(made.headers["Location"], {"ends_on": "2026-03-02"})
    taken = planner.patch("/api/v1/skus/LAMP/", {"code": "MUG"})

    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["ends_on"])
    assert (right.status_code, right.json()["ends_on"]) == (200, "2026-03-02")
    assert (taken.status_code, list(taken.json()["fields"])) == (400, ["code"])


def test_price_breaks_are_replaced_as_a_whole(world: Any, api: Any) -> None:
    item = SupplierItem.objects.get(sku=world.mug)
    planner, path = api(world.planner), f"/api/v1/supplier-items/{item.pk}/"

    kept = planner.patch(path, {"unit_cost": "4.10"})
    changed = planner.patch(path, {"price_breaks": [{"minimum_quantity": "50", "unit_cost": "3.90"}]})

    assert kept.json()["price_breaks"] == [{"minimum_quantity": "100", "unit_cost": "3.5000"}]
    assert changed.json()["price_breaks"] == [{"minimum_quantity": "50", "unit_cost": "3.9000"}]
    assert PriceBreak.objects.filter(item=item).count() == 1


def test_a_category_cannot_stand_below_itself(world: Any, api: Any) -> None:
    top = Category.objects.get(code="HOME")
    Category.objects.create(code="CUPS", name="Cups", parent=top)

    answer = api(world.planner).patch("/api/v1/categories/HOME/", {"parent": "CUPS"})

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["parent"])


@pytest.mark.parametrize("method", ["put", "delete"])
def test_master_data_is_neither_replaced_nor_deleted(world: Any, api: Any, method: str) -> None:
    answer = getattr(api(world.planner), method)("/api/v1/skus/MUG/", SKU)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "PATCH" in answer.headers["Allow"]
    assert Sku.objects.filter(code="MUG").exists()


@pytest.mark.django_db(transaction=True)
def test_a_code_taken_at_the_same_moment_gets_409(
    transactional_db: None, world: Any, api: Any, monkeypatch: Any
) -> None:
    from rest_framework.validators import UniqueValidator

    monkeypatch.setattr(UniqueValidator, "__call__", lambda *_: None)
    monkeypatch.setattr(Sku, "validate_constraints", lambda *_, **__: None)

    answer = api(world.planner).post("/api/v1/skus/", SKU | {"code": "MUG"})

    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")
    assert answer.json()["constraint"]


def test_a_broken_check_of_the_database_gets_422(world: Any, api: Any, monkeypatch: Any) -> None:
    from catalog.api.serializers import ListingSerializer

    monkeypatch.setattr("catalog.models.Listing.validate_constraints", lambda *_, **__: None)
    monkeypatch.setattr(
        ListingSerializer, "validate", lambda _self, attrs: attrs | {"unit_price": -attrs["unit_price"]}, raising=False
    )

    answer = api(world.planner).post("/api/v1/listings/", {"channel": "MARKET", "sku": "MUG", "unit_price": "9"})

    assert (answer.status_code, answer.json()["code"]) == (422, "contradiction")
    assert answer.json()["constraint"] == "listing_price_not_negative"
