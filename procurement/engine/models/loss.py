"""The loss function as a model of its own: expected units short and expected units left over at a stock of x."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from procurement.engine import distributions
from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import choice, number, optional, required
from procurement.engine.poisson import poisson_losses

#: distribution → its loss function and the names of its parameters, in the order the function takes them.
_LOSSES: dict[str, tuple[Callable[..., distributions.Losses], tuple[str, ...]]] = {
    "standard_normal": (distributions.standard_normal_losses, ("z",)),
    "normal": (distributions.normal_losses, ("x", "mean", "sd")),
    "poisson": (poisson_losses, ("x", "mean")),
    "negative_binomial": (distributions.negative_binomial_losses, ("x", "r", "p")),
    "gamma": (distributions.gamma_losses, ("x", "shape", "scale")),
    "lognormal": (distributions.lognormal_losses, ("x", "mu", "sigma")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LossInputs:
    """The distribution, the point, and the parameters of that distribution and of no other."""

    distribution: str = required(choice(*_LOSSES))
    x: float | None = optional(number())
    z: float | None = optional(number())
    mean: float | None = optional(number(at_least=0))
    sd: float | None = optional(number(at_least=0))
    r: float | None = optional(number(above=0))
    p: float | None = optional(number(above=0, at_most=1))
    shape: float | None = optional(number(above=0))
    scale: float | None = optional(number(above=0))
    mu: float | None = optional(number())
    sigma: float | None = optional(number(above=0))


def distribution_arguments(inputs: Any, distribution: str, names: tuple[str, ...], others: set[str]) -> list[float]:
    """The values of `names`; raises for one that is missing and for a parameter of another distribution."""
    for name in names:
        if getattr(inputs, name) is None:
            raise ParameterError(name, f"is missing: the {distribution} distribution needs {', '.join(names)}")
    for name in sorted(others - set(names)):
        if getattr(inputs, name) is not None:
            raise ParameterError(name, f"is not a parameter of the {distribution} distribution")
    return [getattr(inputs, name) for name in names]


def solve_loss(inputs: LossInputs) -> dict[str, float]:
    """n = E[(D − x)⁺], n_bar = E[(x − D)⁺]; for the standard normal the point is `z`. z = 0.3 → n = 0.2668."""
    function, names = _LOSSES[inputs.distribution]
    others = {name for _, parameters in _LOSSES.values() for name in parameters}
    loss, complement = function(*distribution_arguments(inputs, inputs.distribution, names, others))
    return {"n": loss, "n_bar": complement}


MODELS = (Model("loss_function", LossInputs, solve_loss, "Snyder & Shen, appendix C.3"),)
