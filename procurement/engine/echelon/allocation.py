"""Fair shares of scarce stock: every place ends up as likely to run out, weighted where some matter more.

The next unit always goes where a shortage is likeliest, weight included. As the probability P(D > x) is what the
expected shortage E[(D − x)⁺] loses with one more unit, this also makes Σ weight·shortage least (the
marginal condition of a convex sum).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace

from procurement.engine.errors import ParameterError
from procurement.engine.quantiles import QuantileCurve

_ROUNDS = 80


@dataclass(frozen=True, slots=True)
class Claim:
    """One place: its demand until the next delivery (probability → units), what it has, its pack and its weight."""

    key: str
    quantiles: Mapping[float, float]
    held: float = 0.0
    pack: float = 1.0
    weight: float = 1.0
    maximum: float = math.inf


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units for each claim in the order asked; `quantities` and `left_over` add up to what was there."""

    quantities: tuple[float, ...]
    left_over: float
    shortage_probabilities: tuple[float, ...]


def allocate(available: float, claims: Sequence[Claim]) -> Allocation:
    """Share `available` units among the claims, in whole packs, never less than nothing.

    Nobody gets what it has no use for (P(D > x) = 0) nor more than its `maximum`; that, and what fills no pack, is
    left over. Two like places, 10 units, one has 4 → 3 and 7.
    """
    _check(available, claims)
    curves = [QuantileCurve.through(claim.quantiles, f"claims[{claim.key}].quantiles") for claim in claims]
    given = _water_filled(available, claims, curves)
    left = available - math.fsum(given)
    queue = [
        (-_gain(claim, curve, got), n) for n, (claim, curve, got) in enumerate(zip(claims, curves, given, strict=True))
    ]
    heapify(queue)
    while queue and left > 0.0:
        value, n = queue[0]
        claim = claims[n]
        fits = claim.pack <= left + 1e-9 and given[n] + claim.pack <= claim.maximum + 1e-9
        if value >= 0.0:
            break
        if not fits:
            heapreplace(queue, (0.0, n))
            continue
        given[n] += claim.pack
        left -= claim.pack
        heapreplace(queue, (-_gain(claim, curves[n], given[n]), n))
    short = [
        1.0 - curve.probability_of_at_most(claim.held + got)
        for claim, curve, got in zip(claims, curves, given, strict=True)
    ]
    return Allocation(tuple(given), max(left, 0.0), tuple(short))


def _gain(claim: Claim, curve: QuantileCurve, given: float) -> float:
    """Weighted shortage one more pack avoids, a unit: weight·(n(x) − n(x + pack))/pack."""
    held = claim.held + given
    saved = curve.expected_shortage(held) - curve.expected_shortage(held + claim.pack)
    return claim.weight * saved / claim.pack if saved > 1e-12 else 0.0


def _water_filled(available: float, claims: Sequence[Claim], curves: Sequence[QuantileCurve]) -> list[float]:
    """Whole packs up to the level at which weight·P(D > x) is equal everywhere, a little below what is there."""
    low, high = 0.0, max((claim.weight for claim in claims), default=0.0)
    for _ in range(_ROUNDS):
        middle = 0.5 * (low + high)
        total = math.fsum(_share(claim, curve, middle) for claim, curve in zip(claims, curves, strict=True))
        low, high = (middle, high) if total > available else (low, middle)
    if high <= 1e-12:
        return [0.0] * len(claims)
    return [max(0.0, _share(claim, curve, high) - claim.pack) for claim, curve in zip(claims, curves, strict=True)]


def _share(claim: Claim, curve: QuantileCurve, rate: float) -> float:
    """The packs after which weight·P(D > x) has come down to `rate`, rounded down."""
    ratio = 1.0 - rate / claim.weight
    if ratio <= 0.0:
        return 0.0
    wanted = min(curve.quantile(min(ratio, 1.0 - 1e-15)) - claim.held, claim.maximum)
    return max(0.0, math.floor(wanted / claim.pack + 1e-9) * claim.pack)


def _check(available: float, claims: Sequence[Claim]) -> None:
    if not math.isfinite(available) or available < 0.0:
        raise ParameterError("available", "must be a number of units, at least 0")
    for claim in claims:
        for name, value, least in (("pack", claim.pack, 0.0), ("weight", claim.weight, 0.0)):
            if not math.isfinite(value) or value <= least:
                raise ParameterError(f"claims[{claim.key}].{name}", "must be above 0")
        if not math.isfinite(claim.held):
            raise ParameterError(f"claims[{claim.key}].held", "must be a finite number")
        if claim.maximum < 0.0:
            raise ParameterError(f"claims[{claim.key}].maximum", "must be at least 0")
