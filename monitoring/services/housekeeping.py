"""Rows that have done their duty are forgotten."""

from datetime import datetime, timedelta

from config.kernel.models import IdempotencyKey

KEYS_KEPT_FOR = timedelta(hours=48)


def forget_idempotency_keys(*, now: datetime) -> int:
    """Delete remembered answers older than 48 hours, as the API's docs promise; returns how many."""
    deleted, _by_model = IdempotencyKey.objects.filter(created_at__lt=now - KEYS_KEPT_FOR).delete()
    return deleted
