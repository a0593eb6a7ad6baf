"""Combinations of forecasters: the median of their quantiles, or their mean weighted by inverse held-out loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forecasting.engine.methods.base import Forecaster, checked
from forecasting.engine.metrics import pinball
from forecasting.engine.seasonality import RHYTHMS
from forecasting.engine.types import FloatArray, Panel

SHRINKAGE = 0.5
FOLDS = 4
EPS = 1e-12


def median_of(answers: FloatArray) -> FloatArray:
    """(m, n, …, q) quantiles of m methods → their median per quantile, methods without an answer (NaN) left out.

    Of 2, 3 and 10: 3. Quantile by quantile, so that an average of ordered quantiles stays ordered (Vincent 1912).
    """
    known = np.isfinite(answers)
    some = np.where(known.any(axis=0), answers, 0.0)
    return np.where(known.any(axis=0), np.nanmedian(some, axis=0), np.nan)


def inverse_error_weights(losses: FloatArray) -> FloatArray:
    """(m,) weights from held-out losses (folds, m) of the same folds: half equal, half ∝ 1 / mean loss.

    Methods whose mean loss lies within one standard error of the best one's (of the paired differences over the folds)
    share their weight equally: five folds rank no better than that, and the best of many is flattered (Bates & Granger
    1969; shrinkage Stock & Watson 2004). Mean losses 1 and 3, far apart: ½·½ + ½·¾ = .625 and .375.
    """
    mean = losses.mean(axis=0)
    best = int(mean.argmin())
    gap = losses - losses[:, [best]]
    noise = gap.std(axis=0, ddof=1) / np.sqrt(len(losses)) if len(losses) > 1 else np.full(len(mean), np.inf)
    near = gap.mean(axis=0) <= noise
    inverse = 1.0 / np.maximum(mean, EPS)
    inverse = inverse / inverse.sum()
    inverse = np.where(near, inverse[near].mean(), inverse)
    return (1.0 - SHRINKAGE) * inverse / inverse.sum() + SHRINKAGE / len(mean)


def weighted_mean(answers: FloatArray, weights: FloatArray) -> FloatArray:
    """(m, n, …, q) quantiles and weights (m,) → Σ w q over the methods that answered; NaN where none did."""
    known = np.isfinite(answers)
    share = weights.reshape(-1, *([1] * (answers.ndim - 1))) * known
    total = share.sum(axis=0)
    mixed = (share * np.where(known, answers, 0.0)).sum(axis=0) / np.maximum(total, EPS)
    return np.where(total > 0, mixed, np.nan)


class Windowed(Forecaster, Protocol):
    """A forecaster that also knows the sums over windows."""

    def window_quantiles(self, panel: Panel, windows: Sequence[int], quantiles: Sequence[float]) -> FloatArray: ...


@dataclass(frozen=True)
class MedianOf:
    """Median of the quantiles of several methods."""

    name: str
    rank: int
    words: str
    members: tuple[Windowed, ...]

    def fit_predict(self, panel: Panel, horizon: int, quantiles: Sequence[float]) -> FloatArray:
        checked(horizon, quantiles)
        return median_of(np.stack([m.fit_predict(panel, horizon, quantiles) for m in self.members]))

    def window_quantiles(self, panel: Panel, windows: Sequence[int], quantiles: Sequence[float]) -> FloatArray:
        """(n, w, q) medians of the members' quantiles of each window sum."""
        return median_of(np.stack([m.window_quantiles(panel, windows, quantiles) for m in self.members]))


@dataclass(frozen=True)
class Weighted:
    """Mean of the quantiles of several methods; the weights come from folds inside the panel given, so that whoever
    backtests the combination backtests its weighing too (nested: no look ahead)."""

    name: str
    rank: int
    words: str
    members: tuple[Windowed, ...]
    folds: int = FOLDS

    def fit_predict(self, panel: Panel, horizon: int, quantiles: Sequence[float]) -> FloatArray:
        checked(horizon, quantiles)
        weights = inverse_error_weights(self.held_out(panel, horizon, quantiles))
        return weighted_mean(np.stack([m.fit_predict(panel, horizon, quantiles) for m in self.members]), weights)

    def window_quantiles(self, panel: Panel, windows: Sequence[int], quantiles: Sequence[float]) -> FloatArray:
        """(n, w, q) the members' quantiles of each window sum, weighted by their steps' held-out losses."""
        answers = np.stack([m.window_quantiles(panel, windows, quantiles) for m in self.members])
        return weighted_mean(answers, inverse_error_weights(self.held_out(panel, max(windows), quantiles)))

    def held_out(self, panel: Panel, horizon: int, quantiles: Sequence[float]) -> FloatArray:
        """(folds, m) pooled scaled pinball losses at origins half a horizon apart; ones where there is none."""
        periods = panel.values.shape[1]
        least = RHYTHMS[panel.freq].min_history
        gap = max(horizon // 2, 1)
        origins = [periods - horizon - gap * f for f in range(self.folds)]
        losses = [self.fold(panel, o, horizon, quantiles) for o in origins if o >= least]
        return np.array(losses) if losses else np.ones((1, len(self.members)))

    def fold(self, panel: Panel, origin: int, horizon: int, quantiles: Sequence[float]) -> FloatArray:
        """(m,) mean pinball of each method over series and steps that were known, each series by its own mean."""
        past, truth = panel.until(origin), panel.values[:, origin : origin + horizon]
        live = (panel.starts < origin)[:, None] & np.isfinite(truth)
        scale = np.nanmean(np.where(np.isfinite(past.values), np.abs(past.values), 0.0), axis=1)[:, None]
        taus = np.array(quantiles)
        loss = []
        for member in self.members:
            answer = member.fit_predict(past, horizon, quantiles)
            usable = live & np.isfinite(answer).all(axis=2) & (scale > 0)
            each = pinball(np.where(usable, truth, 0.0)[:, :, None], np.nan_to_num(answer), taus).mean(axis=2)
            loss.append(float((np.where(usable, each, 0.0) / np.maximum(scale, EPS)).sum() / max(usable.sum(), 1)))
        return np.array(loss)


def intermittent_members() -> tuple[Windowed, ...]:
    """Methods that differ in what they believe: a fading chance, several levels of aggregation, counts, the past."""
    from forecasting.engine.methods import aggregation, bootstrap, counts, croston

    return (croston.TSB, aggregation.IMAPA, counts.NEGATIVE_BINOMIAL_COUNTS, bootstrap.PLAIN)


FORECASTERS: tuple[Forecaster, ...] = (
    MedianOf("median", 7, "the median of TSB, IMAPA, negative binomial and bootstrap", intermittent_members()),
    Weighted(
        "weighted", 8, "TSB, IMAPA, negative binomial and bootstrap by inverse held-out loss", intermittent_members()
    ),
)
