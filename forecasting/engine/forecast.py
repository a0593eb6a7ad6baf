"""The door of the engine: every series forecast by the method its backtest supports, with quantiles of steps, windows
and intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from forecasting.engine.assemble import ChunkForecast, forecast_chunk
from forecasting.engine.pool import fit_pooled
from forecasting.engine.predict import Pooled
from forecasting.engine.types import Choice, FloatArray, IntArray, Panel, PanelForecast

CHUNK = 512


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
    known_future: Mapping[str, FloatArray] | None = None,
    pooled: Pooled | None = None,
) -> PanelForecast:
    """Forecast every series of the panel `horizon` periods ahead.

    quantiles           levels in (0, 1).
    windows             quantiles of the SUM of demand over the first k periods, for each k (may exceed the horizon).
    per_series_windows  (n,) each series' own protection interval in periods (≥ 1).
    season              season length in periods; None = the frequency's own where the history holds it twice.
    budget_seconds      wall time the caller grants; sets how many smooth fast series also get the Theta method
    (deterministic: a count
                        derived from the budget, no clock is read). None = none.
    known_future        covariates known ahead; not used by the present methods and named in `unused`.
    pooled              `fit_pooled` of the whole panel; None = fitted here. Its longest window must cover the calls'
    windows.
    """
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
            panel, quantiles=levels, horizon=horizon, windows=asked, max_window=longest, season=season, seed=seed
        )
    if pooled.calendar.horizon < longest or len(pooled.calendar.closed) != panel.values.shape[1]:
        raise ValueError("pooled was fitted for another history or a shorter window: pass max_window to fit_pooled")
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
                theta_series(budget_seconds, rows.stop - begin, n),
            )
        )
        if progress is not None:
            progress(rows.stop, n)
    return join(panel.ids, horizon, levels, asked, own, parts, tuple(sorted(known_future or ())))


def check_levels(quantiles: Sequence[float]) -> tuple[float, ...]:
    """Ascending quantile levels, each inside (0, 1), at least one."""
    levels = tuple(sorted({float(q) for q in quantiles}))
    if not levels or levels[0] <= 0 or levels[-1] >= 1:
        raise ValueError(f"quantiles must lie strictly between 0 and 1, got {list(quantiles)}")
    return levels


def theta_series(budget_seconds: float | None, chunk: int, n: int) -> int:
    """How many series of a chunk may try Theta: a quarter of the budget at 0.1 s each, shared by chunks in proportion
    to their size."""
    if budget_seconds is None:
        return 0
    return int(0.25 * budget_seconds / 0.1 * chunk / max(n, 1))


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
