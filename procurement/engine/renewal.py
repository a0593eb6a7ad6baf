"""Exact cost of periodic (s, S) policies with countable demand, by the renewal function of demand.

y units after ordering cost g(y) = h·E[(y − D)⁺] + p·E[(D − y)⁺] a period, and the position is j below S for m(j)
periods a cycle, m = 1/(1 − pmf) as power series: c(s, S) = (K + Σ m(j)·g(S − j)) / Σ m(j), j = 0 … S − s − 1.
Source: Zheng & Federgruen (1991), Operations Research 39; Snyder & Shen (4.71)–(4.76).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from procurement.engine.errors import ParameterError

Array = NDArray[np.float64]

#: Longest array that is worked on; beyond it the answer would take minutes.
LONGEST = 4_000_000


class CountedDemand:
    """Probabilities of 0, 1, 2 … units a period (the first below 1) with the costs of holding and of stock-outs."""

    def __init__(self, pmf: Array, holding_cost: float, stockout_cost: float) -> None:
        self.pmf, self.holding_cost, self.stockout_cost = pmf, holding_cost, stockout_cost
        self.mean = float(pmf @ np.arange(len(pmf)))
        self._at_most = np.cumsum(pmf)
        self._left = np.concatenate([[0.0], np.cumsum(self._at_most)])

    def rates(self, low: int, high: int) -> Array:
        """g(y) for y = low … high."""
        places = np.arange(low, high + 1)
        inside = np.clip(places, 0, len(self._left) - 1)
        left = self._left[inside] + np.maximum(places - len(self._left) + 1, 0)
        return (self.holding_cost + self.stockout_cost) * left + self.stockout_cost * (self.mean - places)

    def base_stock(self) -> int:
        """Smallest y of least g(y)."""
        ratio = self.stockout_cost / (self.stockout_cost + self.holding_cost)
        return min(int(np.searchsorted(self._at_most, ratio - 1e-12)), len(self.pmf) - 1)

    def renewals(self, count: int) -> Array:
        """m(0) … m(count − 1): by recursion, by Newton's iteration on the power series where that is long."""
        if count > LONGEST:
            raise ParameterError("method", "exact would need more than four million positions; measure in larger units")
        series = np.zeros(count)
        series[: len(self.pmf)] = -self.pmf[:count]
        series[0] += 1.0
        if count * min(count, len(self.pmf)) <= 200_000_000:
            impulse = np.zeros(count)
            impulse[0] = 1.0
            return np.asarray(lfilter([1.0], np.trim_zeros(series, "b"), impulse))
        inverse = np.array([1.0 / series[0]])
        while len(inverse) < count:
            size = min(2 * len(inverse), count)
            product = fftconvolve(series[:size], inverse)[:size]
            inverse = 2.0 * np.pad(inverse, (0, size - len(inverse))) - fftconvolve(inverse, product)[:size]
        return np.maximum(inverse, 0.0)

    def policy_cost(self, s: int, S: int, fixed_cost: float) -> float:
        """c(s, S), money per period. h = 1, p = 4, K = 5, Poisson 6: c(4, 10) = 8.0341."""
        weights = self.renewals(S - s)
        return float((fixed_cost + weights @ self.rates(s + 1, S)[::-1]) / weights.sum())

    def best_policy(self, fixed_cost: float) -> tuple[int, int, float]:
        """The optimal (s, S) and its cost.

        At a cost c a period, s is the last position below the base stock that costs more than c, and the best S has the
        least K + Σ m(j)·(g(S − j) − c); its true cost is the next, lower c. This ends at the optimum (Dinkelbach).
        """
        stock = self.base_stock()
        both = self.holding_cost + self.stockout_cost
        lot = (2.0 * fixed_cost * self.mean * both / (self.holding_cost * self.stockout_cost)) ** 0.5
        S = stock + int(lot * self.stockout_cost / both)
        s = min(stock, S) - 1 - int(lot * self.holding_cost / both)
        policy = min(((self.policy_cost(a, b, fixed_cost), a, b) for a, b in ((stock - 1, stock), (s, S))))
        while True:
            cost = policy[0]
            low, high = self._valley(stock, cost)
            rates = self.rates(low + 1, high)
            weights = self.renewals(high - low)
            relative = fixed_cost + _convolve(weights, rates - cost)
            totals = relative[stock - low - 1 :]
            best = int(np.argmax(totals <= totals.min() + 1e-12 * (fixed_cost + cost)))
            found = (self.policy_cost(low, stock + best, fixed_cost), low, stock + best)
            if found[0] >= cost * (1.0 - 1e-13):
                return (found[1], found[2], found[0]) if found[0] <= cost else (policy[1], policy[2], cost)
            policy = found

    def _valley(self, stock: int, cost: float) -> tuple[int, int]:
        """The last position below `stock` with g > cost, and the last above it with g ≤ cost; g is convex."""
        limit = cost * (1.0 + 1e-12)
        reach = 16
        while True:
            left = self.rates(stock - reach, stock - 1)
            right = self.rates(stock, stock + reach)
            if left[0] > limit and right[-1] > limit:
                low = stock - reach + int(np.flatnonzero(left > limit)[-1])
                return low, stock + int(np.flatnonzero(right <= limit)[-1])
            reach *= 4
            if reach > LONGEST:
                raise ParameterError(
                    "method", "exact would need more than four million positions; measure in larger units"
                )


def _convolve(weights: Array, values: Array) -> Array:
    direct = len(values) <= 2000
    return np.asarray((np.convolve if direct else fftconvolve)(weights, values)[: len(values)])
