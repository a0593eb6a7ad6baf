"""Moving stock of one item between places, as an instance of `optimize`."""

import math
from dataclasses import dataclass
from typing import Any

from procurement.engine.echelon.graphs import parse_identity, parse_objects
from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, optional, required, table

_MOST_PLACES = 30
_amount = number(at_least=0, at_most=1e12)
_quantiles = table(number(above=0, below=1), _amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceInputs:
    """Demand over the horizon, stock there and coming, what of it may go (all of it), costs of a unit short or held."""

    id: str = required(parse_identity)
    forecast_quantiles: tuple[tuple[float, float], ...] = required(_quantiles)
    stock: float = required(number(at_least=-1e12, at_most=1e12))
    movable: float | None = optional(_amount)
    stockout_cost: float = required(_amount)
    holding_cost: float = optional(_amount, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneInputs:
    """A way between two places: money a unit and a transfer, most units."""

    id: str = required(parse_identity)
    source: str = required(parse_identity)
    target: str = required(parse_identity)
    unit_cost: float = optional(_amount, 0.0)
    fixed_cost: float = optional(_amount, 0.0)
    maximum: float = optional(_amount, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebalanceInputs:
    places: tuple[PlaceInputs, ...] = required(parse_objects(PlaceInputs))
    lanes: tuple[LaneInputs, ...] = required(parse_objects(LaneInputs))
    pack: float = optional(number(above=0, at_most=1e12), 1.0)


def solve_rebalance(inputs: RebalanceInputs) -> dict[str, Any]:
    """Demand N(50, 10) at two places, stock 20 and 100, 10 a unit short, 1 a unit moved → 38 units go over."""
    from procurement.engine.echelon.rebalancing import Place, rebalance

    if len(inputs.places) > _MOST_PLACES:
        raise ParameterError("places", f"are more than {_MOST_PLACES}")
    places = [
        Place(
            one.id,
            dict(one.forecast_quantiles),
            one.stock,
            max(one.stock, 0.0) if one.movable is None else one.movable,
            one.stockout_cost,
            one.holding_cost,
        )
        for one in inputs.places
    ]
    answer = rebalance(places, _lanes(inputs), pack=inputs.pack)
    names = [one.id for one in inputs.places]
    return {
        "moves": [
            {"source": names[move.lane.source], "target": names[move.lane.target], "quantity": move.quantity}
            for move in answer.moves
        ],
        "cost_before": answer.cost_before,
        "cost": answer.cost_after,
        "saving": answer.saving,
        "expected_shortages": dict(zip(names, answer.shortage_after, strict=True)),
    }


def _lanes(inputs: RebalanceInputs) -> list[Any]:
    from procurement.engine.echelon.rebalancing import Lane

    place = {one.id: number for number, one in enumerate(inputs.places)}
    for lane in inputs.lanes:
        for field in ("source", "target"):
            if getattr(lane, field) not in place:
                raise ParameterError(f"lanes[{lane.id}].{field}", f"'{getattr(lane, field)}' is no place")
    return [
        Lane(place[one.source], place[one.target], one.unit_cost, one.fixed_cost, one.maximum) for one in inputs.lanes
    ]


MODELS = (
    Model("rebalance", RebalanceInputs, solve_rebalance, "Convex shortage costs in pieces, mixed-integer programme"),
)
