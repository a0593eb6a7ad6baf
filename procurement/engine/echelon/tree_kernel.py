"""The dynamic program of guaranteed service on a tree, compiled (Graves & Willems 2000, 2003)."""

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def solve_tree(
    order: Any, parent: Any, is_parent_below: Any, times: Any, longest: Any, inbound: Any, outbound: Any, weights: Any
) -> Any:
    """Outbound and inbound service times of the cheapest promises, shape (n,) each, and its cost.

    `order` (n,) takes leaves first, each node before its `parent`; `is_parent_below` says whether that is downstream.
    `times` T, `longest` M (the longest way from outside, T included), `inbound` and `outbound` what the outside
    promises and may be promised, `weights` h·z·σ: a node costs weight·√(SI + T − S). Ties go to the shorter promise.
    """
    count, size = len(order), longest.max() + 1
    roots = np.sqrt(np.arange(size + 1))
    above = np.zeros((count, size))  # cheapest of all suppliers handled so far, by the inbound time SI
    below = np.zeros((count, size))  # cheapest of all customers handled so far, by the outbound time S
    choice = np.zeros((count, size), dtype=np.int32)
    reach = np.zeros((count, size), dtype=np.int32)
    cost = np.inf
    for k in order:
        value = np.full(size, np.inf)
        latest = longest[k] - times[k]
        if is_parent_below[k]:
            for s in range(min(longest[k], outbound[k]) + 1):
                for si in range(max(inbound[k], s - times[k]), latest + 1):
                    total = above[k, si] + below[k, s] + weights[k] * roots[si + times[k] - s]
                    if total < value[s]:
                        value[s], choice[k, s] = total, si
        else:
            for si in range(inbound[k], latest + 1):
                for s in range(min(si + times[k], outbound[k]) + 1):
                    total = above[k, si] + below[k, s] + weights[k] * roots[si + times[k] - s]
                    if total < value[si]:
                        value[si], choice[k, si] = total, s
        if parent[k] < 0:
            best = int(np.argmin(value))
            reach[k, 0], cost = best, value[best]
        elif is_parent_below[k]:
            found = 0
            for si in range(size):
                found = si if value[si] < value[found] else found
                reach[k, si] = found
                above[parent[k], si] += value[found]
        else:
            found = size - 1
            for s in range(size - 1, -1, -1):
                found = s if value[s] <= value[found] else found
                reach[k, s] = found
                below[parent[k], s] += value[found]
    out = np.zeros(count, dtype=np.int64)
    into = np.zeros(count, dtype=np.int64)
    for k in order[::-1]:
        if parent[k] < 0:
            into[k] = reach[k, 0]
            out[k] = choice[k, into[k]]
        elif is_parent_below[k]:
            out[k] = reach[k, into[parent[k]]]
            into[k] = choice[k, out[k]]
        else:
            into[k] = reach[k, out[parent[k]]]
            out[k] = choice[k, into[k]]
    return out, into, cost
