"""A small night: some SKUs with a history, a running job, a run cut into chunks, and an engine that answers at once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from catalog.models import Sku
from config.kernel.jobs import queue_job, start_job
from config.kernel.models import Job
from forecasting.engine import Choice, PanelForecast
from forecasting.models import DemandHistory, ForecastRun
from forecasting.services import runs, work
from tests.cast import World, make_sku

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
YESTERDAY = date(2026, 3, 1)
DAYS = 60
LEVELS = len(runs.QUANTILE_LEVELS)


def clock() -> datetime:
    return NOW


def sold(world: World, sku: Sku, quantities: dict[date, int], warehouse: Any = None) -> None:
    DemandHistory.objects.bulk_create(
        DemandHistory(
            sku=sku,
            channel=world.web,
            warehouse=warehouse or world.main,
            day=day,
            quantity=Decimal(quantity),
            ordered=Decimal(quantity),
            orders=1,
        )
        for day, quantity in quantities.items()
    )


def sold_daily(world: World, sku: Sku, quantity: int = 3, warehouse: Any = None) -> None:
    sold(world, sku, {YESTERDAY - timedelta(days=n): quantity for n in range(DAYS)}, warehouse)


def sellers(world: World, count: int) -> list[Sku]:
    """SKUs that sell their number every day from both warehouses."""
    made = []
    for number in range(1, count + 1):
        sku = make_sku(f"SKU-{number:03d}")
        for warehouse in (world.main, world.north):
            sold_daily(world, sku, number, warehouse)
        made.append(sku)
    return made


def running_job() -> Job:
    job = queue_job("plan")
    assert job is not None
    start_job(job.pk, now=NOW)
    return job


def load(as_of: date = YESTERDAY, **more: Any) -> runs.RunInput:
    return runs.load_run_input(as_of=as_of, protection_days={}, default_protection_days=21, mode="everyday", **more)


def opened_run(job: Job | None = None, **more: Any) -> ForecastRun:
    run = runs.open_run((job or running_job()).pk, load(**more))
    run.refresh_from_db()
    return run


def answer(panel: Any, *_args: Any, book: Any, **_more: Any) -> PanelForecast:
    """The mean of the last day everywhere: as the engine answers, without its work."""
    n = len(book)
    last = np.nan_to_num(panel.values[:, -1])
    return PanelForecast(
        ids=panel.ids,
        horizon=runs.HORIZON_DAYS,
        levels=runs.QUANTILE_LEVELS,
        windows=(),
        mean=np.repeat(last[:, None], runs.HORIZON_DAYS, axis=1),
        quantiles=np.broadcast_to(last[:, None, None], (n, runs.HORIZON_DAYS, LEVELS)).copy(),
        window_mean=np.zeros((n, 0)),
        window_quantiles=np.zeros((n, 0, LEVELS)),
        choices=[Choice("naive", "for the test", "smooth")] * n,
        protection_periods=book.protection_days,
        protection_mean=last * book.protection_days,
        protection_sd=np.zeros(n),
        protection_quantiles=np.repeat((last * book.protection_days)[:, None], LEVELS, axis=1),
    )


@pytest.fixture
def quick_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of about four series, forecast by `answer`; nothing is learnt."""
    monkeypatch.setattr(runs, "CHUNK_SERIES", 4)
    monkeypatch.setattr(work, "forecast", answer)
    monkeypatch.setattr(work, "advance", answer)
    monkeypatch.setattr(work, "learning_of", lambda run_id: (None, []))
