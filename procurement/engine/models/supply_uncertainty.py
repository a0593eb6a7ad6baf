"""Lots and stocks when the SUPPLY is uncertain: suppliers that go down and come back, deliveries of uncertain size."""

import math
from dataclasses import dataclass

from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, required

Outputs = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisruptedLotInputs:
    """K, h, p (money per unit of LOST demand), d (units per time), and the rates at which disruptions start and end."""

    fixed_cost: float = required(number(at_least=0))
    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    demand_rate: float = required(number(above=0))
    disruption_rate: float = required(number(above=0))
    recovery_rate: float = required(number(above=0))

    def cycle(self, quantity: float) -> tuple[float, float, float]:
        """Cost of a cycle, its length, and ψ, the probability that the supplier is down when the stock runs out."""
        both = self.disruption_rate + self.recovery_rate
        down = self.disruption_rate / both * -math.expm1(-both * quantity / self.demand_rate)
        lost = self.stockout_cost * self.demand_rate * down / self.recovery_rate
        held = self.holding_cost * quantity * quantity / (2.0 * self.demand_rate)
        return self.fixed_cost + held + lost, quantity / self.demand_rate + down / self.recovery_rate, down

    def cost(self, quantity: float) -> float:
        cost, length, _ = self.cycle(quantity)
        return cost / length

    def slope(self, quantity: float) -> float:
        """The sign of dg/dQ: N'·D − N·D' of the cost N/D."""
        cost, length, _ = self.cycle(quantity)
        both = self.disruption_rate + self.recovery_rate
        rise = self.disruption_rate / self.demand_rate * math.exp(-both * quantity / self.demand_rate)
        lost = self.stockout_cost * self.demand_rate / self.recovery_rate
        cost_rise = self.holding_cost * quantity / self.demand_rate + lost * rise
        return cost_rise * length - cost * (1.0 / self.demand_rate + rise / self.recovery_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainYieldInputs:
    """K, h, d; of an order Q arrive Q + Y (additive) or Q·Z (multiplicative), with this mean and standard deviation."""

    fixed_cost: float = required(number(at_least=0))
    holding_cost: float = required(number(above=0))
    demand_rate: float = required(number(at_least=0))
    yield_mean: float = required(number())
    yield_sd: float = required(number(at_least=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class DisruptedNewsvendorInputs:
    """h, p (per unit and period), fixed demand a period; chances of a period to go down, and to come back."""

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    demand: float = required(number(above=0))
    disruption_prob: float = required(number(above=0, below=1))
    recovery_prob: float = required(number(above=0, below=1))


def solve_eoq_disruptions(inputs: DisruptedLotInputs) -> Outputs:
    """Least of g(Q) = (K + hQ²/2d + pdψ/μ)/(Q/d + ψ/μ), ψ = λ/(λ+μ)·(1 − e^{−(λ+μ)Q/d}). Snyder & Shen (9.5).

    Searched on a fine grid around the closed form of Snyder (2014), then solved for slope zero.
    Example 9.1: K = 8, h = 0.225, p = 5, d = 1 300, λ = 1.5, μ = 14 → Q* = 772.81, cost 173.95.
    """
    from scipy.optimize import brentq

    h, d, mu = inputs.holding_cost, inputs.demand_rate, inputs.recovery_rate
    down = inputs.disruption_rate / (inputs.disruption_rate + mu)
    root = math.sqrt(
        (down * d * h) ** 2 + 2.0 * h * mu * (inputs.fixed_cost * d * mu + d * d * inputs.stockout_cost * down)
    )
    near = (root - down * d * h) / (h * mu)
    grid = [near * 10.0 ** (step / 100.0) for step in range(-500, 201)]
    place = min(range(1, len(grid) - 1), key=lambda k: inputs.cost(grid[k]))
    quantity, low, high = grid[place], grid[place - 1], grid[place + 1]
    if inputs.slope(low) < 0.0 < inputs.slope(high):
        quantity = float(brentq(inputs.slope, low, high, xtol=1e-12 * near, rtol=1e-14))
    return {"order_quantity": quantity, "cost": inputs.cost(quantity)}


def solve_additive_yield(inputs: UncertainYieldInputs) -> Outputs:
    """Q* = √(2Kd/h + σ²) − E[Y], not below 0. Snyder & Shen (9.22)–(9.23).

    Example 9.4: K = 18 500, h = 0.06, d = 75 000, Y = −15 000 ± 9 000 → Q* = 230 246, cost 12 915.
    """
    setups = 2.0 * inputs.fixed_cost * inputs.demand_rate
    best = math.sqrt(setups / inputs.holding_cost + inputs.yield_sd**2)
    arriving = max(best, inputs.yield_mean)
    if arriving <= 0.0:
        return {"order_quantity": -inputs.yield_mean, "cost": 0.0}
    cost = (setups + inputs.holding_cost * inputs.yield_sd**2) / (2.0 * arriving) + inputs.holding_cost * arriving / 2.0
    return {"order_quantity": arriving - inputs.yield_mean, "cost": cost}


def solve_multiplicative_yield(inputs: UncertainYieldInputs) -> Outputs:
    """Q* = √(2Kd/(h·(σ² + E[Z]²))), cost h·Q*·(σ² + E[Z]²)/E[Z]. Snyder & Shen (9.24)–(9.25).

    Example 9.5: K = 18 500, h = 0.06, d = 75 000, Z = 0.8333 ± √0.0198 → Q* = 254 477, cost 13 086.
    """
    if inputs.yield_mean <= 0.0:
        raise ParameterError("yield_mean", "must be above 0: something must arrive of what is ordered")
    square = inputs.yield_sd**2 + inputs.yield_mean**2
    quantity = math.sqrt(2.0 * inputs.fixed_cost * inputs.demand_rate / (inputs.holding_cost * square))
    return {"order_quantity": quantity, "cost": inputs.holding_cost * quantity * square / inputs.yield_mean}


def solve_newsvendor_disruptions(inputs: DisruptedNewsvendorInputs) -> Outputs:
    """S* = (n + 1)·d, n the fewest periods of disruption with F(n) = 1 − α/(α+β)·(1−β)ⁿ ≥ p/(p+h).

    Snyder & Shen (9.14)–(9.18). Example 9.3: h = 0.25, p = 3, d = 2 000, α = 0.04, β = 0.25 → 8 000, cost 2 737.07.
    """
    h, p, recovery = inputs.holding_cost, inputs.stockout_cost, inputs.recovery_prob
    down = inputs.disruption_prob / (inputs.disruption_prob + recovery)
    periods = math.log(h / (p + h) / down) / math.log1p(-recovery)
    covered = max(0, math.ceil(periods - 1e-12 * max(1.0, abs(periods))))
    short = inputs.demand * down * (1.0 - recovery) ** covered / recovery
    left = inputs.demand * (covered - down / recovery) + short
    return {"base_stock_level": (covered + 1) * inputs.demand, "cost": h * left + p * short}


MODELS = (
    Model(
        "eoq_disruptions",
        DisruptedLotInputs,
        solve_eoq_disruptions,
        "Parlar & Berkin (1991), Berk & Arreola-Risa (1994); Snyder & Shen, (9.5)",
    ),
    Model(
        "eoq_with_additive_yield_uncertainty",
        UncertainYieldInputs,
        solve_additive_yield,
        "Snyder & Shen, (9.22)-(9.23)",
    ),
    Model(
        "eoq_with_multiplicative_yield_uncertainty",
        UncertainYieldInputs,
        solve_multiplicative_yield,
        "Snyder & Shen, (9.24)-(9.25)",
    ),
    Model(
        "newsvendor_disruptions",
        DisruptedNewsvendorInputs,
        solve_newsvendor_disruptions,
        "Snyder & Shen, (9.14)-(9.18)",
    ),
)
