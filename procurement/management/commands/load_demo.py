"""`manage.py load_demo`: two years of a believable company in an empty database, in one transaction."""

from argparse import ArgumentParser
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.kernel.errors import DomainError


class Command(BaseCommand):
    help = "Load the demo company Harbour & Hearth into an empty database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=7, help="another seed, another company (default 7)")
        parser.add_argument("--today", type=date.fromisoformat, help="the day it is loaded for (default: today, UTC)")
        parser.add_argument(
            "--end-day", type=date.fromisoformat, help="last day of the history (default: the day before today)"
        )
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there are SKUs already")

    def handle(self, *args: Any, **options: Any) -> None:
        from procurement.demo.loading.load import DemoFiles, analyze_tables, is_empty, load_world
        from procurement.demo.world import generate  # numpy: not at Django's start

        if options["if_empty"] and not is_empty():
            self.stdout.write("The database has its own data already; the demo company was not loaded.")
            return
        if not is_empty():
            raise CommandError("The database is not empty; the demo company is loaded only into an empty one.")
        now = timezone.now()
        today = options["today"] or now.astimezone(UTC).date()
        end_day = options["end_day"] or today - timedelta(days=1)
        files = DemoFiles(data_dir=Path(settings.DATA_DIR))
        self.stdout.write(f"Making two years of Harbour & Hearth up to {end_day} (seed {options['seed']}) …")
        world = generate(options["seed"], end_day)
        try:
            load_world(world, today=today, now=now, files=files, say=self._say)
        except DomainError as error:
            raise CommandError(str(error)) from error
        analyze_tables()
        self.stdout.write(f"Loaded. Who can sign in stands in {files.credentials.name} of the data directory.")

    def _say(self, line: str) -> None:
        self.stdout.write(f"  {line}")
        self.stdout.flush()
