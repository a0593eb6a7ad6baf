"""What a model is: a name, the inputs it takes, the function that solves it, and where its formula is from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Model:
    """`inputs` is a dataclass of `parameters.required/optional` fields; `solve` maps it to the JSON-ready outputs."""

    name: str
    inputs: type
    solve: Callable[[Any], dict[str, Any]]
    source: str
