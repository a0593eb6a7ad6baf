"""Sums of counts: chances of one step under each model, and of window sums by convolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from forecasting.engine.types import FloatArray, IntArray

POISSON, NEGATIVE_BINOMIAL, ZERO_INFLATED, HURDLE = range(4)
MODELS = 4
MOST_UNITS = 8192
GRIDS = (64, 256, 1024, MOST_UNITS)
CHUNK_CELLS = 2_000_000
LEVEL_POINTS = 7
EPS = 1e-12


@dataclass(frozen=True)
class Counts:
    """Fits of n series. mean and inverse size 1/r of all periods (r = ∞ is Poisson); inflated λ and chance of the state
    that sells; chance of a sale, mean and inverse size of what is sold beyond the first unit; noise: squared relative
    standard error of the mean; model: the chosen."""

    mean: FloatArray
    inverse: FloatArray
    rate: FloatArray
    live: FloatArray
    chance: FloatArray
    extra: FloatArray
    extra_inverse: FloatArray
    noise: FloatArray
    model: IntArray

    def take(self, rows: IntArray) -> Counts:
        return Counts(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def negative_binomial_log(y: FloatArray, mean: FloatArray, size: FloatArray) -> FloatArray:
    """ln P(y) with the given mean and size r: variance mean + mean²/r; r ≥ 10⁶ counts as Poisson.

    Mean 2, r 1: P(0) = 1/3, P(1) = 2/9, variance 6.
    """
    size, mean = np.minimum(size, 1e6), np.maximum(mean, EPS)
    poisson = y * np.log(mean) - mean - gammaln(y + 1.0)
    share = mean / (mean + size)
    mixed = gammaln(y + size) - gammaln(size) - gammaln(y + 1.0) + size * np.log1p(-share) + y * np.log(share)
    return np.where(size >= 1e6, poisson, mixed)


def log_chance(fits: Counts, model: int, y: FloatArray, factor: FloatArray | float = 1.0) -> FloatArray:
    """(n, G) ln P(y) for y (n, G) or (1, G) under one model; factor (n,) scales the mean: λ or r of the first two, the
    chance of a sale of the others."""
    f = np.broadcast_to(np.asarray(factor, dtype=float), fits.mean.shape)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        if model in (POISSON, NEGATIVE_BINOMIAL):
            inverse = fits.inverse[:, None] if model == NEGATIVE_BINOMIAL else np.zeros_like(f)
            return negative_binomial_log(y, fits.mean[:, None] * f, np.where(inverse > 0, f / inverse, np.inf))
        if model == ZERO_INFLATED:
            live = np.clip(fits.live[:, None] * f, 0.0, 1.0)
            one = negative_binomial_log(y, fits.rate[:, None], np.full_like(f, np.inf))
            return np.where(y > 0, np.log(live) + one, np.log(1.0 - live + live * np.exp(one)))
        chance = np.clip(fits.chance[:, None] * f, 0.0, 1.0)
        size = np.where(fits.extra_inverse > 0, 1.0 / fits.extra_inverse, np.inf)[:, None]
        above = negative_binomial_log(np.maximum(y - 1.0, 0.0), fits.extra[:, None], size)
        return np.where(y > 0, np.log(chance) + above, np.log1p(-chance))


def moments(fits: Counts) -> tuple[FloatArray, FloatArray]:
    """(n,) mean and variance a period of the chosen models: how wide the grid of a sum must be."""
    wide = fits.mean + fits.inverse * fits.mean**2
    extra = fits.extra + fits.extra_inverse * fits.extra**2
    hurdle = fits.chance * (extra + (1.0 + fits.extra) ** 2) - fits.mean**2
    both = fits.live * (fits.rate + fits.rate**2) - fits.mean**2
    variance = np.choose(fits.model, [fits.mean, wide, both, hurdle])
    return fits.mean, np.maximum(variance, fits.mean)


def sum_quantiles(fits: Counts, factor: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """(n, q) smallest S with P(Σ ≤ S) ≥ τ of the sum over the steps of factor (n, w): the product of the steps'
    Fourier transforms, so that 7 Poissons of mean 1 are one of mean 7, averaged over the levels that the few periods
    seen leave possible (all steps share one). NaN where 8,192 units do not hold it."""
    mean, variance = moments(fits)
    steps = factor.sum(axis=1) * level_points(fits.noise).max(axis=1)
    need = mean * steps + 15.0 * np.sqrt(variance * steps) + 20.0
    out = np.full((len(mean), len(levels)), np.nan)
    lower = 0
    for grid in GRIDS:
        rows = np.flatnonzero((need > lower) & (need <= grid))
        lower = grid
        step = max(1, CHUNK_CELLS // grid)
        for begin in range(0, len(rows), step):
            part = rows[begin : begin + step]
            some = fits.take(part)
            levels_of = level_points(some.noise)
            each = [convolved(some, factor[part] * levels_of[:, [j]], grid) for j in range(levels_of.shape[1])]
            chance = np.mean(each, axis=0)
            reached = np.cumsum(chance, axis=1)[:, None, :] >= np.array(levels)[None, :, None] - 1e-9
            out[part] = np.where(reached.any(axis=2), reached.argmax(axis=2), grid - 1)
    return out


def level_points(noise: FloatArray) -> FloatArray:
    """(n, 7) equally likely levels relative to the estimate: the middles of sevenths of a gamma of mean 1 and variance
    noise, set to mean 1; (n, 1) ones where nothing is uncertain."""
    from scipy.special import gammaincinv

    if not noise.any():
        return np.ones((len(noise), 1))
    variance = np.maximum(noise, 1e-6)[:, None]
    points = gammaincinv(1.0 / variance, (np.arange(LEVEL_POINTS)[None, :] + 0.5) / LEVEL_POINTS) * variance
    spread: FloatArray = points / points.mean(axis=1, keepdims=True)
    return spread


def convolved(fits: Counts, factor: FloatArray, grid: int) -> FloatArray:
    """(n, grid) chances of the sum; equal phases of the season are raised to a power, not multiplied one by one."""
    kinds, back = np.unique(factor, axis=1, return_inverse=True)
    times = np.bincount(back.ravel(), minlength=kinds.shape[1])
    total = np.ones((len(factor), grid // 2 + 1), dtype=complex)
    for j, count in enumerate(times):
        total *= np.fft.rfft(step_chances(fits, kinds[:, j], grid), axis=1) ** int(count)
    return np.maximum(np.fft.irfft(total, grid, axis=1), 0.0)


def step_chances(fits: Counts, factor: FloatArray, grid: int) -> FloatArray:
    """(n, grid) chances of 0 … grid − 1 units in one step under each series' own model."""
    y, out = np.arange(grid, dtype=float)[None, :], np.zeros((len(factor), grid))
    for model in range(MODELS):
        rows = np.flatnonzero(fits.model == model)
        if len(rows):
            out[rows] = np.exp(log_chance(fits.take(rows), model, y, factor[rows]))
    out[fits.mean <= 0] = 0.0
    out[fits.mean <= 0, 0] = 1.0
    return out
