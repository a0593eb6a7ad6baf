"""A joint order against every combination of quantities, counted out in plain loops with scalars."""

import itertools
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procurement.engine.joint import Container, JointLine, JointProblem, OrderTerms, Room, solve_joint
from procurement.engine.quantiles import QuantileCurve

MOST = 7  # multiples of the pack that are tried of each line


def price(line: JointLine, quantity: float) -> float:
    starts = [(0.0, line.unit_cost), *line.price_breaks]
    if not line.is_incremental:
        return [cost for start, cost in starts if start <= quantity][-1] * quantity
    ends = [start for start, _cost in starts[1:]] + [math.inf]
    bands = zip(starts, ends, strict=True)
    return sum(cost * max(0.0, min(quantity, end) - start) for (start, cost), end in bands)


def line_cost(line: JointLine, quantity: float) -> float:
    stock = line.position + quantity
    short = line.curve.expected_shortage(stock)
    left = stock - line.curve.expected_shortage(0.0) + short
    return price(line, quantity) + line.holding_cost * left + line.stockout_cost * short


def quantities(line: JointLine) -> list[float]:
    steps = [count * line.step for count in range(1, MOST + 1)]
    return [0.0] * (not line.must_order) + [q for q in steps if line.minimum <= q <= line.maximum]


def order_cost(problem: JointProblem, order: tuple[float, ...]) -> float:
    """Infinite where a constraint is broken."""
    value = sum(price(line, q) for line, q in zip(problem.lines, order, strict=True))
    volume = sum(line.volume * q for line, q in zip(problem.lines, order, strict=True))
    weight = sum(line.weight * q for line, q in zip(problem.lines, order, strict=True))
    cost = sum(line_cost(line, q) for line, q in zip(problem.lines, order, strict=True))
    if not any(order):
        return cost
    terms, box = problem.terms, problem.container or Container()
    boxes = math.ceil(max(volume / box.volume, weight / box.weight) - 1e-9)
    limits = (
        value <= problem.budget + 1e-9,
        value >= terms.minimum_value - 1e-9,
        sum(order) <= min(terms.capacity, problem.room.units) + 1e-9,
        volume <= problem.room.volume + 1e-9,
        boxes <= box.count,
    )
    if not all(limits):
        return math.inf
    return cost + terms.fixed_cost + terms.freight * (value < terms.free_freight_from - 1e-9) + boxes * box.cost


def brute_force(problem: JointProblem) -> float:
    return min(order_cost(problem, order) for order in itertools.product(*map(quantities, problem.lines)))


amounts = st.integers(1, 12)


@st.composite
def lines(draw: st.DrawFn, number: int) -> JointLine:
    pack = draw(st.sampled_from([1.0, 2.0, 6.0, 0.5]))
    low, spread = draw(st.integers(0, 30)) * pack / 5, draw(amounts) * pack / 4
    cost = draw(amounts)
    breaks = ((pack * draw(st.integers(2, 4)), cost * 0.9), (pack * 5, cost * 0.75)) if draw(st.booleans()) else ()
    minimum = pack * draw(st.integers(0, 3))
    return JointLine(
        id=str(number),
        curve=QuantileCurve.through(
            {0.5: low, 0.9: low + spread} | ({0.99: low + 3 * spread} if draw(st.booleans()) else {})
        ),
        position=float(draw(st.integers(-3, 8))),
        unit_cost=float(cost),
        price_breaks=breaks,
        is_incremental=draw(st.booleans()),
        minimum=minimum,
        maximum=MOST * pack,
        pack=pack,
        volume=float(draw(st.integers(0, 4))),
        weight=float(draw(st.integers(0, 4))),
        holding_cost=draw(amounts) / 10,
        stockout_cost=draw(amounts) * 3.0,
        must_order=draw(st.integers(0, 5)) == 0,
    )


limits = st.one_of(st.just(math.inf), st.integers(5, 150).map(float))


@st.composite
def problems(draw: st.DrawFn) -> JointProblem:
    free_from = draw(limits)
    box = Container(
        volume=float(draw(st.integers(10, 120))),
        weight=float(draw(st.integers(10, 120))),
        count=draw(st.integers(1, 3)),
        cost=float(draw(st.integers(0, 20))),
    )
    return JointProblem(
        lines=tuple(draw(lines(number)) for number in range(draw(st.integers(1, 3)))),
        terms=OrderTerms(
            fixed_cost=float(draw(st.integers(0, 30))),
            minimum_value=float(draw(st.integers(0, 80))),
            freight=float(draw(st.integers(0, 25))),
            free_freight_from=free_from,
            capacity=draw(limits),
        ),
        container=draw(st.sampled_from([None, box])),
        room=Room(units=draw(limits), volume=draw(limits)),
        budget=draw(limits),
        gap=1e-9,
    )


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_a_small_joint_order_costs_what_counting_out_finds_and_keeps_every_constraint(problem: JointProblem) -> None:
    least = brute_force(problem)

    answer = solve_joint(problem)

    if math.isinf(least):
        assert answer.status == "infeasible"
        assert answer.relaxations
        return
    assert answer.status == "optimal"
    assert answer.cost == pytest.approx(least, rel=1e-9, abs=1e-9)
    assert order_cost(problem, answer.quantities) == pytest.approx(answer.cost, rel=1e-9, abs=1e-9)
    assert answer.bound <= least + 1e-6 * max(1.0, abs(least))
