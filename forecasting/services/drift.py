"""Drift: forecasts that err to one side, err more than their backtest, or whose quantiles demand leaves too often.

Each is judged by what its own chance allows, so that a panel of a hundred thousand series does not drown in alarms.
What has drifted is learnt anew, once; monitoring tells people.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from config.kernel.jobs import queue_job, send_to_worker
from config.kernel.models import Job
from forecasting import selectors
from forecasting.models import ForecastDrift, ForecastRules, ForecastRun
from forecasting.selectors import Pair
from forecasting.selectors.accuracy import WHOLE_WEEK, monday_of
from forecasting.services.accuracy import run_of_lag

WEEKS = 8
ENOUGH_WEEKS = 6
# |Σe| of errors without drift stays below this share of √(n Σe²): 0.85 is a t of 4.3 in eight weeks, 1 in 500 series.
ONE_SIDED = 0.85
# Nor may it be what chance alone does to counts: three times √units.
CHANCE = 3.0
ERROR_DAYS = 28
ENOUGH_SALES_DAYS = 10
ERROR_TIMES = 2.0
BEST_WAPE = 0.05
LEVEL = 0.95
UNLIKELY = 0.001
_LOCK = "entrepot.check_drift"
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_ENDED_BADLY = (Job.State.FAILED, Job.State.CANCELLED)
Kind, State = ForecastDrift.Kind, ForecastDrift.State
Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class DriftCounts:
    opened: int = 0
    closed: int = 0
    refits: int = 0


@transaction.atomic
def check_drift(*, now: datetime) -> DriftCounts:
    """Bring the drifts in line with the errors of the last eight weeks and of the days since; running it again changes
    nothing.

    A drift is opened, refitted (its job is done: old errors do not open it again before eight weeks of new ones have
    come) and closed when its measure is within its limit. One check at a time (advisory lock).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_LOCK])
    today = timezone.localdate(now)
    found = {**_biased(today), **_beyond_backtest_or_quantiles(today)}
    standing = {
        (drift.sku_id, drift.warehouse_id, drift.kind): drift
        for drift in ForecastDrift.objects.exclude(state=State.CLOSED).select_related("refit").order_by("pk")
    }
    fresh = [
        ForecastDrift(sku_id=key[0], warehouse_id=key[1], kind=key[2], measure=measure, limit=limit, found_on=today)
        for key, (measure, limit) in found.items()
        if key not in standing
    ]
    ForecastDrift.objects.bulk_create(fresh)
    closed = _bring_up_to_date(standing, found, today)
    waiting = ForecastDrift.objects.filter(state=State.OPEN, refit=None)
    pairs = set(waiting.values_list("sku_id", "warehouse_id"))
    return DriftCounts(len(fresh), closed, len(pairs) if queue_refit(pairs, now=now) else 0)


def queue_refit(pairs: Collection[Pair], *, now: datetime) -> Job | None:
    """Have a plan learn anew, at its most thorough for these SKUs: a plan job with `{"refit": true, "skus": [ids]}`.

    The open drifts of the pairs name it. At most one a day; None when there is nothing to do or today's was queued
    before: what drifts since waits until tomorrow.
    """
    if not pairs:
        return None
    skus = sorted({sku for sku, _warehouse in pairs})
    parameters = {"as_of": None, "force": True, "refit": True, "skus": skus}
    with transaction.atomic():
        job = queue_job("plan", run_key=f"refit:{timezone.localdate(now):%Y-%m-%d}", parameters=parameters)
        if job is None:
            return None
        drifts = ForecastDrift.objects.filter(state=State.OPEN, refit=None, sku_id__in=skus)
        wanted = [drift.pk for drift in drifts if (drift.sku_id, drift.warehouse_id) in set(pairs)]
        ForecastDrift.objects.filter(pk__in=wanted).update(refit=job)
        send_to_worker(job)
    return job


def chance_of_at_least(count: int, days: int, share: float) -> float:
    """P(X ≥ count), X binomial: of 56 days, each outside with 0.05, at least 9 are outside with 0.0017."""
    below = sum(math.comb(days, k) * share**k * (1 - share) ** (days - k) for k in range(count))
    return max(1 - below, 0.0)


def _bring_up_to_date(
    standing: Mapping[Key, ForecastDrift], found: Mapping[Key, tuple[float, float]], today: date
) -> int:
    closed = 0
    for key, drift in standing.items():
        if key not in found:
            drift.state, drift.closed_on = State.CLOSED, today
            closed += 1
            continue
        drift.measure, drift.limit = found[key]
        job = drift.refit
        if drift.state == State.OPEN and job is not None and job.state == Job.State.DONE:
            drift.state = State.REFITTED
        elif drift.state == State.OPEN and job is not None and job.state in _ENDED_BADLY:
            drift.refit = None
        elif drift.state == State.REFITTED and _is_old(job, today):
            drift.state, drift.refit, drift.found_on = State.OPEN, None, today
    fields = ["state", "closed_on", "measure", "limit", "refit", "found_on"]
    ForecastDrift.objects.bulk_update(standing.values(), fields, batch_size=2000)
    return closed


def _is_old(job: Job | None, today: date) -> bool:
    """Whether every error that is judged now was made after the refit."""
    return job is None or job.finished_at is None or timezone.localdate(job.finished_at) + (WEEKS + 1) * _WEEK <= today


def _biased(today: date) -> dict[Key, tuple[float, float]]:
    """The tracking signal of the model at lag 1 over eight weeks, |Σe| / Σ|e|: 1 when all errors point one way."""
    limit = float(ForecastRules.current().drift_threshold)
    values: dict[str, Any] = {
        "since": monday_of(today) - WEEKS * _WEEK,
        "enough": ENOUGH_WEEKS,
        "limit": limit,
        "one_sided": ONE_SIDED,
        "chance": CHANCE,
        "whole": WHOLE_WEEK,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BIASED, values)
        return {(sku, warehouse, Kind.BIAS): (signal, limit) for sku, warehouse, signal in cursor.fetchall()}


def _beyond_backtest_or_quantiles(today: date) -> dict[Key, tuple[float, float]]:
    """Day by day, what each of the last eight weeks and the days of this one were forecast to be when they began."""
    spans = _spans(today)
    if not spans:
        return {}
    names = ("runs", "weeks", "firsts", "lasts", "levels")
    values: dict[str, Any] = dict(zip(names, (list(column) for column in zip(*spans, strict=True)), strict=True))
    values |= {"recent": today - timedelta(days=ERROR_DAYS), "times": ERROR_TIMES, "best": BEST_WAPE}
    values["chance"] = CHANCE
    values["whole"] = WHOLE_WEEK
    values |= {"sales_days": ENOUGH_SALES_DAYS, "share": 1 - LEVEL, "first_week": min(span[1] for span in spans)}
    found: dict[Key, tuple[float, float]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, values)
        for sku, warehouse, ratio, is_far, days, outside in cursor.fetchall():
            if is_far:
                found[sku, warehouse, Kind.ERROR] = (ratio, ERROR_TIMES)
            if outside and chance_of_at_least(outside, days, 1 - LEVEL) < UNLIKELY:
                found[sku, warehouse, Kind.COVERAGE] = (outside / days, 1 - LEVEL)
    return found


def _spans(today: date) -> list[tuple[int, date, int, int, int]]:
    """(run, its week, first and last day of the week counted from as_of, place of the quantile) week by week."""
    read = selectors.last_demand_day()
    if read is None:
        return []
    last_day, spans = min(read, today - _DAY), []
    for n in range(WEEKS + 1):
        week = monday_of(today) - n * _WEEK
        run = run_of_lag(week, 1) if week <= last_day else None
        place = [level >= LEVEL for level in run.quantile_levels].index(True) + 1 if run and _knows(run) else None
        if run and place:
            first = (week - run.as_of).days
            spans.append((run.pk, week, first, first + min((last_day - week).days, 6), place))
    return spans


def _knows(run: ForecastRun) -> bool:
    return any(level >= LEVEL for level in run.quantile_levels)


_BIASED = """
SELECT sku_id, warehouse_id, abs(sum(e)) / sum(abs(e))
FROM (
    SELECT sku_id, warehouse_id, model - actual AS e, model, actual FROM forecasting_forecastaccuracy
    WHERE lag_weeks = 1 AND week >= %(since)s AND was_in_stock >= %(whole)s
) weekly
GROUP BY 1, 2
HAVING count(*) >= %(enough)s AND abs(sum(e)) > 0
   AND abs(sum(e)) >= %(limit)s * sum(abs(e))
   AND abs(sum(e)) >= %(one_sided)s * sqrt(count(*) * sum(e * e))
   AND abs(sum(e)) >= %(chance)s * sqrt(greatest(sum(model), sum(actual), 1))
"""

_BY_DAY = """
WITH span AS (
    SELECT * FROM unnest(%(runs)s::bigint[], %(weeks)s::date[], %(firsts)s::int[], %(lasts)s::int[], %(levels)s::int[])
        AS span(run_id, week, first, last, level)
), demand AS (
    SELECT sku_id, warehouse_id, day, sum(quantity)::float8 AS units FROM forecasting_demandhistory
    WHERE day >= %(first_week)s GROUP BY 1, 2, 3
), daily AS (
    SELECT f.sku_id, f.warehouse_id, f.wape, span.week, forecast.mean::float8 AS mean, forecast.high::float8 AS high,
           coalesce(demand.units, 0) AS actual, span.week + forecast.place::int - 1 >= %(recent)s AS is_recent
    FROM span
    JOIN forecasting_forecast f ON f.run_id = span.run_id
    CROSS JOIN LATERAL unnest(
        f.mean[span.first:span.last], f.quantiles[span.level:span.level][span.first:span.last]
    ) WITH ORDINALITY AS forecast(mean, high, place)
    LEFT JOIN demand ON demand.sku_id = f.sku_id AND demand.warehouse_id = f.warehouse_id
         AND demand.day = span.week + forecast.place::int - 1
    WHERE NOT EXISTS (
        SELECT FROM forecasting_forecastaccuracy dry
        WHERE dry.sku_id = f.sku_id AND dry.warehouse_id = f.warehouse_id AND dry.week = span.week
          AND dry.lag_weeks = 1 AND dry.was_in_stock < %(whole)s
    )
), weekly AS (
    -- Weeks, not days: the backtest's error is of sums over windows, and single days always err more than those.
    SELECT sku_id, warehouse_id, wape, sum(mean) AS mean, sum(actual) AS actual FROM daily
    WHERE is_recent AND wape IS NOT NULL GROUP BY sku_id, warehouse_id, wape, week
), weighed AS (
    SELECT sku_id, warehouse_id,
           sum(abs(mean - actual)) / nullif(sum(actual * greatest(wape, %(best)s)), 0) AS ratio,
           sum(abs(mean - actual)) >= %(chance)s * sqrt(greatest(sum(mean), sum(actual), 1)) AS is_no_chance
    FROM weekly GROUP BY 1, 2
), judged AS (
    SELECT sku_id, warehouse_id, count(*)::int AS days, count(*) FILTER (WHERE actual > high)::int AS outside,
           count(*) FILTER (WHERE is_recent AND actual > 0) AS sales_days
    FROM daily GROUP BY 1, 2
)
SELECT sku_id, warehouse_id, ratio,
       coalesce(ratio >= %(times)s AND is_no_chance, false) AND sales_days >= %(sales_days)s, days, outside
FROM judged LEFT JOIN weighed USING (sku_id, warehouse_id)
WHERE (ratio >= %(times)s AND is_no_chance AND sales_days >= %(sales_days)s) OR outside > 2 * %(share)s * days
"""
