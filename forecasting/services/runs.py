"""Step 6 of the story: load the demand, forecast every active SKU × warehouse, save with method, reason and error.

A run is cut into chunks; each chunk is one transaction, so that a killed worker loses at most one chunk and a resumed
run does only what is missing.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from config.kernel.jobs import report_progress
from forecasting import selectors
from forecasting.models import Forecast, ForecastRun
from forecasting.services.saving import save_forecasts

if TYPE_CHECKING:
    from forecasting.engine import Panel

Pair = tuple[int, int]
"""(sku id, warehouse id)"""

QUANTILE_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
HORIZON_DAYS = 56
HISTORY_DAYS = 1100
CHUNK_SERIES = 400
# Part of the fingerprint: a run is repeated when the engine has learned something, though the demand is the same.
ENGINE_EDITION = "1"


@dataclass(frozen=True, slots=True)
class RunInput:
    """Everything a run reads, in memory once (8 bytes a series and day), and the fingerprint of it."""

    pairs: list[Pair]
    panel: "Panel"
    protection_days: list[int]
    as_of: date
    fingerprint: str


def load_run_input(*, as_of: date, protection_days: Mapping[Pair, int], default_protection_days: int) -> RunInput:
    """The demand of all active pairs up to `as_of`, with the days each must be protected for."""
    import numpy as np

    from forecasting.engine import Panel

    pairs = sorted(selectors.active_pairs(as_of))
    first_day = max(
        selectors.first_demand_day() or as_of,
        as_of - timedelta(days=HISTORY_DAYS - 1),
    )
    days = (as_of - first_day).days + 1
    values, starts = selectors.demand_panel(pairs, until=as_of, days=days)
    panel = Panel(
        ids=tuple(f"{sku}@{warehouse}" for sku, warehouse in pairs),
        values=values,
        starts=starts,
        in_stock=selectors.in_stock_panel(pairs, until=as_of, days=days),
        freq="D",
        origin_ds=first_day,
    )
    protection = [protection_days.get(pair, default_protection_days) for pair in pairs]
    digest = hashlib.sha256(repr((ENGINE_EDITION, as_of, HORIZON_DAYS, QUANTILE_LEVELS, pairs, protection)).encode())
    for array in (panel.values, panel.starts, panel.in_stock):
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    return RunInput(pairs, panel, protection, as_of, digest.hexdigest())


def completed_run(fingerprint: str) -> ForecastRun | None:
    """The run that has answered exactly this input already, if no other was made of the same day since."""
    answered = selectors.complete_runs().filter(input_fingerprint=fingerprint).first()
    if answered is None:
        return None
    newest = selectors.complete_runs().filter(as_of=answered.as_of).first()
    return answered if newest == answered else None


def run_forecasts(job_id: UUID, run_input: RunInput, *, clock: Callable[[], datetime]) -> ForecastRun:
    """Forecast all pairs of the input and save them under the job's run; goes on where an earlier try stopped.

    Locks nothing; each chunk commits on its own. Raises JobCancelled at the next chunk after a cancel was asked for.
    """
    from forecasting.engine import fit_pooled

    run = _open_run(job_id, run_input)
    todo = _missing_rows(run, run_input)
    total = len(run_input.pairs)
    report_progress(job_id, now=clock(), done=total - len(todo), total=total, step=_("Learning from all series"))
    pooled = fit_pooled(
        run_input.panel,
        quantiles=QUANTILE_LEVELS,
        horizon=HORIZON_DAYS,
        max_window=max([HORIZON_DAYS, *run_input.protection_days]),
    )
    done = total - len(todo)
    for rows in _chunks(todo):
        report_progress(job_id, now=clock(), done=done, total=total, step=_("Forecasting"))
        result = _forecast_rows(run_input, rows, pooled)
        save_forecasts(run, [run_input.pairs[row] for row in rows], result)
        done += len(rows)
    with transaction.atomic():
        run.is_complete, run.series_count, run.summary = True, total, _summary(run)
        run.save(update_fields=["is_complete", "series_count", "summary"])
    report_progress(job_id, now=clock(), done=done, total=total, step=_("Forecasts saved"))
    return run


def _open_run(job_id: UUID, run_input: RunInput) -> ForecastRun:
    run, is_new = ForecastRun.objects.get_or_create(
        job_id=job_id,
        defaults={
            "as_of": run_input.as_of,
            "horizon_days": HORIZON_DAYS,
            "quantile_levels": list(QUANTILE_LEVELS),
            "input_fingerprint": run_input.fingerprint,
        },
    )
    if not is_new and run.input_fingerprint != run_input.fingerprint:
        # The world changed while the run lay broken: what it saved answers another question.
        with transaction.atomic():
            run.forecasts.all().delete()
            run.as_of, run.input_fingerprint = run_input.as_of, run_input.fingerprint
            run.save(update_fields=["as_of", "input_fingerprint"])
    return run


def _missing_rows(run: ForecastRun, run_input: RunInput) -> list[int]:
    saved = set(Forecast.objects.filter(run=run).values_list("sku_id", "warehouse_id"))
    return [row for row, pair in enumerate(run_input.pairs) if pair not in saved]


def _chunks(rows: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(rows), CHUNK_SERIES):
        yield rows[start : start + CHUNK_SERIES]


def _forecast_rows(run_input: RunInput, rows: list[int], pooled: Any) -> Any:
    import numpy as np

    from forecasting.engine import forecast_panel

    return forecast_panel(
        run_input.panel.take(np.array(rows)),
        horizon=HORIZON_DAYS,
        quantiles=QUANTILE_LEVELS,
        per_series_windows=np.array([run_input.protection_days[row] for row in rows]),
        pooled=pooled,
    )


def _summary(run: ForecastRun) -> dict[str, Any]:
    """How many series each method won, and the pooled error of the backtests."""
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
