"""Solves the instances of `manage.py optimize` and of POST /api/v1/optimize: many models, one shape of answer."""

from collections.abc import Sequence
from typing import Any


def solve_instances(instances: Sequence[Any]) -> list[dict[str, Any]]:
    """Answer each instance in order; a bad one gets an `error` and never stops the others."""
    raise NotImplementedError
