"""Consumption: real orders use up the forecast of their week, then of its neighbours, and nothing is counted twice."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from forecasting.selectors.consumption import consumption, remaining, units_counted_twice
from forecasting.services.overrides import set_override
from tests.cast import NOW, World
from tests.forecasting.looking_ahead import AS_OF, entry, expect, make_run
from warehouses.models import SalesOrder, SalesOrderLine

TODAY = NOW.date()


@pytest.mark.parametrize(
    ("forecast", "ordered", "left"),
    [
        ([10, 10, 10], [4, 0, 0], [6, 10, 10]),
        ([10, 10, 10], [4, 19, 0], [0, 0, 7]),
        ([10, 10, 10], [0, 0, 12], [10, 8, 0]),
        ([10, 10, 10, 10], [30, 0, 0, 0], [0, 0, 10, 10]),
        ([10, 10], [15, 15], [0, 0]),
        ([0, 10], [3, 0], [0, 7]),
        ([5], [9], [0]),
        ([], [], []),
    ],
)
def test_orders_consume_their_week_then_the_one_before_then_the_one_after(
    forecast: list[float], ordered: list[float], left: list[float]
) -> None:
    assert remaining(forecast, ordered) == left


def order(world: World, units: int, *, day: date = TODAY, cancelled: int = 0, is_history: bool = False) -> Any:
    number = SalesOrder.objects.count()
    sale = SalesOrder.objects.create(
        channel=world.web,
        external_id=f"W-{number}",
        status="received",
        is_history=is_history,
        currency="GBP",
        ordered_at=NOW + (day - TODAY),
    )
    return SalesOrderLine.objects.create(
        order=sale,
        line_number=1,
        sku=world.mug,
        warehouse=world.main,
        quantity=Decimal(units),
        cancelled_quantity=Decimal(cancelled),
        unit_price=1,
    )


@pytest.mark.django_db
def test_a_forecast_is_consumed_week_by_week_from_the_day_it_was_made(world: World) -> None:
    forecast = expect(make_run(AS_OF - timedelta(days=2)), world.mug, world.main, 10)  # made on Friday
    order(world, 7, day=AS_OF - timedelta(days=2))
    order(world, 5, day=AS_OF - timedelta(days=1))
    order(world, 25, cancelled=5)
    set_override(entry(value="2", first=9, last=15), author=world.planner, now=NOW)

    weeks = consumption(forecast, today=TODAY, weeks=3)

    assert [(w.first.day, w.last.day, w.forecast, w.ordered, w.remaining) for w in weeks] == [
        (28, 1, 20, 5, 15),
        (2, 8, 70, 20, 50),
        (9, 15, 140, 0, 140),
    ]


@pytest.mark.django_db
def test_of_what_was_ordered_since_the_run_only_what_it_expected_by_today_is_counted_twice(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 10)
    assert units_counted_twice(run, today=TODAY) == {}

    order(world, 4)
    order(world, 3, day=AS_OF)
    order(world, 50, is_history=True)
    assert units_counted_twice(run, today=TODAY) == {(world.mug.pk, world.main.pk): 4}

    order(world, 200)
    assert units_counted_twice(run, today=TODAY) == {(world.mug.pk, world.main.pk): 10}
    set_override(entry(value="1.5"), author=world.planner, now=NOW)
    assert units_counted_twice(run, today=TODAY) == {(world.mug.pk, world.main.pk): 15}
    assert units_counted_twice(run, today=TODAY + timedelta(days=1)) == {(world.mug.pk, world.main.pk): 30}
    assert units_counted_twice(run, today=AS_OF) == {}
