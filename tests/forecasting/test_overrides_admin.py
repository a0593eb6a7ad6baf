"""Overrides in the admin: the form says what the service says, the page withdraws, nothing is deleted."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from forecasting.models import ForecastOverride
from tests.cast import World
from tests.forecasting.looking_ahead import expect, make_run

pytestmark = pytest.mark.django_db
URL = "/admin/forecasting/forecastoverride/"


def visitor(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="config.kernel.policy.RoleBackend")
    return client


def fields(world: World, **more: Any) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "sku": world.mug.pk,
        "kind": "factor",
        "value": "2",
        "starts_on": f"{today}",
        "ends_on": f"{today + timedelta(days=6)}",
        "reason": "Two for one",
        **more,
    }


def test_a_planner_sets_an_override_and_is_its_author(world: World) -> None:
    answer = visitor(world.planner).post(f"{URL}add/", fields(world))

    assert answer.status_code == 302
    override = ForecastOverride.objects.get()
    assert (override.sku, override.author, override.reason) == (world.mug, world.planner, "Two for one")
    assert override.expires_on == override.ends_on + timedelta(days=1)


def test_what_the_service_refuses_the_form_says(world: World) -> None:
    expect(make_run(timezone.localdate() - timedelta(days=1)), world.mug, world.main, 10)
    client = visitor(world.planner)

    both = client.post(f"{URL}add/", fields(world, category=world.mug.product.category_id))
    much = client.post(f"{URL}add/", fields(world, value="11"))

    assert "Name a SKU or a category." in both.content.decode()
    assert "770 units where 70 are forecast: confirm that you mean it." in much.content.decode()
    assert ForecastOverride.objects.count() == 0
    assert client.post(f"{URL}add/", fields(world, value="11", is_confirmed="on")).status_code == 302


def test_the_list_filters_and_the_page_withdraws(world: World) -> None:
    client = visitor(world.planner)
    client.post(f"{URL}add/", fields(world))
    override = ForecastOverride.objects.get()

    for query in ("", "?state=in_force", f"?author={world.planner.pk}", "?q=MUG"):
        page = client.get(URL + query).content.decode()
        assert "Two for one" in page, query
    for query in ("?state=expired", "?state=withdrawn", f"?author={world.viewer.pk}"):
        assert "Two for one" not in client.get(URL + query).content.decode(), query
    assert "Withdraw" in client.get(f"{URL}{override.pk}/change/").content.decode()
    client.post(f"{URL}{override.pk}/do/withdraw/")

    override.refresh_from_db()
    assert override.withdrawn_by == world.planner
    assert "Two for one" in client.get(URL + "?state=withdrawn").content.decode()


def test_a_viewer_looks_and_nobody_changes_or_deletes(world: World) -> None:
    visitor(world.planner).post(f"{URL}add/", fields(world))
    override = ForecastOverride.objects.get()

    assert visitor(world.viewer).get(f"{URL}{override.pk}/change/").status_code == 200
    assert visitor(world.viewer).get(f"{URL}add/").status_code == 403
    assert visitor(world.viewer).post(f"{URL}{override.pk}/do/withdraw/").status_code == 403
    assert visitor(world.planner).post(f"{URL}{override.pk}/change/", fields(world)).status_code == 403
    assert visitor(world.planner).post(f"{URL}{override.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ForecastOverride.objects.get().withdrawn_at is None
