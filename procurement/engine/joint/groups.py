"""Orders of several suppliers that share one budget: money gets a price, and each order is solved at that price."""

from collections.abc import Sequence
from dataclasses import replace

from procurement.engine.joint.scenarios import TOLERANCE
from procurement.engine.joint.solve import solve_joint
from procurement.engine.joint.types import JointAnswer, JointProblem, Relaxation

_HALVINGS = 9
_DEAREST = 1e6


def solve_groups(problems: Sequence[JointProblem], budget: float) -> tuple[list[JointAnswer], float, list[Relaxation]]:
    """(answers, bound on their total cost, what to relax). Lagrangian relaxation of the budget (Fisher 1981).

    The least price at which the orders together keep the budget is found by halving; what it leaves over is given to
    the orders one after the other. Each order keeps its own constraints; the total
    is within `budget` unless what must be ordered costs more, in which case the relaxation says how much is needed.
    """
    free = [solve_joint(replace(problem, money_price=0.0)) for problem in problems]
    bound = sum(answer.bound for answer in free)
    if _spent(free) <= budget * (1.0 + TOLERANCE):
        return free, bound, []
    kept, bound = _priced(problems, budget, bound)
    if kept is None:
        least = [solve_joint(replace(problem, money_price=_DEAREST)) for problem in problems]
        return least, bound, [Relaxation("budget", budget, _spent(least))]
    return _fill(problems, kept, budget), bound, []


def _spent(answers: Sequence[JointAnswer]) -> float:
    return sum(answer.spent for answer in answers)


def _priced(problems: Sequence[JointProblem], budget: float, bound: float) -> tuple[list[JointAnswer] | None, float]:
    """(the answers at the least price that keeps the budget, the best bound on the way)."""
    low, high, kept = 0.0, 1.0, None
    for _halving in range(_HALVINGS + 20):
        price = high if kept is None else (low + high) / 2.0
        answers = [solve_joint(replace(problem, money_price=price)) for problem in problems]
        bound = max(bound, sum(answer.bound for answer in answers) - price * budget)
        if _spent(answers) <= budget * (1.0 + TOLERANCE):
            kept, high = answers, price
        else:
            low = price
            high = 8.0 * high if kept is None else high
        if (kept is not None and _halving >= _HALVINGS) or high > _DEAREST:
            break
    return kept, bound


def _fill(problems: Sequence[JointProblem], kept: list[JointAnswer], budget: float) -> list[JointAnswer]:
    """What the price left over, order by order; every order is told at its own cost, without the price of money."""
    spent = [answer.spent for answer in kept]
    left = max(0.0, budget - sum(spent))
    answers: list[JointAnswer] = []
    for problem, answer in zip(problems, kept, strict=True):
        own = replace(problem, money_price=0.0, budget=answer.spent + left, start=answer.quantities)
        better = solve_joint(own)
        left = max(0.0, left - (better.spent - answer.spent))
        answers.append(better)
    return answers
