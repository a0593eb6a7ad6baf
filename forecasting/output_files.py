"""What `manage.py forecast` writes: tables and the report, part by part beside their places, then moved in all at
once."""

from __future__ import annotations

import gzip
import json
import math
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class Outputs:
    """Files written as their parts come, so that memory does not grow with the panel. On leaving without an error all
    are moved into place; with one, nothing is left."""

    def __init__(self) -> None:
        self.written: list[tuple[str, Path]] = []
        self.writers: list[TableWriter | ReportWriter] = []

    def _beside(self, path: Path) -> str:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix="".join(path.suffixes[-2:]))
        os.close(handle)
        self.written.append((name, path))
        return name

    def table(self, path: Path) -> TableWriter:
        writer = TableWriter(self._beside(path), path)
        self.writers.append(writer)
        return writer

    def report(self, path: Path) -> ReportWriter:
        writer = ReportWriter(self._beside(path))
        self.writers.append(writer)
        return writer

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            for writer in self.writers:
                writer.close()
            for name, path in self.written if kind is None else ():
                os.chmod(name, 0o644)
                os.replace(name, path)
        finally:
            for name, _ in self.written:
                Path(name).unlink(missing_ok=True)


class TableWriter:
    """A CSV (or .gz) that is appended to, or a Parquet file with a row group a part."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.kind = name, path.suffix
        self.parquet: Any = None
        self.text: Any = None

    def write(self, table: pd.DataFrame) -> None:
        if self.kind == ".parquet":
            self._row_group(table)
            return
        is_first = self.text is None
        if is_first:
            opened = gzip.open if self.kind == ".gz" else open
            self.text = opened(self.name, "wt", encoding="utf-8", newline="")
        table.to_csv(self.text, index=False, header=is_first, lineterminator="\n")

    def _row_group(self, table: pd.DataFrame) -> None:
        import pyarrow
        import pyarrow.parquet as pq

        schema = None if self.parquet is None else self.parquet.schema
        part = pyarrow.Table.from_pandas(table, schema=schema, preserve_index=False)
        if self.parquet is None:
            self.parquet = pq.ParquetWriter(self.name, part.schema)
        self.parquet.write_table(part)

    def close(self) -> None:
        for opened in (self.parquet, self.text):
            if opened is not None:
                opened.close()
        self.parquet = self.text = None


class ReportWriter:
    """One JSON object: the series one by one as they come, then everything else."""

    def __init__(self, name: str) -> None:
        self.text = open(name, "w", encoding="utf-8")  # noqa: SIM115 - closed by the outputs that hold it
        self.text.write('{"series": {')
        self.count = 0

    def add(self, name: str, entry: dict[str, Any]) -> None:
        self.text.write(
            f"{',' if self.count else ''}\n {json.dumps(name)}: {json.dumps(plain(entry), allow_nan=False)}"
        )
        self.count += 1

    def finish(self, rest: dict[str, Any]) -> None:
        body = json.dumps(plain(rest), indent=1, allow_nan=False)
        self.text.write("\n}," + body.removeprefix("{").removesuffix("}") + "}\n")

    def close(self) -> None:
        self.text.close()


def plain(value: Any) -> Any:
    """The same value with null for every number JSON does not know (NaN, infinite)."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
