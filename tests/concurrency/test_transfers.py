"""Transfers that meet on real PostgreSQL: never more in than went out, and no deadlock to the client."""

import threading
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction

from config.kernel.errors import Conflict, ValidationFailed
from tests.cast import NOW, World, put_stock
from tests.concurrency.meet import failures, run_concurrently
from warehouses.models import StockLevel, Transfer, TransferLine
from warehouses.selectors.stock import drifting_levels
from warehouses.services.transfer_arrivals import Arrival
from warehouses.services.transfers import (
    TransferItem,
    cancel_transfer,
    create_transfer,
    receive_transfer,
    reserve_transfer,
    ship_transfer,
)

pytestmark = pytest.mark.django_db(transaction=True)


def held(key: str, *lines: tuple[str, int], source: str = "MAIN", to: str = "NORTH") -> Transfer:
    items = [TransferItem(sku, Decimal(units)) for sku, units in lines]
    transfer, _new = create_transfer(items, source_code=source, destination_code=to, key=key, now=NOW)
    return reserve_transfer(transfer.pk, now=NOW)


def test_eight_clerks_who_receive_ten_mugs_at_once_take_in_ten(world: World) -> None:
    transfer = ship_transfer(held("T", ("MUG", 10)).pk, key="S", now=NOW)
    calls = [partial(receive_transfer, transfer.pk, [Arrival(1, Decimal(4))], key=f"R-{n}", now=NOW) for n in range(8)]

    results = run_concurrently(calls)

    assert [type(result) for result in failures(results)] == [ValidationFailed] * 6
    assert TransferLine.objects.get().received_quantity == 8
    assert StockLevel.objects.get(sku=world.mug, location__kind="receiving").on_hand == 8
    assert StockLevel.objects.get(sku=world.mug, location__kind="in_transit").on_hand == 2
    assert drifting_levels() == []


def test_without_the_lock_both_clerks_take_in_all_of_it(world: World) -> None:
    """The negative control: read what is under way, decide, write."""
    transfer = ship_transfer(held("T", ("MUG", 10)).pk, key="S", now=NOW)
    both_have_read = threading.Barrier(2)

    def naive() -> bool:
        line = TransferLine.objects.get(transfer=transfer)
        fits = line.shipped_quantity - line.received_quantity >= 10
        both_have_read.wait(30)
        if fits:
            with transaction.atomic():
                TransferLine.objects.filter(pk=line.pk).update(received_quantity=line.received_quantity + 10)
        return fits

    assert run_concurrently([naive] * 2) == [True, True]


def test_a_transfer_that_is_sent_and_called_off_at_once_is_one_of_both(world: World) -> None:
    transfers = [held(f"T-{n}", ("LAMP", 2)) for n in range(8)]
    calls = [
        call
        for t in transfers
        for call in (partial(ship_transfer, t.pk, key="S", now=NOW), partial(cancel_transfer, t.pk, now=NOW))
    ]

    results = run_concurrently(calls)

    assert [type(result) for result in failures(results)] == [Conflict] * 8
    sent = Transfer.objects.filter(status="in_transit").count()
    assert Transfer.objects.filter(status="cancelled").count() == 8 - sent
    level = StockLevel.objects.get(sku=world.lamp, location=world.shelf)
    assert (level.on_hand, level.reserved) == (20 - 2 * sent, 0)
    assert drifting_levels() == []


def test_one_key_sent_ten_times_at_once_leaves_once(world: World) -> None:
    transfer = held("T", ("MUG", 10))

    results = run_concurrently([partial(ship_transfer, transfer.pk, key="S", now=NOW, quantities={1: Decimal(3)})] * 10)

    assert failures(results) == []
    assert TransferLine.objects.get().shipped_quantity == 3


def test_one_transfer_written_ten_times_at_once_is_one(world: World) -> None:
    results = run_concurrently([partial(held, "T", ("MUG", 3))] * 10)

    assert failures(results) == []
    assert Transfer.objects.count() == 1
    assert StockLevel.objects.get(sku=world.mug, location=world.shelf).reserved == 3


def test_transfers_in_opposite_directions_at_once_all_go_through(world: World) -> None:
    put_stock(world.lamp, world.north_shelf, 20)
    put_stock(world.tea, world.shelf, 40)
    put_stock(world.tea, world.north_shelf, 40)

    def whole_way(n: int) -> None:
        lines = [("MUG", 1), ("LAMP", 1), ("TEA", 2)]
        source, to = ("MAIN", "NORTH") if n % 2 else ("NORTH", "MAIN")
        transfer = held(f"T-{n}", *(lines if n % 3 else reversed(lines)), source=source, to=to)
        ship_transfer(transfer.pk, key="S", now=NOW)
        receive_transfer(transfer.pk, key="R", now=NOW)

    results = run_concurrently([partial(whole_way, n) for n in range(16)])

    assert failures(results) == []
    assert Transfer.objects.filter(status="received").count() == 16
    assert sum(StockLevel.objects.filter(sku=world.tea).values_list("on_hand", flat=True)) == 80
    assert drifting_levels() == []
