"""Signs of life while a worker is at something that takes longer than anybody waits for one."""

from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from config.kernel.models import Job
from forecasting.models import ForecastChunk

BEAT_SECONDS = 10.0


class Pulse:
    """Every ten seconds, from a thread with a connection of its own: the job is alive, and the chunk of this claim."""

    def __init__(self, job_id: UUID, clock: Callable[[], datetime], *, chunk_id: int = 0, claim: str = "") -> None:
        self._job_id, self._clock, self._chunk_id, self._claim = job_id, clock, chunk_id, claim
        self._stop = Event()
        self._thread = Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._stop.wait(BEAT_SECONDS):
                show_life(self._job_id, now=self._clock(), chunk_id=self._chunk_id, claim=self._claim)
        finally:
            connection.close()


def show_life(job_id: UUID, *, now: datetime, chunk_id: int = 0, claim: str = "") -> None:
    with transaction.atomic():
        if chunk_id:
            ForecastChunk.objects.filter(pk=chunk_id, worker=claim, state=ForecastChunk.State.RUNNING).update(
                heartbeat_at=now
            )
        Job.objects.filter(pk=job_id, state=Job.State.RUNNING).update(heartbeat_at=now)
