"""A second, plain simulator of (R, S) with lost sales, independent of the engine's: the mission's replay.

A day: deliveries arrive, on a review day S − (on hand + on order) is ordered, then demand is served and the rest is
lost. Whole units. The first `warm_up` days are replayed but not counted: everybody starts with on hand = S, nothing on
order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Replayed:
    """Per item, over the counted days: demand and served units, mean units on hand, orders placed."""

    demand: Array
    served: Array
    stock: Array
    orders: Array

    def fill(self, weight: Array | None = None) -> float:
        weight = np.ones(len(self.demand)) if weight is None else weight
        return float((self.served * weight).sum() / (self.demand * weight).sum())

    def cost(self, price: Array, unit_cost: Array, days: int, holding: float = 0.25, margin: float = 0.40) -> float:
        """Holding a year's share of the stock's cost, and the margin on every lost unit."""
        held = holding * days / 365.0 * float((self.stock * unit_cost).sum())
        return held + margin * float(((self.demand - self.served) * price).sum())


@njit(cache=True)
def _replay(demand, levels, phase, lead, review, warm_up, out):  # type: ignore[no-untyped-def]
    items, days = demand.shape
    for i in range(items):
        arriving = np.zeros(days + 1200)
        on_hand = np.ceil(levels[phase[0], i] - 1e-9)
        on_order, placed = 0.0, 0
        for t in range(days):
            on_hand += arriving[t]
            on_order -= arriving[t]
            if t % review == 0:
                need = np.ceil(levels[phase[t], i] - 1e-9) - on_hand - on_order
                if need > 0.0:
                    arriving[t + int(lead[i, placed % lead.shape[1]])] += need
                    on_order += need
                    placed += 1
                    if t >= warm_up:
                        out[i, 3] += 1.0
            served = min(on_hand, demand[i, t])
            on_hand -= served
            if t >= warm_up:
                out[i, 0] += demand[i, t]
                out[i, 1] += served
                out[i, 2] += on_hand / (days - warm_up)


def replay(
    demand: Array, levels: Array, lead: Array, *, review: int = 7, step: int = 28, warm_up: int = 28
) -> Replayed:
    """`levels` (forecasts, items): S of each item from the day of its forecast on, the next `step` days later."""
    out = np.zeros((len(demand), 4))
    phase = np.minimum(np.arange(demand.shape[1]) // step, len(levels) - 1)
    _replay(demand, levels, phase, lead, review, warm_up, out)
    return Replayed(*out.T)
