"""One more day: what an update reads is what reading everything anew would have read."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from forecasting.models import DemandHistory, ForecastRun
from forecasting.services import runs, updates
from forecasting.services.packing import PairBook
from forecasting.services.panels import load_history
from forecasting.services.work import work_chunk
from tests.cast import World, make_sku
from tests.forecasting.night_cast import YESTERDAY, clock, load, opened_run, quick_engine, running_job, sellers, sold
from warehouses.services.stock import Move, post_movements

__all__ = ["quick_engine"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_engine")]
TODAY = YESTERDAY + timedelta(days=1)


@pytest.fixture
def learnt(world: World) -> ForecastRun:
    """Yesterday's run, complete, with all it packed."""
    sellers(world, 6)
    sold(world, make_sku("OLD"), {YESTERDAY - timedelta(days=100): 5})
    run = opened_run()
    runs.save_learning(run, b"")
    for number in list(run.chunks.values_list("number", flat=True)):
        work_chunk(run.pk, number, message="m", clock=clock)
    ForecastRun.objects.filter(pk=run.pk).update(is_complete=True)
    return run


def updated(as_of: date = TODAY) -> ForecastRun:
    run = runs.open_run(running_job().pk, load(as_of, is_update=True))
    run.refresh_from_db()
    updates.lay_out_recent(run)
    return run


def assert_reads_the_same(run: ForecastRun) -> None:
    days = run.backtest["history_days"]
    for chunk in run.chunks.all():
        book = PairBook.unpack(bytes(chunk.pairs or b""))
        brought = updates.brought_forward(run, chunk, book)
        read = load_history(book, until=run.as_of, days=days)
        np.testing.assert_array_equal(brought.values, read.values)
        np.testing.assert_array_equal(brought.starts, read.starts)
        np.testing.assert_array_equal(brought.in_stock, read.in_stock)


def test_an_update_appends_the_new_day(world: World, learnt: ForecastRun) -> None:
    sold(world, world.mug, {TODAY: 4})

    run = updated()

    assert run.learnt_in == learnt
    assert run.backtest["history_days"] == learnt.backtest["history_days"] + 1
    assert_reads_the_same(run)


def test_an_update_sees_late_cancellations_new_pairs_and_skus_that_ended(world: World, learnt: ForecastRun) -> None:
    changed = DemandHistory.objects.filter(sku__code="SKU-003")
    changed.filter(day=YESTERDAY - timedelta(days=20)).delete()
    changed.filter(day=YESTERDAY - timedelta(days=10)).update(quantity=99)
    sold(world, make_sku("NEW"), {TODAY: 2, TODAY - timedelta(days=50): 1})
    ended = changed.first().sku  # type: ignore[union-attr]
    ended.discontinued_on = TODAY - timedelta(days=2)
    ended.save()
    sold(world, world.mug, {TODAY: 4})

    run = updated()

    assert sum(run.chunks.values_list("series", flat=True)) == learnt.series_count + 1
    assert_reads_the_same(run)


def test_an_update_knows_the_days_on_which_stock_ran_out_or_came_in(world: World, learnt: ForecastRun) -> None:
    moved = datetime.combine(TODAY, time(9), tzinfo=UTC)
    for key, sku, units, hours in [("a", world.mug, -100, 0), ("b", world.mug, 30, 6), ("c", world.tea, 5, 3)]:
        move = Move("adjustment", sku.pk, world.shelf.pk, Decimal(units), key)
        post_movements([move], happened_at=moved + timedelta(hours=hours))
    sold(world, world.mug, {TODAY: 4})

    assert_reads_the_same(updated())


def test_an_update_after_an_update_reads_on(world: World, learnt: ForecastRun) -> None:
    sold(world, world.mug, {TODAY: 4})
    second = updated()
    for number in list(second.chunks.values_list("number", flat=True)):
        work_chunk(second.pk, number, message="m", clock=clock)
    ForecastRun.objects.filter(pk=second.pk).update(is_complete=True)
    sold(world, world.mug, {TODAY + timedelta(days=3): 8})

    third = updated(TODAY + timedelta(days=3))

    assert third.learnt_in == second.learnt_in == learnt
    assert_reads_the_same(third)


def test_an_update_of_a_day_that_did_not_change_is_the_run_that_stands(learnt: ForecastRun) -> None:
    again = load(is_update=True)

    assert runs.completed_run(again.fingerprint) == learnt


def test_without_a_run_to_go_on_from_an_update_learns_anew(world: World, learnt: ForecastRun) -> None:
    def base(**more: Any) -> Any:
        return updates.run_to_update(**{"mode": "everyday", "edition": runs.ENGINE_EDITION, "as_of": TODAY} | more)

    assert base() == learnt
    assert base(mode="full") is None
    assert base(edition="another") is None
    assert base(as_of=TODAY + timedelta(days=14)) is None
    learnt.chunks.update(history=None)
    assert base() is None
