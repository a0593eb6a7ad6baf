"""The newsvendor with countable demand: Poisson, or any list of values with their probabilities.

The optimum is the smallest stock S with F(S) ≥ p/(p+h), never a rounded normal quantile: a slow mover of mean 0.01
keeps nothing at a ratio of 0.95.
"""

import math
from dataclasses import dataclass

from procurement.engine.distributions import critical_score
from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, required, table
from procurement.engine.poisson import EXACT, MANY, poisson_chance, poisson_losses, poisson_tails

#: Probabilities this close count as equal, so that 0.1 + 0.2 reaches 0.3: on a tie the smallest stock wins.
TIE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonInputs:
    """h and p (money per unit and period), the mean demand of a period (units)."""

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    demand_mean: float = required(number(at_least=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PmfInputs:
    """h and p, and `demand_pmf`: demand value → probability; the probabilities add up to 1 (± 1e-6)."""

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    demand_pmf: tuple[tuple[float, float], ...] = required(table(number(at_least=0), number(at_least=0, at_most=1)))

    def __post_init__(self) -> None:
        check_total(self.demand_pmf)


def check_total(pmf: tuple[tuple[float, float], ...]) -> None:
    total = math.fsum(probability for _, probability in pmf)
    if abs(total - 1.0) > 1e-6:
        raise ParameterError("demand_pmf", f"probabilities must add up to 1, not {total:g}")


def poisson_base_stock(holding_cost: float, stockout_cost: float, mean: float) -> int:
    """Smallest S with P(D > S) ≤ h/(h+p). h = 20, p = 150, λ = 3 → 5."""
    if mean == 0.0:
        return 0
    if mean > EXACT:
        return _large_base_stock(holding_cost, stockout_cost, mean)
    limit = holding_cost / (holding_cost + stockout_cost) * (1.0 + TIE)
    low, high = -1, math.ceil(mean) + 1
    while poisson_tails(high, mean)[1] > limit:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if poisson_tails(middle, mean)[1] <= limit else (middle, high)
    return high


def _large_base_stock(holding_cost: float, stockout_cost: float, mean: float) -> int:
    """From the Cornish–Fisher quantile λ + σ·z + (z² − 1)/6 − ½ unit by unit; above `MANY` it stays.

    h = 1, p = 10⁷, λ = 10⁶ → S = 1,005,204.
    """
    z = critical_score(stockout_cost, holding_cost)
    stock = max(0, math.ceil(mean + math.sqrt(mean) * z + (z * z - 1.0) / 6.0 - 0.5))
    if mean > MANY:
        return stock
    total = holding_cost + stockout_cost
    at_most, more = poisson_tails(stock, mean)
    if stock > mean:
        missing = more - holding_cost / total * (1.0 + TIE)
    else:
        missing = stockout_cost / total * (1.0 - TIE) - at_most
    while missing > 0.0:
        stock += 1
        missing -= poisson_chance(stock, mean)
    while stock > 0 and missing + poisson_chance(stock, mean) <= 0.0:
        missing += poisson_chance(stock, mean)
        stock -= 1
    return stock


def solve_newsvendor_poisson(inputs: PoissonInputs) -> dict[str, float]:
    """Snyder & Shen §4.3. h = 1, p = 4, mean 6 → S = 8, cost 3.5701."""
    stock = poisson_base_stock(inputs.holding_cost, inputs.stockout_cost, inputs.demand_mean)
    short, left = poisson_losses(stock, inputs.demand_mean)
    return {"base_stock_level": stock, "cost": inputs.holding_cost * left + inputs.stockout_cost * short}


def solve_newsvendor_discrete(inputs: PmfInputs) -> dict[str, float]:
    """Smallest S among the demand values with F(S) ≥ p/(p+h). h = p, demand 0 or 1 evenly → S = 0."""
    total = math.fsum(probability for _, probability in inputs.demand_pmf)
    possible = [(value, probability / total) for value, probability in inputs.demand_pmf if probability > 0.0]
    ratio = inputs.stockout_cost / (inputs.stockout_cost + inputs.holding_cost)
    reached, stock = 0.0, possible[-1][0]
    for value, probability in possible:
        reached += probability
        if reached >= ratio - TIE:
            stock = value
            break
    short = math.fsum(probability * (value - stock) for value, probability in possible if value > stock)
    left = math.fsum(probability * (stock - value) for value, probability in possible if value < stock)
    level = int(stock) if stock == math.floor(stock) else stock
    return {"base_stock_level": level, "cost": inputs.holding_cost * left + inputs.stockout_cost * short}


MODELS = (
    Model("newsvendor_poisson", PoissonInputs, solve_newsvendor_poisson, "Snyder & Shen, section 4.3"),
    Model("newsvendor_discrete", PmfInputs, solve_newsvendor_discrete, "Snyder & Shen, section 4.3"),
)
