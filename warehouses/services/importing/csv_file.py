"""A CSV export, plain or gzipped: UTF-8, any of three delimiters, line numbers as an editor shows them."""

import csv
import io
import zlib
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
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
        self.header: list[str] = []
        line, row, fault = next((found for found in self._rows(_NoProgress()) if found[1]), (1, [], ""))
        if fault == "quote":
            raise refused(path, line, _("a quotation mark that is not closed"))
        self.header = [title.strip() for title in row]
        self.header_line = 1

    def copy_chunks(self, positions: Mapping[str, int], progress: Progress) -> Iterator[bytes]:
        width = len(self.header)
        # Every row gets one empty field at its end: where the fields point that this file does not have.
        pick = itemgetter(*(positions.get(field, width) for field in FIELDS))
        buffer = io.StringIO()
        write = csv.writer(buffer, lineterminator="\r\n").writerow
        for line, row, fault in self._data_rows(progress):
            if not fault and len(row) != width:
                fault = "fields"
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
        for line, row, _fault in self._data_rows(_NoProgress()):
            if line in wanted:
                yield line, row

    def _data_rows(self, progress: Progress) -> Iterator[tuple[int, list[str], str]]:
        """The rows after the header; blank lines are none."""
        rows = (found for found in self._rows(progress) if found[1])
        next(rows, None)
        return rows

    def _rows(self, progress: Progress) -> Iterator[tuple[int, list[str], str]]:
        """(number of the first physical line, fields, fault: "quote", "nul" or "").

        A quotation mark that is not closed costs its own line only: the lines it would swallow are read afresh.
        """
        nul_lines: set[int] = set()
        line = 1
        with self._open(progress) as raw:
            source = _Lines(self._decoded(raw, nul_lines))
            reader = csv.reader(source, delimiter=self.delimiter)
            while True:
                row: list[str] | None
                source.begin_row()
                try:
                    row = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    if len(source.row) == 1:
                        raise refused(self.path, line, _("not CSV: %(why)s") % {"why": error}) from None
                    row = None  # longer than a field may be
                count, fault = len(source.row), ""
                if row is None or source.has_ended or (count > 1 and not self._is_sound(source.row)):
                    row, count, fault = next(csv.reader(source.row[:1], delimiter=self.delimiter)), 1, "quote"
                    source.read_again_from(1)
                elif nul_lines and not nul_lines.isdisjoint(range(line, line + count)):
                    fault = "nul"
                yield line, row, fault
                line += count

    def _is_sound(self, lines: Sequence[str]) -> bool:
        """Whether a row of several lines is quoted as it should be: its quotation marks close where a field ends."""
        try:
            list(csv.reader(lines, delimiter=self.delimiter, strict=True))
        except csv.Error:
            return False
        return True

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


class _Lines:
    """Physical lines for a CSV reader; those of the row being read are kept and can be read once more."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._again = lines, deque[str]()
        self.row: list[str] = []
        self.has_ended = False
        """The reader asked for more of this row, and there was nothing."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None:
            self.has_ended = True
            raise StopIteration
        self.row.append(line)
        return line

    def begin_row(self) -> None:
        self.row, self.has_ended = [], False

    def read_again_from(self, position: int) -> None:
        self._again.extendleft(reversed(self.row[position:]))


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
