"""The simulator of a distribution network, compiled: (R, S) everywhere, fair shares where a supplier is short."""

from typing import Any

import numpy as np
from numba import njit

_ROUNDS = 50


@njit(cache=True, error_model="numpy")
def shared_out(available: float, owed: Any, net: Any, means: Any, spreads: Any, given: Any) -> None:
    """Fill `given` so that all customers end at the same z = (net + given − mean)/spread, within what is owed."""
    low, high = -1e9, 1e9
    for _ in range(_ROUNDS + 40):
        middle = 0.5 * (low + high)
        total = 0.0
        for k in range(len(owed)):
            total += min(owed[k], max(0.0, means[k] + middle * spreads[k] - net[k]))
        low, high = (middle, high) if total < available else (low, middle)
    left = available
    for k in range(len(owed)):
        given[k] = min(left, np.floor(min(owed[k], max(0.0, means[k] + low * spreads[k] - net[k]))))
        left -= given[k]
    while left > 0.0:  # what rounding left goes to the neediest, unit by unit
        best = -1
        for k in range(len(owed)):
            if owed[k] - given[k] > 0.0 and (
                best < 0
                or (net[k] + given[k] - means[k]) / spreads[k] < (net[best] + given[best] - means[best]) / spreads[best]
            ):
                best = k
        if best < 0:
            break
        step = min(1.0, left, owed[best] - given[best])
        given[best] += step
        left -= step


@njit(cache=True, error_model="numpy")
def run_network(
    demand: Any, parent: Any, leads: Any, reviews: Any, levels: Any, means: Any, spreads: Any, warm_up: int
) -> Any:
    """Sums after the warm-up, shape (4, n): demand, served at once, unit-days on hand, unit-days under way.

    `demand` (M, T, n) in whole units; nodes come before those they supply, `parent` −1 is the outside, which always
    delivers. A day: goods arrive, what is owed is filled, demand is served or waits, all review and order up to S
    from below upwards, suppliers ship what they have.
    """
    runs, days, count = demand.shape
    horizon = leads.max() + 1
    sums = np.zeros((4, count))
    children = np.zeros(count, dtype=np.int64)
    for i in range(count):
        if parent[i] >= 0:
            children[parent[i]] += 1
    for run in range(runs):
        on_hand = levels.copy()
        waiting = np.zeros(count)  # customers' demand not served yet
        owed = np.zeros(count)  # ordered and not shipped to this node yet
        pipeline = np.zeros((count, horizon))
        under_way = np.zeros(count)
        owes = np.zeros(count)  # what a node owes all it supplies
        for day in range(days):
            slot = day % horizon
            counts = day >= warm_up
            for i in range(count):
                on_hand[i] += pipeline[i, slot]
                under_way[i] -= pipeline[i, slot]
                pipeline[i, slot] = 0.0
                filled = min(on_hand[i], waiting[i])
                on_hand[i] -= filled
                waiting[i] -= filled
                asked = demand[run, day, i]
                served = min(on_hand[i], asked)
                on_hand[i] -= served
                waiting[i] += asked - served
                if counts:
                    sums[0, i] += asked
                    sums[1, i] += served
            for i in range(count - 1, -1, -1):
                if day % reviews[i] == 0:
                    position = on_hand[i] + under_way[i] + owed[i] - waiting[i] - owes[i]
                    if position < levels[i]:
                        owed[i] += levels[i] - position
                        if parent[i] >= 0:
                            owes[parent[i]] += levels[i] - position
            for i in range(count):
                if parent[i] < 0 and owed[i] > 0.0:
                    pipeline[i, (day + leads[i]) % horizon] += owed[i]
                    under_way[i] += owed[i]
                    owed[i] = 0.0
                if children[i] == 0 or owes[i] <= 0.0 or on_hand[i] <= 0.0:
                    continue
                _ship(i, day, horizon, on_hand, waiting, owed, owes, under_way, pipeline, parent, leads, means, spreads)
            if counts:
                for i in range(count):
                    sums[2, i] += on_hand[i]
                    sums[3, i] += under_way[i]
    return sums


@njit(cache=True, error_model="numpy")
def _ship(
    supplier: int,
    day: int,
    horizon: int,
    on_hand: Any,
    waiting: Any,
    owed: Any,
    owes: Any,
    under_way: Any,
    pipeline: Any,
    parent: Any,
    leads: Any,
    means: Any,
    spreads: Any,
) -> None:
    """Send what is owed, all of it or fair shares of what there is."""
    whom = np.flatnonzero((parent == supplier) & (owed > 0.0))
    given = owed[whom].copy()
    if given.sum() > on_hand[supplier]:
        net = on_hand[whom] + under_way[whom] - waiting[whom] - owes[whom]
        shared_out(on_hand[supplier], owed[whom], net, means[whom], spreads[whom], given)
    for k in range(len(whom)):
        i = whom[k]
        pipeline[i, (day + leads[i]) % horizon] += given[k]
        under_way[i] += given[k]
        owed[i] -= given[k]
        owes[supplier] -= given[k]
        on_hand[supplier] -= given[k]
