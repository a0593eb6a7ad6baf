"""The expected cost of ordering q of a line, for many q at once."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from procurement.engine.expressions import WHOLE_TOLERANCE
from procurement.engine.joint.types import JointLine
from procurement.engine.quantiles import TAIL_SHAPE, QuantileCurve

Floats = NDArray[np.float64]
_TINY = 1.0 / np.sqrt(2.0 * np.pi)


def expected_shortages(curve: QuantileCurve, units: Floats) -> Floats:
    """n(x) = E[(D − x)⁺] for each x; `QuantileCurve.expected_shortage` (the formula is there), an array at a time."""
    scores, nodes = np.asarray(curve.scores), np.asarray(curve.units)
    slopes = _slopes(scores, nodes)
    stock = np.maximum(units, 0.0)
    place = np.searchsorted(nodes, stock, side="right")
    anchor, slope = np.maximum(place - 1, 0), slopes[place]
    with np.errstate(divide="ignore", invalid="ignore"):
        start = scores[anchor] + (stock - nodes[anchor]) / slope
    start = np.where(slope == 0.0, np.where(place == 0, -np.inf, np.inf), start)
    scale = curve.tail_scale
    edges = np.concatenate([[-np.inf], scores, [scores[-1] if scale > 0.0 else np.inf]])
    total = _tail_shortages(curve, stock, scale)
    for segment in range(len(edges) - 1):
        low, high = np.clip(start, edges[segment], edges[segment + 1]), edges[segment + 1]
        at = max(segment - 1, 0)
        level = nodes[at] - slopes[segment] * scores[at]
        total += (level - stock) * (ndtr(-low) - ndtr(-high)) + slopes[segment] * (_density(low) - _density(high))
    return np.maximum(total, 0.0) + np.maximum(-units, 0.0)


def _tail_shortages(curve: QuantileCurve, stock: Floats, scale: float) -> Floats:
    """The part of n(x) that lies above the last quantile, where the curve ends in a Pareto tail, if it does."""
    if scale <= 0.0:
        return np.zeros_like(stock)
    last = curve.units[-1]
    base = 1.0 + TAIL_SHAPE * (np.maximum(stock, last) - curve.units[-2]) / scale
    above = (1.0 - curve.probabilities[-2]) * scale / (1.0 - TAIL_SHAPE) * base ** (1.0 - 1.0 / TAIL_SHAPE)
    return np.asarray(above + np.maximum(last - stock, 0.0) * (1.0 - curve.probabilities[-1]))


def _slopes(scores: Floats, nodes: Floats) -> Floats:
    """Units per unit of z left of each node, and right of the last."""
    if len(nodes) == 1:
        return np.zeros(2)
    inner = np.diff(nodes) / np.diff(scores)
    return np.concatenate([inner[:1], inner, inner[-1:]])


def _density(z: Floats | float) -> Floats:
    return np.asarray(np.exp(-0.5 * np.square(z)) * _TINY)


def bands(line: JointLine) -> tuple[tuple[float, float], ...]:
    """(from units, unit cost), rising, the first from 0."""
    breaks = tuple(sorted(line.price_breaks))
    return breaks if breaks and breaks[0][0] <= 0.0 else ((0.0, line.unit_cost), *breaks)


def purchase_costs(line: JointLine, quantities: Floats) -> Floats:
    """Price(q)·q for all-units breaks; for incremental ones each unit at the price of its own band.

    Breaks 5.00, from 100 4.00: q = 150 costs 600 for all units, 700 incrementally.
    """
    starts, prices = (np.asarray(column, dtype=float) for column in zip(*bands(line), strict=True))
    place = np.searchsorted(starts, quantities * (1.0 + WHOLE_TOLERANCE) + WHOLE_TOLERANCE, side="right") - 1
    if not line.is_incremental:
        return np.asarray(prices[place] * quantities)
    below = np.concatenate([[0.0], np.cumsum(prices[:-1] * np.diff(starts))])
    return np.asarray(below[place] + prices[place] * np.maximum(quantities - starts[place], 0.0))


def line_costs(line: JointLine, quantities: Floats, purchase: Floats) -> Floats:
    """Purchase, holding, stock-out, and what the line itself costs; see `JointLine`.

    E[(x − D)⁺] = x − E[D] + n(x). Normal 100 ± 10, x = 110: n = 0.8332, left over 10.8332.
    """
    stock = line.position + quantities
    short = expected_shortages(line.curve, stock)
    left = stock - mean_demand(line.curve) + short
    cost = purchase + (line.holding_cost - line.replacement_cost) * left
    cost = cost + (line.stockout_cost + line.replacement_cost) * short
    cost = cost + np.where(quantities > 0.0, line.line_cost, 0.0)
    if line.long_run is None:
        return np.asarray(cost)
    run = line.long_run
    lot = (
        run.holding_cost_per_unit_day * (run.cycle_stock + quantities) ** 2 / 2.0
        - run.average_cost_per_day * quantities
    )
    return np.asarray(cost + lot / run.mean_daily_demand)


def mean_demand(curve: QuantileCurve) -> float:
    """E[D] of the curve: its expected shortage at no stock."""
    return curve.expected_shortage(0.0)
