"""Which method for which series: held-out pinball loss of the window sums, shrunk towards the verdict of the demand
class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecasting.engine.backtest import Actuals
from forecasting.engine.classify import CLASSES
from forecasting.engine.cleaning import Cleaned
from forecasting.engine.frame import Frame
from forecasting.engine.methods import EMPIRICAL, POOLED, RANKS
from forecasting.engine.methods.empirical import empirical_window
from forecasting.engine.methods.pooled import Features
from forecasting.engine.metrics import naive_scale, pinball
from forecasting.engine.predict import Pooled, take_rows, window_ratios
from forecasting.engine.types import FloatArray, Score

SCORED_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
SHRINKAGE_FOLDS = 30.0
OWN_LIMIT = 0.5
TIE = 0.01
EXACT = 1e-9
CLASS_SHRINKAGE = 100.0


@dataclass(frozen=True)
class Losses:
    """Held-out results on F folds × K windows: pinball, mean and within95 (n, F, K, M) per method; actual and valid
    (n, F, K);
    scale (n,) in-sample mean |y_t − y_{t−1}| before the first fold (1 where flat)."""

    methods: tuple[str, ...]
    pinball: FloatArray
    mean: FloatArray
    within95: FloatArray
    actual: FloatArray
    valid: np.ndarray
    scale: FloatArray

    def loss(self) -> FloatArray:
        """(n, M) mean pinball loss over valid folds and windows, each divided by scale·√window; NaN without a valid
        fold."""
        seen = self.valid[..., None]
        count = seen.sum(axis=(1, 2))
        return np.where(count > 0, (self.pinball * seen).sum(axis=(1, 2)) / np.maximum(count, 1), np.nan)

    def relative(self) -> FloatArray:
        """(n, M) loss divided by the mean loss of all methods: 1 = average. Series without any loss get ones, without
        folds NaN."""
        loss = self.loss()
        mean = loss.mean(axis=1, keepdims=True)
        return np.where(mean <= 1e-12, 1.0, loss / np.maximum(mean, 1e-12))


def backtest_losses(
    pooled: Pooled, cleaned: Cleaned, frame: Frame, features: Features, paths: Mapping[str, FloatArray]
) -> Losses:
    """Score every method on every fold. frame, features and paths hold the fold origins first (and the present last,
    unused here);
    the quantiles of fold f use only `pooled.fits[f]`, learnt from windows that had ended by then."""
    plan = pooled.plan
    folds, scored = len(plan.folds), plan.scored
    methods = (*paths, EMPIRICAL)
    shape = (len(cleaned.actual), folds, len(scored), len(methods))
    loss, mean, within = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    actual, valid = np.zeros(shape[:3]), np.zeros(shape[:3], dtype=bool)
    truth, rows = Actuals(cleaned), np.arange(shape[0])
    first = int(frame.origins[0]) if folds else cleaned.actual.shape[1]
    scale = naive_scale(cleaned.actual, first, cleaned.exposure)
    scale = np.where(scale > 0, scale, 1.0)
    taus = np.array(SCORED_LEVELS)
    pick = [pooled.levels.index(t) if t in pooled.levels else -1 for t in SCORED_LEVELS]
    known = frame.known()
    cumulative = {name: path.cumsum(axis=2) for name, path in paths.items()}
    for f in range(folds):
        some = take_rows(features, rows, f)
        for k, window in enumerate(scored):
            sums, seen = truth.between(frame.origins[f : f + 1], 0, window)
            actual[:, f, k], valid[:, f, k] = sums[:, 0], seen[:, 0] & known[:, f]
            expected = frame.factor[:, f, :window].sum(axis=1)
            for m, name in enumerate(methods):
                if name == EMPIRICAL:
                    quantiles, centre, _ = empirical_window(
                        frame, cleaned.actual, cleaned.exposure, int(frame.origins[f]), window, SCORED_LEVELS
                    )
                else:
                    centre = cumulative[name][:, f, window - 1]
                    found = window_ratios(name, pooled.fits[f], np.full(len(rows), window), some, expected)
                    ratios = np.ones((len(rows), len(taus))) if found is None else found[0][:, pick]
                    quantiles = centre[:, None] * ratios
                unit = (scale * np.sqrt(window))[:, None]
                loss[:, f, k, m] = (pinball(sums, quantiles, taus) / unit).mean(axis=1)
                mean[:, f, k, m] = centre
                within[:, f, k, m] = sums[:, 0] <= quantiles[:, 3] + 1e-9
    return Losses(methods, loss, mean, within, actual, valid, scale)


def standing_of(losses: Losses, classes: list[str]) -> dict[str, dict[str, float]]:
    """standing[class][method]: mean loss of the method over the sampled series of a demand class, divided by that of
    all methods.

    Losses are added up before dividing: a mean of ratios would reward predicting nothing for series that happened to
    sell nothing.
    A class of c series is drawn towards the standing of all with weight 100 / (c + 100). Thousands of series share the
    same few folds,
    so a rival of the panel method carries one standard error of its fold-to-fold advantage as a penalty: a lucky month
    is no evidence.
    """
    unit = losses.valid[..., None] * losses.pinball
    usable = losses.valid.any(axis=(1, 2))
    labels = np.array(classes)
    everyone = _share_with_noise(unit[usable], losses.methods)
    out: dict[str, dict[str, float]] = {}
    for name in CLASSES:
        part = usable & (labels == name)
        weight = part.sum() / (part.sum() + CLASS_SHRINKAGE)
        values = (
            weight * _share_with_noise(unit[part], losses.methods) + (1.0 - weight) * everyone
            if part.any()
            else everyone
        )
        out[name] = dict(zip(losses.methods, (float(v) for v in values), strict=True))
    return out


def _share_with_noise(loss: FloatArray, methods: tuple[str, ...]) -> FloatArray:
    """(M,) from losses (n, F, K, M): each method's share of the mean loss, plus the standard error over folds of
    (share − panel method's)."""
    by_fold = loss.sum(axis=(0, 2))
    mean = by_fold.mean()
    if mean <= 1e-12:
        return np.ones(len(methods))
    share = by_fold / mean
    folds = len(share)
    if folds < 2 or POOLED not in methods:
        return share.mean(axis=0)
    gap = share - share[:, [methods.index(POOLED)]]
    return share.mean(axis=0) + gap.std(axis=0, ddof=1) / np.sqrt(folds)


@dataclass(frozen=True)
class Verdict:
    """chosen and runner_up (n,) indices into methods; shrunk (n, M) relative losses the verdict is based on; folds
    (n,)."""

    methods: tuple[str, ...]
    chosen: np.ndarray
    runner_up: np.ndarray
    shrunk: FloatArray
    folds: np.ndarray


def choose(
    losses: Losses,
    classes: list[str],
    standing: Mapping[str, Mapping[str, float]],
    benchmark: str = "seasonal_naive",
    few: bool = False,
) -> Verdict:
    """The simplest method whose shrunk relative loss is within 1 % of the best.

    shrunk = w · own + (1 − w) · class, w = F / (F + 30) with F valid folds and own within ±50 % of the class: five
    windows of one SKU are noise, and the best of ten
    methods on them is flattered (winner's curse); the class has thousands. A method beats the naive only by this rule.
    Where the naive benchmark met every held-out window of a series that sold, nothing beat it: it stays. In a panel of
    few series, whose class knows hardly more than the series itself, so it does when the choice is not 1 % better.
    """
    relative = losses.relative()
    prior = np.array([[standing.get(c, {}).get(m, 1.0) for m in losses.methods] for c in classes]).reshape(
        relative.shape
    )
    folds = losses.valid.any(axis=2).sum(axis=1)
    share = (folds / (folds + SHRINKAGE_FOLDS))[:, None]
    own = np.clip(
        np.where(np.isfinite(relative), relative, prior), prior * (1.0 - OWN_LIMIT), prior * (1.0 + OWN_LIMIT)
    )
    shrunk = share * own + (1.0 - share) * prior
    rank = np.array([RANKS[m] for m in losses.methods], dtype=float)
    near = shrunk <= shrunk.min(axis=1, keepdims=True) * (1.0 + TIE)
    chosen = np.where(near, rank[None, :], np.inf).argmin(axis=1)
    chosen = np.where(as_good(losses, chosen, benchmark, few), losses.methods.index(benchmark), chosen)
    others = shrunk.copy()
    others[np.arange(len(others)), chosen] = np.inf
    return Verdict(losses.methods, chosen, others.argmin(axis=1), shrunk, folds)


def as_good(losses: Losses, chosen: np.ndarray, benchmark: str, few: bool) -> np.ndarray:
    """(n,) whether the benchmark's own held-out loss is 0 or, with `few`, at most 1 % above the choice's.

    Windows without a sale say nothing: there, forecasting nothing is always right. Among thousands of series an equal
    own loss is a coincidence: acting on it costs 10 % (17 % of the windows) on the car parts.
    """
    own = np.nan_to_num(losses.loss(), nan=0.0)
    base, mine = own[:, losses.methods.index(benchmark)], own[np.arange(len(own)), chosen]
    sold = (losses.actual * losses.valid).sum(axis=(1, 2)) > 0
    return sold & ((base <= EXACT) | (few & (base <= mine * (1.0 + TIE))))


def scores_of(losses: Losses, row: int) -> dict[str, Score]:
    """Every candidate's held-out errors of one series."""
    seen = losses.valid[row]
    if not seen.any():
        return {}
    actual, total = losses.actual[row][seen], losses.actual[row][seen].sum()
    loss = losses.pinball[row][seen].mean(axis=0)
    miss = losses.mean[row][seen] - actual[:, None]
    rmsse = np.sqrt((miss**2).mean(axis=0)) / losses.scale[row]
    safe = total if total > 0 else np.nan
    wape, drift = np.abs(miss).sum(axis=0) / safe, miss.sum(axis=0) / safe
    cover = losses.within95[row][seen].mean(axis=0)
    return {
        name: Score(float(loss[m]), float(rmsse[m]), float(wape[m]), float(drift[m]), float(cover[m]))
        for m, name in enumerate(losses.methods)
    }
