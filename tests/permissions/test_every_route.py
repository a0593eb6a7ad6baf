"""Role × endpoint → verdict, for every operation the API documents and every page the resolver knows.

A route that is not in the table fails the build: whoever adds one must say here who may use it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

P, C, V, I, S = "planner", "clerk", "viewer", "integration", "northwind_user"  # noqa: E741
INSIDE = {P, C, V, I}
BUYERS = {P, V, I}

# resource: {operation: who may}. "read" stands for list and detail.
TABLE: dict[str, dict[str, set[str]]] = {
    "categories": {"read": INSIDE, "POST": {P, I}, "PATCH": {P, I}},
    "products": {"read": INSIDE, "POST": {P, I}, "PATCH": {P, I}},
    "skus": {"read": INSIDE, "POST": {P, I}, "PATCH": {P, I}},
    "channels": {"read": INSIDE, "POST": {P}, "PATCH": {P}},
    "listings": {"read": INSIDE, "POST": {P, I}, "PATCH": {P, I}},
    "calendar-events": {"read": INSIDE, "POST": {P}, "PATCH": {P}},
    "warehouses": {"read": INSIDE},
    "locations": {"read": INSIDE, "POST": {P}, "PATCH": {P}},
    "lots": {"read": INSIDE},
    "stock-levels": {"read": INSIDE},
    "stock-movements": {"read": INSIDE, "POST": {C}},
    "stock-drifts": {"read": INSIDE, "POST repair": {P}},
    "stock-value": {"read": BUYERS},
    "cost-of-goods": {"read": BUYERS},
    "landed-costs": {"read": BUYERS, "POST": {P}},
    "count-sheets": {
        "read": INSIDE,
        "POST": {P, C, I},
        "POST tasks": {P, C, I},
        "POST counts": {C, I},
        "POST found": {C, I},
        "POST recount": {P},
        "POST approve": {P},
        "POST cancel": {P},
    },
    "transfers": {
        "read": INSIDE,
        "POST": {P, C},
        "POST reserve": {P, C},
        "POST ship": {C},
        "POST receive": {C},
        "POST close-short": {C},
        "POST cancel": {P},
    },
    "stock-moves": {"POST": {C}},
    "status-changes": {"POST": {C}},
    "kit-assemblies": {"POST": {C}},
    "orders": {
        "read": INSIDE,
        "POST": {I},
        "POST batch": {I},
        "POST cancel": {C, I},
        "POST ship": {C, I},
        "POST deliver": {C, I},
    },
    "order-lines": {"read": INSIDE},
    "shipments": {"read": INSIDE},
    "channel-events": {"read": INSIDE, "POST": {I}},
    "returns": {"read": INSIDE, "POST": {C, I}},
    "sales-imports": {"read": INSIDE},
    "tasks": {
        "read": INSIDE,
        "POST": {P, C},
        "POST claim": {C, I},
        "POST renew": {C, I},
        "POST release": {C, I},
        "POST complete": {C, I},
        "POST cancel": {P, C},
    },
    "picking": {"POST release": {P, C, I}},
    "putaway": {"read": INSIDE, "POST": {P, C}},
    "scan": {"read": INSIDE},
    "carts": {"read": INSIDE, "POST": {I}, "POST renew": {I, C}, "POST release": {I, C}},
    "quotas": {"read": INSIDE, "POST": {P}, "POST release": {P}},
    "available-to-promise": {"read": INSIDE, "POST": INSIDE},
    "demand": {"read": BUYERS},
    "forecast-runs": {"read": BUYERS},
    "forecasts": {"read": BUYERS},
    "channel-forecasts": {"read": BUYERS},
    "forecast-levels": {"read": BUYERS},
    "forecast-overrides": {"read": BUYERS, "POST": {P}, "POST batch": {P}, "POST withdraw": {P}},
    "forecast-accuracy": {"read": BUYERS},
    "forecast-value-added": {"read": BUYERS},
    "signals": {"read": BUYERS, "POST": {I}},
    "recommendable": {"read": BUYERS},
    "predict": {"POST": {P, I}},
    "suppliers": {"read": INSIDE, "POST": {P}, "PATCH": {P}},
    "supplier-items": {"read": BUYERS, "POST": {P}, "PATCH": {P}},
    "policies": {"read": BUYERS, "POST": {P}, "PATCH": {P}},
    "transfer-proposals": {"read": BUYERS, "POST accept": {P}, "POST dismiss": {P}},
    "joint-orders": {"read": BUYERS},
    "clearance-proposals": {"read": BUYERS, "POST accept": {P}, "POST dismiss": {P}},
    "proposals": {
        "read": BUYERS,
        "POST accept": {P},
        "POST dismiss": {P},
        "POST split": {P},
        "POST merge": {P},
    },
    "action-messages": {"read": BUYERS, "POST accept": {P}, "POST dismiss": {P}},
    "purchase-orders": {
        "read": {*INSIDE, S},
        "POST": {P},
        "POST approve": {P},
        "POST send": {P},
        "POST cancel": {P},
        "POST close-short": {P},
        "POST respond": {S},
        "PATCH lines": {P},
        "DELETE lines": {P},
    },
    "line-responses": {"read": {*BUYERS, S}, "POST decide": {P}},
    "receipts": {"read": {*INSIDE, S}, "POST": {C}},
    "planning-runs": {"POST": {P}},
    "optimize": {"POST": {P, I}},
    "policy-replays": {"read": BUYERS, "POST": {P}},
    "scenarios": {"read": BUYERS, "POST": {P}},
    "experiments": {"read": BUYERS, "POST": {P}, "POST start": {P}, "POST stop": {P}, "POST adopt": {P}},
    "policy-changes": {"read": BUYERS},
    "service-corrections": {"read": BUYERS},
    "alerts": {"read": INSIDE, "POST acknowledge": {P, C}},
    "kpis": {"read": BUYERS},
    "jobs": {"read": BUYERS, "POST cancel": {P}, "POST resume": {P}},
    "events": {"read": BUYERS},
}


def operations() -> Iterator[tuple[str, str, str]]:
    """(resource, operation of TABLE, path template) of every documented operation."""
    from drf_spectacular.generators import SchemaGenerator

    for path, methods in SchemaGenerator().get_schema(public=True)["paths"].items():
        parts = [part for part in path.split("/") if part][2:]
        resource, rest = parts[0], [part for part in parts[1:] if not part.startswith("{")]
        for method in methods:
            name = "read" if method == "get" else " ".join([method.upper(), *rest])
            yield resource, name, path


def counts() -> dict[str, int]:
    """Rows of every table of ours, to show that a refused call changed nothing."""
    return {m._meta.label: m._default_manager.count() for m in apps.get_models() if m._meta.app_label != "sessions"}


def call(client: Any, method: str, path: str) -> Any:
    import re

    concrete = re.sub(r"\{[^}]+\}", "999999", path)
    return client.generic(method, concrete, b"{}" if method != "GET" else b"", content_type="application/json")


def test_every_documented_operation_is_in_the_table_and_nothing_else() -> None:
    documented = {(resource, name) for resource, name, _path in operations()}

    assert documented == {(resource, name) for resource, rules in TABLE.items() for name in rules}


@pytest.mark.parametrize("role", [P, C, V, I, S])
def test_each_role_may_do_exactly_what_the_table_says(world: Any, api: Any, role: str) -> None:
    client = api(getattr(world, role))
    before = counts()

    for resource, name, path in operations():
        method = "GET" if name == "read" else name.split()[0]
        response = call(client, method, path)
        allowed = role in TABLE[resource][name]
        what = f"{role}: {method} {path} → {response.status_code}"
        assert response.status_code < 500, what
        assert (response.status_code != 403) if allowed else (response.status_code == 403), what

    after = counts()
    # A planner may start a plan with an empty body; that one job is the only row an empty body makes.
    started = 1 if role == P else 0
    assert after.pop("kernel.Job") - before.pop("kernel.Job") == started
    assert after == before


def test_a_stranger_gets_401_everywhere(world: Any, api: Any) -> None:
    for _resource, name, path in operations():
        method = "GET" if name == "read" else name.split()[0]
        response = call(api(), method, path)
        assert response.status_code == 401, f"{method} {path}"
        assert response["Content-Type"] == "application/problem+json"


# Pages that a stranger may see; every other page sends him to a login or refuses him.
OPEN_PAGES = {
    "livez",
    "readyz",
    "admin:login",
    "admin:jsi18n",
    "portal:login",
    "set_language",
    "javascript-catalog",
    "api-schema",
    "api-docs",
}


def pages(resolver: URLResolver | None = None, prefix: str = "/", space: str = "") -> Iterator[tuple[str, str]]:
    resolver = resolver or get_resolver()
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern).lstrip("^").rstrip("$\\Z")
        if isinstance(entry, URLResolver):
            yield from pages(entry, route, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern) and not route.startswith("/api/v1/"):
            yield f"{space}{entry.name}", route


def visit(client: Client, route: str) -> Any:
    import re

    return client.get(re.sub(r"<[^>]+>|\(\?P<[^)]+\)", "1", route).replace("\\", ""))


def test_a_stranger_sees_no_page_but_the_open_ones(world: Any) -> None:
    for name, route in pages():
        response = visit(Client(raise_request_exception=False), route)
        if name in OPEN_PAGES:
            assert response.status_code in (200, 302, 405), f"{name} {route}: {response.status_code}"
        else:
            assert response.status_code in (301, 302, 401, 403, 404, 405), f"{name} {route}: {response.status_code}"
            assert "error" not in response.headers.get("Location", "")


def test_a_supplier_sees_no_page_of_the_admin(world: Any) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(world.northwind_user, backend="config.kernel.policy.RoleBackend")

    for name, route in pages():
        if name.startswith("admin:") and name not in OPEN_PAGES and name != "admin:logout":
            response = visit(client, route)
            assert response.status_code in (301, 302, 403, 404, 405), f"{name} {route}: {response.status_code}"
