"""Exact cost of periodic (s, S) policies with countable demand, by the renewal function of demand.

y units after ordering cost g(y) = h·E[(y − D)⁺] + p·E[(D − y)⁺] a period, and the position is j below S for m(j)
periods a cycle, m = 1/(1 − pmf) as power series: c(s, S) = (K + Σ m(j)·g(S − j)) / Σ m(j), j = 0 … S − s − 1.
Source: Zheng & Federgruen (1991), Operations Research 39; Snyder & Shen (4.71)–(4.76).
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from procurement.engine.errors import ParameterError

Array = NDArray[np.float64]

#: Longest array that is worked on; beyond it the answer would take minutes.
LONGEST = 4_000_000


class CountedDemand:
    """Probabilities of `first`, first + 1 … units a period (of 0 below 1) with the costs of holding and stock-outs."""

    def __init__(
        self, pmf: Array, holding_cost: float, stockout_cost: float, first: int = 0, some: float | None = None
    ) -> None:
        self.some = some if some is not None else 1.0 - float(pmf[0])  # P(D > 0), exact also where it is tiny
        self.pmf, self.holding_cost, self.stockout_cost, self.first = pmf, holding_cost, stockout_cost, first
        self.mean = first + float(pmf @ np.arange(len(pmf)))
        self._at_most = np.cumsum(pmf)
        self._renewals = np.empty(0)
        self._left = np.concatenate([[0.0], np.cumsum(self._at_most)])

    @classmethod
    def poisson(cls, mean: float, holding_cost: float, stockout_cost: float) -> "CountedDemand":
        """Twelve standard deviations either side, by recursion from the mode: what is left out is below 10⁻³⁰."""
        reach = 12.0 * math.sqrt(mean) + 40.0
        mode, first = math.floor(mean), max(0, math.floor(mean - reach))
        places = np.arange(first, math.floor(mean + reach) + 1, dtype=float)
        logs = np.concatenate([[0.0], np.cumsum(np.log(mean / places[1:]))])
        pmf = np.exp(logs - logs[mode - first])
        some = -math.expm1(-mean) if first == 0 else 1.0
        return cls(pmf / math.fsum(pmf), holding_cost, stockout_cost, first, some)

    def rates(self, low: int, high: int) -> Array:
        """g(y) for y = low … high."""
        places = np.arange(low, high + 1)
        inside = np.clip(places - self.first, 0, len(self._left) - 1)
        left = self._left[inside] + np.maximum(places - self.first - len(self._left) + 1, 0)
        return (self.holding_cost + self.stockout_cost) * left + self.stockout_cost * (self.mean - places)

    def base_stock(self) -> int:
        """Smallest y of least g(y)."""
        ratio = self.stockout_cost / (self.stockout_cost + self.holding_cost)
        return self.first + min(int(np.searchsorted(self._at_most, ratio - 1e-12)), len(self.pmf) - 1)

    def renewals(self, count: int) -> Array:
        """m(0) … m(count − 1), kept for the next, shorter question."""
        if count > LONGEST:
            raise ParameterError("method", "exact would need more than four million positions; measure in larger units")
        if count > len(self._renewals):
            self._renewals = self._renewed(max(64, count + count // 8))
        return self._renewals[:count]

    def _renewed(self, count: int) -> Array:
        """By recursion; by Newton's iteration on the power series where that is long."""
        series = np.zeros(count)
        series[self.first : self.first + len(self.pmf)] = -self.pmf[: max(0, count - self.first)]
        series[0] = self.some if self.first == 0 else 1.0
        filled = np.trim_zeros(series, "b")
        if count * len(filled) <= 200_000_000:
            impulse = np.zeros(count)
            impulse[0] = 1.0
            return np.asarray(lfilter([1.0], filled, impulse))
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
                kept = found if found[0] <= cost * (1.0 + 1e-13) else policy
                return kept[1], kept[2], kept[0]
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
