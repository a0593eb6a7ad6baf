"""What a search looks through, how long it may, and what it found. N independent problems of P parameters at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.checks import Array, as_numbers, whole_number, within

#: Candidates (C, N, P) → cost of each (C, N), lower is better; problem n depends on its own parameters only.
Objective = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Space:
    """low ≤ parameter ≤ high, both (N, P); `is_whole` (P,) parameters take whole values only."""

    low: Array
    high: Array
    is_whole: Any = False

    def __post_init__(self) -> None:
        low, high = (as_numbers(name, getattr(self, name)) for name in ("low", "high"))
        if low.ndim != 2 or low.shape != high.shape or not low.size:
            raise ParameterError("low", "and high must both be problems × parameters")
        for name, values in (("low", low), ("high", high)):
            within(name, values, -1e15)
        whole = np.broadcast_to(np.asarray(self.is_whole, dtype=bool), low.shape[1:])
        low, high = np.where(whole, np.ceil(low), low), np.where(whole, np.floor(high), high)
        if (low > high).any():
            raise ParameterError("low", "must not be above high")
        for name, value in (("low", low), ("high", high), ("is_whole", whole)):
            object.__setattr__(self, name, value)

    def fitted(self, candidates: Array) -> Array:
        """Moved to the nearest allowed values."""
        rounded = np.where(self.is_whole, np.floor(candidates + 0.5), candidates)
        return np.clip(rounded, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Budget:
    """Candidates a problem may try, and optionally seconds by the `clock` that is passed in.

    Only without seconds does the same seed always give the same bytes: a clock stops where it stops.
    """

    evaluations: int
    seconds: float | None = None
    clock: Callable[[], float] | None = None

    def __post_init__(self) -> None:
        whole_number("evaluations", self.evaluations, 1)
        if self.seconds is not None:
            within("seconds", as_numbers("seconds", self.seconds), 0.0, above=True)
            if self.clock is None:
                raise ParameterError("clock", "is missing: the engine has none of its own to measure seconds by")


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`best` (N, P) with its `cost` (N,), never above `start_cost` (N,); `evaluations` candidates were tried a problem.

    `trace` (k, 2): candidates tried and the mean of the best costs, after each step.
    """

    method: str
    seed: int
    best: Array
    cost: Array
    start_cost: Array
    evaluations: int
    trace: Array

    def gap(self, bound: Any) -> Array:
        """cost / bound − 1 for each problem, where an exact bound (N,) exists. 103 over 100: 0.03."""
        exact = as_numbers("bound", bound)
        within("bound", exact, above=True)
        return np.asarray(self.cost / exact - 1.0)
