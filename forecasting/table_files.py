"""Tables in and out for `manage.py forecast`: CSV, CSV.gz or Parquet, every fault named by file, line and column."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("unique_id", "ds", "y")
UNKNOWN = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "null", "NULL", "None")
NUMERIC = ("y", "in_stock")


class PanelFileError(ValueError):
    """A file that cannot be used; the message is one line: file, line, column, fault."""


def read_table(path: Path) -> pd.DataFrame:
    """The file as text and numbers; PanelFileError for anything unreadable."""
    import pandas as pd

    if not path.is_file():
        raise PanelFileError(f"{path}: no such file")
    try:
        if path.suffix == ".parquet":
            return _read_parquet(path)
        if path.name.endswith((".csv", ".csv.gz")):
            _refuse_other_widths(path)
            table = pd.read_csv(
                path,
                dtype={"unique_id": str},
                index_col=False,
                keep_default_na=False,
                na_values={"unique_id": [""], "ds": [""]} | {c: list(UNKNOWN) for c in NUMERIC},
            )
            if "unique_id" in table.columns:
                table["unique_id"] = table.unique_id.astype("category")
            return table
    except UnicodeDecodeError as error:
        raise PanelFileError(
            f"{path}: line {_undecodable_line(path)}: not UTF-8 text; columns {_wanted()} expected"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PanelFileError(f"{path}: line {_last_readable_line(path)}: gzip file is damaged or ends early") from error
    except pd.errors.EmptyDataError as error:
        raise PanelFileError(f"{path}: line 1: empty file; missing column unique_id, ds, y") from error
    except PanelFileError:
        raise
    except (pd.errors.ParserError, csv.Error) as error:
        raise PanelFileError(f"{path}: {' '.join(str(error).split())}") from error
    except (OSError, ValueError) as error:
        raise PanelFileError(
            f"{path}: not a readable {path.suffix.lstrip('.')} file: {' '.join(str(error).split())}"
        ) from error
    raise PanelFileError(f"{path}: unknown kind of file; .csv, .csv.gz or .parquet expected")


def _read_parquet(path: Path) -> pd.DataFrame:
    """The ids dictionary-encoded: a series' name is held once, not once a row."""
    import pyarrow.parquet as pq

    text = [c.name for c in pq.read_schema(path) if c.name == "unique_id" and str(c.type).endswith("string")]
    return pq.read_table(path, read_dictionary=text).to_pandas(self_destruct=True, split_blocks=True)


def _wanted() -> str:
    return ", ".join(REQUIRED)


def _open_bytes(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _refuse_other_widths(path: Path) -> None:
    """Every row as many fields as the header: one more would shift the columns, one fewer would be read as unknown.

    Empty lines only at the end, else the line numbers of later faults would be wrong.
    """
    with _open_bytes(path) as raw:
        reader = csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""))
        width = empty = 0
        for row in reader:
            if not row:
                empty = empty or reader.line_num
            elif empty:
                raise PanelFileError(f"{path}: line {empty}: is empty")
            elif len(row) != (width or len(row)):
                raise PanelFileError(f"{path}: line {reader.line_num}: {len(row)} fields, the header has {width}")
            width = width or len(row)


def _undecodable_line(path: Path) -> int:
    with _open_bytes(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1


def _last_readable_line(path: Path) -> int:
    number = 0
    try:
        with _open_bytes(path) as lines:
            for number, _ in enumerate(lines, start=1):  # noqa: B007 - the count so far is the answer when reading fails
                pass
    except (EOFError, zlib.error, OSError):
        pass
    return number + 1


def require_columns(path: Path, table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Every column present, or an error that names the missing ones."""
    missing = [c for c in columns if c not in table.columns]
    if missing:
        found = ", ".join(str(c) for c in table.columns)
        raise PanelFileError(f"{path}: line 1: missing column {', '.join(missing)} (found: {found})")


def first_bad(path: Path, bad: np.ndarray, column: str, fault: str, values: pd.Series | None = None) -> None:
    """Raise for the first row marked bad, if any, naming its line (header = line 1)."""
    rows = np.flatnonzero(bad)
    if len(rows):
        shown = "" if values is None else f" {values.iloc[[rows[0]]].tolist()[0]!r}"
        raise PanelFileError(f"{path}: line {rows[0] + 2}: column {column}:{shown} {fault}")


def check_output(path: Path, kinds: tuple[str, ...]) -> Path:
    """An output path whose folder exists and whose kind is known."""
    if not path.name.endswith(kinds):
        raise PanelFileError(f"{path}: output must end in {', '.join(kinds)}")
    if not path.parent.is_dir():
        raise PanelFileError(f"{path}: folder {path.parent} does not exist")
    return path
