"""Which method for which series: held-out pinball loss of the window sums, shrunk towards the verdict of the demand
class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecasting.engine.classify import CLASSES
from forecasting.engine.methods import BOOSTED, EMPIRICAL, POOLED, RANKS
from forecasting.engine.types import FloatArray, Score, Scores

SHRINKAGE_FOLDS = 30.0
OWN_LIMIT = 0.5
TIE = 0.01
EXACT = 1e-9
ENDED = 1e6
CLASS_SHRINKAGE = 100.0


@dataclass(frozen=True)
class Losses:
    """Held-out results on F folds × K windows: pinball, mean and within95 (n, F, K, M) per method; actual and valid
    (n, F, K);
    scale (n,) in-sample mean |y_t − y_{t−1}| before the first fold (1 where flat); band (n, F, K, M, 2) the .5 and .95
    quantiles."""

    methods: tuple[str, ...]
    pinball: FloatArray
    mean: FloatArray
    within95: FloatArray
    actual: FloatArray
    valid: np.ndarray
    scale: FloatArray
    band: FloatArray | None = None

    @cached_property
    def count(self) -> np.ndarray:
        """(n,) valid folds × windows."""
        return np.asarray(self.valid.sum(axis=(1, 2)))

    @cached_property
    def mean_loss(self) -> FloatArray:
        total = np.einsum("nfkm,nfk->nm", self.pinball, self.valid.astype(float))
        return np.where(self.count[:, None] > 0, total / np.maximum(self.count, 1)[:, None], np.nan)

    def loss(self) -> FloatArray:
        """(n, M) mean pinball loss over valid folds and windows, each divided by scale·√window; NaN without a valid
        fold."""
        return self.mean_loss

    def relative(self) -> FloatArray:
        """(n, M) loss divided by the mean loss of all methods: 1 = average. Series without any loss get ones, without
        folds NaN."""
        loss = self.loss()
        mean = loss.mean(axis=1, keepdims=True)
        return np.where(mean <= 1e-12, 1.0, loss / np.maximum(mean, 1e-12))


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
    (share − panel method's).

    The boosted trees are the panel method corrected, and judged at the folds by older models that had seen fewer cases
    than the one that forecasts: they give way only where they are worse by more than that error, which is taken off.
    """
    by_fold = loss.sum(axis=(0, 2))
    mean = by_fold.mean()
    if mean <= 1e-12:
        return np.ones(len(methods))
    share = by_fold / mean
    folds = len(share)
    if folds < 2 or POOLED not in methods:
        return share.mean(axis=0)
    gap = share - share[:, [methods.index(POOLED)]]
    error = gap.std(axis=0, ddof=1) / np.sqrt(folds)
    if BOOSTED in methods:
        error[methods.index(BOOSTED)] *= -1.0
    return share.mean(axis=0) + error


@dataclass(frozen=True)
class Verdict:
    """chosen and runner_up (n,) indices into methods; shrunk (n, M) relative losses the verdict is based on; folds
    (n,); noisy (n,) the benchmark stays because the best did not beat it by more than noise."""

    methods: tuple[str, ...]
    chosen: np.ndarray
    runner_up: np.ndarray
    shrunk: FloatArray
    folds: np.ndarray
    noisy: np.ndarray


def choose(
    losses: Losses,
    classes: list[str],
    standing: Mapping[str, Mapping[str, float]],
    benchmark: str = "seasonal_naive",
    few: bool = False,
    noise: Mapping[str, Mapping[str, float]] | None = None,
    silent: np.ndarray | None = None,
) -> Verdict:
    """The simplest method whose shrunk relative loss is within 1 % of the best.

    shrunk = w · own + (1 − w) · class, w = F / (F + 30) with F valid folds and own within ±50 % of the class: five
    windows of one SKU are noise, and the best of ten
    methods on them is flattered (winner's curse); the class has thousands. A method beats the naive only by this rule.
    Where the naive benchmark met every held-out window of a series that sold, nothing beat it: it stays. In a panel of
    few series, whose class knows hardly more than the series itself, so it does when the choice is not 1 % better.
    With `noise` (class → method → standard error over folds of its loss minus the benchmark's, relative) it stays
    too where the gain of the choice is not above w · own standard error and (1 − w) · the class's, as independent.
    A series `silent` (n,) beyond chance is not forecast by its own quantiles of the last 30 blocks: they remember what
    has ended, and no fold has seen the end yet.
    """
    relative = losses.relative()
    prior = class_values(standing, classes, losses.methods, 1.0)
    folds = losses.valid.any(axis=2).sum(axis=1)
    share = (folds / (folds + SHRINKAGE_FOLDS))[:, None]
    own = np.clip(
        np.where(np.isfinite(relative), relative, prior), prior * (1.0 - OWN_LIMIT), prior * (1.0 + OWN_LIMIT)
    )
    shrunk = share * judged_together(own, prior, losses.methods) + (1.0 - share) * prior
    if silent is not None:
        shrunk[silent, losses.methods.index(EMPIRICAL)] = ENDED
    rank = np.array([RANKS[m] for m in losses.methods], dtype=float)
    near = shrunk <= shrunk.min(axis=1, keepdims=True) * (1.0 + TIE)
    if BOOSTED in losses.methods and POOLED in losses.methods:
        trees, table = losses.methods.index(BOOSTED), losses.methods.index(POOLED)
        near[:, table] &= shrunk[:, table] < shrunk[:, trees]  # they gave their error already: no tie on top
    chosen = np.where(near, rank[None, :], np.inf).argmin(axis=1)
    rows, base = np.arange(len(shrunk)), losses.methods.index(benchmark)
    noisy = np.zeros(len(shrunk), dtype=bool)
    if noise:
        apart = class_values(noise, classes, losses.methods, 0.0)[rows, chosen]
        error = np.hypot(share[:, 0] * own_noise(losses, chosen, base), (1.0 - share[:, 0]) * apart)
        noisy = (chosen != base) & (shrunk[rows, base] - shrunk[rows, chosen] <= error)
    chosen = np.where(noisy | as_good(losses, chosen, benchmark, few), base, chosen)
    others = shrunk.copy()
    others[rows, chosen] = np.inf
    return Verdict(losses.methods, chosen, others.argmin(axis=1), shrunk, folds, noisy)


def judged_together(own: FloatArray, prior: FloatArray, methods: tuple[str, ...]) -> FloatArray:
    """(n, M) own losses with that of the boosted trees set to the panel method's in the proportion of the class: the
    two differ by a few per cent, which the folds of one SKU cannot tell and those of its class can."""
    if BOOSTED not in methods or POOLED not in methods:
        return own
    trees, table = methods.index(BOOSTED), methods.index(POOLED)
    out = own.copy()
    out[:, trees] = own[:, table] * prior[:, trees] / np.maximum(prior[:, table], EXACT)
    return out


def class_values(
    table: Mapping[str, Mapping[str, float]], classes: list[str], methods: tuple[str, ...], default: float
) -> FloatArray:
    """(n, M) what a table of classes and methods says of each series; `default` where it says nothing."""
    known = [[table.get(c, {}).get(m, default) for m in methods] for c in CLASSES]
    place = np.array([CLASSES.index(c) for c in classes], dtype=np.int64)
    return np.array(known).reshape(len(CLASSES), len(methods))[place]


def own_noise(losses: Losses, chosen: np.ndarray, base: int) -> FloatArray:
    """(n,) standard error over a series' folds of the choice's loss minus the benchmark's, each in units of the mean
    loss of all methods; 0 with fewer than 2 folds."""
    seen = losses.valid.astype(float)
    rows = np.arange(len(chosen))
    gap = (losses.pinball[rows, :, :, chosen] - losses.pinball[..., base]) * seen
    count = seen.sum(axis=2)
    by_fold = gap.sum(axis=2) / np.maximum(count, 1)
    folds = (count > 0).sum(axis=1)
    mean = by_fold.sum(axis=1) / np.maximum(folds, 1)
    square = (np.where(count > 0, by_fold - mean[:, None], 0.0) ** 2).sum(axis=1) / np.maximum(folds - 1, 1)
    unit = np.nan_to_num(losses.loss().mean(axis=1), nan=0.0)
    error = np.sqrt(square / np.maximum(folds, 1)) / np.maximum(unit, 1e-12)
    return np.where((folds > 1) & (unit > 1e-12), error, 0.0)


def noise_of(losses: Losses, classes: list[str], benchmark: str) -> dict[str, dict[str, float]]:
    """noise[class][method]: standard error over the folds of the method's share of the mean loss minus the benchmark's;
    nothing with fewer than 2 folds. All series of a class share the folds, so the folds are the sample."""
    if benchmark not in losses.methods or losses.valid.shape[1] < 2:
        return {}
    usable = losses.valid.any(axis=(1, 2))
    base, labels = losses.methods.index(benchmark), np.array(classes)
    out: dict[str, dict[str, float]] = {}
    for name in CLASSES:
        part = usable & (labels == name)
        part = part if part.any() else usable
        by_fold = (losses.valid[part][..., None] * losses.pinball[part]).sum(axis=(0, 2))
        mean = by_fold.mean()
        if mean > 1e-12:
            gap = (by_fold - by_fold[:, [base]]) / mean
            error = gap.std(axis=0, ddof=1) / np.sqrt(len(gap))
            out[name] = dict(zip(losses.methods, map(float, error), strict=True))
    return out


def as_good(losses: Losses, chosen: np.ndarray, benchmark: str, few: bool) -> np.ndarray:
    """(n,) whether the benchmark's own held-out loss is 0 or, with `few`, at most 1 % above the choice's.

    Windows without a sale say nothing: there, forecasting nothing is always right. Among thousands of series an equal
    own loss is a coincidence: acting on it costs 10 % (17 % of the windows) on the car parts.
    """
    own = np.nan_to_num(losses.loss(), nan=0.0)
    base, mine = own[:, losses.methods.index(benchmark)], own[np.arange(len(own)), chosen]
    sold = (losses.actual * losses.valid).sum(axis=(1, 2)) > 0
    return sold & ((base <= EXACT) | (few & (base <= mine * (1.0 + TIE))))


def score_table(losses: Losses) -> FloatArray:
    """(n, 5, M) every candidate's held-out errors, in the order of the fields of Score; rows without a fold are NaN."""
    seen = losses.valid.astype(float)
    count = np.maximum(losses.count, 1)[:, None]
    total = (losses.actual * seen).sum(axis=(1, 2))[:, None]
    safe = np.where(total > 0, total, np.nan)
    miss = (losses.mean - losses.actual[..., None]) * seen[..., None]
    square = np.sqrt(np.einsum("nfkm,nfkm->nm", miss, miss) / count) / losses.scale[:, None]
    cover = np.einsum("nfkm,nfk->nm", losses.within95, seen) / count
    parts = (losses.loss(), square, np.abs(miss).sum(axis=(1, 2)) / safe, miss.sum(axis=(1, 2)) / safe, cover)
    return np.stack(parts, axis=1)


def scores_of(losses: Losses, row: int) -> dict[str, Score]:
    """Every candidate's held-out errors of one series."""
    if not losses.valid[row].any():
        return {}
    one = Losses(
        losses.methods,
        losses.pinball[[row]],
        losses.mean[[row]],
        losses.within95[[row]],
        losses.actual[[row]],
        losses.valid[[row]],
        losses.scale[[row]],
    )
    return dict(Scores(losses.methods, score_table(one)[0]))
