"""A file of counted stock: read whole, judged line by line, recorded in blocks, the refused lines written aside."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from config.kernel.files import require_another_file, whole_file
from warehouses.locks import LevelKey
from warehouses.services.counts import CountedStock, CountOutcome, record_counts

REQUIRED = ("sku", "warehouse", "quantity")
OPTIONAL = ("location", "lot", "expires_on", "unit_cost")
BLOCK = 2000


class BadLine(Exception):
    """Why a line is no count."""


@dataclass(slots=True)
class StockImportSummary:
    lines: int = 0
    outcome: CountOutcome = field(default_factory=CountOutcome)
    rejects_file: str = ""


def import_stock(
    path: Path | str,
    *,
    now: datetime,
    actor: Any = None,
    rejects_path: Path | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StockImportSummary:
    """Record a CSV of counts (sku, warehouse, quantity[, location, lot, expires_on, unit_cost]), a block a transaction.

    Killed and run again it goes on where it stopped. Raises ValidationFailed when the file as a whole cannot be read;
    refused lines are returned with their reasons, and written to `rejects_path`, which must be another file: line,
    reason, the fields as they were. A SKU whose unit cost is 0 gets the first one told of it.
    """
    if rejects_path is not None:
        require_another_file(Path(rejects_path), Path(path))
    header, rows = _read(Path(path))
    summary, name = StockImportSummary(lines=len(rows)), Path(path).name[:80]
    counts: list[CountedStock] = []
    for line, fields in rows:
        try:
            counts.append(_count(line, header, fields))
        except BadLine as bad:
            summary.outcome.rejected[line] = str(bad)
    seen: dict[LevelKey, int] = {}
    for start in range(0, len(counts), BLOCK):
        block = counts[start : start + BLOCK]
        summary.outcome.add(record_counts(block, now=now, actor=actor, reference=name, seen=seen))
        if progress:
            progress(start + len(block), len(counts))
    if rejects_path is not None and summary.outcome.rejected:
        _write_rejects(Path(rejects_path), header, rows, summary.outcome.rejected)
        summary.rejects_file = str(rejects_path)
    return summary


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)  # a quotation mark left open would swallow the lines behind it
            header = [name.strip().lower() for name in next(reader, [])]
            line = reader.line_num + 1
            for fields in reader:
                if any(fields):
                    rows.append((reader.line_num, fields))
                line = reader.line_num + 1
    except OSError as exc:
        raise ValidationFailed(_("%(file)s cannot be read: %(why)s.") % {"file": path, "why": exc.strerror}) from exc
    except UnicodeDecodeError as exc:
        raise ValidationFailed(_("%(file)s is not a CSV file in UTF-8: %(why)s.") % {"file": path, "why": exc}) from exc
    except csv.Error as exc:
        raise ValidationFailed(
            _("%(file)s, line %(line)d: %(why)s.")
            % {"file": path, "line": line, "why": _("not CSV: %(why)s") % {"why": exc}}
        ) from exc
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in REQUIRED + OPTIONAL]
    if missing or unknown or len(set(header)) < len(header):
        raise ValidationFailed(
            _("%(file)s needs the columns %(required)s and may have %(optional)s; its header is %(header)s.")
            % {
                "file": path,
                "required": ", ".join(REQUIRED),
                "optional": ", ".join(OPTIONAL),
                "header": ", ".join(header) or "-",
            }
        )
    return header, rows


def _count(line: int, header: list[str], fields: list[str]) -> CountedStock:
    if len(fields) != len(header):
        raise BadLine(_("not as many fields as the header"))
    if any("\0" in text for text in fields):
        raise BadLine(_("a NUL character in the text"))
    row = {name: text.strip() for name, text in zip(header, fields, strict=True)}
    if len(row.get("lot", "")) > 64:
        raise BadLine(_("the lot has more than 64 characters"))
    return CountedStock(
        line=line,
        sku_code=row["sku"],
        warehouse_code=row["warehouse"],
        quantity=_number(row["quantity"], _("the quantity is not a number")),
        location_code=row.get("location", ""),
        lot_code=row.get("lot", ""),
        expires_on=_day(row["expires_on"]) if row.get("expires_on") else None,
        unit_cost=_cost(row["unit_cost"]) if row.get("unit_cost") else None,
    )


def _number(text: str, reason: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as exc:
        raise BadLine(reason) from exc
    if not number.is_finite():
        raise BadLine(reason)
    return number


def _cost(text: str) -> Decimal:
    cost = _number(text, _("the unit cost is not a number"))
    if not 0 <= cost < Decimal(10) ** 14:
        raise BadLine(_("the unit cost is negative or too large"))
    return cost


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise BadLine(_("the date is not understood (year-month-day)")) from exc


def _write_rejects(path: Path, header: list[str], rows: list[tuple[int, list[str]]], rejected: dict[int, str]) -> None:
    def told() -> Iterator[list[str]]:
        yield ["line", "reason", *header]
        for line, fields in rows:
            if line in rejected:
                yield [str(line), rejected[line], *fields]

    with whole_file(path) as file:
        csv.writer(file).writerows(told())
