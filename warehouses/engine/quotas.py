"""Ring-fenced quotas: how much of one SKU a channel may take from each warehouse without breaking what is promised
to other channels.

A quota is so many units from ANY of the warehouses its channel is routed to, so the quotas of several channels over
several warehouses are feasible together exactly when no set of them asks for more than the warehouses it can reach
hold (Hall's condition; Gale 1957 for quantities).
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)
# Quotas with the same warehouses count as one; up to so many different ones every set is looked at: 2⁸ − 1 = 255.
EXACT_QUOTAS = 8


@dataclass(frozen=True, slots=True)
class Quota:
    """What remains of a channel's quota of the SKU, and the warehouses that may serve it."""

    channel: Hashable
    remaining: Decimal
    warehouses: frozenset[Hashable]


class Protection:
    """What one channel may take from each warehouse while the quotas of all others stay as feasible as they were.

    `free` is warehouse → free units, `others` the quotas of other channels, `own` the taking channel's own quota, if
    it has one. With slack(T) = free(warehouses reached by T) − quotas of T for every set T of the others and
    shortfall = max(0, max over T of −slack(T)), the units of quota that cannot be honoured any more,

        allowed(w) = min(free(w), shortfall + min of slack(T) over the T that reach w), at least 0

    is the most that can leave w without raising the shortfall. A channel with a quota of its own may also take what
    leaves the joint shortfall, its own quota included, as it is: where stock is less than the quotas together, quota
    holders are served as they come, and channels without a quota get nothing from there.

    Beyond 8 different sets of warehouses among the others, a flow takes the place of the sets: as exact, slower.

    Worked: A holds 10, B holds 4; a quota of 6 from {A}, one of 5 from {A, B}. A alone: 10 − 6 = 4, both:
    14 − 11 = 3 → 3 may leave A, or 3 may leave B (not 4: the second quota would need 2 of A's 4), and 3 in all.
    """

    def __init__(
        self, free: Mapping[Hashable, Decimal], others: Iterable[Quota] = (), own: Quota | None = None
    ) -> None:
        self.free = {warehouse: max(quantity, ZERO) for warehouse, quantity in free.items()}
        self.own_remaining = own.remaining if own else ZERO
        self._own_reach = own.warehouses.intersection(self.free) if own else frozenset()
        groups: dict[frozenset[Hashable], Decimal] = {}
        for quota in others:
            if quota.remaining > 0:
                reach = quota.warehouses.intersection(self.free)
                groups[reach] = groups.get(reach, ZERO) + quota.remaining
        self._groups = groups
        self._sets: list[tuple[frozenset[Hashable], Decimal]] | None = None
        if len(groups) <= EXACT_QUOTAS:
            self._sets = _unions(groups)

    def allowed(self, warehouse: Hashable) -> Decimal:
        """The most that may be taken from this warehouse now (alone: taking elsewhere changes it)."""
        free = self.free.get(warehouse, ZERO)
        if not free or not self._groups:
            return free
        slack = self._slack(warehouse)
        if slack is None:
            return free
        allowed = self._shortfall(own=False) + slack
        if self.own_remaining and warehouse in self._own_reach:
            allowed = max(allowed, min(self.own_remaining, self._shortfall(own=True) + slack))
        return max(ZERO, min(free, allowed))

    def take(self, warehouse: Hashable, quantity: Decimal) -> None:
        """Note that so many leave the warehouse, from the channel's own quota first. ValueError beyond `allowed`."""
        if not ZERO <= quantity <= self.allowed(warehouse):
            raise ValueError(f"{quantity} of {warehouse} is more than may be taken")
        if not quantity:
            return
        self.free[warehouse] -= quantity
        if warehouse in self._own_reach:
            self.own_remaining -= min(quantity, self.own_remaining)

    def allowed_together(self, warehouses: Iterable[Hashable]) -> dict[Hashable, Decimal]:
        """Caps that may ALL be used up at once, the first warehouse as much as possible, then the next, and so on.

        Their sum is the same in whatever order the warehouses come: what the channel may sell in all.
        """
        free, own = dict(self.free), self.own_remaining
        caps = {}
        for warehouse in warehouses:
            caps[warehouse] = self.allowed(warehouse)
            self.take(warehouse, caps[warehouse])
        self.free, self.own_remaining = free, own
        return caps

    def _slack(self, warehouse: Hashable) -> Decimal | None:
        """The least slack of the sets that reach the warehouse; None when none does."""
        if self._sets is not None:
            slacks = [self._held(reach) - asked for reach, asked in self._sets if warehouse in reach]
            return min(slacks) if slacks else None
        demands = list(self._groups.items())
        if not any(warehouse in reach for reach, _ in demands):
            return None
        taker = (frozenset([warehouse]), self.free[warehouse])
        possible = _flow([*demands, taker], self.free) - _flow(demands, self.free)
        # Where everything may be taken the slack is at least this much, which is all that matters.
        return possible - self._shortfall(own=False)

    def _shortfall(self, *, own: bool) -> Decimal:
        """Units of quota that cannot be honoured: of the others, or of the others and the channel's own together."""
        mine = (self._own_reach, self.own_remaining)
        if self._sets is None:
            demands = [*self._groups.items(), *([mine] if own else [])]
            return sum((asked for _, asked in demands), ZERO) - _flow(demands, self.free)
        worst = max((asked - self._held(reach) for reach, asked in self._sets), default=ZERO)
        if own:
            sets = [*self._sets, (frozenset(), ZERO)]
            worst = max([worst, *(asked + mine[1] - self._held(reach | mine[0]) for reach, asked in sets)])
        return max(worst, ZERO)

    def _held(self, warehouses: Iterable[Hashable]) -> Decimal:
        held = ZERO
        for warehouse in warehouses:
            held += self.free[warehouse]
        return held


def _unions(groups: Mapping[frozenset[Hashable], Decimal]) -> list[tuple[frozenset[Hashable], Decimal]]:
    """(warehouses reached, quotas asked) of every set of groups; where several reach the same, the most asked."""
    unions: dict[frozenset[Hashable], Decimal] = {}
    for reach, asked in groups.items():
        grown = dict(unions)
        for other, others_asked in [(frozenset(), ZERO), *unions.items()]:
            union, total = reach | other, asked + others_asked
            if total > grown.get(union, ZERO):
                grown[union] = total
        unions = grown
    return list(unions.items())


def _flow(demands: Iterable[tuple[frozenset[Hashable], Decimal]], free: Mapping[Hashable, Decimal]) -> Decimal:
    """The most units the demands can get at once, each from its own warehouses (Ford & Fulkerson, depth first)."""
    demands, left = list(demands), dict(free)
    given: dict[tuple[int, Hashable], Decimal] = {}

    def push(demand: int, wanted: Decimal, seen: set[Hashable]) -> Decimal:
        for warehouse in sorted(demands[demand][0] - seen, key=str):
            if warehouse in seen:
                continue
            seen.add(warehouse)
            moved = min(wanted, left[warehouse])
            if moved:
                left[warehouse] -= moved
            else:
                for other in range(len(demands)):
                    held = given.get((other, warehouse), ZERO)
                    if other != demand and held:
                        moved = push(other, min(wanted, held), seen)
                        if moved:
                            given[other, warehouse] -= moved
                            break
            if moved:
                given[demand, warehouse] = given.get((demand, warehouse), ZERO) + moved
                return moved
        return ZERO

    total = ZERO
    for demand, (_, asked) in enumerate(demands):
        wanted = asked
        while wanted:
            moved = push(demand, wanted, set())
            if not moved:
                break
            wanted -= moved
            total += moved
    return total
