"""Who gets what when there is less than is asked: by priority, in fair shares, or fair shares class by class.

All rules conserve: what is given is at most what is there and nobody gets more than asked. Whole units stay whole
where the quantity asked is whole; otherwise quantities have three decimals. All are independent of the claims' order.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from itertools import groupby

ZERO, ONE, THOUSANDTH = Decimal(0), Decimal(1), Decimal("0.001")
Shares = dict[Hashable, Decimal]


@dataclass(frozen=True, slots=True)
class Claim:
    """`asked` units for `key` (unique: an order line, a channel). The smallest `priority` comes first; of the same
    priority the earliest `ordered_at`, then the smallest key by its text."""

    key: Hashable
    asked: Decimal
    ordered_at: datetime
    priority: int = 0

    @property
    def turn(self) -> tuple[int, datetime, str]:
        return self.priority, self.ordered_at, str(self.key)


def by_priority(available: Decimal, claims: Iterable[Claim]) -> Shares:
    """Serve the claims wholly one after the other, by priority, then by time of order; the last may get a part.

    Worked: 10 for claims of 6, 6 and 6 → 6, 4, 0.
    """
    left, shares = max(available, ZERO), {}
    for claim in sorted(claims, key=lambda claim: claim.turn):
        step = _step(claim)
        shares[claim.key] = claim.asked if claim.asked <= left else left // step * step
        left -= shares[claim.key]
    return shares


def fair_share(available: Decimal, claims: Iterable[Claim]) -> Shares:
    """Share in proportion to what is asked: asked · available ÷ Σ asked, rounded down, the rest by largest remainder.

    A remainder counts in proportion to the claim's unit (1 or 0.001); equal ones go by turn. Of what is there nothing
    is left but less than one unit of every claim still open. Source: Hamilton's method of apportionment.
    Worked: 10 for claims of 9, 6 and 3 → exactly 5, 3⅓ and 1⅔ → 5, 3, 2.
    """
    ordered = sorted(claims, key=lambda claim: claim.turn)
    total = sum((claim.asked for claim in ordered), ZERO)
    if total <= available:
        return {claim.key: claim.asked for claim in ordered}
    left = max(available, ZERO)
    shares, remainders = {}, {}
    for claim in ordered:
        exact, step = claim.asked * max(available, ZERO) / total, _step(claim)
        shares[claim.key] = exact.quantize(step, ROUND_FLOOR)
        remainders[claim.key] = (exact - shares[claim.key]) / step
        left -= shares[claim.key]
    by_remainder = sorted(ordered, key=lambda claim: -remainders[claim.key])
    for at_most in (_step, _open(shares)):  # one unit each; then whatever still fits, where units differ in size
        for claim in by_remainder:
            step = _step(claim)
            more = min(at_most(claim), claim.asked - shares[claim.key], left // step * step)
            shares[claim.key] += more
            left -= more
    return shares


def fair_share_by_class(available: Decimal, claims: Iterable[Claim]) -> Shares:
    """Serve one priority after the other; the claims of the priority that is not fully served share fairly.

    Worked: 10 for 4 of the first priority and 9 and 3 of the second → 4; 6 in proportion 9 : 3 → 4.5, 1.5 → 5, 1.
    """
    left, shares = available, {}
    ordered: Sequence[Claim] = sorted(claims, key=lambda claim: claim.turn)
    for _, alike in groupby(ordered, key=lambda claim: claim.priority):
        given = fair_share(left, alike)
        shares.update(given)
        left -= sum(given.values(), ZERO)
    return shares


def _step(claim: Claim) -> Decimal:
    return ONE if claim.asked == claim.asked // 1 else THOUSANDTH


def _open(shares: Shares) -> Callable[[Claim], Decimal]:
    return lambda claim: claim.asked - shares[claim.key]
