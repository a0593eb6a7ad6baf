"""Relations of SKUs, launches and ends reach the engine, and with them the rows that it must read along."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from catalog.models import Sku
from forecasting.models import ForecastChunk, ItemRelation
from forecasting.selectors.inputs import data_fingerprint, valued_pairs
from forecasting.services import work
from forecasting.services.kinship import family_of
from forecasting.services.packing import History
from tests.cast import World, make_sku
from tests.forecasting.night_cast import YESTERDAY, answer, clock, opened_run, quick_engine, sold_daily

__all__ = ["quick_engine"]
pytestmark = pytest.mark.django_db
DAYS = 100
FIRST = YESTERDAY - timedelta(days=DAYS - 1)


def related(sku: Sku, other: Sku, kind: str = "successor", **more: Any) -> ItemRelation:
    return ItemRelation.objects.create(sku=sku, other=other, kind=kind, **more)


def day(column: int) -> date:
    return FIRST + timedelta(column)


def family(*pairs: tuple[int, int]) -> Any:
    return family_of(pairs, first=FIRST, days=DAYS)


def test_pairs_without_relations_launches_and_ends_have_no_family(world: World) -> None:
    related(world.tea, world.lamp)

    assert family((world.mug.pk, world.main.pk)) is None


def test_a_successors_predecessor_is_read_along_and_named(world: World) -> None:
    related(world.tea, world.mug, starts_on=day(90), ramp_days=21, share="0.5")

    found = family((world.tea.pk, world.main.pk), (world.lamp.pk, world.main.pk))
    kin = found.kinship(np.array([100, 0, 0]))

    assert found.extra == [(world.mug.pk, world.main.pk)]
    assert (kin.predecessor.tolist(), kin.launch.tolist()) == ([2, -1, -1], [90, -1, -1])
    assert (kin.ramps.tolist(), kin.share.tolist()) == ([21, 0, 0], [0.5, 1.0, 1.0])


def test_a_predecessor_has_its_successors_read_along_in_its_own_warehouse(world: World) -> None:
    related(world.tea, world.mug, starts_on=day(90))
    related(world.lamp, world.tea, starts_on=day(95))

    found = family((world.mug.pk, world.north.pk))

    assert found.extra == [(world.tea.pk, world.north.pk), (world.lamp.pk, world.north.pk)]
    assert found.kinship(np.array([0, 90, 95])).predecessor.tolist() == [-1, 0, 1]


def test_the_launch_is_the_relations_else_the_skus_else_the_first_sale_else_tomorrow(world: World) -> None:
    relation = related(world.tea, world.mug, starts_on=day(90))
    Sku.objects.filter(pk=world.tea.pk).update(launched_on=day(80))
    pair = (world.tea.pk, world.main.pk)
    launches = []

    for starts_on, launched_on, first_sale in ((day(90), day(80), 85), (None, day(80), 85), (None, None, 85)):
        ItemRelation.objects.filter(pk=relation.pk).update(starts_on=starts_on)
        Sku.objects.filter(pk=world.tea.pk).update(launched_on=launched_on)
        launches.append(family(pair).kinship(np.array([first_sale, 0])).launch[0])
    launches.append(family(pair).kinship(np.array([DAYS, 0])).launch[0])

    assert launches == [90, 80, 85, 100]


def test_a_predecessor_that_sold_nothing_before_the_launch_is_left_out(world: World) -> None:
    related(world.tea, world.mug, starts_on=day(50))

    found = family((world.tea.pk, world.main.pk))

    assert found.kinship(np.array([60, 50])).predecessor.tolist() == [-1, -1]
    assert found.kinship(np.array([60, 49])).predecessor.tolist() == [1, -1]


def test_launches_to_come_and_ends_are_columns(world: World) -> None:
    Sku.objects.filter(pk=world.tea.pk).update(launched_on=day(105))
    Sku.objects.filter(pk=world.lamp.pk).update(discontinued_on=day(109), status="phase_out")

    kin = family((world.tea.pk, world.main.pk), (world.lamp.pk, world.main.pk)).kinship(np.array([100, 0]))

    assert (kin.launch.tolist(), kin.end.tolist(), kin.predecessor.tolist()) == ([105, -1], [-1, 110], [-1, -1])


def test_an_item_that_another_is_like_lends_its_past_and_keeps_its_demand(world: World) -> None:
    related(world.tea, world.mug, "like", starts_on=day(98), share="0.8")
    pairs = [(world.mug.pk, world.main.pk), (world.tea.pk, world.main.pk)]
    own = History(np.array([[5.0] * DAYS, [0.0] * DAYS]), np.array([0, DAYS]), None)
    ghost = History(np.array([[5.0] * DAYS]), np.array([0]), None)

    found = family(*pairs)
    whole = found.joined(own, ghost)
    kin = found.kinship(whole.starts)

    assert found.extra == [(world.mug.pk, world.main.pk)]
    assert whole.values[2].tolist() == [5.0] * 98 + [0.0] * 2
    assert whole.values[0].tolist() == [5.0] * DAYS
    assert (kin.predecessor.tolist(), kin.ramps.tolist(), kin.share.tolist()) == ([-1, 2, -1], [0, 1, 0], [1, 0.8, 1])


def test_an_item_on_sale_for_eight_weeks_is_like_nothing_but_itself(world: World) -> None:
    related(world.tea, world.mug, "like", starts_on=day(44))

    assert family((world.tea.pk, world.main.pk)).kinship(np.array([44, 0])).predecessor.tolist() == [-1, -1]


def test_relations_in_a_circle_are_left_out(world: World) -> None:
    related(world.tea, world.mug, starts_on=day(90))
    related(world.mug, world.tea, starts_on=day(80))

    found = family((world.tea.pk, world.main.pk), (world.mug.pk, world.main.pk))

    assert found.kinship(np.zeros(2)).predecessor.tolist() == [1, -1]


def test_more_pairs_do_not_make_more_queries(world: World, django_assert_num_queries: Any) -> None:
    related(world.tea, world.mug, starts_on=day(90))
    related(world.lamp, world.mug, "like", starts_on=day(90))

    with django_assert_num_queries(2):
        family((world.tea.pk, world.main.pk))
    with django_assert_num_queries(2):
        family(
            *((sku.pk, house.pk) for sku in (world.tea, world.mug, world.lamp) for house in (world.main, world.north))
        )


def test_a_newcomer_nobody_has_bought_is_forecast_where_the_one_it_replaces_has_sold(world: World) -> None:
    sold_daily(world, world.mug)
    newcomer = make_sku("NEW")

    before = {(one.sku_id, one.warehouse_id) for one in valued_pairs(YESTERDAY)}
    print_before = data_fingerprint(first=FIRST, until=YESTERDAY)
    related(newcomer, world.mug, starts_on=YESTERDAY + timedelta(10))
    after = {(one.sku_id, one.warehouse_id) for one in valued_pairs(YESTERDAY)}

    assert after - before == {(newcomer.pk, world.main.pk)}
    assert data_fingerprint(first=FIRST, until=YESTERDAY) != print_before


@pytest.mark.usefixtures("quick_engine")
def test_the_forecasts_of_rows_read_along_are_dropped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sold_daily(world, world.mug, 4)
    sold_daily(world, world.lamp, 6)
    related(world.lamp, world.mug, starts_on=YESTERDAY - timedelta(5))
    seen: list[Any] = []

    def listening(panel: Any, *args: Any, **more: Any) -> Any:
        seen.append((len(panel.ids), len(set(panel.ids)), more["kinship"]))
        return answer(panel, *args, **more)

    monkeypatch.setattr(work, "forecast", listening)
    run = opened_run()
    for chunk in ForecastChunk.objects.filter(run=run):
        assert work.work_chunk(run.pk, chunk.number, message=str(chunk.number), clock=clock) == chunk.series

    assert run.forecasts.count() == run.series_count
    assert all(rows == unique for rows, unique, _kin in seen)
    assert sum(int((kin.predecessor >= 0).sum()) for _r, _u, kin in seen if kin is not None) >= 1
