"""Stock of the demo company, day by day: what demand could be served, what was bought, what arrived and what moved.

A day: deliveries and returns come in (morning), counts and breakages are booked, sales take what is there, and on a
supplier's review day the planner orders. Sales are served in order of time; the last line may be served in part and
what is not served is lost (no backorders).
"""

from dataclasses import dataclass, field

import numpy as np

from procurement.demo.baskets import Wanted, returned_quantity
from procurement.demo.demand import Season, SkuTraits
from procurement.demo.partners import WAREHOUSES, Supplier
from procurement.demo.policy import LESSON_DAYS, DemandMemory, Levels
from procurement.demo.sourcing import Sourcing, draw_trouble

LATEST_ORDER_GAP_DAYS = 3  # nobody has ordered in the last days of the history: the new planner has work to do
OVERBOUGHT_SKUS = 9


@dataclass(frozen=True, slots=True)
class PlannedReceipt:
    day: int
    po: int
    line: int
    quantity: int


@dataclass(slots=True)
class PurchaseLog:
    """What the simulation writes down; days are offsets from the first day, −1 = not (yet)."""

    # supplier, warehouse, ordered, confirmed, requested, promised, completed, cancelled
    heads: list[tuple[int, int, int, int, int, int, int, int]] = field(default_factory=list)
    lines: list[tuple[int, int, int, int]] = field(default_factory=list)  # po, sku, quantity, unit cost in pence
    receipts: list[PlannedReceipt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SupplyResult:
    served: np.ndarray  # per wanted line
    opening: np.ndarray  # per stock key
    available_at_close: np.ndarray  # key × day, after sales, not counting what is sold but not yet shipped
    adjustments: np.ndarray  # rows (day, key, signed quantity, 1 if breakage)
    on_order: np.ndarray  # per key, at the end
    reorder_point: np.ndarray  # the old policy's, at the end
    log: PurchaseLog


class SupplySimulation:
    """State of the two years; `run` steps through the days once."""

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        traits: SkuTraits,
        season: Season,
        wanted: Wanted,
        suppliers: tuple[Supplier, ...],
        sourcing: Sourcing,
        buy_from_day: np.ndarray,
        buy_until_day: np.ndarray,
        working_days: np.ndarray,
        history_days: int,
        first_weekday: int,
    ) -> None:
        self.rng, self.suppliers, self.sourcing, self.wanted = rng, suppliers, sourcing, wanted
        self.days, self.first_weekday, self.working_days = history_days, first_weekday, working_days
        width = len(WAREHOUSES)
        keys = len(sourcing.supplier) * width
        self.ranged = (traits.route.sum(axis=1) > 0).ravel()
        self.buy_from, self.buy_until = buy_from_day.repeat(width), buy_until_day.repeat(width)
        self.rank = (traits.units_per_day.argsort().argsort() / (len(sourcing.supplier) - 1)).repeat(width)
        self.memory = DemandMemory(traits=traits, season=season, lesson_day=history_days - LESSON_DAYS)
        self.inbound = np.zeros((history_days, keys), dtype=np.int64)
        self.leaves_order = np.zeros((history_days, keys), dtype=np.int64)
        self.restock = np.zeros((history_days, keys), dtype=np.int64)
        self.on_order = np.zeros(keys, dtype=np.int64)
        self.available = np.zeros(keys, dtype=np.int64)
        self.log = PurchaseLog()
        self.sd = np.array([s.actual_lead_time_shape**0.5 * s.actual_lead_time_scale for s in suppliers])
        self.review = np.array([s.review_days for s in suppliers])
        self.trouble = draw_trouble(rng, suppliers, history_days)
        self.overbought = set(rng.choice(len(sourcing.supplier), OVERBOUGHT_SKUS, replace=False).tolist())

    def run(self) -> SupplyResult:
        wanted, days = self.wanted, self.days
        key = wanted.key
        demand = ~wanted.cancelled
        served = np.zeros(len(key), dtype=np.int64)
        edges = np.searchsorted(wanted.day, np.arange(days + 1))
        closing = np.zeros((len(self.available), days), dtype=np.int32)
        self._open_stock()
        opening = self.available.copy()
        booked: list[tuple[int, int, int, int]] = []
        for day in range(days):
            self.available += self.inbound[day] + self.restock[day]
            self.on_order -= self.leaves_order[day]
            booked += self._book_differences(day)
            today = slice(edges[day], edges[day + 1])
            served[today] = self._serve(key[today], np.where(demand[today], wanted.quantity[today], 0), day, today)
            sold = np.bincount(key[today], served[today], len(self.available))
            self.memory.learn(sold, (self.available > 0) & (day >= self.buy_from) & self.ranged)
            closing[:, day] = self.available
            if day < days - LATEST_ORDER_GAP_DAYS:
                self._review(day)
        levels = self._levels(np.arange(len(self.available)), 0, days - 1)
        return SupplyResult(
            served=served,
            opening=opening,
            available_at_close=closing,
            adjustments=np.array(booked, dtype=np.int64).reshape(-1, 4),
            on_order=self.on_order,
            reorder_point=np.where(self.ranged & (self.buy_until > days), levels.reorder_point, 0).astype(np.int64),
            log=self.log,
        )

    def _open_stock(self) -> None:
        levels = self._levels(np.arange(len(self.available)), 0, 0)
        between = self.rng.uniform(0.35, 1.1, len(self.available))
        start = levels.reorder_point + between * (levels.order_up_to - levels.reorder_point)
        self.available = np.where(self.ranged & (self.buy_from <= 0), np.ceil(start), 0).astype(np.int64)

    def _levels(self, keys: np.ndarray, source: int, day: int) -> Levels:
        sku = keys // len(WAREHOUSES)
        supplier = self.sourcing.supplier[sku, source]
        protection = self.sourcing.lead_time_days[sku, source] + self.review[supplier]
        return self.memory.levels(
            keys, day=day, protection_days=protection, lead_time_sd=self.sd[supplier], rank=self.rank[keys]
        )

    def _serve(self, key: np.ndarray, quantity: np.ndarray, day: int, today: slice) -> np.ndarray:
        """First come, first served within each key (lines stand in that order); books the later returns as well."""
        if not len(key):
            return quantity
        before = np.cumsum(quantity) - quantity
        first = np.concatenate([[True], key[1:] != key[:-1]])
        before -= np.maximum.accumulate(np.where(first, before, 0))
        served = np.clip(self.available[key] - before, 0, quantity)
        self.available -= np.bincount(key, served, len(self.available)).astype(np.int64)
        back = self.wanted.return_day[today]
        comes = (back >= 0) & (back < self.days) & (served > 0) & self.wanted.restockable[today]
        units = returned_quantity(served[comes], self.wanted.return_share[today][comes])
        np.add.at(self.restock, (back[comes], key[comes]), units)
        return served

    def _book_differences(self, day: int) -> list[tuple[int, int, int, int]]:
        rows = []
        for _ in range(int(self.rng.poisson(1.1))):
            key = int(self.rng.integers(len(self.available)))
            breakage = self.rng.random() < 0.45
            change = -int(self.rng.integers(1, 4)) if breakage else int(self.rng.integers(-3, 3))
            change = max(change, -int(self.available[key]))
            if change and self.ranged[key] and day > self.buy_from[key] and self.available[key] > 0:
                self.available[key] += change
                rows.append((day, key, change, int(breakage)))
        return rows

    def _review(self, day: int) -> None:
        weekday = (self.first_weekday + day) % 7
        for place in range(len(self.suppliers)):
            if weekday != place % 5 or (day // 7 + place) % (self.review[place] // 7):
                continue
            assigned = self._assigned(place, day)
            for warehouse in range(len(WAREHOUSES)):
                if self.working_days[warehouse, day] == day:
                    for source, skus in assigned:
                        self._order(place, warehouse, source, skus * len(WAREHOUSES) + warehouse, day)

    def _assigned(self, supplier: int, day: int) -> list[tuple[int, np.ndarray]]:
        """A SKU is bought from its second supplier while the first one is known to be in trouble."""
        first, second = self.sourcing.supplier[:, 0], self.sourcing.supplier[:, 1]
        known = self.trouble[:, max(day - 14, 0)] > 1
        switched = known[first] & (second >= 0)
        bought = ((first == supplier) & ~switched, (second == supplier) & switched)
        groups = [(source, np.nonzero(mine)[0]) for source, mine in enumerate(bought)]
        return [(source, skus) for source, skus in groups if len(skus)]

    def _order(self, supplier: int, warehouse: int, source: int, keys: np.ndarray, day: int) -> None:
        lead = int(self.suppliers[supplier].lead_time_days)
        keys = keys[self.ranged[keys] & (day >= self.buy_from[keys] - lead - 14) & (day < self.buy_until[keys] - lead)]
        if not len(keys):
            return
        sku = keys // len(WAREHOUSES)
        levels = self._levels(keys, source, day)
        position = self.available[keys] + self.on_order[keys]
        room = levels.order_up_to - levels.reorder_point
        if not (position < levels.reorder_point).any():
            return
        joins = position < levels.reorder_point + 0.45 * room
        pack, minimum = self.sourcing.pack[sku, source], self.sourcing.minimum[sku, source]
        need = np.where(joins, levels.order_up_to - position, 0)
        cost = self.sourcing.unit_cost[sku, source]
        least = self.suppliers[supplier].minimum_order_value_pence
        urgent = (position < 0.7 * levels.reorder_point).any()
        value = float((need * cost).sum())
        if value < least:
            if not urgent:
                return
            need = need * min(least / max(value, 1.0), 6.0)
        quantity = np.where(joins, np.maximum(np.ceil(need / pack) * pack, minimum), 0).astype(np.int64)
        for place, code in enumerate(sku.tolist()):
            if joins[place] and code in self.overbought and day > self.days - 220:
                quantity[place] = int(np.ceil(quantity[place] * self.rng.uniform(4, 7) / pack[place])) * pack[place]
                if warehouse == len(WAREHOUSES) - 1 or self.rng.random() < 0.4:
                    self.overbought.discard(code)
        self._place(supplier, warehouse, source, keys[joins], quantity[joins], day)

    def _place(
        self, supplier: int, warehouse: int, source: int, keys: np.ndarray, quantity: np.ndarray, day: int
    ) -> None:
        rng, who = self.rng, self.suppliers[supplier]
        po = len(self.log.heads)
        sku = keys // len(WAREHOUSES)
        quoted = int(self.sourcing.lead_time_days[sku, source].max())
        extra = quoted - who.lead_time_days
        actual = rng.gamma(who.actual_lead_time_shape, who.actual_lead_time_scale) * self.trouble[supplier, day] + extra
        answers = day + int(rng.integers(0, 6)) + (int(rng.integers(5, 16)) if rng.random() < 0.22 else 0)
        promised = day + quoted + int(rng.choice(5, p=[0.62, 0.14, 0.1, 0.08, 0.06])) * max(quoted // 14, 1)
        arrives = self._receiving_day(warehouse, day + max(round(actual), 1))
        cancelled = day + int(rng.integers(1, 4)) if rng.random() < 0.012 else -1
        split = rng.random() < who.split_share
        later = self._receiving_day(warehouse, arrives + int(rng.integers(8, 29)))
        confirmed, completed = min(answers, arrives), later if split else arrives
        self.log.heads.append((supplier, warehouse, day, confirmed, day + quoted, promised, completed, cancelled))
        self.on_order[keys] += quantity
        for key, code, units in zip(keys.tolist(), sku.tolist(), quantity.tolist(), strict=True):
            line = len(self.log.lines)
            self.log.lines.append((po, code, units, self._unit_cost(supplier, source, code, units)))
            if cancelled >= 0:
                self._release(cancelled, key, units)
                continue
            final = self._delivered(who, units)
            portion = int(final * rng.uniform(0.45, 0.85)) if split else final
            if portion:
                self._receive(arrives, po, line, key, portion, min(portion, units))
            rest = final - portion
            if rest:  # the second delivery closes the line: what is still missing is written off with it
                self._receive(later, po, line, key, rest, max(units - portion, 0))
            elif final < units:
                self._release(arrives, key, units - final)

    def _delivered(self, who: Supplier, units: int) -> int:
        chance = self.rng.random()
        if chance < who.short_share:
            return max(int(units * self.rng.uniform(0.7, 0.97)), 1)
        most = units * who.over_receipt_tolerance_percent // 100
        if chance > 0.975 and most:
            return units + int(self.rng.integers(1, most + 1))
        return units

    def _receive(self, day: int, po: int, line: int, key: int, quantity: int, leaves_order: int) -> None:
        if day < self.days:
            self.log.receipts.append(PlannedReceipt(day, po, line, quantity))
            self.inbound[day, key] += quantity
            self.leaves_order[day, key] += leaves_order

    def _release(self, day: int, key: int, quantity: int) -> None:
        if day < self.days:
            self.leaves_order[day, key] += quantity

    def _receiving_day(self, warehouse: int, day: int) -> int:
        return int(self.working_days[warehouse, min(day, self.working_days.shape[1] - 1)])

    def _unit_cost(self, supplier: int, source: int, sku: int, quantity: int) -> int:
        cost = int(self.sourcing.unit_cost[sku, source])
        for least, price in self.sourcing.breaks.get((supplier, sku), []):
            if quantity >= least:
                cost = price
        return cost
