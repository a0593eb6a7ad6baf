"""Probabilities of demand over an interval on a lattice of cells, and its loss functions there.

A law of mean m and variance v is laid on cells 0, u, 2u …: negative binomial in units of u (for counts u = 1; a gamma
law is its limit for small u and keeps mean and variance), the Wilson–Hilferty normal for gamma laws of shape 16 and
more, lognormal, or normal. Laws of part intervals keep the rate of demand: m·τ/T and v·τ/T (independent days).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]

NORMAL, GAMMA, NEGATIVE_BINOMIAL, EMPIRICAL, LOGNORMAL = 0, 1, 2, 3, 4
CELLS = 512
#: From this shape on the Wilson–Hilferty cube root is right to 4 digits and cheaper than counting cells.
_CUBE_ROOT_SHAPE = 16.0


@njit(cache=True, error_model="numpy")
def below(z: float) -> float:
    """Φ(z)."""
    return 0.5 * math.erfc(-z * 0.7071067811865476)


@njit(cache=True, error_model="numpy")
def add_law(at_most: Array, weight: float, unit: float, family: int, mean: float, variance: float) -> None:
    """Add weight·P(D ≤ i·unit) to `at_most` (CELLS,); a law without mean is certain to be 0."""
    if mean <= 1e-12:
        at_most += weight
    elif variance <= 1e-12 * mean * mean:
        for i in range(len(at_most)):
            at_most[i] += weight * min(1.0, max(0.0, (i * unit - mean) / unit + 1.0))
    elif family == NEGATIVE_BINOMIAL or (family == GAMMA and mean * mean / variance < _CUBE_ROOT_SHAPE):
        counts = family == NEGATIVE_BINOMIAL and unit == 1.0
        if mean < 650.0 * unit and (counts or variance > 1.05 * mean * unit):
            _add_counts(at_most, weight, mean / unit, variance / (unit * unit))
        else:
            _add_smooth(at_most, weight, unit, GAMMA, mean, variance)
    else:
        _add_smooth(at_most, weight, unit, family, mean, variance)


@njit(cache=True, error_model="numpy")
def _add_counts(at_most: Array, weight: float, mean: float, variance: float) -> None:
    """Negative binomial of `mean` and `variance`, Poisson where the variance is no more than the mean."""
    poisson = variance <= mean * 1.0000001
    successes = 0.0 if poisson else mean * mean / (variance - mean)
    share = 1.0 if poisson else mean / variance
    log_first = -mean if poisson else successes * math.log(share)
    term, total = math.exp(log_first), 0.0
    for i in range(len(at_most)):
        total += term
        at_most[i] += weight * min(1.0, total)
        term *= mean / (i + 1.0) if poisson else (successes + i) / (i + 1.0) * (1.0 - share)


@njit(cache=True, error_model="numpy")
def _add_smooth(at_most: Array, weight: float, unit: float, family: int, mean: float, variance: float) -> None:
    """Gamma by Wilson–Hilferty, lognormal or normal: Φ of a transform, evaluated half a cell on (cells are centred)."""
    sigma, shape = math.sqrt(variance), mean * mean / variance
    log_sd = math.sqrt(math.log1p(1.0 / shape))
    log_mean = math.log(mean) - log_sd * log_sd / 2.0
    for i in range(len(at_most)):
        x = (i + 0.5) * unit
        if family in (GAMMA, NEGATIVE_BINOMIAL):
            z = (math.pow(x / mean, 1.0 / 3.0) - 1.0 + 1.0 / (9.0 * shape)) * 3.0 * math.sqrt(shape)
        elif family == LOGNORMAL:
            z = (math.log(x) - log_mean) / log_sd
        else:
            z = (x - mean) / sigma
        if z > 7.0:
            for rest in range(i, len(at_most)):
                at_most[rest] += weight
            return
        if z > -7.0:
            at_most[i] += weight * below(z)


@njit(cache=True, error_model="numpy")
def add_mixture(
    at_most: Array, unit: float, family: int, rate: float, spread: float, lead: float, lead_sd: float, review: float,
    weights: Array, bin_means: Array, bin_variances: Array,
) -> None:  # fmt: skip
    """F of demand over a lead time gamma(`lead`, `lead_sd`) plus `review` days.

    `rate` units a day, `spread` variance a day; a bin of lead times τ̄ ± σ_τ has mean rate·(τ̄ + R) and variance
    spread·(τ̄ + R) + rate²·σ_τ². d = 100, σ_d = 30, L = 20 of CV 0.56: .95 at 4 142, .99 at 5 503.
    """
    if lead_sd <= 0.0 or lead <= 0.0:
        days = lead + review
        add_law(at_most, 1.0, unit, family, rate * days, spread * days)
        return
    for j in range(len(weights)):
        days = lead * bin_means[j] + review
        variance = spread * days + rate * rate * lead * lead * bin_variances[j]
        add_law(at_most, weights[j], unit, family, rate * days, variance)


@njit(cache=True, error_model="numpy")
def lost_of_review(
    unit: float, family: int, rate: float, spread: float, lead: float, lead_sd: float, review: float,
    weights: Array, bin_means: Array, bin_variances: Array,
) -> Array:  # fmt: skip
    """Units lost in a review: R·E[n(y | L)/(L + R)], on the lattice of levels y.

    What is sold in any L + R days cannot exceed y, so a window loses (D − y)⁺, and a review its share R/(L + R) of it.
    """
    out = np.zeros(CELLS)
    fixed = lead_sd <= 0.0 or lead <= 0.0
    for j in range(1 if fixed else len(weights)):
        at_most = np.zeros(CELLS)
        days = lead + review if fixed else lead * bin_means[j] + review
        variance = spread * days + (0.0 if fixed else rate * rate * lead * lead * bin_variances[j])
        add_law(at_most, 1.0, unit, family, rate * days, variance)
        out += (1.0 if fixed else weights[j]) * review / days * losses(at_most, unit)
    return out


@njit(cache=True, error_model="numpy")
def losses(at_most: Array, unit: float) -> Array:
    """n(i·u) = E[(D − i·u)⁺] by n(x) = n(x + u) + u·P(D > x), from the top down."""
    out = np.empty(len(at_most))
    # From the top down, so that small tails keep their digits; the mass beyond the lattice is taken as exponential.
    tail = max(0.0, 1.0 - at_most[-1])
    before = max(0.0, 1.0 - at_most[-2])
    out[-1] = tail * unit / max(1e-9, 1.0 - tail / before) if before > tail > 1e-14 else 0.0
    for i in range(len(at_most) - 2, -1, -1):
        out[i] = out[i + 1] + unit * max(0.0, 1.0 - at_most[i])
    return out
