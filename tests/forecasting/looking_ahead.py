"""Runs, forecasts and overrides of the tests, with flat numbers that can be reckoned in the head."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from config.kernel.models import Job
from forecasting.models import DemandHistory, Forecast, ForecastOverride, ForecastRun
from forecasting.services.overrides import OverrideEntry

AS_OF = date(2026, 3, 1)
"""A Sunday; the cast's clock stands at nine on the Monday after it."""
LEVELS = [0.5, 0.95]


def make_run(as_of: date = AS_OF, *, horizon: int = 56, made_at: datetime | None = None) -> ForecastRun:
    run = ForecastRun.objects.create(
        job=Job.objects.create(kind="plan", state=Job.State.DONE),
        as_of=as_of,
        horizon_days=horizon,
        quantile_levels=LEVELS,
        input_fingerprint="f",
        is_complete=True,
    )
    run.created_at = made_at or datetime.combine(as_of + timedelta(days=1), time(2, 40), UTC)
    run.save(update_fields=["created_at"])
    return run


def expect(run: ForecastRun, sku: Any, warehouse: Any, per_day: float, **more: Any) -> Forecast:
    """`per_day` units every day of the horizon, quantiles 1 and 2 times that; the interval is 20 days, 1 and 1.5."""
    days = run.horizon_days
    fields = {
        "method": "naive",
        "reason": "A forecast of the tests.",
        "mean": [per_day] * days,
        "quantiles": [[per_day] * days, [per_day * 2] * days],
        "protection_days": 20,
        "protection_mean": per_day * 20,
        "protection_sd": per_day * 4,
        "protection_quantiles": [per_day * 20, per_day * 30],
        "demand_class": "smooth",
        "value_class": "A",
        **more,
    }
    return Forecast.objects.create(run=run, sku=sku, warehouse=warehouse, **fields)


def entry(sku: str = "MUG", value: str = "2", kind: str = "factor", first: int = 2, last: int = 8, **more: Any) -> Any:
    """Of days of March 2026."""
    span = {"starts_on": date(2026, 3, first), "ends_on": date(2026, 3, last)}
    fields = {"reason": "A promotion", **span, **more}
    return OverrideEntry(sku_code=sku, kind=kind, value=Decimal(value), **fields)


def sold(sku: Any, warehouse: Any, channel: Any, day: date, units: float) -> None:
    DemandHistory.objects.create(
        sku=sku,
        warehouse=warehouse,
        channel=channel,
        day=day,
        quantity=Decimal(units),
        ordered=Decimal(units),
        orders=1,
    )


def backdate(override: ForecastOverride, made_at: datetime) -> None:
    ForecastOverride.objects.filter(pk=override.pk).update(created_at=made_at)
