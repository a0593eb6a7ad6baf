"""A backtest decides whether shop signals help the forecasts; its verdict is kept with the run it was found in."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from forecasting.models import ForecastRun
from forecasting.selectors import demand_panel, latest_run
from forecasting.selectors.signals import signal_covariates, told_pairs

DAYS = 365
MAX_PAIRS = 5000


def weigh_signals_of_latest_run(*, now: datetime) -> dict[str, Any] | None:
    """The verdict of the run in force, found now unless it was already; None without a run. Safe to call twice."""
    run = latest_run()
    if run is None:
        return None
    return run.summary.get("signals") or weigh_signals(run, now=now)


def weigh_signals(run: ForecastRun, *, now: datetime) -> dict[str, Any]:
    """Compare held-out windows with and without signals on the demand up to the run's as_of, and keep the verdict.

    Reads up to 5,000 series of a year; one UPDATE of the run's summary, which leaves its other entries alone.
    """
    from forecasting.engine.signals import weigh_signals as compared

    pairs = told_pairs(until=run.as_of, days=DAYS, at_most=MAX_PAIRS)
    values, _starts = demand_panel(pairs, until=run.as_of, days=DAYS)
    signals = signal_covariates(pairs, first=run.as_of - timedelta(DAYS - 1), until=run.as_of)
    verdict = {**asdict(compared(values, signals)), "weighed_at": now.isoformat()}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE forecasting_forecastrun SET summary = summary || jsonb_build_object('signals', %s::jsonb) "
            "WHERE id = %s",
            [json.dumps(verdict), run.pk],
        )
    return verdict
