"""Lots that expired are blocked at night, and their orders get other stock."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from monitoring.models import Alert
from monitoring.services.alerts import evaluate_alerts
from tests.cast import NOW, World, make_lot, put_stock
from warehouses.models import Reservation, SalesOrder, StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.adjustments import adjust_stock
from warehouses.services.expiry import expire_lots
from warehouses.services.sales import Sale, SaleLine, record_sale

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=2)


def test_expired_stock_is_blocked_and_its_orders_get_other_stock(world: World) -> None:
    old = make_lot(world.tea, "OLD", expires_on=date(2026, 3, 3))
    new = make_lot(world.tea, "NEW", expires_on=date(2027, 3, 3))
    put_stock(world.tea, world.shelf, 10, lot=old)
    put_stock(world.tea, world.shelf, 6, lot=new)
    record_sale(Sale("WEB", "W-1", NOW, [SaleLine("TEA", Decimal(8), Decimal(3))]), now=NOW)
    assert Reservation.objects.get().level.lot == old

    outcome = expire_lots(now=LATER)

    assert (outcome.blocked, outcome.held_back) == (1, 0)
    levels = StockLevel.objects.filter(sku=world.tea).values_list("lot__code", "status", "on_hand", "reserved")
    assert sorted(levels) == [("NEW", "available", 6, 6), ("OLD", "available", 0, 0), ("OLD", "blocked", 10, 0)]
    order = SalesOrder.objects.get()
    assert (order.status, order.lines.get().reserved_quantity) == ("backordered", 6)
    assert drifting_levels() == drifting_lines() == []


def test_a_second_run_finds_nothing_to_do(world: World) -> None:
    put_stock(world.tea, world.shelf, 10, lot=make_lot(world.tea, "OLD", expires_on=date(2026, 3, 3)))
    expire_lots(now=LATER)

    assert expire_lots(now=LATER).blocked == 0
    assert StockMovement.objects.filter(reason="expired").count() == 2


def test_a_lot_is_good_until_the_end_of_its_last_day(world: World) -> None:
    put_stock(world.tea, world.shelf, 10, lot=make_lot(world.tea, "LAST", expires_on=LATER.date()))

    assert expire_lots(now=LATER).blocked == 0


def test_expired_stock_is_an_alert_until_it_is_gone(world: World) -> None:
    put_stock(world.tea, world.shelf, 10, lot=make_lot(world.tea, "OLD", expires_on=date(2026, 3, 3)))
    expire_lots(now=LATER)

    evaluate_alerts(now=LATER)
    alert = Alert.objects.get(kind="expired_stock")
    level = StockLevel.objects.get(sku=world.tea, status="blocked")
    adjust_stock(
        sku_id=level.sku_id,
        location_id=level.location_id,
        lot_id=level.lot_id,
        status="blocked",
        quantity=Decimal(-10),
        kind="scrap",
        reason="expired",
        key="K",
        now=LATER,
    )
    evaluate_alerts(now=LATER + timedelta(minutes=5))

    assert alert.message == "10 of TEA, lot OLD, expired on 2026-03-03 and still lie in Leeds."
    assert not Alert.objects.filter(kind="expired_stock", resolved_at=None).exists()
