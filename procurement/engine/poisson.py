"""Tails and losses of a Poisson count, exact also for means of millions, where incomplete gamma functions give way.

Up to `EXACT` scipy's functions hold 14 digits; above it P(D > k) beyond one σ loses them (mean 10⁷, 4.4σ: 2 % off), so
the tail is summed away from an anchor P(D = k) by P(D = k + 1) = P(D = k)·λ/(k + 1). Only above `MANY` is it a series.
"""

import math
from typing import Any

from procurement.engine.distributions import Losses, count_losses, deviance, standard_normal_losses, stirling_error
from procurement.engine.quantiles import density, upper_tail

EXACT = 100_000.0
"""Mean up to which scipy's Poisson tails hold every digit."""

MANY = 1e10
"""Mean above which a tail has too many units to be summed; the series is then right to 10⁻¹¹ (losses)
and 10⁻⁷ (tails) out to 6σ."""

_BLOCK = 65_536


def poisson_losses(x: float, mean: float) -> Losses:
    """n(x) = E[(D − x)⁺] and n̄(x) = E[(x − D)⁺], D ~ Poisson(λ). x = 18, λ = 15 → n = 0.5176."""
    from scipy.special import pdtr, pdtrc

    if mean == 0.0:
        return max(-x, 0.0), max(x, 0.0)
    if mean <= EXACT:
        return count_losses(x, mean, math.sqrt(mean), lambda k: pdtr(k, mean), lambda k: pdtrc(k, mean))
    if x <= 0.0:
        return mean - x, 0.0
    whole = math.floor(x)
    rest = x - whole
    (short, left), (less, more) = _whole_losses(whole, mean), _whole_losses(whole + 1, mean) if rest else (0.0, 0.0)
    return short * (1.0 - rest) + less * rest, left * (1.0 - rest) + more * rest


def poisson_tails(k: int, mean: float) -> tuple[float, float]:
    """P(D ≤ k) and P(D > k). k = 5, λ = 3 → 0.9161 and 0.0839."""
    from scipy.special import pdtr, pdtrc

    if k < 0:
        return 0.0, 1.0
    if mean <= EXACT:
        return float(pdtr(k, mean)), float(pdtrc(k, mean))
    if mean > MANY:
        sd = math.sqrt(mean)
        z = (k + 0.5 - mean) / sd
        skew = density(z) * (z * z - 1.0) / (6.0 * sd)
        return max(0.0, upper_tail(-z) - skew), min(1.0, max(0.0, upper_tail(z) + skew))
    if k > mean:
        more = _tail(k, mean, 1)[0]
        return 1.0 - more, more
    at_most = _tail(k, mean, -1)[0] + poisson_chance(k, mean)
    return at_most, 1.0 - at_most


def poisson_chance(k: float, mean: float) -> float:
    """P(D = k), k ≥ 0, with the digits large factorials would take away: Loader (2000). k = 5, λ = 3 → 0.1008."""
    if k == 0.0:
        return math.exp(-mean)
    return math.exp(-stirling_error(k) - deviance(k, mean)) / math.sqrt(2.0 * math.pi * k)


def poisson_chances(low: int, high: int, mean: float) -> Any:
    """P(D = k) for k = low … high, low ≥ 0, as an array: outwards from its largest."""
    import numpy as np

    anchor = min(max(math.floor(mean), low), high)
    up = np.cumprod(mean / np.arange(anchor + 1.0, high + 1.0))
    down = np.cumprod(np.arange(float(anchor), float(low), -1.0) / mean)
    return poisson_chance(anchor, mean) * np.concatenate([down[::-1], [1.0], up])


def _whole_losses(k: int, mean: float) -> Losses:
    if mean > MANY:
        return _many_losses(k, mean)
    if k > mean:
        loss = _tail(k, mean, 1)[1]
        return loss, k - mean + loss
    complement = _tail(k, mean, -1)[1]
    return mean - k + complement, complement


def _tail(k: int, mean: float, step: int) -> tuple[float, float]:
    """Σ P(D = k + i·step) and Σ i·P(D = k + i·step), i = 1, 2, …: every term adds, so no digit is lost."""
    import numpy as np

    chance, total, weighted, done = poisson_chance(k, mean), 0.0, 0.0, 0
    while chance > 0.0:
        steps = np.arange(done + 1.0, done + _BLOCK + 1.0)
        ratios = mean / (k + steps) if step > 0 else np.maximum(k + 1.0 - steps, 0.0) / mean
        terms = chance * np.cumprod(ratios)
        total += float(terms.sum())
        weighted += float((steps * terms).sum())
        chance, done = float(terms[-1]), done + _BLOCK
        if chance * done <= weighted * 1e-20:
            break
    return total, weighted


def _many_losses(x: float, mean: float) -> Losses:
    """σ·[ℒ(z) + γ/6·z·φ(z) + …], the Edgeworth series with γ = 1/σ, for whole x.

    The kurtosis adds γ²/24·(z² − 1)·φ(z), the whole units take φ(z)·γ²/12 away.
    """
    sd = math.sqrt(mean)
    z = (x - mean) / sd
    loss, complement = standard_normal_losses(z)
    terms = z / (6.0 * sd) + ((z**4 - 6.0 * z * z + 3.0) / 72.0 + (z * z - 3.0) / 24.0) / mean
    correction = sd * density(z) * terms if abs(z) < 30.0 else 0.0
    return max(0.0, sd * loss + correction), max(0.0, sd * complement + correction)
