"""Panel files in and out for `manage.py forecast`: CSV, CSV.gz or Parquet, every fault named by file, line and
column."""

from __future__ import annotations

import csv
import gzip
import io
import os
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.engine.types import FREQUENCIES, FloatArray, Panel

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("unique_id", "ds", "y")
UNKNOWN = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "null", "NULL", "None")
NUMERIC = ("y", "in_stock")
LARGEST = 1e15
MOST_PERIODS = 200_000
MOST_CELLS = 200_000_000
YEARS = (1900, 2100)
NO_DATE = "is not a date (YYYY-MM-DD) or a whole number"
CLOCK = r"^(.*\d[Tt ]\d{2}.*?)\s*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"


class PanelFileError(ValueError):
    """A file that cannot be used; the message is one line: file, line, column, fault."""


@dataclass(frozen=True)
class PanelFile:
    """A panel and what is needed to write its future: ds of the last period, how ds was given (integer = plain whole
    numbers; pattern = dates written as whole numbers, %Y%m%d or %Y%m), and the columns no method uses."""

    panel: Panel
    last: Any
    integer: bool
    pattern: str | None
    month_end: bool
    covariates: tuple[str, ...]
    rows: int


def read_table(path: Path) -> pd.DataFrame:
    """The file as text and numbers; PanelFileError for anything unreadable."""
    import pandas as pd

    if not path.is_file():
        raise PanelFileError(f"{path}: no such file")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.name.endswith((".csv", ".csv.gz")):
            _refuse_other_widths(path)
            return pd.read_csv(
                path,
                dtype={"unique_id": str},
                index_col=False,
                keep_default_na=False,
                na_values={"unique_id": [""], "ds": [""]} | {c: list(UNKNOWN) for c in NUMERIC},
            )
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


def read_panel(path: Path, freq: str) -> PanelFile:
    """Long file → panel. Missing periods between a series' first row and the panel's last period are zeros; an empty y
    is unknown.

    Two rows of one series in one period are an error (which of them is meant?): aggregate before. Lines count the
    header as 1.
    """
    import pandas as pd

    if freq not in FREQUENCIES:
        raise PanelFileError(f"--freq {freq}: one of {', '.join(FREQUENCIES)} expected")
    table = read_table(path)
    require_columns(path, table, REQUIRED)
    if table.empty:
        raise PanelFileError(f"{path}: line 2: no rows below the header")
    first_bad(path, (table.unique_id.isna() | (table.unique_id == "")).to_numpy(dtype=bool), "unique_id", "is empty")
    ids = table.unique_id.astype(str)
    demand = _numbers(path, table, "y")
    first_bad(path, np.isfinite(demand) & (np.abs(demand) > LARGEST), "y", "is beyond 10^15", table.y)
    period, stamps, pattern = _periods(path, table.ds, freq)
    integer = stamps is None
    codes, names = pd.factorize(ids, sort=True)
    _refuse_too_wide(path, period, ids, table.ds, len(names), freq)
    _refuse_duplicates(path, codes, period, ids)
    begin, width = int(period.min()), int(period.max() - period.min()) + 1
    column = (period - begin).astype(np.int64)
    starts = np.full(len(names), width, dtype=np.int64)
    np.minimum.at(starts, codes, column)
    values = np.where(np.arange(width)[None, :] >= starts[:, None], 0.0, np.nan)
    values[codes, column] = demand
    in_stock = None
    if "in_stock" in table.columns:
        share = _numbers(path, table, "in_stock")
        first_bad(path, (share < 0) | (share > 1), "in_stock", "is not a share between 0 and 1", table.in_stock)
        in_stock = np.ones_like(values)
        in_stock[codes, column] = np.nan_to_num(share, nan=1.0)
    covariates = tuple(str(c) for c in table.columns if c not in {*REQUIRED, "in_stock"})
    origin = None if stamps is None else stamps.min().to_pydatetime()
    last = int(period.max()) if stamps is None else stamps.max()
    month_end = stamps is not None and freq in "MQY" and bool(stamps.dt.is_month_end.all())
    panel = Panel(tuple(str(n) for n in names), values, starts, in_stock, freq, origin)
    return PanelFile(panel, last, integer, pattern, month_end, covariates, len(table))


def _numbers(path: Path, table: pd.DataFrame, column: str) -> FloatArray:
    import pandas as pd

    raw = table[column]
    numbers = pd.to_numeric(raw, errors="coerce")
    first_bad(path, (numbers.isna() & raw.notna()).to_numpy(), column, "is not a number", raw)
    return numbers.to_numpy(dtype=float)


def _periods(path: Path, ds: pd.Series, freq: str) -> tuple[np.ndarray, pd.Series | None, str | None]:
    """Whole period numbers of ds, its timestamps (None for plain numbers), and how dates are written as numbers."""
    import pandas as pd

    first_bad(path, ds.isna().to_numpy(), "ds", "is empty")
    if pd.api.types.is_float_dtype(ds):
        first_bad(path, (ds % 1 != 0).to_numpy() | (ds.abs() > LARGEST).to_numpy(), "ds", NO_DATE, ds)
        ds = ds.astype(np.int64)
    pattern = None
    if pd.api.types.is_integer_dtype(ds):
        first_bad(path, (ds.abs() > 2**62).to_numpy(), "ds", "is too large", ds)
        pattern = _pattern_of(path, ds, freq)
        if pattern is None:
            return ds.to_numpy(dtype=np.int64), None, None
        stamps = pd.to_datetime(ds.astype(str), format=pattern)
    else:
        stamps = _stamps(path, ds, freq)
    year = stamps.dt.year.to_numpy()
    first_bad(
        path, (year < YEARS[0]) | (year > YEARS[1]), "ds", f"is not between the years {YEARS[0]} and {YEARS[1]}", ds
    )
    if freq == "W":
        days = (stamps - stamps.min()).dt.days.to_numpy()
        return days // 7, stamps, pattern
    naive = stamps.dt.tz_localize(None)
    return naive.dt.to_period({"H": "h"}.get(freq, freq)).astype("int64").to_numpy(), stamps, pattern


def _pattern_of(path: Path, ds: pd.Series, freq: str) -> str | None:
    """%Y%m%d for whole numbers that are calendar dates like 20240131, %Y%m for months like 202401; None for plain ones.

    Where most are dates and one is not (20240231), that one is refused: the rest cannot be mere numbers.
    """
    import pandas as pd

    kinds = {"%Y%m%d": (10_000, "DWMQY"), "%Y%m": (100, "MQ")}
    for pattern, (unit, freqs) in kinds.items():
        if freq not in freqs or not ds.between(YEARS[0] * unit, (YEARS[1] + 1) * unit - 1).all():
            continue
        real = pd.to_datetime(ds.astype(str), format=pattern, errors="coerce").notna()
        if real.mean() > 0.5:
            first_bad(path, ~real.to_numpy(), "ds", "is no date of the calendar; write dates as 2024-01-31", ds)
            return pattern
    return None


def _stamps(path: Path, ds: pd.Series, freq: str) -> pd.Series:
    """Timestamps of ds. With offsets from UTC: hours become UTC (a local clock repeats one in autumn), other periods
    keep the date that was written."""
    import pandas as pd

    hours = freq == "H"
    try:
        if pd.api.types.is_datetime64_any_dtype(ds):
            aware = ds.dt.tz is not None
            stamps = ds.dt.tz_convert("UTC") if aware and hours else ds.dt.tz_localize(None)
        else:
            text = ds.astype(str)
            local = text.str.replace(CLOCK, r"\1", regex=True)
            utc = hours and bool((local != text).any())
            stamps = pd.to_datetime(text if utc else local, errors="coerce", format="ISO8601", utc=utc)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise PanelFileError(f"{path}: column ds: {NO_DATE}: {' '.join(str(error).split())}") from error
    first_bad(path, stamps.isna().to_numpy(), "ds", NO_DATE, ds)
    return stamps


def _refuse_too_wide(path: Path, period: np.ndarray, ids: pd.Series, ds: pd.Series, series: int, freq: str) -> None:
    """A wrong date or another unit of time makes a panel of millions of periods: name it instead of running out of
    memory."""
    low, high = int(period.min()), int(period.max())
    width = high - low + 1
    if width <= MOST_PERIODS and width * series <= MOST_CELLS:
        return
    middle = int(np.median(period))
    at = int(period.argmax() if high - middle >= middle - low else period.argmin())
    raise PanelFileError(
        f"{path}: line {at + 2}: column ds: {ds.iloc[[at]].tolist()[0]!r} of {ids.iloc[at]!r} makes {width:,} periods "
        f"of --freq {freq} × {series:,} series; at most {MOST_PERIODS:,} periods and {MOST_CELLS:,} cells. "
        "A wrong date, or seconds where periods are meant?"
    )


def _refuse_duplicates(path: Path, codes: np.ndarray, period: np.ndarray, ids: pd.Series) -> None:
    order = np.lexsort((np.arange(len(codes)), period, codes))
    same = (np.diff(codes[order]) == 0) & (np.diff(period[order]) == 0)
    if same.any():
        at = int(np.flatnonzero(same)[0])
        one, two = int(order[at]), int(order[at + 1])
        raise PanelFileError(
            f"{path}: line {two + 2}: column ds: second row of {ids.iloc[two]!r} in the same period "
            f"(first: line {one + 2})"
        )


def future_stamps(file: PanelFile, horizon: int) -> Any:
    """ds of the horizon periods after the panel's last one, in the file's own manner."""
    if file.integer:
        return np.arange(file.last + 1, file.last + 1 + horizon)
    stamps = _future_dates(file, horizon)
    return stamps if file.pattern is None else stamps.strftime(file.pattern).astype(np.int64)


def _future_dates(file: PanelFile, horizon: int) -> Any:
    import pandas as pd

    freq = file.panel.freq
    if freq in "HDW":
        unit = {"H": pd.Timedelta(hours=1), "D": pd.Timedelta(days=1), "W": pd.Timedelta(days=7)}[freq]
        return pd.DatetimeIndex([file.last + unit * h for h in range(1, horizon + 1)])
    months = {"M": 1, "Q": 3, "Y": 12}[freq]
    ahead = [file.last + pd.DateOffset(months=months * h) for h in range(1, horizon + 1)]
    return pd.DatetimeIndex([d + pd.offsets.MonthEnd(0) for d in ahead] if file.month_end else ahead)


def quantile_names(levels: Sequence[float]) -> list[str]:
    """0.5 → q_0.5."""
    return [f"q_{level:g}" for level in levels]


def write_all(tables: Sequence[tuple[Path, Any]]) -> None:
    """Write every (path, DataFrame or text) beside its place, then move all into place: a failure leaves nothing half
    written."""
    written: list[tuple[str, Path]] = []
    try:
        for path, content in tables:
            handle, name = tempfile.mkstemp(
                dir=path.parent, prefix=f".{path.name}.", suffix="".join(path.suffixes[-2:])
            )
            os.close(handle)
            written.append((name, path))
            if isinstance(content, str):
                Path(name).write_text(content, encoding="utf-8")
            elif path.suffix == ".parquet":
                content.to_parquet(name, index=False)
            else:
                content.to_csv(name, index=False, compression="gzip" if path.suffix == ".gz" else None)
        for name, path in written:
            os.chmod(name, 0o644)
            os.replace(name, path)
    finally:
        for name, _ in written:
            Path(name).unlink(missing_ok=True)


def check_output(path: Path, kinds: tuple[str, ...]) -> Path:
    """An output path whose folder exists and whose kind is known."""
    if not path.name.endswith(kinds):
        raise PanelFileError(f"{path}: output must end in {', '.join(kinds)}")
    if not path.parent.is_dir():
        raise PanelFileError(f"{path}: folder {path.parent} does not exist")
    return path
