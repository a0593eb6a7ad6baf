"""Fits every regression and ratio table of a run on the sampled series, as of each fold and as of the present.

All sums are taken once; a fold is the part of the cases that had ended by its origin, and one order of the cases by
their key serves all folds and methods.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecasting.engine.calibration import (
    MOST_CASES,
    KeyModel,
    Table,
    fit_key,
    poisson_regression,
    ratios_of,
    table_of_ordered,
)
from forecasting.engine.cleaning import Cleaned
from forecasting.engine.frame import Frame
from forecasting.engine.kernels.history import span_sums
from forecasting.engine.lines import Line, windows_as_spans
from forecasting.engine.methods import PATH_METHODS, POOLED
from forecasting.engine.methods.empirical import LEAST_SHARE_SEEN
from forecasting.engine.methods.pooled import (
    LEAST_SHARE,
    RATIO_CAP,
    Features,
    design,
    features_of,
    key_features,
    log_events,
)
from forecasting.engine.predict import Fit, Pooled
from forecasting.engine.seasonality import EPS
from forecasting.engine.trial import pooled_line
from forecasting.engine.types import BoolArray, FloatArray, IntArray

STEPS_PER_BLOCK = 3
STEP_CASES = 60_000
LEAST_KEY_CASES = 300
LEAST_STEP_FACTOR = 0.02
FOLD_STRIDE = 2


@dataclass(frozen=True)
class Cases:
    """Series × origins of one span, flat (N,): actual sums, log expected sales; ordered: those that may be learnt from,
    ascending in expected sales; some: every other origin of these, enough to choose methods by."""

    actual: FloatArray
    events: FloatArray
    valid: BoolArray
    ordered: IntArray
    some: IntArray


class Learner:
    """One instance per run. ends: the moment of each fold and, last, the present."""

    def __init__(self, frame: Frame, cleaned: Cleaned, base: Pooled) -> None:
        self.frame, self.base = frame, base
        self.features: Features = features_of(frame)
        self.ends = [int(base.plan.origins[c]) for c in base.plan.folds] + [int(base.plan.origins[-1])]
        self.known: BoolArray = frame.known() & (self.features.base > 1e-9)
        self.blocks = np.array(frame.calendar.blocks, dtype=np.int64).reshape(-1, 2)
        self.picks = [self.picked(b) for b in range(len(self.blocks))]
        self.windows = windows_as_spans(base.plan.windows)
        steps = [(h, h + 1) for picks in self.picks for h in picks]
        self.spans = np.concatenate([self.windows, np.array(steps, dtype=np.int64).reshape(-1, 2)])
        self.sold = self.actuals(cleaned, self.spans)
        self.block_sold = self.actuals(cleaned, self.blocks)
        one = np.ones(self.features.base.shape)
        self.ahead = Line(one).sums(frame, 0.0 * one, self.spans)

    def actuals(self, cleaned: Cleaned, spans: IntArray) -> tuple[FloatArray, BoolArray]:
        """(n, O, S) sums of the spans after every origin, and which may be learnt from."""
        total, valid = span_sums(cleaned.actual, cleaned.exposure, self.frame.origins, spans, LEAST_SHARE_SEEN)
        return total, valid & self.known[:, :, None]

    def picked(self, block: int) -> IntArray:
        """The steps of a block that stand for all of it: up to three, or one of each phase of the season."""
        first, last = self.blocks[block]
        wanted = min(last - first, max(STEPS_PER_BLOCK, self.base.calendar.season))
        return np.unique(np.linspace(first, last - 1, wanted).astype(np.int64))

    def ended(self, end: int, last: int) -> BoolArray:
        """(N,) the cases whose step `last` had passed by the moment `end`."""
        return np.broadcast_to(self.frame.origins + last <= end, self.known.shape).ravel()

    def learn(self) -> tuple[Pooled, dict[str, Line]]:
        """Everything learnt, and the lines of all methods at the folds and the present."""
        betas = self.regressions()
        count = len(self.ends)
        tables: list[dict[str, dict[int, Table]]] = [{} for _ in self.ends]
        keys: list[dict[int, KeyModel]] = [{} for _ in self.ends]
        steps: dict[str, dict[int, Table]] = {}
        kept: dict[str, Line] = {}
        cases = [self.cases(s) for s in range(len(self.spans))]
        for method in PATH_METHODS:
            line = method.line(self.frame)
            sums = self.sums(line, LEAST_SHARE, self.spans)
            for f in range(count):
                tables[f][method.name] = self.window_tables(f, cases, sums, None)
            steps[method.name] = self.step_tables(cases, sums, None)
            kept[method.name] = line.take(self.base.plan.columns)
        step_keys: dict[int, KeyModel] = {}
        for f in range(count):
            line = pooled_line(self.frame, self.features, betas[f])
            spans = self.spans if f == count - 1 else self.windows
            sums = self.sums(line, 0.0, spans)
            tables[f][POOLED] = self.window_tables(f, cases, sums, keys[f])
            if f == count - 1:
                steps[POOLED] = self.step_tables(cases, sums, step_keys)
        columns = self.base.plan.columns
        kept[POOLED] = pooled_line(self.frame.at(columns), self.at(columns), np.stack(betas))
        fits = tuple(Fit(b, t, k) for b, t, k in zip(betas, tables, keys, strict=True))
        return replace(self.base, fits=fits, steps=steps, step_keys=step_keys), kept

    def sums(self, line: Line, floor: float, spans: IntArray) -> FloatArray:
        """(S, N) the means of a method over each span, at least a share `floor` of the base level."""
        sums = line.sums(self.frame, floor * self.features.base, spans)
        return np.ascontiguousarray(np.moveaxis(sums, 2, 0)).reshape(len(spans), -1)

    def at(self, columns: IntArray) -> Features:
        """The features at some of the origins."""
        f = self.features
        return Features(f.base[:, columns], f.chance[:, columns], f.x[:, columns], f.spread[:, columns])

    def cases(self, span: int) -> Cases:
        actual, valid = self.sold[0][:, :, span].ravel(), self.sold[1][:, :, span].ravel()
        events = log_events(self.features, self.ahead[:, :, span]).ravel()
        rows = np.flatnonzero(valid)
        ordered = rows[np.argsort(events[rows], kind="stable")]
        count = len(self.frame.origins)
        some = ordered[(count - 1 - ordered % count) % FOLD_STRIDE == 0]
        return Cases(actual, events, valid, ordered, some)

    def regressions(self) -> list[FloatArray]:
        """(B, p) coefficients of the pooled means as of each moment: `fit_blocks`, each started from the last."""
        plain = pooled_line(self.frame, self.features, np.zeros((len(self.blocks), 0)))
        means = plain.sums(self.frame, 0.0 * self.features.base, self.blocks)
        found: list[list[FloatArray]] = [[] for _ in self.ends]
        for b, (_, last) in enumerate(self.blocks):
            x = design(self.features, self.frame, b).reshape(-1, self.features.x.shape[-1] + 2)
            actual, mean = self.block_sold[0][:, :, b].ravel(), means[:, :, b].ravel()
            usable = self.block_sold[1][:, :, b].ravel() & (mean > EPS)
            start: FloatArray | None = None
            for f, end in enumerate(self.ends):
                rows = np.flatnonzero(usable & self.ended(end, int(last)))
                if len(rows) < 20 * x.shape[1]:
                    found[f].append(found[f][-1] if found[f] else np.zeros(x.shape[1]))
                    continue
                rows = rows[:: -(-len(rows) // MOST_CASES)]
                ratio = np.minimum(actual[rows] / mean[rows], RATIO_CAP)
                some = x[rows]
                start = poisson_regression(some, ratio, np.minimum(1.0, np.exp(some[:, -1])), start=start)
                found[f].append(start)
        return [np.array(betas) for betas in found]

    def window_tables(
        self, fold: int, cases: list[Cases], sums: FloatArray, keys: dict[int, KeyModel] | None
    ) -> dict[int, Table]:
        """Tables of one method as of one moment, sums (S, N) its means; with `keys`, also the regression that orders
        the cases (pooled method)."""
        plan = self.base.plan
        out: dict[int, Table] = {}
        for s, window in enumerate(plan.windows):
            if fold < len(self.ends) - 1 and window not in plan.scored:
                continue
            rows = self.rows_of(cases[s], fold, window, sums[s])
            key, ratio = cases[s].events[rows], cases[s].actual[rows] / sums[s][rows]
            if keys is not None and len(rows) >= LEAST_KEY_CASES:
                features = self.key_rows(key, rows)
                most = MOST_CASES if fold == len(self.ends) - 1 else MOST_CASES // 2
                stride = -(-len(rows) // most)
                keys[window] = fit_key(features[::stride], ratio[::stride])
                key = keys[window].key(features)
                order = np.argsort(key, kind="stable")
                key, ratio = key[order], ratio[order]
            table = table_of_ordered(key, ratio, self.base.levels)
            if table is not None:
                out[window] = table
        return out

    def rows_of(self, case: Cases, fold: int, last: int, means: FloatArray) -> IntArray:
        """The cases that had ended by the fold's origin and of which something was expected, in the order of their
        keys."""
        rows = case.ordered if fold == len(self.ends) - 1 else case.some
        origins = self.frame.origins
        ended = (origins + last <= self.ends[fold])[rows % len(origins)]
        return rows[ended & (means[rows] > 1e-9)]

    def key_rows(self, events: FloatArray, rows: IntArray) -> FloatArray:
        """(r, p) `key_features` of some cases with the given log expected sales (r,)."""
        f = self.features
        n = self.known.size
        some = Features(f.base, f.chance, f.x.reshape(n, -1)[rows], f.spread.reshape(n, -1)[rows])
        return key_features(some, events)

    def stride(self, steps: int) -> BoolArray:
        """(N,) the present and every s-th origin before it, so that a step table sees at most about 60,000 cases."""
        count = len(self.frame.origins)
        stride = max(1, round(count * len(self.known) * steps / STEP_CASES))
        return np.broadcast_to(np.arange(count)[::-1] % stride == 0, self.known.shape).ravel()

    def step_tables(self, cases: list[Cases], sums: FloatArray, keys: dict[int, KeyModel] | None) -> dict[int, Table]:
        """Tables of single steps, one per block of steps, from the picked steps of each block."""
        out: dict[int, Table] = {}
        span = len(self.base.plan.windows)
        for b, picks in enumerate(self.picks):
            thin = self.stride(len(picks))
            parts = [self.step_cases(cases[span + i], sums[span + i], span + i, thin) for i in range(len(picks))]
            span += len(picks)
            ratio = np.concatenate([p[0] for p in parts])
            key = np.concatenate([p[1] for p in parts])
            if keys is not None and len(ratio) >= LEAST_KEY_CASES:
                rows = self.key_rows(key, np.concatenate([np.flatnonzero(p[2]) for p in parts]))
                keys[b] = replace(fit_key(rows, ratio), stratified=True)
                key = keys[b].key(rows)
            order = np.argsort(key, kind="stable")
            table = table_of_ordered(key[order], ratio[order], self.base.levels)
            if table is None and out:
                table = out.get(b - 1)
                if keys is not None and b - 1 in keys:
                    keys[b] = keys[b - 1]
            if table is not None:
                out[b] = table
        return out

    def step_cases(
        self, case: Cases, sums: FloatArray, span: int, thin: BoolArray
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Ratios and keys of the usable cases of one step, and which they are."""
        valid = case.valid & thin & self.ended(self.ends[-1], int(self.spans[span, 1]))
        valid &= self.ahead[:, :, span].ravel() > LEAST_STEP_FACTOR
        ratio, usable = ratios_of(case.actual, sums, valid)
        return ratio[usable], case.events[usable], usable
