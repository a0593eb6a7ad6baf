"""The planning run: demand is brought up to date, every SKU × warehouse is forecast, what is short becomes a proposal.

`manage.py plan` calls `run_plan`, which stays until the end; workers call `advance_plan`, which does one part and waits
for nobody: prepare and send the chunks out, or, once the last one has handed the job back, finish.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict
from config.kernel.jobs import (
    JobCancelled,
    end_cancelled_job,
    fail_job,
    finish_job,
    queue_job,
    refuse_busy,
    report_progress,
    start_job,
)
from config.kernel.models import Job
from forecasting import selectors as demand
from forecasting.models import ForecastRules, ForecastRun
from forecasting.services.chunks import reopen_chunks, send_chunks, waiting_numbers
from forecasting.services.corrections import find_bulk_orders
from forecasting.services.history import refresh_demand
from forecasting.services.pulse import Pulse
from forecasting.services.runs import (
    complete_run,
    completed_run,
    is_forecast,
    learn_for_run,
    load_run_input,
    open_run,
)
from forecasting.services.work import work_waiting
from procurement.services.aims import DEFAULT_PROTECTION_DAYS, protection_days_of
from procurement.services.clearance import propose_clearances
from procurement.services.lead_times import learn_lead_times
from procurement.services.plan_days import asked_day, last_whole_day, refuse_other_days
from procurement.services.proposals import propose_reorders
from procurement.services.rebalancing import propose_transfers

PLAN = "plan"
BULK_DAYS = 60
POLL_SECONDS = 0.2
Clock = Callable[[], datetime]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """What a plan found.

    `nothing_new`: the same input had been forecast before and no proposal changed. `is_look_back`: planned as of an
    earlier day than the last one with sales; the forecasts are kept, the proposals stay as they were.
    """

    run_id: int | None
    as_of: str | None
    series: int
    below_reorder_point: int
    without_supplier: int
    proposals_new: int
    proposals_withdrawn: int
    proposals_open: int
    nothing_new: bool
    unplannable: tuple[str, ...] = ()
    is_look_back: bool = False


def queue_plan(
    *,
    actor: Any = None,
    as_of: date | None = None,
    run_key: str | None = None,
    force: bool = False,
    mode: str | None = None,
    is_update: bool = False,
    refreshes: bool = True,
) -> Job:
    """Put a plan on the list; with a `run_key` seen before, the job made then is returned. Start the task on commit.

    `mode`: everyday or full, None as the rules say. `is_update`: bring the last plan up to the present day without
    learning anew, where that can be done. `refreshes=False`: demand was brought up to date by whoever asks. Raises
    ValidationFailed for a day without sales behind it; what is known only later is checked by the run.
    """
    last = demand.last_demand_day()
    if as_of is not None and last is not None:
        refuse_other_days(as_of, last)
    parameters = {"as_of": as_of.isoformat() if as_of else None, "force": force}
    parameters |= {"mode": mode, "is_update": is_update, "refreshes": refreshes}
    job = queue_job(PLAN, run_key=run_key, parameters=parameters, actor=actor)
    return job or Job.objects.get(run_key=run_key)


def run_plan(job_id: UUID, *, clock: Clock, calls_workers: bool = False) -> PlanOutcome | None:
    """Do the plan of this job here, or go on with one that broke; None when it had already ended.

    All chunks that wait are done in this process; with `calls_workers` alongside those that listen. Safe to call twice:
    the job is claimed by compare-and-set, forecasts are saved once per run, proposals once per SKU and warehouse.
    Raises JobBusy while another worker is at it; on any other error the job is marked failed (and can be resumed)
    before the error goes on.
    """
    if not _is_claimed(job_id, clock):
        return None
    found = _guarded(job_id, clock, lambda: _next_part(job_id, clock))
    if not isinstance(found, ForecastRun):
        return found
    run = found
    if calls_workers and len(waiting := waiting_numbers(run)) > 1:
        send_chunks(run.pk, waiting)
    _guarded(job_id, clock, lambda: _work_through(run, clock))
    return _ending(job_id, clock)


def advance_plan(job_id: UUID, *, clock: Clock) -> PlanOutcome | None:
    """The next part of this job, as a worker does it that its message woke: preparing ends with a message for every
    chunk, and waits for none; when all are saved the job comes back, and is finished. Errors as in `run_plan`."""
    if not _is_claimed(job_id, clock):
        return None
    found = _guarded(job_id, clock, lambda: _next_part(job_id, clock))
    if not isinstance(found, ForecastRun):
        return found
    run = found
    if len(waiting := waiting_numbers(run)) > 1:
        send_chunks(run.pk, waiting)
        return None
    _guarded(job_id, clock, lambda: _work_through(run, clock))  # a single chunk is quicker done than sent
    return _ending(job_id, clock)


def _is_claimed(job_id: UUID, clock: Clock) -> bool:
    if start_job(job_id, now=clock()):
        return True
    refuse_busy(Job.objects.get(pk=job_id), now=clock())
    return False


def _guarded(job_id: UUID, clock: Clock, work: Callable[[], T]) -> T | None:
    """The work of a claimed job, with its end: cancelled, or failed before the error goes on."""
    try:
        with Pulse(job_id, clock):
            return work()
    except JobCancelled:
        end_cancelled_job(job_id, now=clock())
        return None
    except BaseException as exc:
        fail_job(job_id, now=clock(), error=f"{type(exc).__name__}: {exc}")
        raise


def _work_through(run: ForecastRun, clock: Clock) -> None:
    """Until no chunk waits and none is at work anywhere; the job has then been handed back, or has ended."""
    while Job.objects.filter(pk=run.job_id, state=Job.State.RUNNING).exists():
        if not work_waiting(run, clock=clock):
            time.sleep(POLL_SECONDS)


def _ending(job_id: UUID, clock: Clock) -> PlanOutcome | None:
    """Finish a job whose chunks are all saved; when a worker was quicker, what that one found."""
    while True:
        job = Job.objects.get(pk=job_id)
        if job.state == Job.State.QUEUED and start_job(job_id, now=clock()):
            found = _guarded(job_id, clock, lambda: _next_part(job_id, clock))
            return found if isinstance(found, PlanOutcome) else None
        if job.state == Job.State.FAILED:
            raise Conflict(job.error)
        if job.state not in Job.OPEN:
            return PlanOutcome(**job.result) if job.result else None
        time.sleep(POLL_SECONDS)


def _next_part(job_id: UUID, clock: Clock) -> PlanOutcome | ForecastRun:
    """The run, prepared, when there are chunks to forecast; else what the finished plan found."""
    run = ForecastRun.objects.filter(job_id=job_id).first()
    if run is None or not is_forecast(run):
        found = _prepare(job_id, clock)
        if isinstance(found, PlanOutcome):
            finish_job(job_id, now=clock(), result=asdict(found))
            return found
        run, is_known = found
        if not is_known and not is_forecast(run):
            return run
    else:
        is_known = False
    outcome = _finish(job_id, run, clock, is_known=is_known)
    finish_job(job_id, now=clock(), result=asdict(outcome))
    return outcome


def _prepare(job_id: UUID, clock: Clock) -> PlanOutcome | tuple[ForecastRun, bool]:
    """(the run, whether it is an earlier one that answers the same), or the outcome where nothing was ever sold."""
    parameters = Job.objects.values_list("parameters", flat=True).get(pk=job_id)
    report_progress(job_id, now=clock(), step=_("Reading demand off the orders"))
    if parameters.get("refreshes", True):
        refresh_demand()
    last = last_whole_day(clock())
    if last is None:
        return PlanOutcome(None, None, 0, 0, 0, 0, 0, 0, nothing_new=True)
    as_of = asked_day(parameters.get("as_of"), last)
    is_update = parameters.get("is_update", False)
    if not is_update:
        _find_bulk_orders(as_of)
    learn_lead_times(clock())
    report_progress(job_id, now=clock(), step=_("Loading history"))
    run_input = load_run_input(
        as_of=as_of,
        protection_days=protection_days_of(today=timezone.localdate(clock())),
        default_protection_days=DEFAULT_PROTECTION_DAYS,
        mode=_mode(parameters),
        is_update=is_update,
    )
    known = None if parameters.get("force") else completed_run(run_input.fingerprint)
    if known is not None:
        return known, True
    run = open_run(job_id, run_input)
    step = _("Reading the last weeks") if run.learnt_in else _("Learning from all series")
    report_progress(job_id, now=clock(), step=step)
    learn_for_run(run, run_input.book)
    reopen_chunks(run)
    return run, False


def _find_bulk_orders(as_of: date) -> None:
    """In the last weeks, which may still be cancelled or returned; of the first plan, in all there is."""
    first = demand.first_demand_day() if demand.latest_run() is None else None
    find_bulk_orders(first=first or as_of - timedelta(days=BULK_DAYS), until=as_of)


def _mode(parameters: dict[str, Any]) -> str:
    """A refit learns as thoroughly as can be: what drifted shares its chunks and tables with the rest, so all do."""
    if parameters.get("refit"):
        return ForecastRules.Mode.FULL
    return parameters.get("mode") or ForecastRules.current().mode


def _finish(job_id: UUID, run: ForecastRun, clock: Clock, *, is_known: bool) -> PlanOutcome:
    if not run.is_complete:
        report_progress(job_id, now=clock(), done=run.series_count, step=_("Adding up the groups"))
        complete_run(run)
    report_progress(job_id, now=clock(), step=_("Working out what to order"))
    is_look_back = run.as_of < (last_whole_day(clock()) or run.as_of)
    # What a move brings need not be bought, and what is left over after both may have to be cleared.
    moved = None if is_look_back else propose_transfers(run, now=clock())
    counts = propose_reorders(run, now=clock(), is_look_back=is_look_back)
    cleared = None if is_look_back else propose_clearances(run, now=clock())
    is_changed = bool(counts.changed or (moved and moved.changed) or (cleared and (cleared.new or cleared.withdrawn)))
    return PlanOutcome(
        run_id=run.pk,
        as_of=run.as_of.isoformat(),
        series=run.series_count,
        below_reorder_point=counts.below_reorder_point,
        without_supplier=counts.without_supplier,
        proposals_new=counts.new,
        proposals_withdrawn=counts.withdrawn,
        proposals_open=counts.open,
        nothing_new=is_known and not is_changed,
        unplannable=counts.unplannable,
        is_look_back=is_look_back,
    )


def resumable_plan() -> Job | None:
    """The latest plan if it broke off and can go on."""
    latest = Job.objects.filter(kind=PLAN).order_by("-created_at").first()
    return latest if latest and latest.state == Job.State.FAILED else None
