"""Reading the nodes and edges of a network: every fault is told by the parameter that holds it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from procurement.engine.errors import ParameterError
from procurement.engine.parameters import Parser, read_inputs


class Links(NamedTuple):
    """Places of the nodes by id, and per edge (from upstream, to downstream) as places."""

    place: dict[str, int]
    edges: tuple[tuple[int, int], ...]


def parse_nodes(name: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    """A list of objects, at least one, each with an `id` (text or whole number) that is there once."""
    if not isinstance(value, list | tuple) or not value:
        raise ParameterError(name, "must be a list with at least one node")
    seen: set[str] = set()
    for node in value:
        if not isinstance(node, Mapping):
            raise ParameterError(name, "must hold objects, one for each node")
        identity = _identity(node.get("id"), f"{name}.id")
        if identity in seen:
            raise ParameterError(f"{name}.id", f"'{identity}' is there twice")
        seen.add(identity)
    return tuple(value)


def parse_objects(shape: type[Any]) -> Parser:
    """A list of objects with an `id` each (their number where none is given), read into the dataclass `shape`."""

    def parse(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(one, Mapping) for one in value):
            raise ParameterError(name, "must be a list of objects")
        named = parse_nodes(name, [{"id": number, **one} for number, one in enumerate(value, start=1)])
        read = []
        for one in named:
            try:
                read.append(read_inputs(shape, one))
            except ParameterError as fault:
                raise ParameterError(f"{name}[{one['id']}].{fault.parameter}", fault.message) from fault
        return tuple(read)

    return parse


def parse_identity(name: str, value: Any) -> str:
    """A text, or a whole number as text."""
    return _identity(value, name)


def parse_edges(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    """A list of [upstream id, downstream id]; may be empty."""
    if not isinstance(value, list | tuple):
        raise ParameterError(name, "must be a list of [upstream id, downstream id]")
    edges = []
    for edge in value:
        if not isinstance(edge, list | tuple) or len(edge) != 2:
            raise ParameterError(name, "must be a list of [upstream id, downstream id]")
        edges.append((_identity(edge[0], name), _identity(edge[1], name)))
    return tuple(edges)


def linked(nodes: Sequence[Mapping[str, Any]], edges: Sequence[tuple[str, str]]) -> Links:
    """The tree of these nodes: every edge between two known nodes, all connected, without a cycle in any direction."""
    place = {str(node["id"]): number for number, node in enumerate(nodes)}
    group = list(range(len(nodes)))

    def root(member: int) -> int:
        while group[member] != member:
            group[member] = group[group[member]]
            member = group[member]
        return member

    for upstream, downstream in edges:
        for identity in (upstream, downstream):
            if identity not in place:
                raise ParameterError("edges", f"'{identity}' is no node")
        first, second = root(place[upstream]), root(place[downstream])
        if first == second:
            raise ParameterError("edges", f"{upstream} → {downstream} closes a cycle; the network must be a tree")
        group[first] = second
    if len(edges) != len(nodes) - 1:
        raise ParameterError("edges", "must connect all nodes to one tree; some are not connected")
    return Links(place, tuple((place[upstream], place[downstream]) for upstream, downstream in edges))


def parameter_of(nodes: Sequence[Mapping[str, Any]], node: int, field: str) -> str:
    """How an error names a node's parameter: nodes[2].processing_time."""
    return f"nodes[{nodes[node]['id']}].{field}"


def _identity(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ParameterError(name, "must be a text or a whole number")
    return str(value)
