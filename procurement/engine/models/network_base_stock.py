"""Base-stock levels of a distribution network by simulation, as an instance of `optimize`."""

from dataclasses import dataclass
from typing import Any

from procurement.engine.echelon.graphs import linked, parse_edges, parse_identity, parse_objects
from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import integer, number, optional, required

_MOST_STEPS = 20_000_000
_amount = number(at_least=0, at_most=1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeInputs:
    """Lead time and review in whole days, money per unit held and day, demand of its own customers a day."""

    id: str = required(parse_identity)
    lead_time: int = required(integer(at_least=1, at_most=1000))
    review_period: int = optional(integer(at_least=1, at_most=1000), 1)
    holding_cost: float = required(number(above=0, at_most=1e12))
    demand_mean: float = optional(_amount, 0.0)
    demand_sd: float | None = optional(_amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInputs:
    nodes: tuple[NodeInputs, ...] = required(parse_objects(NodeInputs))
    edges: tuple[tuple[str, str], ...] = optional(parse_edges, ())
    fill_rate: float = required(number(above=0, below=1))
    days: int = optional(integer(at_least=30, at_most=20_000), 365)
    futures: int = optional(integer(at_least=1, at_most=1000), 8)
    seed: int = optional(integer(at_least=0, at_most=2**31), 1)


def solve_network(inputs: NetworkInputs) -> dict[str, Any]:
    """Levels that hold least at the fill rate, beside those of planning every node alone; same demand for both."""
    from procurement.engine.echelon.network import Network, optimise_network, single_echelon

    if inputs.days * inputs.futures * len(inputs.nodes) > _MOST_STEPS:
        raise ParameterError("days", "times futures times nodes is too much to simulate")
    if not any(node.demand_mean > 0.0 for node in inputs.nodes):
        raise ParameterError("nodes.demand_mean", "is zero everywhere; nothing is ever sold")
    order, parent = _suppliers_first(inputs)
    nodes = [inputs.nodes[place] for place in order]
    leads, reviews = tuple(one.lead_time for one in nodes), tuple(one.review_period for one in nodes)
    warm_up = min(inputs.days // 2, 2 * (sum(leads) + max(reviews)))
    holding = tuple(one.holding_cost for one in nodes)
    network = Network(parent, leads, reviews, holding, _demand(inputs, nodes), inputs.fill_rate, warm_up)
    best, alone = optimise_network(network), single_echelon(network)
    names = [one.id for one in nodes]
    return {
        "base_stock_levels": dict(zip(names, best.levels, strict=True)),
        "fill_rates": {
            name: rate for name, rate, one in zip(names, best.fill_rates, nodes, strict=True) if one.demand_mean > 0.0
        },
        "cost": best.cost,
        "single_echelon_cost": alone.cost,
    }


def _suppliers_first(inputs: NetworkInputs) -> tuple[list[int], tuple[int, ...]]:
    """Places of the nodes, suppliers before those they supply, and each one's supplier in that order, −1 outside."""
    links = linked([{"id": one.id} for one in inputs.nodes], inputs.edges)
    supplier = {downstream: upstream for upstream, downstream in links.edges}
    if len(supplier) < len(links.edges):
        raise ParameterError("edges", "must give every node one supplier at most")
    order = [place for place in range(len(inputs.nodes)) if place not in supplier]
    for place in order:
        order.extend(below for above, below in links.edges if above == place)
    at = {place: number for number, place in enumerate(order)}
    return order, tuple(at[supplier[place]] if place in supplier else -1 for place in order)


def _demand(inputs: NetworkInputs, nodes: list[NodeInputs]) -> Any:
    """Whole units a day, (futures, days, n): Poisson, negative binomial where the variance is above the mean."""
    import numpy as np

    draw = np.random.default_rng(inputs.seed)
    demand = np.zeros((inputs.futures, inputs.days, len(nodes)))
    for place, one in enumerate(nodes):
        variance = one.demand_mean if one.demand_sd is None else one.demand_sd**2
        if variance > one.demand_mean * (1.0 + 1e-9) > 0.0:
            share = one.demand_mean / variance
            drawn = draw.negative_binomial(one.demand_mean * share / (1.0 - share), share, demand.shape[:2])
        else:
            drawn = draw.poisson(one.demand_mean, demand.shape[:2])
        demand[:, :, place] = drawn
    return demand


MODELS = (
    Model("network_base_stock", NetworkInputs, solve_network, "Pattern search on a simulator, common random demand"),
)
