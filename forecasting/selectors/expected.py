"""What is expected of many SKUs over the days from now on, in some warehouses: the forecast in force with overrides."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from operator import add
from typing import Any

from django.db import connection
from django.utils import timezone

from forecasting.models import ForecastRun
from forecasting.selectors.adjusted import adjusted_days
from forecasting.selectors.overrides import override_effects

_WEEK = 7


@dataclass(frozen=True, slots=True)
class Expected:
    """Running sums: `so_far[d]` units are expected over the first d days from today; the interval is the longest one of
    the warehouses."""

    protection_days: int
    so_far: Sequence[float]

    def over(self, days: int) -> float:
        """Beyond what is known the last known day repeats."""
        last = len(self.so_far) - 1
        if days <= last:
            return self.so_far[max(days, 0)]
        return self.so_far[last] + (days - last) * (self.so_far[last] - self.so_far[max(last - _WEEK, 0)]) / min(
            _WEEK, max(last, 1)
        )


def expected_of(
    run: ForecastRun | None, sku_ids: Collection[int], *, places: Collection[int], now: datetime
) -> dict[int, Expected]:
    """sku id → what is expected of it in these warehouses together; SKUs without a forecast are left out. One query and
    those of the overrides."""
    if run is None:
        return {}
    today = timezone.localdate(now)
    effects = override_effects(run, on=today)
    # Of a forecast that has ended its last week stands for what comes.
    start = min(max((today - run.as_of).days - 1, 0), max(run.horizon_days - _WEEK, 0))
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"run": run.pk, "skus": list(sku_ids), "places": list(places), "passed": start}
        cursor.execute(_ROWS, values)
        rows = cursor.fetchall()
    days: dict[int, list[float]] = {}
    protection: dict[int, int] = {}
    for sku_id, warehouse_id, interval, mean in rows:
        effect = effects.get((sku_id, warehouse_id))
        ahead = adjusted_days(mean, effect, skip=start) if effect else mean
        before = days.get(sku_id)
        days[sku_id] = list(map(add, before, ahead)) if before else ahead
        protection[sku_id] = max(protection.get(sku_id, 0), interval)
    return {
        sku_id: Expected(protection[sku_id], tuple(accumulate(ahead, initial=0.0))) for sku_id, ahead in days.items()
    }


_ROWS = """
SELECT sku_id, warehouse_id, protection_days,
       mean[%(passed)s + 1 : %(passed)s + (
           SELECT greatest(max(protection_days), 7) FROM forecasting_forecast WHERE run_id = %(run)s)]
FROM forecasting_forecast
WHERE run_id = %(run)s AND sku_id = ANY(%(skus)s) AND warehouse_id = ANY(%(places)s) ORDER BY sku_id, warehouse_id
"""
