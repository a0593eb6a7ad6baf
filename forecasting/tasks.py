"""What workers do for the forecasts. Tasks carry ids and call one service."""

from dataclasses import asdict
from typing import Any

from celery import shared_task
from django.utils import timezone

from config.kernel.jobs import ABANDONED_AFTER, JobBusy
from forecasting.services.accuracy import record_accuracy
from forecasting.services.chunks import send_chunks
from forecasting.services.drift import check_drift
from forecasting.services.imports import run_import
from forecasting.services.retention import forget_runs
from forecasting.services.signal_value import weigh_signals_of_latest_run
from forecasting.services.surprises import tell_surprises
from forecasting.services.work import work_chunk


@shared_task(bind=True, name="forecasting.import_sales", max_retries=30)
def import_sales_task(self: Any, job_id: str) -> int | None:
    """Import the file of this job: how many lines it had. Handed out again after a worker died, it waits until the
    dead one counts as gone."""
    try:
        summary = run_import(job_id, clock=timezone.now)  # type: ignore[arg-type]
    except JobBusy as exc:
        raise self.retry(exc=exc, countdown=ABANDONED_AFTER.total_seconds() + 5) from exc
    return summary.lines if summary else None


@shared_task(bind=True, name="forecasting.forecast_chunk")
def forecast_chunk_task(self: Any, run_id: int, number: int) -> int | None:
    """Forecast one chunk of a run, unless another worker has it: how many series. An error goes on
    after the chunk was put back for its second try."""
    try:
        return work_chunk(run_id, number, message=self.request.id, clock=timezone.now)
    except Exception:
        send_chunks(run_id, [number])  # taken up again if it has a try left, else a message about nothing
        raise


@shared_task(name="forecasting.forget_runs")
def forget_runs_task() -> dict[str, int]:
    return forget_runs(today=timezone.localdate())


@shared_task(name="forecasting.record_accuracy")
def record_accuracy_task() -> dict[str, int]:
    """The weeks that are over, against what was forecast of them; weeks that were missed are caught up."""
    return asdict(record_accuracy(now=timezone.now()))


@shared_task(name="forecasting.check_drift")
def check_drift_task() -> dict[str, int]:
    """Forecasts that have drifted are noted, and learnt anew."""
    return asdict(check_drift(now=timezone.now()))


@shared_task(name="forecasting.weigh_signals")
def weigh_signals_task() -> bool | None:
    """Whether shop signals help the forecasts of the run in force; found once a run."""
    verdict = weigh_signals_of_latest_run(now=timezone.now())
    return verdict["helps"] if verdict else None


@shared_task(name="forecasting.tell_surprises")
def tell_surprises_task() -> dict[str, int]:
    """Demand that no forecast had in it becomes events, once a day each."""
    return asdict(tell_surprises(now=timezone.now()))
