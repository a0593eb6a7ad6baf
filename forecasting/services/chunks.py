"""The chunks of a run as workers share them: each is claimed once, and once more when its worker falls silent.

Every change of state is a compare-and-set on the claim, so that a worker given up for dead, and alive after all, can
save nothing. Messages are only wake-up calls: one that comes twice finds the chunk taken, one that is lost is sent
again by `sweep_chunks`. Locks in this order: chunk, run, job.
"""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from celery import current_app
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from config.kernel.jobs import fail_job, hand_back_job, send_to_worker
from config.kernel.models import Job
from forecasting.models import ForecastChunk, ForecastRun

SILENT_AFTER = timedelta(seconds=45)
MOST_ATTEMPTS = 2
TASK = "forecasting.forecast_chunk"

_State = ForecastChunk.State


@dataclass(frozen=True, slots=True)
class Papers:
    """What a chunk leaves behind beside its rows: the packed demand that it read, for the next days' updates, and its
    sums, for the levels above."""

    history: bytes | None = None
    sums: bytes | None = None


def send_chunks(run_id: int, numbers: list[int]) -> None:
    """Wake workers for these chunks on commit; a broker that does not answer is no error, the sweep sends again."""

    def send() -> None:
        for number in numbers:
            current_app.send_task(TASK, [run_id, number])

    transaction.on_commit(send, robust=True)


def waiting_numbers(run: ForecastRun) -> list[int]:
    return list(run.chunks.filter(state=_State.WAITING).order_by("number").values_list("number", flat=True))


def reopen_chunks(run: ForecastRun) -> None:
    """A resumed run: what is not done waits again, with two attempts before it; the job's progress is what is done."""
    with transaction.atomic():
        run.chunks.exclude(state=_State.DONE).update(
            state=_State.WAITING, attempts=0, worker="", heartbeat_at=None, error=""
        )
        done = run.chunks.filter(state=_State.DONE).aggregate(n=Sum("series"))["n"] or 0
        Job.objects.filter(pk=run.job_id, state=Job.State.RUNNING).update(
            done=done, total=run.series_count, step=_("Forecasting")
        )


def claim_chunk(run_id: int, number: int, *, message: str, now: datetime) -> ForecastChunk | None:
    """The chunk, now this worker's; None when it is another's, done, or its job is not running.

    `message` names what called the worker. One that the broker hands out again comes under the same name, because its
    first worker is dead: the chunk is taken at once.
    """
    claim = f"{message} {socket.gethostname()[:30]}:{os.getpid()} {uuid4().hex}"
    free = Q(state=_State.WAITING) | Q(state=_State.RUNNING, worker__startswith=f"{message} ")
    # A join would put the chunk's own state into a subquery, which a second worker's update does not look at again.
    is_wanted = Exists(
        ForecastRun.objects.filter(
            pk=OuterRef("run_id"), job__state=Job.State.RUNNING, job__cancel_requested=False
        ).order_by()
    )
    taken = ForecastChunk.objects.filter(
        free, is_wanted, run_id=run_id, number=number, attempts__lt=MOST_ATTEMPTS
    ).update(state=_State.RUNNING, attempts=F("attempts") + 1, worker=claim, heartbeat_at=now)
    if not taken:
        return None
    return ForecastChunk.objects.select_related("run").defer("history", "sums").filter(worker=claim).first()


def release_chunk(chunk: ForecastChunk, *, error: str = "", is_free: bool = False) -> bool:
    """Given back by its worker; `is_free` takes back the attempt (nothing was wrong with the chunk itself)."""
    used = 1 if is_free else 0
    return bool(
        _claimed(chunk).update(state=_State.WAITING, attempts=F("attempts") - used, worker="", error=error[:2000])
    )


def fail_chunk(chunk: ForecastChunk, *, now: datetime, error: str) -> None:
    """The chunk is given up, and with it the job, which can be resumed."""
    with transaction.atomic():
        if not _claimed(chunk).update(state=_State.FAILED, finished_at=now, error=error[:2000]):
            return
        words = _("Chunk %(number)s (%(series)s series) failed %(attempts)s times: %(error)s") % {
            "number": chunk.number,
            "series": chunk.series,
            "attempts": chunk.attempts,
            "error": error[:1500],
        }
        fail_job(chunk.run.job_id, now=now, error=words)


def hold_chunk(chunk: ForecastChunk) -> bool:
    """Lock the chunk's row until the transaction ends, before its forecasts are saved; False when it is another's."""
    return _claimed(chunk).select_for_update(no_key=True).values_list("pk", flat=True).first() is not None


def commit_lazily() -> None:
    """The transaction's commit does not wait for the disk. What a power cut loses is the chunk with its being done,
    all of it, and the chunk is then done again as a silent worker's."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def end_chunk(chunk: ForecastChunk, *, now: datetime, papers: Papers, seconds: float, wakes: bool) -> None:
    """The held chunk is done, in the transaction that saved its rows.

    The last one hands the job back, to be finished by whoever takes it up; who is last is decided under the run's lock,
    so that of two that end together one sees the other. `wakes`: a worker is called for it.
    """
    _claimed(chunk).update(
        state=_State.DONE,
        finished_at=now,
        heartbeat_at=now,
        history=papers.history,
        sums=papers.sums,
        seconds=seconds,
        error="",
    )
    # Not FOR UPDATE, which the foreign keys of other chunks' rows would wait for.
    ForecastRun.objects.select_for_update(no_key=True).get(pk=chunk.run_id)
    Job.objects.filter(pk=chunk.run.job_id, state=Job.State.RUNNING).update(
        done=F("done") + chunk.series, heartbeat_at=now
    )
    is_last = not ForecastChunk.objects.filter(run_id=chunk.run_id).exclude(state=_State.DONE).exists()
    if is_last and hand_back_job(chunk.run.job_id, now=now) and wakes:
        send_to_worker(Job.objects.get(pk=chunk.run.job_id))


def sweep_chunks(*, now: datetime) -> int:
    """Chunks whose worker fell silent wait again (or are given up), and workers are called where none is at work.

    Returns how many chunks were sent. Called each minute, before jobs are looked at: a job whose chunks were sent again
    is alive.
    """
    silent = ForecastChunk.objects.filter(
        state=_State.RUNNING, heartbeat_at__lt=now - SILENT_AFTER, run__job__state=Job.State.RUNNING
    )
    for chunk in silent.select_related("run").defer("history", "sums", "pairs"):
        give_up_worker(chunk, now=now)
    quiet = ForecastRun.objects.filter(
        job__state=Job.State.RUNNING, job__heartbeat_at__lt=now - SILENT_AFTER, chunks__state=_State.WAITING
    )
    return sum(_wake(run, now=now) for run in quiet.distinct())


def give_up_worker(chunk: ForecastChunk, *, now: datetime) -> None:
    error = _("The worker stopped without a word.")
    if chunk.attempts >= MOST_ATTEMPTS:
        fail_chunk(chunk, now=now, error=error)
    elif release_chunk(chunk, error=error):
        _wake(chunk.run, now=now, only=chunk.number)


def _wake(run: ForecastRun, *, now: datetime, only: int | None = None) -> int:
    numbers = waiting_numbers(run) if only is None else [only]
    with transaction.atomic():
        if not _revive(run.job_id, now):
            return 0
        send_chunks(run.pk, numbers)
    return len(numbers)


def _revive(job_id: UUID, now: datetime) -> int:
    return Job.objects.filter(pk=job_id, state=Job.State.RUNNING).update(heartbeat_at=now)


def _claimed(chunk: ForecastChunk) -> QuerySet[ForecastChunk]:
    return ForecastChunk.objects.filter(pk=chunk.pk, worker=chunk.worker, state=_State.RUNNING)
