"""A time zone nobody knows would stop the plan: no form and no request stores one."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from knox.models import AuthToken
from rest_framework.test import APIClient

from catalog.models import Channel
from tests.cast import World
from tests.kernel.test_export_admin import enter
from warehouses.models import Warehouse

WRONG = "There is no such time zone; write it like Europe/London."


@pytest.mark.parametrize("name", ["Mars/Olympus", "europe/london", "../UTC", "+01:00", ""])
@pytest.mark.parametrize("model", [Channel, Warehouse])
def test_the_model_knows_its_time_zones(model: type, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model(code="X", name="X", time_zone=name).clean_fields()

    assert set(refused.value.message_dict) == {"time_zone"}


@pytest.mark.parametrize("model", [Channel, Warehouse])
def test_a_known_time_zone_is_taken(model: type) -> None:
    model(code="X", name="X", time_zone="America/Argentina/Ushuaia").clean_fields()


def test_the_admin_refuses_an_unknown_time_zone_of_a_channel(world: World) -> None:
    form = {"code": "WEB", "name": "Web", "kind": "web_shop", "currency": "GBP", "priority": "10", "is_active": "on"}

    page = enter(world.planner).post(
        f"/admin/catalog/channel/{world.web.pk}/change/", {**form, "time_zone": "Mars/Olympus"}
    )

    assert WRONG in page.content.decode()
    assert Channel.objects.get(code="WEB").time_zone == "UTC"


def test_the_api_refuses_it_too(world: World) -> None:
    client: Any = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(world.planner)[1]}")

    answer = client.patch("/api/v1/channels/WEB/", {"time_zone": "Mars/Olympus"})

    assert (answer.status_code, answer.json().get("fields")) == (400, {"time_zone": [WRONG]})
