"""The nightly plan (step 5 of the story) and the one a planner asks for. Tasks carry ids and call one service."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from config.kernel.jobs import ABANDONED_AFTER, JobBusy, send_to_worker
from procurement.services.planning import advance_plan, queue_plan


@shared_task(bind=True, name="procurement.run_plan", max_retries=30)
def run_plan_task(self: Any, job_id: str) -> dict[str, Any] | None:
    """Do the next part of this job. Handed out again after a worker died, it waits until the dead one counts as
    gone."""
    try:
        outcome = advance_plan(job_id, clock=timezone.now)  # type: ignore[arg-type]
    except JobBusy as exc:
        raise self.retry(exc=exc, countdown=ABANDONED_AFTER.total_seconds() + 5) from exc
    return {"series": outcome.series, "proposals_open": outcome.proposals_open} if outcome else None


@shared_task(name="procurement.run_nightly_plan")
def run_nightly_plan() -> str:
    """Queue tonight's plan once, however many beats ask: the run key is the night. Missed nights are not made up."""
    job = queue_plan(run_key=f"nightly-plan:{timezone.now():%Y-%m-%d}")
    if job.state == job.State.QUEUED:
        send_to_worker(job)
    return str(job.pk)
