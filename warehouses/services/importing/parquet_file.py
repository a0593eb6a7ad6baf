"""A Parquet export: the same fields, column by column; its line number is the number of the row."""

import io
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from warehouses.services.importing.reading import COPY_COLUMNS, Progress, refused

BATCH_ROWS = 20_000


class ParquetFile:
    """See `reading.SalesFile`."""

    header_line = 1

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet

        self.path = path
        try:
            self._file = pyarrow.parquet.ParquetFile(path, pre_buffer=False)
        except (OSError, ValueError) as error:
            raise refused(path, 1, _("damaged Parquet: %(why)s") % {"why": str(error).splitlines()[0]}) from None
        self.header: list[str] = list(self._file.schema_arrow.names)

    def copy_chunks(self, positions: Mapping[str, int], progress: Progress) -> Iterator[bytes]:
        import pyarrow as pa
        import pyarrow.csv

        for position in positions.values():
            self._require_text(position)
        total = self._file.metadata.num_rows
        for first, batch in self._batches([self.header[i] for i in positions.values()]):
            columns: list[Any] = [pa.array(range(first, first + batch.num_rows))]
            empty = pa.array([""] * batch.num_rows)
            for field in COPY_COLUMNS[1:-1]:
                found = field in positions
                columns.append(self._as_text(batch, positions[field]) if found else empty)
            columns.append(_faults(columns[1:], empty))
            columns[1:-1] = [_without_nul(column) for column in columns[1:-1]]
            buffer = io.BytesIO()
            options = pyarrow.csv.WriteOptions(include_header=False)
            pyarrow.csv.write_csv(pa.table(columns, names=list(COPY_COLUMNS)), buffer, options)
            progress("reading", first - 1 + batch.num_rows, total)
            yield buffer.getvalue()

    def _require_text(self, position: int) -> None:
        """A list, a struct, a map: no cell of a table."""
        import pyarrow as pa

        kind = self._file.schema_arrow.field(position).type
        try:
            _as_text(pa.array([], kind))
        except (pa.ArrowException, NotImplementedError):
            raise self._unusable(position) from None

    def _as_text(self, batch: Any, position: int) -> Any:
        import pyarrow as pa

        try:
            return _as_text(batch.column(self.header[position]))
        except (pa.ArrowException, NotImplementedError):
            raise self._unusable(position) from None

    def _unusable(self, position: int) -> ValidationFailed:
        kind = str(self._file.schema_arrow.field(position).type)[:80]
        why = _("the column %(title)s holds %(kind)s, which cannot be read as text")
        return refused(self.path, 1, why % {"title": self.header[position], "kind": kind})

    def original_lines(self, wanted: Collection[int]) -> Iterator[tuple[int, list[str]]]:
        ordered = sorted(wanted)
        for first, batch in self._batches(self.header):
            here = [line - first for line in ordered if first <= line < first + batch.num_rows]
            for offset in here:
                row = batch.slice(offset, 1).to_pylist()[0]
                yield first + offset, ["" if row[title] is None else str(row[title]) for title in self.header]

    def _batches(self, columns: list[str]) -> Iterator[tuple[int, Any]]:
        first = 1
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
                yield first, batch
                first += batch.num_rows
        except (OSError, ValueError) as error:
            raise refused(
                self.path, first, _("damaged Parquet: %(why)s") % {"why": str(error).splitlines()[0]}
            ) from None


def _as_text(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return pc.fill_null(pc.cast(column, pa.string()), "")


def _faults(columns: list[Any], empty: Any) -> Any:
    import pyarrow.compute as pc

    faults = empty
    for column in columns:
        has_nul = pc.match_substring(column, "\0")
        if pc.any(has_nul).as_py():
            faults = pc.if_else(has_nul, "nul", faults)
    return faults


def _without_nul(column: Any) -> Any:
    import pyarrow.compute as pc

    if not pc.any(pc.match_substring(column, "\0")).as_py():
        return column
    return pc.replace_substring(column, "\0", "�")
