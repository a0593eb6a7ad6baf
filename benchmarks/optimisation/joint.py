"""Joint orders of 200 lines with everything at once: gap, seconds, cost beside greedy, broken constraints; and small
orders beside every combination counted out.

    .venv/bin/python benchmarks/optimisation/joint.py [--seeds 5] [--lines 200] [--seconds 30] [--small 40]

Every line has a pack, a minimum, three price bands (half of them incremental), volume and weight; the order a fixed
cost, a minimum value, free freight from a value, a budget of 70 % of what the lines would spend alone, containers that
hold 60 % of it each and cost something, a capacity and a warehouse that takes 90 %. Prints a table in Markdown.
"""

import argparse
import itertools
import time
from dataclasses import replace

import numpy as np

from procurement.engine.joint import Container, JointLine, JointProblem, OrderTerms, Room, solve_joint
from procurement.engine.joint.choice import choice_of, greedy
from procurement.engine.joint.columns import ColumnBook
from procurement.engine.joint.costs import purchase_costs
from procurement.engine.joint.scenarios import scenarios
from procurement.engine.quantiles import QuantileCurve


def random_line(number: int, rng: np.random.Generator) -> JointLine:
    pack = float(rng.choice([1, 2, 6, 10, 12, 24, 48]))
    mean, cost = float(rng.lognormal(4.5, 1.0)), float(np.round(rng.lognormal(1.2, 0.7), 2))
    sd = mean * float(rng.uniform(0.15, 0.8))
    minimum = pack * float(rng.integers(1, 6))
    breaks = [(minimum * 3, cost * 0.95), (minimum * 8, cost * 0.88)]
    return JointLine(
        id=f"line {number}",
        curve=QuantileCurve.through({0.5: mean, 0.8: mean + 0.84 * sd, 0.95: mean + 1.9 * sd, 0.99: mean + 3.0 * sd}),
        position=float(np.round(mean * rng.uniform(-0.1, 0.9))),
        unit_cost=cost,
        price_breaks=tuple(breaks),
        is_incremental=bool(rng.integers(2)),
        minimum=minimum,
        pack=pack,
        volume=float(rng.uniform(0.5, 8.0)),
        weight=float(rng.uniform(0.1, 4.0)),
        holding_cost=cost * float(rng.uniform(0.01, 0.05)),
        stockout_cost=cost * float(rng.uniform(1.3, 3.0)),
    )


def random_problem(lines: int, seed: int, seconds: float = 30.0) -> JointProblem:
    rng = np.random.default_rng(seed)
    rows = tuple(random_line(number, rng) for number in range(lines))
    alone = ColumnBook(JointProblem(lines=rows)).columns
    own = choice_of(JointProblem(lines=rows), alone, alone.least(alone.cost))
    value, units = own.used["value"], own.used["units"]
    return JointProblem(
        lines=rows,
        terms=OrderTerms(
            fixed_cost=0.01 * value,
            minimum_value=0.4 * value,
            freight=0.02 * value,
            free_freight_from=float(rng.uniform(0.6, 0.72)) * value,
            capacity=0.95 * units,
        ),
        container=Container(
            volume=0.25 * own.used["volume"], weight=0.3 * own.used["weight"], count=4, cost=0.01 * value
        ),
        room=Room(units=0.9 * units, volume=0.9 * own.used["volume"]),
        budget=0.7 * value,
        time_limit=seconds,
    )


def broken_constraints(problem: JointProblem, quantities: tuple[float, ...]) -> int:
    """Counted anew from the quantities: packs, minimums and every limit, to a billionth."""
    lines, ordered = problem.lines, np.array(quantities)
    value = sum(float(purchase_costs(line, np.array([q]))[0]) for line, q in zip(lines, ordered, strict=True))
    volume = float(np.dot([line.volume for line in lines], ordered))
    weight = float(np.dot([line.weight for line in lines], ordered))
    box, near = problem.container or Container(), 1.0 + 1e-9
    limits = [
        value <= problem.budget * near,
        value * near >= problem.terms.minimum_value or not ordered.any(),
        ordered.sum() <= min(problem.terms.capacity, problem.room.units) * near,
        volume <= min(problem.room.volume, box.volume * box.count) * near,
        weight <= box.weight * box.count * near,
    ]
    for line, quantity in zip(lines, ordered, strict=True):
        packs = quantity / line.step
        limits.append(abs(packs - round(packs)) < 1e-9)
        limits.append(quantity == 0.0 or line.minimum <= quantity <= line.maximum)
    return limits.count(False)


def greedy_cost(problem: JointProblem) -> float:
    """Each line's own best, then cut or filled up move by move to fit; the best over the order's cases."""
    columns = ColumnBook(problem).columns
    costs = [choice_of(problem, columns, columns.starts).cost]
    for scenario in scenarios(problem):
        chosen = greedy(problem, columns, scenario.rows)
        if chosen is not None and not choice_of(problem, columns, chosen).broken(scenario.rows):
            costs.append(choice_of(problem, columns, chosen).cost)
    return min(costs)


def counted_out(problem: JointProblem) -> float:
    """The least cost over every combination of the columns of a small problem."""
    columns = ColumnBook(problem).columns
    ends = np.append(columns.starts[1:], len(columns))
    ranges = [range(first, last) for first, last in zip(columns.starts, ends, strict=True)]
    best = np.inf
    for chosen in itertools.product(*ranges):
        quantities = tuple(columns.quantity[list(chosen)])
        if not broken_constraints(problem, quantities):
            best = min(best, choice_of(problem, columns, np.array(chosen)).cost)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("--seeds", 5), ("--lines", 200), ("--seconds", 30), ("--small", 40)):
        parser.add_argument(name, type=int, default=default)
    options = parser.parse_args()
    solve_joint(random_problem(3, 0))
    print("| seed | lines | seconds | gap | cost | greedy | saved | broken | binding |")
    print("|---|---|---|---|---|---|---|---|---|")
    for seed in range(options.seeds):
        problem = random_problem(options.lines, seed, options.seconds)
        began = time.perf_counter()
        answer = solve_joint(problem)
        seconds = time.perf_counter() - began
        naive = greedy_cost(problem)
        broken = broken_constraints(problem, answer.quantities)
        print(
            f"| {seed} | {options.lines} | {seconds:.2f} | {answer.gap:.2e} | {answer.cost:.2f} | {naive:.2f} "
            f"| {1 - answer.cost / naive:.3%} | {broken} | {', '.join(answer.binding_constraints)} |",
            flush=True,
        )
    worst = 0.0
    for seed in range(options.small):
        problem = replace(random_problem(3, 1000 + seed), gap=1e-9)
        lines = tuple(replace(line, maximum=line.minimum + 6 * line.pack) for line in problem.lines)
        problem = replace(problem, lines=lines)
        worst = max(worst, abs(solve_joint(problem).cost / counted_out(problem) - 1.0))
    print(f"\n{options.small} orders of 3 lines beside all combinations: largest relative difference {worst:.1e}")


if __name__ == "__main__":
    main()
