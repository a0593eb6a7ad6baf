"""`manage.py import_stock FILE`: what was counted becomes the stock; the difference to each level is posted."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.kernel.errors import ValidationFailed
from warehouses.services.count_file import import_stock


class Command(BaseCommand):
    help = (
        "Set the stock to what was counted. CSV with the columns sku, warehouse, quantity and, if wanted, "
        "location, lot, expires_on, unit_cost (in the company's currency; a SKU whose unit cost is 0 gets the first). "
        "Running it again with the same counts changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--rejects", metavar="FILE", help="write refused lines here, each with its reason")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            summary = import_stock(options["file"], rejects_path=options["rejects"], now=timezone.now())
        except ValidationFailed as exc:
            raise CommandError(str(exc)) from exc
        outcome = summary.outcome
        for count, label in (
            (outcome.opened, "opened"),
            (outcome.adjusted, "adjusted"),
            (outcome.unchanged, "unchanged"),
            (len(outcome.rejected), "rejected"),
            (summary.lines, "lines in the file"),
        ):
            self.stdout.write(f"{count:>12,}  {label}")
        for line, reason in sorted(outcome.rejected.items())[:20]:
            self.stdout.write(f"line {line}: {reason}")
        if summary.rejects_file:
            self.stdout.write(f"The refused lines, with reasons: {summary.rejects_file}")
