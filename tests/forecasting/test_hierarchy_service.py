"""Every level of a saved run adds up exactly, whichever level leads, and channels share what their SKU is expected to
sell."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from catalog.models import Category, Channel, Sku
from config.kernel.models import Job
from forecasting.engine.hierarchy import to_grid
from forecasting.models import (
    AggregateForecast,
    ChannelForecast,
    DemandHistory,
    Forecast,
    ForecastChunk,
    ForecastRun,
)
from forecasting.selectors import demand_panel
from forecasting.selectors.stored import forecasts_between, stored_forecasts
from forecasting.services.hierarchy import (
    add_up_levels,
    forget_sums,
    gathered,
    reconcile_run,
    save_channels,
    save_levels,
)
from tests.cast import World
from warehouses.models import Warehouse

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 2, 28)
LEVELS = [0.5, 0.8, 0.9, 0.95, 0.99]
Level = AggregateForecast.Level


def sold(sku: Sku, warehouse: Warehouse, channel: Channel, days_ago: int, units: int) -> DemandHistory:
    day = AS_OF - timedelta(days=days_ago)
    return DemandHistory(
        sku=sku, warehouse=warehouse, channel=channel, day=day, quantity=units, ordered=units, orders=1
    )


@pytest.fixture
def run(world: World) -> ForecastRun:
    """Mugs 3 : 1 in web and market at NORTH, web alone at MAIN; lamps web alone; 100 days of it."""
    kitchen, light = (Category.objects.create(code=c, name=c) for c in ("KITCHEN", "LIGHT"))
    for sku, category in ((world.mug, kitchen), (world.tea, kitchen), (world.lamp, light)):
        sku.product.category = category
        sku.product.save()
    rows = []
    for ago in range(100):
        rows.append(sold(world.mug, world.north, world.web, ago, 6))
        rows.append(sold(world.mug, world.north, world.market, ago, 2))
        rows.append(sold(world.mug, world.main, world.web, ago, 4 + ago % 3))
        rows.append(sold(world.lamp, world.main, world.web, ago, 1 + ago % 2))
    DemandHistory.objects.bulk_create(rows)
    job = Job.objects.create(kind="plan")
    return ForecastRun.objects.create(
        job=job, as_of=AS_OF, horizon_days=4, quantile_levels=LEVELS, input_fingerprint="x"
    )


def forecast(run: ForecastRun, pairs: list[tuple[Sku, Warehouse]], means: list[float]) -> SimpleNamespace:
    """Saved forecasts of constant means, quantiles 1, 1.5, 2, 2.5 and 4 times the mean, protection 3 days."""
    times = np.array([1.0, 1.5, 2.0, 2.5, 4.0])
    mean = to_grid(np.repeat(np.array(means)[:, None], 4, axis=1))
    quantiles = mean[:, :, None] * times
    sums = mean[:, :3].sum(axis=1)
    for i, (sku, warehouse) in enumerate(pairs):
        Forecast.objects.create(
            run=run,
            sku=sku,
            warehouse=warehouse,
            method="pooled_ratio",
            reason="",
            mean=mean[i].tolist(),
            quantiles=quantiles[i].T.tolist(),
            protection_days=3,
            protection_mean=sums[i],
            protection_sd=1,
            protection_quantiles=(sums[i] * times).tolist(),
        )
    return SimpleNamespace(
        mean=mean, quantiles=quantiles, protection_mean=sums, protection_quantiles=sums[:, None] * times
    )


@pytest.fixture
def saved(world: World, run: ForecastRun) -> ForecastRun:
    pairs = [(world.mug, world.north), (world.mug, world.main), (world.lamp, world.main)]
    result = forecast(run, pairs, [8.1, 5.3, 1.45])
    save_channels(run, [(sku.pk, place.pk) for sku, place in pairs], result)
    return run


def test_saved_forecasts_come_back_as_arrays(world: World, saved: ForecastRun) -> None:
    (part,) = list(stored_forecasts(saved))

    lamps = forecasts_between(saved, world.lamp.pk, world.lamp.pk)

    assert len(part.pairs) == 3
    assert lamps.pairs.tolist() == [[world.lamp.pk, world.main.pk]]
    assert lamps.mean[0].tolist() == to_grid(np.full(4, 1.45)).tolist()
    assert lamps.quantiles.shape == (1, 5, 4)
    assert lamps.protection[0, 0] == 3


def test_channels_share_a_forecast_by_what_they_sold_and_add_up_exactly(world: World, saved: ForecastRun) -> None:
    parts = {
        row.channel_id: row for row in ChannelForecast.objects.filter(sku=world.mug, warehouse=world.north, run=saved)
    }

    web, market = parts[world.web.pk], parts[world.market.pk]

    whole = Forecast.objects.get(sku=world.mug, warehouse=world.north)
    assert [a + b for a, b in zip(web.mean, market.mean, strict=True)] == whole.mean
    assert web.share == pytest.approx(0.75, abs=0.001)
    assert market.protection_mean == pytest.approx(0.25 * whole.protection_mean, rel=0.01)
    assert market.quantiles[4][0] > 0.25 * whole.quantiles[4][0]  # a small part is relatively less certain


def test_an_only_channel_has_the_whole_and_no_arrays(world: World, saved: ForecastRun) -> None:
    row = ChannelForecast.objects.get(sku=world.lamp, run=saved)

    assert (row.channel, row.share, row.mean, row.quantiles) == (world.web, 1.0, [], [])


def test_saving_a_chunk_twice_leaves_one_row_a_channel(world: World, saved: ForecastRun) -> None:
    before = ChannelForecast.objects.count()

    result = SimpleNamespace(
        mean=np.ones((1, 4)),
        quantiles=np.ones((1, 4, 5)),
        protection_mean=np.array([3.0]),
        protection_quantiles=np.full((1, 5), 3.0),
    )
    save_channels(saved, [(world.lamp.pk, world.main.pk)], result)

    assert ChannelForecast.objects.count() == before


def level_means(run: ForecastRun, level: str) -> list[float]:
    rows = [row.mean for row in AggregateForecast.objects.filter(run=run, level=level)]
    return [sum(day) for day in zip(*rows, strict=True)]


def assert_coherent(run: ForecastRun) -> None:
    bottom = [sum(day) for day in zip(*(f.mean for f in Forecast.objects.filter(run=run)), strict=True)]
    for level in Level.values:
        assert level_means(run, level) == bottom, level


def test_all_levels_add_up_exactly(world: World, saved: ForecastRun) -> None:
    count = save_levels(saved)

    kitchen = AggregateForecast.objects.get(level=Level.CATEGORY, category__code="KITCHEN")
    total = AggregateForecast.objects.get(level=Level.TOTAL)
    assert_coherent(saved)
    assert count == 1 + 2 + 2 + 3 + 2  # total, categories, warehouses, cells, channels
    assert (total.series, kitchen.series) == (3, 2)
    assert kitchen.mean[0] == float(to_grid(np.array(8.1)) + to_grid(np.array(5.3)))


def chunk_of(run: ForecastRun, number: int, pairs: list[tuple[int, int]], result: SimpleNamespace) -> None:
    parted, (values, _starts) = save_channels(run, pairs, result), demand_panel(pairs, until=AS_OF, days=400)
    packed = gathered(run, pairs, result, parted, sold=values)
    ForecastChunk.objects.create(run=run, number=number, sums=packed)


def levels_of(run: ForecastRun) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = AggregateForecast.objects.filter(run=run).order_by("pk")
    return {
        (r.level, r.category_id, r.warehouse_id, r.channel_id): (r.series, r.mean, r.quantiles, r.horizon_quantiles)
        for r in rows
    }


def test_what_chunks_gathered_adds_up_to_what_the_saved_rows_say(
    world: World, run: ForecastRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasting.services.hierarchy.papers.SERIES_A_GROUP", 1)
    for number, pairs, means in [
        (0, [(world.lamp, world.main)], [1.4567]),
        (1, [(world.mug, world.north), (world.mug, world.main)], [8.1, 5.3]),
    ]:
        result = forecast(run, pairs, means)
        chunk_of(run, number, [(sku.pk, place.pk) for sku, place in pairs], result)

    count = add_up_levels(run)
    from_chunks = levels_of(run)
    forget_sums(run)

    assert_coherent(run)
    assert add_up_levels(run) == count == 10  # nothing gathered: the rows are read
    from_rows = levels_of(run)
    assert [(key, row[:2]) for key, row in from_rows.items()] == [(key, row[:2]) for key, row in from_chunks.items()]
    for key, row in from_rows.items():
        for read, gathered_up in zip(row[2:], from_chunks[key][2:], strict=True):
            np.testing.assert_allclose(np.array(read), np.array(gathered_up), atol=0.0015)
    assert not run.chunks.exclude(sums=None).exists()


def test_a_chunk_of_many_small_groups_gathers_nothing(world: World, run: ForecastRun) -> None:
    result = forecast(run, [(world.lamp, world.main)], [1.4])

    assert gathered(run, [(world.lamp.pk, world.main.pk)], result, None, sold=np.ones((1, 9))) is None


def test_an_update_keeps_the_shares_of_the_run_that_learnt(world: World, saved: ForecastRun) -> None:
    update = ForecastRun.objects.create(
        job=Job.objects.create(kind="plan"),
        as_of=AS_OF + timedelta(days=1),
        horizon_days=4,
        quantile_levels=LEVELS,
        learnt_in=saved,
    )
    DemandHistory.objects.bulk_create(
        [sold(world.mug, world.north, world.market, -1, 500), sold(world.tea, world.main, world.market, -1, 5)]
    )
    pairs = [(world.mug, world.north), (world.tea, world.main)]

    save_channels(update, [(s.pk, w.pk) for s, w in pairs], forecast(update, pairs, [8.5, 1.0]))

    def shares(run: ForecastRun, sku: Sku) -> dict[int, float]:
        rows = ChannelForecast.objects.filter(run=run, sku=sku).exclude(warehouse=world.main, sku=world.mug)
        return dict(rows.values_list("channel", "share"))

    assert shares(update, world.mug) == shares(saved, world.mug)
    assert shares(update, world.tea) == {world.market.pk: 1.0}  # had none


def test_a_groups_quantiles_are_of_the_sum_and_tighter_than_sums_of_quantiles(saved: ForecastRun) -> None:
    save_levels(saved)

    total = AggregateForecast.objects.get(level=Level.TOTAL)

    summed = sum(f.quantiles[3][0] for f in Forecast.objects.filter(run=saved))
    assert total.mean[0] < total.quantiles[3][0] < summed
    for low, high in zip(total.quantiles, total.quantiles[1:], strict=False):
        assert all(a <= b for a, b in zip(low, high, strict=True))
    assert total.horizon_mean == pytest.approx(sum(total.mean))
    assert total.horizon_quantiles[4] < sum(total.quantiles[4])


def test_levels_saved_twice_stand_once(saved: ForecastRun) -> None:
    first = save_levels(saved)

    assert save_levels(saved) == first
    assert AggregateForecast.objects.count() == first


@pytest.mark.parametrize("method", ["top_down", "middle_out", "mint"])
def test_when_a_higher_level_leads_the_rows_below_move_and_still_add_up(saved: ForecastRun, method: str) -> None:
    before = {f.pk: f.mean[0] for f in Forecast.objects.filter(run=saved)}

    changed = reconcile_run(saved, method)
    save_levels(saved)

    after = {f.pk: f.mean[0] for f in Forecast.objects.filter(run=saved)}
    assert changed == 3
    assert after != before
    assert_coherent(saved)
    for row in Forecast.objects.filter(run=saved):
        assert row.protection_mean == pytest.approx(sum(row.mean[:3]), rel=1e-3)
        assert row.quantiles[0][0] == pytest.approx(row.mean[0], rel=1e-3)


def test_bottom_up_leaves_the_rows_alone(saved: ForecastRun) -> None:
    assert reconcile_run(saved, "bottom_up") == 0


def test_a_run_without_forecasts_has_no_levels(run: ForecastRun) -> None:
    assert save_levels(run) == 0
