"""The OpenAPI document: without a warning, with its errors, examples and ways to sign in; its page obeys the fences."""

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_document_is_valid_and_raises_no_warning(schema: dict[str, Any]) -> None:
    validate_schema(schema)

    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache
    assert schema["openapi"].startswith("3.")


def test_every_operation_documents_its_problems(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            said = operation["responses"]
            assert {"400", "401", "403", "default"} <= set(said), f"{method} {path}"
            assert list(said["401"]["content"]) == ["application/problem+json"]
            if method != "get":
                assert {"409", "413", "415", "422"} <= set(said), f"{method} {path}"
    assert schema["components"]["schemas"]["Problem"]["required"] == ["type", "title", "status", "detail", "code"]


def test_a_program_signs_in_with_a_token_and_a_page_with_its_session(schema: dict[str, Any]) -> None:
    schemes = schema["components"]["securitySchemes"]

    assert set(schemes) == {"knoxApiToken", "cookieAuth"}
    assert (schemes["knoxApiToken"]["in"], schemes["knoxApiToken"]["name"]) == ("header", "Authorization")


def test_no_choice_has_a_made_up_name(schema: dict[str, Any]) -> None:
    enums = {name for name, one in schema["components"]["schemas"].items() if "enum" in one}

    assert {"OrderStatus", "PurchaseOrderStatus", "AlertKind", "MovementKind"} <= enums
    assert not [name for name in enums if any(character.isdigit() for character in name)]


@pytest.mark.parametrize("path", ["/api/v1/orders/", "/api/v1/predict/", "/api/v1/optimize/"])
def test_the_operations_an_integrator_begins_with_have_examples(schema: dict[str, Any], path: str) -> None:
    assert schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]


def test_every_write_that_makes_something_takes_a_key(schema: dict[str, Any]) -> None:
    without = {
        f"{method} {path}"
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
        if method == "post" and "Idempotency-Key" not in {p["name"] for p in operation.get("parameters", [])}
    }

    # Promises and the two engines store nothing; repeating the others changes nothing more (a batch is known by its
    # orders' numbers, events by their ids).
    assert without == {
        "post /api/v1/available-to-promise/",
        "post /api/v1/channel-events/",
        "post /api/v1/orders/batch/",
        "post /api/v1/predict/",
        "post /api/v1/optimize/",
        "post /api/v1/alerts/{id}/acknowledge/",
        "post /api/v1/jobs/{id}/cancel/",
        "post /api/v1/jobs/{id}/resume/",
    }


def test_the_document_can_be_downloaded_and_its_page_obeys_the_fences(db: None) -> None:
    client = Client()

    document, page, script = client.get("/api/schema/"), client.get("/api/docs/"), client.get("/api/docs/?script=")

    assert document.status_code == 200
    assert document.headers["Content-Disposition"] == 'inline; filename="Entrepot API.yaml"'
    assert page.status_code == 200
    assert "script-src" not in page.headers["Content-Security-Policy"] or "unsafe" not in str(
        [d for d in page.headers["Content-Security-Policy"].split(";") if "script-src" in d]
    )
    assert all("src=" in tag for tag in page.content.decode().split("<script")[1:])
    assert script.status_code == 200
