"""`manage.py forecast IN --out OUT`: demand forecasts for a panel file, without server or database."""

from __future__ import annotations

import os
import time
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


def numbers_of(text: str) -> tuple[float, ...]:
    """Comma-separated quantile levels inside (0, 1)."""
    try:
        values = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError:
        values = ()
    if not values or not all(0 < v < 1 for v in values):
        raise ArgumentTypeError(f"{text!r}: levels between 0 and 1 expected, as in 0.5,0.9")
    return values


def periods_of(text: str) -> tuple[int, ...]:
    """Comma-separated whole numbers of at least 1."""
    try:
        values = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        values = ()
    if not values or min(values) < 1:
        raise ArgumentTypeError(f"{text!r}: whole numbers of periods expected, as in 7,14")
    return values


def seconds_of(text: str) -> float:
    """A finite number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"{text!r}: a number of seconds above 0 expected")
    return value


def season_of(text: str) -> tuple[int, ...] | None:
    """`auto` or season lengths."""
    return None if text == "auto" else periods_of(text)


def positive(text: str) -> int:
    """A whole number of at least 1."""
    values = periods_of(text)
    if len(values) != 1:
        raise ArgumentTypeError(f"{text!r}: one whole number of at least 1 expected")
    return values[0]


class Command(BaseCommand):
    """Reads a long panel (unique_id, ds, y), writes means and quantiles per period, per window, and a report."""

    help = (
        "Forecast a panel file (CSV, CSV.gz or Parquet): means, quantiles, window sums and a report. Needs no database."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="IN", type=Path)
        parser.add_argument(
            "--out", type=Path, required=True, help="unique_id, ds, mean, q_… (.csv, .csv.gz or .parquet)"
        )
        parser.add_argument("--freq", default="D", choices=["D", "W", "M", "Q", "Y", "H"])
        parser.add_argument("--horizon", type=positive, default=28, help="periods ahead")
        parser.add_argument("--quantiles", type=numbers_of, default=(0.5, 0.8, 0.9, 0.95, 0.99), metavar="Q,…")
        parser.add_argument(
            "--windows",
            type=periods_of,
            default=(),
            metavar="K,…",
            help="quantiles of the sum over the first K periods",
        )
        parser.add_argument("--future", type=Path, help="covariates known in advance: unique_id, ds, …")
        parser.add_argument("--static", type=Path, help="one row a unique_id")
        parser.add_argument("--season", type=season_of, default=None, metavar="M|auto", help="season length in periods")
        parser.add_argument("--budget", type=seconds_of, default=None, help="seconds of wall time that may be spent")
        parser.add_argument(
            "--mode",
            default="full",
            choices=["everyday", "full"],
            help="full (default): boosted trees and costly methods too; everyday: thousands of series a second",
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, help="processes (default: the cores)")
        parser.add_argument("--windows-out", type=Path, help="unique_id, window, mean, q_…")
        parser.add_argument(
            "--report", type=Path, help="JSON: method, reason, backtest and fallback of each series; time and memory"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        os.environ.setdefault(
            "OPENBLAS_NUM_THREADS", "1"
        )  # the processes are the parallelism; read when numpy is first loaded
        from forecasting.file_forecast import FileForecast, run_file_forecast
        from forecasting.table_files import PanelFileError

        known = FileForecast.__dataclass_fields__
        try:
            report = run_file_forecast(
                FileForecast(**{k: v for k, v in options.items() if k in known}), time.perf_counter
            )
        except PanelFileError as error:
            raise CommandError(str(error)) from error
        seconds = report["seconds"]["all"]
        self.stdout.write(f"{report['input']['series']} series in {seconds:.1f} s; methods: {report['methods']}")
