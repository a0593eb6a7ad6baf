"""The figures of every hour, kept so that their course can be drawn; the past is read off the ledger once."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from monitoring.models import KpiSnapshot
from monitoring.selectors.figures import current_figures
from monitoring.selectors.past import figures_of_past_days

BACKFILL_DAYS = 90


def record_kpis(*, now: datetime) -> KpiSnapshot:
    """Keep the figures of this hour; a second call within the hour puts newer figures in the same row.

    The very first call also writes one row for each of the last 90 days, from the ledger and the orders.
    """
    if not KpiSnapshot.objects.exists():
        backfill_kpis(now=now)
    hour = now.replace(minute=0, second=0, microsecond=0)
    return _keep({hour: current_figures(now=now, today=timezone.localdate(now))})[0]


def backfill_kpis(*, now: datetime, days: int = BACKFILL_DAYS) -> int:
    """Rows for past days that have none, taken at the end of the day; returns how many. Idempotent."""
    today = timezone.localdate(now)
    taken = set(KpiSnapshot.objects.values_list("taken_at__date", flat=True))
    found = figures_of_past_days(today=today, days=days)
    return len(_keep({_end_of(day): figures for day, figures in found.items() if day not in taken}))


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=UTC) + timedelta(hours=23)


def _keep(rows: dict[datetime, dict[str, Any]]) -> list[KpiSnapshot]:
    return KpiSnapshot.objects.bulk_create(
        [KpiSnapshot(taken_at=when, figures=figures) for when, figures in rows.items()],
        update_conflicts=True,
        unique_fields=["taken_at"],
        update_fields=["figures"],
    )
