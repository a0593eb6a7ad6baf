"""One chunk of series from history to forecast: clean, backtest, choose, and read the quantiles of the chosen
method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecasting.engine.boosted.candidate import fill_boosted, with_boosted
from forecasting.engine.boosted.reader import BoostedReader, reader_of
from forecasting.engine.classify import demand_classes, demand_intervals
from forecasting.engine.cleaning import Cleaned, clean
from forecasting.engine.costly import means_of, try_costly
from forecasting.engine.explain import benchmark_of, build_choices
from forecasting.engine.fallbacks import CONSTANT, NEW, SHORT, TREND, ZERO, Fallbacks, find_fallbacks
from forecasting.engine.frame import Frame, build_frame
from forecasting.engine.lines import Line
from forecasting.engine.methods import BOOSTED, EMPIRICAL, PATH_METHODS, POOLED
from forecasting.engine.methods.pooled import LEAST_SHARE, Features, features_of, silent_beyond_chance
from forecasting.engine.newcomers.reading import youth_of
from forecasting.engine.predict import Pooled
from forecasting.engine.reading import LEVEL_TABLES, Reader
from forecasting.engine.rising import fading_trend
from forecasting.engine.selection import CLASS_SHRINKAGE, Losses, choose
from forecasting.engine.trial import backtest_losses, pooled_line
from forecasting.engine.types import Choice, FloatArray, IntArray, Panel
from forecasting.engine.whole import in_whole_units, sales_units

LEAST_WEIGHT = 0.1
Windows = tuple[int, ...]


@dataclass(frozen=True)
class ChunkForecast:
    """Arrays of one chunk, named and shaped as in PanelForecast (own_* = protection_*, empty when not asked); held_out
    (n, F, K, 4) as in Backtest."""

    mean: FloatArray
    quantiles: FloatArray
    window_mean: FloatArray
    window_quantiles: FloatArray
    own_mean: FloatArray
    own_sd: FloatArray
    own_quantiles: FloatArray
    choices: list[Choice]
    held_out: np.ndarray


def forecast_chunk(
    panel: Panel,
    pooled: Pooled,
    horizon: int,
    levels: tuple[float, ...],
    windows: Windows,
    own: IntArray | None,
    theta: int,
) -> ChunkForecast:
    """Forecast some series under what the whole panel taught; the result of a series does not depend on its
    neighbours."""
    cleaned = clean(panel)
    frame = build_frame(cleaned, pooled.calendar, pooled.plan.columns)
    features = features_of(frame)
    lines = {m.name: m.line(frame) for m in PATH_METHODS}
    lines[POOLED] = pooled_line(frame, features, np.stack([fit.betas for fit in pooled.fits]))
    classes = demand_classes(*demand_intervals(cleaned.demand, frame.open_share))
    losses = backtest_losses(pooled, cleaned, frame, features, lines)
    trees = reader_of(pooled, frame, features, cleaned, panel.covariates)
    losses = losses if trees is None else with_boosted(losses, trees)
    few = pooled.series < CLASS_SHRINKAGE
    silent = silent_beyond_chance(frame, features)
    verdict = choose(losses, classes, pooled.standing, benchmark_of(pooled), few=few, noise=pooled.noise, silent=silent)
    names = [verdict.methods[i] for i in verdict.chosen]
    won = try_costly(frame, cleaned, pooled, features, losses, verdict, classes, theta, panel.covariates)
    fallbacks = find_fallbacks(
        cleaned, pooled.calendar.rhythm.min_history, verdict.folds, *youth_of(pooled.newcomers, panel.covariates)
    )
    if not pooled.standing:
        names = [POOLED if pooled.fits[-1].tables.get(POOLED) else LEVEL_TABLES for _ in names]
    for row, (name, _) in won.items():
        names[row] = name
    writer = Writer(panel, cleaned, frame, features, pooled, levels)
    writer.trees = trees
    out = writer.write(names, fallbacks, lines, means_of(won, frame), horizon, windows, own)
    choices = build_choices(names, verdict, losses, fallbacks, classes, cleaned, pooled)
    return ChunkForecast(**out, choices=choices, held_out=held_out_of(losses, verdict.chosen))


def held_out_of(losses: Losses, chosen: np.ndarray) -> np.ndarray:
    """(n, F, K, 4) actual, mean, .5 and .95 quantile of the method the backtest chose; NaN where not observed."""
    rows, band = np.arange(len(chosen)), losses.band
    mean = losses.mean[rows, :, :, chosen]
    edges = np.zeros((*mean.shape, 2)) if band is None else band[rows, :, :, chosen]
    every = np.concatenate([losses.actual[..., None], mean[..., None], edges], axis=3)
    return np.where(losses.valid[..., None], every, np.nan).astype(np.float32)


class Writer:
    """Writes the forecasts of one chunk, group by group of series with the same method."""

    def __init__(
        self,
        panel: Panel,
        cleaned: Cleaned,
        frame: Frame,
        features: Features,
        pooled: Pooled,
        levels: tuple[float, ...],
    ) -> None:
        self.panel, self.cleaned, self.frame, self.features = panel, cleaned, frame, features
        self.reader = Reader(cleaned, frame, features, pooled, levels)
        self.trees: BoostedReader | None = None

    def write(
        self,
        names: list[str],
        fallbacks: Fallbacks,
        lines: Mapping[str, Line],
        unrolled: Mapping[str, FloatArray],
        horizon: int,
        windows: Windows,
        own: IntArray | None,
    ) -> dict[str, FloatArray]:
        """The arrays of a ChunkForecast; means come from `unrolled` (n, O, H) where a method is there, else from its
        line."""
        out = self.reader.blank(len(names), horizon, windows, own)
        labels = np.array(names, dtype=object)
        labels[fallbacks.code == SHORT] = "own_mean"
        labels[fallbacks.code == TREND] = "short_trend"
        labels[np.isin(fallbacks.code, (ZERO, CONSTANT, NEW))] = ""
        for name in sorted(set(labels) - {""}):
            rows = np.flatnonzero(labels == name)
            if name == BOOSTED and self.trees is not None:
                fill_boosted(out, self.trees, rows, self.reader.levels, windows, own)
                continue
            path = unrolled[name][rows, -1] if name in unrolled else self.present_path(name, rows, lines)
            self.reader.fill(out, str(name), rows, path, windows, own)
        _fill_constant(out, self.cleaned, fallbacks, windows, own)
        self.reader.fill_young(out, self.panel, np.flatnonzero(fallbacks.code == NEW), windows, own)
        whole = self.cleaned.demand == self.cleaned.actual
        units = sales_units(np.where(whole, self.cleaned.actual, 0.0))
        for key in ("quantiles", "window_quantiles", "own_quantiles"):
            ordered = np.maximum.accumulate(np.maximum(out[key], 0.0), axis=-1)
            out[key] = in_whole_units(ordered, units) if len(ordered) else ordered
        out["window_quantiles"] = grow_with_window(out["window_quantiles"], windows)
        return out

    def present_path(self, name: str, rows: IntArray, lines: Mapping[str, Line]) -> FloatArray | None:
        """(r, H) the mean path of some series from the present on, at least a tenth of the base level (all but the
        pooled method); None for the empirical quantiles, which have none."""
        if name == EMPIRICAL:
            return None
        factor = self.frame.factor[rows, -1]
        if name == "own_mean":
            return own_mean_path(self.frame, rows)
        if name == "short_trend":
            return short_trend_path(self.frame, rows)
        path = lines[name].at(rows, -1).unroll(factor[:, None], self.frame.origins[-1:], self.frame.calendar.blocks)
        floor = 0.0 if name == POOLED else LEAST_SHARE
        return np.maximum(path[:, 0], floor * self.features.base[rows, -1, None] * factor)


def own_mean_path(frame: Frame, rows: np.ndarray) -> FloatArray:
    """(r, H) Σ demand / Σ weight over all that was observed, × seasonal factor.

    A period weighs at least a tenth of a normal one: a single sale on a day that hardly ever sells is no giant.
    """
    seen = np.maximum(frame.weight[rows].sum(axis=1), LEAST_WEIGHT * frame.open_share[rows].sum(axis=1))
    level = frame.demand[rows].sum(axis=1) / np.maximum(seen, LEAST_WEIGHT)
    return level[:, None] * frame.factor[rows, -1]


def short_trend_path(frame: Frame, rows: np.ndarray) -> FloatArray:
    """(r, H) the fading trend of the deseasonalised periods × seasonal factor; a period of which under a tenth was seen
    tells no trend."""
    weight = frame.weight[rows]
    seen = weight > LEAST_WEIGHT
    level = np.where(seen, frame.demand[rows] / np.where(seen, weight, 1.0), 0.0)
    factor = frame.factor[rows, -1]
    return fading_trend(level, seen, factor.shape[1]) * factor


def grow_with_window(quantiles: FloatArray, windows: Windows) -> FloatArray:
    """A longer window never has a lower quantile: demand is not negative. (n, w, q), windows in any order."""
    order = np.argsort(windows, kind="stable")
    out = quantiles.copy()
    out[:, order] = np.maximum.accumulate(quantiles[:, order], axis=1)
    return out


def _fill_constant(
    out: dict[str, FloatArray], cleaned: Cleaned, fallbacks: Fallbacks, windows: Windows, own: IntArray | None
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
