"""What the whole panel teaches each of its series: calendar, regressions, ratio tables and how each class of demand is
best forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forecasting.engine.backtest import plan_backtest
from forecasting.engine.boosted.fit import fit_boosted
from forecasting.engine.calibration import all_levels
from forecasting.engine.classify import demand_classes, demand_intervals
from forecasting.engine.cleaning import clean
from forecasting.engine.explain import benchmark_of
from forecasting.engine.frame import Calendar, Frame, build_frame, step_blocks
from forecasting.engine.learner import Learner
from forecasting.engine.newcomers.learning import learn_newcomers
from forecasting.engine.predict import Fit, Pooled
from forecasting.engine.seasonality import RHYTHMS, closed_days, pooled_profile, season_length
from forecasting.engine.selection import noise_of, standing_of
from forecasting.engine.swing import yearly_swing
from forecasting.engine.trial import backtest_losses
from forecasting.engine.types import Panel

SAMPLE = 1500
LEAST_SAMPLE = 400
SAMPLE_CELLS = 5_000_000
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
    mode: str = "everyday",
) -> Pooled:
    """Learn from the panel; at most 1,500 series (fewer for very long windows, to bound memory) are drawn,
    seeded, for the regressions and tables.

    `max_window` is the longest window any later call asks for (default: the longest of `windows` and `horizon`).
    `mode`: "full" also learns the boosted trees.
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
    learner = Learner(frame, cleaned, base)
    learned, lines = learner.learn()
    learned = replace(learned, newcomers=learn_newcomers(panel, calendar, plan.windows, levels, seed))
    if not plan.folds:
        return learned
    losses = backtest_losses(learned, cleaned, frame.at(plan.columns), learner.at(plan.columns), lines)
    if mode == "full":
        some = None if panel.covariates is None else panel.covariates.take(rows)
        learned, losses = fit_boosted(learned, frame, learner.features, cleaned, losses, some, seed)
    classes = demand_classes(*demand_intervals(cleaned.demand, open_share))
    noise = noise_of(losses, classes, benchmark_of(learned))
    return replace(learned, standing=standing_of(losses, classes), noise=noise)
