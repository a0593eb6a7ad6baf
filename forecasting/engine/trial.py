"""The trial of all methods on the rolling origins: every method's window sums, quantiles and losses at every fold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.frame import Frame
from forecasting.engine.kernels.empirical import past_quantiles
from forecasting.engine.kernels.history import mean_step, span_sums
from forecasting.engine.kernels.scoring import score_quantiles, score_tables
from forecasting.engine.lines import Line, windows_as_spans
from forecasting.engine.methods import EMPIRICAL, POOLED
from forecasting.engine.methods.empirical import LEAST_SHARE_SEEN, MEMORY_BLOCKS
from forecasting.engine.methods.pooled import LEAST_SHARE, SHIFT_CAP, SWING_DAMPING, Features, design
from forecasting.engine.predict import Pooled, take_rows, window_key, window_ratios
from forecasting.engine.selection import Losses
from forecasting.engine.types import FloatArray, IntArray

SCORED_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


def pooled_line(frame: Frame, features: Features, betas: FloatArray) -> Line:
    """`pooled_path` as a Line; betas (O, B, p) belong to each origin's own past, or (B, p) to all."""
    shape = (*features.base.shape, frame.swing.shape[1])
    blocks = np.broadcast_to(np.exp(SWING_DAMPING * frame.swing)[None], shape).copy()
    for b in range(shape[2] if betas.shape[-1] else 0):
        own = np.broadcast_to(betas[..., b, :], (shape[1], betas.shape[-1]))
        shift = np.einsum("nop,op->no", design(features, frame, b), own)
        blocks[:, :, b] *= np.exp(np.clip(shift, -SHIFT_CAP, SHIFT_CAP))
    return Line(features.base, blocks=blocks)


def backtest_losses(
    pooled: Pooled, cleaned: Cleaned, frame: Frame, features: Features, paths: Mapping[str, FloatArray | Line]
) -> Losses:
    """Score every method on every fold. frame, features and paths hold the fold origins first (and the present last,
    unused here);
    the quantiles of fold f use only `pooled.fits[f]`, learnt from windows that had ended by then. A path given as a
    Line is floored as `floored` does (all but the pooled method's); an array (n, O, H) is taken as it is."""
    plan = pooled.plan
    count = len(plan.folds)
    methods = (*paths, EMPIRICAL)
    trial = _Trial(pooled, cleaned, frame.at(np.arange(count)), features)
    shape = (len(methods), *trial.actual.shape)
    loss, mean, within, band = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros((*shape, 2))
    if count:
        for m, name in enumerate(methods):
            if name == EMPIRICAL:
                trial.empirical(mean[m], loss[m], within[m], band[m])
            else:
                mean[m] = trial.sums(name, paths[name])
                trial.score(name, mean[m], loss[m], within[m], band[m])
    return Losses(
        methods,
        np.moveaxis(loss, 0, 3),
        np.moveaxis(mean, 0, 3),
        np.moveaxis(within, 0, 3),
        trial.actual,
        trial.valid,
        trial.scale,
        np.moveaxis(band, 0, 3),
    )


class _Trial:
    """One chunk on trial: what was really sold in the held-out windows, and how a method's sums are judged by it."""

    def __init__(self, pooled: Pooled, cleaned: Cleaned, frame: Frame, features: Features) -> None:
        self.pooled, self.cleaned, self.frame, self.features = pooled, cleaned, frame, features
        self.scored = pooled.plan.scored
        self.windows: IntArray = np.array(self.scored, dtype=np.int64)
        self.taus = np.array(SCORED_LEVELS)
        self.pick = [pooled.levels.index(t) for t in SCORED_LEVELS]
        folds = len(frame.origins)
        self.spans = windows_as_spans(self.scored)
        self.actual, seen = span_sums(cleaned.actual, cleaned.exposure, frame.origins, self.spans, LEAST_SHARE_SEEN)
        self.valid = seen & frame.known()[:, :, None]
        first = int(frame.origins[0]) if folds else cleaned.actual.shape[1]
        scale = mean_step(cleaned.actual, cleaned.exposure, first)
        self.scale = np.where(scale > 0, scale, 1.0)
        self.unit = self.scale[:, None] * np.sqrt(self.windows)
        one = np.ones(features.base[:, :folds].shape)
        self.expected = Line(one).sums(frame, 0.0 * one, self.spans)
        self.chance, self.base = features.chance[:, :folds, None], features.base[:, :folds]
        self.events = np.log(self.chance * self.expected + 1e-3)

    def sums(self, name: str, path: FloatArray | Line) -> FloatArray:
        """(n, F, K) a method's mean of every held-out window."""
        folds = len(self.frame.origins)
        if not isinstance(path, Line):
            return path[:, :folds].cumsum(axis=2)[:, :, self.windows - 1]
        floor = (0.0 if name == POOLED else LEAST_SHARE) * self.base
        return path.take(np.arange(folds)).sums(self.frame, floor, self.spans)

    def keys(self, name: str) -> FloatArray:
        """(n, F, K) which cell of comparable cases each window belongs to."""
        if name != POOLED:
            return self.events
        out = self.events.copy()
        rows = np.arange(len(out))
        for f in range(out.shape[1]):
            some = take_rows(self.features, rows, f)
            for k, window in enumerate(self.scored):
                out[:, f, k] = window_key(name, self.pooled.fits[f], window, some, self.events[:, f, k])
        return out

    def score(self, name: str, mean: FloatArray, loss: FloatArray, within: FloatArray, band: FloatArray) -> None:
        """Fill the losses of one method from its means."""
        tables = [[fit.tables.get(name, {}).get(k) for k in self.scored] for fit in self.pooled.fits[: mean.shape[1]]]
        widest = max([len(t.keys) for row in tables for t in row if t is not None], default=1)
        cells = np.zeros((mean.shape[1], mean.shape[2]), dtype=np.int64)
        keys = np.zeros((*cells.shape, widest))
        ratios = np.zeros((*cells.shape, widest, len(self.taus)))
        for f, row in enumerate(tables):
            for k, table in enumerate(row):
                if table is not None:
                    cells[f, k] = len(table.keys)
                    keys[f, k, : cells[f, k]], ratios[f, k, : cells[f, k]] = table.keys, table.ratios[:, self.pick]
        score_tables(self.actual, mean, self.keys(name), cells, keys, ratios, self.unit, self.taus, loss, within, band)
        for f, k in zip(*np.nonzero(cells == 0), strict=True):
            self.score_between(name, int(f), int(k), mean, loss, within, band)

    def score_between(
        self, name: str, f: int, k: int, mean: FloatArray, loss: FloatArray, within: FloatArray, band: FloatArray
    ) -> None:
        """A window without a table of its own (too few cases): ratios between its neighbours', or 1."""
        rows = np.arange(len(mean))
        some = take_rows(self.features, rows, f)
        window = np.full(len(rows), self.scored[k])
        found = window_ratios(name, self.pooled.fits[f], window, some, self.expected[:, f, k])
        ratios = np.ones((len(rows), len(self.taus))) if found is None else found[0][:, self.pick]
        self.judge(f, k, mean[:, f, k, None] * ratios, loss, within, band)

    def judge(
        self, f: int, k: int, quantiles: FloatArray, loss: FloatArray, within: FloatArray, band: FloatArray
    ) -> None:
        """Fill the losses of one fold and window from quantiles (n, q)."""
        n = len(quantiles)
        one, inside, edges = np.zeros(n), np.zeros(n), np.zeros((n, 2))
        score_quantiles(
            np.ascontiguousarray(self.actual[:, f, k]),
            np.ascontiguousarray(quantiles),
            np.ascontiguousarray(self.unit[:, k]),
            self.taus,
            one,
            inside,
            edges,
        )
        loss[:, f, k], within[:, f, k], band[:, f, k] = one, inside, edges

    def empirical(self, mean: FloatArray, loss: FloatArray, within: FloatArray, band: FloatArray) -> None:
        """The series' own past sums, read at every fold."""
        rhythm = self.frame.calendar.rhythm
        quantiles, mean[:] = past_quantiles(
            self.cleaned.actual,
            self.cleaned.exposure,
            self.cleaned.starts,
            self.frame.origins,
            self.windows,
            self.frame.season,
            MEMORY_BLOCKS * rhythm.block,
            LEAST_SHARE_SEEN,
            self.taus,
        )
        for f in range(mean.shape[1]):
            for k in range(mean.shape[2]):
                self.judge(f, k, quantiles[:, f, k], loss, within, band)
