"""The (r, Q) policy under normal demand: exact, and the four approximations the textbook teaches.

Continuous review: when the inventory position is at r, order Q; it arrives `lead_time` later. Demand of the lead time
has μ = λ·L and σ = τ·√L, and y units of position cost g(y) = h·E[(y − D)⁺] + p·E[(D − y)⁺] a time unit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from procurement.engine.distributions import critical_score, normal_losses, normal_second_loss
from procurement.engine.errors import ParameterError
from procurement.engine.lots import Valley
from procurement.engine.models.model import Model
from procurement.engine.parameters import choice, number, optional, required
from procurement.engine.quantiles import upper_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class RqNormalInputs:
    """h and p (money per unit and TIME), K (per order), λ and τ (mean and sd of demand per time), L (time)."""

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    fixed_cost: float = required(number(above=0))
    demand_mean: float = required(number(at_least=0))
    demand_sd: float = required(number(at_least=0))
    lead_time: float = required(number(at_least=0))
    order_quantity: float | None = optional(number(above=0))
    reorder_point: float | None = optional(number())
    method: str = optional(choice("exact", "eil", "eoqb", "eoqss", "loss"), "exact")

    @property
    def mu(self) -> float:
        return self.demand_mean * self.lead_time

    @property
    def sigma(self) -> float:
        return self.demand_sd * math.sqrt(self.lead_time)

    def __post_init__(self) -> None:
        if self.demand_mean == 0.0 and self.order_quantity is None:
            raise ParameterError("demand_mean", "must be above 0: nothing is ever ordered; or give order_quantity")

    @property
    def setup(self) -> float:
        return self.fixed_cost * self.demand_mean

    @property
    def valley(self) -> Valley:
        return Valley(
            holding_cost=self.holding_cost,
            stockout_cost=self.stockout_cost,
            mean=self.mu,
            stock=self.mu + critical_score(self.stockout_cost, self.holding_cost) * self.sigma,
            loss=lambda y: normal_losses(y, self.mu, self.sigma),
            second_loss=lambda y: normal_second_loss(y, self.mu, self.sigma),
            more_than=lambda y: upper_tail((y - self.mu) / self.sigma) if self.sigma else float(y < self.mu),
        )


def best_reorder_point(valley: Valley, order_quantity: float) -> float:
    """r with g(r) = g(r + Q) (5.9). h = 0.225, p = 7.5, 1 300 ± 150, L = 1/12, Q = 300 → 129.427."""
    stock = valley.stock
    return _rising_root(lambda r: valley.rate(r + order_quantity) - valley.rate(r), stock - order_quantity, stock)


def exact_policy(inputs: RqNormalInputs) -> tuple[float, float]:
    """Example 5.2 of Snyder & Shen: h = 0.225, p = 7.5, K = 8, 1 300 ± 150, L = 1/12 → 126.867, 328.449, cost 78.07."""
    return inputs.valley.best_lot(inputs.setup)


def _eil(inputs: RqNormalInputs) -> tuple[float, float]:
    """Expected-inventory-level approximation (5.17)–(5.18), p per UNIT short. Example 5.2 → r = 213.97, Q = 318.59."""

    def settle(quantity: float, _: float) -> tuple[float, float]:
        ratio = quantity * inputs.holding_cost / (inputs.stockout_cost * inputs.demand_mean)
        if ratio >= 1.0:
            raise ParameterError("method", "eil has no solution here: Q·h reaches p·λ; use exact")
        reorder_point = inputs.mu + critical_score(1.0 - ratio, ratio) * inputs.sigma
        short, _left = normal_losses(reorder_point, inputs.mu, inputs.sigma)
        setup = inputs.fixed_cost + inputs.stockout_cost * short
        return reorder_point, math.sqrt(2.0 * inputs.demand_mean * setup / inputs.holding_cost)

    return _iterate(settle, _eoq(inputs))


def _loss(inputs: RqNormalInputs) -> tuple[float, float]:
    """Loss-function approximation (5.28)–(5.29). Example 5.6 → r = 126.87, Q = 328.45."""
    both = inputs.holding_cost + inputs.stockout_cost

    def settle(quantity: float, _: float) -> tuple[float, float]:
        short = inputs.holding_cost * quantity / both
        low = inputs.mu - short - inputs.sigma
        high = inputs.mu + 40.0 * inputs.sigma
        point = _rising_root(lambda y: short - normal_losses(y, inputs.mu, inputs.sigma)[0], low, high)
        area = inputs.fixed_cost * inputs.demand_mean + both * normal_second_loss(point, inputs.mu, inputs.sigma)
        return point, math.sqrt(2.0 * area / inputs.holding_cost)

    return _iterate(settle, _eoq(inputs))


def _eoqb(inputs: RqNormalInputs) -> tuple[float, float]:
    """Q of the EOQ with backorders, r best for it. Example 5.2 → r = 128.638, Q = 308.574."""
    quantity = _eoq(inputs) * math.sqrt((inputs.holding_cost + inputs.stockout_cost) / inputs.stockout_cost)
    return best_reorder_point(inputs.valley, quantity), quantity


def _eoqss(inputs: RqNormalInputs) -> tuple[float, float]:
    """Q = EOQ and r = μ + z·σ (5.21). Example 5.5 → r = 190.337, Q = 304.047."""
    return inputs.valley.stock, _eoq(inputs)


def _eoq(inputs: RqNormalInputs) -> float:
    return math.sqrt(2.0 * inputs.fixed_cost * inputs.demand_mean / inputs.holding_cost)


def _iterate(settle: Callable[[float, float], tuple[float, float]], quantity: float) -> tuple[float, float]:
    point = 0.0
    for _ in range(10_000):
        previous = quantity
        point, quantity = settle(quantity, point)
        if abs(quantity - previous) <= 1e-12 * quantity:
            return point, quantity
    raise ParameterError("method", "did not converge for these parameters; use exact")


def _rising_root(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a rising function between `low` and `high`; an end where rounding has moved the zero outside."""
    from scipy.optimize import brentq

    if function(low) >= 0.0:
        return low
    if function(high) <= 0.0:
        return high
    return float(brentq(function, low, high, xtol=1e-13, rtol=1e-14, maxiter=500))


_METHODS = {"exact": exact_policy, "eil": _eil, "eoqb": _eoqb, "eoqss": _eoqss, "loss": _loss}


def solve_rq_normal(inputs: RqNormalInputs) -> dict[str, Any]:
    """The policy and its EXACT cost, whatever method found it; a given Q gets its best r, a given pair its cost."""
    if inputs.order_quantity is not None:
        quantity = inputs.order_quantity
        point = (
            inputs.reorder_point if inputs.reorder_point is not None else best_reorder_point(inputs.valley, quantity)
        )
    elif inputs.reorder_point is not None:
        raise ParameterError("order_quantity", "is missing beside reorder_point")
    else:
        point, quantity = _METHODS[inputs.method](inputs)
    return {
        "reorder_point": point,
        "order_quantity": quantity,
        "cost": inputs.valley.cost(inputs.setup, point, quantity),
    }


MODELS = (
    Model("rq_normal", RqNormalInputs, solve_rq_normal, "Zheng (1992), Management Science 38; Snyder & Shen, ch. 5"),
)
