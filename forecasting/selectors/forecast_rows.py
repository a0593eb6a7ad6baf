"""What a run says of some SKUs, as little of it as the live view needs; read without an object for every number."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from forecasting.models import ForecastRun
from forecasting.selectors.adjusted import adjusted_days, with_protection
from forecasting.selectors.overrides import Effect, override_effects

_WEEK = 7


@dataclass(slots=True)
class ForecastRow:
    """mean (H,): units of the day as_of + 1 + t; quantiles (L, 7): of the first week's days."""

    pair: tuple[int, int]
    mean: Sequence[float]
    quantiles: Sequence[Sequence[float]]
    protection_days: int
    protection_mean: float
    protection_sd: float
    protection_quantiles: Sequence[float]

    def on(self, day: int) -> float:
        """Units on day t; outside the horizon the nearest week's same week day."""
        horizon = len(self.mean)
        if day < 0:
            return self.mean[day % min(_WEEK, horizon)]
        if day < horizon:
            return self.mean[day]
        week = min(_WEEK, horizon)
        return self.mean[horizon - week + (day - horizon) % week]


def forecast_rows(run: ForecastRun, sku_ids: Collection[int], *, on: date) -> list[ForecastRow]:
    """The run's forecasts of these SKUs by SKU and warehouse, with the overrides in force on the day: one query, one
    more where there is no override, at most five where there are some."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [run.pk, list(sku_ids)])
        rows = [ForecastRow((sku_id, warehouse_id), *rest) for sku_id, warehouse_id, *rest in cursor.fetchall()]
    effects = override_effects(run, on=on, sku_ids=sku_ids)
    return [_adjusted(row, effects[row.pair]) if row.pair in effects else row for row in rows]


def _adjusted(row: ForecastRow, effect: Effect) -> ForecastRow:
    changed: Any = with_protection(row, row.mean, effect)  # type: ignore[arg-type]  # it reads the interval's numbers
    changed.mean = adjusted_days(row.mean, effect)
    changed.quantiles = [adjusted_days(level, effect) for level in row.quantiles]
    return changed  # type: ignore[no-any-return]


_ROWS = """
SELECT sku_id, warehouse_id, mean, quantiles[:][1:7], protection_days, protection_mean, protection_sd,
       protection_quantiles
FROM forecasting_forecast WHERE run_id = %s AND sku_id = ANY(%s) ORDER BY sku_id, warehouse_id
"""
