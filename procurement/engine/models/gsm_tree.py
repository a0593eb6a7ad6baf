"""Guaranteed service on spanning trees, serial systems too: committed times that make safety stock cheapest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from procurement.engine.echelon.graphs import Links, linked, parameter_of, parse_edges, parse_nodes
from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import Parser, integer, number, optional, required

Node = Mapping[str, Any]

_LONGEST = 1_000_000
_MOST_STEPS = 5e9
_PARSERS: dict[str, Parser] = {
    "processing_time": integer(at_least=0, at_most=_LONGEST),
    "local_holding_cost": number(at_least=0),
    "demand_bound_constant": number(at_least=0),
    "external_inbound_cst": integer(at_least=0, at_most=_LONGEST),
    "external_outbound_cst": integer(at_least=0, at_most=_LONGEST),
    "demand_mean": number(at_least=0),
    "demand_sd": number(at_least=0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeInputs:
    """`nodes`: T_k (whole periods), h_k (money per unit and period), z_k, demand; `edges` [upstream, downstream]."""

    nodes: tuple[Node, ...] = required(parse_nodes)
    edges: tuple[tuple[str, str], ...] = optional(parse_edges, ())


def solve_gsm_tree(inputs: TreeInputs) -> dict[str, Any]:
    """Graves & Willems (2000, 2003); stockpyl's instance example_6_5: S = 0, 0, 0, 1 at nodes 1, 2, 3, 4 and 8.2779."""
    from procurement.engine.echelon.guaranteed import StockPoint, longest_ways, solve_guaranteed

    links = linked(inputs.nodes, inputs.edges)
    values = [_values(inputs.nodes, place) for place in range(len(inputs.nodes))]
    _check_demand(inputs.nodes, values, links)
    bound = _common_bound(values, links)
    points = [StockPoint(**({"demand_bound_constant": bound} | given)) for given in values]
    longest = max(longest_ways(points, links.edges))
    if len(points) * (longest + 1.0) ** 2 > _MOST_STEPS:
        raise ParameterError("nodes.processing_time", "add up to too many periods; count in longer ones")
    answer = solve_guaranteed(points, links.edges)
    names = [str(node["id"]) for node in inputs.nodes]
    return {
        "committed_service_times": dict(zip(names, answer.committed_service_times, strict=True)),
        "base_stock_levels": dict(zip(names, answer.base_stock_levels, strict=True)),
        "cost": answer.cost,
    }


def _values(nodes: tuple[Node, ...], place: int) -> dict[str, Any]:
    """What a node gives, checked; what it leaves out or null is not there."""
    node = nodes[place]
    for name in node:
        if name != "id" and name not in _PARSERS:
            known = ", ".join(("id", *_PARSERS))
            raise ParameterError(parameter_of(nodes, place, name), f"is not known; a node has: {known}")
    for name in ("processing_time", "local_holding_cost"):
        if node.get(name) is None:
            raise ParameterError(parameter_of(nodes, place, name), "is missing")
    return {
        name: parse(parameter_of(nodes, place, name), node[name])
        for name, parse in _PARSERS.items()
        if node.get(name) is not None
    }


def _check_demand(nodes: tuple[Node, ...], values: list[dict[str, Any]], links: Links) -> None:
    for place in _sinks(len(values), links):
        for name in ("demand_mean", "demand_sd"):
            if name not in values[place]:
                raise ParameterError(parameter_of(nodes, place, name), "is missing; the node has no successor")


def _common_bound(values: list[dict[str, Any]], links: Links) -> float:
    """z where a node gives none: that of the first node without successor that gives one, else 1."""
    given = (values[place].get("demand_bound_constant") for place in _sinks(len(values), links))
    return next((bound for bound in given if bound is not None), 1.0)


def _sinks(count: int, links: Links) -> list[int]:
    suppliers = {upstream for upstream, _ in links.edges}
    return [place for place in range(count) if place not in suppliers]


MODELS = (
    Model(
        "gsm_tree",
        TreeInputs,
        solve_gsm_tree,
        "Graves & Willems (2000, 2003)",
    ),
)
