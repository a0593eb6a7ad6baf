"""Opening a shop's export: what kind of file it is, and the form in which its lines go to the database."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from warehouses.services.importing.columns import FIELDS

COPY_COLUMNS = ("line", *FIELDS, "fault")
CHUNK_BYTES = 1 << 20

Progress = Callable[[str, int, int], None]
"""(step, done, of): of = 0 when the end of the step cannot be known."""


class SalesFile(Protocol):
    """An export that can be read twice: once for the database, once more for the lines that were refused."""

    header: list[str]
    header_line: int

    def copy_chunks(self, positions: Mapping[str, int], progress: Progress) -> Iterator[bytes]:
        """CSV for COPY with COPY_COLUMNS, about a megabyte at a time. Raises ValidationFailed naming file and line."""
        ...

    def original_lines(self, wanted: Collection[int]) -> Iterator[tuple[int, list[str]]]:
        """(line, fields as they stand in the file) of these lines."""
        ...


def open_sales_file(path: Path) -> SalesFile:
    """The file, recognised by its first bytes and with its header read. Raises ValidationFailed in one line."""
    from warehouses.services.importing.csv_file import CsvFile
    from warehouses.services.importing.parquet_file import ParquetFile

    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ValidationFailed(
            _("%(file)s cannot be read: %(why)s.") % {"file": path.name, "why": error.strerror}
        ) from None
    if magic == b"PAR1":
        return ParquetFile(path)
    if magic[:2] == b"PK" or magic == b"\xd0\xcf\x11\xe0":
        raise refused(path, 1, _("this is a workbook or an archive, not CSV or Parquet; export it as CSV"))
    return CsvFile(path, is_gzip=magic[:2] == b"\x1f\x8b")


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refused(path: Path, line: int, why: str) -> ValidationFailed:
    return ValidationFailed(_("%(file)s, line %(line)d: %(why)s.") % {"file": path.name, "line": line, "why": why})
