"""Distribution networks: the simulator against arithmetic, the optimiser against single-echelon planning."""

import numpy as np
import pytest

from procurement.engine.echelon.network import Network, measure, optimise_network, single_echelon
from procurement.engine.errors import ParameterError


def network(demand, **changes):
    values = {
        "parent": (-1, 0, 0),
        "lead_days": (5, 2, 2),
        "review_days": (1, 1, 1),
        "holding_costs": (1.0, 1.0, 1.0),
        "demand": demand,
        "target": 0.95,
        "warm_up_days": 50,
    }
    return Network(**(values | changes))


def futures(seed, runs=3, days=300, branches=2):
    draw = np.random.default_rng(seed)
    demand = np.zeros((runs, days, branches + 1))
    demand[:, :, 1:] = draw.negative_binomial(2, 0.3, (runs, days, branches))
    return demand


def test_steady_demand_needs_what_is_sold_until_goods_come():
    demand = np.zeros((1, 100, 3))
    demand[:, :, 1:] = 4.0

    found = measure(network(demand), (8 * 6.0, 4 * 3.0, 4 * 3.0))

    assert found.fill_rates[1:] == (1.0, 1.0)
    assert found.stock[1] == 4 * 2 + 0 + 4  # two days under way, and the day's units after ordering


def test_units_are_neither_made_nor_lost():
    demand = np.zeros((1, 120, 3))
    demand[:, :, 1:] = 4.0

    found = measure(network(demand), (300.0, 40.0, 40.0))

    # Orders keep each position at its level: what is on hand or under way is the level less what was sold that day
    # and is ordered only now (the supplier's orders follow those of its customers on the same day).
    assert found.fill_rates[1:] == (1.0, 1.0)
    assert found.stock == (300.0, 40.0, 40.0)


def test_more_stock_upstream_never_serves_less():
    demand = futures(2)

    rates = [min(measure(network(demand), (level, 20.0, 20.0)).fill_rates[1:]) for level in (20.0, 60.0, 100.0)]

    assert rates == sorted(rates)


def test_the_levels_found_cost_no_more_than_single_echelon_planning_at_equal_service():
    problem = network(futures(3))

    alone, together = single_echelon(problem), optimise_network(problem)

    assert together.cost <= alone.cost
    assert all(rate >= 0.95 for rate in together.fill_rates[1:])


def test_the_saving_holds_on_demand_not_seen_before():
    problem, unseen = network(futures(3, runs=16)), network(futures(4, runs=16))

    alone, together = (measure(unseen, found.levels) for found in (single_echelon(problem), optimise_network(problem)))

    assert together.cost < alone.cost
    assert min(together.fill_rates[1:]) >= 0.95 - 0.01


def test_three_echelons_are_planned_as_well():
    draw = np.random.default_rng(5)
    demand = np.zeros((2, 250, 4))
    demand[:, :, 2:] = draw.poisson(3, (2, 250, 2))
    problem = network(
        demand, parent=(-1, 0, 1, 1), lead_days=(6, 3, 2, 2), review_days=(7, 1, 1, 1), holding_costs=(1, 1.1, 1.2, 1.2)
    )

    assert optimise_network(problem).cost <= single_echelon(problem).cost


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"parent": (-1, 2, 0)}, "parent"),
        ({"lead_days": (5, 0, 2)}, "lead_days"),
        ({"review_days": (1, 1.5, 1)}, "review_days"),
        ({"holding_costs": (1.0, -1.0, 1.0)}, "holding_costs"),
        ({"target": 1.0}, "target"),
        ({"warm_up_days": 300}, "demand"),
    ],
)
def test_a_fault_is_told_by_the_parameter_that_has_it(changes, parameter):
    with pytest.raises(ParameterError) as fault:
        measure(network(futures(1), **changes), (1.0, 1.0, 1.0))

    assert fault.value.parameter == parameter
