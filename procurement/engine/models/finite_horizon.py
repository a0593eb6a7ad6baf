"""A finite horizon with normal demand and fixed costs: the best (s, S) of every period, by dynamic programming."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import Parser, integer, number, numbers, optional, required


def per_period(amount: Parser) -> Parser:
    """One number for every period, or a list of one for each: the first entry is the first period."""
    amounts = numbers(amount)
    return lambda name, value: amounts(name, value) if isinstance(value, list | tuple) else amount(name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiniteHorizonInputs:
    """h, p (per unit left or short at a period's end), c, K, μ, σ, γ: a number or one a period; what ends at the end.

    `terminal_*`: per unit left or short after the last period. `demand_spread`: how many σ of demand are considered.
    """

    num_periods: int = required(integer(at_least=1, at_most=1000))
    holding_cost: float | tuple[float, ...] = required(per_period(number(at_least=0)))
    stockout_cost: float | tuple[float, ...] = required(per_period(number(at_least=0)))
    terminal_holding_cost: float = optional(number(at_least=0), 0.0)
    terminal_stockout_cost: float = optional(number(at_least=0), 0.0)
    purchase_cost: float | tuple[float, ...] = optional(per_period(number(at_least=0)), 0.0)
    fixed_cost: float | tuple[float, ...] = required(per_period(number(at_least=0)))
    demand_mean: float | tuple[float, ...] = required(per_period(number(at_least=0)))
    demand_sd: float | tuple[float, ...] = required(per_period(number(at_least=0)))
    discount_factor: float | tuple[float, ...] = optional(per_period(number(above=0, at_most=1)), 1.0)
    initial_inventory_level: float = optional(number(at_least=-1e8, at_most=1e8), 0.0)
    demand_spread: float | None = optional(number(at_least=1, at_most=10))

    def each(self, name: str) -> list[float]:
        value = getattr(self, name)
        if isinstance(value, float):
            return [value] * self.num_periods
        if len(value) != self.num_periods:
            raise ParameterError(name, f"must hold one number for each of the {self.num_periods} periods")
        return list(value)


def solve_finite_horizon(inputs: FiniteHorizonInputs) -> dict[str, Any]:
    """θ_t(x) = min over y ≥ x of K·[y > x] + c·(y − x) + g_t(y) + γ·E[θ_{t+1}(y − D)]. Snyder & Shen (4.66).

    Backwards over whole inventory levels, algorithm 4.1; θ_{T+1}(x) = h_T·x⁺ + p_T·x⁻. Five periods, h = 1, p = 20
    (also terminal), c = 2, K = 50, 100 ± 20 → s = 110, 110, 110, 110, 111, S = 133, 133, 133, 133, 126, cost 1558.69.
    s and S are null in a period in which no level, however low, is worth an order.
    """
    from procurement.engine.horizon import Horizon

    get: Callable[[str], list[float]] = inputs.each
    found = Horizon(
        holding=get("holding_cost"),
        stockout=get("stockout_cost"),
        purchase=get("purchase_cost"),
        fixed=get("fixed_cost"),
        mean=get("demand_mean"),
        sd=get("demand_sd"),
        discount=get("discount_factor"),
        terminal=(inputs.terminal_holding_cost, inputs.terminal_stockout_cost),
        spread=inputs.demand_spread,
    ).solve(int(inputs.initial_inventory_level))
    return {"reorder_points": found[0], "order_up_to_levels": found[1], "total_cost": found[2]}


MODELS = (Model("finite_horizon", FiniteHorizonInputs, solve_finite_horizon, "Snyder & Shen, (4.66), algorithm 4.1"),)
