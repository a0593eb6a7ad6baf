"""Wagner–Whitin: when to order, and how much, for known demand that varies from period to period."""

from dataclasses import dataclass
from typing import Any

from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import Parser, integer, number, numbers, optional, required


def per_period() -> Parser:
    """One number for every period, or a list of one for each."""
    amount = number(at_least=0)
    amounts = numbers(amount)
    return lambda name, value: amounts(name, value) if isinstance(value, list | tuple) else amount(name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class WagnerWhitinInputs:
    """`num_periods` and, each a number or a list of num_periods: h (held over the end of a period), K, demand, c."""

    num_periods: int = required(integer(at_least=1, at_most=5000))
    holding_cost: float | tuple[float, ...] = required(per_period())
    fixed_cost: float | tuple[float, ...] = required(per_period())
    demand: float | tuple[float, ...] = required(per_period())
    purchase_cost: float | tuple[float, ...] = optional(per_period(), 0.0)

    def each(self, name: str) -> list[float]:
        value = getattr(self, name)
        if isinstance(value, float):
            return [value] * self.num_periods
        if len(value) != self.num_periods:
            raise ParameterError(name, f"must hold one number for each of the {self.num_periods} periods")
        return list(value)


def solve_wagner_whitin(inputs: WagnerWhitinInputs) -> dict[str, Any]:
    """Snyder & Shen, algorithm 3.1, backwards: θ_t = min over s of K_t + c_t·Σd + holding + θ_s.

    A unit ordered in t and used in i is held over the ends of t … i−1 and pays each of THEIR holding costs. A period
    that orders nothing pays no fixed cost; of equally cheap plans the one with less stock wins.
    Example 3.9: h = 2, K = 500, demand 90, 120, 80, 70 → order 210, 0, 150, 0; cost 1 380.
    """
    horizon = inputs.num_periods
    demand, setups = inputs.each("demand"), inputs.each("fixed_cost")
    holding, prices = inputs.each("holding_cost"), inputs.each("purchase_cost")
    best: list[tuple[float, float, int]] = [(0.0, 0.0, horizon)] * (horizon + 1)
    for start in range(horizon - 1, -1, -1):
        quantity = carried = stock = unit_holding = 0.0
        choice: tuple[float, float, int] | None = None
        for end in range(start, horizon):
            if end > start:
                unit_holding += holding[end - 1]
            quantity += demand[end]
            carried += unit_holding * demand[end]
            stock += (end - start) * demand[end]
            setup = setups[start] if quantity > 0.0 else 0.0
            cost = setup + prices[start] * quantity + carried + best[end + 1][0]
            held = stock + best[end + 1][1]
            if choice is None or _is_better(cost, held, choice):
                choice = (cost, held, end + 1)
        assert choice is not None  # noqa: S101 - the inner loop runs at least once
        best[start] = choice
    orders, start = [0.0] * horizon, 0
    while start < horizon:
        following = best[start][2]
        orders[start] = sum(demand[start:following])
        start = following
    return {"order_quantities": orders, "cost": best[0][0]}


def _is_better(cost: float, held: float, incumbent: tuple[float, float, int]) -> bool:
    slack = 1e-12 * max(abs(cost), abs(incumbent[0]))
    return cost < incumbent[0] - slack or (cost <= incumbent[0] + slack and held < incumbent[1])


MODELS = (
    Model(
        "wagner_whitin", WagnerWhitinInputs, solve_wagner_whitin, "Wagner & Whitin (1958); Snyder & Shen, algorithm 3.1"
    ),
)
