"""The serial system under demand in whole units: the recursion of `serial.py` with differences instead of slopes."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from procurement.engine.echelon.serial import SerialSystem

Array = Any

#: Slopes this small beside p + H count as zero: on a tie the smallest stock wins.
_TIE = 1e-13
_DIRECT_PRODUCTS = 20_000_000


@dataclass(frozen=True, slots=True)
class Pmf:
    """Probabilities of `low`, `low` + 1, … units; what lies outside is below 1e-18 and is given to no one."""

    low: int
    probabilities: Array
    mean: float


def solve_serial_lattice(
    system: SerialSystem, lead_time_demand: Callable[[float], Pmf], levels: tuple[int, ...] | None = None
) -> tuple[tuple[int, ...], float]:
    """(S_1 … S_N, cost a period) for demand in whole units; with `levels` given, the cost of those echelon levels.

    One stage, h = 20, p = 150, Poisson demand of 3 in its lead time → S = 5 (the newsvendor).
    """
    line, low, stock = -system.shortage_slope, 0, 0
    slopes = np.empty(0)  # g_{j−1}(x + 1) − g_{j−1}(x) for x = low … S_{j−1} − 1
    offset = 0.0
    found: list[int] = []
    for number, (holding, lead) in enumerate(zip(system.holding_costs, system.lead_times, strict=True)):
        demand = lead_time_demand(lead)
        offset -= (holding + line) * demand.mean
        places_from = low + demand.low
        height = _differences(slopes, line, demand, holding)
        if levels:
            stock = levels[number]
        else:
            fine = np.flatnonzero(height >= -_TIE * system.shortage_slope)
            stock = places_from + (int(fine[0]) if len(fine) else len(height))
        line += holding
        low = min(places_from, stock)
        slopes = _extended(height, holding, stock - places_from)
        found.append(stock)
    return tuple(found), offset + line * stock + math.fsum((slopes - line).tolist())


def _differences(slopes: Array, line: float, demand: Pmf, holding: float) -> Array:
    """h_j + E[slope(y − D); y − D < S], for y = low + first demand … S + last demand, where it has become h_j."""
    probabilities = demand.probabilities
    count = len(slopes) + len(probabilities)
    over = np.concatenate([np.cumsum(probabilities[::-1])[::-1][1:], np.zeros(1)])  # P(D > d)
    deep = np.zeros(count)
    deep[: len(over)] = line * over
    if len(slopes):
        deep[: count - 1] += _convolved(slopes, probabilities)
    return holding + deep


def _convolved(left: Array, right: Array) -> Array:
    if len(left) * len(right) <= _DIRECT_PRODUCTS:
        return np.convolve(left, right)
    from scipy.fft import irfft, next_fast_len, rfft

    total = len(left) + len(right) - 1
    size = next_fast_len(total, real=True)
    return irfft(rfft(left, size) * rfft(right, size), size)[:total]


def _extended(height: Array, holding: float, count: int) -> Array:
    """The first `count` differences; beyond the last one calculated each equals h_j."""
    if count <= len(height):
        return height[: max(count, 0)]
    return np.concatenate([height, np.full(count - len(height), holding)])
