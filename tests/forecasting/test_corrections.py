"""Bulk orders are found by rule, outliers by the engine; a planner's word stands; the SKU's page sees every day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from config.kernel.errors import ValidationFailed
from forecasting.models import DemandHistory, HistoryCorrection
from forecasting.selectors.history import corrected_demand, pair_history
from forecasting.services.corrections import decide_correction, find_bulk_orders, record_outliers
from forecasting.services.history import refresh_demand
from tests.cast import NOW, World
from warehouses.models import SalesOrder, SalesOrderLine

pytestmark = pytest.mark.django_db
DAY = date(2026, 2, 20)


def ordered(world: World, day: date, quantity: int, cancelled: int = 0) -> SalesOrderLine:
    order = SalesOrder.objects.create(
        channel=world.web,
        external_id=f"{day}/{quantity}/{SalesOrder.objects.count()}",
        status="shipped",
        is_history=True,
        currency="GBP",
        ordered_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
    )
    return SalesOrderLine.objects.create(
        order=order,
        line_number=1,
        sku=world.mug,
        warehouse=world.main,
        quantity=quantity,
        cancelled_quantity=cancelled,
        unit_price=9,
    )


def ten_quiet_days(world: World) -> None:
    for n in range(10):
        ordered(world, DAY - timedelta(days=20 - n), 2)


def rows() -> list[tuple[date, str, Decimal, Decimal, str]]:
    return list(
        HistoryCorrection.objects.order_by("day").values_list("day", "kind", "observed", "corrected", "decision")
    )


def test_a_line_far_above_the_usual_is_read_at_the_usual_size(world: World) -> None:
    ten_quiet_days(world)
    ordered(world, DAY, 400)
    ordered(world, DAY, 3)
    refresh_demand()

    assert find_bulk_orders(first=DAY, until=DAY) == 1
    assert rows() == [(DAY, "bulk", 403, 5, "auto")]
    assert find_bulk_orders(first=DAY, until=DAY) == 0


def test_a_line_is_no_bulk_order_before_there_are_eight_to_compare_with(world: World) -> None:
    for n in range(7):
        ordered(world, DAY - timedelta(days=20 - n), 2)
    ordered(world, DAY, 400)
    refresh_demand()

    assert find_bulk_orders(first=DAY, until=DAY) == 0


def test_a_bulk_order_cancelled_since_is_no_longer_corrected(world: World) -> None:
    ten_quiet_days(world)
    line = ordered(world, DAY, 400)
    refresh_demand()
    find_bulk_orders(first=DAY, until=DAY)

    SalesOrderLine.objects.filter(pk=line.pk).update(cancelled_quantity=400)
    refresh_demand()

    assert find_bulk_orders(first=DAY, until=DAY) == 1
    assert rows() == []


def test_a_planners_word_is_not_overwritten_and_reaches_the_engine(world: World) -> None:
    ten_quiet_days(world)
    ordered(world, DAY, 400)
    refresh_demand()
    find_bulk_orders(first=DAY, until=DAY)
    pairs = [(world.mug.pk, world.main.pk)]
    values = np.array([[2.0, 400.0, np.nan]])

    by_rule = corrected_demand(values, pairs, until=DAY + timedelta(1))
    decide_correction(HistoryCorrection.objects.get(), decision="kept", by=world.planner, now=NOW)
    find_bulk_orders(first=DAY, until=DAY)
    kept = corrected_demand(values, pairs, until=DAY + timedelta(1))
    decide_correction(
        HistoryCorrection.objects.get(), decision="applied", by=world.planner, now=NOW, corrected=Decimal(50)
    )
    applied = corrected_demand(values, pairs, until=DAY + timedelta(1))

    for (read, decisions), expected in zip((by_rule, kept, applied), (2.0, 400.0, 50.0), strict=True):
        np.testing.assert_array_equal(read, [[2.0, expected, np.nan]])
        assert decisions.tolist() == [[0, 1, 0]]
    assert HistoryCorrection.objects.get().decided_by == world.planner


def test_demand_is_not_corrected_to_less_than_nothing(world: World) -> None:
    row = HistoryCorrection.objects.create(
        sku=world.mug, warehouse=world.main, day=DAY, kind="manual", observed=3, corrected=2
    )

    with pytest.raises(ValidationFailed, match="not negative"):
        decide_correction(row, decision="applied", by=world.planner, now=NOW, corrected=Decimal(-1))

    assert rows() == [(DAY, "manual", 3, 2, "auto")]


def sold(world: World, day: date, units: int) -> None:
    DemandHistory.objects.create(
        sku=world.mug, warehouse=world.main, channel=world.web, day=day, quantity=units, ordered=units, orders=1
    )


def test_an_outlier_of_the_engine_is_written_once_and_left_to_the_engine(world: World) -> None:
    from forecasting.engine.cleaning import clean
    from forecasting.engine.types import Panel

    values = np.full((1, 20), 10.0)
    values[0, 15] = 5000.0
    changes = clean(Panel(("mug",), values, np.zeros(1, dtype=np.int64))).changes
    pairs, first = [(world.mug.pk, world.main.pk)], DAY - timedelta(days=19)

    record_outliers(pairs, first=first, changes=changes)
    record_outliers(pairs, first=first, changes=changes)

    assert rows() == [(DAY - timedelta(days=4), "outlier", 5000, Decimal("121.825"), "auto")]
    read, decisions = corrected_demand(values, pairs, until=DAY)
    assert (read[0, 15], decisions.sum()) == (5000.0, 0)


def test_a_skus_page_sees_what_was_sold_and_what_is_read(world: World) -> None:
    for n in range(30):
        sold(world, DAY - timedelta(days=30 - n), 10)
    sold(world, DAY, 5000)

    days = pair_history(world.mug.pk, world.main.pk, start=DAY - timedelta(days=1), end=DAY)

    assert [(d.day, d.sold, d.kind) for d in days] == [(DAY - timedelta(1), 10, ""), (DAY, 5000, "outlier")]
    assert days[0].demand == 10
    assert days[1].demand == pytest.approx(10 * np.exp(2.5))
    assert days[0].in_stock == 1
