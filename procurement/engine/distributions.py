"""Loss functions n(x) = E[(D − x)⁺] and n̄(x) = E[(x − D)⁺] of the demand distributions, accurate in both tails.

Source: Snyder & Shen, appendix C.3. n(x) − n̄(x) = E[D] − x always holds and is used to get the larger from the smaller.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

from procurement.engine.quantiles import density, upper_tail

Losses = tuple[float, float]

LONG_SUM = 50_000.0
"""Standard deviation of a count above which its tail is no longer summed unit by unit."""


def critical_score(shortage_cost: float, excess_cost: float) -> float:
    """z at the critical ratio p/(p + h), exact also where the ratio rounds to 1. p = 0.7, h = 0.18 → 0.8255."""
    total = shortage_cost + excess_cost
    if excess_cost < shortage_cost:
        return -NormalDist().inv_cdf(excess_cost / total)
    return NormalDist().inv_cdf(shortage_cost / total)


def standard_normal_losses(z: float) -> Losses:
    """ℒ(z) = φ(z) − z·(1 − Φ(z)) and its complement. ℒ(0.3) = 0.2668."""
    if z < 0.0:
        below, above = standard_normal_losses(-z)
        return above, below
    if z > 20.0:  # φ(z)/z²·(1 − 3/z² + 3·5/z⁴ − 3·5·7/z⁶ + …): the difference below has lost its digits here
        series, square = 1.0, z * z
        for odd in (13.0, 11.0, 9.0, 7.0, 5.0, 3.0):
            series = 1.0 - odd / square * series
        loss = density(z) / square * series
    else:
        loss = max(0.0, density(z) - z * upper_tail(z))
    return loss, z + loss


def normal_losses(x: float, mean: float, sd: float) -> Losses:
    """σ·ℒ((x − μ)/σ) and its complement; without spread the plain difference. x = 55, N(50, 8) → n = 1.2954."""
    if sd == 0.0:
        return max(mean - x, 0.0), max(x - mean, 0.0)
    loss, complement = standard_normal_losses((x - mean) / sd)
    return sd * loss, sd * complement


def normal_second_loss(x: float, mean: float, sd: float) -> float:
    """n₂(x) = ½·E[((D − x)⁺)²] = ½σ²·[(z² + 1)(1 − Φ(z)) − z·φ(z)]; ∫ of n from x on."""
    if sd == 0.0:
        return max(mean - x, 0.0) ** 2 / 2.0
    z = (x - mean) / sd
    if z < 0.0:
        return sd * sd * (z * z + 1.0) / 2.0 - normal_second_loss(2.0 * mean - x, mean, sd)
    return sd * sd / 2.0 * max(0.0, (z * z + 1.0) * upper_tail(z) - z * density(z))


def lognormal_losses(x: float, mu: float, sigma: float) -> Losses:
    """ln D ~ N(μ, σ²): n(x) = e^{μ+σ²/2}·Φ((μ + σ² − ln x)/σ) − x·Φ((μ − ln x)/σ). x = 10, μ = 2, σ = 0.3 → 0.2836."""
    mean = math.exp(mu + sigma * sigma / 2.0)
    if x <= 0.0:
        return mean - x, 0.0
    z = (math.log(x) - mu) / sigma
    loss = max(0.0, mean * upper_tail(z - sigma) - x * upper_tail(z))
    complement = max(0.0, x * upper_tail(-z) - mean * upper_tail(sigma - z))
    return (loss, x - mean + loss) if z > 0.0 else (mean - x + complement, complement)


def gamma_losses(x: float, shape: float, scale: float) -> Losses:
    """n(x) = aθ·P(G_{a+1} > x) − x·P(G_a > x), G_a ~ gamma(a, θ). x = 10, a = 4, θ = 2 → n = 0.8737."""
    from scipy.special import gammainc, gammaincc

    mean = shape * scale
    if x <= 0.0:
        return mean - x, 0.0
    y = x / scale
    if x > mean:
        loss = max(0.0, float(mean * gammaincc(shape + 1.0, y) - x * gammaincc(shape, y)))
        return loss, x - mean + loss
    complement = max(0.0, float(x * gammainc(shape, y) - mean * gammainc(shape + 1.0, y)))
    return mean - x + complement, complement


def gamma_second_loss(x: float, shape: float, scale: float) -> float:
    """½·E[((D − x)⁺)²] = ½θ²·[((a − y)² + a)·P(G_a > y) + a·(a + 1 − y)·t], y = x/θ, t = y^a·e^{−y}/Γ(a + 1).

    x = 10, a = 4, θ = 2 → 2.6503.
    """
    from scipy.special import gammaincc

    mean = shape * scale
    if x <= 0.0:
        return ((mean - x) ** 2 + shape * scale * scale) / 2.0
    y = x / scale
    density_part = math.exp(-deviance(shape, y) - stirling_error(shape)) / math.sqrt(2.0 * math.pi * shape)
    tail = ((shape - y) ** 2 + shape) * float(gammaincc(shape, y))
    return scale * scale / 2.0 * max(0.0, tail + shape * (shape + 1.0 - y) * density_part)


def exponential_losses(x: float, mean: float) -> Losses:
    """n(x) = μ·e^{−x/μ} for x ≥ 0."""
    if x <= 0.0:
        return mean - x, 0.0
    loss = mean * math.exp(-x / mean)
    return loss, mean * math.expm1(-x / mean) + x


def uniform_losses(x: float, lo: float, hi: float) -> Losses:
    """n(x) = (hi − x)²/(2(hi − lo)) inside [lo, hi]."""
    mean = (lo + hi) / 2.0
    if x <= lo:
        return mean - x, 0.0
    if x >= hi:
        return 0.0, x - mean
    return (hi - x) ** 2 / (2.0 * (hi - lo)), (x - lo) ** 2 / (2.0 * (hi - lo))


def negative_binomial_losses(x: float, r: float, p: float) -> Losses:
    """D = failures before r successes of probability p, mean r(1 − p)/p. x = 14, r = 6, p = 0.4 → n = 0.4917."""
    from scipy.special import betainc

    mean = r * (1.0 - p) / p
    if mean == 0.0:
        return max(-x, 0.0), max(x, 0.0)
    sd = math.sqrt(mean / p)
    if sd > LONG_SUM:
        return _wide_negative_binomial_losses(x, r, p)
    return count_losses(x, mean, sd, lambda k: betainc(r, k + 1.0, p), lambda k: betainc(k + 1.0, r, 1.0 - p))


def _wide_negative_binomial_losses(x: float, r: float, p: float) -> Losses:
    """n(k) = (μ − k)·P(D > k) + (r + k)·(1 − p)/p·P(D = k), where a sum over the tail would be too long."""
    from scipy.special import betainc

    mean = r * (1.0 - p) / p
    if x < 0.0:
        return mean - x, 0.0

    def loss(k: float) -> float:
        chance = r / (r + k) * _binomial_density(r, r + k, p)
        return (mean - k) * float(betainc(k + 1.0, r, 1.0 - p)) + (r + k) * (1.0 - p) / p * chance

    whole = math.floor(x)
    rest = x - whole
    short = max(0.0, loss(whole) * (1.0 - rest) + (loss(whole + 1.0) * rest if rest else 0.0))
    return short, max(0.0, x - mean + short)


def _binomial_density(x: float, n: float, p: float) -> float:
    """Γ(n+1)/(Γ(x+1)Γ(n−x+1))·p^x·(1−p)^(n−x) for real x and n, without losing digits to large logarithms.

    Source: Loader (2000), "Fast and accurate computation of binomial probabilities".
    """
    rest = n - x
    if rest == 0.0:
        return p**n
    errors = stirling_error(n) - stirling_error(x) - stirling_error(rest)
    exponent = errors - deviance(x, n * p) - deviance(rest, n * (1.0 - p))
    return math.exp(exponent) * math.sqrt(n / (2.0 * math.pi * x * rest))


def stirling_error(x: float) -> float:
    """ln Γ(x+1) − (½·ln(2πx) + x·ln x − x)."""
    if x < 16.0:
        return math.lgamma(x + 1.0) - 0.5 * math.log(2.0 * math.pi * x) - x * math.log(x) + x
    square = x * x
    return (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / square) / square) / square) / x


def deviance(x: float, mean: float) -> float:
    """x·ln(x/mean) + mean − x, also where x is close to the mean."""
    gap = (x - mean) / (x + mean)
    if abs(gap) > 0.1:
        return x * math.log(x / mean) + mean - x
    total, term = (x - mean) * gap, 2.0 * x * gap
    for power in range(3, 60, 2):
        term *= gap * gap
        if total + term / power == total:
            break
        total += term / power
    return total


def count_losses(
    x: float, mean: float, sd: float, at_most: Callable[[Any], Any], more_than: Callable[[Any], Any]
) -> Losses:
    """Losses of a count: n(k) = Σ_{j≥k} P(D > j), n̄(k) = Σ_{j<k} P(D ≤ j), summed from the side with the small tail.

    Between two whole numbers both losses are linear.
    """
    if x <= 0.0:
        return mean - x, 0.0
    whole = math.floor(x)
    rest = x - whole
    if x > mean:
        loss = _tail_sum(more_than, whole, 1, sd) - (rest * float(more_than(whole)) if rest else 0.0)
        return loss, x - mean + loss
    complement = _tail_sum(at_most, whole - 1, -1, sd) + (rest * float(at_most(whole)) if rest else 0.0)
    return mean - x + complement, complement


def _tail_sum(probability: Callable[[Any], Any], start: int, step: int, sd: float) -> float:
    """Σ of a falling tail probability over start, start + step, … (not below 0), until nothing is added any more."""
    import numpy as np

    total, block = 0.0, max(64, int(4.0 * sd))
    while start >= 0:
        places = np.arange(block) * float(step) + start
        terms = probability(places[places >= 0.0])
        total += float(terms.sum())
        if not terms[-1] > total * 1e-18 or len(terms) < block:  # NaN ends it too: beyond a library's range
            return total
        start += step * block
    return total
