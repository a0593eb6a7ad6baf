"""Every forecaster under its name: `forecaster("theta").fit_predict(panel, 28, (.5, .95))`.

A module of methods offers `FORECASTERS: tuple[Forecaster, ...]`; it is imported when one of its names is looked up, and
what is heavy or optional (PyTorch) only when its own name is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from importlib import import_module

from forecasting.engine.methods.base import Forecaster

PLACE = "forecasting.engine.methods."
MODULES = (
    "averages",
    "exponential",
    "ets",
    "theta",
    "arima",
    "sarimax",
    "regression",
    "croston",
    "counts",
    "aggregation",
    "bootstrap",
    "combination",
)
ON_DEMAND: Mapping[str, str] = {"lstm": "neural"}
"""Names whose modules need the optional extra; asking for one without it raises ImportError."""


def offered(module: str) -> tuple[Forecaster, ...]:
    return tuple(import_module(PLACE + module).FORECASTERS)


@cache
def everyday_names() -> Mapping[str, str]:
    """Name → module of all that needs no extra; a name offered twice is an error."""
    found: dict[str, str] = {}
    for module in MODULES:
        for method in offered(module):
            if method.name in found:
                raise ValueError(f"method {method.name} is offered by {found[method.name]} and by {module}")
            found[method.name] = module
    return found


class Registry(Mapping[str, Callable[[], Forecaster]]):
    """Name → a function that makes a fresh forecaster."""

    def __getitem__(self, name: str) -> Callable[[], Forecaster]:
        module = ON_DEMAND.get(name) or everyday_names()[name]

        def make() -> Forecaster:
            return deepcopy(next(method for method in offered(module) if method.name == name))

        return make

    def __iter__(self) -> Iterator[str]:
        yield from everyday_names()
        yield from ON_DEMAND

    def __len__(self) -> int:
        return len(everyday_names()) + len(ON_DEMAND)


FORECASTERS = Registry()


def forecaster(name: str) -> Forecaster:
    """A fresh forecaster; ValueError names the known ones if there is no such method."""
    if name not in FORECASTERS:
        raise ValueError(f"no method is called {name!r}; there are {', '.join(FORECASTERS)}")
    return FORECASTERS[name]()
