"""What a given set of opened warehouses can serve, at the least cost of weight: the inner half of the sourcing choice.

Warehouses are numbers here, in rising order of cost per kg, so walking an opened set in order is walking it cheapest
first. Lines that share no SKU with another are independent; those that do form one `Shared` problem.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal

from warehouses.engine.sourcing_types import ZERO, Candidate, Line

Opened = tuple[int, ...]
Piece = tuple[int, int, Decimal]  # line, warehouse, quantity
Served = tuple[Decimal, Decimal, list[Piece]]  # units, cost of their weight, pieces
Stock = Mapping[tuple[Hashable, Hashable], Decimal]

# Steps of search that one choice may spend on lines and kits that compete for parts; beyond, the best found stands.
SEARCH_STEPS = 10_000


class Single:
    """One line that shares its stock with no other. `can[w]`: units (or whole kits) warehouse w could serve."""

    def __init__(self, place: int, line: Line, warehouses: Sequence[Candidate], free: Stock) -> None:
        self.place, self.splittable = place, line.splittable
        self.wanted = whole(line.quantity) if line.parts else line.quantity
        if line.parts:
            needs = needs_of(line)
            self.can = [kits_of(needs, {sku: free.get((sku, w.key), ZERO) for sku in needs}) for w in warehouses]
        else:
            sku = line.sku
            self.can = [max(free.get((sku, w.key), ZERO), ZERO) for w in warehouses]
        weight = line.weight_kg
        self.price = [weight * w.cost_per_kg for w in warehouses]

    def reach(self, w: int) -> bool:
        return self.can[w] > 0 and self.wanted > 0

    def ceiling(self, opened: Opened) -> Decimal:
        """No more than this can be served from the opened warehouses."""
        can, left = self.can, self.wanted
        for w in opened:
            left -= can[w]
            if left <= 0:
                return self.wanted
        return self.wanted - left

    def serve(self, opened: Opened, least: Decimal = ZERO) -> Served | None:
        """Most units, then least cost; None when that is less than `least`."""
        can, price, left = self.can, self.price, self.wanted
        if not self.splittable:
            opened = (min(opened, key=lambda w: (-min(can[w], left), price[w], w)),)
        cost, pieces = ZERO, []
        for w in opened:
            quantity = can[w]
            if quantity and left:
                if quantity > left:
                    quantity = left
                pieces.append((self.place, w, quantity))
                cost += quantity * price[w]
                left -= quantity
        units = self.wanted - left
        return None if units < least else (units, cost, pieces)

    def cheapest(self, opened: Opened) -> Decimal:
        return self.wanted * min(self.price[w] for w in opened)


class Shared:
    """Lines that compete for the same SKUs: plain lines of one SKU, kits with common parts, kits and plain lines.

    Only two things need search: how many kits each warehouse builds, and from which warehouse an unsplittable line
    leaves. With those fixed every SKU stands alone, and filling cheapest-first is exact (a polymatroid greedy: what a
    warehouse can only give to the lines tied to it goes first). The search is a branch and bound; it is exact within
    SEARCH_STEPS and afterwards keeps the best found, starting from as many kits as possible from the cheapest place.
    """

    def __init__(self, lines: Sequence[tuple[int, Line]], warehouses: Sequence[Candidate], free: Stock) -> None:
        self.lines = dict(lines)
        self.needs = {place: needs_of(line) for place, line in lines if line.parts}
        self.quantity = {p: whole(line.quantity) if line.parts else line.quantity for p, line in lines}
        self.wanted = sum(self.quantity.values(), ZERO)
        self.hard = [p for p, line in lines if line.parts] + [
            p for p, line in lines if not line.parts and not line.splittable
        ]
        self.plain: dict[Hashable, list[int]] = {}
        for place, line in lines:
            if not line.parts:
                self.plain.setdefault(line.sku, []).append(place)
        self.asked = {sku: sum((self.quantity[p] for p in places), ZERO) for sku, places in self.plain.items()}
        skus = dict.fromkeys(sku for _, line in lines for sku in line.skus)
        self.free = [{sku: max(free.get((sku, w.key), ZERO), ZERO) for sku in skus} for w in warehouses]
        self.price = {p: [line.weight_kg * w.cost_per_kg for w in warehouses] for p, line in lines}
        self.steps = 0

    def reach(self, w: int) -> bool:
        if any(self.free[w][sku] for sku in self.plain):
            return True
        return any(self.quantity[p] and kits_of(needs, self.free[w]) for p, needs in self.needs.items())

    def ceiling(self, opened: Opened) -> Decimal:
        units = self._plain_ceiling(opened, self.free)
        for place, needs in self.needs.items():
            units += min(self.quantity[place], sum((kits_of(needs, self.free[w]) for w in opened), ZERO))
        return units

    def cheapest(self, opened: Opened) -> Decimal:
        return sum((q * min(self.price[p][w] for w in opened) for p, q in self.quantity.items()), ZERO)

    def serve(self, opened: Opened, least: Decimal = ZERO) -> Served | None:
        """Most units, then least cost; None when that is less than `least`."""
        self.opened, self.least, self.reached_end = opened, least, False
        self.best: Served | None = None
        self.left = [dict(stock) for stock in self.free]
        self.pins: dict[int, int] = {}
        self.pieces: list[Piece] = []
        cheapest = {p: quantity * min(self.price[p][w] for w in opened) for p, quantity in self.quantity.items()}
        self.later = [ZERO]  # kits of the hard lines from here on, and the least that they and all plain lines cost
        self.later_cost = [sum((cost for p, cost in cheapest.items() if p not in self.needs), ZERO)]
        for p in reversed(self.hard):
            kits = p in self.needs
            self.later.insert(0, self.later[0] + (self.quantity[p] if kits else ZERO))
            self.later_cost.insert(0, self.later_cost[0] + (cheapest[p] if kits else ZERO))
        self._place(0, 0, None, ZERO, ZERO)
        return self.best

    def _plain_ceiling(self, opened: Opened, left: Sequence[Mapping[Hashable, Decimal]]) -> Decimal:
        units = ZERO
        for sku, asked in self.asked.items():
            stock = ZERO
            for w in opened:
                stock += left[w][sku]
            units += asked if asked < stock else stock
        return units

    def _hopeless(self, at: int, open_kits: Decimal, units: Decimal, cost: Decimal) -> bool:
        ceiling = units + open_kits + self.later[at] + self._plain_ceiling(self.opened, self.left)
        if self.best is None:
            return ceiling < self.least
        if ceiling != self.best[0]:
            return ceiling < self.best[0]
        return cost + (self.later_cost[at] if ceiling == self.wanted else ZERO) >= self.best[1]

    def _place(self, depth: int, turn: int, open_kits: Decimal | None, units: Decimal, cost: Decimal) -> None:
        """Decide hard line `depth`; a splittable kit goes from warehouse to warehouse (`turn`) with what is open."""
        self.steps += 1
        tired = self.steps > SEARCH_STEPS
        if tired and self.reached_end:
            return
        if depth == len(self.hard):
            self._fill(units, cost)
            return
        place = self.hard[depth]
        still = self.quantity[place] if open_kits is None else open_kits
        kits = place in self.needs
        if not tired and self._hopeless(depth + 1, still if kits else ZERO, units, cost):
            return
        if not kits:
            sku = self.lines[place].sku
            filled = [w for w in self.opened if self.left[w][sku]]
            for w in sorted(filled, key=lambda w: -min(self.left[w][sku], still)) or self.opened[:1]:
                self.pins[place] = w
                self._place(depth + 1, 0, None, units, cost)
            del self.pins[place]
        elif not self.lines[place].splittable:
            needs = self.needs[place]

            def all_from_here(count: Decimal, spent: Decimal) -> None:
                self._place(depth + 1, 0, None, units + count, cost + spent)

            for w in sorted(self.opened, key=lambda w: -min(kits_of(needs, self.left[w]), still)):
                self._build(place, w, still, 1, all_from_here)
            self._place(depth + 1, 0, None, units, cost)
        elif turn == len(self.opened) or not still:
            self._place(depth + 1, 0, None, units, cost)
        else:

            def some_from_here(count: Decimal, spent: Decimal) -> None:
                self._place(depth, turn + 1, still - count, units + count, cost + spent)

            self._build(place, self.opened[turn], still, 0, some_from_here)

    def _build(
        self, place: int, w: int, still: Decimal, fewest: int, go_on: Callable[[Decimal, Decimal], None]
    ) -> None:
        """Try every number of kits here, the most first, and go on with each."""
        needs, left, price = self.needs[place], self.left[w], self.price[place][w]
        for number in range(int(min(still, kits_of(needs, left))), fewest - 1, -1):
            count = Decimal(number)
            if count:
                for sku, each in needs.items():
                    left[sku] -= each * count
                self.pieces.append((place, w, count))
            go_on(count, price * count)
            if count:
                self.pieces.pop()
                for sku, each in needs.items():
                    left[sku] += each * count

    def _fill(self, units: Decimal, cost: Decimal) -> None:
        """Give every SKU's remaining stock to its plain lines, cheapest warehouse first, and keep the best."""
        self.reached_end = True
        pieces = list(self.pieces)
        for sku, places in self.plain.items():
            want = {p: self.quantity[p] for p in places}
            for w in self.opened:
                stock = self.left[w][sku]
                if not stock:
                    continue
                tied = [p for p in places if self.pins.get(p) == w]
                for p in (*tied, *(p for p in places if p not in self.pins)):
                    quantity = min(stock, want[p])
                    if quantity:
                        pieces.append((p, w, quantity))
                        units += quantity
                        cost += quantity * self.price[p][w]
                        want[p] -= quantity
                        stock -= quantity
        best = self.best
        if units >= self.least if best is None else (-units, cost) < (-best[0], best[1]):
            self.best = (units, cost, pieces)


def independent_groups(lines: Sequence[Line], warehouses: Sequence[Candidate], free: Stock) -> list[Single | Shared]:
    """The order taken apart into groups of lines that share no SKU."""
    if len(lines) == 1:
        return [Single(0, lines[0], warehouses, free)]
    groups: list[tuple[set[Hashable], list[int]]] = []
    for place, line in enumerate(lines):
        skus, members = set(line.skus), [place]
        apart = []
        for other_skus, others in groups:
            if skus & other_skus:
                skus |= other_skus
                members += others
            else:
                apart.append((other_skus, others))
        groups = [*apart, (skus, members)]
    return [
        Single(members[0], lines[members[0]], warehouses, free)
        if len(members) == 1
        else Shared([(p, lines[p]) for p in sorted(members)], warehouses, free)
        for _, members in sorted(groups, key=lambda group: min(group[1]))
    ]


def needs_of(line: Line) -> dict[Hashable, Decimal]:
    """What one kit takes of each SKU; a SKU named twice adds up."""
    needs: dict[Hashable, Decimal] = {}
    for sku, quantity in line.parts:
        needs[sku] = needs.get(sku, ZERO) + quantity
    return {sku: quantity for sku, quantity in needs.items() if quantity > 0}


def kits_of(needs: Mapping[Hashable, Decimal], stock: Mapping[Hashable, Decimal]) -> Decimal:
    """How many whole kits the stock of one warehouse makes."""
    return max(min((stock[sku] // each for sku, each in needs.items()), default=ZERO), ZERO)


def whole(quantity: Decimal) -> Decimal:
    return quantity // 1
