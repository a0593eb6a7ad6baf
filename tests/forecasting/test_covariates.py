"""A run knows the calendar ahead and the shops' signals behind."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from catalog.models import CalendarEvent
from config.kernel.models import Job
from forecasting.models import DemandSignal, ForecastRules, ForecastRun
from forecasting.services.covariates import covariates_of
from tests.cast import World
from warehouses.models import SalesOrder, SalesOrderLine

pytestmark = pytest.mark.django_db
FIRST, UNTIL = date(2026, 3, 23), date(2026, 3, 29)


def of(world: World, ahead: int = 14):
    pairs = [(world.mug.pk, world.main.pk), (world.tea.pk, world.north.pk)]
    return covariates_of(pairs, first=FIRST, until=UNTIL, ahead=ahead)


def test_moving_holidays_of_the_companys_country_are_known_ahead(world: World) -> None:
    ForecastRules.objects.update(holiday_country="GB-ENG")

    flags = of(world).known["holiday"][0]

    assert [FIRST + timedelta(int(t)) for t in np.flatnonzero(flags)] == [date(2026, 4, 3), date(2026, 4, 6)]


def test_a_country_nobody_knows_has_no_holidays(world: World) -> None:
    ForecastRules.objects.update(holiday_country="XX")

    assert of(world).known["holiday"].sum() == 0


def test_promotions_and_closures_mark_the_skus_they_name(world: World) -> None:
    ForecastRules.objects.update(holiday_country="")
    event = CalendarEvent.objects.create
    event(kind="promotion", name="Mugs", starts_on=UNTIL, ends_on=UNTIL + timedelta(1), sku=world.mug, discount="0.25")
    event(kind="closure", name="Stock-taking", starts_on=FIRST, ends_on=FIRST)
    event(kind="closure", name="Web shop down", starts_on=UNTIL, ends_on=UNTIL, channel=world.web)

    known = of(world, ahead=2).known

    assert known["promotion"].tolist() == [[0, 0, 0, 0, 0, 0, 1, 1, 0], [0] * 9]
    assert known["discount"][0, 6:8].tolist() == [0.25, 0.25]
    assert known["price"][0].tolist() == [9.0] * 6 + [6.75] * 2 + [9.0]
    assert known["closed"].tolist() == [[1, 0, 0, 0, 0, 0, 0, 0, 0]] * 2


def test_a_pay_day_on_a_weekend_is_the_friday_before(world: World) -> None:
    ForecastRules.objects.update(pay_day=28)  # a Saturday

    flags = of(world, ahead=0).known["payday"][0]

    assert flags.tolist() == [0, 0, 0, 0, 1, 0, 0]


def verdict(helps: bool) -> None:
    job = Job.objects.create(kind="plan")
    ForecastRun.objects.create(
        job=job, as_of=UNTIL, horizon_days=56, quantile_levels=[0.5], summary={"signals": {"helps": helps}}
    )


def test_signals_are_known_only_of_the_past_and_only_where_they_help_and_the_rules_allow(world: World) -> None:
    DemandSignal.objects.create(sku=world.mug, channel=world.web, day=UNTIL, page_views=30)
    DemandSignal.objects.create(sku=world.mug, channel=world.market, day=UNTIL, page_views=10)
    DemandSignal.objects.create(sku=world.mug, channel=world.web, day=UNTIL + timedelta(1), page_views=99)

    unweighed = of(world).past
    verdict(True)
    past = of(world).past
    ForecastRules.objects.update(uses_signals=False)
    forbidden = of(world).past
    ForecastRules.objects.update(uses_signals=True)
    verdict(False)

    assert (unweighed, forbidden, of(world).past) == ({}, {}, {})
    assert list(past) == ["page_views"]
    np.testing.assert_allclose(past["page_views"], [[np.nan] * 6 + [np.log(41)], [np.nan] * 7])


def bought(world: World, day: date, quantity: int, price: str, currency: str = "GBP") -> None:
    order = SalesOrder.objects.create(
        channel=world.web,
        external_id=f"{SalesOrder.objects.count()}",
        status="shipped",
        is_history=True,
        currency=currency,
        ordered_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
    )
    line = {"line_number": 1, "sku": world.mug, "warehouse": world.main}
    SalesOrderLine.objects.create(order=order, quantity=quantity, unit_price=price, **line)


def test_the_price_paid_is_the_days_mean_by_units_and_carried_forward(world: World) -> None:
    bought(world, FIRST - timedelta(1), 5, "99")
    bought(world, FIRST + timedelta(2), 3, "9")
    bought(world, FIRST + timedelta(2), 1, "7")
    bought(world, FIRST + timedelta(3), 2, "4", "EUR")
    bought(world, FIRST + timedelta(4), 2, "0")
    bought(world, FIRST + timedelta(5), 2, "6")

    pairs = [(world.mug.pk, world.main.pk), (world.tea.pk, world.main.pk), (world.mug.pk, world.north.pk)]
    past = covariates_of(pairs, first=FIRST, until=UNTIL, ahead=7, with_prices=True).past
    paid = [np.nan, np.nan, 8.5, 8.5, 8.5, 6.0, 6.0]

    assert list(past) == ["paid_price"]
    np.testing.assert_array_equal(past["paid_price"], [paid, [np.nan] * 7, paid])
    assert of(world).past == {}
