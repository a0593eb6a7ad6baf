"""R6: the timetable names tasks that exist, and however many beats ask, a slot's work is done once."""

from typing import Any

import pytest

from config.celery import app
from config.kernel.jobs import queue_job
from config.kernel.models import Job
from procurement.tasks import run_nightly_plan
from tests.concurrency.meet import run_concurrently


def test_every_entry_of_the_timetable_names_a_task_that_exists() -> None:
    app.loader.import_default_modules()

    assert {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks) == set()


def test_tasks_travel_as_json_only() -> None:
    assert (app.conf.task_serializer, list(app.conf.accept_content)) == ("json", ["json"])


def test_a_worker_that_dies_gives_its_task_back_and_no_task_outlives_its_lease() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.broker_transport_options["visibility_timeout"] > app.conf.task_time_limit


@pytest.mark.django_db(transaction=True)
def test_two_beats_and_two_schedulers_make_one_plan_of_the_night(transactional_db: None, world: Any) -> None:
    made = run_concurrently([run_nightly_plan] * 4)

    assert len(set(map(str, made))) == 1
    assert Job.objects.count() == 1


@pytest.mark.django_db
def test_after_three_missed_nights_there_is_one_plan_not_four() -> None:
    """Beat asks once when it comes back; the slot is the night of the asking."""
    first = queue_job("plan", run_key="nightly-plan:2026-03-05")
    again = queue_job("plan", run_key="nightly-plan:2026-03-05")

    assert first is not None
    assert again is None
    assert Job.objects.count() == 1
