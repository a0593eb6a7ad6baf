"""The short-term view: an order is in it as soon as it is committed, whatever the forecast said in the night."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import CalendarEvent, Channel
from forecasting.models import DemandHistory, ForecastOverride
from forecasting.selectors import channel_clocks
from forecasting.selectors.channel_clocks import ChannelClock, _without_silence
from forecasting.selectors.live_orders import _dry
from forecasting.selectors.nowcast import nowcasts, sku_nowcast
from tests.cast import NOW, make_sku
from tests.forecasting.nowcasting import make_forecast, place_order
from tests.monitoring.forecasts import expect
from warehouses.models import SalesOrder

NOON = NOW.replace(hour=12)
YESTERDAY = (NOW - timedelta(days=1)).date()


@pytest.fixture(autouse=True)
def fresh_clocks() -> Iterator[None]:
    channel_clocks._REMEMBERED.clear()
    yield
    channel_clocks._REMEMBERED.clear()


def flat_profile(world: Any) -> None:
    """An order at half past every hour of the last four weeks: the day goes by evenly, and no day is silent."""
    SalesOrder.objects.bulk_create(
        SalesOrder(
            channel=world.web,
            external_id=f"P-{day}-{hour}",
            status="shipped",
            currency="GBP",
            ordered_at=datetime(2026, 3, 2, hour, 30, tzinfo=UTC) - timedelta(days=day),
        )
        for day in range(29)
        for hour in range(24)
        if (day or hour < 12) and (day < 28 or hour >= 12)
    )


def demand(world: Any, channel: Any, units: int) -> None:
    DemandHistory.objects.create(
        sku=world.mug, warehouse=world.main, channel=channel, day=YESTERDAY, quantity=units, ordered=units, orders=1
    )


def view(world: Any, **more: Any) -> Any:
    found = sku_nowcast(world.mug.pk, now=more.pop("now", NOON), **more)
    assert found is not None
    return found


@pytest.mark.django_db
def test_an_order_of_this_morning_moves_the_level_the_moment_it_is_there(world: Any) -> None:
    flat_profile(world)
    demand(world, world.web, 10)
    make_forecast(world)
    before = view(world)

    place_order(world, 12, at=NOW, number="N-1")
    after = view(world)

    # v₀ = .04: α₀ = β₀ = 25; half the day has gone: 5 were expected.
    assert before.total.factor == pytest.approx(25 / 30, abs=1e-6)
    assert after.total.factor == pytest.approx(37 / 30, abs=1e-6)
    assert (after.total.observed, after.total.expected) == (12.0, pytest.approx(5.0))
    assert after.total.rest_of_today.mean == pytest.approx(5 * 37 / 30)
    assert after.total.next_7_days.mean == pytest.approx(70 * 37 / 30)
    assert after.total.protection.mean == pytest.approx(200 * 37 / 30)
    assert after.total.last_order_at == NOW
    assert not after.total.is_surprising


@pytest.mark.django_db
def test_what_was_cancelled_or_returned_does_not_count(world: Any) -> None:
    flat_profile(world)
    demand(world, world.web, 10)
    make_forecast(world)

    place_order(world, 12, at=NOW, number="N-1", cancelled_quantity=4, returned_quantity=3)

    assert view(world).total.observed == 5.0


@pytest.mark.django_db
def test_an_order_dated_tomorrow_and_one_the_forecast_has_read_do_not_count(world: Any) -> None:
    flat_profile(world)
    make_forecast(world)

    place_order(world, 5, at=NOON + timedelta(hours=1), number="N-1")
    place_order(world, 5, at=NOON - timedelta(days=1), number="N-2")

    assert view(world).total.observed == 0.0


@pytest.mark.django_db
def test_forty_orders_by_noon_where_five_were_expected_are_surprising(world: Any) -> None:
    flat_profile(world)
    demand(world, world.web, 10)
    make_forecast(world)

    place_order(world, 40, at=NOW, number="N-1")

    total = view(world).total
    assert total.is_surprising
    assert (total.direction, total.probability < 1e-3) == ("above", True)


@pytest.mark.django_db
def test_a_feed_that_ended_is_no_fall_of_demand(world: Any) -> None:
    """Nothing has come from the whole channel for days where it used to have 24 orders a day."""
    flat_profile(world)
    demand(world, world.web, 10)
    make_forecast(world)

    later = view(world, now=NOON + timedelta(days=9))

    # The day the orders stopped counts whole, 10 expected and none seen; the silent ones after it do not.
    assert later.total.factor == pytest.approx(25 / 35)


@pytest.mark.django_db
def test_a_channel_that_never_had_an_order_says_nothing(world: Any) -> None:
    make_forecast(world)

    assert (view(world).total.factor, view(world).total.expected) == (1.0, 0.0)


@pytest.mark.django_db
def test_a_closed_day_says_nothing_and_has_nothing_left(world: Any) -> None:
    flat_profile(world)
    demand(world, world.web, 10)
    make_forecast(world)
    CalendarEvent.objects.create(kind="closure", name="Stocktake", starts_on=NOW.date(), ends_on=NOW.date())

    total = view(world).total

    assert (total.factor, total.expected, total.rest_of_today.mean) == (1.0, 0.0, 0.0)


@pytest.mark.django_db
def test_a_channel_sees_its_own_share_and_orders_alone(world: Any) -> None:
    flat_profile(world)
    demand(world, world.web, 30)
    demand(world, world.market, 10)
    make_forecast(world)
    place_order(world, 3, at=NOW, number="N-1", channel=world.market)
    place_order(world, 7, at=NOW, number="N-2")

    web = view(world, channel=world.web).total

    assert (web.observed, web.expected) == (7.0, pytest.approx(3.75, rel=0.005))
    assert view(world).total.observed == 10.0


@pytest.mark.django_db
def test_the_day_of_a_channel_is_that_of_its_own_clock(world: Any) -> None:
    Channel.objects.filter(pk=world.web.pk).update(time_zone="Asia/Shanghai")
    make_forecast(world)

    # 15:30 UTC on 1 March is 23:30 there, a day the forecast has read; 16:30 is half past midnight of 2 March.
    place_order(world, 1, at=datetime(2026, 3, 1, 15, 30, tzinfo=UTC), number="N-1")
    place_order(world, 2, at=datetime(2026, 3, 1, 16, 30, tzinfo=UTC), number="N-2")

    assert view(world).total.observed == 2.0


@pytest.mark.django_db
def test_the_sku_in_all_warehouses_is_one_series_with_its_own_quantiles(world: Any) -> None:
    flat_profile(world)
    demand(world, world.web, 10)
    forecast = make_forecast(world)
    expect(forecast.run, world.mug, world.north, per_day=10.0, protection_sd=(200 + 200**2 * 0.04) ** 0.5)
    place_order(world, 12, at=NOW, number="N-1")

    found = view(world)

    assert found.total.warehouse_id is None
    assert [one.warehouse_id for one in found.warehouses] == [world.main.pk, world.north.pk]
    assert found.total.observed == 12.0
    summed = sum(one.protection.quantiles[-1] for one in found.warehouses)
    assert found.total.protection.quantiles[-1] < summed


@pytest.mark.django_db
def test_an_override_in_force_is_what_the_orders_are_compared_with(world: Any) -> None:
    flat_profile(world)
    demand(world, world.web, 10)
    make_forecast(world)
    ForecastOverride.objects.create(
        sku=world.mug,
        kind="factor",
        value=Decimal(2),
        starts_on=NOW.date(),
        ends_on=NOW.date() + timedelta(days=60),
        expires_on=date(2027, 1, 1),
        reason="A campaign",
        author=world.planner,
    )

    assert view(world).total.expected == pytest.approx(10.0)


@pytest.mark.django_db
def test_many_skus_cost_the_queries_of_one(world: Any) -> None:
    flat_profile(world)
    forecast = make_forecast(world)
    pairs = [(world.mug.pk, world.main.pk)]
    for number in range(6):
        sku = make_sku(f"N{number}")
        expect(forecast.run, sku, world.main, per_day=3.0)
        place_order(world, 1, at=NOW, number=f"N-{number}", sku=sku)
        pairs.append((sku.pk, world.main.pk))

    with CaptureQueriesContext(
        connection,
    ) as one:
        nowcasts(pairs[:1], now=NOON)
    with CaptureQueriesContext(connection) as all_:
        found = nowcasts(pairs, now=NOON)

    assert set(found) == set(pairs)
    assert len(all_) <= len(one) <= 12


@pytest.mark.django_db
def test_a_sku_that_no_forecast_covers_has_no_nowcast(world: Any) -> None:
    assert sku_nowcast(world.mug.pk, now=NOON) is None
    assert nowcasts([(world.mug.pk, world.main.pk)], now=NOON) == {}


def test_a_forecast_of_nothing_takes_a_first_order_as_news_and_not_as_a_miracle(world: Any) -> None:
    flat_profile(world)
    demand(world, world.web, 1)
    make_forecast(world, per_day=0.0)

    place_order(world, 1, at=NOW, number="N-1")

    assert not view(world).total.is_surprising


def test_days_are_read_backwards_from_what_is_on_hand_now() -> None:
    # Sold out on day 0 (5 left), dry on day 1, 10 received on day 2 of which 4 were sold.
    moved = {0: (-5.0, 0.0), 2: (6.0, 10.0)}

    assert _dry(6.0, moved, 3) == [False, True, False]


def test_a_silence_is_a_closed_shop_once_five_orders_are_missing() -> None:
    assert _without_silence([1, 1, 1], [False, True, True], 2.0) == [1, 1, 1]
    assert _without_silence([1, 1, 1], [False, True, True], 2.5) == [1, 0.0, 0.0]
    assert _without_silence([1, 1, 0.5], [True, False, True], 6.0) == [0.0, 1, 0.5]
    assert _without_silence([1], [True], 0.0) == [0.0]


def test_the_part_of_a_day_gone_by_follows_the_hours_of_its_orders() -> None:
    from zoneinfo import ZoneInfo

    evening = [0.0] * 20 + [976.0] + [0.0] * 3
    clock = ChannelClock(1, ZoneInfo("UTC"), evening)

    # 1,000 orders with one a smoothing order an hour: 20 of them before eight in the evening.
    assert clock.elapsed(NOW.date(), NOW.replace(hour=20)) == pytest.approx(0.02)
    assert clock.elapsed(NOW.date(), NOW.replace(hour=20, minute=30)) == pytest.approx(0.02 + 0.977 / 2)
    assert (clock.elapsed(YESTERDAY, NOW), clock.elapsed(NOW.date() + timedelta(1), NOW)) == (1.0, 0.0)
