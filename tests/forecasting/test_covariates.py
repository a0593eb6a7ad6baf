"""A run knows the calendar ahead and the shops' signals behind."""

from datetime import date, timedelta

import numpy as np
import pytest

from catalog.models import CalendarEvent
from forecasting.models import DemandSignal, ForecastRules
from forecasting.services.covariates import covariates_of
from tests.cast import World

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


def test_signals_are_known_only_of_the_past_and_only_where_the_rules_allow(world: World) -> None:
    DemandSignal.objects.create(sku=world.mug, channel=world.web, day=UNTIL, page_views=30)
    DemandSignal.objects.create(sku=world.mug, channel=world.market, day=UNTIL, page_views=10)
    DemandSignal.objects.create(sku=world.mug, channel=world.web, day=UNTIL + timedelta(1), page_views=99)

    past = of(world).past
    ForecastRules.objects.update(uses_signals=False)

    assert list(past) == ["page_views"]
    assert past["page_views"][0].tolist() == [0, 0, 0, 0, 0, 0, pytest.approx(np.log(41))]
    assert of(world).past == {}
