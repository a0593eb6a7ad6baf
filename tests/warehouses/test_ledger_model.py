"""The ledger against a plain model in one thread: whatever happens, in any order, both say the same.

A history is 50 steps drawn from a seed, so that a failure is replayed by its seed; LEDGER_MODEL_RUNS (default 6) is the
number of seeds. Every invariant is looked at after every step.
"""

import os
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

import pytest

from config.kernel.errors import InsufficientStock, ValidationFailed
from tests.cast import NOW, World
from warehouses.models import SalesOrder, SalesOrderLine, StockLevel
from warehouses.selectors.sales import backordered_quantities
from warehouses.selectors.stock import drifting_levels, drifting_lines, stock_positions
from warehouses.services.adjustments import adjust_stock
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import Sale, SaleLine, cancel_order, record_sale, reserve_backorders, ship_order
from warehouses.services.stock import Move, post_movements

USABLE = {"MAIN": ["shelf", "receiving"], "NORTH": ["north_shelf"]}
PLACES = ["shelf", "receiving", "quarantine", "north_shelf"]
SKUS = ["mug", "lamp", "tea"]
STEPS = 50
T = TypeVar("T")


class Line:
    """A line of the model: what is held for it by place, in the order it was taken."""

    def __init__(self, sku: str, warehouse: str, quantity: int) -> None:
        self.sku, self.warehouse, self.quantity = sku, warehouse, quantity
        self.held: dict[str, int] = {}
        self.shipped = self.cancelled = self.returned = 0

    @property
    def open(self) -> int:
        return self.quantity - self.shipped - self.cancelled

    @property
    def row(self) -> tuple[int, ...]:
        return (self.quantity, sum(self.held.values()), self.shipped, self.cancelled, self.returned)


class History:
    """The model, and what happens to it and to the house alike."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.on_hand: dict[tuple[str, str], int] = defaultdict(int)
        self.on_hand |= {("mug", "shelf"): 100, ("lamp", "shelf"): 20, ("mug", "north_shelf"): 40}
        self.orders: list[list[Line]] = []
        self.ids: list[int] = []
        self.step = 0

    def happen(self) -> None:
        actions = [self.receive, self.sell, self.sell, self.ship, self.ship, self.cancel, self.give_back, self.adjust]
        self.random.choice(actions)()

    # --- what happens -------------------------------------------------------------------------------------------
    def receive(self) -> None:
        sku, place, quantity = self.pick(SKUS), self.pick(PLACES), self.random.randint(1, 40)
        move = Move("receipt", self.pk(sku), self.pk(place), Decimal(quantity), self.key())
        post_movements([move], happened_at=NOW)
        reserve_backorders([self.pk(sku)], now=NOW)

        self.on_hand[sku, place] += quantity
        self.serve(sku)

    def sell(self) -> None:
        lines = [(self.pick(SKUS), self.random.randint(1, 30)) for _ in range(self.random.randint(1, 4))]
        sale_lines = [SaleLine(sku.upper(), Decimal(quantity), Decimal(9)) for sku, quantity in lines]
        order, _ = record_sale(Sale("WEB", self.key(), NOW + timedelta(microseconds=self.step), sale_lines), now=NOW)

        self.ids.append(order.pk)
        self.orders.append([])
        for sku, quantity in lines:
            self.orders[-1].append(self.placed(sku, quantity))

    def ship(self) -> None:
        number, lines = self.some_order()
        held = {n: sum(line.held.values()) for n, line in enumerate(lines, start=1) if line.held}
        if not held:
            return
        asked = {n: self.random.randint(0, most) for n, most in held.items()}
        asked = {n: quantity for n, quantity in asked.items() if quantity}
        if not asked:
            return
        key = self.key()
        decimals = {n: Decimal(quantity) for n, quantity in asked.items()}
        first = ship_order(self.ids[number], key=key, now=NOW, quantities=decimals)
        assert ship_order(self.ids[number], key=key, now=NOW, quantities=decimals) == first

        for n, quantity in asked.items():
            self.leave(lines[n - 1], quantity)

    def cancel(self) -> None:
        number, lines = self.some_order()
        if not any(line.open for line in lines):
            return
        cancel_order(self.ids[number], now=NOW)

        freed = {line.sku for line in lines if line.held}
        for line in lines:
            line.cancelled += line.open
            line.held = {}
        for sku in sorted(freed):
            self.serve(sku)

    def give_back(self) -> None:
        number, lines = self.some_order()
        if not lines:
            return
        sku, restock = self.pick([line.sku for line in lines]), self.pick([True, True, False])
        quantity = self.random.randint(1, 6)
        external_id = SalesOrder.objects.get(pk=self.ids[number]).external_id
        told = [ReturnLine(sku.upper(), Decimal(quantity), restock)]
        most = sum(line.shipped - line.returned for line in lines if line.sku == sku)
        asked = {"channel_code": "WEB", "external_id": self.key(), "order_external_id": external_id, "now": NOW}
        if quantity > most:
            with pytest.raises(ValidationFailed):
                receive_return(**asked, lines=told)
            return
        receive_return(**asked, lines=told)

        for line in (line for line in lines if line.sku == sku):
            part = min(quantity, line.shipped - line.returned)
            quantity -= part
            line.returned += part
            place = {"MAIN": "shelf" if restock else "quarantine", "NORTH": "north_shelf" if restock else None}
            if target := place[line.warehouse]:
                self.on_hand[sku, target] += part
        self.serve(sku)

    def adjust(self) -> None:
        sku, place, quantity = self.pick(SKUS), self.pick(PLACES), self.pick([-60, -12, -5, -1, 1, 7, 20])
        asked = {
            "sku_id": self.pk(sku),
            "location_id": self.pk(place),
            "reason": "count",
            "key": self.key(),
            "now": NOW,
        }
        if -quantity > self.free(sku, place):
            with pytest.raises(InsufficientStock):
                adjust_stock(**asked, quantity=Decimal(quantity))
            return
        adjust_stock(**asked, quantity=Decimal(quantity))

        self.on_hand[sku, place] += quantity
        self.serve(sku)

    # --- what must hold -----------------------------------------------------------------------------------------
    def levels_are_those_of_the_model(self) -> None:
        held: dict[tuple[str, str], int] = defaultdict(int)
        for line in self.lines():
            for place, quantity in line.held.items():
                held[line.sku, place] += quantity
        names = {self.pk(name): name for name in PLACES}, {self.pk(name): name for name in SKUS}
        stored = {
            (names[1][row.sku_id], names[0][row.location_id]): (row.on_hand, row.reserved)
            for row in StockLevel.objects.all()
            if row.on_hand
        }
        assert stored == {key: (n, held[key]) for key, n in self.on_hand.items() if n}

    def lines_are_those_of_the_model(self) -> None:
        names = ("quantity", "reserved_quantity", "shipped_quantity", "cancelled_quantity", "returned_quantity")
        rows = SalesOrderLine.objects.order_by("order_id", "line_number").values_list("warehouse__code", *names)
        assert [tuple(row) for row in rows] == [(line.warehouse, *line.row) for line in self.lines()]

    def states_follow_from_the_lines(self) -> None:
        stored = dict(SalesOrder.objects.values_list("pk", "status"))
        assert stored == {pk: expected(lines) for pk, lines in zip(self.ids, self.orders, strict=True)}

    def nothing_drifts_and_nothing_is_promised_twice(self) -> None:
        assert drifting_levels() == drifting_lines() == []
        assert all(position.available >= 0 for position in stock_positions().values())

    def nobody_waits_beside_free_stock(self) -> None:
        waiting = backordered_quantities()
        assert sum(waiting.values()) == sum(line.open - sum(line.held.values()) for line in self.lines())
        positions = stock_positions()
        assert not [key for key in waiting if key in positions and positions[key].available > 0]

    # --- the model ----------------------------------------------------------------------------------------------
    def placed(self, sku: str, quantity: int) -> Line:
        free = {wh: sum(self.free(sku, place) for place in places) for wh, places in USABLE.items()}
        whole = [warehouse for warehouse in USABLE if free[warehouse] >= quantity]
        warehouse = whole[0] if whole else ("NORTH" if free["NORTH"] > free["MAIN"] else "MAIN")
        line = Line(sku, warehouse, quantity)
        self.hold(line)
        return line

    def hold(self, line: Line) -> None:
        for place in USABLE[line.warehouse]:
            part = min(line.open - sum(line.held.values()), self.free(line.sku, place))
            if part:
                line.held[place] = line.held.get(place, 0) + part

    def serve(self, sku: str) -> None:
        for line in self.lines():
            if line.sku == sku and line.open:
                self.hold(line)

    def leave(self, line: Line, quantity: int) -> None:
        for place in list(line.held):
            part = min(quantity, line.held[place])
            quantity -= part
            line.shipped += part
            line.held[place] -= part
            self.on_hand[line.sku, place] -= part
            if not line.held[place]:
                del line.held[place]

    def free(self, sku: str, place: str) -> int:
        held = sum(line.held.get(place, 0) for line in self.lines() if line.sku == sku)
        return self.on_hand[sku, place] - held

    def lines(self) -> list[Line]:
        return [line for order in self.orders for line in order]

    def some_order(self) -> tuple[int, list[Line]]:
        if not self.orders:
            return 0, []
        number = self.random.randrange(len(self.orders))
        return number, self.orders[number]

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def pk(self, name: str) -> int:
        return getattr(self.world, name).pk

    def key(self) -> str:
        self.step += 1
        return f"step-{self.step}"


def expected(lines: list[Line]) -> str:
    if not any(line.open for line in lines):
        return "shipped" if any(line.shipped for line in lines) else "cancelled"
    if any(line.shipped for line in lines):
        return "partially_shipped"
    return "reserved" if all(sum(line.held.values()) == line.open for line in lines) else "backordered"


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(int(os.environ.get("LEDGER_MODEL_RUNS", "6"))))
def test_any_history_of_receipts_sales_shipments_cancellations_returns_and_adjustments_adds_up(
    world: World, seed: int
) -> None:
    history = History(world, seed)

    for _ in range(STEPS):
        history.happen()

        history.levels_are_those_of_the_model()
        history.lines_are_those_of_the_model()
        history.states_follow_from_the_lines()
        history.nothing_drifts_and_nothing_is_promised_twice()
        history.nobody_waits_beside_free_stock()
