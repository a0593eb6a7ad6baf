"""Means and quantiles of a chunk of series from the learnt trees."""

from __future__ import annotations

import numpy as np

from forecasting.engine.boosted.cases import Cases, build_cases
from forecasting.engine.boosted.model import Boosted, Moment, at_levels, pick
from forecasting.engine.cleaning import Cleaned
from forecasting.engine.frame import Frame
from forecasting.engine.methods import POOLED
from forecasting.engine.methods.pooled import Features, key_features, log_events, pooled_path
from forecasting.engine.predict import Pooled, take_rows, window_ratios
from forecasting.engine.types import Covariates, FloatArray, IntArray


class BoostedReader:
    """Reads the trees for some series whose frame holds the fold origins and, last, the present."""

    def __init__(
        self,
        pooled: Pooled,
        boosted: Boosted,
        frame: Frame,
        features: Features,
        cleaned: Cleaned,
        covariates: Covariates | None,
    ) -> None:
        self.pooled, self.boosted, self.frame, self.features = pooled, boosted, frame, features
        self.path = pooled_path(frame, features, np.stack([fit.betas for fit in pooled.fits]))
        self.cases: Cases = build_cases(frame, features, cleaned, covariates, self.path)

    def moment(self, column: int) -> Moment | None:
        """The models that may be asked at this fold (or the present); None where too little had been seen: there the
        pooled method stands in."""
        index = self.boosted.group[column]
        return self.boosted.moments[index] if index >= 0 else None

    def table(self, rows: IntArray, column: int, first: IntArray, last: IntArray) -> FloatArray:
        return self.cases.table(rows, np.full(len(rows), column), first, last)

    def mean_path(self, column: int, longest: int, rows: IntArray | None = None) -> FloatArray:
        """(r, longest) corrected means at one origin, block by block or, where something is known ahead, step by
        step."""
        rows = np.arange(len(self.path)) if rows is None else rows
        out = self.path[rows, column, :longest].copy()
        model = self.moment(column)
        if model is None:
            return out
        for first, last in self.spans(longest):
            begin, end = np.full(len(rows), first), np.full(len(rows), last)
            factor = model.correction(self.table(rows, column, begin, end))
            out[:, first : min(last, longest)] *= factor[:, None]
        return out

    def spans(self, longest: int) -> list[tuple[int, int]]:
        blocks = [b for b in self.frame.calendar.blocks if b[0] < longest]
        return [(h, h + 1) for h in range(longest)] if self.boosted.by_step else blocks

    def window_quantiles(
        self, column: int, rows: IntArray, windows: IntArray, levels: tuple[float, ...]
    ) -> tuple[FloatArray, FloatArray]:
        """(r, q) quantiles of the sum over windows[i] steps of row i, and (r,) relative spreads of the pooled
        tables."""
        nothing = np.zeros(len(rows), dtype=np.int64)
        columns = np.full(len(rows), column)
        expected = self.cases.ahead[rows, columns, windows]
        some = take_rows(self.features, rows, column)
        found = window_ratios(POOLED, self.pooled.fits[column], windows, some, expected)
        if found is None:
            found = np.ones((len(rows), len(self.pooled.levels))), np.ones(len(rows))
        model = self.moment(column)
        if model is None:
            ratios = pick(found[0], self.pooled.levels, levels)
        else:
            anchors = model.anchors(self.table(rows, column, nothing, windows), steps=False)
            if self.boosted.shifts is not None:
                anchors = anchors + self.boosted.shifts.at(log_events(some, expected))
            ratios = at_levels(anchors, found[0], self.pooled.levels, levels)
        return ratios * self.cases.expected(rows, columns, nothing, windows)[:, None], found[1]

    def step_quantiles(self, rows: IntArray, horizon: int, levels: tuple[float, ...]) -> FloatArray:
        """(r, h, q) quantiles of single steps at the present."""
        column = len(self.frame.origins) - 1
        out = np.zeros((len(rows), horizon, len(levels)))
        some = take_rows(self.features, rows, column)
        tables = self.pooled.steps.get(POOLED, {})
        model = self.moment(column)
        if model is None:
            raise ValueError("no trees were learnt for the present")
        for b, (first, last) in enumerate(self.frame.calendar.blocks):
            for h in range(first, min(last, horizon)):
                begin = np.full(len(rows), h)
                anchors = model.anchors(self.table(rows, column, begin, begin + 1), steps=True)
                key = log_events(some, self.frame.factor[rows, column, h])
                if b in self.pooled.step_keys:
                    key = self.pooled.step_keys[b].key(key_features(some, key))
                rough = tables[b].at(key) if b in tables else np.ones((len(rows), len(self.pooled.levels)))
                ratios = at_levels(anchors, rough, self.pooled.levels, levels)
                out[:, h] = ratios * self.path[rows, column, h, None]
        return out


def reader_of(
    pooled: Pooled, frame: Frame, features: Features, cleaned: Cleaned, covariates: Covariates | None
) -> BoostedReader | None:
    """The reader of a chunk, None where nothing was boosted."""
    if pooled.boosted is None:
        return None
    return BoostedReader(pooled, pooled.boosted, frame, features, cleaned, covariates)
