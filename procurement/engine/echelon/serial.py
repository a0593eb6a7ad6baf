"""Serial systems with random demand (Clark & Scarf), exact, by a recursion on the slopes of the cost functions.

Stage 1 faces the customer, stage N orders outside. With h the echelon holding costs, H = Σh, p the stock-out cost and
D_j the demand over the shipment lead time of stage j (Clark & Scarf 1960; Chen & Zheng 1994):

    g_j(y) = E[h_j·(y − D_j) + g_{j−1}(min(S_{j−1}, y − D_j))],  g_0(x) = (p + H)·x⁻,  S_j = argmin g_j

so the slopes obey g_j'(y) = h_j + E[g_{j−1}'(X); X < S_{j−1}], X = y − D_j, with g_0' = −(p + H) below S_0 = 0. Far
below, every g_j is the straight line a_j + b_j·y with b_j = Σ_{i≤j} h_i − (p + H) and a_j = a_{j−1} − (h_j + b_{j−1})·
E[D_j]; the cost is that line plus the integral of what the slope has more. Nothing is put on a grid: normal demand is
integrated by Gauss–Legendre panels that grow finer where a slope bends (about 1e-12); for demand in whole units see
`serial_lattice.py`.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError

Array = Any
Bends = tuple[tuple[float, float], ...]

_DEEP = 9.0  # standard deviations below the mean from where a slope equals its line to 1e-19
_PANEL_POINTS = 12
_PANEL_WIDTH = 1.5  # in spreads of the nearest bend
_FARTHEST = 1e4  # spreads below the mean: farther down, costs differ by more digits than a float has
_NO_SPREAD = 1e-12  # a lead-time demand this narrow beside the whole does not spread at all


@dataclass(frozen=True, slots=True)
class SerialSystem:
    """Per stage, downstream first, shape (N,): echelon holding cost h_j, lead time L_j; p and demand a period."""

    holding_costs: tuple[float, ...]
    lead_times: tuple[float, ...]
    stockout_cost: float
    demand_mean: float
    demand_sd: float

    @property
    def shortage_slope(self) -> float:
        """p + H."""
        return self.stockout_cost + math.fsum(self.holding_costs)


@dataclass(frozen=True, slots=True)
class _Slope:
    """g_j' up to S_j: the constant `line` below the first of `edges`, then panels; `bends` are (place, spread)."""

    stock: float
    line: float
    edges: Array
    values: Array
    bends: Bends


def solve_serial_normal(
    system: SerialSystem, levels: tuple[float, ...] | None = None
) -> tuple[tuple[float, ...], float]:
    """(S_1 … S_N, cost a period) under normal demand; with `levels` given, the cost of those echelon levels.

    h = (3, 2, 2), L = (1, 1, 2), p = 37.12, demand N(5, 1) → S = (6.49, 12.02, 22.71), 47.6601 (stockpyl's
    instance example_6_1; its grid answers 47.6654).
    """
    stage = _Slope(0.0, -system.shortage_slope, np.zeros(1), np.empty((0, _PANEL_POINTS)), ())
    whole = system.demand_sd * math.sqrt(math.fsum(system.lead_times))
    found: list[float] = []
    offset, mean, sd = 0.0, 0.0, 0.0
    for number, (holding, lead) in enumerate(zip(system.holding_costs, system.lead_times, strict=True)):
        step_mean, step_sd = system.demand_mean * lead, system.demand_sd * math.sqrt(lead)
        step_sd = step_sd if step_sd > _NO_SPREAD * whole else 0.0
        offset -= (holding + stage.line) * step_mean
        mean, sd = mean + step_mean, math.hypot(sd, step_sd)
        stock = levels[number] if levels else _lowest_point(stage, holding, step_mean, step_sd, whole)
        stage = _next_slope(stage, holding, step_mean, step_sd, stock, mean - _DEEP * sd)
        found.append(stock)
    shares = 0.5 * np.diff(stage.edges)[:, None] * _rule()[1]
    bend = math.fsum((shares * (stage.values - stage.line)).ravel().tolist())
    return tuple(found), offset + stage.line * stage.stock + bend


@lru_cache(maxsize=1)
def _rule() -> Array:
    """Gauss–Legendre points, their shares and their barycentric factors, shape (3, 12)."""
    points, shares = np.polynomial.legendre.leggauss(_PANEL_POINTS)
    gaps = points[:, None] - points + np.eye(_PANEL_POINTS)
    return np.stack([points, shares, 1.0 / gaps.prod(axis=1)])


def _slopes(below: _Slope, holding: float, mean: float, sd: float, places: Array) -> Array:
    """h_j + E[g_{j−1}'(y − D_j); y − D_j < S_{j−1}] at every place y."""
    from scipy.special import ndtr

    from procurement.engine.echelon.serial_kernel import spread_over, values_at

    low, shifted = below.edges[0], places - mean
    if sd > 0.0:
        deep = below.line * ndtr((low - shifted) / sd)
        return holding + deep + spread_over(places, below.edges, below.values, _rule(), mean, sd)
    slopes = np.where(shifted < low, below.line, 0.0)
    inside = (shifted >= low) & (shifted < below.stock)
    if inside.any():
        slopes[inside] = values_at(shifted[inside], below.edges, below.values, _rule())
    return holding + slopes


def _lowest_point(below: _Slope, holding: float, mean: float, sd: float, whole: float) -> float:
    """The smallest y whose slope is not negative, by bisection; without a holding cost where nothing more is gained."""

    def slope(place: float) -> float:
        return float(_slopes(below, holding, mean, sd, np.array([place]))[0])

    high = below.stock + mean + _DEEP * sd
    if slope(high) < 0.0:
        return high
    step = max(whole, abs(high) * 1e-3, 1e-300)
    low, lowest = high - step, high - _FARTHEST * max(whole, abs(high), 1e-300)
    while slope(low) >= 0.0:
        if low < lowest:
            raise ParameterError("echelon_holding_cost", "is so far above the stock-out cost that no level pays")
        high, low, step = low, low - 2.0 * step, 2.0 * step
    for _ in range(200):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (low, middle) if slope(middle) >= 0.0 else (middle, high)
    return high


def _next_slope(below: _Slope, holding: float, mean: float, sd: float, stock: float, low: float) -> _Slope:
    """g_j' on panels between where it leaves its line and S_j."""
    bends = tuple((place + mean, math.hypot(spread, sd)) for place, spread in below.bends)
    if sd > 0.0:
        bends += ((below.stock + mean, sd),)
    edges = _panel_edges(min(low, stock), stock, bends)
    half = 0.5 * np.diff(edges)[:, None]
    places = edges[:-1, None] + half * (1.0 + _rule()[0])
    values = _slopes(below, holding, mean, sd, places.ravel()).reshape(places.shape)
    return _Slope(stock, holding + below.line, edges, values, bends)


def _panel_edges(low: float, high: float, bends: Bends) -> Array:
    """From `high` down to `low`, each panel as wide as the nearest bend allows: its spread, or a share of the way."""
    edges = [high]
    while edges[-1] > low:
        place = edges[-1]
        width = min(
            (_PANEL_WIDTH * max(spread, abs(place - bend) / 12.0) for bend, spread in bends), default=high - low
        )
        following = place - width
        edges.append(low if following < low + 0.25 * width or following >= place else following)
    return np.array(edges[::-1])
