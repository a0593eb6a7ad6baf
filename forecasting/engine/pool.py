"""What the whole panel teaches each of its series: calendar, regressions, ratio tables and how each class of demand is
best forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forecasting.engine.backtest import Actuals, plan_backtest
from forecasting.engine.calibration import KeyModel, Table, all_levels, fit_key, fit_table, ratios_of
from forecasting.engine.classify import demand_classes, demand_intervals
from forecasting.engine.cleaning import clean
from forecasting.engine.frame import Calendar, Frame, build_frame, step_blocks
from forecasting.engine.methods import PATH_METHODS, POOLED
from forecasting.engine.methods.pooled import (
    Features,
    features_of,
    fit_blocks,
    floored,
    key_features,
    log_events,
    pooled_path,
)
from forecasting.engine.predict import Fit, Pooled
from forecasting.engine.seasonality import RHYTHMS, closed_days, pooled_profile, season_length, yearly_swing
from forecasting.engine.selection import backtest_losses, standing_of
from forecasting.engine.types import BoolArray, FloatArray, Panel

SAMPLE = 1500
LEAST_SAMPLE = 400
SAMPLE_CELLS = 5_000_000
STEPS_PER_BLOCK = 3
STEP_CASES = 60_000
WINDOW_BLOCKS = (0.15, 0.45, 1, 2, 3, 4, 6, 8, 12, 16)


def learnt_windows(block: int, longest: int, asked: Sequence[int]) -> tuple[int, ...]:
    """Windows that get tables: those asked for if few, and a coarse ladder between which others are interpolated."""
    ladder = {max(1, round(block * b)) for b in WINDOW_BLOCKS}
    ladder = {k for k in ladder if k <= longest} | {longest}
    return tuple(sorted(ladder | set(asked))) if len(set(asked)) <= 8 else tuple(sorted(ladder))


def fit_pooled(
    panel: Panel,
    *,
    quantiles: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.99),
    horizon: int = 28,
    windows: Sequence[int] = (),
    max_window: int | None = None,
    season: int | tuple[int, ...] | None = None,
    seed: int = 0,
) -> Pooled:
    """Learn from the panel; at most 1,500 series (fewer for very long windows, to bound memory) are drawn,
    seeded, for the regressions and tables.

    `max_window` is the longest window any later call asks for (default: the longest of `windows` and `horizon`).
    """
    rhythm = RHYTHMS[panel.freq]
    n, periods = panel.values.shape
    longest = max([horizon, max_window or 1, *windows, rhythm.block])
    rows = np.arange(n)
    most = int(np.clip(SAMPLE_CELLS // ((rhythm.origins + 1) * longest), LEAST_SAMPLE, SAMPLE))
    if n > most:
        rows = np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
    cleaned = clean(panel.take(rows))
    cycle = season_length(panel.freq, season, periods)
    focus = {*(windows or (rhythm.block, horizon)), *((min(longest, 8 * rhythm.block),) if longest > horizon else ())}
    plan = plan_backtest(
        periods, rhythm, learnt_windows(rhythm.block, longest, sorted({*windows, *focus})), tuple(sorted(focus))
    )
    closed = closed_days(cleaned, max(cycle, 1)) if panel.freq == "D" else np.zeros(periods)
    open_share = cleaned.exposure * (1.0 - closed)[None, :]
    profile = pooled_profile(cleaned.demand, open_share, plan.origins, cycle, rhythm.profile_half_life)
    blocks = step_blocks(rhythm.block, longest)
    bare = Calendar(
        rhythm, cycle, plan.origins, longest, closed, profile, np.zeros((len(plan.origins), len(blocks))), blocks
    )
    frame = build_frame(cleaned, bare)
    swing = yearly_swing(cleaned.demand, frame.weight, plan.origins, list(blocks), rhythm)
    calendar = Calendar(rhythm, cycle, plan.origins, longest, closed, profile, swing, blocks)
    frame = Frame(
        frame.demand, frame.weight, frame.open_share, frame.starts, frame.origins, frame.factor, swing, calendar
    )
    levels = all_levels(tuple(float(q) for q in quantiles))
    base = Pooled(calendar, plan, levels, (), series=n, sampled=len(rows))
    if len(plan.origins) < 2 or not len(rows):
        return Pooled(calendar, plan, levels, (Fit(np.zeros((len(blocks), 0))),), series=n, sampled=len(rows))
    learner = _Learner(frame, Actuals(cleaned), base)
    learned = learner.learn()
    if not plan.folds:
        return learned
    losses = backtest_losses(
        learned, cleaned, frame.at(plan.columns), features_of(frame.at(plan.columns)), learner.kept
    )
    adi, cv2 = demand_intervals(cleaned.demand, open_share)
    return replace(learned, standing=standing_of(losses, demand_classes(adi, cv2)))


class _Learner:
    """Fits every table on the sampled series; one instance per run."""

    def __init__(self, frame: Frame, actuals: Actuals, base: Pooled) -> None:
        self.frame, self.actuals, self.base = frame, actuals, base
        self.features: Features = features_of(frame)
        self.known: BoolArray = frame.known() & (self.features.base > 1e-9)
        self.ends = [int(base.plan.origins[c]) for c in base.plan.folds] + [int(base.plan.origins[-1])]
        self.kept: dict[str, FloatArray] = {}
        self.ahead = np.concatenate([np.zeros((*frame.factor.shape[:2], 1)), frame.factor.cumsum(axis=2)], axis=2)

    def until(self, end: int, first: int, last: int) -> tuple[FloatArray, BoolArray]:
        """Sums of the steps after every origin, valid only where they had ended by `end`."""
        actual, valid = self.actuals.between(self.frame.origins, first, last)
        return actual, valid & self.known & (self.frame.origins + last <= end)[None, :]

    def learn(self) -> Pooled:
        betas = []
        for end in self.ends:
            cases = [self.until(end, first, last) for first, last in self.frame.calendar.blocks]
            betas.append(fit_blocks(self.frame, self.features, [c[0] for c in cases], [c[1] for c in cases]))
        tables: list[dict[str, dict[int, Table]]] = [{} for _ in self.ends]
        keys: list[dict[int, KeyModel]] = [{} for _ in self.ends]
        steps: dict[str, dict[int, Table]] = {}
        step_keys: dict[int, KeyModel] = {}
        for method in PATH_METHODS:
            path = floored(method.path(self.frame), self.frame, self.features)
            cumulative = path.cumsum(axis=2)
            for f, end in enumerate(self.ends):
                tables[f][method.name] = self.window_tables(f, end, cumulative, None)
            steps[method.name] = self.step_tables(path, None)
            self.kept[method.name] = path[:, self.base.plan.columns]
        columns: list[FloatArray] = []
        for f, end in enumerate(self.ends):
            path = pooled_path(self.frame, self.features, betas[f])
            tables[f][POOLED] = self.window_tables(f, end, path.cumsum(axis=2), keys[f])
            columns.append(path[:, self.base.plan.columns[f]])
            if f == len(self.ends) - 1:
                steps[POOLED] = self.step_tables(path, step_keys)
        self.kept[POOLED] = np.stack(columns, axis=1)
        fits = tuple(Fit(b, t, k) for b, t, k in zip(betas, tables, keys, strict=True))
        base = self.base
        return Pooled(base.calendar, base.plan, base.levels, fits, steps, step_keys, {}, base.series, base.sampled)

    def window_tables(
        self, fold: int, end: int, cumulative: FloatArray, keys: dict[int, KeyModel] | None
    ) -> dict[int, Table]:
        """Tables of one method as of one moment; with `keys`, also the regression that orders the cases (pooled
        method)."""
        plan = self.base.plan
        last = fold == len(self.ends) - 1
        out: dict[int, Table] = {}
        for window in plan.windows if last else plan.scored:
            actual, valid = self.until(end, 0, window)
            ratio, usable = ratios_of(actual, cumulative[:, :, window - 1], valid)
            key = log_events(self.features, self.ahead[:, :, window])
            if keys is not None and usable.sum() >= 300:
                rows = key_features(self.features, key)
                keys[window] = fit_key(rows[usable], ratio[usable])
                key = keys[window].key(rows)
            table = fit_table(key[usable], ratio[usable], self.base.levels)
            if table is not None:
                out[window] = table
        return out

    def thinned(self, steps: int) -> BoolArray:
        """(O,) the present and every s-th origin before it, so that a step table sees at most about 60,000 cases."""
        count = len(self.frame.origins)
        stride = max(1, round(count * len(self.frame.demand) * steps / STEP_CASES))
        return (np.arange(count)[::-1] % stride == 0)[None, :]

    def step_tables(self, path: FloatArray, keys: dict[int, KeyModel] | None) -> dict[int, Table]:
        """Tables of single steps, one per block of steps, from up to three steps of each block."""
        out: dict[int, Table] = {}
        for b, (first, last) in enumerate(self.frame.calendar.blocks):
            steps_wanted = min(last - first, max(STEPS_PER_BLOCK, self.base.calendar.season))
            picks = np.unique(np.linspace(first, last - 1, steps_wanted).astype(int))
            thin = self.thinned(len(picks))
            ratio_parts, key_parts, row_parts = [], [], []
            for h in picks:
                actual, valid = self.until(self.ends[-1], int(h), int(h) + 1)
                ratio, usable = ratios_of(actual, path[:, :, h], valid & thin & (self.frame.factor[:, :, h] > 0.02))
                events = log_events(self.features, self.frame.factor[:, :, h])
                ratio_parts.append(ratio[usable])
                key_parts.append(events[usable])
                if keys is not None:
                    row_parts.append(key_features(self.features, events)[usable])
            ratio, key = np.concatenate(ratio_parts), np.concatenate(key_parts)
            if keys is not None and len(ratio) >= 300:
                rows = np.concatenate(row_parts)
                keys[b] = fit_key(rows, ratio)
                key = keys[b].key(rows)
            table = fit_table(key, ratio, self.base.levels)
            if table is None and out:
                table = out.get(b - 1)
                if keys is not None and b - 1 in keys:
                    keys[b] = keys[b - 1]
            if table is not None:
                out[b] = table
        return out
