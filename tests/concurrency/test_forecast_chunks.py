"""Chunks under real contention: never two workers at one, and one end however many chunks end together."""

from typing import Any

import pytest

from config.kernel.models import Job
from forecasting.models import Forecast, ForecastChunk
from forecasting.services import chunks
from forecasting.services.chunks import claim_chunk
from forecasting.services.work import work_chunk
from tests.cast import World
from tests.concurrency.meet import failures, run_concurrently
from tests.forecasting.night_cast import NOW, clock, opened_run, quick_engine, sellers

__all__ = ["quick_engine"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_engine")]


@pytest.fixture
def handed_back(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Jobs for whose end a worker was called."""
    calls: list[Any] = []
    monkeypatch.setattr(chunks, "send_to_worker", lambda job: calls.append(job.pk))
    return calls


def test_of_workers_that_ask_at_once_one_gets_the_chunk(world: World) -> None:
    sellers(world, 4)
    run = opened_run()
    number = run.chunks.values_list("number", flat=True)[0]

    claims = run_concurrently(
        [lambda name=str(n): claim_chunk(run.pk, number, message=name, now=NOW) for n in range(8)]
    )

    assert failures(claims) == []
    assert sum(claim is not None for claim in claims) == 1
    assert run.chunks.get(number=number).attempts == 1


def test_without_the_compare_and_set_all_of_them_would_get_it(world: World) -> None:
    """The control: read first, write after, as a claim must not be made."""
    sellers(world, 4)
    run = opened_run()
    number = run.chunks.values_list("number", flat=True)[0]
    from threading import Barrier

    read = Barrier(4)

    def careless() -> bool:
        chunk = ForecastChunk.objects.get(run=run, number=number)
        read.wait(20)
        if chunk.state != ForecastChunk.State.WAITING:
            return False
        ForecastChunk.objects.filter(pk=chunk.pk).update(state=ForecastChunk.State.RUNNING)
        return True

    assert run_concurrently([careless] * 4) == [True] * 4


def test_chunks_that_end_together_hand_the_job_back_once(world: World, handed_back: list[Any]) -> None:
    sellers(world, 8)
    run = opened_run()
    numbers = list(run.chunks.values_list("number", flat=True))

    done = run_concurrently(
        [lambda n=n: work_chunk(run.pk, n, message=f"m{n}", clock=clock) for n in [*numbers, *numbers]]
    )

    run.job.refresh_from_db()
    assert failures(done) == []
    assert sum(count or 0 for count in done) == run.series_count
    assert Forecast.objects.filter(run=run).count() == run.series_count
    assert (run.job.state, run.job.done) == (Job.State.QUEUED, run.series_count)
    assert handed_back == [run.job_id]
