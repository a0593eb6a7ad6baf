"""Demand that might be: blocks of history put together anew."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.checks import Array, Whole, as_numbers, per_item, whole_number, within


@dataclass(frozen=True, slots=True)
class HistoryScenarios:
    """`history` (N, H) read at `places` (M, T), times `scale` (N,)."""

    history: Array
    places: Whole
    scale: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.places), len(self.history), self.places.shape[1]

    def block(self, start: int, stop: int) -> Array:
        made = np.empty((len(self.places), stop - start, self.places.shape[1]))
        for scenario, places in enumerate(self.places):
            np.take(self.history[start:stop], places, axis=1, out=made[scenario])
        made *= self.scale[start:stop, None]
        return made


def history_scenarios(
    history: Any, *, days: int, scenarios: int, block_days: int = 28, period_days: int = 7, scale: Any = 1.0, seed: int
) -> HistoryScenarios:
    """Moving blocks of `block_days` drawn from history (N, H), the same dates for all items.

    So demand keeps what links days within a block and items with each other. A block starts on the weekday it stands
    for (`period_days` 1: any day); day 0 follows the last of history. `scale` lifts each item, as forecast mean / past
    mean. Source: Künsch (1989), Annals of Statistics 17.
    """
    units = as_numbers("history", history)
    if units.ndim != 2 or not units.size:
        raise ParameterError("history", "must be items × days")
    within("history", units)
    for name, value, most in (("days", days, None), ("scenarios", scenarios, None), ("period_days", period_days, None),
                              ("block_days", block_days, units.shape[1])):  # fmt: skip
        whole_number(name, value, 1, most)
    whole_number("seed", seed, 0)
    past = units.shape[1]
    rng = np.random.Generator(np.random.Philox(key=seed))
    places = np.empty((scenarios, -(-days // block_days) * block_days), dtype=np.int64)
    for first in range(0, days, block_days):
        fitting = np.arange(past - block_days + 1)
        same_day = fitting[(fitting - past - first) % period_days == 0]
        if not len(same_day):
            raise ParameterError("history", f"must hold a block of {block_days} days from each day of the period")
        starts = rng.choice(same_day, scenarios)
        places[:, first : first + block_days] = starts[:, None] + np.arange(block_days)
    scales = per_item("scale", scale, len(units))
    within("scale", scales)
    return HistoryScenarios(np.ascontiguousarray(units), places[:, :days].copy(), scales)
