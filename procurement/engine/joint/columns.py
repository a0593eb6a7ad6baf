"""The columns of the model: each line's orderable quantities with their cost, all of them or, where there are too
many, a grid that is refined where the optimum looks (inside a price band the cost is convex, so nothing is missed)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procurement.engine.joint.costs import Floats, bands, line_costs, purchase_costs
from procurement.engine.joint.domains import Domain, domain_of
from procurement.engine.joint.types import JointLine, JointProblem

_ALL_UP_TO = 2048  # multiples of one line that are simply all priced
_GRID = 256
_FILL = 4096.0
_NEAR = np.arange(-48.0, 49.0)


@dataclass(frozen=True, slots=True)
class Columns:
    """One row a quantity, sorted by line and quantity: `line`, multiple `step_count`, `quantity`, what it costs to buy
    (`value`) and in all (`cost`). `starts` is the first row of each line."""

    line: NDArray[np.int64]
    step_count: Floats
    quantity: Floats
    value: Floats
    cost: Floats
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.line)

    def least(self, prices: Floats) -> NDArray[np.int64]:
        """The row of each line with the least price; on ties the smallest quantity."""
        best = np.minimum.reduceat(prices, self.starts)
        at_best = np.flatnonzero(prices <= best[self.line])
        return np.asarray(at_best[np.searchsorted(self.line[at_best], np.arange(len(self.starts)))])

    def take(self, rows: NDArray[np.int64]) -> "Columns":
        """These rows only; every line keeps at least one."""
        rows = np.sort(rows)
        line = self.line[rows]
        starts = np.searchsorted(line, np.arange(len(self.starts)))
        return Columns(line, self.step_count[rows], self.quantity[rows], self.value[rows], self.cost[rows], starts)


class ColumnBook:
    """Prices the multiples of every line, and finer ones where asked."""

    def __init__(self, problem: JointProblem) -> None:
        self.problem = problem
        self.domains = [domain_of(line, problem) for line in problem.lines]
        self._edges = [_band_edges(line, d) for line, d in zip(problem.lines, self.domains, strict=True)]
        self._counts = [_first_grid(d, e) for d, e in zip(self.domains, self._edges, strict=True)]
        self.is_gridded = np.array([domain.high - domain.low >= _ALL_UP_TO for domain in self.domains])
        self._tolls = [_tolls(problem, line) for line in range(len(problem.lines))]
        self._parts = [self._price(line) for line in range(len(self.domains))]
        self.columns = self._joined()

    def _price(self, line: int) -> tuple[Floats, Floats, Floats]:
        return _price(self.problem.lines[line], self._counts[line], self._tolls[line])

    def _joined(self) -> Columns:
        sizes = np.array([len(counts) for counts in self._counts])
        quantity, value, cost = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        line = np.repeat(np.arange(len(sizes)), sizes)
        return Columns(line, np.concatenate(self._counts), quantity, value, cost, np.cumsum(sizes) - sizes)

    def refine(self, prices: Floats) -> bool:
        """Add multiples around the cheapest of each price band of the gridded lines; False when there are none left."""
        fresh = {}
        for line in map(int, np.flatnonzero(self.is_gridded)):
            start = self.columns.starts[line]
            counts = self._counts[line]
            own = prices[start : start + len(counts)]
            fresh[line] = [_around(counts, own, low, high) for low, high in self._edges[line]]
        return self._merge(fresh)

    def fill(self, rows: NDArray[np.int64]) -> bool:
        """Add every multiple between the first and the last of these rows in each price band of the gridded lines."""
        fresh = {}
        for line in map(int, np.flatnonzero(self.is_gridded)):
            own = self.columns.step_count[rows[self.columns.line[rows] == line]]
            inside = [own[(own >= low) & (own <= high)] for low, high in self._edges[line]]
            spans = [np.arange(part.min(), min(part.max(), part.min() + _FILL) + 1.0) for part in inside if len(part)]
            fresh[line] = [*spans, np.zeros(0)]
        return self._merge(fresh)

    def _merge(self, fresh: dict[int, list[Floats]]) -> bool:
        found = False
        for line, counts in fresh.items():
            merged = np.union1d(self._counts[line], np.concatenate(counts))
            if len(merged) > len(self._counts[line]):
                found, self._counts[line] = True, merged
                self._parts[line] = self._price(line)
        if found:
            self.columns = self._joined()
        return found

    def holds_all(self, rows: NDArray[np.int64]) -> bool:
        """Are the neighbours of each of these rows priced too? Then, the cost being convex inside a band, none that is
        as good was missed."""
        for line in np.flatnonzero(self.is_gridded):
            counts = self._counts[line]
            own = self.columns.step_count[rows[self.columns.line[rows] == line]]
            for low, high in self._edges[line]:
                inside = own[(own >= low) & (own <= high)]
                beside = np.concatenate([inside - 1.0, inside + 1.0])
                if not np.isin(beside[(beside >= low) & (beside <= high)], counts).all():
                    return False
        return True


def _price(line: JointLine, counts: Floats, tolls: tuple[float, float]) -> tuple[Floats, Floats, Floats]:
    quantity = np.round(counts * line.step, 9)
    value = purchase_costs(line, quantity)
    return quantity, value, line_costs(line, quantity, value) + tolls[0] * value + tolls[1] * quantity


def _tolls(problem: JointProblem, line: int) -> tuple[float, float]:
    """What the pools charge this line for a unit of money and for a unit ordered."""
    money, units = (
        sum(pool.price for pool in problem.pools if pool.of == of and pool.members[line]) for of in ("value", "units")
    )
    return money, units


def _band_edges(line: JointLine, domain: Domain) -> list[tuple[float, float]]:
    """(first, last) multiple of each price band within the domain."""
    firsts = [max(float(domain.low), float(np.ceil(start / line.step - 1e-9))) for start, _price in bands(line)]
    lasts = [*(first - 1.0 for first in firsts[1:]), float(domain.high)]
    return [(low, min(high, float(domain.high))) for low, high in zip(firsts, lasts, strict=True) if low <= high]


def _first_grid(domain: Domain, edges: list[tuple[float, float]]) -> Floats:
    parts = [np.zeros(0 if domain.must else 1)]
    if domain.high - domain.low < _ALL_UP_TO:
        parts.append(np.arange(float(domain.low), float(domain.high) + 1.0))
    else:
        for low, high in edges:
            parts += [
                np.floor(np.linspace(low, high, _GRID)),
                low - 1.0 + np.floor(np.geomspace(1.0, high - low + 1.0, _GRID)),
            ]
    return np.unique(np.concatenate(parts))


def _around(counts: Floats, prices: Floats, low: float, high: float) -> Floats:
    """Between the neighbours of the cheapest of [low, high]: 64 evenly, and all that are near."""
    first, last = np.searchsorted(counts, [low, high + 0.5])
    if first >= last:
        return np.array([low, high])
    best = first + int(np.argmin(prices[first:last]))
    left, right = counts[max(best - 1, first)], counts[min(best + 1, last - 1)]
    between = np.concatenate([np.floor(np.linspace(left, right, 64)), counts[best] + _NEAR])
    return np.asarray(between[(between >= low) & (between <= high)])
