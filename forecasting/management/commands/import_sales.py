"""`manage.py import_sales`: a shop's export becomes orders, returns and the demand that forecasts read (step 4)."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import DomainError
from forecasting.services.history import refresh_demand
from warehouses.services.importing import ImportSummary, import_sales

INTERRUPTED = 130


class Command(BaseCommand):
    help = "Import a shop's past sales (CSV, CSV.gz or Parquet) as orders, returns and demand history."
    requires_system_checks = []  # it needs the tables, not the pages

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="one or more exports")
        parser.add_argument("--channel", required=True, metavar="CODE", help="the channel they come from; made if new")
        parser.add_argument("--warehouse", metavar="CODE", help="the warehouse that served it (default: its route)")
        parser.add_argument("--map", action="append", default=[], metavar="COLUMN=FIELD", help="name a column")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="where the rejected lines go (CSV)")
        parser.add_argument("--known-skus-only", action="store_true", help="reject SKUs the catalogue does not have")
        parser.add_argument("--time-zone", metavar="ZONE", help="of a new channel, such as Europe/London (default UTC)")
        parser.add_argument(
            "--date-order", choices=("ymd", "dmy", "mdy"), default="ymd", help="of dates such as 3/4/2024"
        )
        parser.add_argument("--dry-run", action="store_true", help="count, but write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if len(options["files"]) > 1 and options["rejects"]:
            raise CommandError(_("--rejects goes with one file."))
        column_map = dict(_column_and_field(pair) for pair in options["map"])
        try:
            for path in options["files"]:
                self._import(path, column_map, options)
            if not options["dry_run"]:
                self._refresh()
        except DomainError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stderr.write(_("Interrupted: nothing of this file was written."))
            sys.exit(INTERRUPTED)

    def _import(self, path: Path, column_map: dict[str, str], options: dict[str, Any]) -> None:
        started = time.perf_counter()
        rejects = options["rejects"] or settings.DATA_DIR / "rejects" / f"{path.name}.csv"
        summary = import_sales(
            path,
            channel_code=options["channel"],
            warehouse_code=options["warehouse"],
            column_map=column_map,
            rejects_path=rejects,
            known_skus_only=options["known_skus_only"],
            time_zone=options["time_zone"],
            date_order=options["date_order"],
            is_dry_run=options["dry_run"],
            now=timezone.now(),
            progress=_Bar(self.stderr) if self.stderr.isatty() else None,
        )
        self._tell(summary, time.perf_counter() - started)

    def _tell(self, summary: ImportSummary, seconds: float) -> None:
        for line in summary.text():
            self.stdout.write(line)
        steps = ", ".join(f"{step} {took:.1f}" for step, took in summary.seconds.items())
        self.stdout.write(_("%(seconds).1f s (%(steps)s)") % {"seconds": seconds, "steps": steps})

    def _refresh(self) -> None:
        started = time.perf_counter()
        rows = refresh_demand()
        self.stdout.write(
            _("Demand history: %(rows)s rows written, %(seconds).1f s")
            % {"rows": f"{rows:,}", "seconds": time.perf_counter() - started}
        )


def _column_and_field(pair: str) -> tuple[str, str]:
    column, equals, field = pair.rpartition("=")
    if not equals or not column:
        raise CommandError(_("--map wants COLUMN=FIELD, not %(pair)s.") % {"pair": pair})
    return column, field


class _Bar:
    """One line on the terminal that tells the step, and how far it is where that can be known."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._shown = stream, ""

    def __call__(self, step: str, done: int, of: int) -> None:
        text = f"{step} {100 * done // of} %" if of else step
        if text != self._shown:
            self._stream.write(f"\r\033[K{text}", ending="" if step != "committing" else "\r\033[K")
            self._shown = text
