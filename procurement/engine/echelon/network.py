"""Distribution networks of any depth: base-stock levels by simulation, with the same demand for every candidate.

A node orders every R days up to its own level S from its supplier, which gives fair shares when it is short. Wanted
are the levels that hold least at a fill rate asked of every node with customers. For given levels of the suppliers the
fill rate of a selling node rises with its own level, so that one is found by bisection; the levels of the suppliers
are searched, beginning with those of a planner who looks at each node alone, so the answer is never dearer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError

Array = Any

_STEPS = (0.5, 0.25, 0.12, 0.06, 0.03)


@dataclass(frozen=True, slots=True)
class Network:
    """n nodes, suppliers before those they supply; arrays (n,). Times in whole days, holding cost per unit and day.

    `parent` −1 is the outside. `demand` (M, T, n) whole units of M sampled futures of T days, zero where nobody buys;
    `target` the fill rate asked of the nodes with demand.
    """

    parent: Sequence[int]
    lead_days: Sequence[int]
    review_days: Sequence[int]
    holding_costs: Sequence[float]
    demand: Array
    target: float
    warm_up_days: int = 0

    def with_demand(self, demand: Array) -> "Network":
        return replace(self, demand=demand)


@dataclass(frozen=True, slots=True)
class NetworkAnswer:
    """Levels (n,), realised fill rate per node (nan without demand), mean stock per node, holding cost a day."""

    levels: tuple[float, ...]
    fill_rates: tuple[float, ...]
    stock: tuple[float, ...]
    cost: float


def measure(network: Network, levels: Sequence[float]) -> NetworkAnswer:
    """What these levels do on the network's demand: stock on hand and under way to a node cost alike."""
    from procurement.engine.echelon.network_kernel import run_network

    _check(network)
    means, spreads = _needs(network)
    demand = np.ascontiguousarray(network.demand, dtype=np.float64)
    sums = run_network(
        demand,
        np.asarray(network.parent, dtype=np.int64),
        np.asarray(network.lead_days, dtype=np.int64),
        np.asarray(network.review_days, dtype=np.int64),
        np.asarray(levels, dtype=np.float64),
        means,
        spreads,
        network.warm_up_days,
    )
    days = demand.shape[0] * (demand.shape[1] - network.warm_up_days)
    with np.errstate(invalid="ignore", divide="ignore"):
        fill = sums[1] / sums[0]
    stock = (sums[2] + sums[3]) / days
    cost = float(stock @ np.asarray(network.holding_costs))
    return NetworkAnswer(tuple(map(float, levels)), tuple(fill.tolist()), tuple(stock.tolist()), cost)


def single_echelon(network: Network) -> NetworkAnswer:
    """Every node planned alone for the target, as if its supplier always had stock; selling nodes then raised until
    they keep the target all the same, so that it can be compared at equal service."""
    means, spreads = _needs(network)
    from procurement.engine.expressions import normal_score

    score = normal_score(network.target)
    levels = np.ceil(means + score * spreads)
    return _sold_to_target(network, levels)


def optimise_network(network: Network) -> NetworkAnswer:
    """The cheapest levels found, never dearer than `single_echelon` on the same demand.

    Pattern search over the suppliers' levels: steps of a share of the demand over lead time and review, halved when
    neither up nor down is cheaper; the selling nodes follow by bisection.
    """
    best = single_echelon(network)
    means, _ = _needs(network)
    suppliers = sorted({p for p in network.parent if p >= 0})
    for share in _STEPS:
        improved = True
        while improved:
            improved = False
            for node in suppliers:
                for sign in (-1.0, 1.0):
                    levels = np.array(best.levels)
                    levels[node] = max(0.0, levels[node] + sign * max(1.0, math.floor(share * means[node])))
                    found = _sold_to_target(network, levels)
                    if found.cost < best.cost - 1e-9 and _is_kept(network, found):
                        best, improved = found, True
                        break
    return best


def _sold_to_target(network: Network, levels: Array) -> NetworkAnswer:
    """The smallest levels of the selling nodes that keep the target, the others as they are; bisection, all at once."""
    selling = np.asarray(network.demand).sum(axis=(0, 1)) > 0.0
    means, spreads = _needs(network)
    low = np.where(selling, -1.0, levels)
    high = np.where(selling, np.ceil(means + 12.0 * spreads + 10.0), levels)
    while not _is_kept(network, measure(network, high)) and high[selling].max() < 1e12:
        high = np.where(selling, high * 2.0, levels)
    while (high - low)[selling].max() > 1.0:
        middle = np.where(selling, np.floor((low + high) / 2.0), levels)
        kept = np.array(measure(network, middle).fill_rates) >= network.target
        low, high = np.where(selling & ~kept, middle, low), np.where(selling & kept, middle, high)
    found = measure(network, high)
    while not _is_kept(network, found):  # what one node takes another lacks: a unit more where it falls short
        short = selling & ~(np.array(found.fill_rates) >= network.target)
        high = high + short
        found = measure(network, high)
    return found


def _is_kept(network: Network, answer: NetworkAnswer) -> bool:
    return all(math.isnan(rate) or rate >= network.target for rate in answer.fill_rates)


def _needs(network: Network) -> tuple[Array, Array]:
    """Mean and spread of what each node hands out over its lead time and review; independent days and customers."""
    demand = np.asarray(network.demand, dtype=np.float64)
    means, variances = demand.mean(axis=(0, 1)), demand.var(axis=(0, 1))
    for node in range(len(network.parent) - 1, -1, -1):
        if network.parent[node] >= 0:
            means[network.parent[node]] += means[node]
            variances[network.parent[node]] += variances[node]
    days = np.asarray(network.lead_days) + np.asarray(network.review_days)
    return means * days, np.maximum(np.sqrt(variances * days), 1e-9)


def _check(network: Network) -> None:
    count = len(network.parent)
    shape = np.shape(network.demand)
    if len(shape) != 3 or shape[2] != count or not shape[0] or shape[1] <= network.warm_up_days:
        raise ParameterError("demand", f"must have the shape (futures, days, {count}), with days after the warm-up")
    if not np.isfinite(network.demand).all() or np.min(network.demand) < 0.0:
        raise ParameterError("demand", "must be finite, at least 0")
    if any(not -1 <= p < node for node, p in enumerate(network.parent)):
        raise ParameterError("parent", "must name a node before its own, or -1 for the outside")
    for name, values, least in (("lead_days", network.lead_days, 1), ("review_days", network.review_days, 1)):
        if len(values) != count or any(value != int(value) or value < least for value in values):
            raise ParameterError(name, f"must be {count} whole numbers, at least {least}")
    if len(network.holding_costs) != count or min(network.holding_costs) < 0.0:
        raise ParameterError("holding_costs", f"must be {count} numbers, at least 0")
    if not 0.0 < network.target < 1.0:
        raise ParameterError("target", "must lie between 0 and 1; a fill rate of 1 takes endless stock")
