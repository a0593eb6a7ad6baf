"""Rows that have done their duty are forgotten."""

from datetime import datetime, timedelta

from config.kernel import outbox
from config.kernel.models import IdempotencyKey
from monitoring.models import WebhookDelivery

KEYS_KEPT_FOR = timedelta(hours=48)
EVENTS_KEPT_FOR = timedelta(days=14)


def forget_idempotency_keys(*, now: datetime) -> int:
    """Delete remembered answers older than 48 hours, as the API's docs promise; returns how many."""
    deleted, _by_model = IdempotencyKey.objects.filter(created_at__lt=now - KEYS_KEPT_FOR).delete()
    return deleted


def forget_events(*, now: datetime) -> int:
    """Delete events and webhook deliveries older than 14 days, sent or not; returns how many."""
    before = now - EVENTS_KEPT_FOR
    deliveries, _by_model = WebhookDelivery.objects.filter(created_at__lt=before).delete()
    return deliveries + outbox.forget_events(before=before)
