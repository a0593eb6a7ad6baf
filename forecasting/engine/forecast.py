"""The door of the engine: every series forecast by the method its backtest supports, with quantiles of steps, windows
and intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from forecasting.engine.assemble import ChunkForecast, forecast_chunk
from forecasting.engine.backtest import describe_backtest
from forecasting.engine.costly import affordable, full_mode_seconds
from forecasting.engine.newcomers.kinship import Kinship
from forecasting.engine.newcomers.phaseout import forecast_kin
from forecasting.engine.newcomers.reading import fading_of
from forecasting.engine.pool import fit_pooled
from forecasting.engine.predict import Pooled
from forecasting.engine.types import MODES, Choice, FloatArray, IntArray, Panel, PanelForecast

CHUNK = 512
FULL_SECONDS = 8.0


def forecast_panel(
    panel: Panel,
    *,
    horizon: int,
    quantiles: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.99),
    windows: Sequence[int] = (),
    per_series_windows: IntArray | None = None,
    season: int | tuple[int, ...] | None = None,
    seed: int = 0,
    budget_seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    pooled: Pooled | None = None,
    kinship: Kinship | None = None,
    mode: str = "everyday",
) -> PanelForecast:
    """Forecast every series of the panel `horizon` periods ahead.

    quantiles           levels in (0, 1).
    windows             quantiles of the SUM of demand over the first k periods, for each k (may exceed the horizon).
    per_series_windows  (n,) each series' own protection interval in periods (≥ 1).
    season              season length in periods; None = the frequency's own where the history holds it twice.
    budget_seconds      wall time the caller grants; sets how many fast series also try the costly methods
                        (deterministic: a count derived from the budget, no clock is read). None = none, in full mode
                        the few that keep its speed.
    pooled              `fit_pooled` of the whole panel; None = fitted here. Its longest window must cover the calls'
    windows.
    mode                "everyday", or "full": boosted trees over the panel compete with the everyday methods. Read only
                        where the pooled fit is made here; a `pooled` given brings its own.
    kinship             predecessors, launches and ends of the panel's rows, where a planner knows them.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
    levels = check_levels(quantiles)
    asked = tuple(int(k) for k in windows)
    if horizon < 1 or any(k < 1 for k in asked):
        raise ValueError("horizon and windows must be at least 1 period")
    n = len(panel.ids)
    own = None if per_series_windows is None else np.asarray(per_series_windows, dtype=np.int64)
    if own is not None and (own.shape != (n,) or (n and own.min() < 1)):
        raise ValueError(f"per_series_windows must hold {n} whole numbers of at least 1 period")
    longest = max([horizon, *asked, *([int(own.max())] if own is not None and n else [])])
    if pooled is None:
        pooled = fit_pooled(
            panel,
            quantiles=levels,
            horizon=horizon,
            windows=asked,
            max_window=longest,
            season=season,
            seed=seed,
            mode=mode,
        )
    if pooled.calendar.horizon < longest or len(pooled.calendar.closed) != panel.values.shape[1]:
        raise ValueError("pooled was fitted for another history or a shorter window: pass max_window to fit_pooled")
    if kinship is not None:
        plain = partial(
            forecast_panel, horizon=horizon, quantiles=levels, budget_seconds=budget_seconds, pooled=pooled, mode=mode
        )
        return forecast_kin(
            panel,
            kinship,
            lambda some, sums, each: plain(some, windows=sums, per_series_windows=each),
            asked,
            own,
            pooled.calendar.rhythm.block,
            fading_of(pooled.newcomers),
        )
    parts: list[ChunkForecast] = []
    for begin in range(0, n, CHUNK):
        rows = slice(begin, min(begin + CHUNK, n))
        parts.append(
            forecast_chunk(
                panel.take(rows),
                pooled,
                horizon,
                levels,
                asked,
                None if own is None else own[rows],
                costly_series(budget_seconds, rows.stop - begin, n, mode, panel.covariates is not None),
            )
        )
        if progress is not None:
            progress(rows.stop, n)
    result = join(panel.ids, horizon, levels, asked, own, parts, unread(panel, pooled))
    return replace(result, backtest=describe_backtest(pooled.plan, [part.held_out for part in parts]))


def unread(panel: Panel, pooled: Pooled) -> tuple[str, ...]:
    """Covariates over time that no method read: all of them where no trees were grown."""
    known = panel.covariates
    return () if known is None or pooled.boosted is not None else tuple(sorted({*known.known, *known.past}))


def mode_within(mode: str, budget_seconds: float | None, series: int, freq: str) -> str:
    """The asked mode, or "everyday" where the budget does not hold what the full one usually takes: 8 s and 1/100 s a
    series, weeks, months and longer 1/200 s. 1,000 daily series: 18 s."""
    each = 0.01 if freq in ("D", "H") else 0.005
    short = budget_seconds is not None and budget_seconds < FULL_SECONDS + each * series
    return "everyday" if short else mode


def check_levels(quantiles: Sequence[float]) -> tuple[float, ...]:
    """Ascending quantile levels, each inside (0, 1), at least one."""
    levels = tuple(sorted({float(q) for q in quantiles}))
    if not levels or levels[0] <= 0 or levels[-1] >= 1:
        raise ValueError(f"quantiles must lie strictly between 0 and 1, got {list(quantiles)}")
    return levels


def costly_series(budget_seconds: float | None, chunk: int, n: int, mode: str, covariates: bool) -> int:
    """How many series of a chunk may try the costly methods: what a quarter of the budget affords; without a budget, in
    full mode the few that keep its speed, else none."""
    if budget_seconds is None and mode != "full":
        return 0
    seconds = full_mode_seconds(n) if budget_seconds is None else 0.25 * budget_seconds
    return affordable(seconds, chunk, n, covariates)


def join(
    ids: tuple[str, ...],
    horizon: int,
    levels: tuple[float, ...],
    windows: tuple[int, ...],
    own: IntArray | None,
    parts: list[ChunkForecast],
    unused: tuple[str, ...],
) -> PanelForecast:
    """Chunks one after the other, in the panel's order."""
    q, w = len(levels), len(windows)

    def stack(name: str, *empty: int) -> FloatArray:
        return np.concatenate([getattr(p, name) for p in parts]) if parts else np.zeros((0, *empty))

    choices: list[Choice] = [c for p in parts for c in p.choices]
    return PanelForecast(
        ids=ids,
        horizon=horizon,
        levels=levels,
        windows=windows,
        mean=stack("mean", horizon),
        quantiles=stack("quantiles", horizon, q),
        window_mean=stack("window_mean", w),
        window_quantiles=stack("window_quantiles", w, q),
        choices=choices,
        protection_periods=own,
        protection_mean=None if own is None else stack("own_mean"),
        protection_sd=None if own is None else stack("own_sd"),
        protection_quantiles=None if own is None else stack("own_quantiles", q),
        unused=unused,
    )


__all__ = ["Pooled", "fit_pooled", "forecast_panel"]
