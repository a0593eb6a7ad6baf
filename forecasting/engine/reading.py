"""Reading quantiles off the tables: single steps, fixed windows and each series' own interval, for groups of series of
one method."""

from __future__ import annotations

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.fallbacks import dispersion_of, gamma_spread
from forecasting.engine.frame import Frame
from forecasting.engine.kernels.scoring import ratios_at
from forecasting.engine.methods import POOLED, RELATIVES
from forecasting.engine.methods.empirical import empirical_step, empirical_window
from forecasting.engine.methods.pooled import Features, key_features, log_events
from forecasting.engine.newcomers.reading import NewStart
from forecasting.engine.predict import Pooled, take_rows, window_ratios
from forecasting.engine.types import FloatArray, IntArray, Panel

LEVEL_TABLES = "moving_average"


def pick_levels(ratios: FloatArray, have: tuple[float, ...], want: tuple[float, ...]) -> FloatArray:
    """(…, q) ratios at the wanted levels; between kept levels linear."""
    position = np.interp(want, have, np.arange(len(have), dtype=float))
    low = np.floor(position).astype(np.int64)
    share = position - low
    return ratios[..., low] * (1 - share) + ratios[..., np.minimum(low + 1, len(have) - 1)] * share


class Reader:
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

    def fill_young(
        self, out: dict[str, FloatArray], panel: Panel, rows: np.ndarray, windows: tuple[int, ...], own: IntArray | None
    ) -> None:
        """New items by what the panel's launches taught."""
        model = self.pooled.newcomers
        if model is None or not len(rows):
            return
        covariates = None if panel.covariates is None else panel.covariates.take(rows)
        start = NewStart(model, self.rows_of_frame(rows), self.dispersion[rows], covariates)
        out["mean"][rows], steps = start.steps(out["mean"].shape[1])
        out["quantiles"][rows] = pick_levels(steps, model.levels, self.levels)
        for j, window in enumerate(windows):
            out["window_mean"][rows, j], quantiles, _ = start.window(np.full(len(rows), window))
            out["window_quantiles"][rows, j] = pick_levels(quantiles, model.levels, self.levels)
        if own is not None:
            out["own_mean"][rows], quantiles, out["own_sd"][rows] = start.window(own[rows])
            out["own_quantiles"][rows] = pick_levels(quantiles, model.levels, self.levels)

    def table_name(self, name: str) -> str:
        """Tables of methods that have none of their own: those of their nearest relative."""
        return {"own_mean": LEVEL_TABLES, "short_trend": LEVEL_TABLES, **RELATIVES}.get(name, name)

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
            steps = slice(first, min(last, horizon))
            if first >= horizon:
                break
            table = tables.get(b)
            if table is None:
                for h in range(first, steps.stop):
                    quantiles[:, h] = gamma_spread(path[:, h], self.dispersion[rows], self.levels)
                continue
            key = self.step_keys(name, b, some, self.frame.factor[rows, -1, steps])
            ratios = ratios_at(key.ravel(), table.keys, pick_levels(table.ratios, table.levels, self.levels))
            quantiles[:, steps] = path[:, steps, None] * ratios.reshape(*key.shape, -1)
        return path[:, :horizon], quantiles

    def step_keys(self, name: str, block: int, some: Features, expected: FloatArray) -> FloatArray:
        """(r, h) keys of single steps; expected (r, h) exposure of each step in normal periods."""
        wide = Features(some.base[:, None], some.chance[:, None], some.x[:, None], some.spread[:, None])
        key = log_events(wide, expected)
        model = self.pooled.step_keys.get(block)
        if name != POOLED or model is None:
            return key
        shape = key.shape
        wide = Features(
            wide.base,
            wide.chance,
            np.broadcast_to(wide.x, (*shape, wide.x.shape[-1])),
            np.broadcast_to(wide.spread, (*shape, wide.spread.shape[-1])),
        )
        return model.key(key_features(wide, key))

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
        """Quantiles of the own past sums; the mean is the sum of the steps' means, so that days and sums agree."""
        sd, quantiles = np.zeros(len(rows)), np.zeros((len(rows), len(self.levels)))
        present = int(self.frame.origins[-1])
        phase, _ = self.empirical_steps(rows, self.frame.season)
        longest = int(windows.max(initial=1))
        ahead = np.tile(phase, (1, -(-longest // self.frame.season)))[:, :longest].cumsum(axis=1)
        mean = np.take_along_axis(ahead, (windows - 1)[:, None], axis=1)[:, 0]
        for window in np.unique(windows):
            at = np.flatnonzero(windows == window)
            part = self.rows_of_frame(rows[at])
            quantiles[at], _, sd[at] = empirical_window(
                part,
                self.cleaned.actual[rows[at]],
                self.cleaned.exposure[rows[at]],
                present,
                int(window),
                self.levels,
            )
        return mean, quantiles, sd
