"""From means to quantiles: how far actual sums fell from the mean in comparable past cases, learnt across the panel.

A table holds, for cells of comparable cases along one key, the quantiles of the ratio actual / mean. The key says how
uncertain a case
is: expected number of sales in the window, or a regression of |ratio − 1| on what is known at the origin.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecasting.engine.kernels.regression import poisson_equations
from forecasting.engine.types import BoolArray, FloatArray, IntArray

BASE_LEVELS = (
    0.01,
    0.025,
    0.05,
    0.1,
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.75,
    0.8,
    0.85,
    0.9,
    0.925,
    0.95,
    0.975,
    0.98,
    0.99,
    0.995,
)
SAMPLES_PER_CELL = 150
MOST_CELLS = 14
FEW_SAMPLES = 300
LEAST_SAMPLES = 12
MOST_CASES = 15_000
CONVERGED = 1e-5
FREAK = 5.0
STRATUM, HALF_STRATUM = 10.0, 5.0
LEAST_STRATUM = 2000
# Expected sales in the case: what sells in one period of ten is no evidence for what sells in nearly every one.
STRATA = np.log(np.array([0.15, 0.5]))


@dataclass(frozen=True)
class Table:
    """keys (b,) ascending cell centres; ratios (b, q) quantiles of actual / mean at `levels`; spread (b,) root mean
    (ratio − 1)²."""

    levels: tuple[float, ...]
    keys: FloatArray
    ratios: FloatArray
    spread: FloatArray

    def at(self, key: FloatArray) -> FloatArray:
        """(…,) keys → (…, q) ratio quantiles, linear between cell centres and flat beyond the first and last."""
        low, share = self._place(key)
        high = np.minimum(low + 1, len(self.keys) - 1)
        return self.ratios[low] * (1.0 - share[..., None]) + self.ratios[high] * share[..., None]

    def spread_at(self, key: FloatArray) -> FloatArray:
        """(…,) keys → (…,) root mean squared relative error."""
        low, share = self._place(key)
        return self.spread[low] * (1.0 - share) + self.spread[np.minimum(low + 1, len(self.keys) - 1)] * share

    def _place(self, key: FloatArray) -> tuple[np.ndarray, FloatArray]:
        position = np.interp(key, self.keys, np.arange(len(self.keys), dtype=float))
        low = np.floor(position).astype(np.int64)
        return low, position - low


def all_levels(quantiles: tuple[float, ...]) -> tuple[float, ...]:
    """The levels tables are kept at: a fixed fine grid and the ones asked for."""
    return tuple(sorted({*BASE_LEVELS, *quantiles}))


def fit_table(key: FloatArray, ratio: FloatArray, levels: tuple[float, ...]) -> Table | None:
    """Cells of about equal size along the key; None with fewer than 12 samples.

    The rank of level τ among n samples is ⌈(n + 1)τ⌉ (Vovk; split conformal), and below 300 samples the upper tail is
    at least that of a
    gamma distribution of the same mean and variance: few samples hold no 99 % case. Quantiles are non-decreasing in τ.
    """
    order = np.argsort(key, kind="stable")
    return table_of_ordered(key[order], ratio[order], levels)


def table_of_ordered(key: FloatArray, ratio: FloatArray, levels: tuple[float, ...]) -> Table | None:
    """`fit_table` of cases already in ascending order of their keys: one order serves many folds and methods."""
    if len(ratio) < LEAST_SAMPLES:
        return None
    edges = cell_edges(key)
    count, taus, held = np.diff(edges)[:, None], np.array(levels), np.array(ratio)
    for first, last in pairwise(edges):
        held[first:last].sort()
    position = np.clip((count + 1) * taus - 1.0, 0.0, count - 1.0)
    low = position.astype(np.int64)
    left, right = held[edges[:-1, None] + low], held[edges[:-1, None] + np.minimum(low + 1, count - 1)]
    rows = left + (position - low) * (right - left)
    if len(ratio) < FEW_SAMPLES:
        tail = np.stack([gamma_quantiles(held[a:b], taus) for a, b in pairwise(edges)])
        rows = np.where(taus >= 0.75, np.maximum(rows, tail), rows)
    keys, square = (np.add.reduceat(x, edges[:-1]) / count[:, 0] for x in (key, (held - 1.0) ** 2))
    return Table(levels, np.maximum.accumulate(keys), np.maximum.accumulate(rows, axis=1), np.sqrt(square))


def cell_edges(key: FloatArray) -> IntArray:
    """(b + 1,) where the cells of ordered keys begin and end: up to 14 of equal size in each stratum (KeyModel), of 150
    cases or more; a stratum of fewer than 2,000 cases joins its neighbour, for its tail would be chance."""
    if key[-1] - key[0] <= 1e-9:
        return np.array([0, len(key)], dtype=np.int64)
    borders = np.flatnonzero(np.diff(np.floor((key + HALF_STRATUM) / STRATUM))) + 1
    parts: list[int] = [0]
    for border in (*borders.tolist(), len(key)):
        if border == len(key) or min(border - parts[-1], len(key) - border) >= LEAST_STRATUM:
            parts.append(border)
    cells = [np.zeros(1, dtype=np.int64)]
    for first, last in pairwise(parts):
        count = int(np.clip((last - first) // SAMPLES_PER_CELL, 1, MOST_CELLS))
        cells.append(np.linspace(first, last, count + 1).astype(np.int64)[1:])
    return np.concatenate(cells)


def gamma_quantiles(sample: FloatArray, taus: FloatArray) -> FloatArray:
    """Quantiles of the gamma distribution with the mean and variance of the sample (0 for a sample of zeros), its
    largest tenth bounded by 5 times the rest: one freak among few cases is no tail of all."""
    from scipy.special import gammaincinv

    tenth = float(np.quantile(sample, 0.9))
    sample = np.minimum(sample, FREAK * tenth) if tenth > 0 else sample
    mean, variance = float(sample.mean()), float(sample.var(ddof=1))
    if mean <= 0 or variance <= 0:
        return np.full(len(taus), mean)
    shape = mean**2 / variance
    return gammaincinv(shape, taus) * variance / mean


def poisson_regression(
    design: FloatArray,
    target: FloatArray,
    weight: FloatArray,
    ridge: float = 1e-3,
    rounds: int = 8,
    start: FloatArray | None = None,
) -> FloatArray:
    """β of E[target] = exp(design·β) by Newton's method on the Poisson likelihood, `weight` per case, ridge on all but
    the intercept.

    At most about 15,000 evenly spaced cases are used. design (N, p) with ones in column 0; needs no integer target
    (quasi-likelihood: McCullagh & Nelder 1989, ch. 9). `start`: β of an earlier moment, nearer than the mean alone.
    """
    stride = -(-len(target) // MOST_CASES) or 1
    design, target, weight = (np.ascontiguousarray(part[::stride]) for part in (design, target, weight))
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(max(float((weight * target).sum() / max(weight.sum(), 1e-9)), 1e-6))
    beta = beta if start is None else start
    penalty = np.full(len(beta), ridge * len(target))
    penalty[0] = 1e-9 * len(target) + 1e-9
    for _ in range(rounds):
        gradient, hessian = poisson_equations(design, target, weight, beta)
        gradient -= penalty * np.where(np.arange(len(beta)) > 0, beta, 0.0)
        hessian += np.diag(penalty)
        step = np.clip(np.linalg.solve(hessian, gradient), -1.0, 1.0)
        beta = beta + step
        if np.abs(step).max() < CONVERGED:
            break
    return beta


@dataclass(frozen=True)
class KeyModel:
    """log E|ratio − 1| as a linear function of standardised features: the uncertainty key of the pooled method.

    features[…, 0] is the log of the expected number of sales; `stratified`, cases are first parted by it (single
    steps: there a few fast series would else share a cell with slow ones, whose median is 0).
    """

    centre: FloatArray
    scale: FloatArray
    beta: FloatArray
    stratified: bool = False

    def key(self, features: FloatArray) -> FloatArray:
        """(…, p) → (…,): the regression, and ten more for each stratum below."""
        slope = self.beta[1:] / self.scale
        shift = float(self.beta[0] - (self.centre * slope).sum())
        inner = np.clip(np.einsum("...p,p->...", features, slope) + shift, -4.0, 3.0)
        strata: FloatArray = inner + STRATUM * np.searchsorted(STRATA, features[..., 0])
        return strata if self.stratified else inner


def fit_key(features: FloatArray, ratio: FloatArray, cap: float = 5.0) -> KeyModel:
    """Regress |ratio − 1|, capped, on features (N, p)."""
    centre, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    design = np.concatenate([np.ones((len(ratio), 1)), (features - centre) / scale], axis=1)
    return KeyModel(
        centre, scale, poisson_regression(design, np.minimum(np.abs(ratio - 1.0), cap), np.ones(len(ratio)))
    )


def ratios_of(actual: FloatArray, mean: FloatArray, valid: BoolArray) -> tuple[FloatArray, BoolArray]:
    """actual / mean where it can be learnt from: the window is observed and something was expected."""
    usable = valid & (mean > 1e-9)
    return np.where(usable, actual / np.maximum(mean, 1e-9), 0.0), usable
