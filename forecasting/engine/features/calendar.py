"""The calendar ahead of each origin: days of the week and of the month, months, pay-days. The same for every series.

Holidays and closures differ by country and shop; they come as known covariates (`holiday`, `closed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np

from forecasting.engine.types import FloatArray, IntArray, Panel

PAYDAYS = (1, 15, 28)
"""Days of the month around which wages are paid: the first, the middle, and the last working days."""
YEAR_DAYS = 365.25
STEP_DAYS = {"H": 1 / 24, "D": 1.0, "W": 7.0, "M": 30.4375, "Q": 91.3125, "Y": 365.25}


def calendar_features(panel: Panel, origins: IntArray, windows: Sequence[int]) -> tuple[list[str], FloatArray]:
    """(names, x (O, W, p)): year_sin, year_cos of the window's middle; for days also payday (share of the window that
    is one), weekend (share) and weekday (0 = Monday, of the first step). p = 0 for a panel of plain numbers."""
    shape = (len(origins), len(windows))
    if panel.origin_ds is None:
        return [], np.zeros((*shape, 0))
    begin = panel.origin_ds if isinstance(panel.origin_ds, datetime) else datetime.combine(panel.origin_ds, _midnight)
    first = begin.replace(tzinfo=None)
    start = np.asarray(origins)[:, None] + np.zeros(len(windows), dtype=np.int64)[None, :]
    end = start + np.asarray(windows)[None, :]
    angle = 2 * np.pi * (_day_of_year(first) + (start + end) / 2 * STEP_DAYS[panel.freq]) / YEAR_DAYS
    names, columns = ["year_sin", "year_cos"], [np.sin(angle), np.cos(angle)]
    if panel.freq == "D":
        last = int(end.max()) if end.size else 0
        days = [first.date() + timedelta(days=i) for i in range(last)]
        names += ["payday", "weekend", "weekday"]
        columns.append(_share(paydays(days), start, end))
        columns.append(_share(np.array([float(d.weekday() >= 5) for d in days]), start, end))
        columns.append((first.weekday() + start) % 7 + 0.0)
    return names, np.stack(columns, axis=-1)


_midnight = datetime.min.time()


def _day_of_year(day: datetime) -> float:
    return float(day.timetuple().tm_yday - 1)


def paydays(days: Sequence[date]) -> FloatArray:
    """(T,) 1 on the usual pay-days 1, 15 and 28 and, where one falls on a weekend, on the Friday before.

    2026-02-28 is a Saturday: Friday the 27th is one too.
    """
    flags = np.zeros(len(days))
    for i, day in enumerate(days):
        ahead = [day + timedelta(days=k) for k in (1, 2)] if day.weekday() == 4 else []
        flags[i] = float(any(d.day in PAYDAYS for d in (day, *ahead)))
    return flags


def _share(flags: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    sums = np.concatenate([[0.0], np.cumsum(flags)])
    return (sums[last] - sums[first]) / np.maximum(last - first, 1)
