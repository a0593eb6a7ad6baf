"""A run in chunks: every pair in one of them, each saved once, whoever dies, is cancelled, or comes twice."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from config.kernel.errors import Conflict
from config.kernel.jobs import fail_abandoned_jobs, request_cancel, resume_job, start_job
from config.kernel.models import Job
from forecasting.models import Forecast, ForecastChunk
from forecasting.services import chunks, runs, work
from forecasting.services.chunks import claim_chunk, reopen_chunks, sweep_chunks
from forecasting.services.packing import PairBook
from forecasting.services.work import work_chunk
from tests.cast import World
from tests.forecasting.night_cast import NOW, clock, load, opened_run, quick_engine, running_job, sellers

__all__ = ["quick_engine"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_engine")]
DEAD = NOW + chunks.SILENT_AFTER + timedelta(seconds=1)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """Which chunks workers were called for."""
    calls: list[list[Any]] = []
    monkeypatch.setattr(chunks, "send_chunks", lambda run_id, numbers: calls.append(numbers))
    return calls


def numbers_of(run: Any) -> list[int]:
    return list(run.chunks.order_by("number").values_list("number", flat=True))


def work_all(run: Any) -> None:
    for number in numbers_of(run):
        work_chunk(run.pk, number, message="m", clock=clock)


def saved_pairs(run: Any) -> list[tuple[int, int]]:
    return sorted(Forecast.objects.filter(run=run).values_list("sku_id", "warehouse_id"))


def test_chunks_cover_every_pair_once_and_keep_the_warehouses_of_a_sku_together(world: World) -> None:
    sellers(world, 9)

    run = opened_run()

    books = [PairBook.unpack(bytes(chunk.pairs)) for chunk in run.chunks.all()]
    covered = [pair for book in books for pair in book.pairs()]
    assert sorted(covered) == load().book.pairs()
    assert len(covered) == len(set(covered)) == run.series_count
    places = [dict.fromkeys(book.skus.tolist(), number) for number, book in enumerate(books)]
    assert sum(len(one) for one in places) == len({sku for one in places for sku in one})


def test_the_chunk_of_a_sku_depends_on_nothing_but_its_id() -> None:
    skus = np.arange(1, 100_001)

    numbers = runs.chunk_numbers(skus, 100)

    shuffled = np.random.default_rng(0).permutation(100_000)
    assert runs.chunk_numbers(np.array([1]), 100).tolist() == [61]
    assert (runs.chunk_numbers(skus[shuffled], 100) == numbers[shuffled]).all()
    assert np.bincount(numbers).min() >= 998
    assert np.bincount(numbers).max() <= 1002


def test_value_classes_go_by_the_share_that_stands_before() -> None:
    assert runs.value_classes(np.array([10.0, 60.0, 0.0, 30.0])).tolist() == ["B", "A", "C", "A"]


def test_the_last_chunk_hands_the_job_back(world: World) -> None:
    sellers(world, 4)
    run = opened_run()

    work_all(run)

    run.job.refresh_from_db()
    assert (run.job.state, run.job.done) == (Job.State.QUEUED, run.series_count)
    assert saved_pairs(run) == load().book.pairs()


def test_a_message_that_comes_twice_changes_nothing(world: World) -> None:
    sellers(world, 4)
    run = opened_run()
    first = numbers_of(run)[0]

    done, again = (work_chunk(run.pk, first, message=name, clock=clock) for name in ("one", "two"))

    assert (done, again) == (run.chunks.get(number=first).series, None)
    assert Forecast.objects.filter(run=run).count() == done


def test_a_killed_workers_chunk_is_redone_once_and_no_row_is_saved_twice(world: World, sent: list[Any]) -> None:
    sellers(world, 4)
    run = opened_run()
    first = numbers_of(run)[0]
    lost = claim_chunk(run.pk, first, message="killed", now=NOW)
    assert lost is not None

    early, swept = sweep_chunks(now=NOW), sweep_chunks(now=DEAD)
    redone = [work_chunk(run.pk, first, message=name, clock=clock) for name in ("heir", "late")]

    assert (early, swept, sent) == (0, 0, [[first]])
    assert redone == [lost.series, None]
    assert Forecast.objects.filter(run=run).count() == lost.series
    assert run.chunks.get(number=first).attempts == 2


def test_a_worker_given_up_for_dead_saves_nothing_when_it_comes_back(
    world: World, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sellers(world, 4)
    run = opened_run()
    first = numbers_of(run)[0]
    answer = work.forecast

    def slow(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(work, "forecast", answer)
        sweep_chunks(now=DEAD)
        work_chunk(run.pk, first, message="heir", clock=clock)
        return answer(*args, **more)

    monkeypatch.setattr(work, "forecast", slow)

    late = work_chunk(run.pk, first, message="late", clock=clock)

    chunk = run.chunks.get(number=first)
    assert late is None
    assert chunk.worker.startswith("heir ")
    assert Forecast.objects.filter(run=run).count() == chunk.series


def test_a_message_handed_out_again_after_its_worker_died_takes_the_chunk_at_once(world: World) -> None:
    sellers(world, 4)
    run = opened_run()
    first = numbers_of(run)[0]
    claim_chunk(run.pk, first, message="same", now=NOW)

    other = claim_chunk(run.pk, first, message="other", now=NOW)
    same = claim_chunk(run.pk, first, message="same", now=NOW)

    assert other is None
    assert same is not None
    assert same.attempts == 2


def test_a_chunk_that_kills_its_worker_twice_fails_the_job_with_the_reason(world: World, sent: list[Any]) -> None:
    sellers(world, 4)
    run = opened_run()
    first = numbers_of(run)[0]

    for _attempt in range(2):
        claim_chunk(run.pk, first, message="killed", now=NOW)
        sweep_chunks(now=DEAD)

    run.job.refresh_from_db()
    series = run.chunks.get(number=first).series
    assert run.job.state == Job.State.FAILED
    assert run.job.error == (f"Chunk {first} ({series} series) failed 2 times: The worker stopped without a word.")
    assert sent == [[first]]


def test_an_error_is_tried_once_more_and_then_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sellers(world, 4)
    run = opened_run()
    first = numbers_of(run)[0]

    def broken(*_args: Any, **_more: Any) -> Any:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(work, "forecast", broken)

    for _attempt in range(2):
        with pytest.raises(RuntimeError):
            work_chunk(run.pk, first, message="m", clock=clock)

    chunk = run.chunks.get(number=first)
    run.job.refresh_from_db()
    assert (chunk.state, chunk.error) == (ForecastChunk.State.FAILED, "RuntimeError: the disk is full")
    assert run.job.state == Job.State.FAILED
    assert "the disk is full" in run.job.error


def test_a_resumed_run_does_only_what_is_missing(world: World, sent: list[Any]) -> None:
    sellers(world, 6)
    run = opened_run()
    first, *others = numbers_of(run)
    work_chunk(run.pk, first, message="m", clock=clock)
    kept = set(Forecast.objects.values_list("pk", flat=True))
    claim_chunk(run.pk, others[0], message="killed", now=NOW)
    fail_abandoned_jobs(now=NOW + timedelta(minutes=3))

    resume_job(run.job_id)
    start_job(run.job_id, now=NOW)
    same = runs.open_run(run.job_id, load())
    reopen_chunks(same)
    run.job.refresh_from_db()
    done_before = run.job.done
    work_all(run)

    assert same == run
    assert done_before == run.chunks.get(number=first).series
    assert kept <= set(Forecast.objects.values_list("pk", flat=True))
    assert saved_pairs(run) == load().book.pairs()
    assert sorted(run.chunks.values_list("attempts", flat=True)) == [1] * len(numbers_of(run))


def test_a_cancelled_job_stops_its_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sellers(world, 4)
    run = opened_run()
    first, *others = numbers_of(run)
    answer = work.forecast

    def cancelled_meanwhile(*args: Any, **more: Any) -> Any:
        request_cancel(run.job_id, now=NOW)
        return answer(*args, **more)

    monkeypatch.setattr(work, "forecast", cancelled_meanwhile)

    results = [work_chunk(run.pk, number, message="m", clock=clock) for number in (first, *others)]

    run.job.refresh_from_db()
    assert results == [None] * len(results)
    assert run.job.state == Job.State.CANCELLED
    assert Forecast.objects.count() == 0
    assert set(run.chunks.values_list("state", flat=True)) == {"waiting"}


def test_when_the_broker_forgot_everything_waiting_chunks_are_sent_again(world: World, sent: list[Any]) -> None:
    sellers(world, 4)
    run = opened_run()

    early, swept, at_once = sweep_chunks(now=NOW), sweep_chunks(now=DEAD), sweep_chunks(now=DEAD)

    assert (early, swept, at_once) == (0, len(numbers_of(run)), 0)
    assert sent == [numbers_of(run)]
    assert fail_abandoned_jobs(now=DEAD + timedelta(minutes=1)) == 0


def test_a_run_whose_world_changed_while_it_lay_broken_is_cut_anew(world: World) -> None:
    one, *_rest = sellers(world, 4)
    run = opened_run()
    work_chunk(run.pk, numbers_of(run)[0], message="m", clock=clock)

    one.status = one.Status.DISCONTINUED
    one.save()
    again = runs.open_run(run.job_id, load())

    assert again.pk == run.pk
    assert Forecast.objects.filter(run=run).count() == 0
    assert set(run.chunks.values_list("state", flat=True)) == {"waiting"}
    assert sum(run.chunks.values_list("series", flat=True)) == len(load().book)


def test_what_another_edition_learnt_is_refused(world: World) -> None:
    from forecasting.models import RunLearning
    from forecasting.services.learning import learning_of

    sellers(world, 1)
    run = opened_run(running_job())
    RunLearning.objects.create(run=run, edition="of old", packed=b"")
    learning_of.cache_clear()

    with pytest.raises(Conflict, match="Another edition"):
        learning_of(run.pk)
