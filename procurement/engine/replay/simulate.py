"""Running a replay: chunks of items bound the memory, threads share them, and the answer depends on neither.

10,000 items × 730 days × 20 scenarios made on the way need the chunk (`CHUNK_BYTES` a thread) and the sums, not the
1.2 GB of demand.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.checks import Array
from procurement.engine.replay.demand import GivenDemand
from procurement.engine.replay.measures import COUNT
from procurement.engine.replay.result import ReplayResult
from procurement.engine.replay.types import ReplayInput

CHUNK_BYTES = 64_000_000


def simulate(replay: ReplayInput, *, threads: int = 1) -> ReplayResult:
    """The policy of `replay` on its demand. One item, 10 a day, L = 2, R = 7, S = 90: one order of 70 a week."""
    sums = simulate_candidates(
        replay, replay.reorder_point[None], replay.order_up_to_level[None], replay.lot[None], threads=threads
    )
    return ReplayResult(replay=replay, sums=sums[0])


def simulate_candidates(
    replay: ReplayInput, reorder_point: Array, order_up_to_level: Array, lot: Array, *, threads: int = 1
) -> Array:
    """Many policies on the same demand and lead times: levels (C, N, U) → sums (C, M, N, B, measures)."""
    from procurement.engine.replay.kernel import run_items

    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ParameterError("threads", "must be a whole number from 1")
    scenarios, items, days = replay.shape
    sums = np.zeros((len(reorder_point), scenarios, items, replay.batches, COUNT))
    levels = tuple(np.ascontiguousarray(level, dtype=np.float64) for level in (reorder_point, order_up_to_level, lot))
    terms = _terms(replay)
    ends = replay.batch_ends
    run: Any = run_items

    def work(span: tuple[int, int]) -> None:
        if isinstance(replay.source, GivenDemand):
            demand, base = replay.source.units, 0
        else:
            demand, base = np.ascontiguousarray(replay.source.block(*span), dtype=np.float64), span[0]
        run(demand, base, *span, *levels, *terms, ends, sums)

    spans = _spans(items, scenarios * days * 8, threads)
    if threads == 1:
        for span in spans:
            work(span)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, spans))
    return sums


def _terms(replay: ReplayInput) -> tuple[object, ...]:
    """The kernel's arrays of everything but demand and levels, in its order."""
    lead = np.floor(replay.lead_times.mean(axis=1) + 0.5).astype(np.int64)
    review = np.stack([replay.review_days, replay.review_offset, replay.review_offset + lead], axis=1)
    return (
        replay.level_days,
        bool(replay.order_at_reorder_point),
        review,
        np.ascontiguousarray(replay.lead_times),
        replay.orders_cross,
        replay.is_lost,
        np.stack([replay.minimum, replay.pack, replay.maximum_stock], axis=1),
        replay.shelf_life_days,
        replay.opening_stock,
        replay.opening_pipeline,
        np.array([replay.seed, 0, 0, replay.warm_up_days], dtype=np.int64),
    )


def _spans(items: int, item_bytes: int, threads: int) -> list[tuple[int, int]]:
    """Ranges of items, each at most `CHUNK_BYTES` of demand, and a few for every thread."""
    size = max(1, min(CHUNK_BYTES // item_bytes, -(-items // (4 * threads)) if threads > 1 else items))
    return [(start, min(start + size, items)) for start in range(0, items, size)]
