"""Worked examples of the textbooks, through the same door as the file command: model name, inputs, expected outputs."""

import pytest

from procurement.engine.optimize import solve_instances

RQ_EXAMPLE = {"holding_cost": 0.225, "stockout_cost": 7.5, "fixed_cost": 8, "demand_mean": 1300, "demand_sd": 150,
              "lead_time": 1 / 12}  # fmt: skip  # Snyder & Shen, example 5.1
YIELD = {"fixed_cost": 18500, "holding_cost": 0.06, "demand_rate": 75000}
DISCOUNTS = {"fixed_cost": 8, "holding_cost_rate": 0.3, "demand_rate": 1300, "breakpoints": [0, 400, 800],
             "unit_costs": [0.75, 0.72, 0.68]}  # fmt: skip  # Snyder & Shen, section 3.4


def outputs(model, **inputs):
    (answer,) = solve_instances([{"id": 1, "model": model, "inputs": inputs}])
    assert "error" not in answer, answer
    return answer["outputs"]


EXAMPLES = [
    # mathematics of the house, 1: S = 10, D = 3 600 a year, H = 730 a unit and year
    ("eoq", {"fixed_cost": 10, "holding_cost": 730, "demand_rate": 3600},
     {"order_quantity": 9.931270663, "cost": 7249.827584}),
    # Snyder & Shen, example 3.1
    ("eoq", {"fixed_cost": 8, "holding_cost": 0.225, "demand_rate": 1300},
     {"order_quantity": 304.0467800, "cost": 68.41052551}),
    ("eoq", {"fixed_cost": 8, "holding_cost": 0.225, "demand_rate": 1300, "order_quantity": 310},
     {"order_quantity": 310, "cost": 68.42338710}),
    ("eoq_backorders", {"fixed_cost": 8, "holding_cost": 0.225, "stockout_cost": 5, "demand_rate": 1300},
     {"order_quantity": 310.8125552, "stockout_fraction": 0.04306220096, "cost": 66.92136355}),
    ("epq", {"fixed_cost": 8, "holding_cost": 0.225, "demand_rate": 1300, "production_rate": 1700},
     {"order_quantity": 626.8084946, "cost": 33.18397913}),
    ("eoq_all_units_discount", DISCOUNTS, {"order_quantity": 800, "region": 2, "cost": 978.6}),
    ("eoq_all_units_discount", {"fixed_cost": 200, "holding_cost_rate": 0.2, "demand_rate": 1000,
                                "breakpoints": [0, 200, 500], "unit_costs": [500, 475, 450]},
     {"order_quantity": 500, "region": 2, "cost": 472900}),
    ("eoq_incremental_discount", DISCOUNTS, {"order_quantity": 304.0467800, "region": 0, "cost": 1043.410526}),
    # Snyder & Shen, examples 4.1 to 4.3
    ("newsvendor_normal", {"holding_cost": 0.18, "stockout_cost": 0.7, "demand_mean": 50, "demand_sd": 8},
     {"base_stock_level": 56.60395593, "cost": 1.997605193}),
    ("newsvendor_normal", {"holding_cost": 0.18, "stockout_cost": 0.7, "demand_mean": 50, "demand_sd": 8,
                           "base_stock_level": 60}, {"base_stock_level": 60, "cost": 2.156131553}),
    # four periods protected: mean 200, sd 16
    ("newsvendor_normal", {"holding_cost": 0.18, "stockout_cost": 0.7, "demand_mean": 50, "demand_sd": 8,
                           "lead_time": 3}, {"base_stock_level": 213.2079119, "cost": 3.995210386}),
    ("newsvendor_explicit", {"revenue": 1, "purchase_cost": 0.3, "salvage_value": 0.12, "demand_mean": 50,
                             "demand_sd": 8}, {"base_stock_level": 56.60395593, "profit": 33.00239481}),
    ("newsvendor_poisson", {"holding_cost": 1, "stockout_cost": 4, "demand_mean": 6},
     {"base_stock_level": 8, "cost": 3.570106946}),
    ("newsvendor_discrete", {"holding_cost": 1, "stockout_cost": 4,
                             "demand_pmf": {"5": 0.25, "6": 0.5, "7": 0.25}}, {"base_stock_level": 7, "cost": 1}),
    ("newsvendor_continuous", {"holding_cost": 1, "stockout_cost": 4, "distribution": "exponential", "mean": 10},
     {"base_stock_level": 16.09437912, "cost": 16.09437912}),
    ("newsvendor_continuous", {"holding_cost": 1, "stockout_cost": 3, "distribution": "uniform", "lo": 20, "hi": 60},
     {"base_stock_level": 50, "cost": 15}),
    ("loss_function", {"distribution": "standard_normal", "z": 0.3}, {"n": 0.2667612421, "n_bar": 0.5667612421}),
    ("loss_function", {"distribution": "normal", "x": 55, "mean": 50, "sd": 8},
     {"n": 1.295360103, "n_bar": 6.295360103}),
    ("loss_function", {"distribution": "poisson", "x": 18, "mean": 15}, {"n": 0.5176095283, "n_bar": 3.517609528}),
    ("loss_function", {"distribution": "negative_binomial", "x": 14, "r": 6, "p": 0.4},
     {"n": 0.4917104293, "n_bar": 5.491710429}),
    ("loss_function", {"distribution": "gamma", "x": 10, "shape": 4, "scale": 2},
     {"n": 0.8736871275, "n_bar": 2.873687128}),
    ("loss_function", {"distribution": "lognormal", "x": 10, "mu": 2, "sigma": 0.3},
     {"n": 0.2836497389, "n_bar": 2.554491201}),
    # Snyder & Shen, examples 5.1, 5.2, 5.5, 5.6 and 5.8
    ("rq_normal", {**RQ_EXAMPLE, "reorder_point": 126.8, "order_quantity": 328.5},
     {"reorder_point": 126.8, "order_quantity": 328.5, "cost": 78.07116251}),
    ("rq_normal", {**RQ_EXAMPLE, "order_quantity": 300},
     {"reorder_point": 129.4272797, "order_quantity": 300, "cost": 78.34763919}),
    ("rq_normal", {**RQ_EXAMPLE, "method": "eil"},
     {"reorder_point": 213.9704421, "order_quantity": 318.5901811, "cost": 92.28687665}),
    ("rq_normal", {**RQ_EXAMPLE, "method": "eoqb"},
     {"reorder_point": 128.6378143, "order_quantity": 308.5737801, "cost": 78.20243188}),
    ("rq_normal", {**RQ_EXAMPLE, "method": "eoqss"},
     {"reorder_point": 190.3369966, "order_quantity": 304.0467800, "cost": 87.04837003}),
    ("rq_normal", {**RQ_EXAMPLE, "method": "loss"},
     {"reorder_point": 126.8670634, "order_quantity": 328.4491421, "cost": 78.07114627}),
    ("rq_poisson", {"holding_cost": 20, "stockout_cost": 150, "fixed_cost": 100, "demand_mean": 1.5, "lead_time": 2},
     {"reorder_point": 3, "order_quantity": 5, "cost": 107.9235806}),
    # Snyder & Shen, examples 9.1 and 9.3 to 9.5
    ("eoq_disruptions", {"fixed_cost": 8, "holding_cost": 0.225, "stockout_cost": 5, "demand_rate": 1300,
                         "disruption_rate": 1.5, "recovery_rate": 14},
     {"order_quantity": 772.8110683, "cost": 173.9500026}),
    ("newsvendor_disruptions", {"holding_cost": 0.25, "stockout_cost": 3, "demand": 2000, "disruption_prob": 0.04,
                                "recovery_prob": 0.25}, {"base_stock_level": 8000, "cost": 2737.068966}),
    ("eoq_with_additive_yield_uncertainty", {**YIELD, "yield_mean": -15000, "yield_sd": 9000},
     {"order_quantity": 230246.3705, "cost": 12914.78223}),
    ("eoq_with_multiplicative_yield_uncertainty", {**YIELD, "yield_mean": 0.8333, "yield_sd": 0.0198**0.5},
     {"order_quantity": 254477.4613, "cost": 13086.16169}),
    # Snyder & Shen, example 4.7 and (4.77)-(4.80)
    ("ss", {"holding_cost": 1, "stockout_cost": 4, "fixed_cost": 5, "demand": "poisson", "demand_mean": 6},
     {"reorder_point": 4, "order_up_to_level": 10, "cost": 8.034111561}),
    ("ss", {"holding_cost": 4, "stockout_cost": 1, "fixed_cost": 64, "demand": "poisson", "demand_mean": 20},
     {"reorder_point": -24, "order_up_to_level": 20, "cost": 43.92858956}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "inputs", "expected"), EXAMPLES)
def test_the_textbook_example_comes_out_with_all_its_digits(model, inputs, expected):
    assert outputs(model, **inputs) == pytest.approx(expected, rel=1e-8)


def test_the_eoq_orders_so_often_a_year():
    found = outputs("eoq", fixed_cost=10, holding_cost=730, demand_rate=3600)

    assert 3600 / found["order_quantity"] == pytest.approx(362.5, abs=0.01)


def test_holding_a_day_against_demand_a_year_is_nineteen_times_too_much():
    found = outputs("eoq", fixed_cost=10, holding_cost=2, demand_rate=3600)

    assert found["order_quantity"] == pytest.approx(189.7, abs=0.1)


def test_the_power_approximation_gives_the_textbook_policy():
    found = outputs("ss", holding_cost=0.18, stockout_cost=0.7, fixed_cost=2.5, demand_mean=50, demand_sd=8,
                    method="power_approximation")  # fmt: skip

    assert found["reorder_point"] == pytest.approx(40.19461696)
    assert found["order_up_to_level"] == pytest.approx(74.29017011)


def test_wagner_whitin_gives_the_textbook_plan():
    found = outputs("wagner_whitin", num_periods=4, holding_cost=2, fixed_cost=500, demand=[90, 120, 80, 70],
                    purchase_cost=0)  # fmt: skip

    assert found == {"order_quantities": [210, 0, 150, 0], "cost": 1380}  # Snyder & Shen, example 3.9
