"""One chunk, from its claim to its rows: read the series, forecast them, save them once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import transaction

from config.kernel.jobs import JobCancelled, end_cancelled_job, report_progress
from forecasting.models import ForecastChunk, ForecastRun
from forecasting.services import hierarchy
from forecasting.services.chunks import (
    MOST_ATTEMPTS,
    Papers,
    claim_chunk,
    commit_lazily,
    end_chunk,
    fail_chunk,
    hold_chunk,
    release_chunk,
    sweep_chunks,
    waiting_numbers,
)
from forecasting.services.corrections import record_outliers
from forecasting.services.kinship import asked_only, family_of, with_extra
from forecasting.services.learning import advance, forecast, learning_of
from forecasting.services.packing import History, PairBook
from forecasting.services.panels import load_history, panel_of
from forecasting.services.pulse import Pulse
from forecasting.services.saving import Words, note_backtest, save_forecasts, words_of
from forecasting.services.updates import brought_forward
from forecasting.services.variability import variability_classes

if TYPE_CHECKING:
    from forecasting.engine import Panel, PanelForecast
    from forecasting.engine.newcomers.kinship import Kinship

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Made:
    """A chunk's forecasts with the history that they rest on, the words that stand already, and X, Y or Z of each."""

    result: "PanelForecast"
    history: History
    words: Mapping[tuple[int, int], Words]
    variability: Sequence[str]


class ChunkLost(Exception):
    """Another worker has the chunk: this one was given up for dead."""


def work_chunk(run_id: int, number: int, *, message: str, clock: Clock, wakes: bool = True) -> int | None:
    """Forecast a chunk that waits, and save it; how many series, None when there was nothing to do (any more).

    An error puts it back for another try, here or elsewhere; the second one fails chunk and job, and goes on. A cancel
    of the job is seen before and after the forecast. `wakes`: the last chunk calls a worker to finish the job.
    """
    chunk = claim_chunk(run_id, number, message=message, now=clock())
    if chunk is None:
        return None
    try:
        with Pulse(chunk.run.job_id, clock, chunk_id=chunk.pk, claim=chunk.worker):
            return _do(chunk, clock, wakes)
    except JobCancelled:
        release_chunk(chunk, is_free=True)
        end_cancelled_job(chunk.run.job_id, now=clock())
        return None
    except ChunkLost:
        return None
    except Exception as exc:
        words = f"{type(exc).__name__}: {exc}"
        if chunk.attempts < MOST_ATTEMPTS:
            release_chunk(chunk, error=words)
        else:
            fail_chunk(chunk, now=clock(), error=words)
        raise
    except BaseException:  # told to go: nothing is wrong with the chunk
        release_chunk(chunk, is_free=True)
        raise


def work_waiting(run: ForecastRun, *, clock: Clock) -> bool:
    """Work through the chunks that wait, one after the other; whether there was any. Raises what fails one twice."""
    numbers = waiting_numbers(run)
    for number in numbers:
        try:
            work_chunk(run.pk, number, message=str(uuid4()), clock=clock, wakes=False)
        except Exception:
            if not run.chunks.filter(number=number, state=ForecastChunk.State.WAITING).exists():
                raise
    sweep_chunks(now=clock())
    return bool(numbers)


def _do(chunk: ForecastChunk, clock: Clock, wakes: bool) -> int:
    run, began = chunk.run, monotonic()
    report_progress(run.job_id, now=clock())
    book = PairBook.unpack(bytes(chunk.pairs or b""))
    made = _updated(chunk, book) if run.learnt_in_id else _learnt(chunk, book)
    kept = None if run.learnt_in_id else made.history.pack()  # updates read that of the run that learnt
    report_progress(run.job_id, now=clock())
    with transaction.atomic():  # rows and their chunk's being done are one: a try that broke off left nothing
        commit_lazily()
        if not hold_chunk(chunk):
            raise ChunkLost
        save_forecasts(run, book, made.result, made.words, made.variability)
        note_backtest(run, made.result)
        parted = hierarchy.save_channels(run, book.pairs(), made.result)
        sums = hierarchy.gathered(run, book.pairs(), made.result, parted, sold=made.history.values)
        papers = Papers(kept, sums)
        end_chunk(chunk, now=clock(), papers=papers, seconds=monotonic() - began, wakes=wakes)
    return len(book)


def _learnt(chunk: ForecastChunk, book: PairBook) -> Made:
    """The chunk of a run that learnt; its history stays, for the updates to come."""
    run = chunk.run
    history = load_history(book, until=run.as_of, days=run.backtest["history_days"])
    rows = _rows_of(run, book, history)
    _note_outliers(rows, asked=len(book))
    result = forecast(rows.panel, run=run, book=rows.book, kinship=rows.kinship)
    variability = variability_classes(rows.panel.take(slice(0, len(book))), learning_of(run.pk)[0])
    return Made(asked_only(result, len(book)), history, {}, variability)


def _updated(chunk: ForecastChunk, book: PairBook) -> Made:
    """The chunk of an update, by the methods that the run which learnt had chosen, for its reasons."""
    run = chunk.run
    words = words_of(run.learnt_in_id or 0, book)
    history = brought_forward(run, chunk, book)
    rows = _rows_of(run, book, history)
    methods = [words[pair].method if pair in words else "" for pair in rows.book.pairs()]
    result = advance(rows.panel, methods, run=run, book=rows.book, kinship=rows.kinship)
    return Made(asked_only(result, len(book)), history, words, [""] * len(book))


@dataclass(frozen=True)
class _Rows:
    """What the engine is given: the chunk's pairs first, then those of their kin."""

    book: PairBook
    panel: "Panel"
    kinship: "Kinship | None"


def _rows_of(run: ForecastRun, book: PairBook, history: History) -> _Rows:
    days = history.values.shape[1]
    family = family_of(book.pairs(), first=run.as_of - timedelta(days=days - 1), days=days)
    kinship = None
    if family is not None:
        asked, book = len(book), with_extra(book, family)
        extra = book.take(slice(asked, None))
        history = family.joined(history, load_history(extra, until=run.as_of, days=days))
        kinship = family.kinship(history.starts)
    _learnt, past = learning_of(run.learnt_in_id or run.pk)
    panel = panel_of(book, history, until=run.as_of, ahead=run.backtest["longest_days"], past=past)
    return _Rows(book, panel, kinship)


def _note_outliers(rows: _Rows, *, asked: int) -> None:
    """What the engine will cap, for planners to look at."""
    from forecasting.engine.cleaning import outliers_in

    first = rows.panel.origin_ds
    if first is not None:
        changes = outliers_in(rows.panel.take(slice(0, asked)))
        record_outliers(rows.book.pairs()[:asked], first=first, changes=changes)
