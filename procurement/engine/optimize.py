"""Solves the instances of `manage.py optimize` and of POST /api/v1/optimize: many models, one shape of answer."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from procurement.engine.errors import ParameterError
from procurement.engine.models import MODELS
from procurement.engine.parameters import read_inputs

Answer = dict[str, Any]


def solve_instances(instances: Iterable[Any]) -> list[Answer]:
    """Answer each `{"id", "model", "inputs"}` in order with `{"id", "outputs", "model", "source"}`.

    An instance that cannot be solved gets `{"id", "error": {"parameter", "message"}}` and never stops the others. The
    answers are plain JSON values without NaN or Infinity. Nothing is read or written, so the REST endpoint shares it.
    """
    return [solve_instance(instance) for instance in instances]


def solve_instance(instance: Any) -> Answer:
    """Answer one instance; never raises for anything an instance may hold."""
    identity = instance.get("id") if isinstance(instance, Mapping) else None
    if not _is_finite(identity):
        identity = None
    try:
        return {"id": identity, **_solve(instance)}
    except ParameterError as error:
        return {"id": identity, "error": {"parameter": error.parameter, "message": error.message}}


def _solve(instance: Any) -> Answer:
    if not isinstance(instance, Mapping):
        raise ParameterError("instance", "must be an object with id, model and inputs")
    for name in ("id", "model", "inputs"):
        if instance.get(name) is None:
            raise ParameterError(name, "is missing")
    name, inputs = instance["model"], instance["inputs"]
    if not isinstance(name, str) or name not in MODELS:
        available = ", ".join(sorted(MODELS))
        raise ParameterError("model", f"model '{name}' is not known; known: {available}")
    if not isinstance(inputs, Mapping):
        raise ParameterError("inputs", "must be an object")
    model = MODELS[name]
    values: Any = read_inputs(model.inputs, inputs)
    try:
        outputs = model.solve(values)
    except ParameterError:
        raise
    except Exception as error:  # one bad instance must never stop the others, whatever a numeric library raises
        raise _beyond_numbers(inputs) from error
    if not _is_finite(outputs):
        raise _beyond_numbers(inputs)
    return {"outputs": outputs, "model": name, "source": model.source}


def _beyond_numbers(inputs: Mapping[str, Any]) -> ParameterError:
    """Names the parameter farthest from 1 in size: with 1e300 units of demand, demand_mean, not every input."""
    sizes = {
        name: max((abs(math.log10(abs(part))) for part in _numbers(value) if part), default=0.0)
        for name, value in inputs.items()
    }
    name = max(sizes, key=lambda name: sizes[name], default="inputs")
    return ParameterError(name, "leads beyond the range of numbers; use other units")


def _numbers(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        return [number for part in value.values() for number in _numbers(part)]
    if isinstance(value, list | tuple):
        return [number for part in value for number in _numbers(part)]
    return [float(value)] if isinstance(value, int | float) and math.isfinite(value) else []


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(_is_finite(part) for part in value.values())
    return all(_is_finite(part) for part in value) if isinstance(value, list | tuple) else True
