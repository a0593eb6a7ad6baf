"""Demand of the whole house by week, beside what was expected of it."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.core.cache import cache
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import TruncWeek

from forecasting.models import DemandHistory, ForecastRun

PAST_WEEKS, AHEAD_WEEKS = 8, 4


@dataclass(frozen=True, slots=True)
class Week:
    """`actual` of weeks that are over; `expected` by the latest run made before the week began, None without one."""

    monday: date
    actual: float
    expected: float | None


def demand_and_forecast(*, today: date) -> list[Week]:
    """The last 8 whole weeks and the next 4, the running one among them without its actual."""
    this_monday = today - timedelta(days=today.weekday())
    first = this_monday - timedelta(weeks=PAST_WEEKS)
    actual = dict(
        DemandHistory.objects.filter(day__gte=first, day__lt=this_monday)
        .values_list(TruncWeek("day"))
        .annotate(units=Sum("quantity"))
    )
    runs = list(
        ForecastRun.objects.filter(is_complete=True, as_of__gte=first - timedelta(days=120))
        .order_by("-as_of", "-pk")
        .values_list("pk", "as_of", "horizon_days")
    )
    weeks = []
    for n in range(PAST_WEEKS + AHEAD_WEEKS):
        monday = first + timedelta(weeks=n)
        weeks.append(Week(monday, float(actual.get(monday, 0)), _expected(runs, monday)))
    return weeks


def _expected(runs: list[tuple[int, date, int]], monday: date) -> float | None:
    """Of the newest run that looked at the whole week from before it began."""
    sunday = monday + timedelta(days=6)
    for pk, as_of, horizon in runs:
        if as_of < monday and sunday <= as_of + timedelta(days=horizon):
            start = (monday - as_of).days - 1
            return sum(_daily_totals(pk)[start : start + 7])
    return None


def _daily_totals(run_id: int) -> list[float]:
    """Σ mean of all forecasts of a run, day by day. A complete run never changes, so the sum is kept for a day."""

    def total() -> list[float]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(units) FROM forecasting_forecast, unnest(mean) WITH ORDINALITY AS day(units, n) "
                "WHERE run_id = %s GROUP BY n ORDER BY n",
                [run_id],
            )
            return [float(units) for (units,) in cursor.fetchall()]

    return list(cache.get_or_set(f"monitoring:run-total:{run_id}", total, 24 * 60 * 60) or [])
