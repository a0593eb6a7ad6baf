"""An interval that holds at every look at once, so that peeking does no harm.

With I = 1/error² the likelihood ratio of a normal mixture over effects, N(0, τ²), against no effect is
Λ = (1 + Iτ²)^(−½)·exp(I²τ²δ̂²/(2(1 + Iτ²))); P(Λ ever ≥ 1/α) ≤ α without an effect (Ville). So p = min 1/Λ over the
looks, and the interval is δ̂ ± √(2(1 + Iτ²)/(I²τ²)·ln(√(1 + Iτ²)/α)). Source: Robbins (1970), Annals of Mathematical
Statistics 41; Johari, Koomen, Pekelis & Walsh (2022), Operations Research 70; τ as in Waudby-Smith et al. (2024),
Annals of Statistics 52, section 2.4.
"""

from dataclasses import dataclass
from math import exp, inf, log, sqrt

from procurement.engine.errors import ParameterError


@dataclass(frozen=True, slots=True)
class AlwaysValid:
    """Bounds of the effect, and the p-value so far (never rises from look to look)."""

    low: float
    high: float
    p_value: float


def mixture_variance(planned_error: float, alpha: float) -> float:
    """τ² that makes the interval narrowest when the standard error has come down to `planned_error`.

    Fixed before the first look. planned_error = 1, α = 0.05 → 7.936.
    """
    if not planned_error > 0.0:
        raise ParameterError("planned_error", "must be above 0")
    _check_alpha(alpha)
    chance = -2.0 * log(alpha)
    return planned_error**2 * (chance + log(chance + 1.0))


def always_valid(
    effect: float, error: float, *, variance: float, alpha: float = 0.05, p_before: float = 1.0
) -> AlwaysValid:
    """One look; `variance` is τ², `p_before` what the last look left.

    Without spread (error 0: every item did the same) the effect is what it is. effect 0, error 1, τ² = 7.936,
    α = 0.05 → ± 3.035 and p = 1, where a single look would say ± 1.960.
    """
    if not error >= 0.0:
        raise ParameterError("error", "must be at least 0")
    if not variance > 0.0:
        raise ParameterError("variance", "must be above 0")
    _check_alpha(alpha)
    if error == 0.0:
        return AlwaysValid(effect, effect, p_before if effect == 0.0 else 0.0)
    information = error**-2
    if not information < inf:
        return AlwaysValid(effect, effect, p_before)
    grown = 1.0 + information * variance
    reach = sqrt(2.0 * grown / (information**2 * variance) * log(sqrt(grown) / alpha))
    power = min(information**2 * variance * effect**2 / (2.0 * grown), 700.0)
    p_now = min(1.0, sqrt(grown) * exp(-power))
    return AlwaysValid(effect - reach, effect + reach, min(p_before, p_now))


def _check_alpha(alpha: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise ParameterError("alpha", f"must lie strictly between 0 and 1, not {alpha:g}")
