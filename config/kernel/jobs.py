"""Starting, watching and ending long work.

Every change of state is a compare-and-set, so that two workers never both win.
"""

from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict
from config.kernel.models import Job

ABANDONED_AFTER = timedelta(minutes=2)
WAITS_AT_MOST = timedelta(minutes=2)


class JobCancelled(Exception):
    """Raised inside the work at its next report of progress once somebody asked it to stop."""


def queue_job(
    kind: str, *, run_key: str | None = None, parameters: dict[str, Any] | None = None, actor: Any = None
) -> Job | None:
    """A new job; None when one with this run key exists already (another beat or scheduler was first)."""
    try:
        with transaction.atomic():
            return Job.objects.create(kind=kind, run_key=run_key, parameters=parameters or {}, actor=actor)
    except IntegrityError:
        if run_key and Job.objects.filter(run_key=run_key).exists():
            return None
        raise


def send_to_worker(job: Job) -> None:
    """Wake a worker for this job once the transaction commits.

    A broker that does not answer then is logged and no error: the job waits, and `wake_waiting_jobs` sends it again.
    """
    task, job_id = settings.JOB_TASKS[job.kind], str(job.pk)

    def send() -> None:
        current_app.send_task(task, [job_id])

    transaction.on_commit(send, robust=True)


def wake_waiting_jobs(*, now: datetime) -> int:
    """Send every job again that has waited for a worker; one that is sent twice is claimed once."""
    waiting = Job.objects.filter(
        state=Job.State.QUEUED, created_at__lt=now - WAITS_AT_MOST, kind__in=settings.JOB_TASKS
    )
    for job in waiting:
        send_to_worker(job)
    return len(waiting)


def resume_job(job_id: Any) -> None:
    """Have a worker go on with a job that failed. Raises Conflict when it has not failed."""
    with transaction.atomic():
        if not Job.objects.filter(pk=job_id, state=Job.State.FAILED).update(
            state=Job.State.QUEUED, finished_at=None, cancel_requested=False
        ):
            raise Conflict(_("Only a job that failed can be resumed."))
        send_to_worker(Job.objects.get(pk=job_id))


def start_job(job_id: Any, *, now: datetime) -> bool:
    """Claim a queued (or failed, to resume it) job. False when another worker has it or it has ended well."""
    return bool(
        Job.objects.filter(pk=job_id, state__in=[Job.State.QUEUED, Job.State.FAILED]).update(
            state=Job.State.RUNNING, started_at=now, heartbeat_at=now, finished_at=None, error=""
        )
    )


class JobBusy(Conflict):
    """Another worker has the job and showed a sign of life lately."""


def refuse_busy(job: Job, *, now: datetime) -> None:
    """Raises JobBusy while another worker is at it."""
    if job.state == Job.State.RUNNING and job.heartbeat_at and job.heartbeat_at > now - ABANDONED_AFTER:
        raise JobBusy(_("Another worker is at this job."))


def report_progress(
    job_id: Any, *, now: datetime, done: int | None = None, total: int | None = None, step: str | None = None
) -> None:
    """A sign of life with progress.

    Raises JobCancelled when somebody asked to stop, Conflict when the job was taken away.
    """
    fields: dict[str, Any] = {"heartbeat_at": now}
    fields |= {k: v for k, v in {"done": done, "total": total, "step": step}.items() if v is not None}
    if not Job.objects.filter(pk=job_id, state=Job.State.RUNNING, cancel_requested=False).update(**fields):
        if Job.objects.filter(pk=job_id, cancel_requested=True).exists():
            raise JobCancelled
        raise Conflict(_("The job is not running any more."))


def hand_back_job(job_id: Any, *, now: datetime) -> bool:
    """A running job waits again, for whoever takes up its next part; False when it is not running.

    Nothing of it is lost with the message that should wake a worker: `wake_waiting_jobs` sends another.
    """
    return bool(Job.objects.filter(pk=job_id, state=Job.State.RUNNING).update(state=Job.State.QUEUED, heartbeat_at=now))


def finish_job(job_id: Any, *, now: datetime, result: dict[str, Any]) -> None:
    _end(job_id, now, state=Job.State.DONE, result=result)


def fail_job(job_id: Any, *, now: datetime, error: str) -> None:
    _end(job_id, now, state=Job.State.FAILED, error=error)


def end_cancelled_job(job_id: Any, *, now: datetime) -> None:
    _end(job_id, now, state=Job.State.CANCELLED)


def request_cancel(job_id: Any, *, now: datetime) -> None:
    """Ask a job to stop: a queued one ends at once, a running one at its next report.

    Raises Conflict when it has ended.
    """
    if Job.objects.filter(pk=job_id, state=Job.State.QUEUED).update(
        state=Job.State.CANCELLED, cancel_requested=True, finished_at=now
    ):
        return
    if not Job.objects.filter(pk=job_id, state=Job.State.RUNNING).update(cancel_requested=True):
        raise Conflict(_("The job has already ended."))


def fail_abandoned_jobs(*, now: datetime) -> int:
    """Running jobs without a sign of life (their worker died) are marked failed; they can be resumed."""
    return Job.objects.filter(state=Job.State.RUNNING, heartbeat_at__lt=now - ABANDONED_AFTER).update(
        state=Job.State.FAILED, finished_at=now, error=_("The worker stopped without a word; the job can be resumed.")
    )


def _end(job_id: Any, now: datetime, **fields: Any) -> None:
    Job.objects.filter(pk=job_id, state=Job.State.RUNNING).update(finished_at=now, heartbeat_at=now, **fields)
