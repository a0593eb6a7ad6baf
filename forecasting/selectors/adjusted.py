"""Forecasts as the overrides in force leave them: what plans, promises and alerts go by."""

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from forecasting.models import Forecast, ForecastRun
from forecasting.selectors import Pair
from forecasting.selectors.overrides import Effect, override_effects


@dataclass(frozen=True, slots=True)
class AdjustedForecast:
    """The numbers of a Forecast after its overrides, in the same shapes; `overrides` are the ids that acted."""

    mean: list[float]
    quantiles: list[list[float]]
    protection_mean: float
    protection_sd: float
    protection_quantiles: list[float]
    overrides: tuple[int, ...]


def adjusted_forecast(forecast: Forecast, *, on: date, at: datetime | None = None) -> AdjustedForecast:
    """One forecast whole, by day and over its protection interval."""
    effects = override_effects(forecast.run, on=on, at=at, sku_ids=[forecast.sku_id])
    effect = effects.get((forecast.sku_id, forecast.warehouse_id), ())
    changed = with_protection(forecast, forecast.mean, effect)
    last = len(forecast.mean)
    return AdjustedForecast(
        mean=adjusted_days(forecast.mean, effect),
        quantiles=[adjusted_days(level, effect) for level in forecast.quantiles],
        protection_mean=changed.protection_mean,
        protection_sd=changed.protection_sd,
        protection_quantiles=changed.protection_quantiles,
        overrides=tuple(
            sorted({pk for part in effect if part.first < max(last, forecast.protection_days) for pk in part.overrides})
        ),
    )


def adjusted_forecasts(
    run: ForecastRun,
    forecasts: Iterable[Forecast],
    *,
    on: date,
    at: datetime | None = None,
    sku_ids: Collection[int] | None = None,
) -> list[Forecast]:
    """The forecasts (of this run) with the numbers of their protection interval adjusted.

    Those that no override touches are handed back as they are, the others as copies that are not to be saved. `sku_ids`
    says that they are of these SKUs alone. At most six queries.
    """
    rows = list(forecasts)
    effects = override_effects(run, on=on, at=at, sku_ids=sku_ids)
    if not effects:
        return rows
    means = _means(run, {(row.sku_id, row.warehouse_id) for row in rows} & effects.keys())
    return [
        with_protection(row, means[pair], effects[pair]) if (pair := (row.sku_id, row.warehouse_id)) in means else row
        for row in rows
    ]


def adjusted_pairs(run: ForecastRun, rows: QuerySet[Forecast], *, on: date) -> set[Pair]:
    """Which of these forecasts (of this run) expect any demand over their interval. At most seven queries."""
    effects = override_effects(run, on=on)
    found = set(rows.filter(protection_mean__gt=0).values_list("sku_id", "warehouse_id"))
    for row in rows.filter(sku_id__in={sku for sku, _warehouse in effects}) if effects else ():
        pair = (row.sku_id, row.warehouse_id)
        if pair in effects:
            found.discard(pair)
            if with_protection(row, row.mean, effects[pair]).protection_mean > 0:
                found.add(pair)
    return found


def adjusted_days(values: Sequence[float], effect: Effect, *, skip: int = 0) -> list[float]:
    """values[t] is of day `skip` + t of the forecast. Never negative, and monotone: quantiles do not cross."""
    days = list(values)
    for part in effect:
        for day in range(max(part.first - skip, 0), min(part.last - skip, len(days))):
            days[day] = max(part.scale * days[day] + part.shift, 0.0)
    return days


def with_protection(forecast: Forecast, mean: Sequence[float], effect: Effect) -> Forecast:
    """A copy whose protection numbers follow the effect.

    Over the interval the quantiles are scaled by Σ scale × mean / Σ mean and shifted by Σ shift (no further down than
    the day's mean goes): 10 a day for 20 days, the first ten doubled, makes 200 → 300 and a quantile of 260 → 390.
    """
    changed = copy(forecast)
    scale, shift = _over_interval(forecast, mean, effect)
    changed.protection_mean = max(scale * forecast.protection_mean + shift, 0.0)
    changed.protection_sd = scale * forecast.protection_sd
    changed.protection_quantiles = [max(scale * units + shift, 0.0) for units in forecast.protection_quantiles]
    return changed


def _over_interval(forecast: Forecast, mean: Sequence[float], effect: Effect) -> tuple[float, float]:
    days, known = forecast.protection_days, sum(mean)
    base = list(mean[:days])
    if days > len(mean):  # beyond the horizon the interval's own sum says what a day is worth
        base += [max(forecast.protection_mean - known, 0.0) / (days - len(mean))] * (days - len(mean))
    scales, shift = [1.0] * days, 0.0
    for part in effect:
        for day in range(part.first, min(part.last, days)):
            scales[day] = part.scale
            shift += max(part.shift, -part.scale * base[day])
    total = sum(base)
    weighted = sum(units * scale for units, scale in zip(base, scales, strict=True))
    return (weighted / total if total > 0 else sum(scales) / max(days, 1)), shift


def _means(run: ForecastRun, pairs: Iterable[Pair]) -> dict[Pair, list[float]]:
    wanted = set(pairs)
    rows = Forecast.objects.filter(run=run, sku_id__in={sku for sku, _warehouse in wanted})
    return {
        (sku, warehouse): mean
        for sku, warehouse, mean in rows.values_list("sku_id", "warehouse_id", "mean")
        if (sku, warehouse) in wanted
    }
