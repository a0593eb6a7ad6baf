"""A job that one worker does from end to end: claimed once, cancelled at a report, failed with its error."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from config.kernel.jobs import JobCancelled, end_cancelled_job, fail_job, finish_job, refuse_busy, start_job
from config.kernel.models import Job
from forecasting.services.pulse import Pulse

Clock = Callable[[], datetime]


def run_job(job_id: UUID, work: Callable[[], dict[str, Any]], *, clock: Clock) -> dict[str, Any] | None:
    """What `work` found; None when the job had ended already, or was cancelled. Safe to call twice.

    Raises JobBusy while another worker is at it; on any other error the job is marked failed before the error goes on.
    """
    if not start_job(job_id, now=clock()):
        refuse_busy(Job.objects.get(pk=job_id), now=clock())
        return None
    try:
        with Pulse(job_id, clock):
            result = work()
    except JobCancelled:
        end_cancelled_job(job_id, now=clock())
        return None
    except BaseException as error:
        fail_job(job_id, now=clock(), error=f"{type(error).__name__}: {error}")
        raise
    finish_job(job_id, now=clock(), result=result)
    return result
