"""Trade-off curves: stock value against fill rate for each contestant, and stock or fill read off at equal terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.optimisation.mission_data import REVIEW, Array
from benchmarks.optimisation.mission_policies import Levels, Setting
from benchmarks.optimisation.mission_replay import Replayed, replay

WARM_UP = 28
FILLS = (0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98)


@dataclass(frozen=True)
class Curve:
    """One contestant, rising knob: fill rate by value and by units, stock at cost, cost of the half year."""

    name: str
    knob: Array
    value_fill: Array
    unit_fill: Array
    stock: Array
    cost: Array

    def stock_at(self, fill: float, units: bool) -> float:
        rates = np.maximum.accumulate(self.unit_fill if units else self.value_fill)
        return float(np.interp(fill, rates, self.stock)) if rates[0] <= fill <= rates[-1] else float("nan")

    def fill_at(self, stock: float, units: bool) -> float:
        rates = self.unit_fill if units else self.value_fill
        return float(np.interp(stock, self.stock, rates))


def replayed(setting: Setting, levels: Array) -> Replayed:
    half = setting.half
    return replay(half.demand, levels, setting.lead.drawn, review=REVIEW, step=REVIEW, warm_up=WARM_UP)


def curve(setting: Setting, name: str, levels: Levels, knobs: Iterable[float]) -> Curve:
    half, rows = setting.half, []
    days = half.demand.shape[1] - WARM_UP
    for knob in knobs:
        done = replayed(setting, levels(knob))
        stock = float((done.stock * half.cost).sum())
        rows.append((knob, done.fill(half.price), done.fill(), stock, done.cost(half.price, half.cost, days)))
    return Curve(name, *np.array(rows).T)


def best_of(curves: list[Curve], fill: float, units: bool) -> float:
    """Least stock of several contestants at a fill rate."""
    return float(np.nanmin([found.stock_at(fill, units) for found in curves]))
