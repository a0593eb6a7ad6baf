"""What the panel's earlier launches teach of new items: expected demand at the same age, and how far it strayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from forecasting.engine.backtest import Actuals
from forecasting.engine.calibration import KeyModel, Table, fit_key, fit_table, poisson_regression, ratios_of
from forecasting.engine.cleaning import Cleaned, clean
from forecasting.engine.frame import Calendar, Frame, build_frame
from forecasting.engine.newcomers.curve import launch_curve
from forecasting.engine.newcomers.early import Early, early_of, known_young
from forecasting.engine.newcomers.expected import Prior, Young, bare_path, corrected, describe, design, spread_features
from forecasting.engine.newcomers.likeitems import EPS, fit_like_items, gamma_poisson_shape
from forecasting.engine.newcomers.phaseout import fading_curve
from forecasting.engine.seasonality import Rhythm
from forecasting.engine.types import BoolArray, Covariates, FloatArray, Panel

YOUNG_WEEKS = 8
MOST_LAUNCHES = 1500
LEAST_LAUNCHES = 30
LEAST_CASES = 150
RATIO_CAP = 8.0
RIDGE = 3e-3
LEAST_FACTOR = 0.02
MOST_STEPS = 3


@dataclass(frozen=True)
class Newcomers:
    """Learnt once per run; picklable, read-only. betas (B, p); tables and keys per window, steps and step_keys per
    step block, whose bounds `blocks` holds; levels those of the tables; oldest = periods for which an item is young."""

    oldest: int
    levels: tuple[float, ...]
    blocks: tuple[tuple[int, int], ...]
    prior: Prior
    curve: FloatArray
    fading: FloatArray
    betas: FloatArray
    tables: Mapping[int, Table] = field(default_factory=dict)
    keys: Mapping[int, KeyModel] = field(default_factory=dict)
    steps: Mapping[int, Table] = field(default_factory=dict)
    step_keys: Mapping[int, KeyModel] = field(default_factory=dict)
    launches: int = 0


def periods_of_youth(rhythm: Rhythm) -> int:
    """8 weeks of days or weeks, never less than what the other methods need: 56 days, 8 weeks, 8 months."""
    return max(rhythm.min_history, YOUNG_WEEKS * rhythm.block if rhythm.year else 0)


def learn_newcomers(
    panel: Panel, calendar: Calendar, windows: tuple[int, ...], levels: tuple[float, ...], seed: int = 0
) -> Newcomers | None:
    """Learn from the items that started inside the history (at most 1,500, drawn by seed); None with too few of them.

    Whoever started in the first weeks of the history may be old: a launch is one that came later. Only windows that
    have ended by the present are learnt from.
    """
    rhythm = calendar.rhythm
    rows = np.flatnonzero((panel.starts >= rhythm.min_history) & (panel.starts < panel.values.shape[1]))
    if len(rows) > MOST_LAUNCHES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_LAUNCHES, replace=False))
    if len(rows) < LEAST_LAUNCHES:
        return None
    some = panel.take(rows)
    cleaned = clean(some)
    fading = fading_of(panel, calendar, seed)
    return _Learner(cleaned, build_frame(cleaned, calendar), some.covariates, levels, fading).learn(windows)


def fading_of(panel: Panel, calendar: Calendar, seed: int) -> FloatArray:
    """(8,) how demand fades before an end, from at most 1,500 series of the panel (ones when too few have ended)."""
    rows = np.arange(len(panel.ids))
    if len(rows) > MOST_LAUNCHES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_LAUNCHES, replace=False))
    cleaned = clean(panel.take(rows))
    return fading_curve(cleaned.demand, cleaned.exposure * (1.0 - calendar.closed)[None, :], calendar.rhythm.block)


class _Learner:
    """Fits everything on the launched items; one instance per run."""

    def __init__(
        self,
        cleaned: Cleaned,
        frame: Frame,
        covariates: Covariates | None,
        levels: tuple[float, ...],
        fading: FloatArray,
    ) -> None:
        self.frame, self.covariates, self.levels, self.fading = frame, covariates, levels, fading
        self.oldest = periods_of_youth(frame.calendar.rhythm)
        self.youth = known_young(frame, self.oldest)
        self.early: Early = early_of(frame)
        self.actuals = Actuals(cleaned)

    def learn(self, windows: tuple[int, ...]) -> Newcomers | None:
        frame, block = self.frame, self.frame.calendar.rhythm.block
        prior = self.prior()
        young = describe(self.early, prior, self.covariates)
        blocks = max(2 * self.oldest // block, 1)
        curve = launch_curve(frame.demand, frame.weight, frame.starts, block, blocks)
        path = bare_path(frame, self.early, young, curve)
        betas = self.regressions(path, young)
        if betas is None:
            return None
        path = corrected(path, frame, young, betas)
        tables, keys = self.window_tables(path, young, windows)
        steps, step_keys = self.step_tables(path, young)
        if not tables or not steps:
            return None
        count = len(frame.demand)
        return Newcomers(
            self.oldest,
            self.levels,
            frame.calendar.blocks,
            prior,
            curve,
            self.fading,
            betas,
            tables,
            keys,
            steps,
            step_keys,
            count,
        )

    def prior(self) -> Prior:
        """Rates and sizes of the first weeks, from items seen for a third of them if there are 20 such."""
        frame = self.frame
        age = np.arange(frame.demand.shape[1])[None, :] - frame.starts[:, None]
        first = (age >= 0) & (age < self.oldest)
        sold = (frame.demand > 0) & first
        events, exposure = sold.sum(axis=1).astype(float), (frame.weight * first).sum(axis=1)
        logs = np.log(np.where(sold, frame.demand, 1.0)).sum(axis=1)
        part = (events > 0) & (exposure >= self.oldest / 3.0)
        part = part if part.sum() >= 20 else events > 0
        some = None if self.covariates is None else self.covariates.take(np.flatnonzero(part))
        rate = fit_like_items(np.log((events[part] + 0.5) / (exposure[part] + 0.5)), some)
        size = fit_like_items(logs[part] / events[part], some)
        expected = np.exp(rate.at(some, int(part.sum()))) * exposure[part]
        return Prior(rate, size, gamma_poisson_shape(events[part], expected))

    def cases(self, first: int, last: int) -> tuple[FloatArray, BoolArray]:
        """(n, O) sums of the steps after each origin at which the item was young, and where they are known."""
        actual, valid = self.actuals.between(self.frame.origins, first, last)
        return actual, valid & self.youth

    def regressions(self, path: FloatArray, young: Young) -> FloatArray | None:
        """(B, p) coefficients of ratio = exp(features · β) per step block; one of few cases takes those before."""
        betas: list[FloatArray] = []
        for first, last in self.frame.calendar.blocks:
            actual, valid = self.cases(first, last)
            mean = path[:, :, first:last].sum(axis=2)
            usable = valid & (mean > EPS)
            if usable.sum() >= LEAST_CASES:
                x = design(young, self.frame.factor[:, :, first:last].sum(axis=2))[usable]
                ratio = np.minimum(actual[usable] / mean[usable], RATIO_CAP)
                betas.append(poisson_regression(x, ratio, np.minimum(1.0, np.exp(x[:, -1])), RIDGE))
            elif betas:
                betas.append(betas[-1])
            else:
                return None
        return np.array(betas)

    def window_tables(
        self, path: FloatArray, young: Young, windows: tuple[int, ...]
    ) -> tuple[dict[int, Table], dict[int, KeyModel]]:
        tables: dict[int, Table] = {}
        keys: dict[int, KeyModel] = {}
        for window in windows:
            expected = self.frame.factor[:, :, :window].sum(axis=2)
            found = self.table(0, window, path[:, :, :window].sum(axis=2), young, expected)
            if found is not None:
                tables[window], keys[window] = found
        return tables, keys

    def step_tables(self, path: FloatArray, young: Young) -> tuple[dict[int, Table], dict[int, KeyModel]]:
        """Per step block, from the open step nearest its middle; without any, those of the nearest block."""
        found = [self.step_table(path, young, first, last) for first, last in self.frame.calendar.blocks]
        learnt = [b for b, one in enumerate(found) if one is not None]
        nearest = {b: found[min(learnt, key=lambda x: (abs(x - b), x))] for b in range(len(found)) if learnt}
        tables = {b: one[0] for b, one in nearest.items() if one is not None}
        return tables, {b: one[1] for b, one in nearest.items() if one is not None}

    def step_table(self, path: FloatArray, young: Young, first: int, last: int) -> tuple[Table, KeyModel] | None:
        """All origins share a week day: a step that is always a closed day teaches nothing, its neighbour does."""
        for step in sorted(range(first, last), key=lambda h: (abs(2 * h + 1 - first - last), h))[:MOST_STEPS]:
            found = self.table(step, step + 1, path[:, :, step], young, self.frame.factor[:, :, step])
            if found is not None:
                return found
        return None

    def table(
        self, first: int, last: int, mean: FloatArray, young: Young, expected: FloatArray
    ) -> tuple[Table, KeyModel] | None:
        actual, valid = self.cases(first, last)
        ratio, usable = ratios_of(actual, mean, valid & (expected > LEAST_FACTOR))
        if usable.sum() < LEAST_CASES:
            return None
        features = spread_features(young, expected)[usable]
        key = fit_key(features, ratio[usable])
        table = fit_table(key.key(features), ratio[usable], self.levels)
        return None if table is None else (table, key)
