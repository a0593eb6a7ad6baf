"""Accuracy at every lag, what each step was worth, and the week that is not over; exact numbers."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting.models import ForecastAccuracy
from forecasting.selectors.accuracy import accuracy
from forecasting.selectors.value_added import value_added
from forecasting.services.accuracy import AccuracyCounts, accuracy_so_far, record_accuracy, run_of_lag
from forecasting.services.overrides import set_override, withdraw_override
from tests.cast import NOW, World, make_sku
from tests.forecasting.looking_ahead import AS_OF, backdate, entry, expect, make_run, sold

pytestmark = pytest.mark.django_db
WEEK = date(2026, 3, 2)
"""The Monday after AS_OF."""
LATER = NOW + timedelta(days=7)
"""The Monday on which that week is over."""


def sell(world: World, sku: Any, per_day: float, first: date, days: int) -> None:
    for n in range(days):
        sold(sku, world.main, world.web, first + timedelta(days=n), per_day)


def figures(week: date = WEEK, lag: int = 1) -> list[tuple[float, ...]]:
    rows = ForecastAccuracy.objects.filter(week=week, lag_weeks=lag).order_by("pk")
    return list(rows.values_list("actual", "naive", "model", "final"))


def test_a_finished_week_is_compared_with_naive_model_and_override(world: World) -> None:
    sell(world, world.mug, 8, WEEK - timedelta(days=7), 7)
    expect(make_run(), world.mug, world.main, 10)
    backdate(override := set_override(entry(last=3), author=world.planner, now=NOW), NOW - timedelta(days=3))
    sell(world, world.mug, 12, WEEK, 7)

    counts = record_accuracy(now=LATER)

    assert figures() == [(84, 56, 70, 90)]
    row = ForecastAccuracy.objects.get()
    assert (row.override, row.method, row.demand_class, row.value_class) == (override, "naive", "smooth", "A")
    assert (row.unit_cost, row.was_in_stock) == (2.0, 1.0)
    assert counts.rows == 1


def test_lags_are_weeks_ahead_and_the_horizon_covers_the_eighth(world: World) -> None:
    for weeks, per_day in ((0, 1), (1, 2), (3, 4), (7, 8)):
        run = make_run(AS_OF - timedelta(weeks=weeks))
        expect(run, world.mug, world.main, 0, mean=[0.0] * (7 * weeks) + [float(per_day)] * (56 - 7 * weeks))
    sell(world, world.mug, 5, WEEK, 7)

    record_accuracy(now=LATER)

    rows = ForecastAccuracy.objects.filter(week=WEEK).order_by("lag_weeks").values_list("lag_weeks", "model")
    assert list(rows) == [(1, 7), (2, 14), (4, 28), (8, 56)]


def test_the_run_of_a_lag_had_read_no_further_and_covers_the_week(world: World) -> None:
    early, late = make_run(AS_OF - timedelta(days=2)), make_run(AS_OF)
    look_back = make_run(AS_OF, made_at=NOW + timedelta(days=30))
    make_run(AS_OF + timedelta(days=1))

    assert run_of_lag(WEEK, 1) == late
    assert run_of_lag(WEEK + timedelta(weeks=7), 8) == late
    late.delete()
    assert run_of_lag(WEEK, 1) == look_back
    look_back.delete()
    assert run_of_lag(WEEK, 1) == early
    assert run_of_lag(WEEK + timedelta(weeks=7), 8) is None  # its horizon ends two days short
    early.delete()
    make_run(AS_OF - timedelta(days=7))
    assert run_of_lag(WEEK, 1) is None


def test_overrides_made_or_withdrawn_after_the_run_change_nothing_of_what_it_said(world: World) -> None:
    expect(make_run(), world.mug, world.main, 10)
    set_override(entry(value="3"), author=world.planner, now=NOW)  # created now, after the run of that morning
    withdrawn = set_override(entry(value="4"), author=world.planner, now=NOW)
    backdate(withdrawn, NOW - timedelta(days=5))
    withdraw_override(withdrawn.pk, actor=world.planner, now=NOW - timedelta(days=4))
    kept = set_override(entry(value="2"), author=world.planner, now=NOW)
    backdate(kept, NOW - timedelta(days=6))
    withdraw_override(kept.pk, actor=world.planner, now=NOW)
    sell(world, world.mug, 10, WEEK, 7)

    record_accuracy(now=LATER)

    assert figures() == [(70, 0, 70, 140)]
    assert ForecastAccuracy.objects.get().override == kept


def test_recording_twice_writes_nothing_and_late_returns_change_the_row(world: World) -> None:
    expect(make_run(), world.mug, world.main, 10)
    sell(world, world.mug, 10, WEEK, 7)
    assert record_accuracy(now=LATER).rows == 1

    assert record_accuracy(now=LATER).rows == 0

    from forecasting.models import DemandHistory

    DemandHistory.objects.filter(day=WEEK).update(quantity=4)
    assert record_accuracy(now=LATER).rows == 1
    assert figures() == [(64, 0, 70, 70)]


def test_weeks_that_were_missed_are_caught_up(world: World) -> None:
    for weeks in range(12):
        expect(make_run(AS_OF + timedelta(weeks=weeks)), world.mug, world.main, 10)
    sell(world, world.mug, 10, WEEK, 7 * 12)

    assert record_accuracy(now=NOW + timedelta(weeks=12)).weeks == 26

    assert ForecastAccuracy.objects.filter(lag_weeks=1).count() == 12
    assert ForecastAccuracy.objects.filter(lag_weeks=8).count() == 5


def test_a_week_whose_demand_was_not_read_to_its_end_waits(world: World) -> None:
    expect(make_run(), world.mug, world.main, 10)
    assert record_accuracy(now=LATER) == AccuracyCounts()
    sell(world, world.mug, 10, WEEK, 6)

    assert record_accuracy(now=LATER).rows == 0

    sell(world, world.mug, 10, WEEK + timedelta(days=6), 1)
    assert record_accuracy(now=LATER - timedelta(days=1)).rows == 0  # that Sunday is not over
    assert record_accuracy(now=LATER).rows == 1


def test_more_series_cost_no_more_queries(world: World) -> None:
    run = make_run()
    sell(world, world.mug, 10, WEEK, 7)
    skus = [make_sku(f"S{n}") for n in range(20)]

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            record_accuracy(now=LATER)
        return len(seen)

    for sku in skus[:2]:
        expect(run, sku, world.main, 10)
        backdate(set_override(entry(sku.code), author=world.planner, now=NOW), NOW - timedelta(days=3))
    few = cost()
    ForecastAccuracy.objects.all().delete()
    for sku in skus[2:]:
        expect(run, sku, world.main, 10)
        backdate(set_override(entry(sku.code), author=world.planner, now=NOW), NOW - timedelta(days=3))

    assert cost() == few
    assert ForecastAccuracy.objects.count() == 20


def row(world: World, sku: Any, *, lag: int = 1, week: date = WEEK, **more: Any) -> ForecastAccuracy:
    fields = {"method": "ets", "demand_class": "smooth", "value_class": "A", "unit_cost": 2.0, **more}
    return ForecastAccuracy.objects.create(sku=sku, warehouse=world.main, week=week, lag_weeks=lag, **fields)


def test_errors_are_pooled_before_they_are_divided(world: World) -> None:
    row(world, world.mug, actual=90, naive=70, model=100, final=95)
    row(world, world.lamp, actual=10, naive=20, model=0, final=10, unit_cost=5.0)
    row(world, world.tea, actual=0, naive=10, model=0, final=0)
    row(world, world.tea, actual=3, naive=50, model=50, final=50, was_in_stock=0.5, week=WEEK + timedelta(weeks=1))

    (line,) = accuracy("lag")

    assert (line.group, line.weeks, line.left_out, line.demand) == ({"lag": 1}, 3, 1, 100)
    assert (line.naive.wape, line.naive.bias, line.naive.units, line.naive.money) == (0.4, 0.0, 40, 110)
    assert (line.model.wape, line.model.bias, line.model.units, line.model.money) == (0.2, 0.0, 20, 70)
    assert (line.final.wape, line.final.bias, line.final.units, line.final.money) == (0.05, 0.05, 5, 10)
    assert line.naive.rmsse == 1.0
    assert line.model.rmsse == pytest.approx((200 / 600) ** 0.5)


def test_without_demand_there_is_no_rate(world: World) -> None:
    row(world, world.tea, actual=0, naive=0, model=2, final=2)

    (line,) = accuracy("all")

    assert (line.model.wape, line.model.bias, line.model.rmsse, line.model.units) == (None, None, None, 2)
    assert accuracy("all", lag=2) == []


def test_accuracy_is_told_by_lag_segment_category_warehouse_week_and_method(world: World) -> None:
    row(world, world.mug, actual=10, naive=10, model=15, final=15)
    row(world, world.mug, actual=10, naive=10, model=20, final=20, lag=2)
    row(world, world.lamp, actual=10, naive=10, model=10, final=10, value_class="C", method="theta")

    def told(by: str) -> list[tuple[Any, ...]]:
        return [(*line.group.values(), line.model.wape) for line in accuracy(by)]

    assert told("lag") == [(1, 0.25), (2, 1.0)]
    assert told("segment") == [("smooth", "A", 0.5), ("smooth", "C", 0.0)]
    assert told("category") == [("HOME", 0.25)]
    assert told("warehouse") == [("MAIN", 0.25)]
    assert told("week") == [(WEEK, 0.25)]
    assert told("method") == [("ets", 0.5), ("theta", 0.0)]
    assert next(line.group for line in accuracy("segment")) == {"demand_class": "smooth", "value_class": "A"}


def test_value_added_of_each_step_in_points_units_and_money(world: World) -> None:
    row(world, world.mug, actual=100, naive=60, model=80, final=110)

    (line,) = value_added("all")

    assert (line.naive_wape, line.weeks, line.demand) == (0.4, 1, 100)
    assert (line.model.points, line.model.units, line.model.money) == (pytest.approx(20), 20, 40)
    assert (line.override.points, line.override.units, line.override.money) == (pytest.approx(10), 10, 20)


def test_a_planner_is_judged_by_the_weeks_an_override_of_theirs_ruled(world: World) -> None:
    good = set_override(entry(), author=world.planner, now=NOW)
    bad = set_override(entry("LAMP"), author=world.viewer, now=NOW)
    row(world, world.mug, actual=100, naive=50, model=50, final=100, override=good)
    row(world, world.lamp, actual=100, naive=100, model=100, final=200, override=bad)
    row(world, world.tea, actual=1000, naive=0, model=0, final=0)

    lines = {line.group["planner"]: line for line in value_added("planner")}

    assert set(lines) == {"pia", "vera"}
    assert (lines["pia"].override.points, lines["pia"].override.units) == (50, 50)
    assert (lines["vera"].override.points, lines["vera"].override.units) == (-100, -100)


def test_the_week_that_is_not_over_is_compared_as_far_as_it_went(world: World) -> None:
    expect(make_run(), world.mug, world.main, 10)
    sell(world, world.mug, 14, WEEK, 3)
    assert accuracy_so_far(today=WEEK) is None

    found = accuracy_so_far(today=WEEK + timedelta(days=2))

    assert found is not None
    assert (found.week, found.days, found.series) == (WEEK, 2, 1)
    assert (found.demand, found.model, found.wape, found.bias) == (
        28,
        20,
        pytest.approx(8 / 28),
        pytest.approx(-8 / 28),
    )


def test_a_week_without_stock_is_marked(world: World) -> None:
    from tests.forecasting.test_selectors import moved

    expect(make_run(), world.tea, world.main, 1)
    moved(world.tea, world.shelf, 10, NOW - timedelta(days=20), "receipt")
    moved(world.tea, world.shelf, -10, NOW - timedelta(days=10), "sale")
    sell(world, world.mug, 1, WEEK, 7)

    record_accuracy(now=LATER)

    assert ForecastAccuracy.objects.get().was_in_stock == 0
    assert accuracy("all")[0].left_out == 1
