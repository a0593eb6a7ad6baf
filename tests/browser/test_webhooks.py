"""A planner connects a shop in a real browser: the webhook, its secret, a test event that arrives, the messages."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook

from monitoring.models import WebhookEndpoint
from monitoring.services.webhooks.sending import send_due_messages
from tests.browser.chromium import PHONE, Visit
from tests.cast import PASSWORD, build_world
from tests.monitoring.hooks import ERROR, Outside, make_endpoint, run, tell
from tests.monitoring.receiver import receiver

pytestmark = pytest.mark.browser
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def planner(chromium: Any, live_server: Any, transactional_db: None, settings: Any) -> Iterator[Visit]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    build_world()
    visit = Visit(chromium, live_server.url)
    visit.sign_in("pia", PASSWORD)
    yield visit
    visit.context.close()


def test_a_planner_connects_a_shop_and_a_test_event_arrives(planner: Visit) -> None:
    with receiver() as shop:
        page = planner.go("/admin/monitoring/webhookendpoint/add/")
        page.fill("[name=name]", "Web shop")
        page.fill("[name=url]", shop.url)
        page.get_by_label("Availability changed").check()
        page.click("button[name=_save]")
        page.get_by_text("Copy the secret now").wait_for()
        secret = page.locator(".h-secret").inner_text().strip()
        page.get_by_role("link", name="I have copied it").click()
        assert secret not in page.content()

        page.get_by_role("button", name="Send a test event").click()
        page.get_by_text("A test event is on its way").wait_for()
        send_due_messages(clock=timezone.now, allow_private=True)
        page.reload()
        page.get_by_text("Delivered").wait_for()

    headers, body = shop.requests[0]
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"
    assert WebhookEndpoint.objects.get().kinds == ["availability.changed"]
    assert planner.complaints == []


def test_the_pages_fit_a_phone(planner: Visit) -> None:
    endpoint = make_endpoint("Web shop")
    with transaction.atomic():
        tell("listing:1", "listing:2")
    run(Outside(lambda message: ERROR), now=timezone.now())
    planner.page.set_viewport_size(PHONE)

    for address in (
        f"/admin/monitoring/webhookendpoint/{endpoint.pk}/change/",
        f"/admin/monitoring/webhookdelivery/{endpoint.deliveries.first().pk}/change/",
    ):
        page = planner.go(address)
        if shots := os.environ.get("SHOTS"):
            page.screenshot(path=f"{shots}/{address.split('/')[3]}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert planner.complaints == []
