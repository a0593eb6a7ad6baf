"""The model `shared_fill_rate`, and the sharing out it is the file's form of."""

import numpy as np
import pytest

from procurement.engine.errors import ParameterError
from procurement.engine.optimize import solve_instances
from procurement.engine.policies.shared_target import share_fill_rate, spread_factors, spread_out
from procurement.engine.policies.solve import solve_policies
from procurement.engine.policies.types import batch_of

LEVELS = np.array([0.5, 0.8413447460685429, 0.95])
Z = np.array([0.0, 1.0, 1.6448536269514722])


def batch(mean=(100.0, 100.0, 100.0), sd=(30.0, 30.0, 30.0), **changes):
    mean, sd = np.array(mean), np.array(sd)
    columns = {"protection_mean": mean, "protection_sd": sd, "mean_daily_demand": mean / 20.0, "lead_time_days": 15.0}
    columns |= {"review_days": 5.0, "is_lost": True, "model": 1} | changes
    return batch_of(LEVELS, mean[:, None] + sd[:, None] * Z, **columns)


def line(name, **changes):
    quantiles = {"0.5": 100, "0.9": 138, "0.95": 149}
    told = {"id": name, "quantiles": quantiles, "unit_cost": 5, "unit_price": 9, "mean_demand": 5}
    return told | {"lead_time": 15, "review_period": 5} | changes


def solved(lines, **inputs):
    instance = {"id": "x", "model": "shared_fill_rate", "inputs": {"lines": lines, "fill_rate": 0.97, **inputs}}
    return solve_instances([instance])[0]


def test_twice_the_cost_at_the_same_worth_runs_short_twice_as_often():
    found = share_fill_rate(batch(), np.ones(3), np.array([1.0, 2.0, 1.0]), 0.98)

    short = 1.0 - found.service_level
    assert short[1] / short[0] == pytest.approx(2.0)
    assert short[2] == short[0]
    assert short[0] == pytest.approx(found.multiplier * 1.0 * 20.0)


def test_items_alike_get_what_each_alone_would():
    alone = solve_policies(batch(target_kind=1, target=0.98))

    together = share_fill_rate(batch(), np.ones(3), np.ones(3), 0.98)

    assert len(set(together.levels.order_up_to_level.tolist())) == 1
    assert together.levels.order_up_to_level == pytest.approx(alone.order_up_to_level, rel=0.03)
    assert together.fill_rate == pytest.approx(0.98, abs=0.001)


def test_the_target_is_met_with_less_money_than_item_by_item():
    rng = np.random.default_rng(3)
    mean = rng.uniform(50.0, 500.0, 60)
    many, cost = batch(mean, mean * rng.uniform(0.2, 0.9, 60)), rng.uniform(1.0, 30.0, 60)
    worth = cost * rng.uniform(1.2, 3.0, 60)
    alone = solve_policies(batch_of(many.levels, many.quantiles, **columns_of(many), target_kind=1, target=0.95))

    found = share_fill_rate(many, worth, cost, 0.95)

    assert found.fill_rate == pytest.approx(0.95, abs=0.002)
    assert found.weight @ alone.fill_rate == pytest.approx(0.95, abs=0.002)
    assert cost @ found.levels.order_up_to_level < cost @ alone.order_up_to_level


def columns_of(many):
    names = (
        "protection_mean",
        "protection_sd",
        "mean_daily_demand",
        "lead_time_days",
        "review_days",
        "is_lost",
        "model",
    )
    return {name: getattr(many, name) for name in names}


def test_thousands_of_rows_meet_it_as_a_few_do():
    mean = np.random.default_rng(5).uniform(50.0, 500.0, 1500)

    found = share_fill_rate(batch(mean, mean * 0.4), np.ones(1500), np.linspace(1.0, 9.0, 1500), 0.95)

    assert found.fill_rate == pytest.approx(0.95, abs=3e-4)
    assert solve_policies(batch(mean, mean * 0.4, target=found.service_level)).fill_rate.tolist() == (
        found.levels.fill_rate.tolist()
    )


def test_what_no_caution_reaches_is_answered_with_the_most():
    found = share_fill_rate(batch(), np.ones(3), np.ones(3), 1.0 - 1e-9)

    assert found.service_level.tolist() == [0.9999] * 3


def test_learned_corrections_are_left_to_the_decision():
    plain, corrected = (
        share_fill_rate(batch(service_correction=factor), np.ones(3), np.ones(3), 0.97) for factor in (1.0, 1.5)
    )

    assert corrected.service_level.tolist() == plain.service_level.tolist()


def test_the_spread_is_the_middle_of_forecast_and_year():
    factors = spread_factors(batch(lead_time_days=11.0), np.array([10.0, np.nan, 7.5]), np.ones(3))

    assert factors == pytest.approx([35.0 / 30.0, 1.0, 1.0])
    assert spread_out(batch(), factors).quantiles[0, 1] == pytest.approx(135.0)


def test_the_file_gives_levels_aims_and_what_they_reach():
    found = solved([line("fast", mean_demand=5), line("dear", unit_cost=8)])["outputs"]

    assert found["order_up_to_levels"]["dear"] < found["order_up_to_levels"]["fast"]
    assert found["fill_rate"] == pytest.approx(0.97, abs=0.005)
    assert sum(found["weights"].values()) == pytest.approx(1.0)
    assert found["weights"]["fast"] * found["fill_rates"]["fast"] + found["weights"]["dear"] * found["fill_rates"][
        "dear"
    ] == pytest.approx(found["fill_rate"])


def test_by_units_the_cheap_gain():
    cheap, dear = line("cheap", unit_cost=1, unit_price=2), line("dear", unit_cost=50, unit_price=100)

    by_value, by_units = (
        solved([cheap, dear], weights=kind)["outputs"]["order_up_to_levels"] for kind in ("value", "units")
    )

    assert by_value["cheap"] == by_value["dear"]
    assert by_units["cheap"] > by_value["cheap"]
    assert by_units["dear"] < by_value["dear"]


def test_a_wide_year_asks_for_more():
    narrow, wide = (solved([line("a", demand_sd=sd)])["outputs"]["order_up_to_levels"]["a"] for sd in (2, 20))

    assert wide > narrow


@pytest.mark.parametrize(
    ("lines", "more", "parameter"),
    [
        ([], {}, "lines"),
        ([line("a"), line("a")], {}, "id"),
        ([line("a", unit_cost=0)], {}, "unit_cost"),
        ([line("a", review_period=0)], {}, "review_period"),
        ([line("a", unit_price=None)], {}, "unit_price"),
        ([line("a", mean_demand=0)], {}, "mean_demand"),
        ([line("a"), line("b", quantiles={"0.5": 1})], {}, "quantiles"),
        ([line("a")], {"fill_rate": 1}, "fill_rate"),
        ([line("a")], {"fill_rate": 0.2}, "fill_rate"),
        ([line("a")], {"weights": "orders"}, "weights"),
        ([line("a", colour=1)], {}, "colour"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(lines, more, parameter):
    assert solved(lines, **more)["error"]["parameter"] == parameter


def test_a_share_of_one_is_refused():
    with pytest.raises(ParameterError, match="strictly between 0 and 1"):
        share_fill_rate(batch(), np.ones(3), np.ones(3), 1.0)
