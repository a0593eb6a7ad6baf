"""The course of the kept figures: one point a day, the last of each day."""

from dataclasses import dataclass
from datetime import date, timedelta

from monitoring.models import KpiSnapshot

DAYS = 90


@dataclass(frozen=True, slots=True)
class Course:
    """Equally long lists; None where a day has no figure."""

    days: list[date]
    stock_value: list[float | None]
    fill_rate: list[float | None]
    stockouts: list[float | None]


def course_of_figures(*, today: date, days: int = DAYS) -> Course:
    """One query; the series begins with the first day that has a figure at all."""
    rows = (
        KpiSnapshot.objects.filter(taken_at__date__gt=today - timedelta(days=days))
        .order_by("taken_at__date", "-taken_at")
        .distinct("taken_at__date")
        .values_list("taken_at", "figures")
    )
    by_day = {taken_at.date(): figures for taken_at, figures in rows}
    if not by_day:
        return Course([], [], [], [])
    first = min(by_day)
    span = [first + timedelta(days=n) for n in range((today - first).days + 1)]

    def series(name: str) -> list[float | None]:
        values = (by_day.get(day, {}).get(name) for day in span)
        return [None if value is None else float(value) for value in values]

    return Course(span, series("stock_value"), series("fill_rate"), series("stockouts"))
