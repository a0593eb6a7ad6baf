"""The nightly plan (step 5 of the story) and the one a planner asks for. Tasks carry ids and call one service."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from config.kernel.jobs import ABANDONED_AFTER, JobBusy, send_to_worker
from procurement.services.corrections import learn_service_corrections
from procurement.services.effects import evaluate_policy_changes
from procurement.services.experiments import look_at_experiments
from procurement.services.lead_times import learn_lead_times
from procurement.services.planning import advance_plan, queue_plan
from procurement.services.replays import run_policy_replay
from procurement.services.scenarios import run_scenario


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


@shared_task(bind=True, name="procurement.run_policy_replay", max_retries=30)
def run_policy_replay_task(self: Any, job_id: str) -> dict[str, Any] | None:
    """Replay the policy of this job. Handed out again after a worker died, it waits until the dead one counts as
    gone, and begins anew."""
    return _patiently(self, run_policy_replay, job_id)


@shared_task(bind=True, name="procurement.run_scenario", max_retries=30)
def run_scenario_task(self: Any, job_id: str) -> dict[str, Any] | None:
    """Work out the scenario of this job; as above."""
    return _patiently(self, run_scenario, job_id)


def _patiently(task: Any, work: Any, job_id: str) -> dict[str, Any] | None:
    try:
        return work(job_id, clock=timezone.now)  # type: ignore[no-any-return]
    except JobBusy as exc:
        raise task.retry(exc=exc, countdown=ABANDONED_AFTER.total_seconds() + 5) from exc


@shared_task(name="procurement.learn_lead_times")
def learn_lead_times_task() -> int:
    """Every supplier's lead time from what it has delivered; before the night's plan, which learns once more."""
    return learn_lead_times(timezone.now())


@shared_task(name="procurement.look_at_experiments")
def look_at_experiments_task() -> dict[str, int]:
    """Every running experiment is looked at once a day; one that does harm ends here."""
    return look_at_experiments(now=timezone.now())


@shared_task(name="procurement.evaluate_policy_changes")
def evaluate_policy_changes_task() -> dict[str, int]:
    """What changed policies brought, once they are old enough to tell; each is evaluated once."""
    return evaluate_policy_changes(timezone.now())


@shared_task(name="procurement.learn_service_corrections")
def learn_service_corrections_task() -> dict[str, int]:
    """Service given beside service asked for; a segment is learned again when its factor has held long enough."""
    return learn_service_corrections(timezone.now())
