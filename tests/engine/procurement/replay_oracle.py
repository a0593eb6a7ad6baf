"""The replay written a second time, slowly: one item, one scenario, plain lists, nothing shared with the engine."""

from dataclasses import dataclass, field
from itertools import pairwise

TINY = 1e-9


@dataclass
class Slow:
    """State and counts of one item."""

    shelves: list = field(default_factory=list)  # [day received, units], oldest first
    coming: list = field(default_factory=list)  # [day due, units]
    owed: float = 0.0
    demand: float = 0.0
    served: float = 0.0
    short: float = 0.0
    stock_days: float = 0.0
    backorder_days: float = 0.0
    orders: int = 0
    units_ordered: float = 0.0
    wasted: float = 0.0
    stockout_days: int = 0
    empty_days: int = 0
    receipts: list = field(default_factory=list)
    bad_days: list = field(default_factory=list)

    @property
    def on_hand(self):
        return sum(units for _, units in self.shelves)

    @property
    def position(self):
        return self.on_hand + sum(units for _, units in self.coming) - self.owed

    def receive(self, day, units):
        if units <= 0:
            return
        self.receipts.append(day)
        paid = min(units, self.owed)
        self.owed -= paid
        self.shelves.append([day, units - paid])

    def sell(self, units):
        left = units
        for shelf in self.shelves:
            taken = min(left, shelf[1])
            shelf[1] -= taken
            left -= taken
        return units - left


def wanted(position, s, S, lot, at_point, minimum, pack, maximum):
    if not (position < s - TINY or (at_point and position <= s + TINY)):
        return 0.0
    if lot:
        quantity = lot
        while position + quantity < s - TINY or (at_point and position + quantity <= s + TINY):
            quantity += lot
    else:
        quantity = S - position
    if quantity <= TINY:
        return 0.0
    quantity = max(quantity, minimum)
    if pack:
        packs = 0
        while packs * pack < quantity - TINY:
            packs += 1
        quantity = packs * pack
    if position + quantity > maximum + TINY:
        room = maximum - position
        if pack:
            packs = 0
            while (packs + 1) * pack <= room + TINY:
                packs += 1
            room = packs * pack
        quantity = room if room > TINY and room >= minimum else 0.0
    return quantity


def slow_replay(demand, level_at, lead_time_of, *, review=1, offset=0, lost=True, at_point=False, minimum=0.0,
                pack=0.0, maximum=float("inf"), life=0, opening=0.0, pipeline=(), warm_up=0, cross=True,
                mean_lead=0):  # fmt: skip
    """`level_at(day)` → s, S, lot; `lead_time_of(day)` → days. Returns counts by the engine's names."""
    it = Slow(shelves=[[0, opening]], coming=[[day, units] for day, units in enumerate(pipeline) if units > 0])
    for day, asked in enumerate(demand):
        before = day < warm_up
        arrived = sum(units for due, units in it.coming if due == day)
        it.coming = [c for c in it.coming if c[0] != day]
        if day >= offset and (day - offset) % review == 0:
            it.coming.append([day, arrived])
            units = wanted(it.position, *level_at(day), at_point, minimum, pack, maximum)
            it.coming.pop()
            if units > 0:
                it.orders += not before
                it.units_ordered += 0 if before else units
                due = day + lead_time_of(day)
                if not cross:
                    due = max([due] + [c[0] for c in it.coming])
                if due == day:
                    arrived += units
                else:
                    it.coming.append([due, units])
        it.receive(day, arrived)
        sold = it.sell(asked)
        lacking = asked - sold
        if lacking <= TINY:
            sold, lacking = asked, 0.0
        if not lost:
            it.owed += lacking
        thrown = 0.0
        if life:
            thrown = sum(u for d, u in it.shelves if day - d + 1 >= life)
            it.shelves = [[d, u] for d, u in it.shelves if day - d + 1 < life]
        if lacking > 0 or it.owed > TINY:
            it.bad_days.append(day)
        if not before:
            it.demand += asked
            it.served += sold
            it.short += lacking
            it.stock_days += it.on_hand
            it.backorder_days += it.owed
            it.wasted += thrown
            it.stockout_days += lacking > 0
            it.empty_days += it.on_hand <= 0
    return counted(it, len(demand), review, offset + mean_lead, warm_up)


def counted(it, days, review, first, warm_up):
    receipts = sorted({day for day in it.receipts if day >= warm_up})
    cycles = list(pairwise(receipts))
    starts = [day for day in range(first, days + 1, review) if day >= warm_up]
    intervals = list(pairwise(starts))

    def short(spans):
        return sum(any(begin <= day < end for day in it.bad_days) for begin, end in spans)

    names = ("demand", "served", "short", "stock_days", "backorder_days", "orders", "units_ordered", "wasted",
             "stockout_days", "empty_days")  # fmt: skip
    return {name: float(getattr(it, name)) for name in names} | {
        "cycles": len(cycles),
        "cycles_short": short(cycles),
        "intervals": len(intervals),
        "intervals_short": short(intervals),
        "closing_stock": it.on_hand,
        "closing_on_order": sum(units for _, units in it.coming),
    }
