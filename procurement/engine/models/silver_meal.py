"""Silver–Meal: lots for known, varying demand, period by period, without looking to the end of the horizon."""

import math
from typing import Any

from procurement.engine.models.model import Model
from procurement.engine.models.wagner_whitin import WagnerWhitinInputs, plan_cost


def solve_silver_meal(inputs: WagnerWhitinInputs) -> dict[str, Any]:
    """Let a lot grow as long as its setup and holding cost per period covered does not rise. SPT, section 5.6.

    SPT, table 5.1: K = 54, h = 0.4, demand 10, 62, 12, 130, 154, 129, 88, 52, 124, 160, 238, 41 → 84, 0, 0, 130,
    283, 0, 140, 0, 124, 160, 279, 0; cost 501.20, here also the optimum. A heuristic: never cheaper than
    `wagner_whitin`, sometimes dearer. A period without demand orders nothing unless a lot runs through it.
    """
    demand, setups, holding = inputs.each("demand"), inputs.each("fixed_cost"), inputs.each("holding_cost")
    orders, start = [0.0] * inputs.num_periods, 0
    while start < inputs.num_periods:
        if demand[start] == 0.0:
            start += 1
            continue
        end = _lot_end(demand, setups[start], holding, start)
        orders[start] = math.fsum(demand[start:end])
        start = end
    return {"order_quantities": orders, "cost": plan_cost(inputs, orders)}


def _lot_end(demand: list[float], setup: float, holding: list[float], start: int) -> int:
    """The period after the last one that the lot ordered in `start` covers."""
    cost, carried, average = setup, 0.0, setup
    for end in range(start + 1, len(demand)):
        carried += holding[end - 1]
        cost += carried * demand[end]
        following = cost / (end - start + 1)
        if following > average:
            return end
        average = following
    return len(demand)


MODELS = (
    Model(
        "silver_meal",
        WagnerWhitinInputs,
        solve_silver_meal,
        "Silver & Meal (1973); Silver, Pyke & Thomas, section 5.6",
    ),
)
