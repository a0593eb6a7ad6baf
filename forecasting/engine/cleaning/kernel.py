"""The compiled side of `censoring`, which says how and why: a pass over one series after the other.

One file, because a cached compilation is renewed only when its own file changes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from forecasting.engine.types import FloatArray, IntArray

BINS = 64
STEP = 0.5 * math.log(2.0)
PRIOR_SPREAD = 1.05
PRIOR_SALES = 8.0
LEAST_VARIANCE = 0.01
BELIEF = 2.0
ROUNDS = 12
NEVER = 1e-9
LAW_MEMORY = 6
"""law = sums of weight, log and log² of all sales, the same of those of known size, then whether and where the grid
begins."""
FORGET = 0.5 ** (1 / 365)
LEVELS = np.array([0.0, 0.25, 1.0, 2.0])
HALF = 0.5
CERTAIN = 0.25
SALES_TO_TRUST = 3.0
WIDEST = 8.0
FRESH_RATE = 4.0
DAYS, SOLD, SALES, OUTS = range(4)
"""Places of `tally`: full days, units sold on them, sales among them, beginnings of stock-outs."""


@njit(cache=True)
def above(z: float) -> float:
    """P(Z > z) of the standard normal."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))


@njit(cache=True)
def law_of(law: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm; the variance drawn to 1.05² as if by 8 sales."""
    mean = law[1] / law[0]
    variance = max(law[2] / law[0] - mean * mean, 0.0)
    pooled = (PRIOR_SALES * PRIOR_SPREAD**2 + law[0] * variance) / (PRIOR_SALES + law[0])
    return mean, math.sqrt(max(pooled, LEAST_VARIANCE))


@njit(cache=True)
def _add_cut(law: FloatArray, bound: float, weight: float, mean: float, spread: float) -> None:
    """A cut-off sale enters the sums by its expected log and log² under the law (the E step)."""
    z = (math.log(bound) - mean) / spread
    tail = above(z)
    hazard = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) / tail if tail > NEVER else z
    law[0] += weight
    law[1] += weight * (mean + spread * hazard)
    law[2] += weight * (mean * mean + 2.0 * mean * spread * hazard + spread * spread * (1.0 + z * hazard))


@njit(cache=True)
def refit(law: FloatArray, bounds: FloatArray, wholly: bool) -> None:
    """The latest cut-off sale into the law; wholly: 12 rounds of EM over all of them, known sizes as they are."""
    last = bounds.shape[1] - 1
    if law[0] <= 0:
        return
    mean, spread = law_of(law)
    if not wholly:
        _add_cut(law, bounds[0, last], bounds[1, last], mean, spread)
        return
    for _ in range(ROUNDS):
        mean, spread = law_of(law)
        law[:3] = law[3:6]
        for k in range(last + 1):
            _add_cut(law, bounds[0, k], bounds[1, k], mean, spread)
        if law[0] <= 0:
            law[0], law[1], law[2] = 1.0, mean, mean * mean
            return


@njit(cache=True)
def _first_bin(
    sale: float, top: float, rest: float, seen: FloatArray, bounds: FloatArray
) -> tuple[float, float, float]:
    """(sales, their sum, cut-off weight) of the bin of the sale, only what is at or above it.

    Sales equal to it count where larger ones were seen whole too; else, where the same bound cut off others before,
    it is a fixed stock that a sale of just this size does not exceed."""
    ended = total = cut = ties = same = 0.0
    for k in range(len(seen)):
        if seen[k] == sale:
            ties += 1.0
        elif sale < seen[k] < top:
            ended += 1.0
            total += seen[k]
    for k in range(bounds.shape[1]):
        if sale <= bounds[0, k] < top:
            cut += bounds[1, k]
            same += 1.0 if bounds[0, k] == sale else 0.0
    if ended + rest > 0 or same < 1:
        ended += ties
        total += ties * sale
    return ended, total, cut


@njit(cache=True)
def expected_above(
    sale: float, law: FloatArray, full: FloatArray, cut: FloatArray, seen: FloatArray, bounds: FloatArray
) -> float:
    """E[D | D ≥ sale]. Sales of 10 and 30 seen equally often, and a cut-off at 20: nearly 30."""
    known = (law[1] + math.log(sale)) / (law[0] + 1.0)
    spread = law_of(law)[1]
    begin = law[LAW_MEMORY + 1]
    place = min(max(int((math.log(sale) - begin) / STEP), 0), BINS - 1)
    at = (math.log(sale) - known) / spread
    tail = above(at)
    if tail < NEVER:
        return sale * 1.2
    whole = math.exp(min(known + 0.5 * spread * spread, 600.0))
    rest, risk = full[0, place + 1 :].sum(), cut[place + 1 :].sum()
    ended, total, held = _first_bin(sale, math.exp(begin + (place + 1) * STEP), rest, seen, bounds)
    risk += rest + ended + held
    living, mean, low = 1.0, 0.0, at
    for j in range(place, BINS):
        if j > place:
            ended, total, held = full[0, j], full[1, j], cut[j]
        high = (begin + (j + 1) * STEP - known) / spread
        beyond = above(high) if j < BINS - 1 else 0.0
        chance = 1.0 - beyond / tail if tail > NEVER else 1.0
        inside = tail - beyond
        typical = (
            whole * (above(low - spread) - above(high - spread)) / inside
            if inside > NEVER
            else math.exp(begin + (j + 0.5) * STEP)
        )
        hazard = (ended + BELIEF * chance) / (risk + BELIEF)
        size = (BELIEF * chance * typical + total) / max(BELIEF * chance + ended, NEVER)
        mean += living * hazard * max(size, sale)
        living *= 1.0 - hazard
        risk = max(risk - ended - held, 0.0)
        tail, low = beyond, high
        if living < 1e-4 or tail < NEVER:
            mean += living * max(size, sale)
            break
    return max(mean, sale)


@njit(cache=True)
def at_random(low: FloatArray, usual: FloatArray, tally: FloatArray) -> float:
    """How far the stock-outs so far look like strokes of chance, 0..1. Begun on 3 selling days of a series that sells
    every third day: (0 + ½) / (3·⅔ + 1) = .17, which counts as 0."""
    least = 1.0
    for k in range(len(LEVELS)):
        expected = tally[OUTS] * usual[k] / max(tally[DAYS], 1.0)
        least = min(least, (low[k] + math.sqrt(low[k]) + HALF) / (expected + 1.0))
    return min(max((least - CERTAIN) / (1.0 - 2.0 * CERTAIN), 0.0), 1.0)


@njit(cache=True)
def _count_low(counts: FloatArray, sale: float, weight: float, tally: FloatArray) -> None:
    mean = tally[SOLD] / tally[SALES] if tally[SALES] > 0 else 1.0
    for k in range(len(LEVELS)):
        if sale <= LEVELS[k] * mean:
            counts[k] += weight


@njit(cache=True)
def _fade(tally: FloatArray, usual: FloatArray) -> None:
    tally[:OUTS] *= FORGET
    usual *= FORGET


@njit(cache=True)
def _learn(value: float, weight: float, law: FloatArray, full: FloatArray, seen: FloatArray, count: int) -> int:
    """A sale whose size is known: into the law's sums, the grid and the list of sales."""
    log = math.log(value)
    if law[LAW_MEMORY] == 0.0:
        law[LAW_MEMORY], law[LAW_MEMORY + 1] = 1.0, log - BINS // 2 * STEP
    for at in (0, 3):
        law[at] += weight
        law[at + 1] += weight * log
        law[at + 2] += weight * log * log
    place = min(max(int((log - law[LAW_MEMORY + 1]) / STEP), 0), BINS - 1)
    full[0, place] += weight
    full[1, place] += weight * value
    seen[count] = value
    return count + 1


@njit(cache=True)
def _spread_evenly(sale: float, share: float, law: FloatArray) -> float:
    """sale / share, but never more than 8 standard deviations of the logarithm above the middle of earlier sales."""
    value = sale / share
    if law[0] < SALES_TO_TRUST:
        return min(value, FRESH_RATE * sale)
    mean, spread = law_of(law)
    return max(sale, min(value, math.exp(min(mean + WIDEST * spread, 700.0))))


@njit(cache=True)
def _series(sales: FloatArray, share: FloatArray, start: int, value: FloatArray, told: FloatArray) -> None:
    periods = len(sales)
    tally, low, usual = np.zeros(4), np.zeros(len(LEVELS)), np.zeros(len(LEVELS))
    law, full, cut = np.zeros(LAW_MEMORY + 2), np.zeros((2, BINS)), np.zeros(BINS)
    seen, bounds = np.empty(periods), np.empty((2, periods))
    count, cuts, refit_at = 0, 0, 2
    was_out = False
    for t in range(start, periods):
        sale = sales[t]
        if not sale >= 0:
            was_out = False
            continue
        if share[t] >= 1:
            value[t], told[t], was_out = sale, 1.0, False
            _fade(tally, usual)
            _count_low(usual, sale, 1.0, tally)
            tally[DAYS] += 1.0
            if sale > 0:
                tally[SOLD] += sale
                tally[SALES] += 1.0
                count = _learn(sale, 1.0, law, full, seen, count)
            continue
        if not was_out:
            tally[OUTS] += 1.0
            _count_low(low, sale, 1.0, tally)
        was_out = True
        chance = at_random(low, usual, tally)
        if share[t] > 0:
            told[t] = 1.0 - (chance if sale > 0 else 1.0) * (1.0 - share[t])
            value[t] = _spread_evenly(sale, share[t], law) if sale > 0 else 0.0
            if sale > 0:
                count = _learn(value[t], told[t], law, full, seen, count)
        elif sale > 0:
            told[t] = (1.0 - chance) * law[0] / (law[0] + SALES_TO_TRUST)
            value[t] = expected_above(sale, law, full, cut, seen[:count], bounds[:, :cuts]) if told[t] > 0 else 0.0
            bounds[0, cuts], bounds[1, cuts] = sale, 1.0 - chance
            cuts += 1
            if law[LAW_MEMORY] > 0:
                place = min(max(int((math.log(sale) - law[LAW_MEMORY + 1]) / STEP), 0), BINS - 1)
                cut[place] += 1.0 - chance
            refit(law, bounds[:, :cuts], cuts == refit_at)
            if cuts == refit_at:
                refit_at *= 2
        if told[t] > 0:
            tally[DAYS] += told[t]
            tally[SOLD] += told[t] * value[t]
            tally[SALES] += told[t] if sale > 0 else 0.0
            _count_low(usual, value[t], told[t], tally)


@njit(cache=True)
def run(sales: FloatArray, share: FloatArray, starts: IntArray) -> tuple[FloatArray, FloatArray]:
    """(demand, weight) (n, T) of sales (n, T), NaN = unknown, and share in stock (n, T)."""
    value, told = np.zeros(sales.shape), np.zeros(sales.shape)
    for i in range(len(sales)):
        _series(sales[i], share[i], starts[i], value[i], told[i])
    return value, told
