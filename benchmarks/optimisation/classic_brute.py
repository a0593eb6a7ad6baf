"""Slow plain searches that share nothing with the engine: what the least cost of a small instance is."""

from __future__ import annotations

import itertools
import math
from typing import Any

Inputs = dict[str, Any]


def poisson(mean: float) -> list[float]:
    if mean == 0:
        return [1.0]
    top = int(mean + 14 * math.sqrt(mean)) + 45
    return [math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(top)]


def rate(y: int, chances: list[float], h: float, p: float) -> float:
    return math.fsum(q * (h * (y - d) if d < y else p * (d - y)) for d, q in enumerate(chances))


def newsvendor(i: Inputs) -> float:
    given = i.get("demand_pmf")
    if given is None and i["demand_mean"] > 2000:
        return math.nan
    chances = [given[str(k)] for k in range(len(given))] if given else poisson(i["demand_mean"])
    return min(rate(y, chances, i["holding_cost"], i["stockout_cost"]) for y in range(len(chances)))


def rq_poisson(i: Inputs) -> float:
    """All Q; the best r of each is found among all positions, for the costs of positions are looked up."""
    chances, h, p = poisson(i["demand_mean"] * i["lead_time"]), i["holding_cost"], i["stockout_cost"]
    mean, setup = i["demand_mean"] * i["lead_time"], i["fixed_cost"] * i["demand_mean"]
    reach = int(2 * math.sqrt(2 * setup * (h + p) / (h * p)) + 10 * math.sqrt(mean)) + 30
    if reach > 400:
        return math.nan
    costs = [rate(y, chances, h, p) for y in range(int(mean) - reach, int(mean) + reach)]
    sums = [0.0, *itertools.accumulate(costs)]
    return min((setup + sums[a + q] - sums[a]) / q for q in range(1, len(costs)) for a in range(len(costs) - q + 1))


def ss(i: Inputs) -> float:
    """All (s, S) within reach; positions visited a cycle by the recursion of their expected numbers."""
    chances = i.get("demand_pmf") or poisson(i["demand_mean"])
    h, p, K = i["holding_cost"], i["stockout_cost"], i["fixed_cost"]
    mean = sum(k * q for k, q in enumerate(chances))
    reach = int(2 * math.sqrt(2 * K * mean * (h + p) / (h * p)) + len(chances)) + 10
    visits = [1.0 / (1.0 - chances[0])]
    for j in range(1, 2 * reach):
        visits.append(sum(chances[k] * visits[j - k] for k in range(1, min(j, len(chances) - 1) + 1)) * visits[0])
    costs = {y: rate(y, chances, h, p) for y in range(-2 * reach, reach + 1)}
    best = math.inf
    for S in range(-reach, reach + 1):
        spent, weight = K, 0.0
        for j in range(reach):
            spent, weight = spent + visits[j] * costs[S - j], weight + visits[j]
            best = min(best, spent / weight)
    return best


def wagner_whitin(i: Inputs) -> float:
    periods, K, demand = i["num_periods"], i["fixed_cost"], i["demand"]
    h, c = ([x] * periods if isinstance(x, float) else x for x in (i["holding_cost"], i["purchase_cost"]))
    best = math.inf
    for chosen in itertools.product((False, True), repeat=periods):
        cost, source, ordered = 0.0, None, set()
        for t in range(periods):
            source = t if chosen[t] else source
            if demand[t] and source is None:
                cost = math.inf
                break
            if demand[t]:
                ordered.add(source)
                cost += demand[t] * (c[source] + sum(h[source:t]))
        best = min(best, cost + K * len(ordered))
    return best


def jrp(i: Inputs) -> float:
    most = {2: 200, 3: 40}[len(i["demand_rates"])]
    k, b = i["individual_fixed_costs"], [x * d / 2 for x, d in zip(i["holding_costs"], i["demand_rates"], strict=True)]
    return min(
        2 * math.sqrt((i["shared_fixed_cost"] + sum(x / n for x, n in zip(k, m, strict=True)))
                      * sum(x * n for x, n in zip(b, m, strict=True)))
        for m in itertools.product(range(1, most + 1), repeat=len(k))
    )  # fmt: skip


BRUTE = {
    "newsvendor_poisson": newsvendor,
    "newsvendor_discrete": newsvendor,
    "rq_poisson": rq_poisson,
    "ss": ss,
    "wagner_whitin": wagner_whitin,
    "jrp": jrp,
}
