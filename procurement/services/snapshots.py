"""The inputs kept with a proposal: given to the engine again they bring the same decision, to the last bit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from procurement.models import Proposal

if TYPE_CHECKING:
    from procurement.engine.replenishment_types import ReplenishmentInput


@dataclass(frozen=True, slots=True)
class Recalculation:
    """Whether the numbers came out the same. `how`: from the inputs, or from the given terms alone."""

    is_same: bool
    how: str
    differing: tuple[str, ...] = ()


def snapshot_of(item: "ReplenishmentInput") -> dict[str, Any]:
    """JSON of every field, with the edition of the formulas."""
    from procurement.engine.snapshot import freeze

    return freeze(item)


def recompute_proposal(proposal: Proposal) -> Recalculation:
    """Calculate the proposal again and compare every term; what was added to it (a joint order, a split) is replayed on
    top. A snapshot of another edition of the formulas is calculated again from its given terms, not from its inputs."""
    from procurement.engine.explanation import from_records, replay, to_records
    from procurement.engine.snapshot import POLICY_EDITION, recompute

    stored = [_normal(term) for term in proposal.explanation]
    again, how = to_records(replay(from_records(stored))), "terms"
    if proposal.snapshot and proposal.snapshot.get("edition") == POLICY_EDITION:
        decided = to_records(recompute(_normal(proposal.snapshot)).explanation)
        again, how = [*decided, *again[len(decided) :]], "inputs"
    differing = [one["code"] for one, other in zip(stored, again, strict=False) if _bytes(one) != _bytes(other)]
    if len(stored) != len(again):
        differing.append("…")
    return Recalculation(not differing, how, tuple(differing))


def _normal(value: Any) -> Any:
    """A database of JSON may hand back a whole number where a float was put in."""
    if isinstance(value, Mapping):
        return {key: inner if key == "edition" else _normal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_normal(inner) for inner in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _bytes(term: Mapping[str, Any]) -> str:
    return json.dumps(_normal(term), sort_keys=True)
