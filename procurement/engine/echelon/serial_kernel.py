"""The inner sum of the serial system under normal demand, compiled: a normal density against a function on panels.

A function is known at the Gauss–Legendre points of panels between rising `edges`, shape (E + 1,): `values` (E, G).
"""

from typing import Any

import numpy as np
from numba import njit

_ROOT_TWO_PI = 2.5066282746310002
_REACH = 9.5  # beyond so many standard deviations the normal density is below 1e-19 of its height
_PIECE = 1.5  # standard deviations a piece of quadrature may be wide


@njit(cache=True, error_model="numpy")
def value_on(points: Any, factors: Any, heights: Any, place: float) -> float:
    """The polynomial through (points, heights) at `place` in [−1, 1], by the barycentric formula."""
    above, below = 0.0, 0.0
    for k in range(len(points)):
        distance = place - points[k]
        if distance == 0.0:
            return float(heights[k])
        share = factors[k] / distance
        above += share * heights[k]
        below += share
    return above / below


@njit(cache=True, error_model="numpy")
def _piece(points: Any, shares: Any, factors: Any, panel: Any, heights: Any, piece: Any, law: Any) -> float:
    """∫ of heights·φ over `piece` = (start, end) inside `panel` = (start, end), `law` = (centre, sd); times √2π."""
    middle, half = 0.5 * (piece[0] + piece[1]), 0.5 * (piece[1] - piece[0])
    centre, reach = 0.5 * (panel[0] + panel[1]), 0.5 * (panel[1] - panel[0])
    total = 0.0
    for k in range(len(points)):
        x = middle + half * points[k]
        z = (law[0] - x) / law[1]
        total += shares[k] * np.exp(-0.5 * z * z) * value_on(points, factors, heights, (x - centre) / reach)
    return total * half / law[1]


@njit(cache=True, error_model="numpy")
def spread_over(places: Any, edges: Any, values: Any, rule: Any, mean: float, sd: float) -> Any:
    """∫ v(x)·φ((y − mean − x)/sd)/sd dx over all panels, for every place y, shape (P,); `rule` (3, G).

    Only panels within 9.5 sd of y − mean are visited; those wider than 1.5 sd are cut into pieces.
    """
    points, shares, factors = rule[0], rule[1], rule[2]
    sums = np.zeros(len(places))
    for i in range(len(places)):
        centre = places[i] - mean
        first = max(np.searchsorted(edges, centre - _REACH * sd, side="right") - 1, 0)
        total = 0.0
        for panel in range(first, len(edges) - 1):
            start, end = max(edges[panel], centre - _REACH * sd), min(edges[panel + 1], centre + _REACH * sd)
            if edges[panel] >= centre + _REACH * sd:
                break
            pieces = int(np.ceil((end - start) / (_PIECE * sd)))
            for piece in range(pieces):
                cut = (start + (end - start) * piece / pieces, start + (end - start) * (piece + 1) / pieces)
                whole = (edges[panel], edges[panel + 1])
                total += _piece(points, shares, factors, whole, values[panel], cut, (centre, sd))
        sums[i] = total / _ROOT_TWO_PI
    return sums


@njit(cache=True, error_model="numpy")
def values_at(places: Any, edges: Any, values: Any, rule: Any) -> Any:
    """The function itself at every place within the edges, shape (P,)."""
    found = np.zeros(len(places))
    for i in range(len(places)):
        panel = min(max(np.searchsorted(edges, places[i], side="right") - 1, 0), len(edges) - 2)
        middle, half = 0.5 * (edges[panel] + edges[panel + 1]), 0.5 * (edges[panel + 1] - edges[panel])
        found[i] = value_on(rule[0], rule[2], values[panel], (places[i] - middle) / half)
    return found
