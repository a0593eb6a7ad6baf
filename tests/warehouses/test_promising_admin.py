"""The screens of promising: availability by channel with its reasons, carts, quotas, and the days on an order."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import World
from tests.kernel.test_export_admin import enter
from tests.kernel.test_lists_admin import count
from tests.warehouses.test_carts import make_kit, put_in_cart
from tests.warehouses.test_promising import transfer
from tests.warehouses.test_quotas import keep
from warehouses.models import Cart, ChannelQuota
from warehouses.services.availability import publish_all
from warehouses.services.sales import Sale, SaleLine, record_sale

pytestmark = pytest.mark.django_db
TABLE = "/admin/warehouses/publishedavailability/"


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_table_says_what_may_be_promised_and_why(world: World) -> None:
    now = timezone.now()
    keep(30, now=now)
    put_in_cart("C-1", ("LAMP", 9), now=now)
    publish_all(now=now)
    client = enter(world.viewer)

    page = text(client.get(TABLE))

    assert "140 on hand, 30 kept for MARKET" in page
    assert "20 on hand, 9 reserved" in page
    assert "LAMP" not in text(client.get(TABLE + "?q=MUG")).split("result_list")[1]
    assert "140 on hand" in text(client.get(f"{TABLE}?warehouse={world.main.pk}"))
    sheet = b"".join(client.get(TABLE + "export/").streaming_content).decode().splitlines()
    assert sheet[0].endswith("told_at,on_hand,reserved,buffer,quotas_of_others,inbound,promised,why")
    assert any(line.startswith("WEB,MUG,") and "110.000" in line for line in sheet)


def test_the_table_costs_the_same_with_more_rows(world: World) -> None:
    client = enter(world.planner)
    world.web.listings.exclude(sku=world.mug).update(is_active=False)
    publish_all(now=timezone.now())
    few = count(client, TABLE)
    world.web.listings.update(is_active=True)
    publish_all(now=timezone.now())

    assert count(client, TABLE) == few


def test_the_page_of_a_sku_shows_every_channel(world: World) -> None:
    page = text(enter(world.viewer).get(f"/admin/catalog/sku/{world.mug.pk}/change/"))

    assert "Availability by channel" in page
    assert "140 on hand" in page
    assert "40 on hand" in page
    kit = make_kit(world)
    assert "1 LAMP in each" in text(enter(world.viewer).get(f"/admin/catalog/sku/{kit.pk}/change/"))


def test_the_page_of_an_order_says_when_what_waits_should_be_there(world: World) -> None:
    due = date.today() + timedelta(days=3)
    transfer(world, world.tea, 10, on=due)
    now = timezone.now()
    sale = Sale("WEB", "W-1", now, [SaleLine("TEA", Decimal(4), Decimal(9)), SaleLine("TEA", Decimal(40), Decimal(9))])
    order, _ = record_sale(sale, now=now)

    page = text(enter(world.viewer).get(f"/admin/warehouses/salesorder/{order.pk}/change/"))

    assert due.isoformat() in page
    assert "No supply is known for it" in page


def test_a_clerk_lets_a_cart_go_and_a_viewer_does_not(world: World) -> None:
    cart, _ = put_in_cart("C-1", ("LAMP", 9), now=timezone.now())
    page = f"/admin/warehouses/cart/{cart.pk}/"
    assert "C-1" in text(enter(world.viewer).get("/admin/warehouses/cart/?q=LAMP"))
    assert "MAIN/A-01" in text(enter(world.viewer).get(page + "change/"))

    assert enter(world.viewer).post(page + "do/release/").status_code == 403
    assert Cart.objects.get().state == "held"
    enter(world.clerk).post(page + "do/release/")

    assert Cart.objects.get().state == "released"


def test_planners_set_change_and_release_quotas(world: World) -> None:
    client = enter(world.planner)
    entered = {
        "channel": world.market.pk,
        "sku": world.mug.pk,
        "quantity": "30",
        "expires_at_0": "",
        "expires_at_1": "",
    }
    made = client.post("/admin/warehouses/channelquota/add/", entered)
    assert made.status_code == 302
    quota = ChannelQuota.objects.get()
    page = f"/admin/warehouses/channelquota/{quota.pk}/"

    client.post(page + "change/", {"quantity": "35", "expires_at_0": "", "expires_at_1": ""})
    assert ChannelQuota.objects.get().quantity == 35
    put_in_cart("M-1", ("MUG", 10), channel="MARKET")
    refused = text(client.post(page + "change/", {"quantity": "9", "expires_at_0": "", "expires_at_1": ""}))
    assert "10 of it were used already" in refused
    kit = text(client.post("/admin/warehouses/channelquota/add/", entered | {"sku": make_kit(world).pk}))
    assert "A kit has no stock of its own" in kit
    client.post(page + "do/release/")

    assert ChannelQuota.objects.get().released_at is not None
    assert enter(world.clerk).get("/admin/warehouses/channelquota/add/").status_code == 403
