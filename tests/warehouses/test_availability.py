"""Channels are told what they may offer: once per change of the figure, in order, never lost, within seconds."""

import os
import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import Channel, Listing
from config.kernel.models import OutboxEvent
from procurement.services.orders import cancel_order
from tests.cast import NOW, World, make_lot, put_stock
from tests.procurement.buying import confirmed_order, sent_order
from tests.warehouses.test_carts import buy, make_kit, put_in_cart
from tests.warehouses.test_quotas import keep
from tests.worker import needs_worker
from warehouses.models import AvailabilityChange, PublishedAvailability
from warehouses.services import availability
from warehouses.services.adjustments import adjust_stock
from warehouses.services.availability import note_changes, publish_all, publish_changes

pytestmark = pytest.mark.django_db
STALE_AT_MOST = 5.0


def told(listing: Listing) -> list[tuple[str, int]]:
    """(quantity, sequence) of every message on the listing, in the order they were written."""
    events = OutboxEvent.objects.filter(kind="availability.changed", key=f"listing:{listing.pk}").order_by("pk")
    return [(event.payload["quantity"], event.payload["sequence"]) for event in events]


def listing(world: World, sku: Any) -> Listing:
    return Listing.objects.get(channel=world.web, sku=sku)


def find(sku: Any, location: Any, quantity: int, key: str, now: datetime = NOW) -> None:
    adjust_stock(sku_id=sku.pk, location_id=location.pk, quantity=Decimal(quantity), reason="found", key=key, now=now)


def test_a_change_is_told_with_channel_sku_and_sequence(world: World) -> None:
    Listing.objects.filter(sku=world.lamp).update(external_id="LMP-9")
    publish_changes(now=NOW)
    OutboxEvent.objects.all().delete()

    buy("W-1", "LAMP", 3)
    done = publish_changes(now=NOW + timedelta(seconds=2))

    assert (done.told, AvailabilityChange.objects.count()) == (1, 0)
    event = OutboxEvent.objects.get()
    assert (event.kind, event.channel_id) == ("availability.changed", world.web.pk)
    assert event.payload == {
        "channel": "WEB",
        "sku": "LAMP",
        "external_id": "LMP-9",
        "quantity": "17",
        "sequence": 2,
        "as_of": (NOW + timedelta(seconds=2)).isoformat(),
    }


def test_many_changes_of_a_sku_are_one_message_and_no_change_is_none(world: World) -> None:
    publish_changes(now=NOW)
    for n in range(5):
        buy(f"W-{n}", "LAMP", 1)
    publish_changes(now=NOW)
    find(world.lamp, world.shelf, 1, "a")
    find(world.lamp, world.shelf, -1, "b")

    assert publish_changes(now=NOW).told == 0

    assert told(listing(world, world.lamp)) == [("20", 1), ("15", 2)]
    assert publish_changes(now=NOW).changes == 0


def test_a_kit_is_told_when_a_part_changes(world: World) -> None:
    made = Listing.objects.create(channel=world.web, sku=make_kit(world), unit_price=60)
    publish_all(now=NOW)
    put_in_cart("C-1", ("LAMP", 5))

    publish_changes(now=NOW)

    assert told(made) == [("20", 1), ("15", 2)]


def test_quotas_and_purchase_orders_note_that_something_changed(world: World) -> None:
    publish_changes(now=NOW)
    keep(30)
    assert publish_changes(now=NOW).told == 1
    assert told(listing(world, world.mug)) == [("140", 1), ("110", 2)]

    order = sent_order(world, lamps=4)
    assert publish_changes(now=NOW).changes > 0
    confirmed_order(world, lamps=4)
    assert publish_changes(now=NOW).changes > 0
    cancel_order(order.pk, actor=world.planner, now=NOW)
    assert publish_changes(now=NOW).changes > 0


def test_the_sweep_tells_what_time_and_settings_changed(world: World) -> None:
    lot = make_lot(world.tea, "L-1", expires_on=NOW.date() + timedelta(days=1))
    put_stock(world.tea, world.shelf, 8, lot=lot)
    publish_changes(now=NOW)
    Channel.objects.filter(pk=world.web.pk).update(buffer_quantity=2)

    publish_all(now=NOW)
    assert told(listing(world, world.lamp)) == [("20", 1), ("18", 2)]
    publish_all(now=NOW + timedelta(days=2))

    assert told(listing(world, world.tea)) == [("8", 1), ("6", 2), ("0", 3)]
    assert publish_all(now=NOW + timedelta(days=2)).told == 0


def test_a_listing_that_is_off_hears_nothing(world: World) -> None:
    Listing.objects.filter(sku=world.lamp).update(is_active=False)

    publish_changes(now=NOW)
    publish_all(now=NOW)

    assert told(listing(world, world.lamp)) == []


def test_a_publisher_that_dies_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_changes(now=NOW)
    buy("W-1", "LAMP", 3)

    def die(events: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(availability, "record_events", die)
        with pytest.raises(SystemExit), transaction.atomic():
            publish_changes(now=NOW)
    assert told(listing(world, world.lamp)) == [("20", 1)]

    publish_changes(now=NOW)

    assert told(listing(world, world.lamp)) == [("20", 1), ("17", 2)]


def test_more_changes_than_fit_one_portion_are_all_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "CHANGES_AT_ONCE", 2)
    monkeypatch.setattr(availability, "LISTINGS_AT_ONCE", 2)
    note_changes([world.mug.pk, world.lamp.pk, world.tea.pk])

    publish_changes(now=NOW)

    assert AvailabilityChange.objects.count() == 0
    assert PublishedAvailability.objects.count() == 3
    PublishedAvailability.objects.all().delete()
    assert publish_all(now=NOW).told == 3


@needs_worker
@pytest.mark.django_db(transaction=True)
def test_with_a_worker_a_change_is_told_within_five_seconds(world: World) -> None:
    """Ticks are sent as beat does, every two seconds; measured is from the commit to the event."""
    from warehouses.tasks import publish_availability

    publish_changes(now=timezone.now())
    find(world.lamp, world.shelf, 1, "a", timezone.now())
    committed = time.monotonic()
    ticks = 0
    while not told(listing(world, world.lamp))[1:]:
        waited = time.monotonic() - committed
        assert waited < STALE_AT_MOST, f"not told after {waited:.1f} s"
        if waited >= 2 * (ticks + 1):
            publish_availability.delay()
            ticks += 1
        time.sleep(0.02)

    assert os.environ["ENTREPOT_TEST_WORKER"] == "1"
    assert told(listing(world, world.lamp)) == [("20", 1), ("21", 2)]
