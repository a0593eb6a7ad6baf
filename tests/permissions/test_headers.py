"""S11: what the browser is told to refuse, page by page."""

from typing import Any

import pytest
from django.test import Client

BACKEND = "config.kernel.policy.RoleBackend"


def policy_of(response: Any) -> dict[str, str]:
    directives = (part.strip().partition(" ") for part in response.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, _space, sources in directives}


@pytest.fixture
def supplier(world: Any) -> Client:
    client = Client()
    client.force_login(world.northwind_user, backend=BACKEND)
    return client


@pytest.fixture
def planner(world: Any) -> Client:
    client = Client()
    client.force_login(world.planner, backend=BACKEND)
    return client


def test_the_portal_allows_nothing_inline_and_nothing_from_elsewhere(supplier: Client) -> None:
    policy = policy_of(supplier.get("/portal/"))

    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["object-src"] == "'none'"
    assert "unsafe" not in str(policy)


def test_the_portal_has_no_inline_script_or_style(supplier: Client) -> None:
    page = supplier.get("/portal/").content.decode()

    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert all("src=" in tag for tag in page.split("<script")[1:])


def test_the_admin_forbids_inline_scripts(planner: Client) -> None:
    response = planner.get("/admin/")

    assert "'unsafe-inline'" not in policy_of(response)["script-src"]


@pytest.mark.parametrize("path", ["/portal/", "/admin/", "/api/v1/skus/", "/livez"])
def test_every_answer_carries_the_fences(planner: Client, path: str) -> None:
    response = planner.get(path)

    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_session_cookie_is_out_of_scripts_reach(world: Any) -> None:
    from tests.cast import PASSWORD

    client = Client()
    client.post("/portal/login/", {"username": "nora", "password": PASSWORD})

    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_the_api_takes_no_basic_authentication(world: Any, api: Any) -> None:
    client = api()
    client.credentials(HTTP_AUTHORIZATION="Basic bm9yYTpub3Jh")

    response = client.get("/api/v1/skus/")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Token"
