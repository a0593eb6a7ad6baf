"""Orders that share budgets and room, beside every combination of their quantities counted out."""

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procurement.engine.joint import JointLine, JointProblem, OrderTerms, Pool, cost_of, solve_groups
from procurement.engine.quantiles import QuantileCurve
from tests.engine.procurement.test_joint_brute_force import lines, order_cost, price, quantities


def taken(problem: JointProblem, pool: Pool, order: tuple[float, ...]) -> float:
    rows = zip(problem.lines, pool.members, order, strict=True)
    return sum((price(line, q) if pool.of == "value" else q) for line, is_in, q in rows if is_in)


def used_of(problems: list[JointProblem], orders: list[tuple[float, ...]]) -> dict[str, tuple[float, float]]:
    """Pool → (what the orders take from it, its limit)."""
    used: dict[str, tuple[float, float]] = {}
    for problem, order in zip(problems, orders, strict=True):
        for pool in problem.pools:
            used[pool.name] = (used.get(pool.name, (0.0, 0.0))[0] + taken(problem, pool, order), pool.limit)
    return used


def counted_out(problems: list[JointProblem]) -> float:
    least = math.inf
    options = [list(itertools.product(*map(quantities, problem.lines))) for problem in problems]
    for orders in itertools.product(*options):
        if all(used <= limit + 1e-9 for used, limit in used_of(problems, list(orders)).values()):
            least = min(least, sum(order_cost(p, order) for p, order in zip(problems, orders, strict=True)))
    return least


@st.composite
def sharing(draw: st.DrawFn) -> list[JointProblem]:
    """Two orders: a budget for all lines, one for some of them, and room in the warehouse."""
    money, part, room = (float(draw(st.integers(5, 150))) for _pool in range(3))
    problems = []
    for order in range(2):
        rows = tuple(draw(lines(10 * order + number)) for number in range(draw(st.integers(1, 2))))
        rows = tuple(replace(row, must_order=False) for row in rows)
        everyone = tuple(True for _row in rows)
        pools = (
            Pool(name="all", limit=money, members=everyone),
            Pool(name="some", limit=part, members=tuple(draw(st.booleans()) for _row in rows)),
            Pool(name="room", limit=room, members=everyone, of="units"),
        )
        terms = OrderTerms(fixed_cost=float(draw(st.integers(0, 20))))
        problems.append(JointProblem(lines=rows, terms=terms, pools=pools, gap=1e-9))
    return problems


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(sharing())
def test_orders_that_share_keep_every_pool_and_the_best_lies_between_bound_and_cost(
    problems: list[JointProblem],
) -> None:
    least = counted_out(problems)

    answers, bound, relaxations = solve_groups(problems)

    cost = sum(answer.cost for answer in answers)
    assert relaxations == []
    assert all(used <= limit + 1e-6 for used, limit in used_of(problems, [a.quantities for a in answers]).values())
    assert cost == pytest.approx(
        sum(order_cost(p, a.quantities) for p, a in zip(problems, answers, strict=True)), rel=1e-9, abs=1e-9
    )
    assert bound <= least + 1e-6 * max(1.0, abs(least))
    assert cost >= least - 1e-6 * max(1.0, abs(least))


def sure(name: str, wanted: float, short: float, **more: object) -> JointLine:
    curve = QuantileCurve.through({0.5: wanted})
    return JointLine(id=name, curve=curve, unit_cost=10.0, stockout_cost=short, holding_cost=1.0, **more)


def shared(limit: float, *rows: JointLine, of: str = "value") -> list[JointProblem]:
    pool = Pool(name="shared", limit=limit, members=(True,), of=of)
    return [JointProblem(lines=(row,), pools=(pool,), gap=1e-9) for row in rows]


@pytest.mark.parametrize(("limit", "of"), [(60.0, "value"), (6.0, "units")])
def test_what_is_short_goes_where_it_is_worth_most_and_not_to_the_first_in_line(limit: float, of: str) -> None:
    problems = shared(limit, sure("a", 5.0, 20.0), sure("b", 5.0, 30.0), of=of)

    answers, bound, _relaxations = solve_groups(problems)

    assert [answer.quantities for answer in answers] == [(1.0,), (5.0,)]
    assert sum(answer.cost for answer in answers) == pytest.approx(140.0)  # 60 to buy, 4 short at 20
    assert bound == pytest.approx(140.0, rel=0.02)


def test_a_budget_below_what_must_be_ordered_says_how_much_is_missing() -> None:
    problems = shared(60.0, *(sure(name, 5.0, 0.0, must_order=True, minimum=4.0) for name in "ab"))

    _answers, _bound, (missing,) = solve_groups(problems)

    assert (missing.name, missing.limit, missing.needed, missing.relax_by) == ("shared", 60.0, 80.0, 20.0)


def test_the_cost_of_given_quantities_has_the_fixed_cost_once() -> None:
    rows = (sure("a", 5.0, 20.0), sure("b", 5.0, 20.0))
    problem = JointProblem(lines=rows, terms=OrderTerms(fixed_cost=7.0))

    assert cost_of(problem, (5.0, 4.0)) == pytest.approx(90.0 + 20.0 + 7.0)
    assert cost_of(problem, (0.0, 0.0)) == pytest.approx(200.0)
