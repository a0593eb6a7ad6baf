"""Monitoring's recurring work. Every task only brings rows up to date, so running it twice for one slot is harmless."""

from dataclasses import asdict
from typing import Any

from celery import shared_task
from django.utils import timezone

from config.kernel import jobs
from monitoring.services import alerts, housekeeping, kpis


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
    jobs.wake_waiting_jobs(now=now)
    failed = jobs.fail_abandoned_jobs(now=now)
    if failed:
        alerts.evaluate_alerts(now=now)
    return failed


@shared_task(name="monitoring.forget_idempotency_keys")
def forget_idempotency_keys() -> int:
    return housekeeping.forget_idempotency_keys(now=timezone.now())
