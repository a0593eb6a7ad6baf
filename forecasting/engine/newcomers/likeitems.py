"""What items alike sell, and how far an item's own few sales count against it (empirical Bayes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from forecasting.engine.types import Covariates, FloatArray, IntArray

EPS = 1e-9
SHAPES = np.geomspace(0.1, 20.0, 40)
STRENGTH = 5.0
FAR = 4.0


@dataclass(frozen=True)
class Slope:
    """Effect of one numeric attribute: per standard deviation of its logarithm, around the panel's mean."""

    centre: float
    scale: float
    slope: float

    def at(self, values: FloatArray) -> FloatArray:
        """(n,) logs; an unknown or non-positive value says nothing."""
        known = np.isfinite(values) & (values > 0)
        z = (np.log(np.where(known, values, 1.0)) - self.centre) / self.scale
        return np.where(known, self.slope * np.clip(z, -FAR, FAR), 0.0)


@dataclass(frozen=True)
class LikeItems:
    """ln of what items alike sell: grand mean + slopes of static numbers + shrunken effects of categories."""

    grand: float
    slopes: Mapping[str, Slope] = field(default_factory=dict)
    effects: Mapping[str, FloatArray] = field(default_factory=dict)

    def at(self, covariates: Covariates | None, n: int) -> FloatArray:
        """(n,) logs; an item of an unknown category is an average one."""
        out = np.full(n, self.grand)
        if covariates is None:
            return out
        for name, slope in self.slopes.items():
            if name in covariates.static:
                out = out + slope.at(covariates.static[name])
        for name, effect in self.effects.items():
            if name in covariates.categories:
                out = out + looked_up(effect, covariates.categories[name])
        return out


def fit_like_items(target: FloatArray, covariates: Covariates | None) -> LikeItems:
    """target (n,) ln of a level. One attribute after the other explains what those before it left over."""
    grand = float(target.mean()) if len(target) else 0.0
    rest = target - grand
    slopes: dict[str, Slope] = {}
    effects: dict[str, FloatArray] = {}
    if covariates is None or not len(target):
        return LikeItems(grand)
    for name in sorted(covariates.static):
        slope = fit_slope(covariates.static[name], rest)
        if slope is not None:
            slopes[name] = slope
            rest = rest - slope.at(covariates.static[name])
    for name in sorted(covariates.categories):
        effects[name] = category_effects(rest, covariates.categories[name])
        rest = rest - looked_up(effects[name], covariates.categories[name])
    return LikeItems(grand, slopes, effects)


def fit_slope(values: FloatArray, rest: FloatArray) -> Slope | None:
    """Ridge regression Σ z·r / (Σ z² + 5) on the standardised logarithm; None where all items have one value."""
    known = np.isfinite(values) & (values > 0)
    logs = np.log(values[known])
    if len(logs) < 2 or logs.std() <= EPS:
        return None
    centre, scale = float(logs.mean()), float(logs.std())
    z = np.clip((logs - centre) / scale, -FAR, FAR)
    return Slope(centre, scale, float(z @ rest[known] / (z @ z + STRENGTH)))


def category_effects(residual: FloatArray, codes: IntArray) -> FloatArray:
    """(C,) mean residual × n / (n + 5). Five items of mean residual .4: .2."""
    inside = codes >= 0
    size = int(codes.max(initial=-1)) + 1
    count = np.bincount(codes[inside], minlength=size).astype(float)
    return np.bincount(codes[inside], residual[inside], minlength=size) / (count + STRENGTH)


def looked_up(effect: FloatArray, codes: IntArray) -> FloatArray:
    """(n,) effect of each code, 0 for codes that were never seen."""
    if not len(effect):
        return np.zeros(len(codes))
    known = (codes >= 0) & (codes < len(effect))
    return np.where(known, effect[np.clip(codes, 0, len(effect) - 1)], 0.0)


def gamma_poisson_shape(events: FloatArray, expected: FloatArray) -> float:
    """Shape a of rates ~ Gamma(a, mean μ) under counts ~ Poisson(rate · E): the likeliest of 40 values.

    ln L = Σ lnΓ(a + N) − lnΓ(a) + a ln(a / (a + μE)) + N ln(μE / (a + μE)); expected (n,) = μE. Counts of mean 3 and
    variance 12 have a = 3² / (12 − 3) = 1. Robbins (1956); Efron & Morris (1973).
    """
    from scipy.special import gammaln

    usable = expected > 0
    n, e = events[usable], expected[usable]
    if not len(n):
        return 1.0
    a = SHAPES[:, None]
    fit = gammaln(a + n) - gammaln(a) + a * np.log(a / (a + e)) + n * np.log(e / (a + e))
    return float(SHAPES[fit.sum(axis=1).argmax()])


def posterior_rate(events: FloatArray, exposure: FloatArray, prior: FloatArray, shape: float) -> FloatArray:
    """Sales per unit of exposure (a + N) / (a / μ + E). μ = .2, a = 2, 3 sales in 5 days: 5 / (10 + 5) = .333."""
    return (shape + events) / (shape / np.maximum(prior, EPS) + exposure)
