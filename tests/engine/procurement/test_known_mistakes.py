"""Mistakes that are widely copied: r after Q, fixed costs of periods without an order, minimums without a cost test."""

import math

import pytest

from procurement.engine.models import MODELS
from procurement.engine.parameters import read_inputs


def solve(name, **inputs):
    model = MODELS[name]
    return model.solve(read_inputs(model.inputs, inputs))


RARE = {"holding_cost": 1.0, "stockout_cost": 20.0, "fixed_cost": 10.0, "demand_mean": 100.0, "lead_time": 4.0}


def eoq(case):
    """The lot without uncertainty, with planned backorders: √(2Kλ(h + p)/(hp))."""
    h, p = case["holding_cost"], case["stockout_cost"]
    return math.sqrt(2 * case["fixed_cost"] * case["demand_mean"] * (h + p) / (h * p))


def test_the_economic_lot_first_and_the_reorder_point_after_it_is_dearer_where_the_spread_is_as_large_as_the_lot():
    case = {**RARE, "demand_sd": 50.0}  # spread of the lead time 100, lot 46

    best = solve("rq_normal", **case)
    one_by_one = solve("rq_normal", **case, order_quantity=eoq(case))

    assert best["order_quantity"] > 1.7 * eoq(case)
    assert best["reorder_point"] < one_by_one["reorder_point"]
    assert one_by_one["cost"] > 1.02 * best["cost"]


def test_where_the_spread_is_small_beside_the_lot_the_order_of_the_two_does_not_matter():
    case = {**RARE, "demand_sd": 0.5}

    best = solve("rq_normal", **case)
    one_by_one = solve("rq_normal", **case, order_quantity=eoq(case))

    assert best["order_quantity"] == pytest.approx(eoq(case), rel=0.01)
    assert one_by_one["cost"] == pytest.approx(best["cost"], rel=1e-4)


def test_no_lot_near_the_answer_is_cheaper():
    case = {**RARE, "demand_sd": 50.0}

    best = solve("rq_normal", **case)

    around = [solve("rq_normal", **case, order_quantity=best["order_quantity"] * share)["cost"]
              for share in (0.9, 0.99, 1.01, 1.1)]  # fmt: skip
    assert min(around) > best["cost"]


def test_a_period_without_an_order_pays_no_fixed_cost_and_units_pay_for_every_period_they_are_held():
    plan = solve("wagner_whitin", num_periods=3, holding_cost=[1.0, 2.0, 4.0], fixed_cost=50.0, demand=[10, 5, 5])

    # All at once: 50 + 10 held over period 1 at 1 + 5 held over period 2 at 2
    assert plan["order_quantities"] == [20, 0, 0]
    assert plan["cost"] == pytest.approx(50 + 10 * 1 + 5 * 2)


def test_a_later_order_is_placed_once_holding_costs_more_than_it():
    plan = solve("wagner_whitin", num_periods=3, holding_cost=[1.0, 2.0, 4.0], fixed_cost=9.0, demand=[10, 5, 5])

    # Periods 1 and 3: 9 + 9 + 5 held over period 1; all three orders cost 27, the first two 28, one alone 29
    assert plan["order_quantities"] == [15, 0, 5]
    assert plan["cost"] == pytest.approx(23)


def test_a_minimum_far_above_a_slow_movers_need_is_not_ordered_when_it_costs_more_than_being_short():
    slow = {"quantiles": {"0.5": 0, "0.8": 0, "0.9": 1, "0.95": 1, "0.99": 2}, "on_hand": 0, "holding_cost": 1.0,
            "minimum_order_quantity": 50}  # fmt: skip

    cheap, dear = solve("order_up_to", **slow, stockout_cost=15.0), solve("order_up_to", **slow, stockout_cost=2000.0)

    assert (cheap["order_up_to_level"], cheap["order_quantity"]) == (1, 0)
    assert dear["order_quantity"] == 50
