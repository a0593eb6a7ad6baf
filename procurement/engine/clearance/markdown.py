"""The price that brings most back from a stock that must go: one discount, or a path of them that never rises again.

Demand at discount δ is (1 − δ)^(−ε) times that at full price. What is left at the end is worth the salvage value.
Source: Talluri & van Ryzin, *The Theory and Practice of Revenue Management*, ch. 5 (markdown pricing).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from procurement.engine.clearance.excess import demand_over, expected_sales
from procurement.engine.errors import ParameterError

#: Discounts a shop would print on a label.
LADDER = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
_STATES = 120


@dataclass(frozen=True, slots=True)
class MarkdownPlan:
    """`discounts` by week (one entry: held throughout), the money expected back, units sold and left, days it takes."""

    discounts: tuple[float, ...]
    recovery: float
    sold: float
    left: float
    sell_through_days: float | None


def demand_factor(discount: float, elasticity: float) -> float:
    """(1 − δ)^(−ε). 30 % off at ε = 2 → 2.0408."""
    if not 0.0 <= discount < 1.0:
        raise ParameterError("discount", f"must be at least 0 and below 1, not {discount:g}")
    if not elasticity >= 0.0:
        raise ParameterError("elasticity", f"must be at least 0, not {elasticity:g}")
    return float((1.0 - discount) ** -elasticity)


def one_discount(
    discount: float,
    *,
    stock: float,
    price: float,
    daily_mean: float,
    daily_sd: float,
    days: float,
    elasticity: float,
    holding_cost: float = 0.0,
    salvage: float = 0.0,
) -> MarkdownPlan:
    """What `stock` brings in `days` at one discount. `holding_cost` a unit and day is paid on the stock in between,
    which falls evenly from `stock` to what is left; `salvage` a unit left (below 0: disposal costs).

    100 units at 10.00, 2 ± 0 a day, 50 % off, ε = 2, 10 days: 8 a day, 80 ± 16 asked for, 78.958 sold, 394.79 back.
    """
    factor = demand_factor(discount, elasticity)
    daily = daily_mean * factor
    mean, sd = demand_over(days, daily, daily_sd * factor)
    sold = expected_sales(stock, mean, sd)
    left = stock - sold
    back = price * (1.0 - discount) * sold + salvage * left - holding_cost * days * (stock + left) / 2.0
    return MarkdownPlan((discount,), back, sold, left, stock / daily if daily > 0.0 else None)


def best_markdown(*, ladder: Sequence[float] = LADDER, **case: float) -> MarkdownPlan:
    """The discount of the ladder that brings most back; on ties the smaller one. See `one_discount` for the case."""
    if not ladder:
        raise ParameterError("ladder", "must hold at least one discount")
    plans = [one_discount(discount, **case) for discount in sorted(ladder)]
    return max(plans, key=lambda plan: plan.recovery)


def markdown_path(
    *,
    stock: float,
    price: float,
    weekly_demand: Sequence[float],
    elasticity: float,
    ladder: Sequence[float] = LADDER,
    holding_cost: float = 0.0,
    salvage: float = 0.0,
) -> MarkdownPlan:
    """The path of weekly discounts, never falling, that brings most back, by dynamic programming over stock and step.

    `weekly_demand` is what full price would sell, week by week, as a mean; `holding_cost` is a unit and day. Stock is
    worked in 120 steps and read between them in a straight line. A later, deeper cut is never worse than none, so the
    path brings at least what the best single discount does under the same (certain) demand. 100 units at 10.00, 14 a
    week for four weeks, ε = 2: 20, 20, 30, 30 % off sell all, for 743.75.
    """
    if not weekly_demand:
        raise ParameterError("weekly_demand", "must hold at least one week")
    steps = sorted(ladder)
    grid = np.linspace(0.0, stock, _STATES + 1)
    asked = np.outer(np.asarray(weekly_demand, dtype=float), [demand_factor(step, elasticity) for step in steps])
    prices = price * (1.0 - np.asarray(steps))
    worth = np.tile(salvage * grid, (len(steps), 1))
    choices = []
    for week in range(len(weekly_demand) - 1, -1, -1):
        now = np.empty((len(steps), len(grid)))
        for place in range(len(steps)):
            sold = np.minimum(grid, asked[week, place])
            after = np.interp(grid - sold, grid, worth[place])
            now[place] = prices[place] * sold - holding_cost * 7.0 * (grid - sold / 2.0) + after
        best = np.maximum.accumulate(now[::-1], axis=0)[::-1]
        choices.append(np.array([_first_best(now, best, place) for place in range(len(steps))]))
        worth = best
    return _walk(choices[::-1], grid, asked, prices, steps, float(worth[0, -1]))


def _first_best(now: np.ndarray, best: np.ndarray, place: int) -> np.ndarray:
    """For each stock the smallest step from `place` on that reaches the best."""
    return place + np.argmax(now[place:] >= best[place] - 1e-9, axis=0)


def _walk(
    choices: list[np.ndarray],
    grid: np.ndarray,
    asked: np.ndarray,
    prices: np.ndarray,
    steps: list[float],
    recovery: float,
) -> MarkdownPlan:
    left, place, path, empty_after = float(grid[-1]), 0, [], None
    for week, choice in enumerate(choices):
        place = int(choice[place, int(np.abs(grid - left).argmin())])
        sold = min(left, float(asked[week, place]))
        if sold >= left and empty_after is None:
            empty_after = 7.0 * week + (7.0 * left / float(asked[week, place]) if left > 0.0 else 0.0)
        left -= sold
        path.append(steps[place])
    return MarkdownPlan(tuple(path), recovery, float(grid[-1]) - left, left, empty_after)
