"""What overrides make of a forecast: by day, over the protection interval, by channel, and who wins on one day."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Category
from forecasting.models import ChannelForecast, Forecast
from forecasting.selectors.adjusted import adjusted_forecast, adjusted_forecasts, adjusted_pairs
from forecasting.services.overrides import set_override, set_overrides
from tests.cast import NOW, World, make_sku
from tests.forecasting.looking_ahead import AS_OF, entry, expect, make_run, sold

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def say(world: World, *args: Any, **more: Any) -> Any:
    return set_override(entry(*args, **more), author=world.planner, now=NOW, is_confirmed=True)


def test_without_overrides_the_numbers_are_the_models(world: World) -> None:
    forecast = expect(make_run(), world.mug, world.main, 10)

    found = adjusted_forecast(forecast, on=TODAY)

    assert (found.mean, found.quantiles) == (forecast.mean, forecast.quantiles)
    assert (found.protection_mean, found.protection_quantiles, found.overrides) == (200, [200, 300], ())


def test_a_factor_scales_its_days_and_the_interval_by_the_ratio_of_means(world: World) -> None:
    forecast = expect(make_run(), world.mug, world.main, 10)
    override = say(world, value="2", first=3, last=12)

    found = adjusted_forecast(forecast, on=TODAY)

    assert found.mean == [10] + [20] * 10 + [10] * 45
    assert found.quantiles[1] == [20] + [40] * 10 + [20] * 45
    assert (found.protection_mean, found.protection_sd) == (300, 60)  # ten of twenty days doubled
    assert found.protection_quantiles == [300, 450]
    assert found.overrides == (override.pk,)


def test_a_change_shifts_and_never_below_zero(world: World) -> None:
    forecast = expect(make_run(), world.mug, world.main, 10)
    say(world, kind="change", value="-15", first=2, last=5)

    found = adjusted_forecast(forecast, on=TODAY)

    assert found.mean == [0] * 4 + [10] * 52
    assert found.quantiles[1] == [5] * 4 + [20] * 52
    assert (found.protection_mean, found.protection_quantiles) == (160, [160, 260])


def test_a_set_is_shared_out_like_the_forecast(world: World) -> None:
    run = make_run()
    main, north = expect(run, world.mug, world.main, 30), expect(run, world.mug, world.north, 10)
    say(world, kind="set", value="140", first=2, last=8)

    assert adjusted_forecast(main, on=TODAY).mean[:8] == [15] * 7 + [30]
    assert adjusted_forecast(north, on=TODAY).mean[:8] == [5] * 7 + [10]


def test_a_set_where_nothing_is_forecast_is_shared_out_evenly(world: World) -> None:
    run = make_run()
    main = expect(run, world.tea, world.main, 0)
    expect(run, world.tea, world.north, 0)
    say(world, "TEA", kind="set", value="140", first=2, last=8)

    found = adjusted_forecast(main, on=TODAY)

    assert found.mean[:8] == [10] * 7 + [0]
    assert (found.protection_mean, found.protection_quantiles) == (70, [70, 70])


def test_of_a_set_that_has_begun_the_days_still_ahead_have_their_share(world: World) -> None:
    forecast = expect(make_run(AS_OF + timedelta(days=3)), world.mug, world.main, 10)  # from the 5th on
    say(world, kind="set", value="140", first=2, last=8)

    assert adjusted_forecast(forecast, on=TODAY).mean[:5] == [20] * 4 + [10]


def test_a_change_of_a_whole_category_is_shared_out_like_the_forecast(world: World) -> None:
    run = make_run()
    mug, lamp = expect(run, world.mug, world.main, 30), expect(run, world.lamp, world.main, 10)
    say(world, "", category_code="HOME", kind="change", value="8", first=2, last=2)

    assert adjusted_forecast(mug, on=TODAY).mean[:2] == [36, 30]
    assert adjusted_forecast(lamp, on=TODAY).mean[:2] == [12, 10]


def test_the_narrowest_scope_rules_a_day_and_of_equals_the_newest(world: World) -> None:
    top = Category.objects.create(code="TOP", name="Top")
    Category.objects.filter(code="HOME").update(parent=top)
    forecast = expect(make_run(), world.mug, world.main, 10)
    say(world, value="5", first=2, last=2, warehouse_code="MAIN")
    say(world, value="3", first=2, last=3)
    say(world, value="4", first=2, last=4)
    say(world, "", category_code="HOME", value="6", first=2, last=5)
    say(world, "", category_code="TOP", value="7", first=2, last=6, warehouse_code="MAIN", channel_code="")

    assert adjusted_forecast(forecast, on=TODAY).mean[:6] == [50, 40, 40, 60, 70, 10]


def test_an_override_of_a_channel_acts_on_its_share_of_the_last_ninety_days(world: World) -> None:
    sold(world.mug, world.main, world.web, AS_OF, 3)
    sold(world.mug, world.main, world.market, AS_OF - timedelta(days=89), 1)
    sold(world.mug, world.main, world.market, AS_OF - timedelta(days=90), 100)
    forecast = expect(make_run(), world.mug, world.main, 8)
    say(world, value="2", first=2, last=3, channel_code="WEB")
    say(world, value="0", first=3, last=4)

    # Web is 6 of the 8: doubled on both days; on the second the rest is set to nothing, on the third all of it.
    assert adjusted_forecast(forecast, on=TODAY).mean[:4] == [14, 12, 0, 8]


def test_where_the_run_forecast_channels_their_shares_are_its_own(world: World) -> None:
    sold(world.mug, world.main, world.web, AS_OF, 3)
    run = make_run()
    forecast = expect(run, world.mug, world.main, 8)
    for channel, share in ((world.web, 0.5), (world.market, 0.5)):
        ChannelForecast.objects.create(
            run=run,
            sku=world.mug,
            warehouse=world.main,
            channel=channel,
            share=share,
            mean=[],
            quantiles=[],
            protection_mean=0,
            protection_quantiles=[],
        )
    say(world, value="2", first=2, last=2, channel_code="WEB")
    say(world, kind="set", value="1", first=3, last=3, channel_code="WEB")

    assert adjusted_forecast(forecast, on=TODAY).mean[:3] == [12, 5, 8]


def test_an_interval_longer_than_the_horizon_is_adjusted_to_its_end(world: World) -> None:
    run = make_run(horizon=10)
    forecast = expect(run, world.mug, world.main, 10, protection_mean=240.0)  # 14 a day in the ten days after it
    say(world, value="2", first=7, last=16)

    found = adjusted_forecast(forecast, on=TODAY)

    # Days 6 to 10 are doubled (+ 50), and 11 to 15 of the tail (+ 70).
    assert found.protection_mean == pytest.approx(360)


def test_quantiles_neither_cross_nor_fall_below_zero(world: World) -> None:
    forecast = expect(make_run(), world.mug, world.main, 10)
    sold(world.mug, world.main, world.web, AS_OF, 3)
    say(world, kind="change", value="-500", first=2, last=9, channel_code="WEB")
    say(world, kind="factor", value="0.3", first=5, last=30)

    found = adjusted_forecast(forecast, on=TODAY)

    assert all(0 <= low <= high for low, high in zip(*found.quantiles, strict=True))
    assert 0 <= found.protection_quantiles[0] <= found.protection_quantiles[1]
    assert found.protection_mean >= 0


def test_a_whole_run_is_adjusted_by_the_same_few_queries(world: World) -> None:
    run = make_run()
    skus = [make_sku(f"S{n}") for n in range(30)]
    for sku in skus:
        expect(run, sku, world.main, 10)
    short = ("sku_id", "warehouse_id", "protection_days", "protection_mean", "protection_sd", "protection_quantiles")
    lines = [entry(sku.code) for sku in skus[:20]] + [entry("", category_code="HOME", value="3", channel_code="WEB")]

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            rows = adjusted_forecasts(run, Forecast.objects.filter(run=run).only(*short), on=TODAY)
        assert len(rows) == 30
        return len(seen)

    alone = cost()
    set_overrides(lines[:2] + lines[-1:], author=world.planner, now=NOW)
    few = cost()
    set_overrides(lines, author=world.planner, now=NOW)
    many = cost()

    assert alone == 2
    assert few == many <= 7


def test_pairs_with_demand_follow_the_overrides(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 10)
    expect(run, world.tea, world.main, 0)
    say(world, value="0", first=2, last=31)
    say(world, "TEA", kind="set", value="5", first=2, last=8)

    assert adjusted_pairs(run, Forecast.objects.filter(run=run), on=TODAY) == {(world.tea.pk, world.main.pk)}
    assert adjusted_pairs(run, Forecast.objects.filter(run=run), on=date(2026, 4, 1)) == {(world.mug.pk, world.main.pk)}
