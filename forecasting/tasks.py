"""The import of an uploaded file of sales, as a worker does it. The task carries an id and calls one service."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from config.kernel.jobs import ABANDONED_AFTER, JobBusy
from forecasting.services.imports import run_import


@shared_task(bind=True, name="forecasting.import_sales", max_retries=30)
def import_sales_task(self: Any, job_id: str) -> int | None:
    """Import the file of this job: how many lines it had. Handed out again after a worker died, it waits until the
    dead one counts as gone."""
    try:
        summary = run_import(job_id, clock=timezone.now)  # type: ignore[arg-type]
    except JobBusy as exc:
        raise self.retry(exc=exc, countdown=ABANDONED_AFTER.total_seconds() + 5) from exc
    return summary.lines if summary else None
