"""The planning run: demand is brought up to date, every SKU × warehouse is forecast, what is short becomes a proposal.

`manage.py plan`, the nightly task and the button in the admin all call `run_plan`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel.errors import ValidationFailed
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
from forecasting.services.history import refresh_demand
from forecasting.services.runs import completed_run, load_run_input, run_forecasts
from procurement.services.aims import DEFAULT_PROTECTION_DAYS, planned_items, protection_days_of
from procurement.services.proposals import propose_reorders

PLAN = "plan"


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


def queue_plan(*, actor: Any = None, as_of: date | None = None, run_key: str | None = None, force: bool = False) -> Job:
    """Put a plan on the list; with a `run_key` seen before, the job made then is returned. Start the task on commit.

    Raises ValidationFailed for a day without sales behind it; what is known only later is checked by the run.
    """
    last = demand.last_demand_day()
    if as_of is not None and last is not None:
        _refuse_other_days(as_of, last)
    parameters = {"as_of": as_of.isoformat() if as_of else None, "force": force}
    job = queue_job(PLAN, run_key=run_key, parameters=parameters, actor=actor)
    return job or Job.objects.get(run_key=run_key)


def run_plan(job_id: UUID, *, clock: Callable[[], datetime]) -> PlanOutcome | None:
    """Do the plan of this job, or go on with one that broke; None when it had already ended.

    Safe to call twice: the job is claimed by compare-and-set, forecasts are saved once per run, proposals once per SKU
    and warehouse. Raises JobBusy while another worker is at it; on any other error the job is marked failed (and can be
    resumed) before the error goes on.
    """
    if not start_job(job_id, now=clock()):
        refuse_busy(Job.objects.get(pk=job_id), now=clock())
        return None
    try:
        outcome = _plan(job_id, clock)
    except JobCancelled:
        end_cancelled_job(job_id, now=clock())
        return None
    except BaseException as exc:
        fail_job(job_id, now=clock(), error=f"{type(exc).__name__}: {exc}")
        raise
    finish_job(job_id, now=clock(), result=asdict(outcome))
    return outcome


def _plan(job_id: UUID, clock: Callable[[], datetime]) -> PlanOutcome:
    parameters = Job.objects.values_list("parameters", flat=True).get(pk=job_id)
    report_progress(job_id, now=clock(), step=_("Reading demand off the orders"))
    refresh_demand()
    last = _last_whole_day(clock())
    if last is None:
        return PlanOutcome(None, None, 0, 0, 0, 0, 0, 0, nothing_new=True)
    as_of = _asked_day(parameters.get("as_of"), last)
    report_progress(job_id, now=clock(), step=_("Loading history"))
    items = planned_items()
    run_input = load_run_input(
        as_of=as_of, protection_days=protection_days_of(items), default_protection_days=DEFAULT_PROTECTION_DAYS
    )
    known = None if parameters.get("force") else completed_run(run_input.fingerprint)
    run = known or run_forecasts(job_id, run_input, clock=clock)
    report_progress(job_id, now=clock(), step=_("Working out what to order"))
    counts = propose_reorders(run, items=items, now=clock(), is_look_back=as_of < last)
    return PlanOutcome(
        run_id=run.pk,
        as_of=as_of.isoformat(),
        series=run.series_count,
        below_reorder_point=counts.below_reorder_point,
        without_supplier=counts.without_supplier,
        proposals_new=counts.new,
        proposals_withdrawn=counts.withdrawn,
        proposals_open=counts.open,
        nothing_new=known is not None and not counts.changed,
        unplannable=counts.unplannable,
        is_look_back=as_of < last,
    )


def _last_whole_day(now: datetime) -> date | None:
    """The last day with sales that is over in every channel, wherever its clock stands; None when there is none yet."""
    zones = set(Channel.objects.filter(is_active=True).values_list("time_zone", flat=True)) or {"UTC"}
    yesterday = min(now.astimezone(ZoneInfo(zone)).date() for zone in zones) - timedelta(days=1)
    first, last = demand.first_demand_day(), demand.last_demand_day()
    if first is None or last is None or first > yesterday:
        return None
    return min(last, yesterday)


def _asked_day(asked: str | None, last: date) -> date:
    """The day to plan as of: the one asked for, else the last whole one."""
    if not asked:
        return last
    day = date.fromisoformat(asked)
    _refuse_other_days(day, last)
    return day


def _refuse_other_days(day: date, last: date) -> None:
    first = demand.first_demand_day()
    if first is None or not first <= day <= last:
        raise ValidationFailed(
            _("A plan can be made as of %(first)s to %(last)s, the days with sales that are over.")
            % {"first": first, "last": last}
        )


def resumable_plan() -> Job | None:
    """The latest plan if it broke off and can go on."""
    latest = Job.objects.filter(kind=PLAN).order_by("-created_at").first()
    return latest if latest and latest.state == Job.State.FAILED else None
