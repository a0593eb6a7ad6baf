"""A CSV export, plain or gzipped: UTF-8, any of three delimiters, line numbers as an editor shows them."""

import csv
import io
import zlib
from collections.abc import Collection, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from warehouses.services.importing.columns import FIELDS, known_titles
from warehouses.services.importing.reading import CHUNK_BYTES, Progress, refused

DELIMITERS = (",", ";", "\t")
LONGEST_LINE = 1 << 20


class _NoProgress:
    def __call__(self, step: str, done: int, of: int) -> None: ...


class CsvFile:
    """See `reading.SalesFile`."""

    def __init__(self, path: Path, *, is_gzip: bool) -> None:
        self.path, self.is_gzip = path, is_gzip
        self.delimiter = self._sniff()
        row: list[str] = next((row for _line, row, _nul in self._rows(_NoProgress()) if row), [])
        self.header = [title.strip() for title in row]
        self.header_line = 1

    def copy_chunks(self, positions: Mapping[str, int], progress: Progress) -> Iterator[bytes]:
        width = len(self.header)
        # Every row gets one empty field at its end: where the fields point that this file does not have.
        pick = itemgetter(*(positions.get(field, width) for field in FIELDS))
        buffer = io.StringIO()
        write = csv.writer(buffer, lineterminator="\r\n").writerow
        for line, row, has_nul in self._data_rows(progress):
            fault = _fault(row, width, has_nul)
            if fault:
                row = [field.replace("\0", "�") for field in row[:width]] + [""] * (width - len(row))
            row.append("")
            write((line, *pick(row), fault))
            if buffer.tell() > CHUNK_BYTES:
                yield buffer.getvalue().encode()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue().encode()

    def original_lines(self, wanted: Collection[int]) -> Iterator[tuple[int, list[str]]]:
        for line, row, _nul in self._data_rows(_NoProgress()):
            if line in wanted:
                yield line, row

    def _data_rows(self, progress: Progress) -> Iterator[tuple[int, list[str], bool]]:
        """The rows after the header; blank lines are none."""
        rows = (found for found in self._rows(progress) if found[1])
        next(rows, None)
        return rows

    def _rows(self, progress: Progress) -> Iterator[tuple[int, list[str], bool]]:
        """(number of the first physical line, fields, whether one of its lines holds a NUL)."""
        nul_lines: set[int] = set()
        with self._open(progress) as lines:
            reader = csv.reader(self._decoded(lines, nul_lines), delimiter=self.delimiter)
            while True:
                line = reader.line_num + 1
                try:
                    row = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    raise refused(self.path, line, _("not CSV: %(why)s") % {"why": error}) from None
                yield line, row, bool(nul_lines) and not nul_lines.isdisjoint(range(line, reader.line_num + 1))

    def _decoded(self, lines: BinaryIO, nul_lines: set[int]) -> Iterator[str]:
        number = 1
        try:
            while raw := lines.readline(LONGEST_LINE):
                if len(raw) == LONGEST_LINE:
                    raise refused(self.path, number, _("the line is longer than a megabyte"))
                if b"\0" in raw:
                    nul_lines.add(number)
                yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
                number += 1
        except UnicodeDecodeError as error:
            raise refused(
                self.path, number, _("not UTF-8 at byte %(byte)d of the line") % {"byte": error.start + 1}
            ) from None
        except (EOFError, zlib.error):
            raise refused(self.path, number, _("the gzip archive ends early or is damaged")) from None

    def _open(self, progress: Progress) -> BinaryIO:
        watched = io.BufferedReader(_Watched(self.path, progress), CHUNK_BYTES)
        if not self.is_gzip:
            return watched
        return io.BufferedReader(_Gunzip(watched), CHUNK_BYTES)

    def _sniff(self) -> str:
        with self._open(_NoProgress()) as lines:
            first = next(self._decoded(lines, set()), "")
        if "\0" in first:
            raise refused(self.path, 1, _("neither CSV nor Parquet (UTF-16? Save it as UTF-8)"))
        headers = {delimiter: first.strip("\r\n").split(delimiter) for delimiter in DELIMITERS}
        return max(DELIMITERS, key=lambda d: (known_titles(headers[d]), len(headers[d])))


def _fault(row: list[str], width: int, has_nul: bool) -> str:
    if has_nul:
        return "nul"
    return "" if len(row) == width else "fields"


class _Watched(io.RawIOBase):
    """The file on disk, telling how far it was read: the only measure of progress that holds for gzip too."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._file, self._size, self._progress = path.open("rb", buffering=0), path.stat().st_size, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        count = self._file.readinto(buffer)  # type: ignore[arg-type]
        self._progress("reading", self._file.tell(), self._size)
        return count or 0

    def close(self) -> None:
        self._file.close()
        super().close()


class _Gunzip(io.RawIOBase):
    """gzip as a stream that hands on all it could decode before it complains: so the complaint's line is right."""

    def __init__(self, below: "io.BufferedReader[_Watched]") -> None:
        self._below, self._engine, self._ready = below, zlib.decompressobj(wbits=31), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while not self._ready:
            packed = self._engine.unconsumed_tail or self._engine.unused_data or self._below.read1(CHUNK_BYTES)
            if not packed and self._engine.eof:
                return 0
            if not packed:
                raise EOFError
            if self._engine.eof:  # another archive behind the first: gzip files may be joined
                self._engine = zlib.decompressobj(wbits=31)
            self._ready = self._engine.decompress(packed, CHUNK_BYTES)
        count = min(len(view), len(self._ready))
        view[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def close(self) -> None:
        self._below.close()
        super().close()
