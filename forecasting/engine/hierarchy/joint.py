"""Quantiles of sums: groups of series that rise and fall together in part, sampled jointly so that levels add up.

Each series' demand is D = Q(u), Q its quantile function, linear between the stored levels, and u = Φ(√ρ z + √(1−ρ) ε):
z is common to all series of a day, ε its own (a one-factor Gaussian copula; Li 2000). Given z, the mean of D is a
weighted sum of its stored quantiles with weights that are the same for every series, and so is its second moment in
their products. A group's conditional mean and variance therefore follow from Σ Q_k, Σ Q_k² and Σ Q_k Q_k+1 over its
series: memory and time do not depend on their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import ndtr, ndtri

from forecasting.engine.types import FloatArray, IntArray

NODES = 41
TOP_LEVEL = 0.9995


@dataclass(frozen=True)
class Dependence:
    """rho 0..1: share of the variance of the normal scores common to all series of a day; persistence 0..1: its
    correlation from one day to the next."""

    rho: float = 0.1
    persistence: float = 0.8

    def __post_init__(self) -> None:
        if not (0 <= self.rho < 1 and 0 <= self.persistence < 1):
            raise ValueError("rho and persistence must lie in [0, 1)")


@dataclass(frozen=True)
class GroupSums:
    """Of G groups over h days with K knots: first (G, h, K) Σ Q_k, product (G, h, K, K) Σ Q_k Q_l, mean (G, h) Σ means.
    Chunks of series add up with `+`."""

    knots: FloatArray
    first: FloatArray
    product: FloatArray
    mean: FloatArray

    def __add__(self, other: GroupSums) -> GroupSums:
        if not np.array_equal(self.knots, other.knots):
            raise ValueError("group sums of different quantile levels cannot be added")
        return GroupSums(
            self.knots,
            self.first + other.first,
            self.product + other.product,
            self.mean + other.mean,
        )

    def grown(self, groups: int) -> GroupSums:
        """The same sums with room for more groups, all zero."""
        extra = groups - len(self.mean)

        def padded(values: FloatArray) -> FloatArray:
            return np.concatenate([values, np.zeros((extra, *values.shape[1:]))])

        return GroupSums(self.knots, padded(self.first), padded(self.product), padded(self.mean))

    def total(self) -> GroupSums:
        """All groups as one."""
        return GroupSums(
            self.knots,
            self.first.sum(axis=0, keepdims=True),
            self.product.sum(axis=0, keepdims=True),
            self.mean.sum(axis=0, keepdims=True),
        )


def knots_of(levels: tuple[float, ...]) -> FloatArray:
    """(K,) levels of the knots: 0 (nothing), the stored ones, and one in the tail."""
    inner = [level for level in levels if level < TOP_LEVEL]
    return np.array([0.0, *inner, TOP_LEVEL if len(inner) == len(levels) else levels[-1]])


def sums_of_groups(
    codes: IntArray, groups: int, mean: FloatArray, quantiles: FloatArray, levels: tuple[float, ...]
) -> GroupSums:
    """Sums over n series: codes (n,), mean (n, h), quantiles (n, h, q) at `levels`.

    Below the lowest level the quantile function falls to 0, above the highest it goes on as steeply as its last piece.
    """
    knots = knots_of(levels)
    tail = quantiles[:, :, -1:]
    if len(levels) > 1:
        slope = (quantiles[:, :, -1:] - quantiles[:, :, -2:-1]) / (levels[-1] - levels[-2])
        tail = tail + slope * max(knots[-1] - levels[-1], 0.0)
    parts = [np.zeros_like(quantiles[:, :, :1]), quantiles[:, :, : len(knots) - 2], tail]
    q = np.ascontiguousarray(np.concatenate(parts, axis=2))

    member = sparse.csr_matrix((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(groups, len(codes)))

    def total(values: FloatArray) -> FloatArray:
        summed: FloatArray = member @ values.reshape(len(codes), -1)
        return summed.reshape(groups, *values.shape[1:])

    rows, columns = np.triu_indices(len(knots))
    half = total(q[:, :, rows] * q[:, :, columns])
    product = np.zeros((*half.shape[:2], len(knots), len(knots)))
    product[:, :, rows, columns] = half
    product[:, :, columns, rows] = half
    return GroupSums(knots, total(q), product, total(mean))


def weights_given(common: FloatArray, knots: FloatArray, rho: float) -> tuple[FloatArray, FloatArray]:
    """For common scores (m,): weights (m, K) of the conditional mean on Q, and (m, K, K) of the conditional variance on
    the products of Q.

    The hat functions of the knots averaged by the midpoint rule over ε (41 values of equal probability).
    """
    noise = ndtri((np.arange(NODES) + 0.5) / NODES)
    u = ndtr(np.sqrt(rho) * common[:, None] + np.sqrt(1.0 - rho) * noise[None, :])
    u = np.clip(u, knots[0], knots[-1])
    low = np.clip(np.searchsorted(knots, u, side="right") - 1, 0, len(knots) - 2)
    share = (u - knots[low]) / (knots[low + 1] - knots[low])
    hats = np.zeros((len(common), NODES, len(knots)))
    np.put_along_axis(hats, low[..., None], 1.0 - share[..., None], axis=2)
    np.put_along_axis(hats, low[..., None] + 1, share[..., None], axis=2)
    mean: FloatArray = hats.mean(axis=1)
    away = hats - mean[:, None]
    return mean, np.swapaxes(away, 1, 2) @ away / NODES


def common_path(days: int, samples: int, dependence: Dependence, rng: np.random.Generator) -> FloatArray:
    """(h, S) standard normal scores common to all series, first-order autoregressive over days; half the paths mirror
    the other half."""
    half = rng.standard_normal((days, (samples + 1) // 2))
    shocks = np.concatenate([half, -half], axis=1)[:, :samples]
    path, keep = np.zeros_like(shocks), dependence.persistence
    for day in range(days):
        path[day] = shocks[day] if day == 0 else keep * path[day - 1] + np.sqrt(1 - keep**2) * shocks[day]
    return path


def sample_groups(
    sums: GroupSums, *, dependence: Dependence, samples: int = 400, seed: int = 0, common: FloatArray | None = None
) -> FloatArray:
    """(G, h, S) joint samples of the groups' daily sums; parents are sums of them, hence coherent draw by draw.

    Given the common score a sum has the conditional moments above and, of many parts, a gamma shape (positive, normal
    in the limit). Each group's samples are scaled to its mean, so that sampling moves no forecast. Deterministic.
    """
    rng = np.random.default_rng(seed)
    days = sums.mean.shape[1]
    path = common_path(days, samples, dependence, rng) if common is None else common
    out = np.zeros((*sums.mean.shape, path.shape[1]))
    for day in range(days):
        first, second = weights_given(path[day], sums.knots, dependence.rho)
        centre = np.maximum(sums.first[:, day] @ first.T, 1e-9)
        flat = sums.product[:, day].reshape(len(centre), -1)
        spread = np.maximum(flat @ second.reshape(len(second), -1).T, 1e-12)
        draw = rng.standard_gamma(centre**2 / spread) * spread / centre
        mean = draw.mean(axis=1, keepdims=True)
        out[:, day] = np.where(mean > 0, draw * (sums.mean[:, day : day + 1] / np.maximum(mean, 1e-12)), 0.0)
    return out


def relative_spread(sums: GroupSums, rho: float, days: int = 28) -> float:
    """Standard deviation of a day's total over its mean, by the copula, root mean square of the first `days` days."""
    total = sums.total()
    scores = ndtri((np.arange(NODES) + 0.5) / NODES)
    first, second = weights_given(scores, sums.knots, rho)
    squares = []
    for day in range(min(days, total.mean.shape[1])):
        centre = total.first[0, day] @ first.T
        inner = total.product[0, day].ravel() @ second.reshape(NODES, -1).T
        if centre.mean() > 0:
            squares.append((centre.var() + inner.mean()) / centre.mean() ** 2)
    return float(np.sqrt(np.mean(squares))) if squares else 0.0


def fit_dependence(totals: Sequence[float], sums: GroupSums, season: int = 7) -> Dependence:
    """ρ at which the copula's total strays from day to day as much as the past totals strayed from their season.

    totals: daily totals, the last is the newest. Season = median of the weekday's share of a centred week; residuals
    are log ratios to that, holidays (totals under a tenth of the usual) left out. ρ by bisection in [0, .9];
    persistence = the residuals' correlation at lag 1, in [0, .95]. Under eight weeks of totals: the defaults.
    """
    values = np.asarray(totals, dtype=float)
    if len(values) < 8 * season:
        return Dependence()
    week = np.convolve(values, np.ones(season) / season, mode="same")
    ratio = np.where(week > 0, values / np.where(week > 0, week, 1.0), 0.0)
    usual = np.array([np.median(ratio[phase::season]) for phase in range(season)])[np.arange(len(values)) % season]
    usable = (usual > 0.05) & (ratio > 0.1 * usual)
    usable[: season // 2] = usable[len(values) - season // 2 :] = False
    if usable.sum() < 4 * season:
        return Dependence()
    residual = np.where(usable, np.log(np.where(usable, ratio, 1.0) / np.where(usable, usual, 1.0)), 0.0)
    seen = float(np.sqrt((residual[usable] ** 2).mean()))
    both = usable[1:] & usable[:-1]
    lagged = float((residual[1:] * residual[:-1])[both].mean()) / max(seen**2, 1e-12) if both.any() else 0.0
    low, high = 0.0, 0.9
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if relative_spread(sums, middle) < seen else (low, middle)
    return Dependence(rho=low, persistence=float(np.clip(lagged, 0.0, 0.95)))
