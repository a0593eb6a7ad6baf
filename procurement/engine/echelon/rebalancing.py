"""Moving stock of one item between places: what saves more expected shortage than it costs to move.

Minimise Σ_i [p_i·E[(D_i − x_i)⁺] + h_i·E[(x_i − D_i)⁺]] + Σ lanes (k·[used] + c·q) with x_i what place i has after the
moves. The curves are convex, so between whole packs they become pieces of a straight line and the whole a small
mixed-integer programme (HiGHS): exact while no place has more than 200 packs in question, else to one part in 200.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.quantiles import QuantileCurve

_MOST_PIECES = 200
_WORTH = 1e-9


@dataclass(frozen=True, slots=True)
class Place:
    """Demand over the horizon (probability → units), stock coming and there, what of it may go, costs per unit."""

    key: str
    quantiles: Mapping[float, float]
    stock: float
    movable: float
    shortage_cost: float
    holding_cost: float = 0.0

    def cost(self, curve: QuantileCurve, stock: float) -> float:
        """p·n(x) + h·n̄(x), with n̄ = x − (E[D] − n) (`expected_shortage` at 0 is the mean)."""
        short = curve.expected_shortage(stock)
        return self.shortage_cost * short + self.holding_cost * (stock - curve.expected_shortage(0.0) + short)


@dataclass(frozen=True, slots=True)
class Lane:
    """From place to place (indices): cost of a unit moved, fixed cost of a transfer, most units."""

    source: int
    target: int
    unit_cost: float = 0.0
    fixed_cost: float = 0.0
    maximum: float = math.inf


@dataclass(frozen=True, slots=True)
class Move:
    lane: Lane
    quantity: float


@dataclass(frozen=True, slots=True)
class Rebalancing:
    """The moves; expected cost before and after (moving included); `saving` is their difference."""

    moves: tuple[Move, ...]
    cost_before: float
    cost_after: float
    shortage_before: tuple[float, ...]
    shortage_after: tuple[float, ...]

    @property
    def saving(self) -> float:
        return self.cost_before - self.cost_after


def rebalance(places: Sequence[Place], lanes: Sequence[Lane], *, pack: float = 1.0) -> Rebalancing:
    """The cheapest set of moves in whole packs; none where moving does not pay.

    Two places, demand N(50, 10) each, stock 20 and 100, 10 a unit short, 1 a unit moved: 38 units go over.
    """
    _check(places, lanes, pack)
    curves = [QuantileCurve.through(p.quantiles, f"places[{p.key}].quantiles") for p in places]
    quantities = np.zeros(len(lanes))
    if _may_pay(places, curves, lanes, pack):
        quantities = _solved(places, curves, lanes, pack)
    after = [p.stock for p in places]
    for lane, quantity in zip(lanes, quantities, strict=True):
        after[lane.source] -= float(quantity)
        after[lane.target] += float(quantity)
    before = math.fsum(p.cost(c, p.stock) for p, c in zip(places, curves, strict=True))
    moves = tuple(Move(lane, float(q)) for lane, q in zip(lanes, quantities, strict=True) if q > 0.0)
    moving = math.fsum(move.lane.fixed_cost + move.lane.unit_cost * move.quantity for move in moves)
    then = math.fsum(p.cost(c, x) for p, c, x in zip(places, curves, after, strict=True)) + moving
    if moves and before - then <= _WORTH * max(1.0, before):
        moves, then, after = (), before, [p.stock for p in places]
    return Rebalancing(
        moves,
        before,
        then,
        tuple(c.expected_shortage(p.stock) for p, c in zip(places, curves, strict=True)),
        tuple(c.expected_shortage(x) for c, x in zip(curves, after, strict=True)),
    )


def _may_pay(places: Sequence[Place], curves: Sequence[QuantileCurve], lanes: Sequence[Lane], pack: float) -> bool:
    """Does any first pack save more than it costs? If none does, convex curves let no set of moves pay."""
    gains = [p.cost(c, p.stock) - p.cost(c, p.stock + pack) for p, c in zip(places, curves, strict=True)]
    losses = [
        p.cost(c, p.stock - pack) - p.cost(c, p.stock) if p.movable >= pack else math.inf
        for p, c in zip(places, curves, strict=True)
    ]
    return any(gains[lane.target] - losses[lane.source] > lane.unit_cost * pack for lane in lanes)


def _solved(places: Sequence[Place], curves: Sequence[QuantileCurve], lanes: Sequence[Lane], pack: float) -> Any:
    """The mixed-integer programme; variables: packs per lane, lane used, packs in and out per place, cost per place."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    count, ways = len(places), len(lanes)
    total = sum(math.floor(p.movable / pack + 1e-9) for p in places)
    size = 2 * ways + count  # packs, used, place cost
    rows, low, high = [], [], []

    def row(entries: Mapping[int, float], least: float, most: float) -> None:
        line = np.zeros(size)
        for column, value in entries.items():
            line[column] += value
        rows.append(line)
        low.append(least)
        high.append(most)

    most = [min(math.floor(min(lane.maximum, places[lane.source].movable) / pack + 1e-9), total) for lane in lanes]
    for n in range(ways):
        row({n: 1.0, ways + n: -float(most[n])}, -np.inf, 0.0)
    for i, (place, curve) in enumerate(zip(places, curves, strict=True)):
        leaving = {n: 1.0 for n, lane in enumerate(lanes) if lane.source == i}
        net = {
            n: (1.0 if lane.target == i else -1.0) for n, lane in enumerate(lanes) if i in (lane.source, lane.target)
        }
        going = math.floor(place.movable / pack + 1e-9)
        coming = sum(most[n] for n, lane in enumerate(lanes) if lane.target == i)
        row(leaving, 0.0, float(going))
        for at, slope, value in _pieces(place, curve, pack, going, coming):
            # cost_i ≥ value + slope·(net − at)
            row({**{n: -slope * sign for n, sign in net.items()}, 2 * ways + i: 1.0}, value - slope * at, np.inf)
    costs = np.concatenate(
        [[lane.unit_cost * pack for lane in lanes], [lane.fixed_cost for lane in lanes], np.ones(count)]
    )
    answer = milp(
        costs,
        constraints=LinearConstraint(np.array(rows), np.array(low), np.array(high)),
        integrality=np.concatenate([np.ones(2 * ways), np.zeros(count)]),
        bounds=Bounds(
            np.concatenate([np.zeros(2 * ways), np.full(count, -np.inf)]),
            np.concatenate([np.array(most, dtype=float), np.ones(ways), np.full(count, np.inf)]),
        ),
        options={"mip_rel_gap": 1e-9},
    )
    return np.zeros(ways) if answer.x is None else np.round(answer.x[:ways]) * pack


def _pieces(
    place: Place, curve: QuantileCurve, pack: float, going: int, coming: int
) -> list[tuple[float, float, float]]:
    """(net packs, slope a pack, cost there) of the straight pieces of a place's cost between −going and coming."""
    if going + coming == 0:
        return [(0.0, 0.0, place.cost(curve, place.stock))]
    marks = np.unique(np.round(np.linspace(-going, coming, min(going + coming, _MOST_PIECES) + 1)))
    costs = [place.cost(curve, place.stock + mark * pack) for mark in marks]
    return [
        (float(marks[k]), (costs[k + 1] - costs[k]) / float(marks[k + 1] - marks[k]), costs[k])
        for k in range(len(marks) - 1)
    ]


def _check(places: Sequence[Place], lanes: Sequence[Lane], pack: float) -> None:
    if not math.isfinite(pack) or pack <= 0.0:
        raise ParameterError("pack", "must be above 0")
    for place in places:
        for name in ("stock", "movable", "shortage_cost", "holding_cost"):
            value = getattr(place, name)
            if not math.isfinite(value) or (name != "stock" and value < 0.0):
                raise ParameterError(f"places[{place.key}].{name}", "must be a finite number, at least 0")
    for n, lane in enumerate(lanes):
        if lane.source == lane.target or not {lane.source, lane.target} <= set(range(len(places))):
            raise ParameterError(f"lanes[{n}]", "must go from one place to another")
        for name in ("unit_cost", "fixed_cost", "maximum"):
            if math.isnan(getattr(lane, name)) or getattr(lane, name) < 0.0:
                raise ParameterError(f"lanes[{n}].{name}", "must be at least 0")
