"""Where nothing fits: the order that needs the least of the limits to give way, and by how much each must."""

import numpy as np

from procurement.engine.joint.choice import Choice, choice_of, few_of_each
from procurement.engine.joint.columns import ColumnBook, Columns
from procurement.engine.joint.highs import Block, choose
from procurement.engine.joint.relaxation import row_amounts
from procurement.engine.joint.scenarios import Scenario, scenarios
from procurement.engine.joint.types import JointAnswer, JointProblem, Relaxation

_LITTLE = 1e-6  # the weight of cost beside the overflow: of equal overflows the cheapest
_SECONDS = 5.0


def least_relaxed(problem: JointProblem, book: ColumnBook) -> JointAnswer:
    """Least sum of overflows, each as a share of its limit (elastic programming; Chinneck 2008, ch. 6)."""
    faults = [domain.fault for domain in book.domains if domain.fault is not None]
    columns = book.columns.take(few_of_each(book.columns))
    options = [_least_broken(problem, columns, scenario) for scenario in scenarios(problem)]
    choice, rows = min(options, key=lambda option: _overflow(*option))
    broken = [Relaxation(row.name, row.limit, choice.used[row.of]) for row in choice.broken(rows.rows)]
    quantities = tuple(float(quantity) for quantity in choice.quantity)
    return JointAnswer(
        quantities,
        choice.cost,
        choice.cost,
        0.0,
        "infeasible",
        (),
        (*faults, *broken),
        0.0,
        choice.used["spend"],
        choice.taken(problem),
    )


def _overflow(choice: Choice, scenario: Scenario) -> tuple[float, float]:
    return sum(row.broken_by(choice.used[row.of]) / row.scale for row in scenario.rows), choice.cost


def _least_broken(problem: JointProblem, columns: Columns, scenario: Scenario) -> tuple[Choice, Scenario]:
    spread = max(float(np.ptp(columns.cost)), 1e-12)
    block = Block(
        columns.line,
        _LITTLE * (columns.cost - columns.cost.min()) / (spread * len(columns.starts)),
        row_amounts(columns, problem, scenario.rows),
    )
    chosen, _bound, _seconds = choose(
        len(columns.starts), scenario.rows, block, start=None, seconds=_SECONDS, gap=0.0, is_open=True
    )  # fmt: skip
    if chosen is None:
        chosen = columns.starts
    return choice_of(problem, columns, chosen), scenario
