"""The models beyond the first set: textbook numbers, plain loops, and what the public library gets wrong."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement.engine.optimize import solve_instances


def answer(model, **inputs):
    return solve_instances([{"id": 1, "model": model, "inputs": inputs}])[0]


def outputs(model, **inputs):
    found = answer(model, **inputs)
    assert "error" not in found, found
    return found["outputs"]


HORIZON = {"num_periods": 5, "holding_cost": 1, "stockout_cost": 20, "terminal_holding_cost": 1,
           "terminal_stockout_cost": 20, "purchase_cost": 2, "fixed_cost": 50, "demand_mean": 100,
           "demand_sd": 20}  # fmt: skip
RQ = {"holding_cost": 0.225, "stockout_cost": 7.5, "fixed_cost": 8, "demand_mean": 1300, "demand_sd": 150,
      "lead_time": 1 / 12}  # fmt: skip
JRP = {"shared_fixed_cost": 600, "individual_fixed_costs": [120, 840, 300], "holding_costs": [160, 20, 50],
       "demand_rates": [1, 1, 1]}  # fmt: skip
SPT = [10, 62, 12, 130, 154, 129, 88, 52, 124, 160, 238, 41]  # Silver, Pyke & Thomas, lot sizing example

EXAMPLES = [
    ("base_stock", {"demand_mean": 50, "demand_sd": 8, "lead_time": 3, "holding_cost": 0.18, "stockout_cost": 0.7},
     {"base_stock_level": 213.2079119, "cost": 3.995210386, "cycle_service_level": 0.7954545455}),
    # mathematics of the house, 3: random lead time, σ = 313.2 and not 90
    ("base_stock", {"demand_mean": 100, "demand_sd": 30, "lead_time": 8, "lead_time_sd": 3,
                    "cycle_service_level": 0.95}, {"safety_stock": 1.644853627 * 313.2091953}),
    ("base_stock", {"demand": "poisson", "demand_mean": 2, "lead_time": 3, "fill_rate": 0.98},
     {"base_stock_level": 14, "fill_rate": 0.9851591270}),
    ("jrp", JRP, {"base_cycle_time": 3.103164454, "cost": 837.8544026, "lower_bound": 836.5081086}),
    ("power_of_two", {"fixed_cost": 8, "holding_cost": 0.225, "demand_rate": 1300, "base_period": 1},
     {"cost": 68.5625, "lower_bound": 68.41052551}),
    ("rq_gamma", RQ, {"reorder_point": 128.3189321, "order_quantity": 336.5770765, "cost": 80.22667771}),
    ("rq_gamma", {**RQ, "demand_sd": 0}, {"order_quantity": 308.5737801, "cost": 67.40689372}),
    ("rq_negative_binomial", {"holding_cost": 20, "stockout_cost": 150, "fixed_cost": 100, "demand_mean": 1.5,
                              "demand_sd": 2, "lead_time": 2},
     {"reorder_point": 3, "order_quantity": 7, "cost": 152.5124197}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "inputs", "expected"), EXAMPLES)
def test_the_worked_number_of_a_newer_model_comes_out(model, inputs, expected):
    found = outputs(model, **inputs)

    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-8)


def test_the_finite_horizon_gives_the_books_policy_and_cost():
    found = outputs("finite_horizon", **HORIZON)

    assert found["reorder_points"] == [110, 110, 110, 110, 111]
    assert found["order_up_to_levels"] == [133, 133, 133, 133, 126]
    assert found["total_cost"] == pytest.approx(1558.6946467384012, rel=1e-12)


def test_costs_and_demand_of_a_horizon_may_change_from_period_to_period():
    found = outputs("finite_horizon", **{**HORIZON, "num_periods": 3, "purchase_cost": [1, 2, 3],
                    "fixed_cost": [10, 50, 20], "demand_mean": [20, 60, 30], "demand_sd": [4, 10, 5],
                    "discount_factor": 0.9})  # fmt: skip

    assert (found["reorder_points"], found["order_up_to_levels"]) == ([91, 63, 31], [102, 84, 36])
    assert found["total_cost"] == pytest.approx(282.5802123892306, rel=1e-12)


def test_a_horizon_in_which_stockouts_cost_less_than_goods_never_orders():
    found = outputs("finite_horizon", **{**HORIZON, "stockout_cost": 0.1, "terminal_stockout_cost": 0})

    assert found["reorder_points"] == [None] * 5
    assert found["order_up_to_levels"] == [None] * 5


def test_a_horizon_of_known_demand_costs_what_its_lot_plan_costs():
    found = outputs("finite_horizon", **{**HORIZON, "stockout_cost": 1000, "terminal_stockout_cost": 1000,
                    "fixed_cost": 130, "demand_sd": 0, "terminal_holding_cost": 0})  # fmt: skip
    plan = outputs("wagner_whitin", num_periods=5, holding_cost=1, fixed_cost=130, demand=100, purchase_cost=2)

    assert found["total_cost"] == pytest.approx(plan["cost"])


def test_ten_million_units_a_period_are_planned_in_blocks():
    found = outputs("finite_horizon", **{**HORIZON, "demand_mean": 1e7, "demand_sd": 1e6})
    scaled = outputs("finite_horizon", **{**HORIZON, "demand_mean": 1e4, "demand_sd": 1e3, "fixed_cost": 0.05})

    assert found["total_cost"] == pytest.approx(1000 * scaled["total_cost"], rel=1e-4)


def test_silver_and_meal_find_the_plan_of_their_example():
    found = outputs("silver_meal", num_periods=12, holding_cost=0.4, fixed_cost=54, demand=SPT)

    assert found["order_quantities"] == [84, 0, 0, 130, 283, 0, 140, 0, 124, 160, 279, 0]
    assert found["cost"] == pytest.approx(501.2)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=12), st.floats(0, 300), st.floats(0, 5))
def test_silver_and_meal_serve_all_demand_and_are_never_cheaper_than_the_optimum(demand, fixed, holding):
    instance = {"num_periods": len(demand), "holding_cost": holding, "fixed_cost": fixed, "demand": demand}

    heuristic, best = outputs("silver_meal", **instance), outputs("wagner_whitin", **instance)

    assert heuristic["cost"] >= best["cost"] * (1 - 1e-12)
    assert sum(heuristic["order_quantities"]) == sum(demand)


@pytest.mark.parametrize("seed", range(30))
def test_the_joint_cycle_is_the_cheapest_of_all_multiples(seed):
    draw = random.Random(seed)
    shared = 10 ** draw.uniform(0, 3)
    k = [10 ** draw.uniform(-1, 3) for _ in range(3)]
    h = [10 ** draw.uniform(-1, 2) for _ in range(3)]

    def cost(m):
        paid = shared + sum(a / n for a, n in zip(k, m, strict=True))
        return 2 * math.sqrt(paid * sum(b / 2 * n for b, n in zip(h, m, strict=True)))

    found = outputs("jrp", shared_fixed_cost=shared, individual_fixed_costs=k, holding_costs=h, demand_rates=[1, 1, 1])

    assert found["cost"] <= min(cost(m) for m in itertools.product(range(1, 16), repeat=3)) * (1 + 1e-12)
    assert found["cost"] == pytest.approx(cost(found["order_multiples"]), rel=1e-12)
    assert found["lower_bound"] <= found["cost"]


def test_without_a_shared_cost_the_joint_cycle_comes_within_a_millionth_of_each_on_its_own():
    found = outputs("jrp", **{**JRP, "shared_fixed_cost": 0})

    assert found["cost"] == pytest.approx(found["lower_bound"], rel=1e-6)


def test_an_item_nobody_asks_for_is_left_out_of_joint_orders():
    found = outputs("jrp", **{**JRP, "demand_rates": [1, 0, 1]})

    assert found["order_multiples"] == [1, 0, 1]
    assert found["order_quantities"][1] == 0


def test_a_shared_cost_next_to_nothing_changes_nothing_on_a_base_period():
    one = {"fixed_cost": [1.0], "holding_cost": [4.0], "demand_rate": [1.0], "base_period": 1.0}

    least = outputs("power_of_two", **one, shared_fixed_cost=5e-324)

    assert least == outputs("power_of_two", **one)
    assert least["reorder_intervals"] == [0.5]


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.floats(0.01, 1e3), st.floats(0.01, 1e3)), min_size=1, max_size=5), st.floats(0, 1e3),
       st.floats(0.01, 100))  # fmt: skip
def test_powers_of_two_stay_within_roundys_bounds(items, shared, base):
    instance = {"fixed_cost": [k for k, _ in items], "holding_cost": [h for _, h in items],
                "demand_rate": [1.0] * len(items), "shared_fixed_cost": shared}  # fmt: skip

    fixed, free = outputs("power_of_two", **instance, base_period=base), outputs("power_of_two", **instance)

    assert fixed["cost"] <= fixed["lower_bound"] * 1.0607
    assert free["cost"] <= free["lower_bound"] * 1.0202
    assert all(math.log2(time / base) == pytest.approx(round(math.log2(time / base)))
               for time in fixed["reorder_intervals"])  # fmt: skip


@pytest.mark.parametrize("family", ["normal", "gamma", "negative_binomial"])
def test_a_base_stock_asked_for_a_fill_rate_reaches_it_and_no_smaller_one_does(family):
    demand = {"demand": family, "demand_mean": 5, "demand_sd": 6, "lead_time": 2}

    found = outputs("base_stock", **demand, fill_rate=0.93)
    less = outputs("base_stock", **demand, base_stock_level=found["base_stock_level"] - 1)

    assert found["fill_rate"] >= 0.93 - 1e-9
    assert less["fill_rate"] < 0.93


def test_base_stock_costs_of_poisson_demand_are_those_of_the_newsvendor():
    found = outputs("base_stock", demand="poisson", demand_mean=6, holding_cost=1, stockout_cost=4)

    assert (found["base_stock_level"], found["cost"]) == (8, pytest.approx(3.570106946))


@pytest.mark.parametrize("seed", range(8))
def test_no_neighbour_of_the_gamma_policy_is_cheaper(seed):
    draw = random.Random(seed)
    instance = {**RQ, "demand_sd": 1300 * draw.uniform(0.1, 2), "lead_time": draw.uniform(0.05, 2),
                "stockout_cost": 10 ** draw.uniform(-2, 2), "lead_time_sd": draw.uniform(0, 0.3)}  # fmt: skip

    found = outputs("rq_gamma", **instance)

    for r_step, q_step in itertools.product((-0.02, 0, 0.02), repeat=2):
        r = found["reorder_point"] + r_step * found["order_quantity"]
        nearby = outputs("rq_gamma", **instance, reorder_point=r, order_quantity=found["order_quantity"] * (1 + q_step))
        assert nearby["cost"] >= found["cost"] * (1 - 1e-11)


@pytest.mark.parametrize("seed", range(6))
def test_the_negative_binomial_lot_is_the_cheapest_pair(seed):
    draw = random.Random(seed)
    h, p, K, rate = draw.uniform(0.5, 9), draw.uniform(0.5, 60), draw.uniform(1, 60), draw.uniform(0.2, 4)
    mean, variance = 2 * rate, 2 * (rate * draw.uniform(1.2, 3))
    chance = mean / variance
    r = mean * chance / (1 - chance)
    pmf = [chance**r]
    for k in range(1, 400):
        pmf.append(pmf[-1] * (r + k - 1) / k * (1 - chance))
    costs = [sum(q * (h * max(y - d, 0) + p * max(d - y, 0)) for d, q in enumerate(pmf)) for y in range(-60, 80)]
    sums = [0.0, *itertools.accumulate(costs)]
    best = min((K * rate + sums[a + q] - sums[a]) / q for q in range(1, 60) for a in range(80))

    found = outputs("rq_negative_binomial", holding_cost=h, stockout_cost=p, fixed_cost=K, demand_mean=rate,
                    demand_sd=math.sqrt(variance / 2), lead_time=2)  # fmt: skip

    assert found["cost"] == pytest.approx(best, rel=1e-9)


# What stockpyl 1.0.2 gets wrong, right here.


def test_holding_cost_that_varies_is_charged_by_the_period_that_holds():
    # 10 units ordered in period 1 for period 3 pass the ends of periods 1 and 2: 1 + 50 each, so two orders win.
    found = outputs("wagner_whitin", num_periods=3, holding_cost=[1, 50, 1], fixed_cost=100, demand=[10, 0, 10])

    assert found == {"order_quantities": [10, 0, 10], "cost": 200}


def test_the_largest_demand_of_a_list_counts_in_full():
    found = outputs("ss", holding_cost=1, stockout_cost=4, fixed_cost=5, demand="pmf", demand_pmf=[0, 0.5, 0.5],
                    reorder_point=0, order_up_to_level=2)  # fmt: skip

    # From 2 to 1 or 0: m = 1, 1/2; g(2) = ½·1 = 0.5, g(1) = ½·4 = 2; (5 + 0.5 + ½·2)/1.5
    assert found["cost"] == pytest.approx(6.5 / 1.5)


def test_the_base_stock_against_disruptions_is_found_for_ordinary_parameters():
    found = outputs("newsvendor_disruptions", holding_cost=0.25, stockout_cost=3, demand=2000, disruption_prob=0.04,
                    recovery_prob=0.25)  # fmt: skip

    assert found == {"base_stock_level": 8000, "cost": pytest.approx(2737.068966)}


EXTREMES = [
    ("ss", {"holding_cost": 1, "stockout_cost": 4, "fixed_cost": 5, "demand": "poisson", "demand_mean": 1e7}),
    ("ss", {"holding_cost": 1, "stockout_cost": 4, "fixed_cost": 5, "demand": "poisson", "demand_mean": 1e-20}),
    ("rq_poisson", {"holding_cost": 20, "stockout_cost": 1, "fixed_cost": 1, "demand_mean": 0, "lead_time": 2}),
    ("rq_poisson", {"holding_cost": 9, "stockout_cost": 0.1, "fixed_cost": 900, "demand_mean": 1e7, "lead_time": 1}),
    ("rq_gamma", {**RQ, "demand_mean": 0.002, "demand_sd": 0.04}),
    ("rq_gamma", {**RQ, "demand_mean": 1e7, "demand_sd": 2e7}),
    ("base_stock", {"demand": "negative_binomial", "demand_mean": 1e7, "demand_sd": 2e7, "fill_rate": 0.99}),
    ("base_stock", {"demand": "poisson", "demand_mean": 0, "cycle_service_level": 0.99}),
    ("finite_horizon", {**HORIZON, "demand_sd": 200}),
    ("finite_horizon", {**HORIZON, "holding_cost": 0, "terminal_holding_cost": 0, "purchase_cost": 0}),
    ("silver_meal", {"num_periods": 4, "holding_cost": 0, "fixed_cost": 0, "demand": 0}),
    ("power_of_two", {"fixed_cost": 1e7, "holding_cost": 1e-6, "demand_rate": 0.002, "base_period": 1}),
    ("jrp", {"shared_fixed_cost": 0.001, "individual_fixed_costs": [1e6, 1], "holding_costs": [1e-3, 1e3],
             "demand_rates": [0.002, 1e7]}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "inputs"), EXTREMES)
def test_extreme_but_legal_parameters_of_a_newer_model_get_an_answer(model, inputs):
    outputs(model, **inputs)


@pytest.mark.parametrize(
    ("model", "inputs", "parameter"),
    [("base_stock", {"demand_mean": 1, "demand_sd": 1, "cycle_service_level": 1}, "cycle_service_level"),
     ("base_stock", {"demand_mean": 1, "demand_sd": 1}, "stockout_cost"),
     ("base_stock", {"demand_mean": 1, "demand_sd": 1, "fill_rate": 0.9, "cycle_service_level": 0.9}, "fill_rate"),
     ("base_stock", {"demand": "negative_binomial", "demand_mean": 9, "demand_sd": 1, "fill_rate": 0.9}, "demand_sd"),
     ("base_stock", {"demand": "poisson", "demand_mean": 9, "lead_time_sd": 1, "fill_rate": 0.9}, "lead_time_sd"),
     ("jrp", {**JRP, "demand_rates": [1, 1]}, "demand_rates"),
     ("jrp", {**JRP, "shared_fixed_cost": 0, "individual_fixed_costs": [0, 1, 1]}, "individual_fixed_costs"),
     ("finite_horizon", {**HORIZON, "demand_mean": [1, 2]}, "demand_mean"),
     ("finite_horizon", {**HORIZON, "discount_factor": 1.1}, "discount_factor"),
     ("rq_normal", {**RQ, "demand_mean": 0}, "demand_mean"),
     ("rq_gamma", {**RQ, "reorder_point": 4}, "order_quantity")],
)  # fmt: skip
def test_a_newer_model_names_the_parameter_that_makes_no_sense(model, inputs, parameter):
    assert answer(model, **inputs)["error"]["parameter"] == parameter
