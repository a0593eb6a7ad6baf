"""How good the forecasts were: pooled errors of weeks that are over, by whatever they are grouped.

Error = forecast − actual. Sums are pooled before they are divided, so that a SKU nobody asks for weighs nothing
instead of dividing by zero. Weeks in which a series was out of stock for more than eight hours are left out: what was
asked for then is not known.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, F, FloatField, Q, QuerySet, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Abs

from forecasting.models import ForecastAccuracy
from forecasting.words import DEMAND_CLASSES

WHOLE_WEEK = 0.95
"""Share of a week in stock from which its sales pass for its demand: all but eight hours."""
STEPS = ("naive", "model", "final")
GROUPS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "lag": ("lag_weeks",),
    "segment": ("demand_class", "value_class"),
    "category": ("sku__product__category__code",),
    "warehouse": ("warehouse__code",),
    "week": ("week",),
    "method": ("method",),
    "planner": ("override__author__username",),
}
"""What accuracy can be grouped by. Of a planner only the weeks that one of their overrides ruled are counted."""


@dataclass(frozen=True, slots=True)
class StepError:
    """The errors of one step: units and money are Σ|error|; the rest is None where it cannot be said.

    wape = Σ|error| / Σ demand; bias = Σ error / Σ demand; rmsse = √(Σ error² / Σ error² of the naive step).
    """

    wape: float | None
    bias: float | None
    rmsse: float | None
    units: float
    money: float


@dataclass(frozen=True, slots=True)
class GroupAccuracy:
    """One line: `group` names it as GROUPS does; `weeks` are series × weeks, `left_out` those out of stock."""

    group: dict[str, Any]
    weeks: int
    left_out: int
    demand: float
    naive: StepError
    model: StepError
    final: StepError


def accuracy(by: str = "lag", *, lag: int | None = None, rows: QuerySet[ForecastAccuracy] | None = None) -> list[Any]:
    """GroupAccuracy for each group, in one query. Without a lag, and unless grouped by it, the weeks of lag 1."""
    counted = ForecastAccuracy.objects.all() if rows is None else rows
    if by != "lag" or lag is not None:
        counted = counted.filter(lag_weeks=lag or 1)
    if by == "planner":
        counted = counted.filter(override__isnull=False)
    names = GROUPS[by]
    whole = Q(was_in_stock__gte=WHOLE_WEEK)
    sums: dict[str, Any] = {"n": Count("pk", filter=whole), "dry": Count("pk", filter=~whole)}
    sums["demand"] = Sum("actual", filter=whole, default=0.0)
    for step in STEPS:
        error: Combinable = F(step) - F("actual")
        parts = {"e": error, "a": Abs(error), "s": error * error, "m": Abs(error) * F("unit_cost")}
        sums |= {
            f"{step}_{name}": Sum(part, filter=whole, default=0.0, output_field=FloatField())
            for name, part in parts.items()
        }
    grouped = counted.order_by().values(*names).annotate(**sums).order_by(*names) if names else None
    found = [counted.order_by().aggregate(**sums)] if grouped is None else list(grouped)
    return [_line({name: row[name] for name in names}, row) for row in found if row["n"] or row["dry"]]


def _line(group: dict[str, Any], row: Mapping[str, Any]) -> GroupAccuracy:
    steps = {step: _step(row, step) for step in STEPS}
    return GroupAccuracy(_named(group), row["n"], row["dry"], row["demand"], **steps)


def _named(group: dict[str, Any]) -> dict[str, Any]:
    """The public names of a group's columns: the last model's, without the path to it."""
    public = {"sku__product__category__code": "category", "warehouse__code": "warehouse"}
    public |= {"override__author__username": "planner", "lag_weeks": "lag"}
    return {public.get(name, name): value for name, value in group.items()}


def _step(row: Mapping[str, Any], step: str) -> StepError:
    demand, square = row["demand"], row["naive_s"]
    return StepError(
        wape=row[f"{step}_a"] / demand if demand > 0 else None,
        bias=row[f"{step}_e"] / demand if demand > 0 else None,
        rmsse=math.sqrt(row[f"{step}_s"] / square) if square > 0 else None,
        units=row[f"{step}_a"],
        money=row[f"{step}_m"],
    )


def segment_name(demand_class: str, value_class: str) -> str:
    """In words, as lists and pages show it: "smooth, A"."""
    return ", ".join(part for part in (str(DEMAND_CLASSES.get(demand_class, demand_class)), value_class) if part)


@dataclass(frozen=True, slots=True)
class WeekSoFar:
    """The week that is not over: `days` of it, in all series together; the forecast made before it began, as it was."""

    week: date
    days: int
    series: int
    demand: float
    model: float
    wape: float | None
    bias: float | None


def week_so_far(run_id: int, as_of: date, *, week: date, until: date) -> WeekSoFar:
    """How the week goes that began on Monday `week`, up to the day `until`, against a run made before it. One query."""
    first, days = (week - as_of).days, (until - week).days + 1
    values: dict[str, Any] = {"run": run_id, "first": first, "last": first + days - 1, "week": week, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(_SO_FAR, values)
        series, demand, model, absolute, error = cursor.fetchone()
    wape, bias = (absolute / demand, error / demand) if demand > 0 else (None, None)
    return WeekSoFar(week, days, series, demand, model, wape, bias)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


_SO_FAR = """
SELECT count(*), coalesce(sum(actual), 0), coalesce(sum(model), 0), coalesce(sum(abs(model - actual)), 0),
       coalesce(sum(model - actual), 0)
FROM (
    SELECT coalesce(demand.units, 0) AS actual, expected.units AS model
    FROM forecasting_forecast f
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(units::float8), 0) AS units FROM unnest(f.mean[%(first)s:%(last)s]) AS units
    ) expected
    LEFT JOIN (
        SELECT sku_id, warehouse_id, sum(quantity)::float8 AS units FROM forecasting_demandhistory
        WHERE day BETWEEN %(week)s AND %(until)s GROUP BY 1, 2
    ) demand USING (sku_id, warehouse_id)
    WHERE f.run_id = %(run)s
) series
"""
