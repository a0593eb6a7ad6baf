"""How far an answer uses what limits it, and what more of it would save."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from procurement.engine.joint.choice import Choice
from procurement.engine.joint.scenarios import TOLERANCE
from procurement.engine.joint.types import JointProblem, Usage

_WORTH = 1e-9


def usages_of(
    problem: JointProblem, choice: Choice, duals: Mapping[str, float], *, is_kept_from: bool = False
) -> tuple[Usage, ...]:
    """Every limit of the problem. Binding: used up to the last bit, or a unit more of it would save something in the
    relaxation (a budget of 100 with packs of 60 binds at 60), or, where limits keep from ordering at all, not met."""
    found = [_usage(*limit, duals) for limit in _limits(problem, choice)]
    unmet = [replace(u, is_binding=u.is_binding or (is_kept_from and u.name == "minimum_value")) for u in found]
    return tuple(unmet)


def _usage(name: str, limit: float, used: float, is_least: bool, duals: Mapping[str, float]) -> Usage:
    slack = used - limit if is_least else limit - used
    saved = duals.get(name, 0.0)
    is_tight = abs(slack) <= TOLERANCE * max(1.0, abs(limit)) and used > 0.0
    return Usage(name, limit, used, max(slack, 0.0) if abs(slack) < 1e-12 else slack, saved, is_tight or saved > _WORTH)


def _limits(problem: JointProblem, choice: Choice) -> Iterator[tuple[str, float, float, bool]]:
    used, terms = choice.used, problem.terms
    box = problem.container
    count = box.count if box else 0
    found = [
        ("budget", problem.budget, used["spend"], False),
        ("minimum_value", terms.minimum_value or math.inf, used["value"], True),
        ("free_freight_from", terms.free_freight_from if terms.freight else math.inf, used["value"], True),
        ("container_volume", box.volume * count if box else math.inf, used["volume"], False),
        ("container_weight", box.weight * count if box else math.inf, used["weight"], False),
        ("capacity", terms.capacity, used["units"], False),
        ("warehouse_units", problem.room.units, used["units"], False),
        ("warehouse_volume", problem.room.volume, used["volume"], False),
        *((pool.name, pool.limit, used[f"pool {place}"], False) for place, pool in enumerate(problem.pools)),
    ]
    return (limit for limit in found if math.isfinite(limit[1]))
