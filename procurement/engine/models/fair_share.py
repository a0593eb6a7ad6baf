"""Fair shares of scarce stock, as an instance of `optimize`: the file's form of `procurement.engine.echelon`."""

import math
from dataclasses import dataclass
from typing import Any

from procurement.engine.echelon.graphs import parse_identity, parse_objects
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, optional, required, table

_units = number(at_least=0, at_most=1e12)
_quantiles = table(number(above=0, below=1), _units)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimInputs:
    """One place: demand until the next delivery (probability → units), what it has, pack, weight, most it takes."""

    id: str = required(parse_identity)
    forecast_quantiles: tuple[tuple[float, float], ...] = required(_quantiles)
    held: float = optional(number(at_least=-1e12, at_most=1e12), 0.0)
    pack: float = optional(number(above=0, at_most=1e12), 1.0)
    weight: float = optional(number(above=0, at_most=1e12), 1.0)
    maximum: float = optional(_units, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareInputs:
    available: float = required(_units)
    claims: tuple[ClaimInputs, ...] = required(parse_objects(ClaimInputs))


def solve_fair_share(inputs: ShareInputs) -> dict[str, Any]:
    """Two like places, 10 units, one has 4 → 3 and 7."""
    from procurement.engine.echelon.allocation import Claim, allocate

    shares = allocate(
        inputs.available,
        [
            Claim(one.id, dict(one.forecast_quantiles), one.held, one.pack, one.weight, one.maximum)
            for one in inputs.claims
        ],
    )
    names = [one.id for one in inputs.claims]
    return {
        "quantities": dict(zip(names, shares.quantities, strict=True)),
        "left_over": shares.left_over,
        "shortage_probabilities": dict(zip(names, shares.shortage_probabilities, strict=True)),
    }


MODELS = (Model("fair_share", ShareInputs, solve_fair_share, "Least weighted expected shortage, marginal allocation"),)
