"""A small arithmetic language, so that the formula a planner reads is the very formula that was calculated.

A formula names other terms and uses `+ - * /` and the functions of `FUNCTIONS`; nothing else is possible. It is
compiled once into plain Python closures, so five thousand items cost milliseconds, and a stored explanation can be
calculated again years later without this version of the planner.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from statistics import NormalDist

Values = Mapping[str, float]
Compiled = Callable[[Values], float]

#: Relative slack below which a number counts as the whole number beside it: 7.000000000001 packs are 7 packs.
WHOLE_TOLERANCE = 1e-9


def round_up(quantity: float, step: float) -> float:
    """Smallest multiple of `step` that is not below `quantity`. `round_up(25, 12) == 36`."""
    packs = quantity / step
    return math.ceil(packs - WHOLE_TOLERANCE * max(1.0, abs(packs))) * step


def round_down(quantity: float, step: float) -> float:
    """Largest multiple of `step` that is not above `quantity`. `round_down(25, 12) == 24`."""
    packs = quantity / step
    return math.floor(packs + WHOLE_TOLERANCE * max(1.0, abs(packs))) * step


def normal_score(probability: float) -> float:
    """z with Φ(z) = probability. `normal_score(0.975) == 1.959963984540054`."""
    return NormalDist().inv_cdf(probability)


def cheapest(*quantities_and_costs: float) -> float:
    """The quantity with the least cost among `quantity, cost, quantity, cost, …`; on ties the smallest quantity."""
    pairs = zip(quantities_and_costs[1::2], quantities_and_costs[::2], strict=True)
    return min(pairs)[1]


def power(base: float, exponent: float) -> float:
    """`power(8, 1 / 3) == 2.0`."""
    return math.pow(base, exponent)


FUNCTIONS: dict[str, Callable[..., float]] = {
    "max": max,
    "min": min,
    "sqrt": math.sqrt,
    "round_up": round_up,
    "round_down": round_down,
    "normal_score": normal_score,
    "power": power,
    "cheapest": cheapest,
}


@lru_cache(maxsize=1024)
def compile_formula(formula: str) -> Compiled:
    """Compile a formula to a function of the named values; raises `ValueError` for anything but arithmetic."""
    return _compile(ast.parse(formula, mode="eval").body)


def _compile(node: ast.expr) -> Compiled:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            constant = float(number)
            return lambda values: constant
        case ast.Name(id=name):
            return operator.itemgetter(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compile(operand)
            return lambda values: -inner(values)
        case ast.BinOp(left=left, op=op, right=right):
            return _compile_operation(_compile(left), op, _compile(right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            function, parts = FUNCTIONS[name], [_compile(argument) for argument in arguments]
            return lambda values: function(*[part(values) for part in parts])
    raise ValueError(f"not part of the formula language: {ast.unparse(node)}")


def _compile_operation(first: Compiled, op: ast.operator, second: Compiled) -> Compiled:
    match op:
        case ast.Add():
            return lambda values: first(values) + second(values)
        case ast.Sub():
            return lambda values: first(values) - second(values)
        case ast.Mult():
            return lambda values: first(values) * second(values)
        case ast.Div():
            return lambda values: first(values) / second(values)
    raise ValueError(f"not part of the formula language: {type(op).__name__}")
