"""Guaranteed service on trees: which stock point promises what time, so that safety stock costs least.

Every node k promises its customers a service time S_k, is itself promised SI_k = max over its suppliers, and covers
the net lead time SI_k + T_k − S_k with base stock μ_k·τ + z_k·σ_k·√τ (Graves & Willems 2000).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Edges = Sequence[tuple[int, int]]

#: A stock point with no limit of its own may promise any time.
NO_LIMIT = 2_000_000_000


@dataclass(frozen=True, slots=True)
class StockPoint:
    """T, h (money per unit and period), z, what the outside promises (0) and is promised; demand from outside."""

    processing_time: int
    local_holding_cost: float
    demand_bound_constant: float
    external_inbound_cst: int = 0
    external_outbound_cst: int = NO_LIMIT
    demand_mean: float = 0.0
    demand_sd: float = 0.0


@dataclass(frozen=True, slots=True)
class GuaranteedAnswer:
    """Per node: outbound service time, net lead time, base stock level; and Σ h·z·σ·√(net lead time)."""

    committed_service_times: tuple[int, ...]
    net_lead_times: tuple[int, ...]
    base_stock_levels: tuple[float, ...]
    cost: float


def solve_guaranteed(points: Sequence[StockPoint], edges: Edges) -> GuaranteedAnswer:
    """Cheapest promises on a tree; `edges` are (upstream, downstream) places in `points`.

    Demand adds up upstream, variances as of independent customers. Example 6.5 (T = 2, 1, 1, 1; h = 1, 3, 2, 3;
    1 → 3, 3 → 2 and 3 → 4 …): cost 8.2779.
    """
    from procurement.engine.echelon.tree_kernel import solve_tree

    means, variances = net_demand(points, edges)
    weights = np.array(
        [p.local_holding_cost * p.demand_bound_constant * math.sqrt(v) for p, v in zip(points, variances, strict=True)]
    )
    order, parent, is_below = leaves_first(len(points), edges)
    promised, _, _ = solve_tree(
        order,
        parent,
        is_below,
        np.array([point.processing_time for point in points]),
        np.array(longest_ways(points, edges)),
        np.array([point.external_inbound_cst for point in points]),
        np.array([point.external_outbound_cst for point in points]),
        weights,
    )
    net = net_lead_times(points, edges, promised.tolist())
    safety = [p.demand_bound_constant * math.sqrt(v * time) for p, v, time in zip(points, variances, net, strict=True)]
    return GuaranteedAnswer(
        tuple(promised.tolist()),
        net,
        tuple(mean * time + stock for mean, time, stock in zip(means, net, safety, strict=True)),
        math.fsum(p.local_holding_cost * stock for p, stock in zip(points, safety, strict=True)),
    )


def net_lead_times(points: Sequence[StockPoint], edges: Edges, promised: Sequence[int]) -> tuple[int, ...]:
    """SI + T − S of every node, SI the longest promise of its suppliers and of the outside."""
    inbound = [point.external_inbound_cst for point in points]
    for upstream, downstream in edges:
        inbound[downstream] = max(inbound[downstream], promised[upstream])
    return tuple(si + p.processing_time - s for si, p, s in zip(inbound, points, promised, strict=True))


def net_demand(points: Sequence[StockPoint], edges: Edges) -> tuple[list[float], list[float]]:
    """Mean and variance a period of what every node sees: its own customers' and that of all nodes it supplies."""
    means = [point.demand_mean for point in points]
    variances = [point.demand_sd**2 for point in points]
    for upstream, downstream in reversed(downstream_order(len(points), edges)):
        means[upstream] += means[downstream]
        variances[upstream] += variances[downstream]
    return means, variances


def longest_ways(points: Sequence[StockPoint], edges: Edges) -> list[int]:
    """M_k: the longest time from outside until node k has the goods, its own processing included."""
    longest = [point.external_inbound_cst + point.processing_time for point in points]
    for upstream, downstream in downstream_order(len(points), edges):
        longest[downstream] = max(longest[downstream], longest[upstream] + points[downstream].processing_time)
    return longest


def downstream_order(count: int, edges: Edges) -> list[tuple[int, int]]:
    """The edges so that all edges into a node come before those out of it."""
    waiting = [0] * count
    leaving: list[list[int]] = [[] for _ in range(count)]
    for upstream, downstream in edges:
        waiting[downstream] += 1
        leaving[upstream].append(downstream)
    ready = [node for node in range(count) if not waiting[node]]
    ordered = []
    while ready:
        node = ready.pop()
        for downstream in leaving[node]:
            ordered.append((node, downstream))
            waiting[downstream] -= 1
            if not waiting[downstream]:
                ready.append(downstream)
    return ordered


def leaves_first(count: int, edges: Edges) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(nodes in an order where each comes before its parent, parent or −1, is the parent downstream), shape (n,)."""
    beside: list[list[tuple[int, bool]]] = [[] for _ in range(count)]
    for upstream, downstream in edges:
        beside[upstream].append((downstream, True))
        beside[downstream].append((upstream, False))
    parent = np.full(count, -1)
    is_below = np.zeros(count, dtype=np.bool_)
    order, stack = [], [0]
    while stack:
        node = stack.pop()
        order.append(node)
        for other, is_customer in beside[node]:
            if other != parent[node]:
                parent[other], is_below[other] = node, not is_customer
                stack.append(other)
    return np.array(order[::-1]), parent, is_below
