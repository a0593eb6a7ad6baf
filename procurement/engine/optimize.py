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
        raise ParameterError("model", f"model '{name}' is not available yet; available: {available}")
    if not isinstance(inputs, Mapping):
        raise ParameterError("inputs", "must be an object")
    model = MODELS[name]
    values: Any = read_inputs(model.inputs, inputs)
    try:
        outputs = model.solve(values)
    except ArithmeticError as error:
        raise ParameterError("inputs", f"lead beyond the range of numbers ({error})") from error
    if not _is_finite(outputs):
        raise ParameterError("inputs", "lead beyond the range of numbers")
    return {"outputs": outputs, "model": name, "source": model.source}


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(_is_finite(part) for part in value.values())
    return all(_is_finite(part) for part in value) if isinstance(value, list | tuple) else True
