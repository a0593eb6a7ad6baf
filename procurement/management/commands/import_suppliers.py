"""`manage.py import_suppliers FILE.csv`: suppliers, their items, prices and price breaks."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.kernel.errors import DomainError
from config.kernel.files import require_another_file, whole_file
from procurement.services.importing import SupplierImport, import_suppliers
from procurement.services.supplier_file import COLUMNS

SHOWN = 20


class Command(BaseCommand):
    help = "Take in suppliers and what they sell from a CSV file. Columns: " + ", ".join(COLUMNS) + "."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV file in UTF-8, with a header")
        parser.add_argument("--rejects", type=Path, help="write the rows that were not used here, each with its reason")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["rejects"]:
                require_another_file(options["rejects"], options["file"])
            summary = import_suppliers(options["file"])
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(
            f"{summary.rows} rows: {summary.items_new} items new, {summary.items_changed} changed, "
            f"{summary.items_same} as they were, {len(summary.rejects)} rejected; "
            f"{summary.suppliers_new} suppliers new, {summary.costs_set} SKUs got their unit cost."
        )
        for reject in summary.rejects[:SHOWN]:
            self.stdout.write(f"  line {reject.line}: {reject.reason}")
        if len(summary.rejects) > SHOWN:
            self.stdout.write(f"  … and {len(summary.rejects) - SHOWN} more")
        if options["rejects"]:
            try:
                _write(options["rejects"], summary)
            except DomainError as exc:
                raise CommandError(str(exc)) from exc


def _write(path: Path, summary: SupplierImport) -> None:
    with whole_file(path) as file:
        rows = csv.writer(file)
        rows.writerow(["line", "reason", *COLUMNS])
        for reject in summary.rejects:
            rows.writerow([reject.line, reject.reason, *(reject.row.get(name, "") for name in COLUMNS)])
