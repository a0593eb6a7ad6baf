"""One chunk of series from history to forecast: clean, backtest, choose, and read the quantiles of the chosen
method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.classify import demand_classes, demand_intervals
from forecasting.engine.cleaning import Cleaned, clean
from forecasting.engine.explain import benchmark_of, build_choices
from forecasting.engine.fallbacks import CONSTANT, SHORT, ZERO, Fallbacks, dispersion_of, find_fallbacks, gamma_spread
from forecasting.engine.frame import Frame, build_frame
from forecasting.engine.methods import EMPIRICAL, PATH_METHODS, POOLED
from forecasting.engine.methods.empirical import empirical_step, empirical_window
from forecasting.engine.methods.pooled import Features, features_of, floored, key_features, log_events, pooled_path
from forecasting.engine.methods.theta import try_theta
from forecasting.engine.predict import Pooled, take_rows, window_ratios
from forecasting.engine.selection import CLASS_SHRINKAGE, backtest_losses, choose
from forecasting.engine.types import Choice, FloatArray, IntArray, Panel

LEVEL_TABLES = "moving_average"


@dataclass(frozen=True)
class ChunkForecast:
    """Arrays of one chunk, named and shaped as in PanelForecast (own_* = protection_*, empty when not asked)."""

    mean: FloatArray
    quantiles: FloatArray
    window_mean: FloatArray
    window_quantiles: FloatArray
    own_mean: FloatArray
    own_sd: FloatArray
    own_quantiles: FloatArray
    choices: list[Choice]


def forecast_chunk(
    panel: Panel,
    pooled: Pooled,
    horizon: int,
    levels: tuple[float, ...],
    windows: tuple[int, ...],
    own: IntArray | None,
    theta: int,
) -> ChunkForecast:
    """Forecast some series under what the whole panel taught; the result of a series does not depend on its
    neighbours."""
    cleaned = clean(panel)
    frame = build_frame(cleaned, pooled.calendar).at(pooled.plan.columns)
    features = features_of(frame)
    paths = {m.name: floored(m.path(frame), frame, features) for m in PATH_METHODS}
    paths[POOLED] = pooled_path(frame, features, np.stack([fit.betas for fit in pooled.fits]))
    classes = demand_classes(*demand_intervals(cleaned.demand, frame.open_share))
    losses = backtest_losses(pooled, cleaned, frame, features, paths)
    verdict = choose(losses, classes, pooled.standing, benchmark_of(pooled), few=pooled.series < CLASS_SHRINKAGE)
    names = [verdict.methods[i] for i in verdict.chosen]
    theta_rows = try_theta(frame, cleaned, pooled, features, losses, verdict, classes, theta, paths)
    fallbacks = find_fallbacks(cleaned, pooled.calendar.rhythm.min_history, verdict.folds)
    if not pooled.standing:
        names = [POOLED if pooled.fits[-1].tables.get(POOLED) else LEVEL_TABLES for _ in names]
    for row in theta_rows:
        names[row] = "theta"
    reader = _Reader(cleaned, frame, features, pooled, levels)
    out = reader.blank(len(panel.ids), horizon, windows, own)
    labels = np.array(names, dtype=object)
    labels[fallbacks.code == SHORT] = "own_mean"
    labels[np.isin(fallbacks.code, (ZERO, CONSTANT))] = ""
    for name in sorted(set(labels) - {""}):
        rows = np.flatnonzero(labels == name)
        path = (
            own_mean_path(frame, rows) if name == "own_mean" else None if name == EMPIRICAL else paths[name][rows, -1]
        )
        reader.fill(out, str(name), rows, path, windows, own)
    _fill_constant(out, cleaned, fallbacks, windows, own)
    choices = build_choices(names, verdict, losses, fallbacks, classes, cleaned, pooled)
    ordered = (
        np.maximum.accumulate(np.maximum(out[k], 0.0), axis=-1)
        for k in ("quantiles", "window_quantiles", "own_quantiles")
    )
    quantiles, window_quantiles, own_quantiles = ordered
    return ChunkForecast(
        out["mean"],
        quantiles,
        out["window_mean"],
        grow_with_window(window_quantiles, windows),
        out["own_mean"],
        out["own_sd"],
        own_quantiles,
        choices,
    )


def own_mean_path(frame: Frame, rows: np.ndarray) -> FloatArray:
    """(r, H) Σ demand / Σ weight over all that was observed, × seasonal factor."""
    level = frame.demand[rows].sum(axis=1) / np.maximum(frame.weight[rows].sum(axis=1), 1e-9)
    return level[:, None] * frame.factor[rows, -1]


def grow_with_window(quantiles: FloatArray, windows: tuple[int, ...]) -> FloatArray:
    """A longer window never has a lower quantile: demand is not negative. (n, w, q), windows in any order."""
    order = np.argsort(windows, kind="stable")
    out = quantiles.copy()
    out[:, order] = np.maximum.accumulate(quantiles[:, order], axis=1)
    return out


def pick_levels(ratios: FloatArray, have: tuple[float, ...], want: tuple[float, ...]) -> FloatArray:
    """(…, q) ratios at the wanted levels; between kept levels linear."""
    position = np.interp(want, have, np.arange(len(have), dtype=float))
    low = np.floor(position).astype(np.int64)
    share = position - low
    return ratios[..., low] * (1 - share) + ratios[..., np.minimum(low + 1, len(have) - 1)] * share


def _fill_constant(
    out: dict[str, FloatArray], cleaned: Cleaned, fallbacks: Fallbacks, windows: tuple[int, ...], own: IntArray | None
) -> None:
    rows = np.flatnonzero(fallbacks.code == CONSTANT)
    value = cleaned.actual[rows].max(axis=1, initial=0.0)
    out["mean"][rows] = value[:, None]
    out["quantiles"][rows] = value[:, None, None]
    for j, window in enumerate(windows):
        out["window_mean"][rows, j] = value * window
        out["window_quantiles"][rows, j] = (value * window)[:, None]
    if own is not None:
        out["own_mean"][rows] = value * own[rows]
        out["own_quantiles"][rows] = (value * own[rows])[:, None]


class _Reader:
    """Reads a method's quantiles off the tables for groups of series."""

    def __init__(
        self, cleaned: Cleaned, frame: Frame, features: Features, pooled: Pooled, levels: tuple[float, ...]
    ) -> None:
        self.cleaned, self.frame, self.features, self.pooled, self.levels = cleaned, frame, features, pooled, levels
        self.dispersion = dispersion_of(cleaned)

    def blank(self, n: int, horizon: int, windows: tuple[int, ...], own: IntArray | None) -> dict[str, FloatArray]:
        q, m = len(self.levels), n if own is not None else 0
        return {
            "mean": np.zeros((n, horizon)),
            "quantiles": np.zeros((n, horizon, q)),
            "window_mean": np.zeros((n, len(windows))),
            "window_quantiles": np.zeros((n, len(windows), q)),
            "own_mean": np.zeros(m),
            "own_sd": np.zeros(m),
            "own_quantiles": np.zeros((m, q)),
        }

    def fill(
        self,
        out: dict[str, FloatArray],
        name: str,
        rows: np.ndarray,
        path: FloatArray | None,
        windows: tuple[int, ...],
        own: IntArray | None,
    ) -> None:
        horizon = out["mean"].shape[1]
        out["mean"][rows], out["quantiles"][rows] = self.steps(name, rows, path, horizon)
        for j, window in enumerate(windows):
            out["window_mean"][rows, j], out["window_quantiles"][rows, j], _ = self.window(
                name, rows, path, np.full(len(rows), window)
            )
        if own is not None:
            out["own_mean"][rows], out["own_quantiles"][rows], out["own_sd"][rows] = self.window(
                name, rows, path, own[rows]
            )

    def table_name(self, name: str) -> str:
        """Tables of methods that have none of their own: those of their nearest relative."""
        return {"own_mean": LEVEL_TABLES, "theta": "ses"}.get(name, name)

    def steps(
        self, name: str, rows: np.ndarray, path: FloatArray | None, horizon: int
    ) -> tuple[FloatArray, FloatArray]:
        """Means (r, h) and quantiles (r, h, q) of single steps."""
        if path is None:
            return self.empirical_steps(rows, horizon)
        quantiles = np.zeros((len(rows), horizon, len(self.levels)))
        tables = self.pooled.steps.get(self.table_name(name), {})
        some = take_rows(self.features, rows, -1)
        for b, (first, last) in enumerate(self.pooled.calendar.blocks):
            for h in range(first, min(last, horizon)):
                table = tables.get(b)
                if table is None:
                    quantiles[:, h] = gamma_spread(path[:, h], self.dispersion[rows], self.levels)
                    continue
                key = log_events(some, self.frame.factor[rows, -1, h])
                model = self.pooled.step_keys.get(b)
                if name == POOLED and model is not None:
                    key = model.key(key_features(some, key))
                quantiles[:, h] = path[:, h, None] * pick_levels(table.at(key), table.levels, self.levels)
        return path[:, :horizon], quantiles

    def empirical_steps(self, rows: np.ndarray, horizon: int) -> tuple[FloatArray, FloatArray]:
        quantiles, means = np.zeros((len(rows), horizon, len(self.levels))), np.zeros((len(rows), horizon))
        part = self.rows_of_frame(rows)
        season = self.frame.season
        for h in range(min(season, horizon)):
            values, mean = empirical_step(part, self.cleaned.actual[rows], self.cleaned.exposure[rows], h, self.levels)
            quantiles[:, h::season], means[:, h::season] = values[:, None], mean[:, None]
        return means, quantiles

    def rows_of_frame(self, rows: np.ndarray) -> Frame:
        f = self.frame
        return Frame(
            f.demand[rows],
            f.weight[rows],
            f.open_share[rows],
            f.starts[rows],
            f.origins,
            f.factor[rows],
            f.swing,
            f.calendar,
        )

    def window(
        self, name: str, rows: np.ndarray, path: FloatArray | None, windows: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Means (r,), quantiles (r, q) and standard deviations (r,) of the sum over the first windows[i] steps of each
        row."""
        if path is None:
            return self.empirical_windows(rows, windows)
        index = (windows - 1)[:, None]
        mean = np.take_along_axis(path.cumsum(axis=1), index, axis=1)[:, 0]
        expected = np.take_along_axis(self.frame.factor[rows, -1].cumsum(axis=1), index, axis=1)[:, 0]
        found = window_ratios(
            self.table_name(name), self.pooled.fits[-1], windows, take_rows(self.features, rows, -1), expected
        )
        if found is None:
            dispersion = self.dispersion[rows]
            return mean, gamma_spread(mean, dispersion, self.levels), np.sqrt(mean * dispersion)
        ratios, spread = found
        return mean, mean[:, None] * pick_levels(ratios, self.pooled.levels, self.levels), mean * spread

    def empirical_windows(self, rows: np.ndarray, windows: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        mean, sd, quantiles = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros((len(rows), len(self.levels)))
        present = int(self.frame.origins[-1])
        for window in np.unique(windows):
            at = np.flatnonzero(windows == window)
            part = self.rows_of_frame(rows[at])
            quantiles[at], mean[at], sd[at] = empirical_window(
                part,
                self.cleaned.actual[rows[at]],
                self.cleaned.exposure[rows[at]],
                present,
                int(window),
                self.levels,
            )
        return mean, quantiles, sd
