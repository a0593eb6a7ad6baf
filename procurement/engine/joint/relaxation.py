"""The relaxation of one scenario: fractions of columns, solved by column generation to the bound over ALL columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procurement.engine.joint.columns import ColumnBook, Columns
from procurement.engine.joint.costs import Floats
from procurement.engine.joint.highs import Block, Master
from procurement.engine.joint.scenarios import Row, Scenario, amounts
from procurement.engine.joint.types import JointProblem

_ROUNDS = 200
_CLOSE = 1e-10
_FITS = 1e-9


@dataclass(frozen=True, slots=True)
class Relaxed:
    """`bound` on the cost of the scenario; `duals` of its rows in money a unit; `excess` of every column of the book,
    the cost by which choosing it lifts the bound; `weighted`: rows of columns the relaxation uses."""

    scenario: Scenario
    bound: float
    duals: Floats
    excess: Floats
    weighted: NDArray[np.int64]
    seconds: float

    def could_win(self, upper: float) -> NDArray[np.int64]:
        """Rows that an order cheaper than `upper` may hold (reduced-cost fixing); all if there is none yet."""
        return np.flatnonzero(self.excess <= max(upper - self.bound, 0.0))


@dataclass(frozen=True, slots=True)
class Scale:
    """Costs are told to the solver as (cost − `base` of the line) / `money`."""

    base: Floats
    money: float

    @classmethod
    def of(cls, columns: Columns) -> "Scale":
        base = np.minimum.reduceat(columns.cost, columns.starts)
        spread = (columns.cost - base[columns.line])[columns.starts]
        return cls(base, float(max(spread.max(), 1e-9 * np.abs(base).max(), 1e-12)))

    def costs(self, columns: Columns) -> Floats:
        return np.asarray((columns.cost - self.base[columns.line]) / self.money)


def row_amounts(columns: Columns, problem: JointProblem, rows: tuple[Row, ...]) -> Floats:
    """Rows × columns, each row divided by its scale."""
    if not rows:
        return np.zeros((0, len(columns)))
    return np.array([amounts(columns, problem, row.of) / row.scale for row in rows])


def relax(book: ColumnBook, scenario: Scenario) -> Relaxed | None:
    """The best fractions; None when no fractions keep the rows. The book is refined on the way."""
    pricing = _Pricing(book, scenario)
    for _round in range(_ROUNDS):
        answer = pricing.master.solve()
        if answer is None:
            if not pricing.make_feasible():
                return None
            continue
        if not pricing.improve(answer[0], answer[2]):
            break
    return pricing.relaxed()


class _Pricing:
    """The master program and the best bound so far."""

    def __init__(self, book: ColumnBook, scenario: Scenario) -> None:
        self.book, self.scenario, self.rows = book, scenario, scenario.rows
        self.scale = Scale.of(book.columns)
        self.limits = np.array([row.limit / row.scale for row in self.rows])
        self.bound, self.duals = -np.inf, np.zeros(len(self.rows))
        self._load()
        first = np.concatenate([self.columns.starts, np.append(self.columns.starts[1:], len(self.columns)) - 1])
        chosen = np.union1d(first, self.columns.least(self.columns.cost))
        self.master = Master(len(book.domains), self.rows, self._block(chosen))
        self.inside = {self._key(row) for row in chosen}

    def _load(self) -> None:
        self.columns = self.book.columns
        self.costs = self.scale.costs(self.columns)
        self.amounts = row_amounts(self.columns, self.book.problem, self.rows)

    def _key(self, row: int) -> tuple[int, float]:
        return int(self.columns.line[row]), float(self.columns.step_count[row])

    def _block(self, chosen: NDArray[np.int64]) -> Block:
        return Block(self.columns.line[chosen], self.costs[chosen], self.amounts[:, chosen])

    def improve(self, objective: float, duals: Floats) -> bool:
        """Add each line's cheapest column at these duals, or refine where there is none; False when the bound has met
        the objective, that is, when these are the best duals."""
        prices = self._prices(duals)
        self.duals = duals
        self.bound = float(np.minimum.reduceat(prices, self.columns.starts).sum() + duals @ self.limits)
        is_met = objective - self.bound <= _CLOSE * max(1.0, abs(objective))
        if not is_met and self._add(self.columns.least(prices)):
            return True
        if not self.book.refine(prices):
            return False
        self._load()
        return True

    def _prices(self, duals: Floats) -> Floats:
        return np.asarray(self.costs - duals @ self.amounts)

    def _add(self, rows: NDArray[np.int64]) -> bool:
        fresh = [row for row in rows if self._key(row) not in self.inside]
        if not fresh:
            return False
        self.inside.update(self._key(row) for row in fresh)
        self.master.add(self._block(np.array(fresh)))
        return True

    def make_feasible(self) -> bool:
        """Add columns until some fractions fit; False when none ever will."""
        count, seen = len(self.book.domains), np.array(sorted(self._row_of(key) for key in self.inside))
        free = np.zeros(len(seen))
        master = Master(count, self.rows, Block(self.columns.line[seen], free, self.amounts[:, seen]), is_open=True)
        while (answer := master.solve()) is not None:
            if answer[0] <= _FITS:
                return True
            cheapest = self.columns.least(-answer[2] @ self.amounts)
            fresh = np.array([row for row in cheapest if self._key(row) not in self.inside])
            if not len(fresh):
                return False
            self._add(fresh)
            master.add(Block(self.columns.line[fresh], np.zeros(len(fresh)), self.amounts[:, fresh]))
        return False

    def relaxed(self) -> Relaxed:
        prices = self._prices(self.duals)
        excess = (prices - np.minimum.reduceat(prices, self.columns.starts)[self.columns.line]) * self.scale.money
        weighted = np.array(sorted(self._row_of(key) for key in self.inside))
        bound = self.bound * self.scale.money + float(self.scale.base.sum()) + self.scenario.charges
        scales = np.array([row.scale for row in self.rows])
        duals = self.duals * self.scale.money / scales if self.rows else np.zeros(0)
        return Relaxed(self.scenario, bound, duals, excess, weighted, self.master.seconds)

    def _row_of(self, key: tuple[int, float]) -> int:
        line, count = key
        start = self.columns.starts[line]
        end = self.columns.starts[line + 1] if line + 1 < len(self.columns.starts) else len(self.columns)
        return int(start + np.searchsorted(self.columns.step_count[start:end], count))
