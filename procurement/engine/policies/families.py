"""Which law fits the forecast's quantiles, and the curve that leads from that law back to the quantiles themselves.

Laws: gamma and lognormal by least squares over a table of shapes, normal by regression on the normal scores, counts
(negative binomial) by how far each whole quantile is from the level it was given for. The forecast's mean counts as
one more quantile where it is known. What remains between the fitted law and the given quantiles is kept as a
correction (`to_units`), constant beyond the last of them: the tail is the law's, at the place the forecast says.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from procurement.engine.policies.lattice import GAMMA, LOGNORMAL, NEGATIVE_BINOMIAL, NORMAL
from procurement.engine.quantiles import TAIL_SHAPE

Array = NDArray[np.float64]

#: Counts are fitted as counts up to this quantile; above it a unit more or less is no longer seen.
LARGEST_COUNT = 80.0
_NARROWEST_NORMAL = 0.3
_TAIL_SHAPE = TAIL_SHAPE


@njit(cache=True, error_model="numpy")
def fit_law(
    levels: Array, scores: Array, units: Array, mean: float, sd: float,
    table: Array, variances: Array, is_lognormal: NDArray[np.bool_],
) -> tuple[int, float, float, Array]:  # fmt: skip
    """(family, mean, variance, the law's quantiles at the levels) of the demand sum over the mean interval."""
    count = len(units)
    flat = count == 0 or units[count - 1] <= units[0]
    if count == 0 or (flat and count and units[0] == 0.0 and mean <= 0.0):
        cv = sd / mean if mean > 0.0 else 0.0
        return (NORMAL if cv <= _NARROWEST_NORMAL else GAMMA), mean, sd * sd, units.copy()
    whole = True
    for q in units:
        whole = whole and q == math.floor(q)
    if whole and units[count - 1] <= LARGEST_COUNT and count >= 3:
        return _fit_counts(levels, scores, units, mean)
    if flat or count < 3:
        slope = 0.0 if flat else (units[-1] - units[0]) / (scores[-1] - scores[0])
        centre = units[0] - slope * scores[0]
        return NORMAL, max(0.0, centre), slope * slope, units.copy()
    return _fit_smooth(levels, scores, units, mean, table, variances, is_lognormal)


@njit(cache=True, error_model="numpy")
def _fit_smooth(
    levels: Array, scores: Array, units: Array, mean: float,
    table: Array, variances: Array, is_lognormal: NDArray[np.bool_],
) -> tuple[int, float, float, Array]:  # fmt: skip
    anchor = 0.5 if mean > 0.0 else 0.0
    best, best_row, best_scale = math.inf, 0, 0.0
    for row in range(len(table)):
        top, bottom = anchor * mean, anchor
        for k in range(len(units)):
            top += levels[k] * units[k] * table[row, k]
            bottom += levels[k] * table[row, k] * table[row, k]
        scale = top / bottom
        error = anchor * (scale - mean) ** 2
        for k in range(len(units)):
            error += levels[k] * (units[k] - scale * table[row, k]) ** 2
        if error < best:
            best, best_row, best_scale = error, row, scale
    centre, slope, error = _fit_normal(levels, scores, units, mean, anchor)
    if error <= best and centre > 0.0 and slope < _NARROWEST_NORMAL * centre * 1.5:
        return NORMAL, centre, slope * slope, centre + slope * scores
    family = LOGNORMAL if is_lognormal[best_row] else GAMMA
    return family, best_scale, variances[best_row] * best_scale * best_scale, best_scale * table[best_row]


@njit(cache=True, error_model="numpy")
def _fit_normal(levels: Array, scores: Array, units: Array, mean: float, anchor: float) -> tuple[float, float, float]:
    """Weighted regression of the quantiles on their scores; the mean counts at score 0. (centre, slope, error)."""
    w, wz, wzz, wq, wzq = anchor, 0.0, 0.0, anchor * mean, 0.0
    for k in range(len(units)):
        w += levels[k]
        wz += levels[k] * scores[k]
        wzz += levels[k] * scores[k] ** 2
        wq += levels[k] * units[k]
        wzq += levels[k] * scores[k] * units[k]
    slope = (w * wzq - wz * wq) / (w * wzz - wz * wz)
    centre = (wq - slope * wz) / w
    error = anchor * (centre - mean) ** 2
    for k in range(len(units)):
        error += levels[k] * (units[k] - centre - slope * scores[k]) ** 2
    return centre, slope, error


@njit(cache=True, error_model="numpy")
def _fit_counts(levels: Array, scores: Array, units: Array, mean: float) -> tuple[int, float, float, Array]:
    """Negative binomial whose steps lie over the levels: F(q − 1) < p ≤ F(q). Without a known mean both are sought."""
    largest = int(units[-1]) + 1
    centre = mean
    if mean <= 0.0:
        centre = max(0.05, units[len(units) // 2] * 0.7 + 0.2)
    best, best_mean, best_ratio = math.inf, centre, 1.0
    steps = 1 if mean > 0.0 else 41
    for a in range(steps):
        tried = centre * (1.0 if steps == 1 else 0.1 * math.exp(math.log(40.0) * a / (steps - 1)))
        for b in range(41):
            ratio = 1.0 + 0.02 * math.expm1(b * 0.2)
            error = _misfit(levels, units, tried, ratio, largest)
            if error < best:
                best, best_mean, best_ratio = error, tried, ratio
    return NEGATIVE_BINOMIAL, best_mean, best_mean * best_ratio, _count_quantiles(levels, best_mean, best_ratio)


@njit(cache=True, error_model="numpy")
def _misfit(levels: Array, units: Array, mean: float, ratio: float, largest: int) -> float:
    """Squared distance of each level from the step of its quantile, in logits of the tail; a little to its middle."""
    log_p = -mean if ratio <= 1.0000001 else mean / (ratio - 1.0) * -math.log(ratio)
    term, total, error, k = math.exp(log_p), 0.0, 0.0, 0
    for i in range(largest):
        low = total
        total = min(1.0, total + term)
        while k < len(units) and units[k] == i:
            p = _logit(levels[k])
            bottom, top = _logit(low), _logit(total)
            gap = max(0.0, bottom - p) + max(0.0, p - top)
            error += gap * gap + 0.02 * min(4.0, (p - 0.5 * (bottom + top)) ** 2)
            k += 1
        if ratio <= 1.0000001:
            term *= mean / (i + 1.0)
        else:
            term *= (mean / (ratio - 1.0) + i) / (i + 1.0) * (1.0 - 1.0 / ratio)
    return error


@njit(cache=True, error_model="numpy")
def _logit(p: float) -> float:
    clipped = min(max(p, 1e-4), 1.0 - 1e-6)
    return math.log(clipped / (1.0 - clipped))


@njit(cache=True, error_model="numpy")
def _count_quantiles(levels: Array, mean: float, ratio: float) -> Array:
    out = np.zeros(len(levels))
    log_p = -mean if ratio <= 1.0000001 else mean / (ratio - 1.0) * -math.log(ratio)
    term, total, i = math.exp(log_p), 0.0, 0
    total = term
    for k in range(len(levels)):
        while total < levels[k] and i < 100000:
            term *= mean / (i + 1.0) if ratio <= 1.0000001 else (mean / (ratio - 1.0) + i) / (i + 1.0) * (1 - 1 / ratio)
            i += 1
            total += term
        out[k] = i
    return out


@njit(cache=True, error_model="numpy")
def to_units(x: float, law: Array, units: Array) -> float:
    """The forecast's units at the place where the fitted law has `x`: straight between the quantiles, slope 1 beyond.

    Law quantiles 80, 100, forecast 82, 110: x = 90 → 96, x = 105 → 115.
    """
    count = len(units)
    if count == 0:
        return x
    below_x, below_q = 0.0, 0.0
    for k in range(count):
        if x <= law[k] and law[k] > below_x:
            return below_q + (units[k] - below_q) * (x - below_x) / (law[k] - below_x)
        if law[k] >= below_x:
            below_x, below_q = law[k], units[k]
    return max(0.0, below_q + x - below_x)


@njit(cache=True, error_model="numpy")
def to_law(q: float, law: Array, units: Array) -> float:
    """The way back of `to_units`: where the law has what the forecast has at `q` units."""
    count = len(units)
    if count == 0:
        return q
    below_x, below_q = 0.0, 0.0
    for k in range(count):
        if q <= units[k] and units[k] > below_q:
            return below_x + (law[k] - below_x) * (q - below_q) / (units[k] - below_q)
        if units[k] >= below_q:
            below_x, below_q = max(below_x, law[k]), units[k]
    return below_x + q - below_q


@njit(cache=True, error_model="numpy")
def tail_scale(levels: Array, scores: Array, units: Array) -> float:
    """σ of the Pareto tail above the last quantile, as `QuantileCurve.tail_scale`; 0 where there is none."""
    count = len(units)
    if count < 3 or units[count - 1] <= units[count - 2]:
        return 0.0
    steepest, flattest = -math.inf, math.inf
    for k in range(1, count):
        slope = (units[k] - units[k - 1]) / (scores[k] - scores[k - 1])
        steepest, flattest = max(steepest, slope), min(flattest, slope)
    if steepest - flattest <= 1e-9 * steepest:
        return 0.0
    ratio = (1.0 - levels[count - 2]) / (1.0 - levels[count - 1])
    return (units[count - 1] - units[count - 2]) * _TAIL_SHAPE / (math.pow(ratio, _TAIL_SHAPE) - 1.0)


@njit(cache=True, error_model="numpy")
def tail_quantile(levels: Array, units: Array, scale: float, level: float) -> float:
    """The Pareto tail's quantile at a level above the last one."""
    ratio = (1.0 - levels[-2]) / (1.0 - level)
    return units[-2] + scale / _TAIL_SHAPE * (math.pow(ratio, _TAIL_SHAPE) - 1.0)


@njit(cache=True, error_model="numpy")
def tail_shortage(levels: Array, units: Array, scale: float, x: float) -> float:
    """E[(D − x)⁺] of the Pareto tail for x from the last quantile on."""
    base = 1.0 + _TAIL_SHAPE * (x - units[-2]) / scale
    return (1.0 - levels[-2]) * scale / (1.0 - _TAIL_SHAPE) * math.pow(base, 1.0 - 1.0 / _TAIL_SHAPE)
