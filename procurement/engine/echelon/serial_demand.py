"""The demand of a serial system by its name: which sums over lead times it has and which solver is exact for it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from procurement.engine.distributions import critical_score
from procurement.engine.echelon.graphs import parameter_of
from procurement.engine.echelon.serial import SerialSystem, solve_serial_normal
from procurement.engine.errors import ParameterError
from procurement.engine.parameters import integer, number, table

Nodes = Sequence[Mapping[str, Any]]

_NAMES = {
    "n": "normal", "normal": "normal", "p": "poisson", "poisson": "poisson", "nb": "negative_binomial",
    "negative_binomial": "negative_binomial", "ud": "uniform_discrete", "uniform_discrete": "uniform_discrete",
    "cd": "pmf", "pmf": "pmf", "custom_discrete": "pmf",
}  # fmt: skip
_MOST_UNITS = 2_000_000


@dataclass(frozen=True, slots=True)
class SerialDemand:
    """Demand a period: `kind`, mean and standard deviation, and for listed values the probabilities from `low` on."""

    kind: str
    mean: float
    sd: float
    low: int = 0
    probabilities: tuple[float, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.kind != "normal"

    def over(self, lead: float) -> Any:
        """The law of the demand over `lead` periods, in whole units."""
        from procurement.engine.echelon import lead_time_demand as laws

        if self.kind == "poisson":
            return laws.poisson_over(self.mean * lead)
        if self.kind == "negative_binomial":
            return laws.negative_binomial_over(self.mean * lead, self.sd * math.sqrt(lead))
        return laws.pmf_over(self.low, self.probabilities, round(lead))

    def solve(
        self,
        holding: tuple[float, ...],
        leads: tuple[float, ...],
        stockout_cost: float,
        levels: tuple[float, ...] | None = None,
    ) -> tuple[tuple[float, ...], float]:
        """(echelon levels downstream first, cost a period); of the given levels where there are any."""
        system = SerialSystem(holding, leads, stockout_cost, self.mean, self.sd)
        if not self.is_whole:
            return solve_serial_normal(system, levels)
        from procurement.engine.echelon.serial_lattice import solve_serial_lattice

        return solve_serial_lattice(system, self.over, tuple(round(level) for level in levels) if levels else None)

    def newsvendor(self, shortage: float, excess: float, lead: float) -> float:
        """The smallest level with P(demand over `lead` > level) ≤ excess/(shortage + excess)."""
        if not self.is_whole:
            return self.mean * lead + critical_score(shortage, excess) * self.sd * math.sqrt(lead)
        import numpy as np

        law = self.over(lead)
        over = np.concatenate([np.cumsum(law.probabilities[::-1])[::-1][1:], np.zeros(1)])
        return law.low + int(np.argmax(over <= excess / (shortage + excess) * (1.0 + 1e-12)))

    def check_lead_times(self, nodes: Nodes, chain: Sequence[int], leads: Sequence[float]) -> None:
        """Listed values add up over whole periods only; and the sums must stay of a size that can be worked with."""
        for node, lead in zip(chain, leads, strict=True):
            if self.probabilities and lead != math.floor(lead):
                name = parameter_of(nodes, node, "shipment_lead_time")
                raise ParameterError(name, f"must be a whole number of periods for demand of this type, not {lead:g}")
        total = math.fsum(leads)
        reach = len(self.probabilities) * total if self.probabilities else 25.0 * self.sd * math.sqrt(total)
        if self.is_whole and reach > _MOST_UNITS:
            name = parameter_of(nodes, chain[0], "demand_mean")
            raise ParameterError(name, "is too large to be counted in whole units; take demand_type normal")


def read_demand(nodes: Nodes, node: int) -> SerialDemand:
    """The demand at the node that faces the customers; `demand_type` normal where none is given."""
    given = nodes[node].get("demand_type") or "normal"
    kind = _NAMES.get(given.lower()) if isinstance(given, str) else None
    if kind is None:
        options = "normal (N), poisson (P), negative_binomial (NB), uniform_discrete (UD), pmf (CD)"
        raise ParameterError(parameter_of(nodes, node, "demand_type"), f"must be one of {options}, not '{given}'")
    if kind == "uniform_discrete":
        return _uniform(nodes, node)
    if kind == "pmf":
        return _listed(nodes, node)
    mean = _number(nodes, node, "demand_mean", number(at_least=0))
    if kind == "poisson":
        return SerialDemand(kind, mean, math.sqrt(mean))
    sd = _number(nodes, node, "demand_sd", number(at_least=0))
    if kind == "negative_binomial" and mean > 0.0 and sd * sd <= mean * (1.0 + 1e-9):
        name = parameter_of(nodes, node, "demand_sd")
        raise ParameterError(name, "must have a square above demand_mean; else take demand_type poisson")
    return SerialDemand(kind, mean, sd)


def _number(nodes: Nodes, node: int, field: str, parser: Any) -> Any:
    name = parameter_of(nodes, node, field)
    if nodes[node].get(field) is None:
        raise ParameterError(name, "is missing")
    return parser(name, nodes[node][field])


def _uniform(nodes: Nodes, node: int) -> SerialDemand:
    low = _number(nodes, node, "demand_lo", integer(at_least=0))
    high = _number(nodes, node, "demand_hi", integer(at_least=low, at_most=low + _MOST_UNITS))
    count = high - low + 1
    sd = math.sqrt((count * count - 1) / 12.0)
    return SerialDemand("uniform_discrete", (low + high) / 2.0, sd, low, (1.0 / count,) * count)


def _listed(nodes: Nodes, node: int) -> SerialDemand:
    name = parameter_of(nodes, node, "demand_pmf")
    pairs = _number(nodes, node, "demand_pmf", table(integer(at_least=0), number(at_least=0, at_most=1)))
    total = math.fsum(probability for _, probability in pairs)
    if abs(total - 1.0) > 1e-6:
        raise ParameterError(name, f"probabilities must add up to 1, not {total:g}")
    known = {int(value): probability / total for value, probability in pairs}
    low, high = min(known), max(known)
    if high - low > _MOST_UNITS:
        raise ParameterError(name, "spans too many units")
    mean = math.fsum(value * probability for value, probability in known.items())
    square = math.fsum((value - mean) ** 2 * probability for value, probability in known.items())
    return SerialDemand(
        "pmf", mean, math.sqrt(square), low, tuple(known.get(value, 0.0) for value in range(low, high + 1))
    )
