"""Forecast value added: what every step of a forecast was worth, from the naive guess to the planners' last word."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from forecasting.models import ForecastAccuracy
from forecasting.selectors.accuracy import GroupAccuracy, StepError, accuracy


@dataclass(frozen=True, slots=True)
class StepValue:
    """What a step took off the error of the step before it; below zero it made the forecast worse.

    points: WAPE before − WAPE after, in percentage points; units and money: Σ|error| before − Σ|error| after.
    """

    step: str
    points: float | None
    units: float
    money: float
    wape: float | None


@dataclass(frozen=True, slots=True)
class ValueAdded:
    """naive → model → override, of one group."""

    group: dict[str, Any]
    weeks: int
    demand: float
    naive_wape: float | None
    model: StepValue
    override: StepValue


def value_added(
    by: str = "segment", *, lag: int | None = None, rows: QuerySet[ForecastAccuracy] | None = None
) -> list[ValueAdded]:
    """For each group of `selectors.accuracy`, in one query. By planner, only the series and weeks that an override of
    theirs ruled are counted: elsewhere the step did nothing, and would dilute what it did."""
    return [_line(line) for line in accuracy(by, lag=lag, rows=rows)]


def _line(line: GroupAccuracy) -> ValueAdded:
    return ValueAdded(
        group=line.group,
        weeks=line.weeks,
        demand=line.demand,
        naive_wape=line.naive.wape,
        model=_value("model", line.naive, line.model),
        override=_value("override", line.model, line.final),
    )


def _value(step: str, before: StepError, after: StepError) -> StepValue:
    points = None if before.wape is None or after.wape is None else 100 * (before.wape - after.wape)
    return StepValue(step, points, before.units - after.units, before.money - after.money, after.wape)
