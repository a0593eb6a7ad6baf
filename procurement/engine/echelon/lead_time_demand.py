"""Demand in whole units over a lead time: Poisson, negative binomial, or a list of values with probabilities."""

import math
from typing import Any

import numpy as np

from procurement.engine.echelon.serial_lattice import Pmf

_TINY = 1e-18


def poisson_over(mean: float) -> Pmf:
    """Poisson demand with this mean over the lead time, cut where less than 1e-18 is left on a side."""
    from scipy.special import gammaln

    if mean == 0.0:
        return Pmf(0, np.ones(1), 0.0)
    reach = 9.5 * math.sqrt(mean) + 30.0
    units = np.arange(max(0, math.floor(mean - reach)), math.ceil(mean + reach) + 1)
    logs = units * math.log(mean) - mean - gammaln(units + 1.0)
    return trimmed(int(units[0]), np.exp(logs), mean)


def negative_binomial_over(mean: float, sd: float) -> Pmf:
    """Negative binomial demand with this mean and a variance above it; sums over time keep the success probability."""
    from scipy.special import gammaln

    if mean == 0.0:
        return Pmf(0, np.ones(1), 0.0)
    success = mean / (sd * sd)
    shape = mean * success / (1.0 - success)
    units = np.arange(0, math.ceil(mean + 12.0 * sd + 60.0 / -math.log1p(-success)) + 1)
    logs = gammaln(units + shape) - gammaln(shape) - gammaln(units + 1.0)
    return trimmed(0, np.exp(logs + shape * math.log(success) + units * math.log1p(-success)), mean)


def pmf_over(low: int, probabilities: Any, periods: int) -> Pmf:
    """The sum of `periods` independent demands with these probabilities of low, low + 1, … units."""
    single = np.asarray(probabilities, dtype=float)
    mean = float((low + np.arange(len(single))) @ single)
    total = np.ones(1)
    for _ in range(periods):
        total = np.convolve(total, single)
    return trimmed(low * periods, total, mean * periods)


def trimmed(low: int, probabilities: Any, mean: float) -> Pmf:
    """Without the ends that hold next to nothing; the rest adds up to 1."""
    kept = np.flatnonzero(probabilities > _TINY)
    part = probabilities[kept[0] : kept[-1] + 1]
    return Pmf(low + int(kept[0]), part / part.sum(), mean)
