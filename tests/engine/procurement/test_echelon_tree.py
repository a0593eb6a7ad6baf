"""Guaranteed service on trees: worked networks of the book, brute force on small trees, every fault by its name."""

import itertools
import random

import pytest

from procurement.engine.echelon.guaranteed import NO_LIMIT, StockPoint, net_demand, net_lead_times, solve_guaranteed
from procurement.engine.optimize import solve_instances

# The library stockpyl's instance example_6_5
NODES = [
    {"id": 1, "processing_time": 2, "local_holding_cost": 1, "demand_bound_constant": 1, "external_inbound_cst": 1},
    {"id": 3, "processing_time": 1, "local_holding_cost": 2, "demand_bound_constant": 1},
    {"id": 2, "processing_time": 1, "local_holding_cost": 3, "demand_bound_constant": 1, "external_outbound_cst": 0,
     "demand_mean": 0, "demand_sd": 1},
    {"id": 4, "processing_time": 1, "local_holding_cost": 3, "demand_bound_constant": 1, "external_outbound_cst": 1,
     "demand_mean": 0, "demand_sd": 1},
]  # fmt: skip
EDGES = [[1, 3], [3, 2], [3, 4]]


def answer(nodes, edges):
    (given,) = solve_instances([{"id": 1, "model": "gsm_tree", "inputs": {"nodes": nodes, "edges": edges}}])
    return given


def changed(place, **fields):
    return [{**node, **fields} if number == place else node for number, node in enumerate(NODES)]


def test_the_books_tree_has_its_service_times_stock_and_cost():
    found = answer(NODES, EDGES)["outputs"]

    assert found["committed_service_times"] == {"1": 0, "3": 0, "2": 0, "4": 1}
    assert found["base_stock_levels"] == pytest.approx({"1": 6**0.5, "3": 2**0.5, "2": 1, "4": 0})
    assert found["cost"] == pytest.approx(8.277916867529369, rel=1e-12)


def test_a_line_of_three_stages_agrees_with_brute_force():
    nodes = [
        {"id": 3, "processing_time": 2, "local_holding_cost": 2, "demand_bound_constant": 4},
        {"id": 2, "processing_time": 1, "local_holding_cost": 3, "demand_bound_constant": 4},
        {"id": 1, "processing_time": 1, "local_holding_cost": 4, "demand_bound_constant": 4,
         "external_outbound_cst": 0, "demand_mean": 45, "demand_sd": 10},
    ]  # fmt: skip

    found = answer(nodes, [[3, 2], [2, 1]])["outputs"]

    points = [StockPoint(2, 2, 4), StockPoint(1, 3, 4), StockPoint(1, 4, 4, 0, 0, 45, 10)]
    assert found["cost"] == pytest.approx(_brute_force(points, ((0, 1), (1, 2))), rel=1e-12)


def test_small_random_trees_agree_with_brute_force():
    draw = random.Random(7)
    for _ in range(25):
        count = draw.randint(1, 5)
        edges = tuple(
            (other, node) if draw.random() < 0.5 else (node, other)
            for node in range(1, count)
            for other in (draw.randrange(node),)
        )
        suppliers = {upstream for upstream, _ in edges}
        points = [
            StockPoint(
                draw.randint(0, 3),
                draw.choice((0.5, 1.0, 2.0, 3.5)),
                draw.choice((1.0, 1.6)),
                draw.choice((0, 0, 1)),
                NO_LIMIT if node in suppliers and draw.random() < 0.7 else draw.randint(0, 2),
                5.0,
                0.0 if node in suppliers else draw.choice((1.0, 3.0)),
            )
            for node in range(count)
        ]

        found = solve_guaranteed(points, edges)

        assert found.cost == pytest.approx(_brute_force(points, edges), rel=1e-9, abs=1e-9)
        assert min(found.net_lead_times) >= 0


def _brute_force(points, edges):
    _, variances = net_demand(points, edges)
    top = sum(point.processing_time + point.external_inbound_cst for point in points)
    best = float("inf")
    for promised in itertools.product(*(range(min(top, point.external_outbound_cst) + 1) for point in points)):
        net = net_lead_times(points, edges, promised)
        if min(net) >= 0:
            cost = sum(
                p.local_holding_cost * p.demand_bound_constant * (v * t) ** 0.5
                for p, v, t in zip(points, variances, net, strict=True)
            )
            best = min(best, cost)
    return best


def test_a_node_without_a_bound_takes_that_of_a_node_that_sells():
    bare = [{k: v for k, v in node.items() if k != "demand_bound_constant"} for node in NODES]
    bare[2]["demand_bound_constant"] = 2

    assert answer(bare, EDGES)["outputs"]["cost"] == pytest.approx(2 * 8.277916867529369)


def test_demand_without_spread_costs_nothing():
    certain = [{**node, **({"demand_sd": 0} if "demand_sd" in node else {})} for node in NODES]

    assert answer(certain, EDGES)["outputs"]["cost"] == 0.0


def test_one_node_holds_all_of_its_lead_time():
    node = {"id": "a", "processing_time": 4, "local_holding_cost": 2, "demand_bound_constant": 1.5,
            "external_outbound_cst": 0, "demand_mean": 10, "demand_sd": 3}  # fmt: skip

    found = answer([node], [])["outputs"]

    assert found["base_stock_levels"]["a"] == pytest.approx(10 * 4 + 1.5 * 3 * 2)
    assert found["cost"] == pytest.approx(18.0)


def test_a_tree_of_a_hundred_nodes_is_solved():
    draw = random.Random(3)
    nodes = [
        {"id": n, "processing_time": draw.randint(1, 5), "local_holding_cost": draw.random() + 0.1,
         "demand_bound_constant": 1.645, "external_outbound_cst": 0, "demand_mean": 10, "demand_sd": 3}
        for n in range(100)
    ]  # fmt: skip
    edges = [[(n - 1) // 2, n] for n in range(1, 100)]

    assert answer(nodes, edges)["outputs"]["cost"] > 0.0


@pytest.mark.parametrize(
    ("nodes", "edges", "parameter"),
    [
        (NODES, [[1, 3], [3, 2]], "edges"),
        (NODES, [*EDGES, [1, 2]], "edges"),
        (NODES, [[1, 3], [3, 1], [3, 4]], "edges"),
        (changed(2, demand_sd=None), EDGES, "nodes[2].demand_sd"),
        (changed(2, demand_mean=None), EDGES, "nodes[2].demand_mean"),
        (changed(0, processing_time=1.5), EDGES, "nodes[1].processing_time"),
        (changed(0, processing_time=None), EDGES, "nodes[1].processing_time"),
        (changed(0, local_holding_cost=-1), EDGES, "nodes[1].local_holding_cost"),
        (changed(0, processing_time=900_000), EDGES, "nodes.processing_time"),
        (changed(0, size=3), EDGES, "nodes[1].size"),
        ("none", EDGES, "nodes"),
    ],
)
def test_a_fault_is_told_by_the_parameter_that_has_it(nodes, edges, parameter):
    assert answer(nodes, edges)["error"]["parameter"] == parameter
