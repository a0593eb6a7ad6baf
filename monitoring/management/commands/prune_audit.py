"""`manage.py prune_audit --before 2020-01-01`: forget what changed long ago; the owner of the tables alone may."""

from argparse import ArgumentParser
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError

from monitoring.services.audit import prune_audit


class Command(BaseCommand):
    help = "Remove audit events from before a day; the newest event of every row stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--before", type=date.fromisoformat, required=True, help="the first day that is kept (UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = prune_audit(before=datetime.combine(options["before"], time(), UTC))
        except ProgrammingError as error:  # must be owner of table …
            raise CommandError(f"Only the role that owns the tables may prune the audit trail ({error}).") from error
        self.stdout.write(f"{count} events from before {options['before']} are removed.")
