"""Which warehouses serve an order: as many units as can be, then at the least cost, in the fewest parcels, by rank."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from warehouses.engine.assignment import Opened, Piece, Shared, Single, Stock, independent_groups
from warehouses.engine.sourcing_types import ZERO, Candidate, Line, Part, Reason, Sourcing, Waiting

# Up to so many warehouses every set of them is looked at: 2⁸ − 1 = 255.
EXACT_WAREHOUSES = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """What one set of warehouses makes of the order. Plans are compared by `key`: the smallest is the best."""

    units: Decimal
    cost: Decimal
    used: Opened
    pieces: list[Piece]
    key: tuple[Decimal, Decimal, int, list[tuple[int, int]]]


def choose_sources(
    lines: Sequence[Line],
    warehouses: Sequence[Candidate],
    free: Stock,
    *,
    split_penalty: Decimal = ZERO,
    may_split: bool = True,
) -> Sourcing:
    """Choose where each line of an order leaves from. `free` is (SKU, warehouse) → units that may be taken.

    Lexicographic: the most units served (a kit counts as one), then the least cost
    Σ parcels (parcel_cost + cost_per_kg · kg) + split_penalty · (parcels − 1), then the fewest parcels, then the
    smallest ranks. Each warehouse that serves sends one parcel. `may_split` False: one warehouse serves the order.

    Exact up to 8 usable warehouses (all sets of them, each with its optimal inner assignment; kits and unsplittable
    lines that compete for stock are searched, see `assignment.Shared`), and for unsplit orders always. Beyond 8: from
    the best single warehouse, add, drop or swap one as long as the plan gets better. A warehouse's presence in `free`,
    even with 0, means that it carries the SKU: what cannot be served waits at the first of those by rank.

    Source: the order-fulfilment (set-covering with fixed charges) model of Xu, Allgor & Graves (2009), M&SOM 11.
    Worked: 3 units of 2 kg; A has 2 (4.00 + 1.00 a kg), B has 3 (6.00 + 1.00 a kg) → B alone, 12.00; A and B would
    cost 4 + 6 + 6 = 16.00 and the penalty.
    """
    return _Choice(lines, warehouses, free, split_penalty, may_split).made()


class _Choice:
    def __init__(
        self, lines: Sequence[Line], warehouses: Sequence[Candidate], free: Stock, penalty: Decimal, may_split: bool
    ) -> None:
        self.lines = [line for line in lines if line.quantity > 0]
        self.given, self.free, self.penalty, self.may_split = warehouses, free, penalty, may_split
        usable = [(w.cost_per_kg, w.rank, at) for at, w in enumerate(warehouses) if w.routed and w.has_capacity]
        usable.sort()
        self.open = [warehouses[at] for _, _, at in usable]
        self.order = [(rank, at) for _, rank, at in usable]
        self.groups: list[Single | Shared] = independent_groups(self.lines, self.open, free) if self.lines else []
        self.reachable = tuple(w for w in range(len(self.open)) if any(group.reach(w) for group in self.groups))
        self.plan = Plan(ZERO, ZERO, (), [], (ZERO, ZERO, 0, []))
        self.runner_up: Plan | None = None
        self.singles: dict[int, Plan] = {}

    def made(self) -> Sourcing:
        if self.reachable:
            for w in self.reachable:
                single = self._evaluated((w,))
                if single is not None:
                    self.singles[w] = single
                    self._consider(single)
            if self.may_split and len(self.reachable) > 1:
                if len(self.reachable) <= EXACT_WAREHOUSES:
                    self._try_every_set()
                else:
                    self._improve()
        parts = self._parts()
        waiting = self._waiting(parts)
        return Sourcing(parts, waiting, self.plan.cost, self._reasons(waiting))

    def _evaluated(self, opened: Opened, least: Sequence[Decimal] = ()) -> Plan | None:
        units = cost = ZERO
        pieces: list[Piece] = []
        for at, group in enumerate(self.groups):
            served = group.serve(opened, least[at]) if least else group.serve(opened)
            if served is None:
                return None
            units += served[0]
            cost += served[1]
            pieces += served[2]
        used = tuple(sorted({w for _, w, _ in pieces}))
        for w in used:
            cost += self.open[w].parcel_cost
        if len(used) > 1:
            cost += self.penalty * (len(used) - 1)
        return Plan(units, cost, used, pieces, (-units, cost, len(used), sorted(self.order[w] for w in used)))

    def _consider(self, plan: Plan) -> bool:
        """Keep the plan when it is the best so far, or the best but one among other sets."""
        if not self.plan.used or plan.key < self.plan.key:
            if self.plan.used and self.plan.used != plan.used:
                self.runner_up = self.plan
            self.plan = plan
            return True
        if plan.used and plan.used != self.plan.used and (self.runner_up is None or plan.key < self.runner_up.key):
            self.runner_up = plan
        return False

    def _try_every_set(self) -> None:
        """Sets of two and more, the small ones first; most fall to a bound on their cost before they are worked out."""
        most = [group.wanted for group in self.groups]
        wanted = sum(most, ZERO)
        if self.plan.units < wanted:
            everything = [group.serve(self.reachable) for group in self.groups]
            most = [served[0] if served else ZERO for served in everything]
            plan = self._evaluated(self.reachable)
            if plan is not None:
                self._consider(plan)
        target = sum(most, ZERO)
        weight_cost = sum((group.cheapest(self.reachable) for group in self.groups), ZERO) if target == wanted else ZERO
        fixed = {w: self.open[w].parcel_cost + self.penalty for w in self.reachable}
        rising = sorted(fixed.values())
        base = weight_cost - self.penalty
        for size in range(2, len(self.reachable) + 1):
            complete = self.plan.units == target
            if complete and base + sum(rising[:size], ZERO) >= self.plan.cost and size > len(self.plan.used):
                continue
            for opened in combinations(self.reachable, size):
                if self.plan.units == target:
                    floor = sum((fixed[w] for w in opened), base)
                    if floor > self.plan.cost or (floor == self.plan.cost and size > len(self.plan.used)):
                        continue
                if all(group.ceiling(opened) >= need for group, need in zip(self.groups, most, strict=True)):
                    plan = self._evaluated(opened, most)
                    if plan is not None:
                        self._consider(plan)

    def _improve(self) -> None:
        """The heuristic for many warehouses: add, drop or swap one warehouse, taking the best step until none helps."""
        improved = True
        while improved:
            improved = False
            now = self.plan.used
            outside = [w for w in self.reachable if w not in now]
            steps = [(*now, w) for w in outside]
            steps += [tuple(v for v in now if v != gone) for gone in now if len(now) > 1]
            steps += [(*(v for v in now if v != gone), w) for gone in now for w in outside]
            for opened in steps:
                plan = self._evaluated(tuple(sorted(opened)))
                if plan is not None and self._consider(plan):
                    improved = True

    def _parts(self) -> tuple[Part, ...]:
        if len(self.plan.pieces) > 1:
            self.plan.pieces.sort(key=lambda piece: (piece[0], self.order[piece[1]]))
        return tuple(Part(self.lines[p].key, self.open[w].key, quantity) for p, w, quantity in self.plan.pieces)

    def _waiting(self, parts: Iterable[Part]) -> tuple[Waiting, ...]:
        missing = {at: line.quantity for at, line in enumerate(self.lines)}
        serving: dict[int, int] = {}
        for p, w, quantity in self.plan.pieces:  # sorted by rank, so the first is the first in rank
            missing[p] -= quantity
            serving.setdefault(p, w)
        if not any(missing.values()):
            return ()
        routed = sorted((w for w in self.given if w.routed), key=lambda w: w.rank)
        together = None
        if not self.may_split and routed:
            together = min(routed, key=lambda w: -sum(self._carries(w, line) for line in self.lines)).key
            if self.plan.used:
                together = self.open[self.plan.used[0]].key
        waiting = []
        for at, line in enumerate(self.lines):
            if missing[at]:
                place: Hashable | None = together
                if at in serving:
                    place = self.open[serving[at]].key
                elif together is None:
                    place = next((w.key for w in routed if self._carries(w, line)), routed[0].key if routed else None)
                waiting.append(Waiting(line.key, place, missing[at]))
        return tuple(waiting)

    def _carries(self, warehouse: Candidate, line: Line) -> bool:
        return all((sku, warehouse.key) in self.free for sku in line.skus)

    def _reasons(self, waiting: Iterable[Waiting]) -> tuple[Reason, ...]:
        reasons = []
        plan, number = self.plan, {self.order[w][1]: w for w in range(len(self.open))}
        for w in sorted(plan.used, key=self.order.__getitem__):
            units = cost = ZERO
            for p, at, quantity in plan.pieces:
                if at == w:
                    units += quantity
                    cost += quantity * self.lines[p].weight_kg
            warehouse = self.open[w]
            cost = warehouse.parcel_cost + cost * warehouse.cost_per_kg
            reasons.append(Reason("chosen", {"warehouse": warehouse.key, "units": units, "cost": cost}))
        if self.runner_up is not None:
            other = self.runner_up
            keys = tuple(self.open[w].key for w in other.used)
            reasons.append(Reason("alternative", {"warehouses": keys, "units": other.units, "cost": other.cost}))
        for at, warehouse in enumerate(self.given):
            if number.get(at) not in plan.used:
                reasons.append(self._skipped(warehouse, number.get(at)))
        for rest in waiting:
            params = {"line": rest.line, "warehouse": rest.warehouse, "quantity": rest.quantity}
            reasons.append(Reason("waits", params))
        return tuple(reasons)

    def _skipped(self, warehouse: Candidate, number: int | None) -> Reason:
        """Why a warehouse that could have been chosen sends nothing."""
        params: dict[str, object] = {"warehouse": warehouse.key}
        if number is None:
            return Reason("no_capacity" if warehouse.routed else "not_routed", params)
        alone = self.singles.get(number)
        if alone is None:
            return Reason("no_stock", params)
        if alone.units < self.plan.units or len(self.plan.used) > 1:
            params["units"] = alone.units
            return Reason("would_add_parcel" if self.may_split else "serves_less", params)
        params["cost"] = alone.cost
        return Reason("costs_more" if alone.cost > self.plan.cost else "ranks_later", params)
