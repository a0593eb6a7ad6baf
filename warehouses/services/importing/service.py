"""The import as one transaction: read the file, judge every line, write what is new, tell how each line was counted."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from config.kernel.files import require_another_file
from warehouses.models import SalesImport
from warehouses.services.importing import catalogue, counting, orders, returns, staging
from warehouses.services.importing.columns import column_positions
from warehouses.services.importing.places import Place, place_of_import
from warehouses.services.importing.reading import Progress, SalesFile, file_sha256, open_sales_file
from warehouses.services.importing.summary import ImportSummary

SHOWN_REJECTS = 10


def import_sales(
    path: Path | str,
    *,
    channel_code: str,
    warehouse_code: str | None = None,
    column_map: Mapping[str, str] | None = None,
    rejects_path: Path | str | None = None,
    known_skus_only: bool = False,
    time_zone: str | None = None,
    date_order: str = "ymd",
    is_dry_run: bool = False,
    file_name: str | None = None,
    now: datetime,
    actor: Any = None,
    progress: Progress | None = None,
) -> ImportSummary:
    """Take a shop's export (CSV, gzipped CSV, Parquet) in as past orders and returns; no stock is moved.

    All or nothing: a file that cannot be read to its end (wrong columns, encoding, truncated) raises ValidationFailed
    in one line that names file and line, and nothing is written. Single bad lines are counted, written to
    `rejects_path` (which must be another file; a dry run writes none), and do not stop the rest. Lines an earlier
    import brought are recognised; the same file again writes nothing. Imports wait for one another (an advisory lock
    held until the end); live orders are neither locked nor changed. `file_name` is what the file is called in the
    record, where its path does not say it. Raises NotFound for a warehouse that is not there.
    """
    told = progress or (lambda step, done, of: None)
    if date_order not in staging.DATE_ORDERS:
        raise ValidationFailed(_("The date order is one of %(orders)s.") % {"orders": ", ".join(staging.DATE_ORDERS)})
    path = Path(path)
    if rejects_path is not None:
        require_another_file(Path(rejects_path), path)
    file = open_sales_file(path)
    positions = column_positions(
        file.header, column_map=column_map or {}, where=f"{path.name}, {_('line')} {file.header_line}"
    )
    seconds: dict[str, float] = {}
    with transaction.atomic():
        _prepare_session()
        place = place_of_import(channel_code=channel_code, warehouse_code=warehouse_code, time_zone=time_zone)
        started_at = time.monotonic()
        with _timed(seconds, "reading"):
            staging.stage_lines(file, positions, progress=told)
        told("judging", 0, 0)
        with _timed(seconds, "judging"):
            staging.judge_lines(channel=place.channel, known_skus_only=known_skus_only, date_order=date_order, now=now)
        written = _write(place, has_parts="part" in positions, now=now, told=told, seconds=seconds)
        counts, lines = counting.counted_lines(returns.kinds_of_new_returns())
        summary = ImportSummary(
            file_name=file_name or path.name,
            file_sha256=file_sha256(path),
            channel_code=place.channel.code,
            warehouse_code=place.warehouse.code,
            counts=counts,
            lines=lines,
            written={"places": place.rows_made, **written},
            notes=place.notes,
            is_dry_run=is_dry_run,
            seconds=seconds,
        )
        _write_rejects(summary, file, rejects_path)
        _keep_record(summary, place, positions, file, now, actor, time.monotonic() - started_at)
        staging.drop_tables()
        told("committing", 0, 0)
        transaction.set_rollback(is_dry_run)
        leaving = time.perf_counter()
    seconds["committing"] = round(time.perf_counter() - leaving, 2)
    return summary


def _prepare_session() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('entrepot.import_sales', 0))")
        cursor.execute("SET LOCAL work_mem = '128MB'")


def _write(
    place: Place, *, has_parts: bool, now: datetime, told: Progress, seconds: dict[str, float]
) -> dict[str, int]:
    channel = place.channel
    told("products", 0, 0)
    with _timed(seconds, "products"):
        written = catalogue.add_missing_skus(now=now)
    told("orders", 0, 0)
    with _timed(seconds, "orders"):
        written |= orders.write_orders(channel=channel, warehouse=place.warehouse, has_parts=has_parts, now=now)
    told("returns", 0, 0)
    with _timed(seconds, "returns"):
        written |= returns.write_returns(channel=channel, has_parts=has_parts, now=now)
        written["order lines netted"] = returns.match_returns(channel=channel)
    return written


def _write_rejects(summary: ImportSummary, file: SalesFile, rejects_path: Path | str | None) -> None:
    if not summary.rejected:
        return
    reasons = counting.rejected_lines()
    if summary.is_dry_run:
        summary.first_rejects = list(reasons.items())[:SHOWN_REJECTS]
    elif rejects_path is not None:
        counting.write_rejects(file, reasons, Path(rejects_path))
    summary.rejects_file = str(rejects_path or "")


def _keep_record(
    summary: ImportSummary,
    place: Place,
    positions: Mapping[str, int],
    file: SalesFile,
    now: datetime,
    actor: Any,
    took: float,
) -> None:
    """What was imported and how it was counted; the same file again, with nothing new in it, leaves no record."""
    seen = SalesImport.objects.filter(channel=place.channel, file_sha256=summary.file_sha256).exists()
    if seen and not summary.rows_written:
        return
    SalesImport.objects.create(
        file_name=summary.file_name[:255],
        file_sha256=summary.file_sha256,
        channel=place.channel,
        warehouse=place.warehouse,
        column_map={field: file.header[position] for field, position in positions.items()},
        counts=dict(summary.counts),
        rejects_file=summary.rejects_file[-255:],
        actor=actor,
        started_at=now,
        finished_at=now + timedelta(seconds=took),
    )


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - started, 2)
