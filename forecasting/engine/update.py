"""One more day without a refit: yesterday's tables and methods read at today's end of history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forecasting.engine.assemble import Writer
from forecasting.engine.cleaning import Cleaned, clean
from forecasting.engine.fallbacks import Fallbacks, find_fallbacks
from forecasting.engine.frame import Frame, build_frame
from forecasting.engine.lines import Line
from forecasting.engine.methods import EMPIRICAL, PATH_METHODS, POOLED
from forecasting.engine.methods.pooled import features_of
from forecasting.engine.newcomers.reading import youth_of
from forecasting.engine.predict import Pooled
from forecasting.engine.reading import LEVEL_TABLES
from forecasting.engine.trial import pooled_line
from forecasting.engine.types import Choice, FloatArray, IntArray, Panel, PanelForecast

CHUNK = 512
MOST_PERIODS_AHEAD = 14


def shift_present(pooled: Pooled, periods: int, closed: FloatArray | None = None) -> Pooled:
    """The same tables for a history of `periods` periods, up to 14 more than the one they were learnt from.

    The panel must begin with the same first period as before and only have grown at its end. The present moves; the
    folds, the seasonal profiles and the yearly swing stay those of the fit. closed (k,): 1 where a new period was a
    holiday for the whole panel (see `closed_days`), None = none was.
    """
    calendar = pooled.calendar
    more = periods - len(calendar.closed)
    if not 0 <= more <= MOST_PERIODS_AHEAD:
        raise ValueError(
            f"pooled was fitted for another history: {len(calendar.closed)} periods, serving up to "
            f"{MOST_PERIODS_AHEAD} more, "
            f"got {periods}"
        )
    if more == 0:
        return pooled
    days = np.zeros(more) if closed is None else np.asarray(closed, dtype=float)
    if days.shape != (more,):
        raise ValueError(f"closed must hold one number for each of the {more} new periods")
    origins = np.array([*calendar.origins[:-1], periods], dtype=np.int64)
    moved = replace(calendar, origins=origins, closed=np.concatenate([calendar.closed, days]))
    return replace(pooled, calendar=moved, plan=replace(pooled.plan, origins=origins))


def advance_panel(
    panel: Panel,
    pooled: Pooled,
    methods: Sequence[str] | Sequence[Choice],
    *,
    horizon: int,
    quantiles: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.99),
    windows: Sequence[int] = (),
    per_series_windows: IntArray | None = None,
    closed: FloatArray | None = None,
) -> PanelForecast:
    """Forecast every series from its new last period by the method chosen before, without folds and without a refit.

    Equals `forecast_panel(panel, pooled=shift_present(pooled, T))` wherever that chooses the same methods. Series that
    are short, new, constant or unsold are recognised anew. A costly method of one series (theta, ETS, ARIMA) is not
    fitted again: the pooled method stands in for it until the next run.
    """
    now = shift_present(pooled, panel.values.shape[1], closed)
    levels, asked = tuple(sorted({float(q) for q in quantiles})), tuple(int(k) for k in windows)
    names = [usable(m.method if isinstance(m, Choice) else m, now) for m in methods]
    if len(names) != len(panel.ids):
        raise ValueError(f"methods: {len(names)} names for {len(panel.ids)} series")
    own = None if per_series_windows is None else np.asarray(per_series_windows, dtype=np.int64)
    parts = []
    for begin in range(0, len(names), CHUNK):
        rows = slice(begin, begin + CHUNK)
        part = None if own is None else own[rows]
        parts.append(_advance_chunk(panel.take(rows), now, names[rows], horizon, levels, asked, part))
    return _joined(panel, parts, names, horizon, levels, asked, own)


def usable(name: str, pooled: Pooled) -> str:
    """The method itself where it is one of the panel's, else the one that stands in for it."""
    known = {m.name for m in PATH_METHODS} | {EMPIRICAL, POOLED}
    stand_in = POOLED if pooled.fits[-1].tables.get(POOLED) else LEVEL_TABLES
    return name if name in known else stand_in


def _advance_chunk(
    panel: Panel,
    pooled: Pooled,
    names: list[str],
    horizon: int,
    levels: tuple[float, ...],
    windows: tuple[int, ...],
    own: IntArray | None,
) -> dict[str, FloatArray]:
    cleaned = clean(panel)
    # The first fold comes along: the season that Holt–Winters starts from is the one known there.
    columns = np.unique(pooled.plan.columns[[0, -1]])
    frame = build_frame(cleaned, pooled.calendar, columns)
    features = features_of(frame)
    lines = {m.name: _line_of(m.name, names, frame) for m in PATH_METHODS if m.name in names}
    lines[POOLED] = pooled_line(frame, features, pooled.fits[-1].betas)
    writer = Writer(panel, cleaned, frame, features, pooled, levels)
    return writer.write(names, _fallbacks(panel, cleaned, pooled), lines, {}, horizon, windows, own)


def _line_of(name: str, names: list[str], frame: Frame) -> Line:
    """The states of one method, worked out only for the series that use it; those of the others are 0."""
    rows = np.flatnonzero(np.array(names, dtype=object) == name)
    part = replace(
        frame,
        demand=frame.demand[rows],
        weight=frame.weight[rows],
        open_share=frame.open_share[rows],
        starts=frame.starts[rows],
        factor=frame.factor[rows],
    )
    line = next(m for m in PATH_METHODS if m.name == name).line(part)

    def spread(values: FloatArray | None) -> FloatArray | None:
        if values is None:
            return None
        out = np.zeros((len(names), *values.shape[1:]))
        out[rows] = values
        return out

    level = spread(line.level)
    return replace(
        line, level=line.level if level is None else level, trend=spread(line.trend), cycle=spread(line.cycle)
    )


def _fallbacks(panel: Panel, cleaned: Cleaned, pooled: Pooled) -> Fallbacks:
    tested = np.ones(len(panel.ids), dtype=np.int64)
    young = youth_of(pooled.newcomers, panel.covariates)
    return find_fallbacks(cleaned, pooled.calendar.rhythm.min_history, tested, *young)


def _joined(
    panel: Panel,
    parts: list[dict[str, FloatArray]],
    names: list[str],
    horizon: int,
    levels: tuple[float, ...],
    windows: tuple[int, ...],
    own: IntArray | None,
) -> PanelForecast:
    shapes = {
        "mean": (horizon,),
        "quantiles": (horizon, len(levels)),
        "window_mean": (len(windows),),
        "window_quantiles": (len(windows), len(levels)),
        "own_mean": (),
        "own_sd": (),
        "own_quantiles": (len(levels),),
    }
    every = {k: np.concatenate([np.zeros((0, *s)), *(p[k] for p in parts)]) for k, s in shapes.items()}
    reason = "yesterday's method and tables at the new end of history"
    return PanelForecast(
        panel.ids,
        horizon,
        levels,
        windows,
        every["mean"],
        every["quantiles"],
        every["window_mean"],
        every["window_quantiles"],
        [Choice(name, reason, "", reason_code="carried_on") for name in names],
        own,
        None if own is None else every["own_mean"],
        None if own is None else every["own_sd"],
        None if own is None else every["own_quantiles"],
    )
