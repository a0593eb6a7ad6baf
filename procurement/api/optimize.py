"""Inventory models over HTTP: costs and demand in, policy out. Nothing is stored."""

import time
from collections.abc import Iterator
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from config.kernel.api import HouseViewSet

MAX_INSTANCES = 1000
SECONDS = 20.0

_INSTANCE = {
    "type": "object",
    "required": ["id", "model", "inputs"],
    "properties": {
        "id": {"description": "Yours; comes back with the answer.", "oneOf": [{"type": "string"}, {"type": "integer"}]},
        "model": {"type": "string", "example": "eoq"},
        "inputs": {"type": "object", "additionalProperties": {}},
    },
}
_ANSWER = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {},
        "outputs": {"type": "object", "additionalProperties": {}},
        "model": {"type": "string"},
        "source": {"type": "string", "description": "Where the formula stands."},
        "error": {
            "type": "object",
            "properties": {"parameter": {"type": "string"}, "message": {"type": "string"}},
        },
    },
}


def _either(name: str, of: dict[str, Any]) -> dict[str, Any]:
    """A bare list, or an object that holds one under this name."""
    many = {"type": "array", "items": of, "minItems": 1, "maxItems": MAX_INSTANCES}
    return {"oneOf": [many, {"type": "object", "required": [name], "properties": {name: many}}]}


MUGS = {"id": "mugs", "model": "eoq", "inputs": {"fixed_cost": 8, "holding_cost": 0.225, "demand_rate": 1300}}
LOTS = {
    "id": "mugs",
    "outputs": {"order_quantity": 304.0467800264368, "cost": 68.41052550594829},
    "model": "eoq",
    "source": "Harris (1913); Snyder & Shen, (3.4)-(3.5)",
}


class OptimizeViewSet(HouseViewSet):
    permission_map: ClassVar = {"create": "forecasting.use_engine"}

    @extend_schema(
        request={"application/json": _either("instances", _INSTANCE)},
        responses={(200, "application/json"): _either("results", _ANSWER)},
        operation_id="optimize",
        examples=[
            OpenApiExample("A list", value=[MUGS], request_only=True),
            OpenApiExample("The same in an object", value={"instances": [MUGS]}, request_only=True),
            OpenApiExample("Its answer", value=[LOTS], response_only=True, status_codes=["200"]),
        ],
    )
    def create(self, request: Any) -> Response:
        """Solve inventory models; the models and their inputs are those of `manage.py optimize`.

        A list is answered with a list, `{"instances": […]}` with `{"results": […]}`; both in the order given. One bad
        instance never stops the others.
        """
        instances = request.data if isinstance(request.data, list) else _named(request.data)
        if not isinstance(instances, list) or not 1 <= len(instances) <= MAX_INSTANCES:
            raise ValidationError({"instances": [f"A list of 1 to {MAX_INSTANCES} instances."]})
        results = list(_solved(instances))
        return Response(results if isinstance(request.data, list) else {"results": results})


def _named(body: Any) -> Any:
    if not isinstance(body, dict) or "instances" not in body:
        raise ValidationError({"instances": ["Send a list of instances, or an object with `instances`."]})
    if unknown := sorted(set(body) - {"instances"}):
        raise ValidationError({name: ["There is no such field."] for name in unknown})
    return body["instances"]


def _solved(instances: list[Any]) -> Iterator[dict[str, Any]]:
    """Answers in order; when the request has had its time, the rest is told so instead of keeping a worker busy."""
    from procurement.engine.optimize import solve_instance, solve_instances

    deadline = time.monotonic() + SECONDS
    for instance in instances:
        left = deadline - time.monotonic()
        if left > 0.0:
            yield solve_instance(_within(instance, left))
        else:
            [answer] = solve_instances([{"id": instance.get("id") if isinstance(instance, dict) else None}])
            message = f"not solved: the request had its {SECONDS:g} s; send fewer at once"
            yield {"id": answer["id"], "error": {"parameter": "instance", "message": message}}


def _within(instance: Any, seconds: float) -> Any:
    """A model that is told how long it may take is not told more than the request has left."""
    inputs = instance.get("inputs") if isinstance(instance, dict) else None
    if not isinstance(inputs, dict) or instance.get("model") != "joint_order":
        return instance
    asked = inputs.get("time_limit")
    if asked is None or (isinstance(asked, int | float) and not isinstance(asked, bool) and asked > seconds):
        return {**instance, "inputs": {**inputs, "time_limit": max(seconds, 0.1)}}
    return instance
