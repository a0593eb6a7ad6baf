"""Solves the orders of a plan: those that share a budget or room together, each of the others by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from procurement.services.joint_cases import Case

if TYPE_CHECKING:
    from procurement.engine.joint import JointAnswer, JointProblem, Relaxation, Usage

GROUP_SECONDS = 5.0
ALL_SECONDS = 60.0
_SHARED_GAP = 1e-3
_SOLVES = 30  # how often an order is solved, give or take, until what it shares has its price


@dataclass(frozen=True, slots=True)
class Settled:
    """An order's answer, what binds, and what would have to give way for all that is needed."""

    case: Case
    answer: "JointAnswer"
    binding: tuple["Usage", ...]
    needs: tuple["Relaxation", ...] = ()


def settle(cases: Sequence[Case]) -> list[Settled]:
    """In the order of the cases. An order gets `GROUP_SECONDS`, all of them together some `ALL_SECONDS` of solving."""
    found: dict[int, Settled] = {}
    seconds = ALL_SECONDS
    for part in _parts(cases):
        limit = max(0.1, min(GROUP_SECONDS, seconds / (1 if len(part) == 1 else _SOLVES * len(part))))
        waiting = {n: one for n in part if cases[n].may_wait and (one := _waiting(cases[n], limit)) is not None}
        rest = [n for n in part if n not in waiting]
        found |= waiting | dict(zip(rest, _together([cases[n] for n in rest], limit), strict=True))
        seconds = max(1.0, seconds - sum(found[n].answer.seconds for n in part))
    return [found[n] for n in range(len(cases))]


def _parts(cases: Sequence[Case]) -> list[list[int]]:
    """Which orders hang together: those with a pool in common, by however many others."""
    parts: list[tuple[set[str], list[int]]] = []
    for number, case in enumerate(cases):
        names, numbers = {pool.name for pool in case.problem.pools}, [number]
        apart = []
        for other in parts:
            if other[0] & names:
                names, numbers = names | other[0], other[1] + numbers
            else:
                apart.append(other)
        parts = [*apart, (names, numbers)]
    return [sorted(numbers) for _names, numbers in parts]


def _waiting(case: Case, seconds: float) -> Settled | None:
    """Nothing is ordered where the shortage until the next review costs less than filling the order up."""
    from procurement.engine.joint import cost_of, solve_joint

    filled = solve_joint(replace(case.problem, time_limit=seconds))
    nothing = (0.0,) * len(case.pairs)
    cost = cost_of(case.fallback, nothing)
    if filled.status == "infeasible" or cost >= cost_of(case.fallback, filled.quantities):
        return None
    none_taken = (0.0,) * len(filled.taken)
    answer = replace(
        filled, quantities=nothing, cost=cost, bound=cost, gap=0.0, status="optimal", spent=0.0, taken=none_taken
    )
    kept_from = [usage for usage in filled.usages if usage.name == "minimum_value"]
    return Settled(case, answer, tuple(replace(u, used=0.0, slack=-u.limit, is_binding=True) for u in kept_from))


def _together(cases: Sequence[Case], seconds: float) -> list[Settled]:
    """All that is needed, if it fits; else the units that are missed least: of the orders that do not fit by
    themselves, and of all where they do not fit together."""
    from procurement.engine.joint import solve_groups

    if not cases:
        return []
    problems = [case.problem for case in cases]
    answers, shared = _solved(problems, seconds)
    needs = [answer.relaxations for answer in answers]
    if any(needs) and not shared:
        problems = [case.fallback if need else case.problem for case, need in zip(cases, needs, strict=True)]
        answers, shared = _solved(problems, seconds)
    if shared:
        needs = [(*need, *_own(case, shared)) for case, need in zip(cases, needs, strict=True)]
        answers = solve_groups([_timed(case.fallback, seconds, len(cases)) for case in cases])[0]
    return [
        Settled(case, answer, _binding(case, answer), need)
        for case, answer, need in zip(cases, answers, needs, strict=True)
    ]


def _solved(problems: Sequence["JointProblem"], seconds: float) -> tuple[list["JointAnswer"], tuple["Relaxation", ...]]:
    from procurement.engine.joint import solve_groups

    answers, _bound, shared = solve_groups([_timed(problem, seconds, len(problems)) for problem in problems])
    return answers, tuple(shared)


def _timed(problem: "JointProblem", seconds: float, count: int) -> "JointProblem":
    return replace(problem, time_limit=seconds, gap=problem.gap if count == 1 else _SHARED_GAP)


def _own(case: Case, shared: Sequence["Relaxation"]) -> tuple["Relaxation", ...]:
    names = {pool.name for pool in case.problem.pools}
    return tuple(relaxation for relaxation in shared if relaxation.name in names)


def _binding(case: Case, answer: "JointAnswer") -> tuple["Usage", ...]:
    """What is shared is told with its whole limit, not with the part this order was given."""
    whole = {pool.name: pool.limit for pool in case.problem.pools}
    return tuple(replace(u, limit=whole.get(u.name, u.limit)) for u in answer.usages if u.is_binding)
