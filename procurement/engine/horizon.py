"""The dynamic program behind `finite_horizon`, on a lattice of whole inventory levels that grows until it is enough.

Demand falls on whole units: P(D = d) is the normal probability of (d − ½, d + ½). As in the book's own library only
the units within 4 standard deviations and not below zero are kept, as they are; where that would lose more than 2 %
of the probability, or a spread is given, all units within the spread count, negative ones as returns.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.special import ndtr

Array = NDArray[np.float64]
Answer = tuple[list[int | None], list[int | None], float]

LONGEST = 200_000
"""Inventory levels looked at, at most."""
WHOLE_SPREAD = 8.0
TIE = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """Per period: h, p, c, K, μ, σ, γ; `terminal`: h and p after the last; `spread`: standard deviations kept."""

    holding: list[float]
    stockout: list[float]
    purchase: list[float]
    fixed: list[float]
    mean: list[float]
    sd: list[float]
    discount: list[float]
    terminal: tuple[float, float]
    spread: float | None = None

    def solve(self, initial: int) -> Answer:
        """s and S of every period, and the expected discounted cost from `initial` units.

        Where units would make too long a lattice, they are taken in blocks of 8, 64, 512 …: the discretisation stays
        far finer than the spread of demand.
        """
        block = 1
        while (found := self._in_blocks(block)._solve(int(initial / block))) is None:
            block *= 8
        s, S = ([None if level is None else level * block for level in levels] for levels in found[:2])
        return s, S, found[2]

    def _in_blocks(self, block: int) -> "Horizon":
        def times(amounts: list[float]) -> list[float]:
            return [amount * block for amount in amounts]

        return Horizon(
            holding=times(self.holding),
            stockout=times(self.stockout),
            purchase=times(self.purchase),
            fixed=self.fixed,
            mean=[mean / block for mean in self.mean],
            sd=[sd / block for sd in self.sd],
            discount=self.discount,
            terminal=(self.terminal[0] * block, self.terminal[1] * block),
            spread=self.spread,
        )

    def _solve(self, initial: int) -> Answer | None:
        """The answer, or None if that would take too many levels."""
        if max(self.mean) + WHOLE_SPREAD * max(self.sd) > LONGEST / 2:
            return None
        first, chances = self._demand()
        slopes = self._slopes()
        widest = max(self.sd)
        low = min(initial, round(min(self.mean) - max(self.mean) - 9.0 * widest)) - 2
        high = max(initial, round(max(self.mean) + max(self._lots()) + 5.0 * widest)) + 2
        most = max(high, initial + len(self.mean) * max(1, first + len(chances[0])) + 2)
        while True:
            if high - low > LONGEST:
                return None
            answer, more_below, more_above = self._backwards(low, high, initial, first, chances, slopes)
            if more_above and high < most:
                high = min(most, high + 2 * (high - low))
            elif more_below:
                low -= 2 * (high - low)
            else:
                return answer

    def _lots(self) -> list[float]:
        """The EOQ with backorders of each period: how far above s the lattice should reach at first."""
        each = zip(self.fixed, self.mean, self.holding, self.stockout, strict=True)
        return [math.sqrt(2.0 * K * mean * (h + p) / (h * p)) if h * p > 0.0 else 4.0 * mean for K, mean, h, p in each]

    def _demand(self) -> tuple[int, list[Array]]:
        """The least demand, and the probabilities from it on, of every period."""
        spread = self.spread if self.spread is not None else 4.0
        low = round(min(self.mean) - spread * max(self.sd))
        high = round(max(self.mean) + spread * max(self.sd))
        if self.spread is None:
            chances = [_normal(mean, sd, max(0, low), high) for mean, sd in zip(self.mean, self.sd, strict=True)]
            if all(float(kept.sum()) >= 0.98 for kept in chances):
                return max(0, low), chances
            low = math.floor(min(self.mean) - WHOLE_SPREAD * max(self.sd))
            high = math.ceil(max(self.mean) + WHOLE_SPREAD * max(self.sd))
        return low, [_normal(mean, sd, low, high) for mean, sd in zip(self.mean, self.sd, strict=True)]

    def _slopes(self) -> list[float]:
        """What one unit less costs in the end, far below zero, at the start of each period; last: after the horizon."""
        slopes = [self.terminal[1]]
        for p, c, gamma in zip(reversed(self.stockout), reversed(self.purchase), reversed(self.discount), strict=True):
            slopes.append(min(c, p + gamma * slopes[-1]))
        return slopes[::-1]

    def _backwards(
        self, low: int, high: int, initial: int, first: int, chances: list[Array], slopes: list[float]
    ) -> tuple[Answer, bool, bool]:
        """All periods on the lattice low … high; whether it should have reached further down, or up."""
        levels = np.arange(low, high + 1, dtype=float)
        after = self.terminal[0] * np.maximum(levels, 0.0) + self.terminal[1] * np.maximum(-levels, 0.0)
        s: list[int | None] = [None] * len(self.mean)
        S = s.copy()
        for t in range(len(self.mean) - 1, -1, -1):
            running = self._running(t, levels) + self.discount[t] * _expected(after, slopes[t + 1], first, chances[t])
            total = self.purchase[t] * levels + running
            best = np.minimum.accumulate(total[::-1])[::-1]
            orders = self.fixed[t] + best[1:] < total[:-1] - TIE * np.abs(total[:-1])
            if self.purchase[t] < self.stockout[t] + self.discount[t] * slopes[t + 1]:
                if not orders[0]:
                    return (s, S, math.nan), True, False
                target = int(np.argmax(total <= best[0] * (1.0 + math.copysign(TIE, best[0]))))
                if target >= len(levels) - 2:
                    return (s, S, math.nan), True, True
                last = int(np.argmin(orders)) - 1
                s[t], S[t] = low + (target if last == target - 1 else last), low + target
            elif low > self.mean[t] - 9.0 * self.sd[t] - 1.0:
                return (s, S, math.nan), True, False
            after = np.where(np.append(orders, False), self.fixed[t] + np.append(best[1:], 0.0), total)
            after -= self.purchase[t] * levels
        return (s, S, float(after[initial - low])), False, False

    def _running(self, t: int, levels: Array) -> Array:
        """g(y) = h·E[(y − D)⁺] + p·E[(D − y)⁺] of continuous normal demand."""
        gap, sd = levels - self.mean[t], self.sd[t]
        short = np.maximum(-gap, 0.0)
        if sd > 0.0:
            z = np.abs(gap) / sd
            short += sd * np.maximum(np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) - z * ndtr(-z), 0.0)
        return self.holding[t] * (gap + short) + self.stockout[t] * short


def _normal(mean: float, sd: float, low: int, high: int) -> Array:
    """P(d − ½ < D ≤ d + ½) for d = low … high."""
    edges = np.arange(low, high + 2) - 0.5
    if sd == 0.0:
        return np.diff((edges >= mean).astype(float))
    z = (edges - mean) / sd
    return np.asarray(np.where(z[:-1] > 0.0, ndtr(-z[:-1]) - ndtr(-z[1:]), ndtr(z[1:]) - ndtr(z[:-1])))


def _expected(after: Array, slope: float, first: int, chances: Array) -> Array:
    """Σ_d P(d)·θ(y − d): θ goes on below the lattice with `slope`, above it as it ends."""
    last = first + len(chances) - 1
    below, above = max(0, last), max(0, -first)
    head = after[0] + slope * np.arange(below, 0, -1)
    tail = after[-1] + (after[-1] - after[-2]) * np.arange(1, above + 1)
    padded = np.concatenate([head, after, tail])
    padded = padded[below - last : len(padded) - (above + first)]
    direct = len(after) * len(chances) <= 50_000_000
    return np.asarray((np.convolve if direct else fftconvolve)(padded, chances, "valid"))
