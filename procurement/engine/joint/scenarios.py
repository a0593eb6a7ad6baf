"""The order's yes-or-no questions, answered beforehand: nothing, freight paid or free, so many containers. What is left
of the model in each case are the lines and a few sums over them with a limit."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from procurement.engine.joint.columns import Columns
from procurement.engine.joint.costs import Floats
from procurement.engine.joint.types import JointProblem

TOLERANCE = 1e-9  # relative; what double arithmetic may do to a sum


@dataclass(frozen=True, slots=True)
class Row:
    """Σ amount ≤ limit, or ≥ limit with `is_least`; `of` is value, spend (value of the lines in the budget), units,
    volume, weight, or a pool by its number ("pool 0")."""

    name: str
    of: str
    limit: float
    is_least: bool = False

    @property
    def scale(self) -> float:
        return abs(self.limit) or 1.0

    def broken_by(self, used: float) -> float:
        """How much `used` passes the limit; 0 within what rounding of sums may do."""
        over = self.limit - used if self.is_least else used - self.limit
        return over if over > TOLERANCE * max(1.0, abs(self.limit)) else 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """`charges`: what the order costs besides its lines."""

    rows: tuple[Row, ...]
    charges: float


def scenarios(problem: JointProblem) -> Iterator[Scenario]:
    """Every case; the least cost over all of them is the least cost of the problem."""
    terms = problem.terms
    fixed = tuple(_fixed_rows(problem))
    pays = terms.freight > 0.0 and terms.free_freight_from > 0.0
    for count in _container_counts(problem):
        held = (*fixed, *_container_rows(problem, count))
        charges = terms.fixed_cost + count * (problem.container.cost if problem.container else 0.0)
        yield Scenario((*held, *_value_row("minimum_value", terms.minimum_value)), charges + terms.freight * pays)
        if pays and math.isfinite(terms.free_freight_from):
            least = max(terms.free_freight_from, terms.minimum_value)
            name = "free_freight_from" if least > terms.minimum_value else "minimum_value"
            yield Scenario((*held, *_value_row(name, least)), charges)


def _fixed_rows(problem: JointProblem) -> Iterator[Row]:
    rows = [
        Row("budget", "spend", problem.budget),
        Row("capacity", "units", problem.terms.capacity),
        Row("warehouse_units", "units", problem.room.units),
        Row("warehouse_volume", "volume", problem.room.volume),
        *(Row(pool.name, f"pool {place}", pool.limit) for place, pool in enumerate(problem.pools)),
    ]
    return (row for row in rows if math.isfinite(row.limit))


def _value_row(name: str, value: float) -> tuple[Row, ...]:
    return (Row(name, "value", value, is_least=True),) if value > 0.0 else ()


def _container_counts(problem: JointProblem) -> range:
    container = problem.container
    if container is None:
        return range(1)
    free = container.cost <= 0.0
    return range(container.count, container.count + 1) if free else range(container.count + 1)


def _container_rows(problem: JointProblem, count: int) -> Iterator[Row]:
    if problem.container is None:
        return
    for of, size in (("volume", problem.container.volume), ("weight", problem.container.weight)):
        if math.isfinite(size):
            yield Row(f"container_{of}", of, size * count)


def kinds_of(problem: JointProblem) -> tuple[str, ...]:
    """Everything a row may be a sum of."""
    pools = tuple(f"pool {place}" for place in range(len(problem.pools)))
    return ("value", "spend", "units", "volume", "weight", *pools)


def amounts(columns: Columns, problem: JointProblem, of: str) -> Floats:
    """What each column adds to a row of this kind."""
    lines = problem.lines
    if of.startswith("pool "):
        pool = problem.pools[int(of.removeprefix("pool "))]
        taken = columns.value if pool.of == "value" else columns.quantity
        return np.array(pool.members, dtype=float)[columns.line] * taken
    if of == "value":
        return columns.value
    if of == "spend":
        return np.array([line.in_budget for line in lines], dtype=float)[columns.line] * columns.value
    if of == "units":
        return columns.quantity
    return np.array([getattr(line, of) for line in lines])[columns.line] * columns.quantity
