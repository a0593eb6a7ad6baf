"""A night as workers do it, message by message, against the same night in one process; then one more day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from config.kernel import jobs
from config.kernel.models import Job
from forecasting.models import Forecast, ForecastRun
from forecasting.services import chunks, runs
from forecasting.services.work import work_chunk
from procurement.models import Proposal
from procurement.services.planning import advance_plan, queue_plan, run_plan
from tests.cast import World, make_item, make_sku
from tests.procurement.planning_world import sell_daily

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
YESTERDAY = date(2026, 3, 1)


def clock() -> datetime:
    return NOW


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Twelve SKUs with different rhythms, in chunks of about four."""
    monkeypatch.setattr(runs, "CHUNK_SERIES", 4)
    for n in range(12):
        sku = make_sku(f"SKU-{n:03d}")
        make_item(world.northwind, sku)
        sell_daily(sku, world.web, world.main, quantities=[(d * (n + 3)) % 7 for d in range(150)], until=YESTERDAY)
    return world


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What workers were woken for."""
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        "procurement.services.planning.send_chunks", lambda run, numbers: sent.extend((run, n) for n in numbers)
    )
    monkeypatch.setattr(chunks, "send_to_worker", lambda job: sent.append((job.pk,)))
    return sent


def forecasts(run_id: int | None) -> dict[Any, Any]:
    rows = Forecast.objects.filter(run_id=run_id).values_list(
        "sku_id", "warehouse_id", "method", "mean", "quantiles", "protection_quantiles", "scores"
    )
    return {row[:2]: row[2:] for row in rows}


@pytest.mark.django_db
def test_workers_that_share_a_night_find_what_one_process_finds(shop: World, messages: list[Any]) -> None:
    alone = run_plan(queue_plan().pk, clock=clock)
    proposed = set(Proposal.objects.values_list("sku__code", "quantity", "status"))

    job = queue_plan(force=True)
    prepared = advance_plan(job.pk, clock=clock)
    woken = list(messages)
    messages.clear()
    counts = [work_chunk(run, n, message=str(n), clock=clock) for run, n in [*reversed(woken), *woken]]
    outcome = advance_plan(job.pk, clock=clock)
    again = advance_plan(job.pk, clock=clock)

    assert alone is not None
    assert outcome is not None
    assert (prepared, again) == (None, None)
    assert len(woken) > 2
    assert sum(count or 0 for count in counts) == outcome.series == alone.series
    assert messages == [(job.pk,)]
    assert forecasts(outcome.run_id) == forecasts(alone.run_id)
    assert set(Proposal.objects.exclude(status="superseded").values_list("sku__code", "quantity", "status")) == proposed
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == (Job.State.DONE, alone.series, alone.series)


@pytest.mark.django_db
def test_an_update_forecasts_as_the_engine_advances(shop: World) -> None:
    from forecasting.engine.update import advance_panel
    from forecasting.services.learning import learning_of
    from forecasting.services.panels import load_history, panel_of

    learnt = run_plan(queue_plan().pk, clock=clock)
    today = YESTERDAY + timedelta(days=1)
    sell_daily(shop.mug, shop.web, shop.main, quantities=[5], until=today)

    updated = run_plan(queue_plan(is_update=True).pk, clock=lambda: NOW + timedelta(days=1))

    assert learnt is not None
    assert updated is not None
    run = ForecastRun.objects.get(pk=updated.run_id)
    assert (run.as_of, run.learnt_in_id) == (today, learnt.run_id)
    book = runs.book_of(runs.valued_pairs(today), {}, 21)
    days = run.backtest["history_days"]
    methods = {pair: found[0] for pair, found in forecasts(learnt.run_id).items()}
    pooled, past = learning_of(run.learnt_in_id or 0)
    panel = panel_of(book, load_history(book, until=today, days=days), until=today, ahead=runs.HORIZON_DAYS, past=past)
    asked = dict.fromkeys(book.pairs(), 0) | {
        (one.sku_id, one.warehouse_id): one.protection_days for one in Forecast.objects.filter(run=run)
    }
    chosen = [methods[pair] for pair in book.pairs()]
    wanted = advance_panel(
        panel,
        pooled,
        chosen,
        horizon=runs.HORIZON_DAYS,
        per_series_windows=np.array([asked[pair] for pair in book.pairs()]),
    )
    saved = forecasts(run.pk)
    for row, pair in enumerate(book.pairs()):
        np.testing.assert_allclose(saved[pair][1], wanted.mean[row], rtol=1e-6, atol=1e-4)
        np.testing.assert_allclose(saved[pair][2], wanted.quantiles[row].T, rtol=1e-6, atol=1e-4)


@pytest.mark.django_db
def test_a_job_that_lost_its_last_message_is_woken_and_finished(
    shop: World, messages: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = queue_plan()
    advance_plan(job.pk, clock=clock)
    for run, n in list(messages):
        work_chunk(run, n, message="m", clock=clock)
    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send_to_worker", lambda waiting: sent.append(waiting.pk))
    Job.objects.filter(pk=job.pk).update(created_at=NOW - timedelta(minutes=5))

    jobs.wake_waiting_jobs(now=NOW)
    outcome = advance_plan(job.pk, clock=clock)

    assert sent == [job.pk]
    assert outcome is not None
    assert ForecastRun.objects.get().is_complete
