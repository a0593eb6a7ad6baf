"""A storm of everything that moves or promises stock, at the services; afterwards every figure agrees with every other.

Each thread draws its own operations from a seed, on six SKUs and two kits, from shared documents, so that they meet.
STORM_THREADS, STORM_OPERATIONS and STORM_SEED set other sizes (nightly: 30 × 2000); the storm over HTTP with processes
killed is benchmarks/stock/storm.py.
"""

import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F, Sum

from catalog.models import Channel, Sku
from config.kernel.errors import Conflict, ValidationFailed
from procurement.models import PurchaseOrder, PurchaseOrderLine, Receipt
from procurement.services.receipts import ReceivedLine, receive_goods
from tests.cast import NOW, World, make_location, make_lot, make_sku, put_stock
from tests.concurrency.meet import failures, run_concurrently
from tests.procurement.buying import sent_order
from tests.warehouses.selling import make_kit
from tests.warehouses.worth import worth_faults
from warehouses.models import (
    Cart,
    ChannelEvent,
    ChannelQuota,
    CountSheet,
    Location,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    SalesReturn,
    Shipment,
    StockLevel,
    StockMovement,
    Transfer,
)
from warehouses.models.stock import WRITER
from warehouses.selectors.drift import find_drifts
from warehouses.services.adjustments import adjust_stock
from warehouses.services.assembly import assemble_kit
from warehouses.services.availability import publish_changes
from warehouses.services.carts import CartItem, expire_carts, hold_cart, release_cart
from warehouses.services.channel_events import ToldEvent, ToldLine, receive_events
from warehouses.services.count_entry import enter_counts
from warehouses.services.count_sheets import CountChoice, make_count_sheet
from warehouses.services.expiry import expire_lots
from warehouses.services.moves import StockMove, change_status, move_stock
from warehouses.services.picking import release_for_picking
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import Sale, SaleLine, cancel_order, record_sale, reserve_backorders, ship_order
from warehouses.services.tasks import claim_tasks, complete_task
from warehouses.services.transfer_arrivals import Arrival, close_transfer_short, receive_transfer
from warehouses.services.transfers import (
    TransferItem,
    cancel_transfer,
    create_transfer,
    reserve_transfer,
    ship_transfer,
)

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = int(os.environ.get("STORM_THREADS", 12))
OPERATIONS = int(os.environ.get("STORM_OPERATIONS", 35))
SEED = os.environ.get("STORM_SEED", "entrepot")
CODES = ["MUG", "LAMP", "TEA", "CUP", "POT", "JAR"]
LATER = NOW + timedelta(days=3)  # carts are over, the lots named EARLY have expired
HONEST = {  # what is there no more, or in that state no more, when others were faster
    "insufficient_stock", "wrong_state", "several_warehouses", "nothing_reserved", "lease_lost", "counted_already",
    "same_counter", "nothing_to_count",
}  # fmt: skip


class Storm:
    """The house and what its threads share; every operation is a method whose name stands in the tally."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tally: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.wrong: list[Exception] = []
        self.made: dict[str, set[Any]] = defaultdict(set)
        self.skus = {sku.code: sku for sku in Sku.objects.filter(code__in=[*CODES, "SET"])}
        self.purchases = [sent_order(world, mugs=100_000, lamps=100_000), sent_order(world, mugs=100_000)]
        PurchaseOrder.objects.filter(pk=self.purchases[1].pk).update(warehouse=world.north)
        self.lines = {o.pk: list(PurchaseOrderLine.objects.filter(order=o)) for o in self.purchases}
        self.places = list(Location.objects.filter(kind="storage"))

    def run(self, number: int) -> None:
        thread = Thread(self, number)
        for step in range(OPERATIONS):
            name, operation = thread.next(step)
            try:
                operation()
                self.tally[name] += 1
            except (Conflict, ValidationFailed) as refusal:
                is_honest = refusal.code in HONEST or (isinstance(refusal, ValidationFailed) and bool(refusal.items))
                self.refused[f"{name}: {refusal.code}"] += 1
                if not is_honest:
                    self.wrong.append(refusal)
            except Exception as error:
                self.wrong.append(error)

    def pick(self, kind: str, rng: random.Random) -> Any:
        """Any document of this kind that any thread has made; None when there is none yet."""
        there = sorted(self.made[kind])
        return rng.choice(there) if there else None


class Thread:
    def __init__(self, storm: Storm, number: int) -> None:
        self.storm, self.number, self.step = storm, number, 0
        self.rng = random.Random(f"{SEED}-{number}")
        kinds: list[tuple[int, Callable[[], Any]]] = [
            (6, self.order), (2, self.cart), (2, self.order_of_cart), (4, self.ship), (2, self.cancel), (1, self.pick),
            (3, self.receive), (2, self.give_back), (2, self.transfer), (2, self.arrive), (1, self.give_up_transfer),
            (2, self.adjust), (1, self.count), (1, self.restate), (1, self.move), (1, self.assemble), (1, self.expire),
            (2, self.tell), (1, self.publish), (1, self.serve),
        ]  # fmt: skip
        self.deck = [kind for times, kind in kinds for _n in range(times)]
        self.rng.shuffle(self.deck)

    def next(self, step: int) -> tuple[str, Callable[[], Any]]:
        """The first steps fill the house; then the deck goes round, so that every kind has its turn."""
        self.step = step
        operation = self.order if step < 2 else self.deck[step % len(self.deck)]
        return operation.__name__, operation

    @property
    def key(self) -> str:
        return f"{self.number:02}-{self.step}"

    def some(self, most: int, codes: list[str] = CODES) -> list[str]:
        return [self.rng.choice(codes) for _n in range(self.rng.randint(1, most))]

    def units(self, most: int = 4) -> Decimal:
        return Decimal(self.rng.randint(1, most))

    # --- what is promised ---

    def order(self, cart: str = "") -> None:
        lines = [SaleLine(code, self.units(), Decimal(9)) for code in self.some(4, [*CODES, "SET"])]
        channel = self.rng.choice(["WEB", "WEB", "MARKET"])
        sale = Sale(channel, self.key, NOW, lines, on_short=self.rng.choice(["backorder", "refuse"]))
        if cart:
            sale = Sale("WEB", f"O{self.key}", NOW, lines, cart_external_id=cart)
        order, _new = record_sale(sale, now=NOW)
        self.storm.made["order"].add((order.pk, sale.channel_code, sale.external_id))

    def cart(self) -> None:
        items = [CartItem(code, self.units(2)) for code in self.some(3, [*CODES, "SET"])]
        cart, _new = hold_cart(channel_code="WEB", external_id=self.key, lines=items, now=NOW, ttl_minutes=10)
        self.storm.made["cart"].add((cart.pk, cart.external_id))

    def order_of_cart(self) -> None:
        if (known := self.storm.pick("cart", self.rng)) is None:
            return self.cart()
        if self.rng.random() < 0.3:
            release_cart(known[0], now=NOW)
        else:
            self.order(cart=known[1])
        return None

    def cancel(self) -> None:
        if known := self.storm.pick("order", self.rng):
            cancel_order(known[0], now=NOW)

    def serve(self) -> None:
        expire_carts(now=LATER)
        reserve_backorders(now=NOW)

    def publish(self) -> None:
        publish_changes(now=NOW)

    def tell(self) -> None:
        number, sku, units = f"E{self.key}", self.rng.choice(CODES), self.units()
        kind = self.rng.choice(["cancelled", "shipped"])
        story = [
            ToldEvent(f"{number}-1", "created", number, NOW, [ToldLine(units, sku_code=sku)]),
            ToldEvent(f"{number}-2", kind, number, NOW + timedelta(hours=1), [ToldLine(Decimal(1), sku_code=sku)]),
        ]
        self.rng.shuffle(story)
        for event in story:
            receive_events("WEB", [event], now=LATER)
        self.storm.made["event"] |= {event.event_id for event in story}

    # --- what moves ---

    def ship(self) -> None:
        if known := self.storm.pick("order", self.rng):
            warehouse = self.rng.choice([None, "MAIN", "NORTH"])
            shipment = ship_order(known[0], key=self.key, warehouse_code=warehouse, now=NOW)
            self.storm.made["shipment"].add(shipment.number)

    def pick(self) -> None:
        if known := self.storm.pick("order", self.rng):
            release_for_picking(known[0], now=NOW)
        for task in claim_tasks(f"robot-{self.number}", warehouse_code="MAIN", kinds=["pick"], limit=2, now=NOW):
            assert task.lease_token is not None
            complete_task(task.number, lease_token=task.lease_token, quantity=task.quantity, now=NOW)

    def receive(self) -> None:
        order = self.rng.choice(self.storm.purchases)
        rows = [ReceivedLine(line.pk, self.units(9)) for line in self.storm.lines[order.pk]]
        receipt, _new = receive_goods(order.pk, rows, key=self.key, actor=self.storm.world.clerk, now=NOW)
        self.storm.made["receipt"].add(receipt.number)

    def give_back(self) -> None:
        shipped = SalesOrderLine.objects.filter(
            shipped_quantity__gt=F("returned_quantity"), kit_line=None, is_kit=False
        )
        row = shipped.select_related("order__channel", "sku").order_by("pk")[self.number % 5 :].first()
        if row is None:
            return
        made, _new = receive_return(
            channel_code=row.order.channel.code,
            external_id=self.key,
            order_external_id=row.order.external_id,
            lines=[ReturnLine(row.sku.code, Decimal(1), restock=self.rng.random() < 0.7)],
            now=NOW,
        )
        self.storm.made["return"].add(made.external_id)

    def transfer(self) -> None:
        ends = self.rng.sample(["MAIN", "NORTH"], 2)
        items = [TransferItem(code, self.units()) for code in sorted(set(self.some(3)))]
        transfer, _new = create_transfer(items, source_code=ends[0], destination_code=ends[1], key=self.key, now=NOW)
        self.storm.made["transfer"].add(transfer.pk)
        reserve_transfer(transfer.pk, now=NOW)
        ship_transfer(transfer.pk, key=self.key, now=NOW)

    def arrive(self) -> None:
        if pk := self.storm.pick("transfer", self.rng):
            part = [Arrival(1, Decimal(1))] if self.rng.random() < 0.5 else None
            receive_transfer(pk, part, key=self.key, now=NOW)

    def give_up_transfer(self) -> None:
        if pk := self.storm.pick("transfer", self.rng):
            self.rng.choice([cancel_transfer, close_transfer_short])(pk, now=NOW)

    def adjust(self) -> None:
        level = self.rng.choice(list(StockLevel.objects.filter(location__in=self.storm.places).order_by("pk")))
        movement = adjust_stock(
            sku_id=level.sku_id,
            location_id=level.location_id,
            lot_id=level.lot_id,
            status=level.status,
            quantity=self.rng.choice([-2, 3, 5]) * Decimal(1),
            reason="count",
            key=self.key,
            now=NOW,
        )
        self.storm.made["adjustment"].add(movement.idempotency_key)

    def count(self) -> None:
        sheet, _new = make_count_sheet("MAIN", CountChoice([], self.some(2), []), key=self.key, now=NOW)
        self.storm.made["sheet"].add(sheet.pk)
        said = {n: self.units(30) for n in sheet.lines.values_list("line_number", flat=True)}
        enter_counts(sheet.pk, said, now=NOW)

    def restate(self) -> None:
        change_status(
            sku_id=self.storm.skus[self.rng.choice(CODES)].pk,
            location_id=self.storm.world.shelf.pk,
            quantity=self.units(),
            from_status="available",
            to_status=self.rng.choice(["damaged", "blocked"]),
            reason="wet",
            unreserve=self.rng.random() < 0.5,
            key=self.key,
            now=NOW,
        )

    def move(self) -> None:
        here, there = self.storm.world.shelf.pk, self.storm.world.receiving.pk
        moves = [StockMove(self.storm.skus[code].pk, here, there, self.units()) for code in sorted(set(self.some(2)))]
        move_stock(moves, key=self.key, now=NOW)

    def assemble(self) -> None:
        assemble_kit(
            self.storm.skus["SET"].pk, quantity=Decimal(1), location_id=self.storm.world.shelf.pk, key=self.key, now=NOW
        )

    def expire(self) -> None:
        expire_lots(now=LATER)


@pytest.fixture
def house(world: World) -> World:
    for code in CODES[3:]:
        make_sku(code)
    for code in CODES[2:]:
        sku = Sku.objects.get(code=code)
        early = make_lot(sku, "EARLY", expires_on=NOW.date())
        put_stock(sku, world.shelf, 30, lot=early)
        put_stock(sku, world.shelf, 40)
        put_stock(sku, world.north_shelf, 40, lot=make_lot(sku, "LATE", expires_on=date(2030, 1, 1)))
        put_stock(sku, world.receiving, 8)
    make_kit("SET", (world.mug, 2), (Sku.objects.get(code="CUP"), 1))
    make_location(world.north, "DOCK", Location.Kind.RECEIVING)
    make_location(world.north, "HOLD", Location.Kind.QUARANTINE)
    ChannelQuota.objects.create(channel=world.market, sku=world.mug, quantity=Decimal(10))
    return world


def test_after_a_storm_of_everything_every_figure_agrees(house: World) -> None:
    storm = Storm(house)

    assert failures(run_concurrently([lambda n=n: storm.run(n) for n in range(THREADS)], timeout=3600)) == []
    expire_carts(now=LATER)
    reserve_backorders(now=NOW)

    assert storm.wrong == []
    assert set(storm.tally) == {kind.__name__ for kind in Thread(storm, 0).deck}
    assert_books_agree()
    assert_everything_acknowledged_is_there(storm)
    assert_a_tampered_figure_is_found(house)


def assert_books_agree() -> None:
    """`find_drifts`, and beside it the same sums by other statements."""
    assert find_drifts() == []
    assert worth_faults() == []
    assert not StockLevel.objects.filter(reserved__gt=F("on_hand")).exists()
    assert not StockLevel.objects.filter(reserved__lt=0).exists()
    fields = ("sku_id", "location_id", "lot_id", "status")
    ledger = StockMovement.objects.order_by().values_list(*fields).annotate(n=Sum("quantity")).filter(n__gt=0)
    assert set(ledger) == set(StockLevel.objects.filter(on_hand__gt=0).values_list(*fields, "on_hand"))
    held = Reservation.objects.order_by().values_list("level").annotate(Sum("quantity"))
    assert set(held) == set(StockLevel.objects.filter(reserved__gt=0).values_list("pk", "reserved"))


def assert_everything_acknowledged_is_there(storm: Storm) -> None:
    made = storm.made
    assert {order[0] for order in made["order"]} <= set(SalesOrder.objects.values_list("pk", flat=True))
    for kind, model, field in (
        ("shipment", Shipment, "number"),
        ("receipt", Receipt, "number"),
        ("return", SalesReturn, "external_id"),
        ("transfer", Transfer, "pk"),
        ("sheet", CountSheet, "pk"),
        ("adjustment", StockMovement, "idempotency_key"),
        ("event", ChannelEvent, "event_id"),
    ):
        assert made[kind], kind
        assert made[kind] <= set(model.objects.values_list(field, flat=True)), kind
    assert {cart[0] for cart in made["cart"]} == set(Cart.objects.values_list("pk", flat=True))


def assert_a_tampered_figure_is_found(world: World) -> None:
    """The negative control: one unit more on one level, then one more promised, past the guard as the writer is."""
    level = StockLevel.objects.filter(sku=world.mug, on_hand__gt=F("reserved")).first()
    assert level is not None
    for change in ({"on_hand": F("on_hand") + 1}, {"reserved": F("reserved") + 1}):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config(%s, 'on', true)", [WRITER])
            StockLevel.objects.filter(pk=level.pk).update(**change)
            assert find_drifts() != []
            if "on_hand" in change:
                assert worth_faults() != []
            transaction.set_rollback(True)
    assert find_drifts() == []


# --- R3 -----------------------------------------------------------------------------------------------------------

BUYERS = 50
ORDERS_EACH = int(os.environ.get("STORM_ORDERS_EACH", 4))  # nightly 2,000: about ten minutes


def test_fifty_buyers_of_twenty_skus_in_random_order_see_no_deadlock(world: World) -> None:
    Channel.objects.update(allows_backorders=True)
    skus = [make_sku(f"R{n}") for n in range(20)]
    for sku in skus:
        put_stock(sku, world.shelf, 12)
        put_stock(sku, world.north_shelf, 8)

    def shop(buyer: int) -> int:
        rng = random.Random(f"{SEED}-buyer-{buyer}")
        for n in range(ORDERS_EACH):
            wanted = rng.sample(skus, rng.randint(2, 6))
            lines = [SaleLine(sku.code, Decimal(rng.randint(1, 3)), Decimal(9)) for sku in (*wanted, wanted[0])]
            record_sale(Sale(rng.choice(["WEB", "MARKET"]), f"{buyer}-{n}", NOW, lines), now=NOW)
            if n % 2:
                order = SalesOrder.objects.get(external_id=f"{buyer}-{n - 1}")
                cancel_order(order.pk, now=NOW)
        return ORDERS_EACH

    results = run_concurrently([lambda n=n: shop(n) for n in range(BUYERS)], timeout=3600)

    assert results == [ORDERS_EACH] * BUYERS
    assert SalesOrder.objects.count() == BUYERS * ORDERS_EACH
    assert_books_agree()
    promised = StockLevel.objects.filter(sku__in=skus).aggregate(n=Sum("reserved"))["n"]
    assert 0 < promised <= 400
