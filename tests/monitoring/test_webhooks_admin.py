"""The pages of webhooks: who may keep them, the secret shown once, and what can be done about a message."""

import re
from typing import Any

import pytest

from monitoring.models import WebhookDelivery, WebhookEndpoint
from tests.cast import NOW, World
from tests.kernel.test_export_admin import enter
from tests.monitoring.hooks import ERROR, GONE, Outside, make_endpoint, run, tell

LIST = "/admin/monitoring/webhookendpoint/"
FORM = {"name": "Shop", "url": "https://shop.example/hooks", "channel": "", "kinds": ["availability.changed"]}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")


def do(user: Any, row: Any, verb: str) -> Any:
    return enter(user).post(f"/admin/monitoring/{row._meta.model_name}/{row.pk}/do/{verb}/", follow=True)


def shown(user: Any, address: str) -> str:
    response = enter(user).get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_a_planner_adds_a_webhook_and_sees_its_secret_once(world: World) -> None:
    response = enter(world.planner).post(f"{LIST}add/", FORM)

    endpoint = WebhookEndpoint.objects.get()
    assert response.status_code == 200
    assert SECRET.findall(response.content.decode()) == [endpoint.secret]
    assert "no-store" in response["Cache-Control"]
    assert (endpoint.created_by, endpoint.kinds, endpoint.channel) == (world.planner, ["availability.changed"], None)
    for address in (LIST, f"{LIST}{endpoint.pk}/change/", f"{LIST}{endpoint.pk}/history/"):
        assert not SECRET.search(shown(world.planner, address))
    export = enter(world.planner).get(f"{LIST}export/")
    assert b"whsec_" not in b"".join(export.streaming_content)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://2130706433/", "ftp://x.example/", "https://u:p@x.example/", "nonsense"]
)
def test_an_address_that_may_not_be_used_is_refused_where_it_is_typed(world: World, url: str) -> None:
    response = enter(world.planner).post(f"{LIST}add/", {**FORM, "url": url})

    assert "errorlist" in response.content.decode() or "address" in response.content.decode()
    assert WebhookEndpoint.objects.count() == 0


def test_a_demo_may_name_its_own_machine(world: World, settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True

    enter(world.planner).post(f"{LIST}add/", {**FORM, "url": "http://127.0.0.1:5000/"})

    assert WebhookEndpoint.objects.get().url == "http://127.0.0.1:5000/"


def test_changing_it_leaves_the_worker_s_columns_alone(world: World) -> None:
    endpoint = make_endpoint()
    WebhookEndpoint.objects.update(position=77, consecutive_failures=3)

    enter(world.planner).post(f"{LIST}{endpoint.pk}/change/", {**FORM, "name": "Web shop", "kinds": []})

    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.kinds, endpoint.position, endpoint.consecutive_failures) == ("Web shop", [], 77, 3)


def test_a_new_secret_is_shown_once_and_the_old_one_kept_for_a_day(world: World) -> None:
    endpoint = make_endpoint()
    old = endpoint.secret

    page = do(world.planner, endpoint, "rotate").content.decode()

    endpoint.refresh_from_db()
    assert SECRET.findall(page) == [endpoint.secret]
    assert endpoint.secret != old == endpoint.previous_secret
    assert "signatures of the new and the old secret" in shown(world.planner, f"{LIST}{endpoint.pk}/change/")


def test_pause_resume_and_a_test_event_stand_on_the_page(world: World) -> None:
    endpoint = make_endpoint()

    assert "A test event is on its way" in do(world.planner, endpoint, "test").content.decode()
    assert "Nothing is sent until" in do(world.planner, endpoint, "pause").content.decode()
    assert "is paused or disabled" in do(world.planner, endpoint, "test").content.decode()
    assert "Paused" in shown(world.planner, LIST)
    assert "It goes on where it stopped." in do(world.planner, endpoint, "resume").content.decode()
    assert WebhookDelivery.objects.get().kind == "webhook.test"


def test_a_webhook_s_page_says_what_became_of_its_messages(world: World) -> None:
    endpoint = make_endpoint()
    tell("listing:1", channel_id=world.web.pk)
    run(Outside(lambda message: ERROR))

    page = shown(world.planner, f"{LIST}{endpoint.pk}/change/")

    assert "It answered with an error" in page
    assert "listing:1" in page
    assert "503" in page


def test_a_failed_message_is_sent_again_from_its_page(world: World) -> None:
    make_endpoint()
    tell("listing:1")
    run(Outside(lambda message: GONE))
    delivery = WebhookDelivery.objects.get()

    page = shown(world.planner, f"/admin/monitoring/webhookdelivery/{delivery.pk}/change/")
    assert delivery.message_id in page
    assert "Send again" in page
    do(world.planner, delivery, "retry")

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("waiting", 0)


def test_a_superseded_message_leads_to_the_newer_one(world: World) -> None:
    make_endpoint()
    tell("listing:1")
    run(Outside(lambda message: ERROR))
    tell("listing:1")
    run(Outside())
    older, newer = WebhookDelivery.objects.order_by("pk")

    page = shown(world.planner, f"/admin/monitoring/webhookdelivery/{older.pk}/change/")

    assert "a newer message on the same thing took its place" in page
    assert f"/admin/monitoring/webhookdelivery/{newer.pk}/change/" in page


def test_the_events_are_listed_with_their_channel_and_found_by_key(world: World) -> None:
    tell("listing:1", "listing:2", channel_id=world.web.pk)
    run(Outside(), now=NOW)

    page = shown(world.viewer, "/admin/kernel/outboxevent/?q=listing:2")

    assert "listing:2" in page
    assert "listing:1<" not in page
    assert "Availability changed" in page
    assert ">Web<" in page


@pytest.mark.parametrize("role", ["viewer", "clerk", "integration", "northwind_user"])
def test_nobody_but_a_planner_keeps_webhooks(world: World, role: str) -> None:
    """An address may hold a token of the other side, so it is not for everybody to read either."""
    endpoint = make_endpoint()
    person = getattr(world, role)

    assert enter(person).get(f"{LIST}{endpoint.pk}/change/").status_code in (302, 403)
    assert enter(person).get("/admin/monitoring/webhookdelivery/").status_code in (302, 403)
    for verb in ("rotate", "pause", "test"):
        response = enter(person).post(f"{LIST}{endpoint.pk}/do/{verb}/")
        assert response.status_code in (302, 403)
        assert "/login/" in response.headers.get("Location", "/login/")
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.previous_secret, WebhookDelivery.objects.count()) == (True, "", 0)


def test_the_lists_are_searched_filtered_and_exported(world: World) -> None:
    make_endpoint()
    tell("listing:1")
    run(Outside(lambda message: ERROR))

    for address in (
        f"{LIST}?q=shop",
        f"{LIST}?is_active__exact=1",
        "/admin/monitoring/webhookdelivery/?q=Shop",
        "/admin/monitoring/webhookdelivery/?state__exact=waiting",
        "/admin/kernel/outboxevent/?kind=availability.changed",
    ):
        assert "listing:1" in shown(world.planner, address) or "Shop" in shown(world.planner, address)
    for address in ("monitoring/webhookdelivery", "kernel/outboxevent"):
        export = b"".join(enter(world.planner).get(f"/admin/{address}/export/").streaming_content).decode()
        assert "listing:1" in export
