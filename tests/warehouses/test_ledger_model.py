"""The ledger against a plain model in one thread: whatever happens, in any order, both say the same (R8).

Hypothesis draws the histories and shortens the one that fails. HYPOTHESIS_PROFILE=nightly runs 5,000 of 50 steps;
LEDGER_MODEL_RUNS and LEDGER_MODEL_STEPS set other sizes. Every invariant is looked at after every step.

The model counts thousandths of units and ten-thousandths of money in whole numbers, so it rounds by itself.
"""

import os
from collections import defaultdict
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from config.kernel.errors import DomainError, InsufficientStock, ValidationFailed
from tests.cast import NOW, World, make_location, make_lot
from warehouses.locks import locked_levels
from warehouses.models import (
    Location,
    Lot,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    StockLevel,
    StockMovement,
    StockRules,
    StockValue,
)
from warehouses.selectors.drift import find_drifts
from warehouses.services.reservations import hold, release
from warehouses.services.stock import Move, post_movements

RUNS, STEPS = {"nightly": (5000, 50)}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), (60, 30))
RUNS = int(os.environ.get("LEDGER_MODEL_RUNS", RUNS))
STEPS = int(os.environ.get("LEDGER_MODEL_STEPS", STEPS))

PLACES = {"A-01": "MAIN", "A-02": "MAIN", "HOLD": "MAIN", "TRANSIT": "MAIN", "N-01": "NORTH", "N-TRANSIT": "NORTH"}
SHELVES = ["A-01", "A-02", "HOLD", "N-01"]
TRANSIT = {"MAIN": "TRANSIT", "NORTH": "N-TRANSIT"}
SKUS = ["mug", "lamp", "tea"]
KIT = {"mug": 2, "lamp": 1}  # units of them in one "tea"
STATUSES = ["available", "quarantine", "damaged", "blocked"]
LOTS = {"mug": [None, "early", "late"], "lamp": [None], "tea": [None]}
EXPIRY = {"early": date(2026, 3, 6), "late": date(2026, 12, 31)}
STANDARD_COST = 20_000  # of every SKU of the cast, in ten-thousandths
# Where units come from and go to when they are in none of our places.
VIRTUAL = {
    "receipt": "supplier",
    "sale": "customer",
    "return": "customer",
    "opening": "loss and gain",
    "adjustment": "loss and gain",
    "count": "loss and gain",
    "scrap": "loss and gain",
    "assembly": "workshop",
}

quantities = st.integers(1, 40_000)  # thousandths
costs = st.integers(0, 99_999)  # ten-thousandths


class Key(NamedTuple):
    sku: str
    place: str
    lot: str = ""
    status: str = "available"

    @property
    def pool(self) -> tuple[str, str]:
        return self.sku, PLACES[self.place]


OPENING = {Key("mug", "A-01"): 100_000, Key("lamp", "A-01"): 20_000, Key("mug", "N-01"): 40_000}  # of the cast


def half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def units(thousandths: int) -> Decimal:
    return Decimal(thousandths).scaleb(-3)


class Held:
    """Units of one level that one order line holds."""

    def __init__(self, key: Key, quantity: int, line: int) -> None:
        self.key, self.quantity, self.line = key, quantity, line


class Ledger(RuleBasedStateMachine):
    """The model, and what happens to it and to the house alike."""

    world: World
    ids: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.on_hand: dict[Key, int] = defaultdict(int)
        self.layers: dict[tuple[str, str], list[list[Any]]] = defaultdict(list)  # [(received, nth), units, value]
        self.virtual: dict[tuple[str, str], int] = defaultdict(int)
        self.held: list[Held] = []
        self.step = 0
        self.today = NOW
        self.is_average = False
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        for key, quantity in OPENING.items():
            self.enter(key, quantity, 20 * quantity, NOW - timedelta(days=30))
            self.virtual[key.sku, "loss and gain"] -= quantity

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    # --- what happens ---

    @initialize(valuation=st.sampled_from(["fifo", "avco"]))
    def begin(self, valuation: str) -> None:
        self.is_average = valuation == "avco"
        StockRules.objects.update_or_create(pk=1, defaults={"valuation": valuation})

    @rule(data=st.data(), quantity=quantities, cost=costs, hours_ago=st.sampled_from([0, 0, 5, 500]))
    def receive(self, data: Any, quantity: int, cost: int, hours_ago: int) -> None:
        key = self.any_key(data)
        at = self.today - timedelta(hours=hours_ago)
        self.post(at, self.move("receipt", key, quantity, unit_cost=Decimal(cost).scaleb(-4)))

        self.enter(key, quantity, half_up(quantity * cost, 1000), at)
        self.virtual[key.sku, "supplier"] -= quantity

    @rule(data=st.data(), quantity=quantities, kind=st.sampled_from(["return", "adjustment", "count"]))
    def come_without_a_cost(self, data: Any, quantity: int, kind: str) -> None:
        """What comes in without a cost of its own takes on the average of today."""
        key = self.any_key(data)
        cost = self.average(key.pool)
        self.post(self.today, self.move(kind, key, quantity))

        self.enter(key, quantity, half_up(quantity * cost, 1000), self.today)
        self.virtual[key.sku, VIRTUAL[kind]] -= quantity

    @precondition(lambda self: self.full())
    @rule(data=st.data(), quantity=quantities, kind=st.sampled_from(["adjustment", "count", "scrap"]))
    def go(self, data: Any, quantity: int, kind: str) -> None:
        key = self.full_key(data)
        move = self.move(kind, key, -quantity)
        with self.refused(InsufficientStock, when=quantity > self.free(key)) as is_refused:
            self.post(self.today, move)
        if is_refused:
            return

        self.leave(key, quantity)
        self.virtual[key.sku, VIRTUAL[kind]] += quantity

    @precondition(lambda self: self.full())
    @rule(data=st.data())
    def count_down_to_the_reserved(self, data: Any) -> None:
        """A count may find that everything that is free is gone."""
        key = self.full_key(data)
        if quantity := self.free(key):
            self.post(self.today, self.move("count", key, -quantity))
            self.leave(key, quantity)
            self.virtual[key.sku, "loss and gain"] += quantity

    @precondition(lambda self: self.full())
    @rule(data=st.data(), quantity=quantities)
    def reserve(self, data: Any, quantity: int) -> None:
        key = self.full_key(data)
        quantity = min(quantity, self.free(key))
        if not quantity:
            return
        warehouse = self.world.main if PLACES[key.place] == "MAIN" else self.world.north
        order = SalesOrder.objects.create(
            channel=self.world.web, external_id=self.key(), status="reserved", currency="GBP", ordered_at=self.today
        )
        line = SalesOrderLine.objects.create(
            order=order,
            line_number=1,
            sku_id=self.ids[key.sku],
            warehouse=warehouse,
            quantity=units(quantity),
            unit_price=9,
            reserved_quantity=units(quantity),
        )
        [level] = locked_levels(StockLevel.objects.filter(**self.level(key)))
        hold([(line, {level.pk: units(quantity)})])

        self.held.append(Held(key, quantity, line.pk))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), share=st.sampled_from([1, 1, 2, 3]))
    def ship(self, data: Any, share: int) -> None:
        held = data.draw(st.sampled_from(self.held))
        quantity = max(held.quantity // share, 1)
        expired = EXPIRY.get(held.key.lot, date.max) < self.today.date()
        move = self.move("sale", held.key, -quantity, release=units(quantity))
        with self.refused(ValidationFailed, when=expired) as is_refused:
            self.post(self.today, move)
        if is_refused:
            return
        line = SalesOrderLine.objects.get(pk=held.line)
        line.reserved_quantity -= units(quantity)
        line.shipped_quantity += units(quantity)
        line.save()
        self.lessen_reservation(held, quantity)

        self.leave(held.key, quantity)
        self.virtual[held.key.sku, "customer"] += quantity

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        held = data.draw(st.sampled_from(self.held))
        line = SalesOrderLine.objects.get(pk=held.line)
        release([line])
        line.cancelled_quantity += line.reserved_quantity
        line.reserved_quantity = Decimal(0)
        line.save()

        self.held.remove(held)

    @precondition(lambda self: self.full())
    @rule(data=st.data(), quantity=quantities)
    def transfer(self, data: Any, quantity: int) -> None:
        """Out of one warehouse, into the other's transit place with its value; a loss under way is a scrap there."""
        key = self.full_key(data)
        there = "NORTH" if PLACES[key.place] == "MAIN" else "MAIN"
        target = key._replace(place=TRANSIT[there], status="available")
        out = self.move("transfer_out", key, -quantity)
        into = self.move("transfer_in", target, quantity, carries=(out.idempotency_key,))
        with self.refused(InsufficientStock, when=quantity > self.free(key)) as is_refused:
            self.post(self.today, out, into)
        if is_refused:
            return

        self.enter(target, quantity, self.leave(key, quantity), self.today)

    @precondition(lambda self: self.full())
    @rule(data=st.data(), quantity=quantities, place=st.sampled_from(SHELVES), status=st.sampled_from(STATUSES))
    def move_or_change_status(self, data: Any, quantity: int, place: str, status: str) -> None:
        """Bin to bin, transit to shelf, good to damaged: within a warehouse value neither comes nor goes."""
        key = self.full_key(data)
        target = key._replace(place=place if PLACES[place] == PLACES[key.place] else key.place, status=status)
        if target == key:
            return
        moves = (
            self.move("move", key, -quantity, is_internal=True),
            self.move("move", target, quantity, is_internal=True),
        )
        with self.refused(InsufficientStock, when=quantity > self.free(key)) as is_refused:
            self.post(self.today, *moves)
        if is_refused:
            return

        self.on_hand[key] -= quantity
        self.on_hand[target] += quantity

    @rule(place=st.sampled_from(["A-01", "N-01"]), kits=st.integers(1, 12_000))
    def assemble(self, place: str, kits: int) -> None:
        """A kit is worth what its parts were."""
        parts = {Key(sku, place): kits * each for sku, each in KIT.items()}
        outs = [self.move("assembly", key, -quantity) for key, quantity in parts.items()]
        kit = Key("tea", place)
        into = self.move("assembly", kit, kits, carries=tuple(out.idempotency_key for out in outs))
        short = any(quantity > self.free(key) for key, quantity in parts.items())
        with self.refused(InsufficientStock, when=short) as is_refused:
            self.post(self.today, *outs, into)
        if is_refused:
            return

        self.enter(kit, kits, sum(self.leave(key, quantity) for key, quantity in parts.items()), self.today)
        for key, quantity in parts.items():
            self.virtual[key.sku, "workshop"] += quantity
        self.virtual["tea", "workshop"] -= kits

    @rule(days=st.integers(1, 4))
    def time_passes(self, days: int) -> None:
        self.today += timedelta(days=days)

    # --- what must hold ---

    @invariant()
    def levels_are_those_of_the_model(self) -> None:
        rows = StockLevel.objects.values_list("sku_id", "location_id", "lot_id", "status", "on_hand", "reserved")
        stored = {row[:4]: row[4:] for row in rows if row[4] or row[5]}
        held: dict[Key, int] = defaultdict(int)
        for entry in self.held:
            held[entry.key] += entry.quantity
        expected = {
            tuple(self.level(key).values()): (units(quantity), units(held[key]))
            for key, quantity in self.on_hand.items()
            if quantity
        }
        assert stored == expected
        assert all(on_hand >= reserved >= 0 for on_hand, reserved in stored.values())

    @invariant()
    def the_worth_is_that_of_the_model(self) -> None:
        rows = StockValue.objects.values_list("sku_id", "warehouse__code", "quantity", "value")
        stored = {(sku, warehouse): (n, value) for sku, warehouse, n, value in rows if n}
        assert stored == {
            (self.ids[sku], warehouse): (
                units(sum(row[1] for row in rows)),
                Decimal(sum(row[2] for row in rows)).scaleb(-4),
            )
            for (sku, warehouse), rows in self.layers.items()
            if any(row[1] for row in rows)
        }

    @invariant()
    def moves_levels_reservations_lines_layers_pools_and_values_agree(self) -> None:
        assert find_drifts() == []

    @invariant()
    def over_all_places_real_and_virtual_nothing_comes_from_nowhere(self) -> None:
        booked: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
        for sku, kind, n in StockMovement.objects.order_by().values_list("sku_id", "kind").annotate(n=Sum("quantity")):
            booked[sku, VIRTUAL.get(kind, "between our places")] -= n
        tallied = {(self.ids[sku], account): units(n) for (sku, account), n in self.virtual.items()}
        assert {key: n for key, n in booked.items() if n} == {key: n for key, n in tallied.items() if n}
        for sku in SKUS:
            ours = sum(n for key, n in self.on_hand.items() if key.sku == sku)
            assert ours + sum(n for (name, _account), n in self.virtual.items() if name == sku) == 0

    # --- the model ---

    def any_key(self, data: Any) -> Key:
        sku = data.draw(st.sampled_from(SKUS))
        lot = data.draw(st.sampled_from(LOTS[sku]))
        return Key(sku, data.draw(st.sampled_from(SHELVES)), lot or "", data.draw(st.sampled_from(STATUSES[:2])))

    def full(self) -> list[Key]:
        return sorted(key for key, quantity in self.on_hand.items() if quantity)

    def full_key(self, data: Any) -> Key:
        return data.draw(st.sampled_from(self.full()))

    def free(self, key: Key) -> int:
        return self.on_hand[key] - sum(held.quantity for held in self.held if held.key == key)

    def average(self, pool: tuple[str, str]) -> int:
        quantity, value = (sum(row[column] for row in self.layers[pool]) for column in (1, 2))
        return half_up(value * 1000, quantity) if quantity else STANDARD_COST

    def enter(self, key: Key, quantity: int, value: int, at: datetime) -> None:
        self.on_hand[key] += quantity
        layers = self.layers[key.pool]
        if self.is_average and any(layer[1] for layer in layers):
            first = next(layer for layer in layers if layer[1])
            first[1] += quantity
            first[2] += value
        else:
            layers.append([(at, self.step), quantity, value])
            layers.sort(key=lambda layer: layer[0])

    def leave(self, key: Key, quantity: int) -> int:
        self.on_hand[key] -= quantity
        worth = 0
        for layer in self.layers[key.pool]:
            part = min(quantity, layer[1])
            if not part:
                continue
            value = layer[2] if part == layer[1] else half_up(layer[2] * part, layer[1])
            quantity, worth = quantity - part, worth + value
            layer[1] -= part
            layer[2] -= value
        return worth

    # --- the house ---

    def key(self) -> str:
        self.step += 1
        return f"step-{self.step}"

    def level(self, key: Key) -> dict[str, Any]:
        lot = self.ids[key.lot] if key.lot else None
        return {"sku_id": self.ids[key.sku], "location_id": self.ids[key.place], "lot_id": lot, "status": key.status}

    def move(self, kind: str, key: Key, quantity: int, **more: Any) -> Move:
        return Move(kind, quantity=units(quantity), idempotency_key=self.key(), **self.level(key), **more)

    def post(self, at: datetime, *moves: Move) -> None:
        """Twice, as a client does who heard no answer: the second time nothing happens."""
        first = post_movements(list(moves), happened_at=at)
        again = post_movements(list(moves), happened_at=at)
        assert [(row.pk, row.value) for row in again] == [(row.pk, row.value) for row in first]

    def lessen_reservation(self, held: Held, quantity: int) -> None:
        row = Reservation.objects.get(line=held.line)
        held.quantity -= quantity
        if held.quantity:
            row.quantity -= units(quantity)
            row.save()
        else:
            row.delete()
            self.held.remove(held)

    @staticmethod
    @contextmanager
    def refused(kind: type[DomainError], *, when: bool) -> Any:
        """Refused exactly when the model says so; what it yields is true then."""
        answer: list[bool] = []
        try:
            with transaction.atomic():
                yield answer
        except DomainError as error:
            if not isinstance(error, kind):
                raise
            answer.append(True)
        assert bool(answer) == when


@pytest.mark.django_db
def test_any_history_adds_up(world: World) -> None:
    places = {
        "A-01": world.shelf,
        "A-02": make_location(world.main, "A-02"),
        "HOLD": world.quarantine,
        "TRANSIT": make_location(world.main, "T", Location.Kind.IN_TRANSIT),
        "N-01": world.north_shelf,
        "N-TRANSIT": make_location(world.north, "T", Location.Kind.IN_TRANSIT),
    }
    lots: dict[str, Lot] = {name: make_lot(world.mug, name, expires_on=day) for name, day in EXPIRY.items()}
    skus = {name: getattr(world, name) for name in SKUS}
    Ledger.world = world
    Ledger.ids = {name: row.pk for name, row in {**places, **lots, **skus}.items()}

    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="HYPOTHESIS_PROFILE" not in os.environ,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
