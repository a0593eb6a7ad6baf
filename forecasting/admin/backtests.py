"""The backtest behind a forecast, fold by fold: what was held out, what was expected, and whether .95 held."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from config.kernel.charts import Figure, bar_chart
from forecasting.models import Forecast, ForecastRun


@dataclass(frozen=True, slots=True)
class Fold:
    """The `days` after the day `origin`, which was the last one known; units of the whole window."""

    origin: date
    days: int
    actual: float
    expected: float
    median: float
    high: float

    @property
    def last(self) -> date:
        return self.origin + timedelta(days=self.days)

    @property
    def error(self) -> float:
        return self.expected - self.actual

    @property
    def is_within(self) -> bool:
        return self.actual <= self.high


def folds_of(forecast: Forecast) -> list[Fold]:
    """Oldest first; windows that were not observed (out of stock) are left out."""
    scores: dict[str, Any] = forecast.scores if isinstance(forecast.scores, dict) else {}
    held_out, run = scores.get("held_out"), learning_run(forecast.run)
    told = run.backtest
    if not held_out or not told.get("origins") or not told.get("history_days"):
        return []
    folds = []
    for origin, windows in zip(told["origins"], held_out, strict=False):
        day = run.as_of - timedelta(days=int(told["history_days"]) - int(origin))
        for days, (actual, expected, median, high) in zip(told["windows"], windows, strict=False):
            if None not in (actual, expected, median, high):
                folds.append(Fold(day, days, actual, expected, median, high))
    return folds


def learning_run(run: ForecastRun) -> ForecastRun:
    """The run whose backtest chose the methods: the run itself, or the one it was brought up to date from."""
    return run.learnt_in if run.learnt_in is not None and not run.backtest.get("origins") else run


def fold_charts(folds: list[Fold]) -> list[Figure]:
    """One chart a window: bars of what was sold, a line of what was expected."""
    charts = []
    for days in sorted({fold.days for fold in folds}):
        mine = [fold for fold in folds if fold.days == days]
        charts.append(
            bar_chart(
                [date_format(fold.origin, "MONTH_DAY_FORMAT") for fold in mine],
                [fold.actual for fold in mine],
                title=_("Windows of %(days)s days") % {"days": days},
                value_name=_("Sold"),
                line=[fold.expected for fold in mine],
                line_name=_("Expected"),
                height=150,
            )
        )
    return charts
