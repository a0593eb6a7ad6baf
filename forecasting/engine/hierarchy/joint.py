"""Quantiles of sums: groups of series that rise and fall together in part, sampled jointly so that levels add up.

Each series' demand is D = Q(u), Q its quantile function, linear between the stored levels, and u = Φ(√ρ z + √(1−ρ) ε):
z is common to all series of a day, ε its own (a one-factor Gaussian copula; Li 2000). Given z, the mean of D is a
weighted sum of its stored quantiles with weights that are the same for every series, and so is its second moment in
their products. A group's conditional mean and variance therefore follow from Σ Q_k, Σ Q_k² and Σ Q_k Q_k+1 over its
series: memory and time do not depend on their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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
    q = np.concatenate(parts, axis=2)

    def total(values: FloatArray) -> FloatArray:
        out = np.zeros((groups, *values.shape[1:]))
        np.add.at(out, codes, values)
        return out

    return GroupSums(knots, total(q), total(q[:, :, :, None] * q[:, :, None, :]), total(mean))


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
