"""A cart holds stock for a while: all of it or nothing, once a number, until it is ordered, let go or over."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import KitPart, Sku
from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from tests.cast import NOW, World, make_sku, put_stock
from warehouses.models import Cart, ChannelQuota, Reservation, SalesOrder, StockLevel, StockRules
from warehouses.selectors.stock import drifting_levels
from warehouses.services.cart_checks import CartItem
from warehouses.services.carts import (
    expire_carts,
    expire_due_carts,
    hold_cart,
    release_cart,
    renew_cart,
    take_over_cart,
)
from warehouses.services.quotas import set_quota
from warehouses.services.sales import Sale, SaleLine, record_sale
from warehouses.services.unreserving import free_up

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=16)


def put_in_cart(number: str, *items: tuple[str, Any], channel: str = "WEB", **more: Any) -> tuple[Cart, bool]:
    lines = [CartItem(sku, Decimal(quantity)) for sku, quantity in items]
    return hold_cart(channel_code=channel, external_id=number, lines=lines, **{"now": NOW, **more})


def reserved(sku: Sku) -> int:
    return sum(int(level.reserved) for level in StockLevel.objects.filter(sku=sku))


def buy(number: str, sku: str, quantity: int, channel: str = "WEB", *, cart: str = "", **more: Any) -> SalesOrder:
    lines = [SaleLine(sku, Decimal(quantity), Decimal(9))]
    return record_sale(Sale(channel, number, NOW, lines, cart_external_id=cart, **more), now=NOW)[0]


def make_kit(world: World) -> Sku:
    """A gift set: two mugs and a lamp."""
    kit = make_sku("GIFT", is_kit=True)
    KitPart.objects.create(kit=kit, part=world.mug, quantity=2)
    KitPart.objects.create(kit=kit, part=world.lamp, quantity=1)
    return kit


def test_a_cart_holds_its_stock_for_the_minutes_of_the_company(world: World) -> None:
    StockRules.objects.update_or_create(pk=1, defaults={"cart_minutes": 15})

    cart, is_new = put_in_cart("C-1", ("LAMP", 3), ("MUG", 2))

    assert is_new
    assert (cart.state, cart.expires_at) == ("held", NOW + timedelta(minutes=15))
    assert (reserved(world.lamp), reserved(world.mug)) == (3, 2)
    assert drifting_levels() == []


def test_the_same_cart_again_holds_once_and_lasts_longer(world: World) -> None:
    first, _ = put_in_cart("C-1", ("LAMP", 3), ttl_minutes=10)

    again, is_new = put_in_cart("C-1", ("LAMP", 3), ttl_minutes=10, now=NOW + timedelta(minutes=5))

    assert (again.pk, is_new) == (first.pk, False)
    assert again.expires_at == NOW + timedelta(minutes=15)
    assert reserved(world.lamp) == 3
    assert Reservation.objects.count() == 1


def test_a_cart_whose_units_were_let_go_holds_others_when_it_comes_again(world: World) -> None:
    put_in_cart("C-1", ("MUG", 100))
    level = StockLevel.objects.get(sku=world.mug, location=world.shelf)
    free_up({level.pk: Decimal(30)})
    assert (Cart.objects.get().state, reserved(world.mug)) == ("released", 0)

    put_in_cart("C-1", ("MUG", 100))

    assert reserved(world.mug) == 100


def test_a_cart_with_other_lines_holds_these_instead(world: World) -> None:
    put_in_cart("C-1", ("LAMP", 18), ("MUG", 2))

    cart, _ = put_in_cart("C-1", ("LAMP", 20))

    assert (reserved(world.lamp), reserved(world.mug)) == (20, 0)
    assert [(line.sku.code, line.quantity) for line in cart.lines.all()] == [("LAMP", 20)]


def test_a_short_cart_names_every_short_line_and_holds_nothing(world: World) -> None:
    with pytest.raises(InsufficientStock) as refused:
        put_in_cart("C-1", ("LAMP", 25), ("MUG", 10), ("TEA", 1))

    assert [(i["line"], i["sku"], i["available"], i["short_by"]) for i in refused.value.items] == [
        (1, "LAMP", "20", "5"),
        (3, "TEA", "0", "1"),
    ]
    assert "LAMP): short by 5" in str(refused.value)
    assert Cart.objects.count() == Reservation.objects.count() == 0


def test_a_cart_that_grows_too_large_keeps_what_it_had(world: World) -> None:
    put_in_cart("C-1", ("LAMP", 3))

    with pytest.raises(InsufficientStock):
        put_in_cart("C-1", ("LAMP", 21))

    assert reserved(world.lamp) == 3
    assert Cart.objects.get().state == "held"


def test_every_fault_of_a_cart_is_named_at_once(world: World) -> None:
    with pytest.raises(ValidationFailed) as refused:
        put_in_cart(" ", ("NONE", 1), ("MUG", 0), ("MUG", "0.0001"), channel="NOPE", ttl_minutes=0)

    assert [(item["line"], item["field"]) for item in refused.value.items] == [
        (0, "channel_code"),
        (0, "external_id"),
        (0, "ttl_minutes"),
        (1, "sku_code"),
        (2, "quantity"),
        (3, "quantity"),
    ]
    assert Cart.objects.count() == 0


def test_a_kit_in_a_cart_is_held_as_its_parts(world: World) -> None:
    make_kit(world)

    cart, _ = put_in_cart("C-1", ("GIFT", 20))

    assert (reserved(world.mug), reserved(world.lamp)) == (40, 20)
    assert cart.lines.get().parts == {str(world.mug.pk): "2", str(world.lamp.pk): "1"}
    with pytest.raises(InsufficientStock) as refused:
        put_in_cart("C-2", ("GIFT", 1))
    assert refused.value.items[0]["short_by"] == "1"


def test_units_kept_for_another_channel_are_not_held(world: World) -> None:
    set_quota(channel_code="MARKET", sku_code="MUG", quantity=Decimal(30), now=NOW)

    with pytest.raises(InsufficientStock) as refused:
        put_in_cart("C-1", ("MUG", 111))

    assert refused.value.items[0]["available"] == "110"
    put_in_cart("C-1", ("MUG", 110))
    put_in_cart("M-1", ("MUG", 30), channel="MARKET")
    assert ChannelQuota.objects.get().used == 30


def test_a_cart_that_lets_go_gives_its_quota_back(world: World) -> None:
    set_quota(channel_code="MARKET", sku_code="MUG", quantity=Decimal(30), now=NOW)
    cart, _ = put_in_cart("M-1", ("MUG", 12), channel="MARKET")
    assert ChannelQuota.objects.get().used == 12

    release_cart(cart.pk, now=NOW)

    assert ChannelQuota.objects.get().used == 0
    assert reserved(world.mug) == 0


def test_a_cart_whose_time_is_over_serves_the_order_that_waits(world: World) -> None:
    put_in_cart("C-1", ("LAMP", 20), ttl_minutes=15)
    order = buy("W-1", "LAMP", 5)
    assert order.status == "backordered"

    assert expire_carts(now=NOW + timedelta(minutes=14)) == 0
    assert expire_carts(now=LATER) == 1
    assert expire_carts(now=LATER) == 0

    order.refresh_from_db()
    assert order.status == "reserved"
    assert reserved(world.lamp) == 5
    assert Cart.objects.get().state == "expired"
    assert drifting_levels() == []


def test_a_cart_that_comes_up_short_ends_those_that_are_over_first(world: World) -> None:
    put_in_cart("C-1", ("LAMP", 20), ttl_minutes=15)

    cart, _ = put_in_cart("C-2", ("LAMP", 20), now=LATER)

    assert cart.state == "held"
    assert Cart.objects.get(external_id="C-1").state == "expired"
    assert expire_due_carts([world.mug.pk], now=LATER + timedelta(days=1)) == 0


def test_a_cart_is_renewed_only_while_it_holds(world: World) -> None:
    cart, _ = put_in_cart("C-1", ("LAMP", 1), ttl_minutes=15)

    renewed = renew_cart(cart.pk, now=NOW + timedelta(minutes=10), ttl_minutes=15)

    assert renewed.expires_at == NOW + timedelta(minutes=25)
    expire_carts(now=NOW + timedelta(minutes=26))
    with pytest.raises(Conflict):
        renew_cart(cart.pk, now=NOW + timedelta(minutes=27))
    with pytest.raises(Conflict):
        release_cart(cart.pk, now=NOW + timedelta(minutes=27))
    again, is_new = put_in_cart("C-1", ("LAMP", 1), now=LATER)
    assert (again.state, is_new) == ("held", False)


def test_an_ordered_cart_frees_its_stock_for_its_order_and_is_never_held_again(world: World) -> None:
    put_in_cart("C-1", ("LAMP", 20))
    args = {"sku_ids": [world.lamp.pk], "warehouse_ids": [world.main.pk], "now": NOW}

    taken = take_over_cart(world.web.pk, "C-1", **args)

    assert taken is not None
    assert taken.state == "ordered"
    assert reserved(world.lamp) == 0
    assert take_over_cart(world.web.pk, "C-1", **args) is None
    assert take_over_cart(world.web.pk, "never", **args) is None
    with pytest.raises(Conflict):
        put_in_cart("C-1", ("LAMP", 1))


def test_an_order_takes_its_carts_units_over_and_nobody_comes_between(world: World) -> None:
    put_in_cart("C-1", ("LAMP", 20))
    waiting = buy("W-1", "LAMP", 3)

    order = buy("W-2", "LAMP", 18, cart="C-1")

    waiting.refresh_from_db()
    assert (order.status, waiting.status) == ("reserved", "backordered")
    assert Cart.objects.get().state == "ordered"
    assert reserved(world.lamp) == 20  # what the cart held beyond its order serves who waits
    assert buy("W-2", "LAMP", 18, cart="C-1").pk == order.pk
    assert buy("W-3", "MUG", 1, cart="never").status == "reserved"
    assert drifting_levels() == []


def test_an_order_that_is_refused_leaves_its_cart_as_it_was(world: World) -> None:
    put_in_cart("C-1", ("LAMP", 5))

    with pytest.raises(InsufficientStock):
        buy("W-1", "LAMP", 21, cart="C-1", on_short="refuse")

    assert Cart.objects.get().state == "held"
    assert reserved(world.lamp) == 5


def test_an_order_that_would_be_refused_ends_the_carts_that_are_over_first(world: World) -> None:
    put_in_cart("C-1", ("LAMP", 20), ttl_minutes=15, now=NOW - timedelta(minutes=20))

    order = buy("W-1", "LAMP", 20, on_short="refuse")

    assert order.status == "reserved"
    assert Cart.objects.get().state == "expired"


def test_the_shop_orders_a_cart_over_the_api(world: World, api: Any) -> None:
    put_in_cart("C-1", ("LAMP", 20))
    body = {
        "channel": "WEB",
        "external_id": "W-1",
        "ordered_at": NOW.isoformat(),
        "cart": "C-1",
        "on_short": "refuse",
        "lines": [{"sku": "LAMP", "quantity": "20", "unit_price": "45"}],
    }

    made = api(world.integration).post("/api/v1/orders/", body, format="json")

    assert made.status_code == 201
    assert Cart.objects.get().state == "ordered"


def test_the_shop_holds_renews_and_releases_a_cart_over_the_api(world: World, api: Any) -> None:
    shop = api(world.integration)
    body = {"channel": "WEB", "external_id": "C-1", "lines": [{"sku": "LAMP", "quantity": "2"}], "ttl_minutes": 30}

    made = shop.post("/api/v1/carts/", body, format="json")
    again = shop.post("/api/v1/carts/", body, format="json")

    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["state"] == "held"
    assert made.json()["lines"] == [{"line_number": 1, "sku": "LAMP", "quantity": "2", "parts": {}}]
    address = made["Location"]
    assert shop.get(address).json()["external_id"] == "C-1"
    assert shop.post(f"{address}renew/", {"ttl_minutes": 5}, format="json").status_code == 200
    assert shop.post(f"{address}release/").json()["state"] == "released"
    assert shop.post(f"{address}release/").status_code == 409
    short = shop.post("/api/v1/carts/", body | {"lines": [{"sku": "LAMP", "quantity": "21"}]}, format="json")
    assert short.status_code == 409
    assert short.json()["items"][0]["short_by"] == "1"
    put_stock(world.lamp, world.shelf, 1)
    wrong = shop.post("/api/v1/carts/", body | {"channel": "NOPE"}, format="json")
    assert wrong.status_code in (400, 422)
    assert wrong.json()["items"][0]["field"] == "channel"
