"""Orders that share budgets or room: what they share gets a price, and each order is solved at that price."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from procurement.engine.joint.scenarios import TOLERANCE
from procurement.engine.joint.solve import solve_joint
from procurement.engine.joint.types import JointAnswer, JointProblem, Relaxation

_ROUNDS = 9
_FEWEST = 3
_SOLVES = 400  # of many orders fewer rounds are tried
_DEAREST = 1e6
Prices = Mapping[str, float]


def solve_groups(problems: Sequence[JointProblem]) -> tuple[list[JointAnswer], float, list[Relaxation]]:
    """(answers, bound on their total cost, what to relax). Lagrangian relaxation of the shared pools (Fisher 1981).

    Pools of the same name are one pool. Prices climb by subgradients; the least multiple of them at which the orders
    together keep every pool is found by halving; what that leaves over is given to the orders one after the other. Each
    order keeps its own limits and no pool is exceeded, unless what must be ordered takes more: then the relaxations say
    how much is needed. The gap of every answer is that of the whole. One order, or none, is simply solved.
    """
    limits = {pool.name: pool.limit for problem in problems for pool in problem.pools}
    free = _at({}, problems)
    if _fits(problems, free, limits) or any(answer.status == "infeasible" for answer in free):
        return free, sum(answer.bound for answer in free), []
    prices, bound = _climbed(problems, free, limits)
    kept = _halved(problems, prices, limits)
    if kept is None:
        least = _at(dict.fromkeys(limits, _DEAREST), problems)
        taken = _taken(problems, least)
        over = [Relaxation(name, limits[name], used) for name, used in taken.items() if _is_over(used, limits[name])]
        if over:
            return least, bound, over
        kept = least
    answers = _filled(problems, _filled(problems, kept, limits), limits)
    return _told(answers, bound), bound, []


def _rounds(problems: Sequence[JointProblem]) -> int:
    return max(_FEWEST, min(_ROUNDS, _SOLVES // len(problems)))


def _at(prices: Prices, problems: Sequence[JointProblem]) -> list[JointAnswer]:
    return [solve_joint(_priced(problem, prices)) for problem in problems]


def _priced(problem: JointProblem, prices: Prices) -> JointProblem:
    pools = tuple(replace(pool, price=prices.get(pool.name, 0.0)) for pool in problem.pools)
    return replace(problem, pools=pools)


def _taken(problems: Sequence[JointProblem], answers: Sequence[JointAnswer]) -> dict[str, float]:
    """Pool → what the orders take from it together."""
    taken: dict[str, float] = {}
    for problem, answer in zip(problems, answers, strict=True):
        for pool, amount in zip(problem.pools, answer.taken, strict=True):
            taken[pool.name] = taken.get(pool.name, 0.0) + amount
    return taken


def _is_over(used: float, limit: float) -> bool:
    return used > limit + TOLERANCE * max(1.0, abs(limit))


def _fits(problems: Sequence[JointProblem], answers: Sequence[JointAnswer], limits: Prices) -> bool:
    return not any(_is_over(used, limits[name]) for name, used in _taken(problems, answers).items())


def _climbed(
    problems: Sequence[JointProblem], free: Sequence[JointAnswer], limits: Prices
) -> tuple[dict[str, float], float]:
    """(the prices with the best bound, that bound). Steps of Polyak's length, halved where the bound falls back."""
    prices = best = dict.fromkeys(limits, 0.0)
    bound = sum(answer.bound for answer in free)
    answers, length = list(free), 0.1
    for _climb in range(_rounds(problems)):
        taken = _taken(problems, answers)
        slope = {name: (taken.get(name, 0.0) - limit) / (abs(limit) or 1.0) for name, limit in limits.items()}
        steep = sum(part * part for part in slope.values()) or 1.0
        size = length * max(abs(bound), sum(abs(answer.cost) for answer in answers)) / steep
        prices = {name: max(0.0, best[name] + size * slope[name] / (abs(limits[name]) or 1.0)) for name in limits}
        answers = _at(prices, problems)
        here = sum(answer.bound for answer in answers) - sum(price * limits[name] for name, price in prices.items())
        if here > bound:
            bound, best = here, prices
        else:
            length /= 2.0
    return best, bound


def _halved(problems: Sequence[JointProblem], prices: Prices, limits: Prices) -> list[JointAnswer] | None:
    """The answers at the least multiple of these prices that keeps every pool. A pool without a price gets a little."""
    little = max([*prices.values(), 1e-3]) * 1e-2
    prices = {name: price or little for name, price in prices.items()}
    low, high, kept = 0.0, 1.0, None
    for halving in range(_ROUNDS + 20):
        times = high if kept is None else (low + high) / 2.0
        answers = _at({name: price * times for name, price in prices.items()}, problems)
        if _fits(problems, answers, limits):
            kept, high = answers, times
        else:
            low = times
            high = 4.0 * high if kept is None else high
        if (kept is not None and halving >= _rounds(problems)) or high * max(prices.values()) > _DEAREST:
            break
    return kept


def _filled(problems: Sequence[JointProblem], kept: Sequence[JointAnswer], limits: Prices) -> list[JointAnswer]:
    """What is left over, order by order; every order is told at its own cost, without the prices of the pools."""
    taken = _taken(problems, kept)
    left = {name: max(0.0, limit - taken.get(name, 0.0)) for name, limit in limits.items()}
    answers: list[JointAnswer] = []
    for problem, answer in zip(problems, kept, strict=True):
        own = {pool.name: amount for pool, amount in zip(problem.pools, answer.taken, strict=True)}
        pools = tuple(replace(pool, price=0.0, limit=own[pool.name] + left[pool.name]) for pool in problem.pools)
        better = solve_joint(replace(problem, pools=pools, start=answer.quantities))
        for pool, amount in zip(pools, better.taken, strict=True):
            left[pool.name] = max(0.0, pool.limit - amount)
        answers.append(better)
    return answers


def _told(answers: Sequence[JointAnswer], bound: float) -> list[JointAnswer]:
    """Each with the gap of all of them together, which no share of a pool hides."""
    cost = sum(answer.cost for answer in answers)
    gap = max(0.0, (cost - bound) / abs(cost)) if cost else 0.0
    told = []
    for answer in answers:
        own = max(gap, answer.gap)
        status = answer.status if own <= max(answer.gap, 1e-9) else "feasible"
        told.append(replace(answer, gap=own, bound=answer.cost - own * abs(answer.cost), status=status))
    return told
