"""Accuracy: every finished week against what was forecast of it 1, 2, 4 and 8 weeks ahead, step by step.

Lag n is the n-th week ahead: the forecast was made from the demand up to the Sunday before the n − 1 weeks that precede
the week, so a horizon of 63 days covers lag 8. The run is the latest that had read no further, at most six days older.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from forecasting import selectors
from forecasting.models import ForecastAccuracy, ForecastRun
from forecasting.selectors import Pair
from forecasting.selectors.accuracy import WeekSoFar, monday_of, week_so_far
from forecasting.selectors.adjusted import adjusted_days
from forecasting.selectors.overrides import Effect, override_effects

LAGS = (1, 2, 4, 8)
# Returns and cancellations go on changing the demand of a week that is over, so these are worked out again.
AGAIN_WEEKS = 5
CATCH_UP_WEEKS = 26
_STALE_DAYS = 6
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_LOCK = "entrepot.record_accuracy"


@dataclass(frozen=True, slots=True)
class AccuracyCounts:
    """Weeks looked at, and rows made or changed."""

    weeks: int = 0
    rows: int = 0


def record_accuracy(*, now: datetime, lags: Sequence[int] = LAGS) -> AccuracyCounts:
    """Fill the weeks that are over (and whose demand has been read) and look at the latest five of them again.

    Set by set in the database, about eight queries a week and lag. Safe to run twice: rows that would stay the same are
    not written. One transaction a week; one recording at a time (advisory lock).
    """
    last = _last_whole_week(timezone.localdate(now))
    if last is None:
        return AccuracyCounts()
    done = set(ForecastAccuracy.objects.order_by().values_list("week", flat=True).distinct())
    weeks = [last - n * _WEEK for n in range(CATCH_UP_WEEKS)]
    todo = [week for n, week in enumerate(weeks) if n < AGAIN_WEEKS or week not in done]
    rows = sum(_record_week(week, lags) for week in reversed(todo))
    return AccuracyCounts(len(todo), rows)


def run_of_lag(week: date, lag: int) -> ForecastRun | None:
    """The run that was in force for this week at this lag; one made when it was due goes before a later look back."""
    known = week - (lag - 1) * _WEEK - _DAY
    runs = selectors.complete_runs().filter(as_of__lte=known, as_of__gte=known - timedelta(days=_STALE_DAYS))
    ahead = [run for run in runs if (week + 6 * _DAY - run.as_of).days <= run.horizon_days]
    return max(ahead, key=lambda run: (run.as_of, run.created_at.date() <= known + _WEEK, run.pk), default=None)


def accuracy_so_far(*, today: date) -> WeekSoFar | None:
    """The week that is not over, as far as its demand has been read; None when nothing of it has, or no run saw it
    coming. Three queries."""
    week, read = monday_of(today), selectors.last_demand_day()
    run = run_of_lag(week, 1)
    if run is None or read is None or min(read, today - _DAY) < week:
        return None
    return week_so_far(run.pk, run.as_of, week=week, until=min(read, today - _DAY))


def _last_whole_week(today: date) -> date | None:
    """The Monday of the last week that is over and whose demand has been read to its end."""
    read = selectors.last_demand_day()
    if read is None:
        return None
    end = min(today - _DAY, read)
    return end - timedelta(days=(end.weekday() + 1) % 7) - 6 * _DAY


@transaction.atomic
def _record_week(week: date, lags: Sequence[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_LOCK])
    runs = {lag: run for lag in lags if (run := run_of_lag(week, lag))}
    if not runs:
        return 0
    dry = _share_in_stock(week, runs.values())
    return sum(_record_lag(week, lag, run, dry) for lag, run in runs.items())


def _record_lag(week: date, lag: int, run: ForecastRun, dry: Mapping[Pair, float]) -> int:
    first = (week - run.as_of).days
    final = _after_overrides(run, first)
    values: dict[str, Any] = {
        "week": week,
        "lag": lag,
        "run": run.pk,
        "as_of": run.as_of,
        "first": first,
        "last": first + 6,
        "skus": [sku for sku, _warehouse in final],
        "warehouses": [warehouse for _sku, warehouse in final],
        "finals": [units for units, _override in final.values()],
        "overrides": [override for _units, override in final.values()],
        "dry_skus": [sku for sku, _warehouse in dry],
        "dry_warehouses": [warehouse for _sku, warehouse in dry],
        "shares": list(dry.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
        return cursor.rowcount


def _after_overrides(run: ForecastRun, first: int) -> dict[Pair, tuple[float, int]]:
    """(SKU, warehouse) → (units of the week after the overrides known when the run was made, the one that ruled most of
    its days); series without any are left out. `first` is the week's first day, counted from as_of."""
    made = min(run.created_at, _due(run))
    effects = override_effects(run, on=run.as_of + _DAY, at=made)
    acting = {pair: ruling for pair, effect in effects.items() if (ruling := _ruling(effect, first - 1))}
    if not acting:
        return {}
    rows = run.forecasts.filter(sku_id__in={sku for sku, _warehouse in acting})
    found = {}
    for sku, warehouse, mean in rows.values_list("sku_id", "warehouse_id", "mean"):
        if (pair := (sku, warehouse)) in acting:
            days = adjusted_days(mean[first - 1 : first + 6], effects[pair], skip=first - 1)
            found[pair] = (sum(days), acting[pair])
    return found


def _due(run: ForecastRun) -> datetime:
    """Two days after its as_of: a look back made later knew no more than a plan of that day."""
    midnight = datetime.combine(run.as_of + timedelta(days=3), datetime.min.time())
    return timezone.make_aware(midnight)


def _ruling(effect: Effect, first: int) -> int | None:
    days: Counter[int] = Counter()
    for part in effect:
        if (length := min(part.last, first + 7) - max(part.first, first)) > 0:
            days.update({part.overrides[0]: length})
    return max(days, key=lambda pk: (days[pk], pk), default=None)


def _share_in_stock(week: date, runs: Iterable[ForecastRun]) -> dict[Pair, float]:
    """The series that were out of stock for some of the week → the share of it with stock."""
    import numpy as np

    with connection.cursor() as cursor:
        cursor.execute(_SERIES, [[run.pk for run in runs]])
        pairs = cursor.fetchall()
    share = selectors.in_stock_panel(pairs, until=week + 6 * _DAY, days=7)
    known = np.where(np.isnan(share), 1.0, share).mean(axis=1)
    return {pairs[row]: float(known[row]) for row in np.flatnonzero(known < 1)}


_SERIES = """
SELECT DISTINCT sku_id, warehouse_id FROM forecasting_forecast WHERE run_id = ANY(%s) ORDER BY 1, 2
"""

_RECORD = """
WITH demand AS (
    SELECT sku_id, warehouse_id,
           sum(quantity) FILTER (WHERE day BETWEEN %(week)s AND %(week)s + 6)::float8 AS actual,
           sum(quantity) FILTER (WHERE day BETWEEN %(as_of)s - 6 AND %(as_of)s)::float8 AS naive
    FROM forecasting_demandhistory
    WHERE day BETWEEN %(week)s AND %(week)s + 6 OR day BETWEEN %(as_of)s - 6 AND %(as_of)s
    GROUP BY 1, 2
), changed AS (
    SELECT * FROM unnest(%(skus)s::bigint[], %(warehouses)s::bigint[], %(finals)s::float8[], %(overrides)s::bigint[])
        AS changed(sku_id, warehouse_id, units, override_id)
), dry AS (
    SELECT * FROM unnest(%(dry_skus)s::bigint[], %(dry_warehouses)s::bigint[], %(shares)s::float8[])
        AS dry(sku_id, warehouse_id, share)
)
INSERT INTO forecasting_forecastaccuracy AS old (
    sku_id, warehouse_id, week, lag_weeks, method, demand_class, value_class, actual, naive, model, final, unit_cost,
    was_in_stock, override_id)
SELECT f.sku_id, f.warehouse_id, %(week)s, %(lag)s, f.method, f.demand_class, f.value_class,
       coalesce(demand.actual, 0), coalesce(demand.naive, 0), expected.units, coalesce(changed.units, expected.units),
       sku.unit_cost, coalesce(dry.share, 1), changed.override_id
FROM forecasting_forecast f
JOIN catalog_sku sku ON sku.id = f.sku_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(units::float8), 0) AS units FROM unnest(f.mean[%(first)s:%(last)s]) AS units
) expected
LEFT JOIN demand USING (sku_id, warehouse_id)
LEFT JOIN changed USING (sku_id, warehouse_id)
LEFT JOIN dry USING (sku_id, warehouse_id)
WHERE f.run_id = %(run)s
ORDER BY f.sku_id, f.warehouse_id
ON CONFLICT ON CONSTRAINT forecast_accuracy_once DO UPDATE
SET method = excluded.method, demand_class = excluded.demand_class, value_class = excluded.value_class,
    actual = excluded.actual, naive = excluded.naive, model = excluded.model, final = excluded.final,
    was_in_stock = excluded.was_in_stock, override_id = excluded.override_id
WHERE (old.method, old.actual, old.naive, old.model, old.final, old.was_in_stock, old.override_id)
      IS DISTINCT FROM (excluded.method, excluded.actual, excluded.naive, excluded.model, excluded.final,
                        excluded.was_in_stock, excluded.override_id)
"""
