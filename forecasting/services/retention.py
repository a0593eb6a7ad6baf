"""Old runs go: a hundred thousand forecasts a night are a quarter of a gigabyte."""

from datetime import date, timedelta

from django.db import transaction
from django.db.models import ProtectedError

from config.kernel.models import Job
from forecasting import selectors
from forecasting.models import ForecastChunk, ForecastRun, RunLearning

DAYS_KEPT = 14
WEEKS_KEPT = 13


def forget_runs(*, today: date) -> dict[str, int]:
    """Delete runs that no longer count, and the working papers of all but the newest; what of each was forgotten.

    Kept: the newest complete run of each of the last 14 days it was made for and of each week for a quarter, the run in
    force, every run a proposal points to, and every run whose job has not ended. One transaction a run.
    """
    kept = kept_runs(today)
    old = ForecastRun.objects.exclude(pk__in=kept).exclude(job__state__in=[*Job.OPEN, Job.State.FAILED])
    broken = ForecastRun.objects.filter(job__state=Job.State.FAILED, created_at__date__lt=today - timedelta(DAYS_KEPT))
    forgotten = sum(_forget(run) for run in [*old, *broken.exclude(pk__in=kept)])
    return {"runs": forgotten, "papers": _forget_papers()}


def kept_runs(today: date) -> set[int]:
    """Of each day and each week the newest; the newest of all with the one that it was brought up to date from."""
    days: dict[date, int] = {}
    weeks: dict[tuple[int, int], int] = {}
    runs = selectors.complete_runs().values_list("pk", "as_of")
    for pk, as_of in runs:
        if as_of > today - timedelta(DAYS_KEPT):
            days.setdefault(as_of, pk)
        if as_of > today - timedelta(weeks=WEEKS_KEPT):
            weeks.setdefault(as_of.isocalendar()[:2], pk)
    return {*days.values(), *weeks.values(), *_in_force()}


def _in_force() -> set[int]:
    """The newest run, and the one whose learning it used: the next update goes on from that."""
    newest = selectors.latest_run()
    return set() if newest is None else {newest.pk, newest.learnt_in_id or newest.pk}


def _forget(run: ForecastRun) -> int:
    """1 when it went; 0 when something to our right, a proposal, still points to it."""
    try:
        with transaction.atomic():
            run.delete()
    except ProtectedError:
        return 0
    return 1


def _forget_papers() -> int:
    """Packed demand and learning are read by the next day's update only: those that it goes on from stay."""
    ended = ForecastRun.objects.filter(is_complete=True).exclude(pk__in=_in_force())
    RunLearning.objects.filter(run__in=ended).delete()
    return ForecastChunk.objects.filter(run__in=ended, history__isnull=False).update(history=None)
