"""What a channel may offer: never more than will have arrived, with the reason, in constantly many queries."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Channel, Listing
from procurement.models import PurchaseOrder
from tests.cast import NOW, World, make_channel, make_sku, put_stock
from tests.monitoring.forecasts import expect, make_run
from tests.procurement.buying import draft_order, sent_order
from tests.warehouses.test_carts import buy, make_kit, put_in_cart
from tests.warehouses.test_quotas import keep
from warehouses.models import SalesOrder, Transfer, TransferLine
from warehouses.selectors.promised import promised_dates
from warehouses.selectors.promising import available_to_promise
from warehouses.selectors.reasons import reason
from warehouses.selectors.supply import Availability

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def offer(channel: Channel, sku: Any) -> Availability:
    return available_to_promise(channel, [sku.pk], now=NOW)[sku.pk]


def day(after: int) -> date:
    return TODAY + timedelta(days=after)


def transfer(world: World, sku: Any, quantity: int, *, on: date | None) -> Transfer:
    """From NORTH to MAIN, under way; 1 of it lost, 2 received already."""
    made = Transfer.objects.create(
        number=f"TR-{Transfer.objects.count() + 1}",
        key=f"t{Transfer.objects.count()}",
        source=world.north,
        destination=world.main,
        status=Transfer.Status.PARTIALLY_RECEIVED,
        expected_on=on,
        created_at=NOW,
    )
    TransferLine.objects.create(
        transfer=made,
        line_number=1,
        sku=sku,
        quantity=quantity + 3,
        shipped_quantity=quantity + 3,
        received_quantity=2,
        lost_quantity=1,
    )
    return made


def test_a_channel_offers_what_is_free_where_it_is_served(world: World) -> None:
    buy("W-1", "MUG", 30)

    assert offer(world.web, world.mug).now == 110
    assert offer(world.market, world.mug).now == 40
    assert offer(make_channel("NOWHERE"), world.mug).now == 0


def test_the_reason_is_a_sentence(world: World) -> None:
    put_stock(world.tea, world.shelf, 12)
    buy("W-1", "TEA", 9)
    Channel.objects.filter(pk=world.web.pk).update(buffer_quantity=2)
    world.web.refresh_from_db()
    transfer(world, world.tea, 40, on=date(2026, 12, 3))

    there = offer(world.web, world.tea)

    assert (there.now, there.steps) == (1, ((date(2026, 12, 3), Decimal(41)),))
    assert reason(there) == "12 on hand, 9 reserved, 2 buffer; 40 arriving 3 Dec"
    assert reason(there, on=date(2026, 12, 3)) == "12 on hand, 9 reserved, 2 buffer, 40 arriving 3 Dec"


def test_the_listings_buffer_stands_for_the_channels(world: World) -> None:
    Channel.objects.filter(pk=world.web.pk).update(buffer_quantity=5)
    world.web.refresh_from_db()
    assert offer(world.web, world.lamp).now == 15

    Listing.objects.filter(channel=world.web, sku=world.lamp).update(buffer_quantity=0)

    assert offer(world.web, world.lamp).now == 20


def test_a_purchase_order_counts_from_the_day_it_is_promised(world: World) -> None:
    draft_order(world, lamps=10)
    assert offer(world.web, world.lamp).steps == ()
    PurchaseOrder.objects.all().delete()

    order = sent_order(world, lamps=10)
    assert offer(world.web, world.lamp).steps == ((day(14), Decimal(30)),)
    line = order.lines.get(sku=world.lamp)
    line.promised_on, line.received_quantity = day(20), Decimal(4)
    line.save()

    there = offer(world.web, world.lamp)

    assert there.steps == ((day(20), Decimal(26)),)
    assert (there.earliest(Decimal(20)), there.earliest(Decimal(26)), there.earliest(Decimal(27))) == (
        TODAY,
        day(20),
        None,
    )


def test_what_is_late_is_promised_to_nobody(world: World) -> None:
    order = sent_order(world, lamps=10)
    order.lines.update(promised_on=day(-1))

    there = offer(world.web, world.lamp)

    assert there.steps == ()
    assert f"{order.number} late since 1 Mar" in reason(there)


def test_transfers_count_for_their_destination_less_what_was_received_and_lost(world: World) -> None:
    transfer(world, world.tea, 7, on=day(3))
    transfer(world, world.tea, 100, on=None)

    assert offer(world.web, world.tea).steps == ((day(3), Decimal(7)),)
    assert offer(world.market, world.tea).steps == ()


def test_backorders_take_what_arrives_in_their_own_warehouse(world: World) -> None:
    buy("W-1", "TEA", 25)
    put_stock(world.tea, world.north_shelf, 5)
    transfer(world, world.tea, 40, on=day(3))

    there = offer(world.web, world.tea)

    assert (there.now, there.by(day(2)), there.by(day(3))) == (5, 5, 20)
    assert offer(world.market, world.tea).now == 5
    assert "25 owed to waiting orders" in reason(there, on=day(3))


def test_other_channels_quotas_are_not_offered_until_they_expire(world: World) -> None:
    keep(30, expires_at=NOW + timedelta(days=4))

    web, market = offer(world.web, world.mug), offer(world.market, world.mug)

    assert (web.now, web.steps) == (110, ((day(5), Decimal(140)),))
    assert market.now == 40
    assert reason(web) == "140 on hand, 30 kept for MARKET"


def test_a_quota_without_stock_takes_what_arrives(world: World) -> None:
    world.market.routes.create(warehouse=world.main, rank=2)
    keep(10, sku="TEA", expires_at=NOW + timedelta(days=30))
    transfer(world, world.tea, 40, on=day(3))

    there = offer(world.web, world.tea)

    assert (there.now, there.by(day(3)), there.by(day(31))) == (0, 30, 40)
    assert "10 of it kept for MARKET" in reason(there, on=day(3))


def test_stock_elsewhere_that_fills_a_quota_takes_nothing_from_this_channel(world: World) -> None:
    store = make_channel("STORE", routes=(world.main,))
    keep(30)

    assert offer(store, world.mug).now == 100


def test_safety_stock_is_held_back_where_the_channel_wants_it(world: World) -> None:
    run = make_run()
    expect(run, world.lamp, world.main, per_day=1)
    world.web.holds_back_safety_stock = True

    there = offer(world.web, world.lamp)

    kept = there.promise.picture.safety_stock if there.promise else 0
    assert kept > 0
    assert there.now == max(20 - kept, 0)
    assert f"{int(kept)} safety stock" in reason(there)
    world.web.holds_back_safety_stock = False
    assert offer(world.web, world.lamp).now == 20


def test_of_a_kit_as_many_as_its_parts_allow(world: World) -> None:
    kit = make_kit(world)
    put_in_cart("C-1", ("MUG", 110))
    put_stock(world.lamp, world.north_shelf, 15)
    transfer(world, world.mug, 100, on=day(3))

    there = offer(world.web, kit)

    assert (there.now, there.steps) == (15, ((day(3), Decimal(35)),))
    assert reason(there).startswith("2 MUG in each: 140 on hand, 110 reserved")


def test_a_thousand_skus_cost_as_many_queries_as_two(world: World) -> None:
    def count(ids: list[int]) -> int:
        with CaptureQueriesContext(connection) as queries:
            found = available_to_promise(world.web, ids, now=NOW)
        assert len(found) == len(ids)
        return len(queries)

    make_kit(world)
    keep(30)
    few = count([world.mug.pk, world.lamp.pk])
    more = [make_sku(f"S-{n}").pk for n in range(30)]

    assert count([world.mug.pk, world.lamp.pk, *more]) == few <= 12


def test_the_api_answers_for_few_and_for_many(world: World, api: Any) -> None:
    shop = api(world.integration)
    transfer(world, world.tea, 40, on=date.today() + timedelta(days=3))

    few = shop.get("/api/v1/available-to-promise/?channel=WEB&sku=MUG&sku=TEA&quantity=7").json()
    body = {"channel": "WEB", "skus": ["TEA"], "on": str(date.today() + timedelta(days=3))}
    many = shop.post("/api/v1/available-to-promise/", body, format="json").json()

    assert [(row["sku"], row["quantity"]) for row in few["results"]] == [("MUG", "140"), ("TEA", "0")]
    assert few["results"][1]["earliest"] == str(date.today() + timedelta(days=3))
    assert few["results"][0]["reason"] == "140 on hand"
    assert few["as_of"]
    assert many["results"][0]["quantity"] == "40"
    wrong = shop.post("/api/v1/available-to-promise/", {"channel": "NO", "skus": ["A", "B", "MUG"]}, format="json")
    assert wrong.status_code == 422
    assert [item["field"] for item in wrong.json()["items"]] == ["channel", "skus", "skus"]
    assert shop.get("/api/v1/available-to-promise/?channel=WEB&sku=MUG&skus=2").status_code == 400
    assert shop.get("/api/v1/available-to-promise/?channel=WEB").status_code == 400


def test_an_order_that_waits_is_promised_the_day_its_turn_comes(world: World) -> None:
    transfer(world, world.tea, 10, on=day(3))
    transfer(world, world.tea, 10, on=day(9))
    first, second, third = buy("W-1", "TEA", 8), buy("W-2", "TEA", 4), buy("W-3", "TEA", 20)

    def told(order: SalesOrder) -> list[tuple[Decimal, date | None]]:
        return [(row.waiting, row.on) for row in promised_dates(order, now=NOW)]

    assert told(first) == [(8, day(3))]
    assert told(second) == [(4, day(9))]
    assert told(third) == [(20, None)]
    assert told(buy("W-4", "MUG", 1)) == []
