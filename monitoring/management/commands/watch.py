"""`manage.py watch`: look at everything now, as the timetable does every few minutes: alerts and KPIs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from monitoring.models import KpiSnapshot
from monitoring.services.alerts import evaluate_alerts
from monitoring.services.kpis import record_kpis


class Command(BaseCommand):
    help = "Evaluate the alerts and record the KPIs of this hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-never", action="store_true", help="do nothing when KPIs were ever recorded")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_never"] and KpiSnapshot.objects.exists():
            return
        now = timezone.now()
        changed = evaluate_alerts(now=now)
        record_kpis(now=now)
        self.stdout.write(f"Alerts and KPIs are up to date: {changed.opened} alerts opened, {changed.resolved} resolved.")
