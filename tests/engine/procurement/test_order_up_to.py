"""The one-off order from forecast quantiles: three targets, the supplier's terms, and the reasons."""

from statistics import NormalDist

import pytest

from procurement.engine.explanation import from_records, replay
from procurement.engine.optimize import solve_instances
from procurement.engine.replenishment import ReplenishmentInput, plan_item

COUNTS = {"0.5": 10, "0.8": 15, "0.9": 20, "0.95": 24, "0.99": 33}
NORMAL = {"0.5": 100.0, "0.8413447460685429": 110.5}  # mean 100, sd 10.5
POSITION = {"on_hand": 5, "on_order": 10, "backordered": 0}


def order(**inputs):
    (answer,) = solve_instances([{"id": 1, "model": "order_up_to", "inputs": inputs}])
    return answer["outputs"] if "outputs" in answer else answer["error"]


def decision(**inputs):
    found = order(**inputs)
    return found["order_up_to_level"], found["order_quantity"]


def test_the_level_is_the_quantile_at_the_cycle_service_level():
    assert decision(quantiles=COUNTS, **POSITION, cycle_service_level=0.95) == (24, 9)


def test_continuous_quantiles_give_a_continuous_level():
    level, quantity = decision(quantiles=NORMAL, on_hand=0, cycle_service_level=0.975)

    assert level == quantity == pytest.approx(100 + 10.5 * NormalDist().inv_cdf(0.975), rel=1e-12)


def test_costs_ask_for_the_critical_ratio():
    assert decision(quantiles=COUNTS, **POSITION, holding_cost=1, stockout_cost=19) == (24, 9)


def test_a_fill_rate_is_not_a_cycle_service_level():
    # σ·ℒ(k) = (1 − 0.99)·50 = 0.5 with σ = 10.5: ℒ(1.2817) = 0.0476
    level, _ = decision(quantiles=NORMAL, on_hand=0, fill_rate=0.99, mean_demand_per_review=50,
                        unmet_demand="backordered")  # fmt: skip

    k = (level - 100) / 10.5
    normal = NormalDist()
    assert 10.5 * (normal.pdf(k) - k * (1 - normal.cdf(k))) == pytest.approx(0.5, rel=1e-9)
    assert normal.cdf(k) == pytest.approx(0.9, abs=0.01)


def test_packs_and_minimum_reach_the_level_at_the_least():
    service = {"quantiles": COUNTS, **POSITION, "cycle_service_level": 0.95}

    assert decision(**service, pack_size=6) == (24, 12)
    assert decision(**service, minimum_order_quantity=20) == (24, 20)
    assert decision(**service, minimum_order_quantity=20, pack_size=6) == (24, 24)


def test_nothing_is_ordered_when_the_position_is_at_the_level():
    assert decision(quantiles=COUNTS, on_hand=24, cycle_service_level=0.95, minimum_order_quantity=50) == (24, 0)


def test_the_maximum_stock_bounds_level_and_order():
    service = {"quantiles": COUNTS, **POSITION, "cycle_service_level": 0.95}

    assert decision(**service, maximum_stock=20) == (20, 5)
    assert decision(**service, maximum_stock=20, pack_size=4) == (20, 4)
    assert decision(**service, maximum_stock=20, minimum_order_quantity=6) == (20, 0)


def test_with_costs_a_small_need_does_not_become_a_large_minimum_unless_that_pays():
    costs = {"quantiles": COUNTS, **POSITION, "holding_cost": 1, "stockout_cost": 19}

    assert decision(**costs, minimum_order_quantity=12) == (24, 12)
    assert decision(**costs, minimum_order_quantity=100) == (24, 0)


def test_a_target_the_empty_shelf_meets_asks_for_no_stock():
    assert decision(quantiles=COUNTS, on_hand=0, fill_rate=0.1, mean_demand_per_review=50) == (0, 0)


def test_crossing_quantiles_are_sorted():
    crossed = {"0.5": 10, "0.8": 20, "0.9": 15, "0.95": 24, "0.99": 33}

    assert decision(quantiles=crossed, on_hand=0, cycle_service_level=0.9) == (20, 20)


def test_beyond_the_last_quantile_the_last_slope_goes_on():
    z = NormalDist().inv_cdf
    level, _ = decision(quantiles=NORMAL, on_hand=0, cycle_service_level=0.9999)

    assert level == pytest.approx(100 + 10.5 * z(0.9999), rel=1e-9)


def test_the_explanation_replays_to_the_same_bytes():
    for target in ({"cycle_service_level": 0.93}, {"fill_rate": 0.97, "mean_demand_per_review": 4},
                   {"holding_cost": 2, "stockout_cost": 31}):  # fmt: skip
        terms = from_records(order(quantiles=COUNTS, **POSITION, **target, pack_size=7)["explanation"])

        assert replay(terms) == terms
        assert terms[-1].code == "rounding"


@pytest.mark.parametrize("level", [0.55, 0.9, 0.93, 0.951, 0.999])
def test_the_planning_run_finds_the_same_level(level):
    item = ReplenishmentInput(
        sku_key="A", mean_daily_demand=1, lead_time_days=9, review_days=1, protection_mean=10, service_level=level,
        protection_quantiles={float(p): q for p, q in COUNTS.items()},
    )  # fmt: skip

    assert plan_item(item).reorder_point == decision(quantiles=COUNTS, on_hand=0, cycle_service_level=level)[0]


@pytest.mark.parametrize(
    ("change", "parameter"),
    [({}, "cycle_service_level"), ({"cycle_service_level": 1}, "cycle_service_level"),
     ({"cycle_service_level": 0.9, "fill_rate": 0.9, "mean_demand_per_review": 2}, "fill_rate"),
     ({"cycle_service_level": 0.9, "holding_cost": 1, "stockout_cost": 2}, "holding_cost"),
     ({"fill_rate": 0.9}, "mean_demand_per_review"), ({"holding_cost": 1}, "stockout_cost"),
     ({"stockout_cost": 1}, "holding_cost"), ({"cycle_service_level": 0.9, "quantiles": {"1": 4}}, "quantiles"),
     ({"cycle_service_level": 0.9, "quantiles": {}}, "quantiles"),
     ({"cycle_service_level": 0.9, "quantiles": {"half": 4}}, "quantiles"),
     ({"cycle_service_level": 0.9, "quantiles": {"0.5": 4, "0.50": 5}}, "quantiles"),
     ({"cycle_service_level": 0.9, "quantiles": [1, 2]}, "quantiles"),
     ({"cycle_service_level": 0.9, "pack_size": 0}, "pack_size"),
     ({"cycle_service_level": 0.9, "on_hand": None}, "on_hand")],
)  # fmt: skip
def test_a_wrong_parameter_is_named(change, parameter):
    assert order(**{"quantiles": COUNTS, **POSITION, **change})["parameter"] == parameter
