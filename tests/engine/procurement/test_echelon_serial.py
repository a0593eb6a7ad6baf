"""Serial systems: the book's example, an independent brute force, and every fault by its name."""

import itertools

import numpy as np
import pytest
from scipy.stats import norm, poisson

from procurement.engine.echelon.lead_time_demand import trimmed
from procurement.engine.echelon.serial import SerialSystem, solve_serial_normal
from procurement.engine.echelon.serial_lattice import solve_serial_lattice
from procurement.engine.errors import ParameterError
from procurement.engine.optimize import solve_instances

EDGES = [[3, 2], [2, 1]]


def nodes(**sink):
    """Snyder & Shen, example 6.1: node 1 faces the customers."""
    first = {"id": 1, "echelon_holding_cost": 3, "shipment_lead_time": 1, "stockout_cost": 37.12,
             "demand_type": "normal", "demand_mean": 5, "demand_sd": 1}  # fmt: skip
    return [
        first | sink,
        {"id": 2, "echelon_holding_cost": 2, "shipment_lead_time": 1},
        {"id": 3, "echelon_holding_cost": 2, "shipment_lead_time": 2},
    ]


def answer(**inputs):
    (given,) = solve_instances([{"id": 1, "model": "ssm_serial", "inputs": inputs}])
    return given


def outputs(**inputs):
    given = answer(**inputs)
    assert "error" not in given, given
    return given["outputs"]


def test_the_books_example_has_its_levels_and_cost():
    found = outputs(nodes=nodes(), edges=EDGES)

    assert found["echelon_base_stock_levels"] == pytest.approx({"1": 6.49088, "2": 12.01761, "3": 22.70550}, abs=1e-5)
    assert found["cost"] == pytest.approx(47.660149584, rel=1e-9)


def test_the_newsvendor_bounds_give_the_books_heuristic_levels():
    found = outputs(nodes=nodes(), edges=EDGES, method="shang_song")

    assert found["echelon_base_stock_levels"] == pytest.approx(
        {"1": 6.490880975, "2": 12.027434724, "3": 22.634032392}, rel=1e-9
    )
    assert found["cost"] == pytest.approx(47.666466997, rel=1e-9)


def test_the_heuristic_is_never_cheaper_than_the_exact_answer():
    for kind in ("normal", "poisson"):
        exact, heuristic = (
            outputs(nodes=nodes(demand_type=kind), edges=EDGES, method=m) for m in ("exact", "shang_song")
        )

        assert heuristic["cost"] >= exact["cost"] - 1e-9


def test_normal_demand_is_the_limit_of_demand_counted_in_ever_smaller_units():
    parts = 400  # a unit is counted in so many parts

    def law(lead):
        mean, sd = 20.0 * lead * parts, lead**0.5 * parts
        units = np.arange(max(0, int(mean - 9 * sd)), int(mean + 9 * sd))
        return trimmed(int(units[0]), np.diff(norm.cdf(np.append(units, units[-1] + 1) - 0.5, mean, sd)), mean)

    _, fine = solve_serial_lattice(SerialSystem((3, 2, 2), (1, 1, 2), 37.12, 20, 1), law)
    _, exact = solve_serial_normal(SerialSystem((3, 2, 2), (1, 1, 2), 37.12, 20, 1))

    assert fine / parts == pytest.approx(exact, rel=2e-8)


def test_whole_units_agree_with_brute_force_over_all_levels():
    found = outputs(nodes=nodes(demand_type="P", demand_mean=1.5)[:2], edges=[[2, 1]])

    best = min(
        (_cost_by_definition((3.0, 2.0), (1, 1), 37.12, 1.5, levels), levels)
        for levels in itertools.product(range(9), range(14))
    )
    assert found["cost"] == pytest.approx(best[0], rel=1e-9)
    assert tuple(found["echelon_base_stock_levels"].values()) == best[1]


def _cost_by_definition(holding, leads, stockout, mean, levels):
    """E over both lead-time demands of h₂·IL₂ + h₁·IL₁ + (p + h₁ + h₂)·IL₁⁻, the inner position min(S₁, S₂ − D₂)."""
    units = np.arange(60)
    first, second = (poisson.pmf(units, mean * lead) for lead in leads)
    upper = levels[1] - units[:, None]
    lower = np.minimum(levels[0], upper) - units[None, :]
    cost = holding[1] * upper + holding[0] * lower + (stockout + sum(holding)) * np.maximum(-lower, 0)
    return float(second @ cost @ first)


def test_one_stage_is_the_newsvendor():
    (newsvendor,) = solve_instances(
        [{"id": 1, "model": "newsvendor_normal",
          "inputs": {"holding_cost": 0.18, "stockout_cost": 0.7, "demand_mean": 50, "demand_sd": 8}}]
    )  # fmt: skip

    found = outputs(nodes=[{"id": "shop", "echelon_holding_cost": 0.18, "shipment_lead_time": 1, "stockout_cost": 0.7,
                            "demand_mean": 50, "demand_sd": 8}])  # fmt: skip

    assert found["echelon_base_stock_levels"]["shop"] == pytest.approx(newsvendor["outputs"]["base_stock_level"])
    assert found["cost"] == pytest.approx(newsvendor["outputs"]["cost"], rel=1e-9)


def test_without_spread_the_levels_are_the_demand_of_the_way_that_is_left():
    found = outputs(nodes=nodes(demand_sd=0), edges=EDGES)

    assert found["echelon_base_stock_levels"] == pytest.approx({"1": 5, "2": 10, "3": 20})
    assert found["cost"] == pytest.approx(30.0)  # 2·10 + 2·5: what is under way


def test_a_lead_time_of_nothing_is_the_limit_of_ever_shorter_ones():
    costs = []
    for lead in (1e-6, 0):
        chain = nodes()
        chain[1]["shipment_lead_time"] = lead
        costs.append(outputs(nodes=chain, edges=EDGES)["cost"])

    assert costs[0] == pytest.approx(costs[1], rel=1e-5)


@pytest.mark.parametrize(
    "demand",
    [
        {"demand_type": "P", "demand_mean": 0.002},
        {"demand_type": "P", "demand_mean": 1e7},
        {"demand_mean": 10, "demand_sd": 20},
        {"stockout_cost": 0.01},
        {"demand_type": "NB", "demand_mean": 3, "demand_sd": 6},
        {"demand_type": "UD", "demand_lo": 2, "demand_hi": 8},
        {"demand_type": "CD", "demand_pmf": {"0": 0.5, "4": 0.25, "8": 0.25}},
    ],
)
def test_extreme_but_legal_demand_is_answered(demand):
    found = outputs(nodes=nodes(**demand), edges=EDGES)

    assert found["cost"] >= 0.0


def test_nodes_may_have_any_names_and_stand_in_any_order():
    renamed = [{**node, "id": name} for node, name in zip(nodes(), ["shop", "hub", "plant"], strict=True)]

    found = outputs(nodes=renamed[::-1], edges=[["plant", "hub"], ["hub", "shop"]])

    assert found["cost"] == pytest.approx(outputs(nodes=nodes(), edges=EDGES)["cost"], rel=1e-12)
    assert set(found["echelon_base_stock_levels"]) == {"shop", "hub", "plant"}


@pytest.mark.parametrize(
    ("inputs", "parameter"),
    [
        ({"nodes": nodes(), "edges": [[3, 2]]}, "edges"),
        ({"nodes": nodes(), "edges": [[3, 1], [2, 1]]}, "edges"),
        ({"nodes": nodes(), "edges": [[3, 2], [2, 1], [1, 3]]}, "edges"),
        ({"nodes": nodes(), "edges": [[3, 2], [2, 9]]}, "edges"),
        ({"nodes": nodes(), "edges": "3-2"}, "edges"),
        ({"nodes": [], "edges": []}, "nodes"),
        ({"nodes": [*nodes()[:1], *nodes()[:1]], "edges": []}, "nodes.id"),
        ({"nodes": nodes(stockout_cost=None), "edges": EDGES}, "nodes[1].stockout_cost"),
        ({"nodes": nodes(stockout_cost=0), "edges": EDGES}, "nodes[1].stockout_cost"),
        ({"nodes": nodes(echelon_holding_cost=0), "edges": EDGES}, "nodes[1].echelon_holding_cost"),
        ({"nodes": nodes(echelon_holding_cost=-1), "edges": EDGES}, "nodes[1].echelon_holding_cost"),
        ({"nodes": nodes(shipment_lead_time=-1), "edges": EDGES}, "nodes[1].shipment_lead_time"),
        ({"nodes": nodes(demand_mean=None), "edges": EDGES}, "nodes[1].demand_mean"),
        ({"nodes": nodes(demand_type="Z"), "edges": EDGES}, "nodes[1].demand_type"),
        ({"nodes": nodes(demand_type="NB"), "edges": EDGES}, "nodes[1].demand_sd"),
        ({"nodes": nodes(colour="red"), "edges": EDGES}, "nodes[1].colour"),
        ({"nodes": nodes(demand_type="UD", demand_lo=1, demand_hi=3, shipment_lead_time=1.5), "edges": EDGES},
         "nodes[1].shipment_lead_time"),
        ({"nodes": nodes(), "edges": EDGES, "method": "guess"}, "method"),
    ],
)  # fmt: skip
def test_a_fault_is_told_by_the_parameter_that_has_it(inputs, parameter):
    assert answer(**inputs)["error"]["parameter"] == parameter


def test_a_holding_cost_beyond_the_digits_of_a_float_is_refused_by_name() -> None:
    system = SerialSystem((1e300, 2.0), (1.0, 1.0), 37.0, 5.0, 1.0)

    with pytest.raises(ParameterError) as error:
        solve_serial_normal(system)

    assert error.value.parameter == "echelon_holding_cost"
