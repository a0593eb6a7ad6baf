"""Monitoring's recurring work. Every task only brings rows up to date, so running it twice for one slot is harmless."""

from dataclasses import asdict
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from config.kernel import jobs
from forecasting.services.chunks import sweep_chunks
from monitoring.services import alerts, housekeeping, kpis
from monitoring.services.webhooks import relay, sending


@shared_task(name="monitoring.evaluate_alerts")
def evaluate_alerts() -> dict[str, Any]:
    return asdict(alerts.evaluate_alerts(now=timezone.now()))


@shared_task(name="monitoring.record_kpis")
def record_kpis() -> str:
    return kpis.record_kpis(now=timezone.now()).taken_at.isoformat()


@shared_task(name="monitoring.fail_abandoned_jobs")
def fail_abandoned_jobs() -> int:
    """Jobs whose worker died are marked failed, and somebody hears of it; jobs nobody heard of are sent again."""
    now = timezone.now()
    sweep_chunks(now=now)
    jobs.wake_waiting_jobs(now=now)
    failed = jobs.fail_abandoned_jobs(now=now)
    if failed:
        alerts.evaluate_alerts(now=now)
    return failed


@shared_task(name="monitoring.forget_idempotency_keys")
def forget_idempotency_keys() -> int:
    return housekeeping.forget_idempotency_keys(now=timezone.now())


@shared_task(name="monitoring.forget_events")
def forget_events() -> int:
    return housekeeping.forget_events(now=timezone.now())


@shared_task(name="monitoring.relay_events")
def relay_events() -> int:
    """What was committed gets its place in the feed, and becomes messages to the webhooks."""
    return relay.relay_events(now=timezone.now())


@shared_task(name="monitoring.send_webhooks")
def send_webhooks() -> dict[str, int]:
    """Messages that are due are sent; when a webhook was disabled by it, somebody hears of it at once."""
    counts = sending.send_due_messages(clock=timezone.now, allow_private=settings.WEBHOOK_ALLOW_PRIVATE)
    if counts.disabled:
        alerts.evaluate_alerts(now=timezone.now())
    return asdict(counts)
