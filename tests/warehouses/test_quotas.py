"""Quotas are set, raised, lowered, released and expire; what is kept for a channel is not eaten by another."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from tests.cast import NOW, World
from tests.warehouses.test_carts import buy, make_kit, put_in_cart
from warehouses.models import AvailabilityChange, ChannelQuota
from warehouses.services.quotas import expire_quotas, release_quota, set_quota

pytestmark = pytest.mark.django_db


def keep(quantity: Any, *, channel: str = "MARKET", sku: str = "MUG", **more: Any) -> tuple[ChannelQuota, bool]:
    return set_quota(channel_code=channel, sku_code=sku, quantity=Decimal(quantity), **{"now": NOW, **more})


def test_a_quota_is_set_raised_and_lowered_and_tells_that_it_changed(world: World) -> None:
    AvailabilityChange.objects.all().delete()

    quota, is_new = keep(30)
    raised, raised_is_new = keep(40)
    keep(10)

    assert (is_new, raised_is_new, raised.pk) == (True, False, quota.pk)
    assert ChannelQuota.objects.get().quantity == 10
    assert list(AvailabilityChange.objects.values_list("sku_id", flat=True)) == [world.mug.pk] * 3


def test_a_quota_is_not_lowered_below_what_was_used_of_it(world: World) -> None:
    keep(30)
    put_in_cart("M-1", ("MUG", 20), channel="MARKET")

    with pytest.raises(ValidationFailed) as refused:
        keep(19)

    assert refused.value.items[0]["field"] == "quantity"
    assert ChannelQuota.objects.get().quantity == 30


def test_every_fault_of_a_quota_is_named_at_once(world: World) -> None:
    with pytest.raises(ValidationFailed) as refused:
        keep(0, channel="NOPE", sku="NOPE", expires_at=NOW)

    assert [item["field"] for item in refused.value.items] == ["channel_code", "sku_code", "quantity", "expires_at"]
    make_kit(world)
    with pytest.raises(ValidationFailed):
        keep(1, sku="GIFT")


def test_a_released_quota_is_everybodys_stock(world: World) -> None:
    quota, _ = keep(40)
    release_quota(quota.pk, now=NOW)

    put_in_cart("C-1", ("MUG", 140))

    with pytest.raises(Conflict):
        release_quota(quota.pk, now=NOW)
    with pytest.raises(NotFound):
        release_quota(0, now=NOW)


def test_an_expired_quota_counts_no_more_even_before_the_task_comes(world: World) -> None:
    keep(40, expires_at=NOW + timedelta(hours=1))
    after = NOW + timedelta(hours=1)

    put_in_cart("C-1", ("MUG", 140), now=after)

    assert expire_quotas(now=after) == 1
    assert expire_quotas(now=after) == 0
    assert ChannelQuota.objects.get().released_at == after


def test_an_expired_quota_can_be_set_anew(world: World) -> None:
    keep(40, expires_at=NOW + timedelta(hours=1))

    quota, is_new = keep(5, now=NOW + timedelta(hours=2))

    assert is_new
    assert quota.quantity == 5
    assert ChannelQuota.objects.filter(released_at=None).count() == 1


def test_an_order_eats_no_other_channels_quota(world: World) -> None:
    keep(30)

    order = buy("W-1", "MUG", 140)

    assert sum(line.reserved_quantity for line in order.lines.all()) <= 110
    kept = buy("M-1", "MUG", 30, channel="MARKET")
    assert kept.status == "reserved"


def test_a_quota_that_ends_serves_the_order_that_waits(world: World) -> None:
    quota, _ = keep(20, channel="MARKET", sku="LAMP")
    world.market.routes.create(warehouse=world.main, rank=2)
    order = buy("W-1", "LAMP", 20)
    assert order.status == "backordered"

    release_quota(quota.pk, now=NOW)

    order.refresh_from_db()
    assert order.status == "reserved"


def test_planners_set_and_release_quotas_over_the_api(world: World, api: Any) -> None:
    planner = api(world.planner)
    body = {"channel": "MARKET", "sku": "MUG", "quantity": "30"}

    made = planner.post("/api/v1/quotas/", body, format="json")
    raised = planner.post("/api/v1/quotas/", body | {"quantity": "35"}, format="json")

    assert (made.status_code, raised.status_code) == (201, 200)
    assert raised.json() | {"id": 0, "created": 0} == {
        "id": 0,
        "channel": "MARKET",
        "sku": "MUG",
        "quantity": "35",
        "used": "0",
        "expires_at": None,
        "released_at": None,
        "created": 0,
    }
    listed = planner.get("/api/v1/quotas/?channel=MARKET&is_open=true").json()["results"]
    assert [row["sku"] for row in listed] == ["MUG"]
    assert planner.post(f"{made['Location']}release/").json()["released_at"] is not None
    assert planner.post(f"{made['Location']}release/").status_code == 409
    assert planner.post("/api/v1/quotas/", body | {"sku": "NO"}, format="json").json()["items"][0]["field"] == "sku"
