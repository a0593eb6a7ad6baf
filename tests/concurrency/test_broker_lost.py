"""R7: the broker only wakes workers up. Without it all is accepted; when it is back nothing is lost or doubled."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.test import override_settings
from django.utils import timezone

from config.kernel import jobs
from config.kernel.models import Job, OutboxEvent
from config.kernel.outbox import last_position
from monitoring.models import WebhookDelivery, WebhookEndpoint
from monitoring.services.webhooks.relay import relay_events
from monitoring.tasks import relay_events as relay_task
from tests.cast import World
from tests.monitoring.hooks import Outside, make_endpoint, run
from tests.procurement.buying import sent_order
from tests.worker import needs_worker
from warehouses.models import AvailabilityChange, StockLevel
from warehouses.selectors.drift import find_drifts
from warehouses.services.availability import publish_changes
from warehouses.tasks import publish_availability

pytestmark = pytest.mark.django_db(transaction=True)
NOWHERE = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}


def order_lamps(api: Any, world: World, number: str, quantity: str = "2") -> Any:
    lines = [{"sku": "LAMP", "quantity": quantity, "unit_price": "9.00"}]
    body = {"channel": "WEB", "external_id": number, "ordered_at": "2026-03-02T08:00:00Z", "lines": lines}
    return api(world.integration).post("/api/v1/orders/", body)


def receive(api: Any, world: World, order: Any, quantity: str) -> Any:
    body = {"order": order.number, "lines": [{"line_id": order.lines.get().pk, "quantity": quantity}]}
    return api(world.clerk).post("/api/v1/receipts/", body)


def told() -> list[tuple[str, str, int]]:
    events = OutboxEvent.objects.filter(kind="availability.changed").order_by("pk")
    return [(e.payload["sku"], e.payload["quantity"], e.payload["sequence"]) for e in events]


def test_without_broker_and_cache_work_goes_on_and_everything_is_told_afterwards(
    world: World, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    buying = sent_order(world, mugs=100)
    publish_changes(now=timezone.now())
    make_endpoint(channel=world.web)
    before = told()

    def down(*_args: Any, **_more: Any) -> None:
        raise ConnectionError("no broker")

    with monkeypatch.context() as patch, override_settings(CACHES=NOWHERE):
        patch.setattr(current_app, "send_task", down)
        patch.setattr(current_app.amqp, "send_task_message", down)
        answers = [order_lamps(api, world, "W-1"), receive(api, world, buying, "40"), order_lamps(api, world, "W-2")]
        job = jobs.queue_job("plan")
        assert job is not None
        jobs.send_to_worker(job)

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert set(AvailabilityChange.objects.values_list("sku_id", flat=True)) == {world.lamp.pk, world.mug.pk}
    assert job.state == Job.State.QUEUED
    woken: list[Any] = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, args: woken.append(args))
    publish_availability()
    relay_task()
    outside = Outside()
    now = timezone.now()
    first, again = run(outside, now=now), run(outside, now=now)
    Job.objects.update(created_at=now - 2 * jobs.WAITS_AT_MOST)
    jobs.wake_waiting_jobs(now=now)

    assert sorted(told()[len(before) :]) == [("LAMP", "16", 2), ("MUG", "180", 2)]
    assert (first.delivered, again.delivered) == (2, 0)
    assert len({message["id"] for message in outside.messages}) == len(outside.messages) == 2
    assert woken == [[str(job.pk)]]
    assert AvailabilityChange.objects.count() == 0
    assert find_drifts() == []


@needs_worker
def test_after_flushall_in_mid_run_the_same_worker_goes_on(world: World, api: Any) -> None:
    """A tick is on its way when the broker forgets everything, its queues with it; the next ticks do the work."""
    buying = sent_order(world, mugs=100)
    make_endpoint(channel=world.web)
    publish_changes(now=timezone.now())
    relay_events(now=timezone.now())

    publish_availability.delay()
    assert order_lamps(api, world, "W-1").status_code == 201
    with current_app.connection_for_write() as connection:
        connection.default_channel.client.flushall()
    assert receive(api, world, buying, "40").status_code == 201
    assert order_lamps(api, world, "W-2").status_code == 201
    tick_until(lambda: not AvailabilityChange.objects.exists(), publish_availability)
    tick_until(_is_relayed, relay_task)

    last = {sku: (quantity, sequence) for sku, quantity, sequence in told()}
    assert (last["LAMP"][0], last["MUG"][0]) == ("16", "180")
    numbers = [sequence for sku, _quantity, sequence in told() if sku == "LAMP"]
    assert numbers == list(range(1, len(numbers) + 1))
    newest = dict(OutboxEvent.objects.filter(channel_id=world.web.pk).order_by("pk").values_list("key", "pk"))
    last_told = WebhookDelivery.objects.filter(event_id__in=newest.values())
    assert sorted(last_told.values_list("key", flat=True)) == sorted(newest)
    assert StockLevel.objects.get(sku=world.lamp, location=world.shelf).reserved == 4


def _is_relayed() -> bool:
    """Every event has its place in the feed, and the endpoint has been through all of it."""
    is_placed = not OutboxEvent.objects.filter(position=None).exists()
    return is_placed and WebhookEndpoint.objects.get().position == last_position()


def tick_until(is_done: Callable[[], bool], task: Any, *, seconds: float = 15) -> None:
    """As beat does: a tick every second, heard or not."""
    ends = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < ends, "the worker did not come back"
        task.delay()
        waits = time.monotonic() + 1
        while time.monotonic() < waits and not is_done():
            time.sleep(0.02)
