"""A decision frozen: its inputs as plain JSON, from which the very same result is calculated again, byte for byte."""

import json
from dataclasses import MISSING, asdict, fields
from typing import Any

from procurement.engine.errors import ParameterError
from procurement.engine.explanation import to_records
from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult

#: Edition of the policy mathematics; raised whenever the same inputs would give another number.
POLICY_EDITION = 3
_FIELDS = {field.name: field for field in fields(ReplenishmentInput)}


def freeze(item: ReplenishmentInput) -> dict[str, Any]:
    """The input as JSON: quantiles as rising [probability, units] pairs, so that no float passes through text keys."""
    values: dict[str, Any] = {}
    for name in _FIELDS:
        value = getattr(item, name)
        if name == "protection_quantiles":
            value = [[float(p), float(units)] for p, units in sorted(value.items())]
        elif name == "price_breaks":
            value = [[float(quantity), float(cost)] for quantity, cost in value]
        elif not isinstance(value, bool | str | None):
            value = float(value)
        values[name] = value
    return {"edition": POLICY_EDITION, "input": values}


def thaw(snapshot: dict[str, Any]) -> ReplenishmentInput:
    """The input back. Fields added since are taken at their defaults; an unknown one is refused by name."""
    values = dict(snapshot["input"])
    for name in values:
        if name not in _FIELDS:
            raise ParameterError(name, "is not a field of this edition's input")
    for name, field in _FIELDS.items():
        if name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise ParameterError(name, "is missing from the snapshot")
    values["protection_quantiles"] = {float(p): float(q) for p, q in values.get("protection_quantiles", [])}
    values["price_breaks"] = tuple((float(q), float(cost)) for q, cost in values.get("price_breaks", []))
    return ReplenishmentInput(**values)


def recompute(snapshot: dict[str, Any]) -> ReplenishmentResult:
    """Decide again from the snapshot; `canonical` of both results is the same where the edition is the same."""
    from procurement.engine.replenishment import plan_item

    if snapshot["edition"] != POLICY_EDITION:
        raise ParameterError("edition", f"is {snapshot['edition']}; this is edition {POLICY_EDITION}")
    return plan_item(thaw(snapshot))


def canonical(result: ReplenishmentResult) -> str:
    """The result as JSON with sorted keys and shortest floats: equal results are equal bytes."""
    values = {**asdict(result), "explanation": to_records(result.explanation)}
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
