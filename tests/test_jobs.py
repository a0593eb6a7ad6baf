"""Long work: claimed once, failed when its worker falls silent, sent again when nobody heard of it, resumed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import TestCase

from config.kernel import jobs
from config.kernel.errors import Conflict
from config.kernel.models import Job

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What went to the broker."""
    messages: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, args: messages.append((name, args)))
    return messages


def waiting_job(*, minutes: int) -> Job:
    job = jobs.queue_job("plan")
    assert job is not None
    Job.objects.filter(pk=job.pk).update(created_at=NOW - timedelta(minutes=minutes))
    return job


def test_a_job_is_claimed_by_one_worker() -> None:
    job = waiting_job(minutes=0)

    assert jobs.start_job(job.pk, now=NOW)
    assert not jobs.start_job(job.pk, now=NOW)


def test_a_job_nobody_heard_of_is_sent_again(sent: list[Any]) -> None:
    forgotten, fresh = waiting_job(minutes=3), waiting_job(minutes=1)

    with TestCase.captureOnCommitCallbacks(execute=True):
        woken = jobs.wake_waiting_jobs(now=NOW)

    assert woken == 1
    assert sent == [("procurement.run_plan", [str(forgotten.pk)])]
    assert fresh.state == Job.State.QUEUED


def test_a_broker_that_is_down_refuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(name: str, args: list[str]) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(jobs.current_app, "send_task", down)

    with TestCase.captureOnCommitCallbacks(execute=True):
        jobs.send_to_worker(waiting_job(minutes=0))

    assert Job.objects.get().state == Job.State.QUEUED


def test_a_failed_job_goes_on_when_somebody_asks(sent: list[Any]) -> None:
    job = waiting_job(minutes=5)
    jobs.start_job(job.pk, now=NOW)
    jobs.fail_job(job.pk, now=NOW, error="the disk was full")

    with TestCase.captureOnCommitCallbacks(execute=True):
        jobs.resume_job(job.pk)

    job.refresh_from_db()
    assert (job.state, job.finished_at) == (Job.State.QUEUED, None)
    assert sent == [("procurement.run_plan", [str(job.pk)])]


def test_a_job_that_has_not_failed_cannot_be_resumed(sent: list[Any]) -> None:
    job = waiting_job(minutes=0)

    with pytest.raises(Conflict):
        jobs.resume_job(job.pk)

    assert sent == []


def test_progress_of_a_job_that_was_taken_away_is_refused() -> None:
    job = waiting_job(minutes=0)
    jobs.start_job(job.pk, now=NOW)
    jobs.fail_abandoned_jobs(now=NOW + timedelta(minutes=3))

    with pytest.raises(Conflict):
        jobs.report_progress(job.pk, now=NOW, done=1)


def test_a_job_whose_worker_died_raises_an_alert_at_once() -> None:
    from monitoring.models import Alert
    from monitoring.tasks import fail_abandoned_jobs

    job = waiting_job(minutes=0)
    jobs.start_job(job.pk, now=NOW)

    assert fail_abandoned_jobs() == 1

    assert Alert.objects.filter(kind=Alert.Kind.FAILED_JOB, resolved_at=None).count() == 1
