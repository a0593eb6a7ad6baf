"""Carts, quotas and the publisher on real PostgreSQL: nothing held twice, no quota eaten, no old figure after a new."""

import threading
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, transaction

from catalog.models import Listing
from config.kernel.errors import InsufficientStock
from config.kernel.models import OutboxEvent
from tests.cast import NOW, World, put_stock
from tests.concurrency.meet import failures, run_concurrently
from tests.warehouses.test_carts import buy, put_in_cart
from warehouses.models import Cart, CartLine, ChannelQuota, Reservation, StockLevel
from warehouses.models.stock import WRITER
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.adjustments import adjust_stock
from warehouses.services.availability import publish_all, publish_changes
from warehouses.services.backorders import reserve_backorders
from warehouses.services.carts import expire_carts, release_cart, take_over_cart
from warehouses.services.quotas import set_quota

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(minutes=20)
BUYERS = 200


def lamps(world: World) -> tuple[int, int]:
    level = StockLevel.objects.get(sku=world.lamp, location=world.shelf)
    return int(level.on_hand), int(level.reserved)


def in_portions(calls: list, size: int = 40) -> list:
    """The server takes about a hundred connections."""
    return [r for at in range(0, len(calls), size) for r in run_concurrently(calls[at : at + size])]


def test_two_hundred_carts_for_a_hundred_units_hold_a_hundred(world: World) -> None:
    put_stock(world.lamp, world.shelf, 80)

    results = in_portions([partial(put_in_cart, f"C-{n}", ("LAMP", 1)) for n in range(BUYERS)])

    refused = failures(results)
    assert [type(error) for error in refused] == [InsufficientStock] * 100
    assert {error.items[0]["short_by"] for error in refused} == {"1"}  # type: ignore[attr-defined]
    assert lamps(world) == (100, 100)
    assert Cart.objects.count() == CartLine.objects.count() == Reservation.objects.count() == 100
    assert drifting_levels() == []


def test_without_the_locks_forty_carts_hold_twenty_lamps_twice(world: World) -> None:
    """The negative control: look, then hold."""
    everybody_has_looked = threading.Barrier(40)

    def naive() -> bool:
        level = StockLevel.objects.get(sku=world.lamp, location=world.shelf)
        has_stock = level.on_hand - level.reserved >= 1
        everybody_has_looked.wait(60)
        if has_stock:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config(%s, 'on', true)", [WRITER])
                StockLevel.objects.filter(pk=level.pk).update(reserved=level.reserved + 1)
        return has_stock

    held = run_concurrently([naive] * 40)

    assert held == [True] * 40
    assert lamps(world) == (20, 1)


def test_a_cart_that_expires_while_it_is_ordered_gives_its_units_to_one(world: World) -> None:
    """Ten carts hold all lamps; each is ordered, expired and released at once while ten orders wait for the units."""
    carts = [put_in_cart(f"C-{n}", ("LAMP", 2), ttl_minutes=10)[0] for n in range(10)]
    waiting = [buy(f"W-{n}", "LAMP", 2) for n in range(10)]
    assert {order.status for order in waiting} == {"backordered"}

    @transaction.atomic
    def order(n: int) -> bool:
        places = {"sku_ids": [world.lamp.pk], "warehouse_ids": [world.main.pk, world.north.pk]}
        taken = take_over_cart(world.web.pk, f"C-{n}", **places, now=LATER)
        return buy(f"O-{n}", "LAMP", 2).status == "reserved" if taken else False

    calls = [partial(order, n) for n in range(10)] + [partial(expire_carts, now=LATER) for _ in range(4)]
    calls += [partial(release_cart, cart.pk, now=LATER) for cart in carts[:5]]
    results = run_concurrently(calls)
    reserve_backorders(now=LATER)

    assert {type(error).__name__ for error in failures(results)} <= {"Conflict"}
    ordered = Cart.objects.filter(state="ordered").count()
    assert sum(result is True for result in results[:10]) == ordered
    assert Cart.objects.filter(state="held").count() == 0
    assert lamps(world) == (20, 20)
    assert Reservation.objects.filter(cart_line__isnull=False).count() == 0
    assert drifting_levels() == drifting_lines() == []


def test_one_cart_sent_twenty_times_at_once_is_one_cart(world: World) -> None:
    results = run_concurrently([partial(put_in_cart, "C-1", ("LAMP", 2), ("MUG", 1))] * 20)

    assert failures(results) == []
    assert sum(is_new for _cart, is_new in results) == 1
    assert lamps(world) == (20, 2)


def test_carts_that_change_their_lines_crosswise_all_go_through(world: World) -> None:
    for n in range(8):
        put_in_cart(f"C-{n}", ("LAMP", 1), ("MUG", 1))
    calls = [
        partial(put_in_cart, f"C-{n % 8}", *([("MUG", 2), ("LAMP", 2)] if n % 2 else [("LAMP", 1), ("MUG", 3)]))
        for n in range(32)
    ]

    results = run_concurrently(calls)

    assert failures(results) == []
    assert drifting_levels() == []
    assert lamps(world)[1] == sum(int(line.quantity) for line in CartLine.objects.filter(sku=world.lamp))


def test_a_protected_channel_gets_its_quota_however_many_others_buy(world: World) -> None:
    """40 mugs lie where both channels are served, 100 elsewhere for the web; 30 of the 40 are the market's."""
    set_quota(channel_code="MARKET", sku_code="MUG", quantity=Decimal(30), now=NOW)
    web = [partial(buy, f"W-{n}", "MUG", 5) for n in range(20)]
    web += [partial(put_in_cart, f"C-{n}", ("MUG", 5)) for n in range(10)]
    market = [partial(buy, f"M-{n}", "MUG", 3, channel="MARKET") for n in range(10)]

    results = run_concurrently([*web, *market])

    assert [e for e in failures(results) if not isinstance(e, InsufficientStock)] == []
    assert {order.status for order in results[-10:]} == {"reserved"}
    assert ChannelQuota.objects.get().used == 30
    assert drifting_levels() == drifting_lines() == []


def test_two_publishers_never_tell_an_older_figure_after_a_newer(world: World) -> None:
    """Orders, adjustments, publishers and sweeps at once: each listing's messages are numbered without a gap in the
    order in which they are placed, and the last one is the truth."""
    publish_all(now=NOW)
    calls = []
    for n in range(12):
        calls.append(partial(buy, f"W-{n}", "LAMP", 1))
        calls.append(partial(publish_changes, now=NOW))
        calls.append(
            partial(
                adjust_stock,
                sku_id=world.mug.pk,
                location_id=world.shelf.pk,
                quantity=Decimal(1),
                reason="found",
                key=str(n),
                now=NOW,
            )
        )
    calls += [partial(publish_all, now=NOW)] * 3
    results = run_concurrently(calls)
    publish_changes(now=NOW)

    assert failures(results) == []
    for sku, last, rises in ((world.lamp, "8", False), (world.mug, "152", True)):
        key = f"listing:{Listing.objects.get(channel=world.web, sku=sku).pk}"
        told = [event.payload for event in OutboxEvent.objects.filter(key=key).order_by("pk")]
        assert [payload["sequence"] for payload in told] == list(range(1, len(told) + 1))
        figures = [int(payload["quantity"]) for payload in told]
        assert figures == sorted(figures, reverse=not rises)  # stock only falls (lamps) or rises (mugs) here
        assert told[-1]["quantity"] == last
