"""The one place that speaks with HiGHS (Huangfu & Hall 2018): a linear program that grows by columns; whole choices.

Rows are divided by their limits and costs by `Scale.money`, so that the solver's absolute tolerances mean something.
"""

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from highspy._core import _Highs
from numpy.typing import NDArray

from procurement.engine.joint.costs import Floats
from procurement.engine.joint.scenarios import Row

_FINE = 1e-9


@dataclass(frozen=True, slots=True)
class Block:
    """Columns as the solver sees them: each is of one `line`, has a scaled `cost`, and `amounts` (rows × columns)."""

    line: NDArray[np.int64]
    cost: Floats
    amounts: Floats

    def matrix(self, line_count: int) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
        """Column-wise sparse: starts, row indices, values; a one in the line's row, then the limited rows."""
        height, width = self.amounts.shape
        index = np.empty((width, height + 1), dtype=np.int32)
        index[:, 0] = self.line
        index[:, 1:] = line_count + np.arange(height)
        values = np.ones((width, height + 1))
        values[:, 1:] = self.amounts.T
        starts = np.arange(width, dtype=np.int32) * (height + 1)
        return starts, index.ravel(), values.ravel()


def _quiet(seconds: float | None = None) -> Any:
    # Not `highspy.Highs`: before any option can be set, its callbacks print a banner to the process's standard output.
    solver = _Highs()
    options: dict[str, Any] = {
        "output_flag": False, "log_to_console": False, "threads": 1, "random_seed": 0,
        "primal_feasibility_tolerance": _FINE, "dual_feasibility_tolerance": _FINE, "mip_feasibility_tolerance": _FINE,
    }  # fmt: skip
    if seconds is not None:
        options["time_limit"] = max(seconds, 0.01)
    for name, value in options.items():
        solver.setOptionValue(name, value)
    return solver


def _program(line_count: int, rows: tuple[Row, ...], block: Block, margin: float = 0.0) -> Any:
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(block.cost), line_count + len(rows)
    program.col_cost_ = block.cost
    program.col_lower_, program.col_upper_ = np.zeros(len(block.cost)), np.ones(len(block.cost))
    limits = np.array([row.limit / row.scale for row in rows])
    least = np.array([row.is_least for row in rows], dtype=bool)
    program.row_lower_ = np.concatenate([np.ones(line_count), np.where(least, limits + margin, -np.inf)])
    program.row_upper_ = np.concatenate([np.ones(line_count), np.where(least, np.inf, limits - margin)])
    starts, index, values = block.matrix(line_count)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.append(starts, len(index)).astype(np.int32)
    program.a_matrix_.index_, program.a_matrix_.value_ = index, values
    return program


class Master:
    """The relaxation over the columns it has been given so far. With `is_open` every limited row may be broken at a
    cost of one scaled unit: the first phase, which finds out whether anything fits at all."""

    def __init__(self, line_count: int, rows: tuple[Row, ...], block: Block, *, is_open: bool = False) -> None:
        self.line_count, self.rows = line_count, rows
        self.solver, self.seconds = _quiet(), 0.0
        self.solver.passModel(_program(line_count, rows, block))
        if is_open:
            _open_rows(self.solver, line_count, rows)

    def add(self, block: Block) -> None:
        starts, index, values = block.matrix(self.line_count)
        width = len(block.cost)
        self.solver.addCols(width, block.cost, np.zeros(width), np.ones(width), len(index), starts, index, values)

    def solve(self) -> tuple[float, Floats, Floats] | None:
        """(objective, weights of the columns, duals of the limited rows), or None when these columns cannot fit."""
        before = self.solver.getRunTime()
        self.solver.run()
        self.seconds += max(self.solver.getRunTime() - before, 0.0)
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self.solver.getSolution()
        duals = np.asarray(solution.row_dual)[self.line_count :]
        least = np.array([row.is_least for row in self.rows], dtype=bool)
        duals = np.where(least, np.maximum(duals, 0.0), np.minimum(duals, 0.0))
        return self.solver.getInfo().objective_function_value, np.asarray(solution.col_value), duals


def _open_rows(solver: Any, line_count: int, rows: tuple[Row, ...]) -> None:
    """One more column a limited row, continuous, that takes what is too much or gives what is too little."""
    count = len(rows)
    sign = np.array([1.0 if row.is_least else -1.0 for row in rows])
    at = np.arange(count, dtype=np.int32)
    solver.addCols(count, np.ones(count), np.zeros(count), np.full(count, np.inf), count, at, line_count + at, sign)


def choose(
    line_count: int,
    rows: tuple[Row, ...],
    block: Block,
    *,
    start: NDArray[np.int64] | None,
    seconds: float,
    gap: float,
    margin: float = 0.0,
    is_open: bool = False,
) -> tuple[NDArray[np.int64] | None, float, float]:
    """One column a line, of least cost: (chosen columns or None, bound, seconds). `gap` is absolute and scaled.

    `start` are columns to begin from; `margin` keeps that share clear of every limit; `is_open`: see `Master`.
    """
    solver = _quiet(seconds)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", max(gap, 1e-12))
    program = _program(line_count, rows, block, margin)
    program.integrality_ = [highspy.HighsVarType.kInteger] * len(block.cost)
    solver.passModel(program)
    if is_open:
        _open_rows(solver, line_count, rows)
    if start is not None:
        solution = highspy.HighsSolution()
        value = np.zeros(len(block.cost))
        value[start] = 1.0
        solution.col_value = value
        solver.setSolution(solution)
    solver.run()
    info, status = solver.getInfo(), solver.getModelStatus()
    bound = np.inf if status == highspy.HighsModelStatus.kInfeasible else float(info.mip_dual_bound)
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None, bound, solver.getRunTime()
    weights = np.asarray(solver.getSolution().col_value)[: len(block.cost)]
    return np.asarray(_heaviest(block.line, weights, line_count)), bound, solver.getRunTime()


def _heaviest(line: NDArray[np.int64], weights: Floats, line_count: int) -> NDArray[np.int64]:
    order = np.lexsort((-weights, line))
    return np.asarray(order[np.searchsorted(line[order], np.arange(line_count))])
