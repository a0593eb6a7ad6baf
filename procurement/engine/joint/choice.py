"""One quantity for each line: what it uses and costs, exactly, and the small moves that repair or better it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procurement.engine.joint.columns import Columns
from procurement.engine.joint.costs import Floats
from procurement.engine.joint.relaxation import row_amounts
from procurement.engine.joint.scenarios import TOLERANCE, Row, amounts, kinds_of
from procurement.engine.joint.types import JointProblem

_MOVES = 5000


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows of the columns they were taken from, as numbers that stand on their own."""

    step_count: Floats
    quantity: Floats
    value: Floats
    cost: float
    used: dict[str, float]

    def taken(self, problem: JointProblem) -> tuple[float, ...]:
        """From each pool."""
        return tuple(self.used[f"pool {place}"] for place in range(len(problem.pools)))

    def broken(self, rows: tuple[Row, ...]) -> list[Row]:
        return [row for row in rows if row.broken_by(self.used[row.of]) > 0.0]


def choice_of(problem: JointProblem, columns: Columns, chosen: NDArray[np.int64]) -> Choice:
    """The whole cost: lines, fixed cost if anything is ordered, freight below its threshold, containers needed."""
    picked = columns.take(chosen)
    used = {of: math.fsum(amounts(picked, problem, of)) for of in kinds_of(problem)}
    cost = math.fsum(picked.cost) + charges(problem, used)
    return Choice(picked.step_count, picked.quantity, picked.value, cost, used)


def charges(problem: JointProblem, used: dict[str, float]) -> float:
    """Fixed cost, freight and containers of an order that uses so much."""
    if used["units"] <= 0.0:
        return 0.0
    terms, cost = problem.terms, problem.terms.fixed_cost
    if used["value"] < terms.free_freight_from * (1.0 - TOLERANCE):
        cost += terms.freight
    return cost + containers(problem, used) * (problem.container.cost if problem.container else 0.0)


def containers(problem: JointProblem, used: dict[str, float]) -> int:
    """How many it fills: by volume or by weight, whichever takes more."""
    box = problem.container
    if box is None:
        return 0
    shares = [used[of] / size for of, size in (("volume", box.volume), ("weight", box.weight)) if used[of] > 0.0]
    return math.ceil(max(shares, default=0.0) * (1.0 - TOLERANCE))


class Mover:
    """Moves of one line at a time, all of them weighed at once."""

    def __init__(self, problem: JointProblem, columns: Columns, rows: tuple[Row, ...]) -> None:
        self.problem, self.columns, self.rows = problem, columns, rows
        self.amounts = row_amounts(columns, problem, rows)
        self.limits = np.array([row.limit / row.scale for row in rows])
        self.sign = np.array([-1.0 if row.is_least else 1.0 for row in rows])

    def over(self, chosen: NDArray[np.int64]) -> Floats:
        """How far each row is broken, scaled; 0 where it is kept."""
        beyond = self.sign * (self.amounts[:, chosen].sum(axis=1) - self.limits)
        return np.asarray(np.where(beyond > TOLERANCE / 2.0, beyond, 0.0))

    def repair(self, chosen: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Cheapest way back within the rows, move by move: least cost for each unit of overflow taken away."""
        for _move in range(_MOVES):
            over = self.over(chosen)
            if not over.any():
                return chosen
            relief = self._relief(chosen, over)
            delta = self.columns.cost - self.columns.cost[chosen][self.columns.line]
            ratio = np.where(relief > 1e-12, delta / np.maximum(relief, 1e-12), np.inf)
            best = int(np.argmin(ratio))
            if not np.isfinite(ratio[best]):
                return None
            chosen = self._moved(chosen, best)
        return None

    def _relief(self, chosen: NDArray[np.int64], over: Floats) -> Floats:
        """Overflow in all rows before, less that after, for moving one line to each column."""
        beyond = self.sign * (self.amounts[:, chosen].sum(axis=1) - self.limits)
        shift = self.sign[:, None] * (self.amounts - self.amounts[:, chosen][:, self.columns.line])
        after = np.maximum(beyond[:, None] + shift, 0.0).sum(axis=0)
        return np.asarray(over.sum() - after)

    def better(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Single moves that save most while all rows stay kept, until none saves; then the smaller of equals."""
        scale = 1e-12 * max(1.0, float(np.abs(self.columns.cost[chosen]).sum()))
        for _move in range(_MOVES):
            delta = self.columns.cost - self.columns.cost[chosen][self.columns.line]
            smaller = self.columns.quantity < self.columns.quantity[chosen][self.columns.line]
            worth = np.flatnonzero((delta < -scale) | (smaller & (delta <= 0.0)))
            worth = worth[self._keeps(chosen, worth)]
            if not len(worth):
                return chosen
            chosen = self._moved(chosen, int(worth[np.argmin(delta[worth])]))
        return chosen

    def _keeps(self, chosen: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        beyond = self.sign * (self.amounts[:, chosen].sum(axis=1) - self.limits)
        shift = self.amounts[:, rows] - self.amounts[:, chosen[self.columns.line[rows]]]
        return np.asarray((beyond[:, None] + self.sign[:, None] * shift <= TOLERANCE / 2.0).all(axis=0))

    def _moved(self, chosen: NDArray[np.int64], row: int) -> NDArray[np.int64]:
        moved = chosen.copy()
        moved[self.columns.line[row]] = row
        return moved


def greedy(problem: JointProblem, columns: Columns, rows: tuple[Row, ...]) -> NDArray[np.int64] | None:
    """Each line's own best, cut or filled up to fit (rows of `columns`); None where single moves do not get there."""
    kept = few_of_each(columns)
    mover = Mover(problem, columns.take(kept), rows)
    repaired = mover.repair(mover.columns.least(mover.columns.cost))
    return None if repaired is None else kept[mover.better(repaired)]


def few_of_each(columns: Columns) -> NDArray[np.int64]:
    """At most some forty rows of each line: its ends, some between, and those around its own best."""
    ends = np.append(columns.starts[1:], len(columns)) - 1
    spread = [np.linspace(first, last, 24).astype(np.int64) for first, last in zip(columns.starts, ends, strict=True)]
    best = columns.least(columns.cost)
    near = [np.clip(best + step, columns.starts, ends) for step in range(-8, 9)]
    return np.unique(np.concatenate([*spread, *near]))
