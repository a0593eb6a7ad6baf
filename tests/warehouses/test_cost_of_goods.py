"""Cost of goods sold: by shipment, by order, by channel and period, net of what came back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.cast import NOW, World
from tests.warehouses.test_valuation import book
from warehouses.models import SalesOrder
from warehouses.selectors.value import (
    CostOfGoods,
    cost_of_goods_by_channel,
    cost_of_goods_by_order,
    cost_of_goods_by_shipment,
    cost_of_goods_sold,
)
from warehouses.services.landed_costs import record_landed_cost
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import Sale, SaleLine, record_sale, ship_order

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def sold(world: World, number: str, units: int, *, channel: str = "WEB", sku: str = "TEA", ships: bool = True):
    line = SaleLine(sku_code=sku, quantity=Decimal(units), unit_price=Decimal("9.00"))
    order, _new = record_sale(Sale(channel_code=channel, external_id=number, ordered_at=NOW, lines=(line,)), now=NOW)
    return order, ship_order(order.pk, key=f"{channel}:{number}", now=NOW) if ships else None


@pytest.fixture
def tea(world: World) -> World:
    book("receipt", world.tea, world.shelf, 5, "1.00", reference="GR-1", happened_at=NOW - HOUR)
    book("receipt", world.tea, world.shelf, 10, "3.00", reference="GR-2", happened_at=NOW - HOUR)
    return world


def test_a_shipment_costs_what_its_layers_cost(tea: World) -> None:
    _order, first = sold(tea, "A", 4)
    order, second = sold(tea, "B", 3)

    assert cost_of_goods_by_shipment([first.number, second.number]) == {first.number: 4, second.number: 7}
    assert cost_of_goods_by_order([order.pk]) == {order.pk: CostOfGoods(sold=Decimal(7))}


def test_an_order_that_has_not_left_has_cost_nothing(tea: World) -> None:
    order, _none = sold(tea, "A", 4, ships=False)

    assert cost_of_goods_by_order([order.pk]) == {}


def test_what_comes_back_is_taken_off_and_only_of_its_own_channel(tea: World) -> None:
    for channel, sku in (("WEB", "TEA"), ("MARKET", "MUG")):
        sold(tea, "A", 4, channel=channel, sku=sku)
        # Both channels number this return alike.
        receive_return(
            channel_code=channel, external_id="R-1", order_external_id="A",
            lines=[ReturnLine(sku, Decimal(1), True)], now=NOW,
        )  # fmt: skip
    orders = {order.channel.code: order.pk for order in SalesOrder.objects.select_related("channel")}

    found = cost_of_goods_by_channel(NOW, NOW + HOUR)

    assert set(found) == {tea.web.pk, tea.market.pk}
    web = found[tea.web.pk]
    assert (web.sold, web.net) == (4, 4 - web.returned)
    assert web.returned > 0
    assert cost_of_goods_by_order(orders.values())[orders["WEB"]] == web
    assert found[tea.market.pk].sold == 8


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(tea: World) -> None:
    sold(tea, "A", 4)

    assert cost_of_goods_by_channel(NOW, NOW + HOUR)[tea.web.pk].sold == 4
    assert cost_of_goods_by_channel(NOW - HOUR, NOW) == {}


def test_landed_costs_that_come_too_late_are_cost_of_sales(tea: World) -> None:
    sold(tea, "A", 4)
    record_landed_cost(
        kind="freight", basis="quantity", amount=Decimal(10), references=["GR-1"], happened_at=NOW, key="K", now=NOW,
    )  # fmt: skip

    cost = cost_of_goods_sold(NOW, NOW + HOUR)

    assert (cost.sold, cost.returned, cost.expensed, cost.net) == (4, 0, 8, 12)
