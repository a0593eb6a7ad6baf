"""Step 6 of the story: what a run covers, its cut into chunks that workers share, and its end.

A run is opened once: its pairs are fixed, what the panel teaches is learnt from a sample, and every chunk is a row that
waits for a worker (see `chunks`). Whoever finishes the last one completes the run.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction

from forecasting import selectors
from forecasting.models import (
    AggregateForecast,
    ChannelForecast,
    ForecastChunk,
    ForecastRules,
    ForecastRun,
    RunLearning,
)
from forecasting.selectors.inputs import ActivePair, data_fingerprint, pairs_since, valued_pairs
from forecasting.services import hierarchy
from forecasting.services.learning import ENGINE_EDITION, learn, sample_rows, save_learning
from forecasting.services.packing import PairBook
from forecasting.services.panels import load_history, panel_of
from forecasting.services.updates import REREAD_DAYS, lay_out_recent, run_to_update

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pair = tuple[int, int]
"""(sku id, warehouse id)"""

QUANTILE_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
HORIZON_DAYS = 63  # nine weeks: the lag of eight fits whatever weekday a run has read to
HISTORY_DAYS = 1100
CHUNK_SERIES = 1000
VALUE_SHARES = (0.80, 0.95)


@dataclass(frozen=True, slots=True)
class RunInput:
    """What a run will read, not yet read: its pairs, the days, the mode, and the fingerprint of all of it."""

    book: PairBook
    as_of: date
    days: int
    mode: str
    fingerprint: str
    recent_fingerprint: str
    learnt_in: ForecastRun | None = None


def load_run_input(
    *,
    as_of: date,
    protection_days: Mapping[Pair, int],
    default_protection_days: int,
    mode: str,
    is_update: bool = False,
) -> RunInput:
    """The active pairs of the day, with the days each must be protected for. Reads no series.

    An update that has a run to go on from looks only at the days that it will read again.
    """
    first = max(selectors.first_demand_day() or as_of, as_of - timedelta(days=HISTORY_DAYS - 1))
    base = run_to_update(mode=mode, edition=ENGINE_EDITION, as_of=as_of) if is_update else None
    book = _book_since(base, as_of, protection_days, default_protection_days) if base else None
    if base is None or book is None:
        base, book = None, book_of(valued_pairs(as_of), protection_days, default_protection_days)
    else:  # what was learnt counts its days from the same first one
        first = base.as_of - timedelta(days=base.backtest["history_days"] - 1)
    about = (ENGINE_EDITION, mode, as_of, HORIZON_DAYS, QUANTILE_LEVELS)
    recent = fingerprint_of(
        book, (*about, data_fingerprint(first=max(first, as_of - timedelta(REREAD_DAYS)), until=as_of))
    )
    standing = selectors.complete_runs().filter(as_of=as_of).first() if base else None
    if base is None:
        fingerprint = fingerprint_of(book, (*about, data_fingerprint(first=first, until=as_of)))
    elif standing and standing.backtest.get("recent_fingerprint") == recent:
        fingerprint = standing.input_fingerprint
    else:
        fingerprint = fingerprint_of(book, (*about, base.pk, recent))
    return RunInput(book, as_of, (as_of - first).days + 1, mode, fingerprint, recent, base)


def _book_since(base: ForecastRun, as_of: date, protection_days: Mapping[Pair, int], default: int) -> PairBook | None:
    """What an update covers: the pairs of the run that it goes on from, with the classes they have there, and those
    that came up since (C). None when that run learnt for shorter protection intervals than the longest now."""
    import numpy as np

    known: dict[Pair, str] = {}
    for packed in base.chunks.values_list("pairs", flat=True):
        part = PairBook.unpack(bytes(packed or b""))
        known |= dict(zip(part.pairs(), part.value_classes.tolist(), strict=True))
    active = pairs_since(list(known), first=as_of - timedelta(REREAD_DAYS), until=as_of)
    book = book_of(active, protection_days, default)
    if max(HORIZON_DAYS, int(book.protection_days.max(initial=0))) > base.backtest.get("longest_days", 0):
        return None
    classes = np.array([known.get(pair, "C") for pair in book.pairs()], dtype="<U1")
    return replace(book, value_classes=classes)


def book_of(active: list[ActivePair], protection_days: Mapping[Pair, int], default: int) -> PairBook:
    import numpy as np

    return PairBook(
        skus=np.array([one.sku_id for one in active], dtype=np.int64),
        warehouses=np.array([one.warehouse_id for one in active], dtype=np.int64),
        protection_days=np.array(
            [protection_days.get((one.sku_id, one.warehouse_id), default) for one in active], dtype=np.int64
        ),
        unit_costs=np.array([one.unit_cost for one in active], dtype=float),
        value_classes=value_classes(np.array([one.value for one in active], dtype=float)),
    )


def fingerprint_of(book: PairBook, said: tuple[Any, ...]) -> str:
    digest = hashlib.sha256(repr(said).encode())
    for array in (book.skus, book.warehouses, book.protection_days):
        digest.update(array.tobytes())
    return digest.hexdigest()


def value_classes(value: "NDArray[np.float64]") -> "NDArray[np.str_]":
    """(n,) A, B or C by the share of all value that stands before an item, largest first: A up to 80 %, B up to 95 %.

    Pareto's classes over the past year's demand at cost: 60, 30, 10 → A, A, B (0 and .6 stand before the first two, .9
    before the third). What sold nothing is C; ties go by place.
    """
    import numpy as np

    order = np.argsort(-value, kind="stable")
    before = np.concatenate([[0.0], value[order].cumsum()])[:-1] / max(float(value.sum()), 1e-12)
    classes = np.empty(len(value), dtype="<U1")
    classes[order] = np.where(before < VALUE_SHARES[0], "A", np.where(before < VALUE_SHARES[1], "B", "C"))
    classes[value <= 0] = "C"
    return classes


def chunk_numbers(skus: "NDArray[np.int64]", chunks: int) -> "NDArray[np.int64]":
    """(n,) the chunk of each SKU: Fibonacci hashing, which spreads ids that follow one another evenly.

    ⌊chunks · (id · 2654435761 mod 2³²) / 2³²⌋; SKU 1 of 100 chunks → 61. In SQL the same with bigint.
    """
    spread = (skus % 2_147_483_648) * 2_654_435_761 % 4_294_967_296
    return spread * chunks >> 32


def completed_run(fingerprint: str) -> ForecastRun | None:
    """The run that has answered exactly this input already, if no other was made of the same day since."""
    answered = selectors.complete_runs().filter(input_fingerprint=fingerprint).first()
    if answered is None:
        return None
    newest = selectors.complete_runs().filter(as_of=answered.as_of).first()
    return answered if newest == answered else None


def open_run(job_id: UUID, run_input: RunInput) -> ForecastRun:
    """The job's run with its chunks; one that was open with the same input stays as it is.

    When the world changed while it lay broken, what it saved answers another question, and goes.
    """
    with transaction.atomic():
        run = ForecastRun.objects.select_for_update(no_key=True).filter(job_id=job_id).first()
        if run is not None and run.input_fingerprint == run_input.fingerprint:
            return run
        run = run or ForecastRun(job_id=job_id)
        _describe(run, run_input)
        run.save()
        for model in (ChannelForecast, AggregateForecast, RunLearning, ForecastChunk):
            model.objects.filter(run=run).delete()
        run.forecasts.all().delete()
        ForecastChunk.objects.bulk_create(_chunks(run, run_input.book))
    return run


def _describe(run: ForecastRun, run_input: RunInput) -> None:
    run.as_of, run.mode, run.input_fingerprint = run_input.as_of, run_input.mode, run_input.fingerprint
    run.horizon_days, run.quantile_levels = HORIZON_DAYS, list(QUANTILE_LEVELS)
    run.learnt_in, run.series_count = run_input.learnt_in, len(run_input.book)
    run.backtest = {
        "history_days": run_input.days,
        "longest_days": max(HORIZON_DAYS, int(run_input.book.protection_days.max(initial=0))),
        "recent_fingerprint": run_input.recent_fingerprint,
    }


def _chunks(run: ForecastRun, book: PairBook) -> list[ForecastChunk]:
    import numpy as np

    count = run.learnt_in.chunks.count() if run.learnt_in else -(-len(book) // CHUNK_SERIES)
    numbers = chunk_numbers(book.skus, max(count, 1))
    parts = ((int(number), book.take(np.flatnonzero(numbers == number))) for number in np.unique(numbers))
    return [ForecastChunk(run=run, number=number, series=len(part), pairs=part.pack()) for number, part in parts]


def learn_for_run(run: ForecastRun, book: PairBook) -> None:
    """Once a run: what the panel teaches, of which only a sample is read; for an update, what is new of all series."""
    if run.learnt_in is not None:
        lay_out_recent(run)
        return
    if RunLearning.objects.filter(run=run, edition=ENGINE_EDITION).exists() or not len(book):
        return
    part = book.take(sample_rows(len(book)))
    history = load_history(part, until=run.as_of, days=run.backtest["history_days"])
    is_full = run.mode == ForecastRules.Mode.FULL  # only boosted trees read prices
    panel = panel_of(part, history, until=run.as_of, ahead=run.backtest["longest_days"], with_prices=is_full)
    save_learning(run, learn(panel, run=run))


def is_forecast(run: ForecastRun) -> bool:
    """Whether every chunk is saved."""
    return not run.chunks.exclude(state=ForecastChunk.State.DONE).exists()


def complete_run(run: ForecastRun) -> None:
    """All chunks are saved: what stands above the series, the summary, and the run is in force. Safe to call twice."""
    if run.is_complete:
        return
    with transaction.atomic():
        moved = hierarchy.reconcile_run(run, ForecastRules.current().hierarchy)
        if moved:  # what the chunks gathered holds no longer
            hierarchy.save_levels(run)
        else:
            hierarchy.add_up_levels(run)
        hierarchy.forget_sums(run)
        run.is_complete, run.summary = True, _summary(run)
        run.save(update_fields=["is_complete", "summary"])


def _summary(run: ForecastRun) -> dict[str, Any]:
    """How many series each method won, and how many nothing could be tested for."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT method, count(*), count(*) FILTER (WHERE fallback <> '') FROM forecasting_forecast "
            "WHERE run_id = %s GROUP BY method ORDER BY count(*) DESC, method",
            [run.pk],
        )
        rows = cursor.fetchall()
    return {
        "methods": {method: count for method, count, _fallbacks in rows},
        "fallbacks": sum(fallbacks for _method, _count, fallbacks in rows),
    }
