"""How every line was counted, and the refused lines written out for the user to correct."""

import csv
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path

from django.db import connection

from config.kernel.files import whole_file
from warehouses.services.importing.reading import SalesFile
from warehouses.services.importing.summary import LABELS


def counted_lines(return_kinds: dict[str, int]) -> tuple[dict[str, int], int]:
    """(count by category, lines of the file). Every line stands in exactly one category, or this raises."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        found: dict[str, int] = dict(cursor.fetchall())
        cursor.execute("SELECT count(*) FROM import_raw")
        lines = cursor.fetchone()[0]
    found.pop("returned", None)
    found |= {f"returned.{kind}": count for kind, count in return_kinds.items()}
    counts = {key: found.pop(key) for key in LABELS if found.get(key)}
    if found or sum(counts.values()) != lines:
        raise AssertionError(f"{lines} lines, but counted {sum(counts.values())} and {found}")
    return counts, lines


def rejected_lines() -> dict[int, str]:
    """Line → why it was rejected, in the order of the file."""
    with connection.cursor() as cursor:
        cursor.execute(_REJECTS)
        return {line: _reason(verdict, code) for line, verdict, code in sorted(cursor.fetchall(), key=itemgetter(0))}


def write_rejects(file: SalesFile, reasons: Mapping[int, str], path: Path) -> None:
    """line, reason and the original fields of every rejected line; the columns keep their names for the next import.

    Raises ValidationFailed when the file cannot be written.
    """
    with whole_file(path) as target:
        writer = csv.writer(target)
        writer.writerow(["line", "reason", *file.header])
        for line, fields in file.original_lines(reasons.keys()):
            writer.writerow([line, reasons[line], *fields])


def _reason(verdict: str, code: str | None) -> str:
    said = str(LABELS[verdict]).partition(": ")[2]
    return f"{said} {code}" if verdict == "rejected.unknown_sku" else said


_COUNTS = """
SELECT verdict, count(*) FROM import_item WHERE verdict NOT IN ('sale', 'return') GROUP BY 1
UNION ALL
SELECT state, sum(lines)::bigint FROM (
    SELECT state, count(*) AS lines FROM import_sale GROUP BY 1
    UNION ALL
    SELECT CASE state WHEN 'taken' THEN 'returned' ELSE state END, count(*) FROM import_back GROUP BY 1
) both_ways GROUP BY 1
"""

_REJECTS = """
SELECT line, verdict, code FROM import_item WHERE verdict LIKE 'rejected.%'
UNION ALL SELECT line, state, NULL FROM import_sale WHERE state LIKE 'rejected.%'
UNION ALL SELECT line, state, NULL FROM import_back WHERE state LIKE 'rejected.%'
"""
