"""What is known of each series at each origin: last values, recent level, discounted sums, seasonal profile, naive
scale."""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.compiled import LANES, kernel
from forecasting.engine.types import BoolArray, FloatArray, IntArray


@kernel
def discounted_sums(values: FloatArray, keep: float, origins: IntArray) -> FloatArray:
    """(n, O) Σ keep^age · x over the periods before each origin, age 0 the last of them: s ← keep·s + x."""
    n = len(values)
    out = np.zeros((n, len(origins)))
    sums = np.zeros(LANES)
    for first in range(0, n, LANES):
        width = min(LANES, n - first)
        sums[:] = 0.0
        t = 0
        for j in range(len(origins)):
            while t < origins[j]:
                for lane in range(width):
                    sums[lane] = keep * sums[lane] + values[first + lane, t]
                t += 1
            for lane in range(width):
                out[first + lane, j] = sums[lane]
    return out


@kernel
def last_values(
    demand: FloatArray, share: FloatArray, unseen: BoolArray, season: int, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Last seen rate, demand / share in stock, (n, O) and the last season's rates by phase t mod m (n, O, m), gaps
    filled with the phase's season before; a phase never seen holds what was last seen by then."""
    n = len(demand)
    last, cycle = np.zeros((n, len(origins))), np.zeros((n, len(origins), season))
    slots, ever = np.zeros(season), np.zeros(season, dtype=np.bool_)
    for i in range(n):
        slots[:] = 0.0
        ever[:] = False
        now, t, phase = 0.0, 0, 0
        for j in range(len(origins)):
            while t < origins[j]:
                if not unseen[i, t]:
                    now = demand[i, t] / share[i, t] if share[i, t] > 0.0 else demand[i, t]
                    slots[phase] = now
                    ever[phase] = True
                elif not ever[phase]:
                    slots[phase] = now
                t += 1
                phase = phase + 1 if phase + 1 < season else 0
            last[i, j] = now
            cycle[i, j] = slots
    return last, cycle


@kernel
def recent_sums(
    demand: FloatArray, weight: FloatArray, unseen: BoolArray, origins: IntArray, length: int
) -> tuple[FloatArray, FloatArray]:
    """(n, O) Σ demand and Σ weight over the last `length` seen periods before each origin (all, where there are
    fewer)."""
    n = len(demand)
    top, base = np.zeros((n, len(origins))), np.zeros((n, len(origins)))
    for i in range(n):
        for j in range(len(origins)):
            seen, t = 0, origins[j]
            while t > 0 and seen < length:
                t -= 1
                top[i, j] += demand[i, t]
                base[i, j] += weight[i, t]
                if not unseen[i, t]:
                    seen += 1
    return top, base


@kernel
def shrunk_profiles(
    demand: FloatArray,
    exposure: FloatArray,
    origins: IntArray,
    pooled: FloatArray,
    keep: float,
    strength: float,
    closed: float,
    least: float,
) -> FloatArray:
    """(n, O, m) seasonal profiles drawn towards the panel's (O, m): `series_profile`, in one pass over time.

    Each phase is discounted once a season (keep^m) and brought to the origin's date when it is read.
    """
    n, season = len(demand), pooled.shape[1]
    out = np.ones((n, len(origins), season))
    fade = keep**season
    sums, now = np.zeros((3, season)), np.zeros((3, season))
    for i in range(n):
        sums[:] = 0.0
        t, phase = 0, 0
        for j in range(len(origins)):
            while t < origins[j]:
                asked = demand[i, t]
                sums[0, phase] = fade * sums[0, phase] + asked
                sums[1, phase] = fade * sums[1, phase] + exposure[i, t]
                sums[2, phase] = fade * sums[2, phase] + (1.0 if asked > 0.0 else 0.0)
                t += 1
                phase = phase + 1 if phase + 1 < season else 0
            aging = 1.0
            for back in range(min(season, t)):
                p = (t - 1 - back) % season
                for k in range(3):
                    now[k, p] = sums[k, p] * aging
                aging *= keep
            for p in range(min(season, t), season):
                now[:, p] = 0.0
            _shrink(now, pooled[j], strength, closed, least, out[i, j])
    return out


@kernel
def _shrink(now: FloatArray, pooled: FloatArray, strength: float, closed: float, least: float, out: FloatArray) -> None:
    """One profile from discounted demand, exposure and sales by phase."""
    season = len(pooled)
    top = expected = events = 0.0
    for p in range(season):
        top += now[0, p]
        expected += now[1, p] * pooled[p]
        events += now[2, p]
    level = top / max(expected, least)
    prior = strength * top / max(events, least) / season
    total = 0.0
    for p in range(season):
        value = pooled[p]
        if events > 0.0:
            value = (now[0, p] + prior * pooled[p]) / max(level * now[1, p] + prior, least)
        out[p] = 0.0 if value < closed else value
        total += out[p]
    mean = total / season
    for p in range(season):
        out[p] = out[p] / max(mean, least) if mean > 0.0 else 1.0


@kernel
def mean_step(values: FloatArray, seen: FloatArray, until: int) -> FloatArray:
    """(n,) mean |y_t − y_{t−1}| between two wholly seen periods, from the first sale on; 0 without one."""
    out = np.zeros(len(values))
    for i in range(len(values)):
        total, count, sold = 0.0, 0, False
        for t in range(1, until):
            sold = sold or values[i, t - 1] > 0.0
            if sold and seen[i, t] >= 1.0 and seen[i, t - 1] >= 1.0:
                total += abs(values[i, t] - values[i, t - 1])
                count += 1
        out[i] = total / max(count, 1)
    return out


@kernel
def span_sums(
    actual: FloatArray, exposure: FloatArray, origins: IntArray, spans: IntArray, least: float
) -> tuple[FloatArray, BoolArray]:
    """(n, O, S) what was sold in steps first + 1 … last after each origin, spans (S, 2) = first, last; scaled up where
    partly unseen; and whether at least the share `least` was seen: `Actuals.between` for many spans at once."""
    n, periods = actual.shape
    shape = (n, len(origins), len(spans))
    total, valid = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    sold, seen = np.zeros(periods + 1), np.zeros(periods + 1)
    for i in range(n):
        for t in range(periods):
            sold[t + 1] = sold[t] + actual[i, t]
            seen[t + 1] = seen[t] + exposure[i, t]
        for j in range(len(origins)):
            for s in range(len(spans)):
                begin, end = origins[j] + spans[s, 0], origins[j] + spans[s, 1]
                if end <= periods:
                    share = (seen[end] - seen[begin]) / (end - begin)
                    if share >= least:
                        total[i, j, s] = (sold[end] - sold[begin]) / share
                        valid[i, j, s] = True
    return total, valid
