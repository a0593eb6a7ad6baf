"""Reading a model's inputs: every parameter is checked by name before any formula sees it.

A model declares a frozen dataclass whose fields carry a parser (`required(number(above=0))`); `read_inputs` turns a
mapping straight from JSON into it, or raises `ParameterError` for the first parameter that is wrong. Unknown names are
wrong too, and a boolean is not a number.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields
from typing import Any, TypeVar

from procurement.engine.errors import ParameterError

Parser = Callable[[str, Any], Any]
Inputs = TypeVar("Inputs")


def required(parser: Parser) -> Any:
    """A dataclass field that must be given."""
    return field(metadata={"parser": parser})


def optional(parser: Parser, default: Any = None) -> Any:
    """A dataclass field that may be left out (or null)."""
    return field(default=default, metadata={"parser": parser})


def read_inputs(shape: type[Inputs], inputs: Mapping[str, Any]) -> Inputs:
    """Build the dataclass `shape` from JSON inputs; unknown, missing and unusable parameters raise `ParameterError`."""
    known = {parameter.name: parameter for parameter in fields(shape)}  # type: ignore[arg-type]
    for name in inputs:
        if name not in known:
            raise ParameterError(name, f"is not a parameter of this model; it has: {', '.join(known)}")
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        if inputs.get(name) is not None:
            values[name] = parameter.metadata["parser"](name, inputs[name])
        elif parameter.default is MISSING:
            raise ParameterError(name, "is missing")
    return shape(**values)


def number(
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Parser:
    """A finite number within the bounds."""

    def parse(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ParameterError(name, f"must be a number, not {_described(value)}")
        try:
            amount = float(value)
        except OverflowError:
            raise ParameterError(name, "is too large") from None
        if not math.isfinite(amount):
            raise ParameterError(name, "must be a finite number")
        if above is not None and amount <= above:
            raise ParameterError(name, f"must be above {above:g}, not {amount:g}")
        if at_least is not None and amount < at_least:
            raise ParameterError(name, f"must be at least {at_least:g}, not {amount:g}")
        if below is not None and amount >= below:
            raise ParameterError(name, f"must be below {below:g}, not {amount:g}")
        if at_most is not None and amount > at_most:
            raise ParameterError(name, f"must be at most {at_most:g}, not {amount:g}")
        return amount

    return parse


def integer(*, at_least: int | None = None, at_most: int | None = None) -> Parser:
    """A whole number within the bounds; 3.0 counts as 3."""
    parse_number = number(at_least=at_least, at_most=at_most)

    def parse(name: str, value: Any) -> int:
        amount = parse_number(name, value)
        if amount != math.floor(amount):
            raise ParameterError(name, f"must be a whole number, not {amount:g}")
        return int(amount)

    return parse


def numbers(item: Parser, *, at_least_one: bool = True) -> Parser:
    """A list whose every element passes `item`."""

    def parse(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ParameterError(name, f"must be a list, not {_described(value)}")
        if at_least_one and not value:
            raise ParameterError(name, "must not be empty")
        return tuple(item(name, element) for element in value)

    return parse


def table(key: Parser, item: Parser) -> Parser:
    """A mapping from numbers (JSON writes them as strings) to numbers, as a tuple of pairs rising by key."""

    def parse(name: str, value: Any) -> tuple[tuple[float, float], ...]:
        if not isinstance(value, Mapping):
            raise ParameterError(name, f"must be an object of number to number, not {_described(value)}")
        pairs: dict[float, float] = {}
        for text, amount in value.items():
            place = key(name, _key_number(name, text))
            if place in pairs:
                raise ParameterError(name, f"holds {place:g} twice")
            pairs[place] = item(name, amount)
        if not pairs:
            raise ParameterError(name, "must not be empty")
        return tuple(sorted(pairs.items()))

    return parse


def choice(*options: str) -> Parser:
    """One of a few words."""

    def parse(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            raise ParameterError(name, f"must be one of {', '.join(options)}, not {_described(value)}")
        return value

    return parse


def _key_number(name: str, text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return float(text)
    except ValueError:
        raise ParameterError(name, f"must have numbers as keys, not {_described(text)}") from None


def _described(value: Any) -> str:
    names = {bool: "a boolean", str: "the text", dict: "an object", list: "a list", type(None): "null"}
    described = names.get(type(value), type(value).__name__)
    return f"{described} '{value[:40]}'" if isinstance(value, str) else described
