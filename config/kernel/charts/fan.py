"""The fan: demand that was, day by day, and what is expected, with the band where it should fall."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from config.kernel.charts.canvas import Board, Figure, shown


@dataclass(frozen=True, slots=True)
class FanData:
    """`actual[i]` is the demand of day `start + i`; the forecast begins on the day after the last actual one.

    `lower` and `upper` bound the band (for instance the 10 % and 90 % quantiles), `middle` is the mean or median.
    """

    start: date
    actual: Sequence[float]
    middle: Sequence[float] = ()
    lower: Sequence[float] = ()
    upper: Sequence[float] = ()
    band_name: Any = ""
    stockout_days: Collection[date] = frozenset()

    @property
    def days(self) -> int:
        return len(self.actual) + len(self.middle)


def fan_chart(data: FanData, *, title: Any, height: int = 220) -> Figure:
    highest = max([1.0, *data.actual, *data.middle, *data.upper])
    legend: list[tuple[str, Any]] = [("h-bar", _("Demand per day")), ("h-average", _("7-day average"))]
    if data.middle:
        legend += [("h-median", _("Forecast")), ("h-fan", data.band_name)]
    if data.stockout_days:
        legend.append(("h-stockout", _("Out of stock")))
    return Figure(
        title=title,
        summary=summary_of(data.actual, data.middle),
        draw=lambda board: _draw(board, data),
        lowest=0,
        highest=highest,
        columns=(_("Day"), _("Demand"), _("Forecast"), _("Low"), _("High")),
        rows=_rows(data),
        legend=legend,
        height=height,
    )


def _draw(board: Board, data: FanData) -> None:
    days, past = data.days, len(data.actual)
    for index in range(past):
        day = data.start + timedelta(index)
        if day in data.stockout_days:
            board.band(index / days, (index + 1) / days, "h-stockout")
    for index, value in enumerate(data.actual):
        words = f"{date_format(data.start + timedelta(index), 'MONTH_DAY_FORMAT')}: {shown(value)}"
        board.bar((index + 0.12) / days, (index + 0.88) / days, value, "h-bar", words)
    if past >= 7:
        board.line([((i + 0.5) / days, sum(data.actual[i - 6 : i + 1]) / 7) for i in range(6, past)], "h-average")
    ahead = [(past + i + 0.5) / days for i in range(len(data.middle))]
    if data.upper:
        board.area(list(zip(ahead, data.upper, strict=False)), list(zip(ahead, data.lower, strict=False)), "h-fan")
    if ahead:
        board.line(list(zip(ahead, data.middle, strict=False)), "h-median")
        board.rule(past / days, _("forecast"))
    mondays = [i for i in range(days) if (data.start + timedelta(i)).weekday() == 0]
    board.ticks([((i + 0.5) / days, date_format(data.start + timedelta(i), "MONTH_DAY_FORMAT")) for i in mondays])


def summary_of(actual: Sequence[float], middle: Sequence[float]) -> str:
    known = _("%(units)s units were asked for in %(days)s days.") % {
        "units": shown(sum(actual), 0),
        "days": len(actual),
    }
    if not middle:
        return known
    expected = _("%(units)s are expected in the next %(days)s days.") % {
        "units": shown(sum(middle), 0),
        "days": len(middle),
    }
    return f"{known} {expected}"


def _rows(data: FanData) -> list[tuple[str, ...]]:
    past = len(data.actual)
    rows = []
    for index in range(data.days):
        ahead = index - past
        rows.append(
            (
                (data.start + timedelta(index)).isoformat(),
                shown(data.actual[index]) if ahead < 0 else "",
                *(
                    shown(series[ahead]) if 0 <= ahead < len(series) else ""
                    for series in (data.middle, data.lower, data.upper)
                ),
            )
        )
    return rows
