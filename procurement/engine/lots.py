"""The optimal (r, Q): raise a level over the valley of g until what lies between them is K·λ.

g(y) is the cost rate at inventory position y, convex, with slopes from −p to h. With the positions r … r + Q spread
evenly the cost is (K·λ + ∫ g)/Q, and the best level c is that cost: Zheng (1992), Management Science 38; for whole
units Federgruen & Zheng (1992), Operations Research 40; Snyder & Shen (5.7), (5.48).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from procurement.engine.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST = 4_000_000
"""Positions of a counted demand looked at, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Valley:
    """h, p, the mean of lead-time demand, and for a position y: n(y), n₂(y), P(D > y); `stock` has the least g."""

    holding_cost: float
    stockout_cost: float
    mean: float
    stock: float
    loss: Callable[[float], tuple[float, float]]
    second_loss: Callable[[float], float]
    more_than: Callable[[float], float]

    def rate(self, y: float) -> float:
        """g(y) = h·E[(y − D)⁺] + p·E[(D − y)⁺], money per time."""
        short, left = self.loss(y)
        return self.holding_cost * left + self.stockout_cost * short

    def slope(self, y: float) -> float:
        """g'(y) = h − (h + p)·P(D > y)."""
        return self.holding_cost - (self.holding_cost + self.stockout_cost) * self.more_than(y)

    def integral(self, low: float, high: float) -> float:
        """∫ g from low to high: h·(y − μ)²/2 and (h + p) times the second-order loss."""
        first, last = low - self.mean, high - self.mean
        held = self.holding_cost * (last - first) * (last + first) / 2.0
        both = self.holding_cost + self.stockout_cost
        return held + both * (self.second_loss(low) - self.second_loss(high))

    def cost(self, setup: float, reorder_point: float, order_quantity: float) -> float:
        """(K·λ + ∫ g from r to r + Q)/Q; setup is K·λ."""
        return (setup + self.integral(reorder_point, reorder_point + order_quantity)) / order_quantity

    def best_lot(self, setup: float) -> tuple[float, float]:
        """(r, Q). The area under a level grows by the width of the level and is convex: Newton's steps only descend.

        They start where the area is at least K·λ for certain, as g rises by at most h and p from its least.
        """
        h, p = self.holding_cost, self.stockout_cost
        level = self.rate(self.stock) + math.sqrt(2.0 * setup * h * p / (h + p))
        left, right = self.mean - level / p, self.mean + level / h
        for _ in range(100):
            left, right = self._shore(level, left), self._shore(level, right)
            step = (level * (right - left) - self.integral(left, right) - setup) / (right - left)
            if step <= 1e-14 * level:
                break
            level -= step
        return left, right - left

    def _shore(self, level: float, y: float) -> float:
        """The y of g(y) = level, from outside: Newton's method on a convex function never overshoots."""
        for _ in range(100):
            slope = self.slope(y)
            if slope == 0.0:
                return y
            step = (self.rate(y) - level) / slope
            y -= step
            if abs(step) <= 1e-14 * max(abs(y), abs(y - self.mean)):
                return y
        return y


def best_counted_lot(
    valley_rates: Callable[[int, int], "NDArray[np.float64]"], stock: int, setup: float, h: float, p: float, mean: float
) -> tuple[int, int, float]:
    """(r, Q, cost): all positions with g(y) below their own average; `valley_rates(low, high)` gives g there.

    A lot around the base stock bounds the cost, the bound bounds the positions, and their average lowers the bound
    until it stays (Dinkelbach). On ties the fewer positions.
    """
    import numpy as np

    floor = float(valley_rates(stock, stock)[0])
    lot = math.sqrt(2.0 * setup * (h + p) / (h * p))
    above, below = round(lot * p / (h + p)), round(lot * h / (h + p))
    rise = h * above * (above + 1) / 2.0 + p * below * (below + 1) / 2.0
    level = floor + (setup + rise) / (above + below + 1)
    low, high = min(stock, math.floor(mean - level / p)), max(stock, math.ceil(mean + level / h))
    if high - low > LONGEST:
        raise ParameterError("demand_mean", "leads to more than four million positions; measure in larger units")
    rates = valley_rates(low, high)
    sums = np.concatenate([[0.0], np.cumsum(rates)])
    place = stock - low
    falling, rising = rates[place::-1], rates[place:]
    while True:
        first = place + 1 - max(1, int(np.searchsorted(falling, level)))
        last = place + max(1, int(np.searchsorted(rising, level)))
        average = float((setup + sums[last] - sums[first]) / (last - first))
        if average >= level * (1.0 - 1e-14):
            return low + first - 1, last - first, average
        level = average
