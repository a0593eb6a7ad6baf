"""Many-echelon models beside stockpyl, and network planning against single-echelon planning on common demand.

    python benchmarks/optimisation/echelon.py [PYTHON with stockpyl]

Prints a table in Markdown. stockpyl runs in its own interpreter; its serial solver needs `find_nearest` mended for
NumPy 2, and answers on a grid cut at four standard deviations, so its normal cost is its own, not the exact one.
"""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from procurement.engine.echelon.network import Network, measure, optimise_network, single_echelon
from procurement.engine.optimize import solve_instance

SERIAL = [
    {"id": 1, "echelon_holding_cost": 3, "shipment_lead_time": 1, "stockout_cost": 37.12, "demand_mean": 5,
     "demand_sd": 1},
    {"id": 2, "echelon_holding_cost": 2, "shipment_lead_time": 1},
    {"id": 3, "echelon_holding_cost": 2, "shipment_lead_time": 2},
]  # fmt: skip
THEIRS = """
import json, sys, time
import numpy as np
import stockpyl.helpers as helpers, stockpyl.ssm_serial as serial
from stockpyl.demand_source import DemandSource
from stockpyl.gsm_tree import optimize_committed_service_times
from stockpyl.supply_chain_network import SupplyChainNetwork
from stockpyl.supply_chain_node import SupplyChainNode

def find_nearest(array, values, sorted=False, index=None):
    array = np.asarray(array)
    places = np.rint((np.atleast_1d(values) - array[0]) / (array[1] - array[0])).astype(int)
    places = np.clip(places, 0, len(array) - 1)
    return int(places[0]) if np.ndim(values) == 0 else places

helpers.find_nearest = serial.find_nearest = find_nearest
rows = {}
def timed(name, call):
    begin = time.perf_counter()
    cost = call()
    rows[name] = (float(cost), (time.perf_counter() - begin) * 1e3)
common = dict(num_nodes=3, echelon_holding_cost=[2, 2, 3], lead_time=[2, 1, 1], stockout_cost=37.12)
timed("serial normal", lambda: serial.optimize_base_stock_levels(
    **common, demand_mean=5, demand_standard_deviation=1)[1])
tail = dict.fromkeys(("ltd_lower_tail_prob", "ltd_upper_tail_prob", "sum_ltd_lower_tail_prob",
                      "sum_ltd_upper_tail_prob"), 1e-13)
timed("serial Poisson", lambda: serial.optimize_base_stock_levels(
    **common, demand_source=DemandSource(type="P", mean=5), **tail)[1])
for name, tree in json.load(sys.stdin).items():
    network = SupplyChainNetwork()
    for node in tree["nodes"]:
        demand = DemandSource(type="N", mean=node.get("demand_mean", 0), standard_deviation=node.get("demand_sd", 0))
        network.add_node(SupplyChainNode(node["id"], network=network, processing_time=node["processing_time"],
            local_holding_cost=node["local_holding_cost"], demand_bound_constant=node["demand_bound_constant"],
            external_outbound_cst=node.get("external_outbound_cst"), demand_source=demand))
    network.add_edges_from_list([tuple(edge) for edge in tree["edges"]])
    timed(name, lambda: optimize_committed_service_times(network)[1])
print(json.dumps(rows))
"""


def tree(count: int, seed: int) -> dict[str, list]:
    draw = np.random.default_rng(seed)
    edges = [[(node - 1) // 2, node] for node in range(1, count)]
    inner = {upstream for upstream, _ in edges}
    nodes = []
    for node in range(count):
        one = {"id": node, "processing_time": int(draw.integers(1, 5)), "local_holding_cost": float(1 + node * 0.1),
               "demand_bound_constant": 1.645}  # fmt: skip
        if node not in inner:
            one |= {"external_outbound_cst": 0, "demand_mean": 10.0, "demand_sd": float(draw.integers(1, 6))}
        nodes.append(one)
    return {"nodes": nodes, "edges": edges}


def ours(model: str, inputs: dict, repeats: int = 20) -> tuple[float, float]:
    answer = solve_instance({"id": 1, "model": model, "inputs": inputs})
    begin = time.perf_counter()
    for _ in range(repeats):
        answer = solve_instance({"id": 1, "model": model, "inputs": inputs})
    return answer["outputs"]["cost"], (time.perf_counter() - begin) / repeats * 1e3


def beside_stockpyl(python: str) -> None:
    trees = {f"tree of {count}": tree(count, count) for count in (7, 15, 100)}
    found = {
        "serial normal": ours("ssm_serial", {"nodes": SERIAL, "edges": [[3, 2], [2, 1]]}),
        "serial Poisson": ours(
            "ssm_serial", {"nodes": [SERIAL[0] | {"demand_type": "P"}, *SERIAL[1:]], "edges": [[3, 2], [2, 1]]}
        ),
    } | {name: ours("gsm_tree", one) for name, one in trees.items()}
    done = subprocess.run([python, "-c", THEIRS], input=json.dumps(trees), capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout.splitlines()[-1])
    print("| instance | ours | stockpyl | relative gap | ours, ms | stockpyl, ms | times faster |")
    print("|---|---|---|---|---|---|---|")
    for name, (cost, took) in found.items():
        other, other_took = theirs[name]
        print(
            f"| {name} | {cost:.6f} | {other:.6f} | {cost / other - 1:.1e} | {took:.3f} | {other_took:.1f} "
            f"| {other_took / took:.0f} |"
        )


def against_single_echelon() -> None:
    """Levels are found on twelve futures and measured on twelve others; planning alone at the same realised fill rate,
    read off its curve of cost over fill."""
    print("\n| branches | target | cost alone, same fill | cost together | saved | fill of both (unseen demand) |")
    print("|---|---|---|---|---|---|")
    for branches in (2, 4, 8):
        for target in (0.9, 0.95, 0.98):
            draw = np.random.default_rng(branches)
            demand = np.zeros((24, 400, branches + 1))
            demand[:, :, 1:] = draw.negative_binomial(1, 0.2, (24, 400, branches))
            lead, review = (14, *(3,) * branches), (7, *(1,) * branches)
            problem = Network((-1, *(0,) * branches), lead, review, (1.0, *(1.1,) * branches), demand[:12], target, 100)
            unseen = problem.with_demand(demand[12:])
            together = measure(unseen, optimise_network(problem).levels)
            wanted = float(np.nanmean(together.fill_rates))
            curve = [
                measure(unseen, single_echelon(replace(problem, target=1.0 - miss)).levels)
                for miss in np.geomspace(0.2, 0.005, 25)
            ]
            fills = [float(np.nanmean(one.fill_rates)) for one in curve]
            alone = float(np.interp(wanted, fills, [one.cost for one in curve]))
            print(f"| {branches} | {target:.0%} | {alone:.1f} | {together.cost:.1f} "
                  f"| {1 - together.cost / alone:.1%} | {wanted:.2%} |")  # fmt: skip


if __name__ == "__main__":
    beside_stockpyl(sys.argv[1] if len(sys.argv) > 1 else sys.executable)
    against_single_echelon()
