"""`manage.py watch`: alerts and figures brought up to date now, instead of at their next turn of the timetable."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from monitoring.services.alerts import evaluate_alerts
from monitoring.services.kpis import record_kpis


class Command(BaseCommand):
    help = "Evaluate the alerts and record the figures of this hour."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        counts = evaluate_alerts(now=now)
        record_kpis(now=now)
        self.stdout.write(
            f"{counts.opened:,} alerts opened, {counts.refreshed:,} still stand, {counts.resolved:,} resolved; "
            "the figures of this hour are kept."
        )
