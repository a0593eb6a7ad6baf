"""A complete run with flat forecasts, so that the tests can say how long stock lasts."""

from datetime import date, timedelta
from typing import Any

from config.kernel.models import Job
from forecasting.models import Forecast, ForecastRun
from tests.cast import NOW

TODAY = NOW.date()


def make_run(*, as_of: date | None = None, series: int = 0) -> ForecastRun:
    job = Job.objects.create(kind="plan", state=Job.State.DONE, finished_at=NOW)
    return ForecastRun.objects.create(
        job=job,
        as_of=as_of or TODAY - timedelta(days=1),
        horizon_days=60,
        quantile_levels=[0.1, 0.5, 0.9],
        input_fingerprint="f",
        is_complete=True,
        series_count=series,
    )


def expect(run: ForecastRun, sku: Any, warehouse: Any, *, per_day: float, **more: Any) -> Forecast:
    """`per_day` units every day for 60 days; the protection interval is 20 days."""
    fields = {
        "method": "naive",
        "reason": "A forecast of the tests.",
        "mean": [per_day] * 60,
        "quantiles": [[per_day / 2] * 60, [per_day] * 60, [per_day * 2] * 60],
        "protection_days": 20,
        "protection_mean": per_day * 20,
        "protection_sd": 1.0,
        "protection_quantiles": [per_day * 15, per_day * 20, per_day * 30],
        **more,
    }
    return Forecast.objects.create(run=run, sku=sku, warehouse=warehouse, **fields)
