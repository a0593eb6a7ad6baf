"""The serial system with random demand: echelon base-stock levels, exact (Clark & Scarf) or by the newsvendor bounds.

Nodes are numbered as the caller likes; the edges [upstream, downstream] say who supplies whom. The node without a
successor faces the customers and carries the stock-out cost and the demand.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from procurement.engine.echelon.graphs import linked, parameter_of, parse_edges, parse_nodes
from procurement.engine.echelon.serial_demand import SerialDemand, read_demand
from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import Parser, choice, number, optional, required

_NODE_PARAMETERS = (
    "id", "echelon_holding_cost", "shipment_lead_time", "stockout_cost", "demand_type", "demand_mean", "demand_sd",
    "demand_lo", "demand_hi", "demand_pmf",
)  # fmt: skip

_LEAD_TIME = number(at_least=0, at_most=1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialInputs:
    """`nodes`: h_j (money per unit and period, of the value added at j), L_j (periods); p and demand at the sink."""

    nodes: tuple[Mapping[str, Any], ...] = required(parse_nodes)
    edges: tuple[tuple[str, str], ...] = optional(parse_edges, ())
    method: str = optional(choice("exact", "shang_song"), "exact")


def solve_ssm_serial(inputs: SerialInputs) -> dict[str, Any]:
    """Example 6.1: h = (2, 2, 3) and L = (2, 1, 1) from upstream, p = 37.12, demand N(5, 1) → 22.71, 12.02, 6.49."""
    chain = _chain(inputs)
    demand = read_demand(inputs.nodes, chain[0])
    stockout_cost = _value(inputs.nodes, chain[0], "stockout_cost", number(above=0))
    holding = tuple(_value(inputs.nodes, node, "echelon_holding_cost", number(at_least=0)) for node in chain)
    leads = tuple(_value(inputs.nodes, node, "shipment_lead_time", _LEAD_TIME) for node in chain)
    demand.check_lead_times(inputs.nodes, chain, leads)
    if holding[0] == 0.0:
        name = parameter_of(inputs.nodes, chain[0], "echelon_holding_cost")
        raise ParameterError(name, "must be above 0 where the customers are served; more stock would cost nothing")
    if inputs.method == "exact":
        levels, cost = demand.solve(holding, leads, stockout_cost)
    else:
        levels = shang_song(holding, leads, stockout_cost, demand)
        usable = tuple(float(math.floor(level)) for level in levels) if demand.is_whole else levels
        _, cost = demand.solve(holding, leads, stockout_cost, usable)
    named = {str(inputs.nodes[node]["id"]): level for node, level in zip(chain, levels, strict=True)}
    return {"echelon_base_stock_levels": named, "cost": cost}


def shang_song(
    holding: tuple[float, ...], leads: tuple[float, ...], stockout_cost: float, demand: SerialDemand
) -> tuple[float, ...]:
    """Shang & Song (2003): the mean of two newsvendors over the lead times up to each stage.

    S_j = ½·F_j⁻¹((p + Σ_{i>j} h_i)/(p + Σ_{i≥j} h_i)) + ½·F_j⁻¹((p + Σ_{i>j} h_i)/(p + Σ h_i)). Example 6.1: 22.63,
    12.03, 6.49 from upstream.
    """
    levels = []
    for stage, own in enumerate(holding):
        lead, below = math.fsum(leads[: stage + 1]), math.fsum(holding[: stage + 1])
        shortage = stockout_cost + math.fsum(holding[stage + 1 :])
        bounds = (demand.newsvendor(shortage, excess, lead) for excess in (max(own, 1e-12 * shortage), below))
        levels.append(0.5 * math.fsum(bounds))
    return tuple(levels)


def _chain(inputs: SerialInputs) -> tuple[int, ...]:
    """The nodes as places in the list, from the customers upstream."""
    for place, node in enumerate(inputs.nodes):
        for name in node:
            if name not in _NODE_PARAMETERS:
                known = ", ".join(_NODE_PARAMETERS)
                raise ParameterError(parameter_of(inputs.nodes, place, name), f"is not known; a node has: {known}")
    links = linked(inputs.nodes, inputs.edges)
    supplier: dict[int, int] = {}
    customers = set(range(len(inputs.nodes)))
    for upstream, downstream in links.edges:
        if downstream in supplier or upstream not in customers:
            raise ParameterError("edges", "must form one line; a node has two suppliers or two successors")
        supplier[downstream] = upstream
        customers.discard(upstream)
    chain = [customers.pop()]
    while chain[-1] in supplier:
        chain.append(supplier[chain[-1]])
    return tuple(chain)


def _value(nodes: tuple[Mapping[str, Any], ...], node: int, field: str, parser: Parser) -> float:
    name = parameter_of(nodes, node, field)
    if nodes[node].get(field) is None:
        raise ParameterError(name, "is missing")
    return float(parser(name, nodes[node][field]))


MODELS = (
    Model(
        "ssm_serial",
        SerialInputs,
        solve_ssm_serial,
        "Clark & Scarf (1960); Chen & Zheng (1994); Shang & Song (2003)",
    ),
)
