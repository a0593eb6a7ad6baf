"""The newsvendor with lognormal, gamma, exponential or uniform demand: the quantile at the critical ratio."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from procurement.engine import distributions
from procurement.engine.distributions import critical_score
from procurement.engine.errors import ParameterError
from procurement.engine.models.loss import distribution_arguments
from procurement.engine.models.model import Model
from procurement.engine.parameters import choice, number, optional, required

_PARAMETERS = {
    "lognormal": ("mu", "sigma"),
    "gamma": ("shape", "scale"),
    "exponential": ("mean",),
    "uniform": ("lo", "hi"),
}
_LOSSES: dict[str, Callable[..., distributions.Losses]] = {
    "lognormal": distributions.lognormal_losses,
    "gamma": distributions.gamma_losses,
    "exponential": distributions.exponential_losses,
    "uniform": distributions.uniform_losses,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousInputs:
    """h and p (money per unit and period), the distribution and its parameters; gamma's mean is shape·scale."""

    holding_cost: float = required(number(above=0))
    stockout_cost: float = required(number(above=0))
    distribution: str = required(choice(*_PARAMETERS))
    mu: float | None = optional(number())
    sigma: float | None = optional(number(above=0))
    shape: float | None = optional(number(above=0))
    scale: float | None = optional(number(above=0))
    mean: float | None = optional(number(above=0))
    lo: float | None = optional(number(at_least=0))
    hi: float | None = optional(number(above=0))

    def __post_init__(self) -> None:
        if self.lo is not None and self.hi is not None and self.hi <= self.lo:
            raise ParameterError("hi", "must be above lo")


def solve_newsvendor_continuous(inputs: ContinuousInputs) -> dict[str, float]:
    """S* = F⁻¹(p/(p+h)), cost h·n̄(S*) + p·n(S*). Snyder & Shen (4.24), (4.27).

    h = 1, p = 4, exponential of mean 10 → S* = 10·ln 5 = 16.094, which is also the cost.
    """
    others = {name for names in _PARAMETERS.values() for name in names}
    arguments = distribution_arguments(inputs, inputs.distribution, _PARAMETERS[inputs.distribution], others)
    stock = _quantile(inputs.distribution, arguments, inputs.stockout_cost, inputs.holding_cost)
    short, left = _LOSSES[inputs.distribution](stock, *arguments)
    return {"base_stock_level": stock, "cost": inputs.holding_cost * left + inputs.stockout_cost * short}


def _quantile(distribution: str, arguments: list[float], p: float, h: float) -> float:
    ratio, rest = p / (p + h), h / (p + h)
    if distribution == "lognormal":
        return math.exp(arguments[0] + arguments[1] * critical_score(p, h))
    if distribution == "gamma":
        from scipy.special import gammainccinv, gammaincinv

        inverse = gammainccinv(arguments[0], rest) if rest < ratio else gammaincinv(arguments[0], ratio)
        return float(arguments[1] * inverse)
    if distribution == "exponential":
        return arguments[0] * math.log1p(p / h)
    return arguments[0] + (arguments[1] - arguments[0]) * ratio


MODELS = (Model("newsvendor_continuous", ContinuousInputs, solve_newsvendor_continuous, "Snyder & Shen, section 4.3"),)
