"""Fair shares, rebalancing, transfer before buy and networks as instances of `optimize`."""

import pytest

from procurement.engine.optimize import solve_instance

NORMAL = {"0.5": 50.0, "0.8413447460685429": 60.0}


def answer(model, inputs):
    return solve_instance({"id": 1, "model": model, "inputs": inputs})


def test_scarce_stock_is_shared_so_that_like_places_end_alike():
    claims = [{"id": "a", "forecast_quantiles": NORMAL, "held": 4}, {"id": "b", "forecast_quantiles": NORMAL}]

    found = answer("fair_share", {"available": 10, "claims": claims})["outputs"]

    assert found["quantities"] == {"a": 3, "b": 7}
    assert found["left_over"] == 0


def test_a_surplus_goes_where_it_is_short():
    places = [
        {"id": name, "forecast_quantiles": NORMAL, "stock": stock, "stockout_cost": 10}
        for name, stock in (("a", 20), ("b", 100))
    ]
    lanes = [{"source": "a", "target": "b", "unit_cost": 1}, {"source": "b", "target": "a", "unit_cost": 1}]

    found = answer("rebalance", {"places": places, "lanes": lanes})["outputs"]

    assert found["moves"] == [{"source": "b", "target": "a", "quantity": 38.0}]
    assert found["saving"] == pytest.approx(found["cost_before"] - found["cost"])


def test_a_surplus_is_moved_before_it_is_bought():
    sources = [{"id": "hub", "surplus": 60, "unit_cost": 1, "fixed_cost": 20}]

    found = answer("transfer_or_buy", {"quantity": 100, "buy_unit_cost": 5, "sources": sources})["outputs"]

    assert (found["transfers"], found["buy"], found["cost"]) == ({"hub": 60}, 40, 280)


def test_a_network_keeps_its_fill_rate_and_costs_no_more_than_planning_each_node_alone():
    nodes = [
        {"id": "shop", "lead_time": 2, "holding_cost": 1, "demand_mean": 4, "demand_sd": 4},
        {"id": "hub", "lead_time": 5, "review_period": 7, "holding_cost": 1},
        {"id": "stall", "lead_time": 2, "holding_cost": 1, "demand_mean": 2},
    ]
    edges = [["hub", "shop"], ["hub", "stall"]]

    found = answer("network_base_stock", {"nodes": nodes, "edges": edges, "fill_rate": 0.95, "futures": 2})["outputs"]

    assert set(found["base_stock_levels"]) == {"shop", "hub", "stall"}
    assert min(found["fill_rates"].values()) >= 0.95
    assert found["cost"] <= found["single_echelon_cost"]


@pytest.mark.parametrize(
    ("model", "inputs", "parameter"),
    [
        ("fair_share", {"available": -1, "claims": []}, "available"),
        ("fair_share", {"available": 1, "claims": [{"id": "a"}]}, "claims[a].forecast_quantiles"),
        ("rebalance", {"places": [], "lanes": []}, "places"),
        ("rebalance", {"places": [{"id": "a", "forecast_quantiles": NORMAL, "stock": 1, "stockout_cost": 1}],
                       "lanes": [{"source": "a", "target": "z"}]}, "lanes[1].target"),
        ("transfer_or_buy", {"quantity": 1, "buy_unit_cost": -5}, "buy_unit_cost"),
        ("network_base_stock", {"nodes": [{"id": "a", "lead_time": 0, "holding_cost": 1}], "fill_rate": 0.9},
         "nodes[a].lead_time"),
        ("network_base_stock", {"nodes": [{"id": "a", "lead_time": 1, "holding_cost": 1}], "fill_rate": 0.9},
         "nodes.demand_mean"),
        ("network_base_stock", {"nodes": [{"id": "a", "lead_time": 1, "holding_cost": 1, "demand_mean": 1}],
                                "fill_rate": 1}, "fill_rate"),
    ],
)  # fmt: skip
def test_a_fault_is_told_by_the_parameter_that_has_it(model, inputs, parameter):
    assert answer(model, inputs)["error"]["parameter"] == parameter
