"""Old runs go, but never one that counts."""

from datetime import date, timedelta
from typing import Any

import pytest

from config.kernel.jobs import queue_job
from config.kernel.models import Job
from forecasting.models import ForecastChunk, ForecastRun, RunLearning
from forecasting.services.retention import forget_runs
from procurement.models import Proposal
from tests.cast import World

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 31)  # a Tuesday


def a_run(*, days_ago: int, state: str = Job.State.DONE, is_complete: bool = True) -> ForecastRun:
    job = queue_job("plan")
    assert job is not None
    Job.objects.filter(pk=job.pk).update(state=state)
    run = ForecastRun.objects.create(
        job=job,
        as_of=TODAY - timedelta(days=days_ago),
        horizon_days=56,
        quantile_levels=[0.5],
        input_fingerprint=str(job.pk)[:8],
        is_complete=is_complete,
    )
    ForecastChunk.objects.create(run=run, number=0, history=b"packed")
    RunLearning.objects.create(run=run, edition="1", packed=b"packed")
    return run


def kept() -> set[Any]:
    return set(ForecastRun.objects.all())


def test_of_each_day_and_each_week_the_newest_run_stays() -> None:
    older_of_today, newest, yesterday = a_run(days_ago=1), a_run(days_ago=1), a_run(days_ago=2)
    monday, sunday = a_run(days_ago=29), a_run(days_ago=23)  # of one week, four weeks ago
    last_quarter = a_run(days_ago=100)

    forgotten = forget_runs(today=TODAY)

    assert forgotten["runs"] == 3
    assert kept() == {newest, yesterday, sunday}
    assert not {older_of_today, monday, last_quarter} & kept()


def test_packed_histories_stay_with_the_newest_run_only() -> None:
    a_run(days_ago=2)
    newest = a_run(days_ago=1)

    forgotten = forget_runs(today=TODAY)

    assert forgotten == {"runs": 0, "papers": 1}
    assert list(ForecastChunk.objects.exclude(history=None).values_list("run", flat=True)) == [newest.pk]
    assert list(RunLearning.objects.values_list("run", flat=True)) == [newest.pk]


def test_a_run_that_a_proposal_points_to_stays(world: World) -> None:
    old, _new = a_run(days_ago=100), a_run(days_ago=1)
    Proposal.objects.create(
        run=old,
        sku=world.mug,
        warehouse=world.main,
        supplier=world.northwind,
        status=Proposal.Status.ACCEPTED,
        quantity=10,
        unit_cost=4,
        currency="GBP",
        safety_stock=1,
        reorder_point=2,
        order_up_to_level=12,
        inventory_position=1,
        need_by=TODAY,
    )

    forgotten = forget_runs(today=TODAY)

    assert forgotten["runs"] == 0
    assert old in kept()


def test_runs_whose_job_may_go_on_stay_and_cancelled_ones_go() -> None:
    under_way = a_run(days_ago=1, state=Job.State.RUNNING, is_complete=False)
    broken = a_run(days_ago=1, state=Job.State.FAILED, is_complete=False)
    a_run(days_ago=1, state=Job.State.CANCELLED, is_complete=False)

    forget_runs(today=TODAY)

    assert kept() == {under_way, broken}
    assert ForecastChunk.objects.exclude(history=None).count() == 2


def test_the_run_that_the_newest_was_brought_up_to_date_from_keeps_its_papers() -> None:
    learnt, newest = a_run(days_ago=1), a_run(days_ago=1)
    ForecastRun.objects.filter(pk=newest.pk).update(learnt_in=learnt)

    forgotten = forget_runs(today=TODAY)

    assert forgotten == {"runs": 0, "papers": 0}
    assert RunLearning.objects.filter(run=learnt).exists()
    assert ForecastRun.objects.get(pk=newest.pk).learnt_in == learnt
