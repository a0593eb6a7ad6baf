"""A table becomes a panel: its periods, its gaps, its limits; and the days of the panel's future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.engine.types import FREQUENCIES, FloatArray, IntArray, Panel
from forecasting.panel_covariates import Cells, Found, add_columns, add_future, add_static
from forecasting.table_files import REQUIRED, PanelFileError, first_bad, read_table, require_columns

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 1e15
MOST_PERIODS = 200_000
MOST_CELLS = 200_000_000
YEARS = (1900, 2100)
NO_DATE = "is not a date (YYYY-MM-DD) or a whole number"
CLOCK = r"^(.*\d[Tt ]\d{2}.*?)\s*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"


@dataclass(frozen=True)
class PanelFile:
    """A panel and what is needed to write its future: ds of the last period, how ds was given (integer = plain whole
    numbers; pattern = dates written as whole numbers, %Y%m%d or %Y%m), and what was made of each covariate."""

    panel: Panel
    last: Any
    integer: bool
    pattern: str | None
    month_end: bool
    covariates: dict[str, str]
    rows: int
    warnings: tuple[str, ...] = ()


def read_panel(
    path: Path, freq: str, *, static: Path | None = None, future: Path | None = None, ahead: int = 0
) -> PanelFile:
    """Long file → panel. Missing periods between a series' first row and the panel's last period are zeros; an empty y
    is unknown. Rows may stand in any order.

    Two rows of one series in one period are an error (which of them is meant?): aggregate before. Lines count the
    header as 1. Further columns, `static` and `future` (its first `ahead` periods after the last one) become
    covariates.
    """
    if freq not in FREQUENCIES:
        raise PanelFileError(f"--freq {freq}: one of {', '.join(FREQUENCIES)} expected")
    table = read_table(path)
    require_columns(path, table, REQUIRED)
    if table.empty:
        raise PanelFileError(f"{path}: line 2: no rows below the header")
    first_bad(path, (table.unique_id.isna() | (table.unique_id == "")).to_numpy(dtype=bool), "unique_id", "is empty")
    codes, names = coded(table.unique_id)
    ids = table.unique_id
    demand = _numbers(path, table, "y")
    first_bad(path, np.isfinite(demand) & (np.abs(demand) > LARGEST), "y", "is beyond 10^15", table.y)
    period, stamps, pattern = _periods(path, table.ds, freq)
    integer = stamps is None
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
    cells = Cells(codes, column, ids, table.ds)
    found = Found(width, ahead)
    add_columns(found, path, table, cells, len(names))
    origin = None if stamps is None else stamps.min().to_pydatetime()
    last = int(period.max()) if stamps is None else stamps.max()
    month_end = stamps is not None and freq in "MQY" and bool(stamps.dt.is_month_end.all())
    rows, warnings = len(table), mixed_frequency(codes, column, names, freq)
    del table
    if static is not None:
        side = read_table(static)
        require_columns(static, side, ("unique_id",))
        add_static(found, static, side, names)
    if future is not None:
        side = read_table(future)
        require_columns(future, side, ("unique_id", "ds"))
        add_future(found, future, side, _future_cells(future, side, freq, begin, integer, stamps, names), names)
    panel = Panel(names, values, starts, in_stock, freq, origin, found.covariates())
    return PanelFile(panel, last, integer, pattern, month_end, found.remarks, rows, warnings)


LEAST_ROWS = 5


def mixed_frequency(codes: IntArray, column: IntArray, names: tuple[str, ...], freq: str) -> tuple[str, ...]:
    """A warning where series have rows only at every k-th period, k ≥ 2: weekly rows read as days, for instance."""
    order = np.lexsort((column, codes))
    same = np.diff(codes[order]) == 0
    if not same.any():
        return ()
    gap = np.where(same, np.diff(column[order]), 0)
    owner = codes[order][1:]
    step = np.zeros(len(names), dtype=np.int64)
    np.gcd.at(step, owner[same], gap[same])
    sparse = np.flatnonzero((step > 1) & (np.bincount(codes, minlength=len(names)) >= LEAST_ROWS))
    if not len(sparse):
        return ()
    more = f" and {len(sparse) - 1} more" if len(sparse) > 1 else ""
    return (
        f"series {names[sparse[0]]!r}{more}: rows only at every {step[sparse[0]]} periods of --freq {freq}; "
        "zeros stand between them",
    )


def coded(ids: pd.Series) -> tuple[IntArray, tuple[str, ...]]:
    """(rows,) place of each row's series among the names, and the names as text, sorted."""
    import pandas as pd

    categories = ids.astype("category").cat
    places, names = pd.factorize(categories.categories.astype(str), sort=True)
    return np.asarray(places, dtype=np.int64)[categories.codes.to_numpy()], tuple(str(n) for n in names)


def _future_cells(
    path: Path,
    table: pd.DataFrame,
    freq: str,
    begin: int,
    integer: bool,
    stamps: pd.Series | None,
    names: tuple[str, ...],
) -> Cells:
    """Rows of --future in the panel's own periods; unknown series and periods beyond the horizon are passed over."""
    import pandas as pd

    if table.empty:
        return Cells(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), table.unique_id, table.ds)
    period, own, _pattern = _periods(path, table.ds, freq, None if stamps is None else stamps.min())
    if (own is None) != integer:
        wanted = "whole numbers" if integer else "dates"
        raise PanelFileError(f"{path}: column ds: {wanted} expected, as in the panel")
    row = pd.Index(names).get_indexer(pd.Index(table.unique_id.astype(str)))
    row = np.where(row < 0, -1 - np.arange(len(row)), row)
    _refuse_duplicates(path, row, period, table.unique_id)
    return Cells(row.astype(np.int64), (period - begin).astype(np.int64), table.unique_id, table.ds)


def _numbers(path: Path, table: pd.DataFrame, column: str) -> FloatArray:
    import pandas as pd

    raw = table[column]
    numbers = pd.to_numeric(raw, errors="coerce")
    first_bad(path, (numbers.isna() & raw.notna()).to_numpy(), column, "is not a number", raw)
    return numbers.to_numpy(dtype=float)


def _periods(
    path: Path, ds: pd.Series, freq: str, first: Any = None
) -> tuple[np.ndarray, pd.Series | None, str | None]:
    """Whole period numbers of ds, its timestamps (None for plain numbers), and how dates are written as numbers. Weeks
    are counted from `first`, else from the earliest of them."""
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
        days = (stamps - (stamps.min() if first is None else first)).dt.days.to_numpy()
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
