"""Demand read as series: zeros where nobody bought, nothing before launch, and what the ledger knows of stock-outs."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from catalog.models import Channel, Sku
from config.kernel.models import Job
from forecasting import selectors
from forecasting.models import DemandHistory, Forecast, ForecastRun
from forecasting.selectors.inputs import valued_pairs
from tests.cast import World
from warehouses.models import Location, Warehouse
from warehouses.services.stock import Move, post_movements

pytestmark = pytest.mark.django_db
UNTIL = date(2026, 2, 10)
NAN = float("nan")


def sold(sku: Sku, warehouse: Warehouse, channel: Channel, day: date, units: int, cancelled: int = 0) -> None:
    DemandHistory.objects.create(
        sku=sku,
        warehouse=warehouse,
        channel=channel,
        day=day,
        quantity=units,
        ordered=units + cancelled,
        cancelled=cancelled,
        orders=1,
    )


def february(day: int) -> date:
    return date(2026, 2, day)


def test_days_without_a_sale_are_zero(world: World) -> None:
    sold(world.mug, world.main, world.web, february(2), 5)
    sold(world.mug, world.main, world.market, february(2), 1)
    sold(world.mug, world.north, world.market, february(4), 2)

    everywhere = selectors.daily_demand(world.mug.pk, start=february(1), end=february(4))
    in_one_channel = selectors.daily_demand(world.mug.pk, channel_id=world.web.pk, start=february(2), end=february(3))
    in_one_warehouse = selectors.daily_demand(
        world.mug.pk, warehouse_id=world.north.pk, start=february(4), end=february(4)
    )

    assert everywhere == [(february(1), 0), (february(2), 6), (february(3), 0), (february(4), 2)]
    assert in_one_channel == [(february(2), 5), (february(3), 0)]
    assert in_one_warehouse == [(february(4), Decimal(2))]


def test_a_panel_has_zeros_between_sales_and_nothing_before_the_first(world: World) -> None:
    sold(world.mug, world.main, world.web, february(7), 5)
    sold(world.mug, world.main, world.market, february(7), 1)
    sold(world.mug, world.main, world.web, february(9), 2)
    sold(world.lamp, world.main, world.web, february(6), 0, cancelled=80995)
    sold(world.lamp, world.main, world.web, february(8), 3)
    pairs = [(world.lamp.pk, world.main.pk), (world.tea.pk, world.main.pk), (world.mug.pk, world.main.pk)]

    values, starts = selectors.demand_panel(pairs, until=UNTIL, days=5)

    np.testing.assert_array_equal(values, [[NAN, NAN, 3, 0, 0], [NAN, NAN, NAN, NAN, NAN], [NAN, 6, 0, 2, 0]])
    assert starts.tolist() == [2, 5, 1]


def test_a_series_that_began_before_the_window_is_whole(world: World) -> None:
    sold(world.mug, world.main, world.web, february(1), 5)
    sold(world.mug, world.main, world.web, UNTIL + timedelta(1), 9)

    values, starts = selectors.demand_panel([(world.mug.pk, world.main.pk)], until=UNTIL, days=3)

    assert (values.tolist(), starts.tolist()) == ([[0, 0, 0]], [0])


def test_a_launch_known_to_the_catalogue_begins_the_series(world: World) -> None:
    Sku.objects.filter(pk=world.mug.pk).update(launched_on=february(8))
    Sku.objects.filter(pk=world.tea.pk).update(launched_on=february(9))
    sold(world.mug, world.main, world.web, february(9), 5)
    pairs = [(world.mug.pk, world.main.pk), (world.tea.pk, world.main.pk)]

    values, starts = selectors.demand_panel(pairs, until=UNTIL, days=4)

    np.testing.assert_array_equal(values, [[NAN, 0, 5, 0], [NAN, NAN, 0, 0]])
    assert starts.tolist() == [1, 2]


def test_demand_before_the_stated_launch_is_not_hidden(world: World) -> None:
    Sku.objects.filter(pk=world.mug.pk).update(launched_on=february(9))
    sold(world.mug, world.main, world.web, february(8), 5)

    values, _starts = selectors.demand_panel([(world.mug.pk, world.main.pk)], until=UNTIL, days=3)

    assert values.tolist() == [[5, 0, 0]]


def test_days_after_a_sku_was_discontinued_are_not_zeros(world: World) -> None:
    Sku.objects.filter(pk=world.mug.pk).update(discontinued_on=february(8))
    sold(world.mug, world.main, world.web, february(7), 5)

    values, _starts = selectors.demand_panel([(world.mug.pk, world.main.pk)], until=UNTIL, days=4)

    np.testing.assert_array_equal(values, [[5, 0, NAN, NAN]])


def test_an_empty_panel_has_no_rows(world: World) -> None:
    values, starts = selectors.demand_panel([], until=UNTIL, days=4)

    assert (values.shape, starts.shape) == ((0, 4), (0,))
    assert selectors.in_stock_panel([], until=UNTIL, days=4).shape == (0, 4)


def moved(sku: Sku, location: Location, quantity: int, at: datetime, kind: str = "adjustment") -> None:
    key = f"{sku.pk}/{location.pk}/{at.isoformat()}/{quantity}"
    post_movements([Move(kind, sku.pk, location.pk, Decimal(quantity), key)], happened_at=at)


def test_a_day_that_begins_and_ends_without_stock_was_out_of_stock(world: World) -> None:
    noon = datetime(2026, 2, 5, 12, tzinfo=UTC)
    moved(world.tea, world.shelf, 10, noon, "receipt")
    moved(world.tea, world.shelf, -10, noon + timedelta(days=1), "sale")
    moved(world.tea, world.shelf, 4, noon + timedelta(days=4), "receipt")
    moved(world.tea, world.shelf, -4, noon + timedelta(days=4, hours=1), "sale")

    share = selectors.in_stock_panel([(world.tea.pk, world.main.pk)], until=UNTIL, days=8)

    # 3rd and 4th unknown; 5th had stock; it ran out on the 6th at noon; 7th and 8th none; on the 9th four came and went
    # within an hour, which counts as a quarter of the day; 10th none.
    np.testing.assert_array_equal(share, [[NAN, NAN, 1, 0.5, 0, 0, 0.25, 0]])


def test_the_day_that_stock_ran_out_or_came_in_counts_by_the_clock_of_the_warehouse(world: World) -> None:
    Warehouse.objects.filter(pk=world.north.pk).update(time_zone="America/New_York")
    morning = datetime(2026, 2, 6, 5, tzinfo=UTC)  # midnight in New York
    moved(world.mug, world.north_shelf, -30, morning + timedelta(hours=6), "sale")
    moved(world.mug, world.north_shelf, -10, morning + timedelta(hours=18), "sale")
    moved(world.mug, world.north_shelf, 5, morning + timedelta(days=2, hours=12), "receipt")

    share = selectors.in_stock_panel([(world.mug.pk, world.north.pk)], until=february(9), days=5)

    assert share.tolist() == [[1, 0.75, 0, 0.5, 1]]


def test_stock_from_before_the_window_counts_and_a_pair_without_movements_is_unknown(world: World) -> None:
    Sku.objects.filter(pk=world.mug.pk).update(launched_on=february(1))
    pairs = [(world.tea.pk, world.north.pk), (world.mug.pk, world.main.pk)]

    share = selectors.in_stock_panel(pairs, until=date(2026, 2, 20), days=2)

    np.testing.assert_array_equal(share, [[NAN, NAN], [1, 1]])


def test_goods_in_quarantine_are_not_in_stock(world: World) -> None:
    moved(world.tea, world.quarantine, 10, datetime(2026, 2, 5, 12, tzinfo=UTC), "receipt")

    share = selectors.in_stock_panel([(world.tea.pk, world.main.pk)], until=february(6), days=2)

    assert share.tolist() == [[0, 0]]


def test_the_day_of_a_movement_is_that_of_the_warehouses_clock(world: World) -> None:
    Warehouse.objects.filter(pk=world.main.pk).update(time_zone="Asia/Tokyo")
    moved(world.tea, world.shelf, 10, datetime(2026, 2, 5, 15, tzinfo=UTC), "receipt")

    share = selectors.in_stock_panel([(world.tea.pk, world.main.pk)], until=february(6), days=2)

    np.testing.assert_array_equal(share, [[NAN, 1]])


def worth_a_forecast() -> list[tuple[int, int]]:
    return [(pair.sku_id, pair.warehouse_id) for pair in valued_pairs(UNTIL)]


def test_pairs_worth_a_forecast_were_demanded_in_the_year_or_are_in_stock(world: World) -> None:
    sold(world.tea, world.main, world.web, UNTIL - timedelta(days=364), 1)
    sold(world.tea, world.north, world.web, UNTIL - timedelta(days=365), 1)
    sold(world.lamp, world.north, world.web, UNTIL, 0, cancelled=5)

    in_stock = [(world.mug.pk, world.main.pk), (world.mug.pk, world.north.pk), (world.lamp.pk, world.main.pk)]
    assert worth_a_forecast() == sorted([*in_stock, (world.tea.pk, world.main.pk)])

    Sku.objects.filter(pk=world.mug.pk).update(status="discontinued")
    Sku.objects.filter(pk=world.lamp.pk).update(status="phase_out")

    assert worth_a_forecast() == sorted([(world.lamp.pk, world.main.pk), (world.tea.pk, world.main.pk)])


def test_the_first_and_last_day_of_demand(world: World) -> None:
    assert (selectors.first_demand_day(), selectors.last_demand_day()) == (None, None)

    sold(world.mug, world.main, world.web, february(1), 5)
    sold(world.tea, world.main, world.web, february(9), 5)

    assert (selectors.first_demand_day(), selectors.last_demand_day()) == (february(1), february(9))


def run_of(world: World, *, is_complete: bool) -> ForecastRun:
    return ForecastRun.objects.create(
        job=Job.objects.create(kind="plan"), as_of=UNTIL, horizon_days=1, quantile_levels=[0.5], is_complete=is_complete
    )


def test_the_latest_forecast_is_of_the_latest_run_that_was_finished(world: World) -> None:
    assert selectors.latest_run() is None
    assert selectors.latest_forecast(world.mug.pk, world.main.pk) is None
    finished, running = run_of(world, is_complete=True), run_of(world, is_complete=False)
    for run in (finished, running):
        Forecast.objects.create(
            run=run,
            sku=world.mug,
            warehouse=world.main,
            method="naive",
            reason="one value",
            mean=[1.0],
            quantiles=[[1.0]],
            protection_days=1,
            protection_mean=1,
            protection_sd=0,
            protection_quantiles=[1.0],
        )

    assert selectors.latest_run() == finished
    found = selectors.latest_forecast(world.mug.pk, world.main.pk)
    assert found is not None
    assert found.run == finished
    assert selectors.latest_forecast(world.lamp.pk, world.main.pk) is None
