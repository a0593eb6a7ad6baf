"""Drift is found where chance does not explain the errors, learnt anew once, and over when the errors are."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.kernel.models import Job
from forecasting.models import ForecastAccuracy, ForecastDrift
from forecasting.services.drift import DriftCounts, chance_of_at_least, check_drift, queue_refit
from tests.cast import NOW, World
from tests.forecasting.looking_ahead import AS_OF, expect, make_run, sold

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The jobs that a worker was woken for."""
    jobs: list[Any] = []
    monkeypatch.setattr("forecasting.services.drift.send_to_worker", jobs.append)
    return jobs


def weeks_of(world: World, sku: Any, errors: list[float], actual: float = 100, **more: Any) -> None:
    for n, error in enumerate(reversed(errors), start=1):
        ForecastAccuracy.objects.update_or_create(
            sku=sku,
            warehouse=world.main,
            week=MONDAY - timedelta(weeks=n),
            lag_weeks=1,
            defaults={
                "method": "ets",
                "actual": actual,
                "naive": actual,
                "model": actual + error,
                "final": actual,
                "unit_cost": 1,
                **more,
            },
        )


def found() -> list[tuple[str, str, str]]:
    rows = ForecastDrift.objects.order_by("sku__code", "kind", "pk")
    return list(rows.values_list("sku__code", "kind", "state"))


def test_errors_that_point_one_way_for_eight_weeks_are_a_drift(world: World) -> None:
    weeks_of(world, world.mug, [15, 20, 12, 18, 25, 14, 16, 20])

    counts = check_drift(now=NOW)

    drift = ForecastDrift.objects.get()
    assert (drift.kind, drift.state, drift.measure, drift.limit) == ("bias", "open", 1.0, 0.6)
    assert (drift.sku, drift.warehouse, drift.found_on) == (world.mug, world.main, NOW.date())
    assert counts == DriftCounts(opened=1, closed=0, refits=1)


@pytest.mark.parametrize(
    ("errors", "actual"),
    [
        ([15, -20, 12, -18, 25, -14, 16, -20], 100),  # to either side
        ([0, 0, 0, 0, 0, 0, 0, 160], 100),  # one week
        ([15, 20, 12, 18, 25], 100),  # five weeks are too few
        ([2, 3, 1, 2, 2, 3, 1, 2], 100),  # what chance does to 800 units
        ([0.2] * 8, 0),  # a slow mover that nobody asked for lately
        ([0] * 8, 100),
    ],
)
def test_what_chance_explains_is_none(world: World, errors: list[float], actual: float) -> None:
    weeks_of(world, world.mug, errors, actual)

    assert check_drift(now=NOW) == DriftCounts()


def test_weeks_without_stock_are_not_held_against_a_forecast(world: World) -> None:
    weeks_of(world, world.mug, [20] * 8, was_in_stock=0.5)

    assert check_drift(now=NOW) == DriftCounts()


def test_demand_that_leaves_the_upper_quantile_too_often_is_a_drift(world: World) -> None:
    for weeks in range(8):
        run = make_run(AS_OF - timedelta(weeks=weeks + 1))
        expect(run, world.mug, world.main, 10)  # its 95 % quantile is 20 a day
        expect(run, world.lamp, world.main, 10)
    for n in range(56):
        day = AS_OF - timedelta(days=n)
        sold(world.mug, world.main, world.web, day, 21 if n % 5 == 0 else 7)  # 12 of 56 days
        sold(world.lamp, world.main, world.web, day, 21 if n % 8 == 0 else 9)  # 7 of 56: may be chance

    check_drift(now=NOW)

    assert found() == [("MUG", "coverage", "open")]
    drift = ForecastDrift.objects.get()
    assert (drift.measure, drift.limit) == (pytest.approx(12 / 56), pytest.approx(0.05))


def test_errors_twice_those_of_the_backtest_are_a_drift(world: World) -> None:
    for weeks in range(4):
        run = make_run(AS_OF - timedelta(weeks=weeks + 1))
        expect(run, world.mug, world.main, 10, wape=0.2)
        expect(run, world.lamp, world.main, 10, wape=0.4)
    for n in range(28):
        for sku in (world.mug, world.lamp):
            sold(sku, world.main, world.web, AS_OF - timedelta(days=n), 15 if n // 7 % 2 else 5)

    check_drift(now=NOW)

    # Σ|e| is 140 of 280 units: 0.5, two and a half times 0.2.
    assert found() == [("MUG", "error", "open")]
    assert ForecastDrift.objects.get().measure == pytest.approx(2.5)


def test_days_that_err_within_weeks_that_do_not_are_no_drift(world: World) -> None:
    """The backtest's error is of sums: a single day of a slow SKU always errs more than its weeks."""
    for weeks in range(4):
        expect(make_run(AS_OF - timedelta(weeks=weeks + 1)), world.mug, world.main, 10, wape=0.2)
    for n in range(28):
        sold(world.mug, world.main, world.web, AS_OF - timedelta(days=n), [0, 20, 5, 15, 10, 8, 12][n % 7])

    check_drift(now=NOW)

    assert found() == []


def test_the_days_of_a_week_that_is_not_over_count_too(world: World) -> None:
    expect(make_run(), world.mug, world.main, 10)
    for n in range(5):
        sold(world.mug, world.main, world.web, MONDAY + timedelta(days=n), 50)

    check_drift(now=NOW + timedelta(days=3))
    assert found() == [("MUG", "coverage", "open")]  # three of three days: 0.000125
    assert ForecastDrift.objects.get().measure == 1.0


def test_checking_again_changes_nothing_and_one_refit_is_queued_a_day(world: World, sent: list[Any]) -> None:
    weeks_of(world, world.mug, [20] * 8)
    check_drift(now=NOW)
    before = ForecastDrift.objects.values().get()

    again = check_drift(now=NOW)

    assert again == DriftCounts()
    assert ForecastDrift.objects.values().get() == before
    job = Job.objects.get()
    assert job.parameters == {"as_of": None, "force": True, "refit": True, "skus": [world.mug.pk]}
    assert (job.kind, job.run_key, sent) == ("plan", "refit:2026-03-02", [job])

    weeks_of(world, world.lamp, [20] * 8)
    assert check_drift(now=NOW) == DriftCounts(opened=1)
    tomorrow = check_drift(now=NOW + timedelta(days=1))
    assert tomorrow.refits == 1
    assert Job.objects.latest("created_at").parameters["skus"] == [world.lamp.pk]


def test_a_drift_is_refitted_when_its_job_is_done_and_closed_when_the_errors_are_gone(world: World) -> None:
    weeks_of(world, world.mug, [20] * 8)
    check_drift(now=NOW)
    Job.objects.update(state=Job.State.DONE, finished_at=NOW)

    assert check_drift(now=NOW + timedelta(days=1)) == DriftCounts()
    assert found() == [("MUG", "bias", "refitted")]

    weeks_of(world, world.mug, [20, -20] * 4)
    assert check_drift(now=NOW + timedelta(days=2)).closed == 1
    assert found() == [("MUG", "bias", "closed")]
    assert ForecastDrift.objects.get().closed_on == date(2026, 3, 4)

    weeks_of(world, world.mug, [20] * 8)
    assert check_drift(now=NOW + timedelta(days=3)).opened == 1
    assert found() == [("MUG", "bias", "closed"), ("MUG", "bias", "open")]


def test_a_refit_that_failed_is_queued_again_the_next_day(world: World) -> None:
    weeks_of(world, world.mug, [20] * 8)
    check_drift(now=NOW)
    Job.objects.update(state=Job.State.FAILED, finished_at=NOW)

    assert check_drift(now=NOW).refits == 0
    assert check_drift(now=NOW + timedelta(days=1)).refits == 1


def test_a_series_that_still_drifts_when_all_its_errors_are_new_is_learnt_anew_again(world: World) -> None:
    weeks_of(world, world.mug, [20] * 8)
    check_drift(now=NOW)
    long_ago = timezone.now() - timedelta(days=3650)
    Job.objects.update(state=Job.State.DONE, finished_at=long_ago)
    check_drift(now=NOW)
    assert found() == [("MUG", "bias", "refitted")]

    counts = check_drift(now=NOW + timedelta(days=1))

    assert counts.refits == 1
    assert found() == [("MUG", "bias", "open")]


def test_nothing_is_queued_for_nothing() -> None:
    assert queue_refit([], now=NOW) is None
    assert Job.objects.count() == 0


def test_the_chance_of_days_outside_a_quantile_is_binomial() -> None:
    assert chance_of_at_least(0, 56, 0.05) == 1.0
    assert chance_of_at_least(1, 2, 0.5) == 0.75
    assert chance_of_at_least(3, 3, 0.05) == pytest.approx(0.000125)
    assert chance_of_at_least(9, 56, 0.05) == pytest.approx(0.001746, abs=1e-6)
