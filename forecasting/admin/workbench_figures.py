"""What the workbench shows of each row beside the row itself, read for a page of rows in a few queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F, FloatField, Max, Sum
from django.db.models.functions import Abs

from forecasting.admin.chart import lately
from forecasting.models import Forecast, ForecastAccuracy, ForecastDrift
from forecasting.selectors.adjusted import adjusted_days
from forecasting.selectors.overrides import override_effects

AHEAD_DAYS, PAST_WEEKS, LIVE_WEEKS = 28, 8, 4


@dataclass(frozen=True, slots=True)
class RowFigures:
    """Units of the next 28 days by the model and with overrides; weeks for the sparkline; WAPE of the weeks lately."""

    model: float
    final: float
    is_overridden: bool
    past: list[float]
    ahead: list[float]
    live_wape: float | None
    is_drifted: bool


def figures_of(rows: Sequence[Forecast], *, today: date) -> dict[int, RowFigures]:
    """Forecast id → figures. The rows may be of several runs; each run's overrides are read apart."""
    if not rows:
        return {}
    pairs = [(row.sku_id, row.warehouse_id) for row in rows]
    skus = {sku for sku, _place in pairs}
    until = max(row.run.as_of for row in rows)
    demand, live, drifted = lately(pairs, until=until, weeks=PAST_WEEKS), _live(skus), _drifted(skus)
    means = dict(Forecast.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "mean"))
    runs = {row.run_id: row.run for row in rows}
    effects = {pk: override_effects(run, on=today, sku_ids=skus) for pk, run in runs.items()}
    found = {}
    for row, pair in zip(rows, pairs, strict=True):
        mean, effect = list(means[row.pk][:AHEAD_DAYS]), effects[row.run_id].get(pair, ())
        final = adjusted_days(mean, effect)
        found[row.pk] = RowFigures(
            model=sum(mean),
            final=sum(final),
            is_overridden=bool(effect),
            past=demand[pair],
            ahead=[sum(final[day : day + 7]) for day in range(0, len(final) - 6, 7)],
            live_wape=live.get(pair),
            is_drifted=pair in drifted,
        )
    return found


def _live(skus: set[int]) -> dict[tuple[int, int], float]:
    """WAPE of what the house went by, over the last four weeks that are over, one week ahead."""
    newest = ForecastAccuracy.objects.aggregate(week=Max("week"))["week"]
    if newest is None:
        return {}
    rows = ForecastAccuracy.objects.filter(
        sku_id__in=skus, lag_weeks=1, week__gt=newest - timedelta(weeks=LIVE_WEEKS), was_in_stock__gte=1
    )
    sums: dict[str, Any] = {
        "error": Sum(Abs(F("final") - F("actual")), output_field=FloatField()),
        "demand": Sum("actual"),
    }
    grouped = rows.order_by().values_list("sku_id", "warehouse_id").annotate(**sums)
    return {(sku, place): error / demand for sku, place, error, demand in grouped if demand > 0}


def _drifted(skus: set[int]) -> set[tuple[int, int]]:
    rows = ForecastDrift.objects.filter(sku_id__in=skus).exclude(state=ForecastDrift.State.CLOSED)
    return set(rows.values_list("sku_id", "warehouse_id"))
