"""A file of sales that was uploaded becomes orders and then demand: the work of the job "import_sales"."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from threading import Event, Thread
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.acting import acting
from config.kernel.errors import Conflict, DomainError, ValidationFailed
from config.kernel.jobs import (
    JobCancelled,
    end_cancelled_job,
    fail_job,
    finish_job,
    refuse_busy,
    report_progress,
    start_job,
)
from config.kernel.models import Job
from forecasting.services.history import refresh_demand
from warehouses.models import SalesImport
from warehouses.services.importing import ImportSummary, import_sales
from warehouses.services.importing.uploads import Upload, upload_of

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]

# What each step is called, and how much of a hundred is done where it begins and ends.
STEPS = {
    "reading": (gettext_lazy("Reading the file"), 0, 40),
    "judging": (gettext_lazy("Judging every line"), 40, 55),
    "products": (gettext_lazy("Adding new SKUs"), 55, 60),
    "orders": (gettext_lazy("Writing orders"), 60, 80),
    "returns": (gettext_lazy("Matching returns"), 80, 88),
    "committing": (gettext_lazy("Finishing the import"), 88, 90),
    "demand": (gettext_lazy("Bringing demand up to date"), 90, 100),
}


class JobLost(Exception):
    """The job was taken away while the work went on: whoever has it now has the file too."""


def run_import(job_id: UUID, *, clock: Clock) -> ImportSummary | None:
    """Import the file of this job and bring demand up to date; None when it had ended already or ends otherwise.

    Safe to call twice: the job is claimed by compare-and-set, and lines that are there already are recognised.
    Cancelled before the import commits, nothing of the file is in; afterwards only demand is left for the next plan. A
    file that is refused fails the job with the reason. Raises JobBusy while another worker is at it. The uploaded file
    is removed when the job has ended; after any other error it stays, and the job can be resumed.
    """
    if not start_job(job_id, now=clock()):
        _refuse_busy(job_id, clock())
        return None
    job = Job.objects.select_related("actor").get(pk=job_id)
    upload = upload_of(job)
    summary = None
    try:
        with acting(job.actor):
            summary, result = _import(job, upload, clock)
    except JobLost:
        logger.warning("the import of job %s was taken away", job_id)
        return None
    except JobCancelled:
        end_cancelled_job(job_id, now=clock())
    except DomainError as error:
        fail_job(job_id, now=clock(), error=str(error).replace(upload.path.name, upload.shown_name))
    except BaseException as error:
        fail_job(job_id, now=clock(), error=f"{type(error).__name__}: {error}")
        raise
    else:
        finish_job(job_id, now=clock(), result=result)
    upload.forget()
    return summary


def _refuse_busy(job_id: UUID, now: datetime) -> None:
    """Of a job that was cancelled while it waited, only the file is left to remove."""
    job = Job.objects.get(pk=job_id)
    if job.state in (Job.State.DONE, Job.State.CANCELLED):
        upload_of(job).forget()
    refuse_busy(job, now=now)


def _report(job_id: UUID, clock: Clock, **progress: Any) -> None:
    try:
        report_progress(job_id, now=clock(), **progress)
    except Conflict:
        raise JobLost from None


def _import(job: Job, upload: Upload, clock: Clock) -> tuple[ImportSummary, dict[str, Any]]:
    told = job.parameters
    if not upload.path.exists():
        raise ValidationFailed(_("The uploaded file is not there any more; upload it again."))
    _report(job.pk, clock, done=0, total=100, step=str(STEPS["reading"][0]))
    with _Voice(job.pk, clock) as voice:
        summary = import_sales(
            upload.path,
            channel_code=told["channel_code"],
            warehouse_code=told["warehouse_code"] or None,
            rejects_path=upload.rejects_path,
            file_name=upload.shown_name,
            now=clock(),
            actor=job.actor,
            progress=voice,
        )
        _report(job.pk, clock, done=90, step=str(STEPS["demand"][0]))
        voice("demand", 0, 0)
        rows = refresh_demand()
    _report(job.pk, clock, done=100)
    return summary, {"import": _told(summary, upload, rows)}


def _told(summary: ImportSummary, upload: Upload, demand_rows: int) -> dict[str, Any]:
    """For the job's page; `record` is the import's row: of the same file imported before when nothing was new."""
    records = SalesImport.objects.filter(channel__code=summary.channel_code, file_sha256=summary.file_sha256)
    return {
        "file_name": summary.file_name,
        "channel": summary.channel_code,
        "warehouse": summary.warehouse_code,
        "lines": summary.lines,
        "counts": dict(summary.counts),
        "written": {kind: count for kind, count in summary.written.items() if count},
        "notes": list(summary.notes),
        "rejected": summary.rejected,
        "upload": str(upload.id),
        "record": records.order_by("-pk").values_list("pk", flat=True).first(),
        "demand_rows": demand_rows,
    }


class _Voice(AbstractContextManager["_Voice"]):
    """Tells how far the import is, every second, in a thread with a connection of its own.

    The import is one transaction: what it wrote about itself would be seen by nobody before its end, and its lock on
    the job would keep everybody else from asking it to stop.
    """

    every_seconds = 1.0

    def __init__(self, job_id: UUID, clock: Clock) -> None:
        self._job_id, self._clock = job_id, clock
        self._step, self._done = str(STEPS["reading"][0]), 0
        self._refusal: JobCancelled | JobLost | None = None
        self._ended = Event()
        self._thread = Thread(target=self._speak, name=f"progress of {job_id}", daemon=True)

    def __enter__(self) -> "_Voice":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def __call__(self, step: str, done: int, of: int) -> None:
        """Note where the work is. Raises what the last report was answered with: JobCancelled, or JobLost."""
        if self._refusal is not None:
            raise self._refusal
        name, begins, ends = STEPS[step]
        self._step, self._done = str(name), begins + ((ends - begins) * done // of if of else 0)

    def _speak(self) -> None:
        try:
            while not self._ended.wait(self.every_seconds):
                _report(self._job_id, self._clock, done=self._done, total=100, step=self._step)
        except (JobCancelled, JobLost) as refusal:
            self._refusal = refusal
        except DatabaseError:
            logger.warning("the progress of job %s cannot be told", self._job_id, exc_info=True)
        finally:
            connection.close()
