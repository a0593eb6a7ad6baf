"""The question asked through the files: windows of `manage.py forecast` into `order_up_to` of `manage.py optimize`.

A fixed lead time of 14 days, so that one window of 21 days is the protection interval; every item has a target of its
own. The level does not depend on the position, so it is asked once a forecast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.optimisation.mission_data import REVIEW, Array
from benchmarks.optimisation.mission_forecasts import LEVELS, WINDOWS, Windows
from benchmarks.optimisation.mission_policies import Setting
from procurement.engine.optimize import solve_instances

PROTECTION = WINDOWS.index(21)


def instance(quantiles: Array, mean: float, aim: dict[str, float]) -> dict[str, Any]:
    table = {f"{level:g}": float(units) for level, units in zip(LEVELS, quantiles, strict=True)}
    inputs: dict[str, Any] = {"quantiles": table, "on_hand": 0, "on_order": 0} | aim
    if "fill_rate" in aim:
        inputs["mean_demand_per_review"] = max(float(mean) * REVIEW / 21.0, 1e-9)
    return {"id": "item", "model": "order_up_to", "inputs": inputs}


def levels_by_command(setting: Setting, forecast: Windows, aims: list[dict[str, float]]) -> Array:
    """(26, items) levels S; `aims` one per item."""
    made = []
    for quantiles, mean in zip(forecast.quantiles, forecast.mean, strict=True):
        asked = [
            instance(q, m, aim) for q, m, aim in zip(quantiles[:, PROTECTION], mean[:, PROTECTION], aims, strict=True)
        ]
        made.append([answer["outputs"]["order_up_to_level"] for answer in solve_instances(asked)])
    return setting.weekly(lambda place: np.array(made[place], float))


def fill_rate_aims(setting: Setting, share: float) -> list[dict[str, float]]:
    return [{"fill_rate": share}] * len(setting.half.ids)


def cost_aims(setting: Setting) -> list[dict[str, float]]:
    """25 % of the unit cost a year, over the protection interval, against 40 % of the price for every unit lost."""
    half = setting.half
    pairs = zip(0.25 * half.cost * 21.0 / 365.0, 0.40 * half.price, strict=True)
    return [{"holding_cost": float(h), "stockout_cost": float(p)} for h, p in pairs]
