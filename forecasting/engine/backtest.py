"""Rolling origins: where the past is cut, which windows are held out, and what was really sold in them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.methods.empirical import LEAST_SHARE_SEEN
from forecasting.engine.seasonality import Rhythm
from forecasting.engine.types import Backtest, BoolArray, FloatArray, IntArray

MOST_FOLDS = 8
MOST_SCORED_WINDOWS = 3


@dataclass(frozen=True)
class Plan:
    """origins (O,) ascending, the last = present; folds = columns of `origins` that are scored; scored windows;
    windows with tables."""

    origins: IntArray
    folds: tuple[int, ...]
    scored: tuple[int, ...]
    windows: tuple[int, ...]

    @property
    def present(self) -> int:
        return len(self.origins) - 1

    @property
    def columns(self) -> IntArray:
        """Fold columns and the present: all that a chunk has to compute."""
        return np.array([*self.folds, self.present], dtype=np.int64)


def plan_backtest(periods: int, rhythm: Rhythm, wanted: tuple[int, ...], focus: tuple[int, ...]) -> Plan:
    """Training origins every `spacing` periods; up to 8 folds half a window apart (closer where the history holds
    fewer), the newest fully observed by the present, and each with at least one earlier origin whose window had ended
    by then (that is what its quantiles are learnt from).
    wanted = windows with tables, focus = those of them that the caller will read."""
    first = int(1.5 * rhythm.min_history)
    past = [periods - rhythm.spacing * j for j in range(rhythm.origins, 0, -1)]
    past = [o for o in past if o >= first]
    origins = np.array([*past, periods], dtype=np.int64)
    room = max((periods - (past[0] if past else periods)) // 2, 0)
    windows = tuple(sorted(set(wanted)))
    scored = scored_windows(tuple(sorted(set(focus) & set(windows))) or windows, min(8 * rhythm.block, room))
    folds: list[int] = []
    widest = max(rhythm.spacing, max(scored, default=1) // 2)
    for gap in [*range(widest, rhythm.spacing, -rhythm.spacing), rhythm.spacing]:
        folds = folds_apart(past, periods, max(scored), gap) if scored else []
        if len(folds) == MOST_FOLDS:
            break
    learnable = tuple(k for k in windows if past and past[0] + k <= periods)
    return Plan(origins, tuple(reversed(folds)), scored if folds else (), learnable or windows[:1])


def folds_apart(past: list[int], periods: int, longest: int, gap: int) -> list[int]:
    """Columns of up to 8 origins at least `gap` periods apart, the newest first."""
    folds: list[int] = []
    for column in range(len(past) - 1, -1, -1):
        origin = past[column]
        if origin + longest > periods or (folds and past[folds[-1]] - origin < gap):
            continue
        if past[0] + longest > origin or len(folds) == MOST_FOLDS:
            break
        folds.append(column)
    return folds


def scored_windows(windows: tuple[int, ...], longest: int) -> tuple[int, ...]:
    """At most three of the windows asked for: the shortest, the middle and the longest that the history can hold
    out."""
    fitting = [k for k in windows if k <= longest]
    if len(fitting) <= MOST_SCORED_WINDOWS:
        return tuple(fitting)
    return (fitting[0], fitting[len(fitting) // 2], fitting[-1])


def describe_backtest(plan: Plan, held_out: list[np.ndarray]) -> Backtest:
    """The rolling origins of a run and what each chunk held out (n, F, K, 4), in order."""
    origins = tuple(int(plan.origins[c]) for c in plan.folds)
    step = min((b - a for a, b in pairwise(origins)), default=0)
    empty = np.zeros((0, len(origins), len(plan.scored), 4), dtype=np.float32)
    return Backtest(origins, plan.scored, step, np.concatenate([empty, *held_out]))


class Actuals:
    """What was sold after each origin. Sums over partly observed windows are scaled up; below 75 % observed they are
    not used."""

    def __init__(self, cleaned: Cleaned) -> None:
        zero = np.zeros((len(cleaned.actual), 1))
        self.sold = np.concatenate([zero, cleaned.actual.cumsum(axis=1)], axis=1)
        self.seen = np.concatenate([zero, cleaned.exposure.cumsum(axis=1)], axis=1)

    def between(self, origins: IntArray, first: int, last: int) -> tuple[FloatArray, BoolArray]:
        """(n, O) sums over steps first+1 … last after each origin, and whether they may be learnt from."""
        periods = self.sold.shape[1] - 1
        inside = origins + last <= periods
        begin, end = np.minimum(origins + first, periods), np.minimum(origins + last, periods)
        share = (self.seen[:, end] - self.seen[:, begin]) / (last - first)
        valid = inside[None, :] & (share >= LEAST_SHARE_SEEN)
        total = (self.sold[:, end] - self.sold[:, begin]) / np.maximum(share, LEAST_SHARE_SEEN)
        return np.where(valid, total, 0.0), valid
