"""`manage.py watch`: alerts and figures brought up to date now, instead of at their next turn of the timetable."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from monitoring.models import KpiSnapshot
from monitoring.services.alerts import evaluate_alerts
from monitoring.services.kpis import record_kpis


class Command(BaseCommand):
    help = "Evaluate the alerts and record the figures of this hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-never", action="store_true", help="do nothing when figures were ever kept")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_never"] and KpiSnapshot.objects.exists():
            return
        now = timezone.now()
        counts = evaluate_alerts(now=now)
        record_kpis(now=now)
        self.stdout.write(
            f"{counts.opened:,} alerts opened, {counts.refreshed:,} still stand, {counts.resolved:,} resolved; "
            "the figures of this hour are kept."
        )
