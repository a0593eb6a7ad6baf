"""Solves a joint order: every scenario's relaxation, the promising ones in whole packs, then the proof of the gap."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from procurement.engine.joint.choice import Choice, Mover, charges, choice_of, greedy
from procurement.engine.joint.columns import ColumnBook
from procurement.engine.joint.costs import line_costs, purchase_costs
from procurement.engine.joint.elastic import least_relaxed
from procurement.engine.joint.highs import Block, choose
from procurement.engine.joint.relaxation import Relaxed, Scale, relax, row_amounts
from procurement.engine.joint.scenarios import Scenario, scenarios
from procurement.engine.joint.types import JointAnswer, JointProblem
from procurement.engine.joint.usages import usages_of

_MODEL = 12000  # columns of the whole-number model, shared by the lines: the most promising ones
_QUICK = 5
_MARGIN = 1e-7


def solve_joint(problem: JointProblem) -> JointAnswer:
    """The cheapest feasible order, or what would have to give way.

    Worked: two lines at 10 each, demand surely 8 and 5, stock-out 30, holding 1, budget 100: order 8 and 2, cost 190.
    """
    if not problem.lines:
        return JointAnswer((), 0.0, 0.0, 0.0, "optimal")
    search = _Search(problem)
    if any(domain.fault for domain in search.book.domains):
        return least_relaxed(problem, search.book)
    search.run()
    if search.best is None:
        return least_relaxed(problem, search.book)
    return search.answer(search.best)


def cost_of(problem: JointProblem, quantities: Sequence[float]) -> float:
    """What this order would cost, whether or not it keeps the limits."""
    ordered = [np.array([quantity]) for quantity in quantities]
    spent = [purchase_costs(line, q) for line, q in zip(problem.lines, ordered, strict=True)]
    costs = [line_costs(line, q, value) for line, q, value in zip(problem.lines, ordered, spent, strict=True)]
    used = {"value": float(sum(value[0] for value in spent)), "units": math.fsum(quantities)}
    for of in ("volume", "weight"):
        used[of] = math.fsum(getattr(line, of) * q for line, q in zip(problem.lines, quantities, strict=True))
    return float(sum(cost[0] for cost in costs)) + charges(problem, used)


class _Search:
    """The best choice so far and what is proved about the others."""

    def __init__(self, problem: JointProblem) -> None:
        self.problem, self.book = problem, ColumnBook(problem)
        self.best: Choice | None = None
        self.best_scenario: Scenario | None = None
        self.cases: list[Relaxed] = []
        self.proved: list[float] = []
        self.seconds = 0.0

    @property
    def upper(self) -> float:
        return math.inf if self.best is None else self.best.cost

    @property
    def target(self) -> float:
        """A bound from here on is good enough."""
        return self.upper - self.problem.gap * abs(self.upper) if self.best else math.inf

    def run(self) -> None:
        self._offer_nothing()
        cases = [self._opened(scenario) for scenario in scenarios(self.problem)]
        self.cases = sorted((case for case in cases if case is not None), key=lambda case: case.bound)
        for case in self.cases:
            bound = case.bound
            if bound < self.target:
                bound = self._improve(case)
            self.proved.append(bound)

    def _offer_nothing(self) -> None:
        """Ordering nothing needs no supplier, container or budget; it is a case of its own."""
        if not any(domain.must for domain in self.book.domains):
            nothing = choice_of(self.problem, self.book.columns, self.book.columns.starts)
            self.best = nothing
            self.proved.append(nothing.cost)

    def _opened(self, scenario: Scenario) -> Relaxed | None:
        self._offer(greedy(self.problem, self.book.columns, scenario.rows), scenario)
        self._offer(self._given_start(), scenario)
        relaxed = relax(self.book, scenario)
        self.seconds += relaxed.seconds if relaxed else 0.0
        return relaxed

    def _given_start(self) -> NDArray[np.int64] | None:
        """The caller's quantities as columns, the nearest ones from below."""
        if self.problem.start is None:
            return None
        columns = self.book.columns
        wanted = np.asarray(self.problem.start)[columns.line] + 1e-9
        distance = np.where(columns.quantity <= wanted, wanted - columns.quantity, 1e18 + columns.quantity)
        return columns.least(distance)

    def _offer(self, chosen: NDArray[np.int64] | None, scenario: Scenario) -> None:
        """Take a choice if it keeps every row and is cheaper."""
        if chosen is None:
            return
        choice = choice_of(self.problem, self.book.columns, chosen)
        if choice.cost < self.upper and not choice.broken(scenario.rows):
            self.best, self.best_scenario = choice, scenario

    def _improve(self, case: Relaxed) -> float:
        """Whole numbers for one scenario: first over the columns the relaxation liked, then over all that could win."""
        relaxed = self._again(case)
        if relaxed is None:
            return math.inf
        self._solve_whole(relaxed, _shortlist(relaxed, self.book, _QUICK), share=0.25)
        if relaxed.bound < self.target and self.book.fill(relaxed.could_win(self.upper)):
            relaxed = self._again(case) or relaxed
        if relaxed.bound >= self.target:
            return relaxed.bound
        could = relaxed.could_win(self.upper)
        rows = _shortlist(relaxed, self.book, max(20, _MODEL // len(self.problem.lines)), self.upper - relaxed.bound)
        found = self._solve_whole(relaxed, rows, share=1.0)
        complete = np.isin(could, rows).all() and self.book.holds_all(could)
        return max(relaxed.bound, min(found, self.upper)) if complete else relaxed.bound

    def _again(self, case: Relaxed) -> Relaxed | None:
        """The same relaxation over the book as it is now."""
        return case if len(case.excess) == len(self.book.columns) else relax(self.book, case.scenario)

    def _solve_whole(self, relaxed: Relaxed, rows: NDArray[np.int64], *, share: float) -> float:
        """Offer the best choice among these rows of the book; returns the bound over them."""
        left = self.problem.time_limit - self.seconds
        if left <= 0.0:
            return relaxed.bound
        start = self._rows_of(self.best)
        rows = rows if start is None else np.union1d(rows, start)
        part, scale = self.book.columns.take(rows), Scale.of(self.book.columns)
        limits, count = relaxed.scenario.rows, len(self.problem.lines)
        block = Block(part.line, scale.costs(part), row_amounts(part, self.problem, limits))
        gap = self.problem.gap * abs(min(self.upper, 1e300)) / scale.money if self.best else 0.0
        start = None if start is None else np.searchsorted(rows, start)
        bound = -math.inf
        for margin in (0.0, _MARGIN):
            chosen, bound, seconds = choose(
                count, limits, block, start=start, seconds=left * share, gap=gap, margin=margin
            )  # fmt: skip
            self.seconds += seconds
            if chosen is None:
                break
            kept = Mover(self.problem, part, limits).better(chosen)
            if not choice_of(self.problem, part, kept).broken(limits):
                self._offer(rows[kept], relaxed.scenario)
                break
        return bound * scale.money + float(scale.base.sum()) + relaxed.scenario.charges

    def _rows_of(self, choice: Choice | None) -> NDArray[np.int64] | None:
        """Where the columns of this choice stand in the book now."""
        if choice is None:
            return None
        columns = self.book.columns
        return np.flatnonzero(columns.step_count == choice.step_count[columns.line])

    def answer(self, best: Choice) -> JointAnswer:
        bound = min([best.cost, *self.proved])
        gap = (best.cost - bound) / abs(best.cost) if best.cost else 0.0
        status = "optimal" if gap <= max(self.problem.gap, 1e-9) else "feasible"
        quantities = tuple(float(quantity) for quantity in best.quantity)
        is_empty = best.used["units"] <= 0.0
        free = min((self._free_cost(scenario) for scenario in scenarios(self.problem)), default=math.inf)
        is_kept_from = is_empty and free < best.cost
        used = usages_of(self.problem, best, self._duals_of(), is_kept_from=is_kept_from)
        return JointAnswer(
            quantities, best.cost, bound, gap, status, used, (), self.seconds, best.used["spend"],
            best.taken(self.problem),
        )  # fmt: skip

    def _duals_of(self) -> dict[str, float]:
        """Money a unit of each limit, of the answer's scenario; where nothing is ordered of the one that came nearest,
        if it is its limits that make it dearer than nothing."""
        case = next((case for case in self.cases if case.scenario == self.best_scenario), None)
        if case is None and self.cases and self._free_cost(self.cases[0].scenario) < self.upper:
            case = self.cases[0]
        if case is None:
            return {}
        return {row.name: abs(float(dual)) for row, dual in zip(case.scenario.rows, case.duals, strict=True)}

    def _free_cost(self, scenario: Scenario) -> float:
        """What the scenario would cost without its limits."""
        return float(Scale.of(self.book.columns).base.sum()) + scenario.charges


def _shortlist(relaxed: Relaxed, book: ColumnBook, count: int, slack: float = math.inf) -> NDArray[np.int64]:
    """The `count` columns of each line with the least excess, of those that any better choice could hold."""
    line = book.columns.line
    order = np.lexsort((relaxed.excess, line))
    rank = np.arange(len(order)) - book.columns.starts[line[order]]
    kept = order[(rank == 0) | ((rank < count) & (relaxed.excess[order] <= max(slack, 0.0)))]
    return np.asarray(np.union1d(kept, relaxed.weighted))
