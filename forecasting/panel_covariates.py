"""The further columns of a panel file, its --static and its --future become the engine's covariates, each of them named
in the report with what was assumed about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.engine.types import Covariates, FloatArray, IntArray
from forecasting.table_files import UNKNOWN, PanelFileError, first_bad

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("unique_id", "ds", "y", "in_stock")
MOST_VALUES = 8
"""Values of a text column over time that become covariates of their own; the rarer ones share "other"."""


@dataclass
class Found:
    """Covariates under construction: (n, T + ahead) or (n, T) arrays by name, and remarks for the report."""

    periods: int
    ahead: int
    known: dict[str, FloatArray] = field(default_factory=dict)
    past: dict[str, FloatArray] = field(default_factory=dict)
    static: dict[str, FloatArray] = field(default_factory=dict)
    categories: dict[str, IntArray] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)

    def covariates(self) -> Covariates | None:
        if not (self.known or self.past or self.static or self.categories):
            return None
        return Covariates(self.known, self.past, self.static, self.categories, self.ahead if self.known else 0)


@dataclass(frozen=True)
class Cells:
    """Where the rows of a table stand in the panel: row and column each, −1 = outside."""

    row: IntArray
    column: IntArray
    ids: Any
    ds: Any


def add_columns(found: Found, path: Path, table: pd.DataFrame, cells: Cells, n: int) -> None:
    """Columns of IN beside the four keys: past values, (n, T); a text that never changes within a series is a
    category."""
    for name in (str(c) for c in table.columns if c not in KEYS):
        for label, numbers in numeric_columns(path, table, name):
            found.past[label] = spread(numbers, cells, n, found.periods)
            found.remarks[label] = "past only"
    for name in [*found.past]:
        _fill(found.past, name)


def add_future(found: Found, path: Path, table: pd.DataFrame, cells: Cells, ids: Sequence[str]) -> None:
    """Columns of --future are known ahead; price and promotion of IN are then known ahead too. What they leave open:
    the last price goes on, no promotion; of any other column a series must have all of the horizon or none of it."""
    n, width = len(ids), found.periods + found.ahead
    given = [str(c) for c in table.columns if c not in KEYS]
    for name in given:
        for label, numbers in numeric_columns(path, table, name):
            ahead = spread(numbers, cells, n, width)
            before = found.past.pop(label, None)
            if before is not None:
                past = ahead[:, : found.periods]
                ahead[:, : found.periods] = np.where(np.isnan(past), before, past)
            if base_of(label) not in FILLED:
                _refuse_half(path, label, ahead[:, found.periods :], ids)
            found.known[label] = ahead
            found.remarks[label] = "known ahead"
    for label in [name for name in found.past if base_of(name) in FILLED]:
        blank = np.full((n, found.ahead), np.nan)
        found.known[label] = np.concatenate([found.past.pop(label), blank], axis=1)
        found.remarks[label] = "not in --future"
    for label in found.known:
        _assume(found, label)


FILLED = ("price", "promotion")


def base_of(label: str) -> str:
    return label.split("=", 1)[0]


def _fill(arrays: dict[str, FloatArray], name: str) -> None:
    """Between the rows of a series: no promotion, and the price of before (of after, before the first one)."""
    base = base_of(name)
    if base == "promotion":
        arrays[name] = np.nan_to_num(arrays[name])
    if base == "price":
        arrays[name] = carried(arrays[name])


def _assume(found: Found, label: str) -> None:
    open_cells = np.isnan(found.known[label][:, found.periods :])
    _fill(found.known, label)
    if not open_cells.any():
        return
    assumed = {"price": "the last price carried on", "promotion": "no promotion"}.get(base_of(label), "unknown")
    series = int(open_cells.any(axis=1).sum())
    found.remarks[label] += f"; {int(open_cells.sum())} future periods of {series} series not given: {assumed}"


def carried(values: FloatArray) -> FloatArray:
    """(n, C) every unknown value replaced by the one before it; before the first, by the first."""
    known = np.isfinite(values)
    column = np.arange(values.shape[1])[None, :]
    last = np.maximum.accumulate(np.where(known, column, -1), axis=1)
    first = np.where(known.any(axis=1), known.argmax(axis=1), 0)
    return np.take_along_axis(values, np.where(last < 0, first[:, None], last), axis=1)


def _refuse_half(path: Path, label: str, ahead: FloatArray, ids: Sequence[str]) -> None:
    open_cells = np.isnan(ahead)
    half = open_cells.any(axis=1) & ~open_cells.all(axis=1)
    if half.any():
        row = int(np.flatnonzero(half)[0])
        step = int(np.flatnonzero(open_cells[row])[0]) + 1
        raise PanelFileError(
            f"{path}: column {label}: series {ids[row]!r} has {int((~open_cells[row]).sum())} of "
            f"{ahead.shape[1]} future periods; period {step} after the last one is missing. Give all of them or none"
        )


def numeric_columns(path: Path, table: pd.DataFrame, name: str) -> list[tuple[str, FloatArray]]:
    """A column as numbers; a text as one 0/1 column a value, named column=value (the 8 most frequent, then other)."""
    import pandas as pd

    raw = table[name]
    if pd.api.types.is_numeric_dtype(raw):
        values = raw.to_numpy(dtype=float, na_value=np.nan)
        first_bad(path, np.isinf(values), name, "is not a finite number", raw)
        return [(name, values)]
    numbers = pd.to_numeric(raw, errors="coerce")
    empty = (raw.isna() | raw.astype(str).str.strip().isin(UNKNOWN)).to_numpy(dtype=bool)
    if not (numbers.isna().to_numpy() & ~empty).any():
        values = numbers.to_numpy(dtype=float)
        first_bad(path, np.isinf(values), name, "is not a finite number", raw)
        return [(name, values)]
    text = raw.astype(str)
    common = text[~empty].value_counts(sort=True).index[:MOST_VALUES].sort_values()
    out = [(f"{name}={value}", np.where(empty, 0.0, (text == value).to_numpy(dtype=float))) for value in common]
    rare = ~text.isin(common).to_numpy() & ~empty
    return [*out, (f"{name}=other", rare.astype(float))] if rare.any() else out


def spread(numbers: FloatArray, cells: Cells, n: int, width: int) -> FloatArray:
    """(n, width) the numbers in their cells; NaN where no row stands."""
    out = np.full((n, width), np.nan)
    inside = (cells.row >= 0) & (cells.column >= 0) & (cells.column < width)
    out[cells.row[inside], cells.column[inside]] = numbers[inside]
    return out


def add_static(found: Found, path: Path, table: pd.DataFrame, ids: Sequence[str]) -> None:
    """--static: one row a unique_id; numbers as they are, text as codes in the order of its values."""
    import pandas as pd

    names = table["unique_id"].astype(str)
    twice = names.duplicated().to_numpy()
    first_bad(path, twice, "unique_id", "stands twice; one row a series expected", names)
    place = pd.Index(names).get_indexer(pd.Index(list(ids)))
    missing = int((place < 0).sum())
    for name in (str(c) for c in table.columns if c != "unique_id"):
        raw = table[name]
        numbers = pd.to_numeric(raw, errors="coerce")
        if (numbers.isna() & raw.notna() & ~raw.astype(str).str.strip().isin(UNKNOWN)).any():
            codes = pd.factorize(raw.astype("string"), sort=True)[0]
            found.categories[name] = np.where(place < 0, -1, codes[place]).astype(np.int64)
            kind = "category"
        else:
            values = numbers.to_numpy(dtype=float)
            first_bad(path, np.isinf(values), name, "is not a finite number", raw)
            found.static[name] = np.where(place < 0, np.nan, values[place])
            kind = "number of the series"
        found.remarks[name] = kind + (f"; unknown for {missing} series" if missing else "")
