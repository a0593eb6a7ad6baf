"""The outlook: demand as it was sold and as the forecast reads it, special days, and the fan of quantiles ahead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from config.kernel.charts.canvas import Board, Figure, shown
from config.kernel.charts.fan import summary_of

CUT, GUESSED = "cut", "censored"


@dataclass(frozen=True, slots=True)
class Special:
    """A holiday, promotion or closure, on the days `first` … `last`; css is h-holiday, h-promotion or h-closure."""

    first: date
    last: date
    name: str
    css: str


@dataclass(frozen=True, slots=True)
class OutlookData:
    """`sold[i]` is of day `start + i`; `read[i]` what the forecast reads it as (None: as sold), `kinds[i]` why: '', CUT
    or GUESSED. What lies ahead begins on the day after: `middle` (final mean), `model` where overrides changed it, and
    `quantiles[q][t]` at `levels[q]`, rising. `now` is (day ahead, units expected of that day by the live view)."""

    start: date
    sold: Sequence[float]
    read: Sequence[float | None]
    kinds: Sequence[str]
    middle: Sequence[float] = ()
    model: Sequence[float] = ()
    levels: Sequence[float] = ()
    quantiles: Sequence[Sequence[float]] = ()
    specials: Sequence[Special] = ()
    now: tuple[int, float] | None = None

    @property
    def days(self) -> int:
        return len(self.sold) + len(self.middle)


def outlook_chart(data: OutlookData, *, title: Any, height: int = 260) -> Figure:
    read = [value for value in data.read if value is not None]
    return Figure(
        title=title,
        summary=summary_of(data.sold, data.middle),
        draw=lambda board: _draw(board, data),
        lowest=0,
        highest=max([1.0, *data.sold, *read, *data.middle, *data.model, _usual_top(data)]),
        columns=(
            _("Day"),
            _("Sold"),
            _("Read as"),
            _("Forecast"),
            *(_level(level) for level in data.levels),
            _("Note"),
        ),
        rows=_rows(data),
        legend=_legend(data),
        height=height,
    )


def _usual_top(data: OutlookData) -> float:
    """Half above the usual day's second highest quantile: the outermost band, and a few wild days, run off the top
    instead of flattening all the rest."""
    inner = sorted(data.quantiles[-2 if len(data.quantiles) > 2 else -1]) if data.quantiles else []
    return min(1.5 * inner[len(inner) // 2], max(data.quantiles[-1])) if inner else 0.0


def _level(level: float) -> str:
    return f"{100 * level:g} %"


def _legend(data: OutlookData) -> list[tuple[str, Any]]:
    legend: list[tuple[str, Any]] = [("h-bar", _("Sold per day"))] if data.sold else []
    if CUT in data.kinds:
        legend.append(("h-cut", _("Sold, but read as less")))
    if GUESSED in data.kinds:
        legend.append(("h-guess", _("Out of stock: estimated demand")))
    if len(data.sold) >= 7:
        legend.append(("h-average", _("7-day average")))
    if data.middle:
        legend.append(("h-median", _("Forecast")))
    if data.model:
        legend.append(("h-model", _("Model without overrides")))
    if len(data.levels) > 1:
        ends = {"low": _level(data.levels[0]), "high": _level(data.levels[-1])}
        legend.append(("h-fan", _("Quantiles from %(low)s to %(high)s") % ends))
    if data.now:
        legend.append(("h-nowcast", _("Today, by the orders so far")))
    names = {"h-promotion": _("Promotion"), "h-holiday": _("Holiday"), "h-closure": _("Closed")}
    legend += [(css, words) for css, words in names.items() if any(one.css == css for one in data.specials)]
    return legend


def _draw(board: Board, data: OutlookData) -> None:
    days, past = max(data.days, 1), len(data.sold)
    for special in data.specials:
        first, last = (special.first - data.start).days, (special.last - data.start).days + 1
        if last > 0 and first < days:
            board.ribbon(max(first, 0) / days, min(last, days) / days, special.css, special.name)
    for index in range(past):
        _bar(board, data, index, days)
    if past >= 7:
        averages = [(i, sum(data.sold[i - 6 : i + 1]) / 7) for i in range(6, past)]
        board.line([((i + 0.5) / days, value) for i, value in averages], "h-average")
    _ahead(board, data, days, past)
    mondays = [i for i in range(days) if (data.start + timedelta(i)).weekday() == 0]
    board.ticks([((i + 0.5) / days, date_format(data.start + timedelta(i), "MONTH_DAY_FORMAT")) for i in mondays])


def _bar(board: Board, data: OutlookData, index: int, days: int) -> None:
    """A bar of what was sold; what a correction took off it, or the guess above it, in its own look."""
    left, right = (index + 0.12) / days, (index + 0.88) / days
    sold, read, kind = data.sold[index], data.read[index], data.kinds[index]
    words = f"{date_format(data.start + timedelta(index), 'MONTH_DAY_FORMAT')}: {shown(sold)}"
    if kind == GUESSED:
        board.band(index / days, (index + 1) / days, "h-stockout")
        if read is not None:
            board.bar(left, right, read, "h-guess", _("%(day)s, out of stock: about %(units)s wanted")
                      % {"day": words, "units": shown(read)})  # fmt: skip
    if kind == CUT and read is not None:
        board.bar(left, right, sold, "h-cut", _("%(day)s, read as %(units)s") % {"day": words, "units": shown(read)})
        board.bar(left, right, min(read, sold), "h-bar")
        return
    board.bar(left, right, sold, "h-bar", words)


def _ahead(board: Board, data: OutlookData, days: int, past: int) -> None:
    places = [(past + i + 0.5) / days for i in range(len(data.middle))]
    if not places:
        return
    for level, lower, upper in zip(data.levels[1:], data.quantiles[:-1], data.quantiles[1:], strict=False):
        css = f"h-fan-{_tier(level)}"
        board.area(list(zip(places, upper, strict=False)), list(zip(places, lower, strict=False)), css)
    if data.model:
        board.line(list(zip(places, data.model, strict=False)), "h-model")
    board.line(list(zip(places, data.middle, strict=False)), "h-median")
    board.rule(past / days, _("forecast"))
    if data.now and 0 <= data.now[0] < len(places):
        words = _("Today: about %(units)s by the orders so far") % {"units": shown(data.now[1])}
        board.dot(places[data.now[0]], data.now[1], "h-nowcast", words)


def _tier(level: float) -> int:
    """1 is next to the median, 4 outermost; by the upper level of the band."""
    return next((tier for tier, bound in ((1, 0.81), (2, 0.91), (3, 0.96)) if level <= bound), 4)


def _rows(data: OutlookData) -> list[tuple[str, ...]]:
    past, rows = len(data.sold), []
    words = {CUT: _("corrected"), GUESSED: _("out of stock")}
    for index in range(data.days):
        day, ahead = data.start + timedelta(index), index - past
        names = [one.name for one in data.specials if one.first <= day <= one.last]
        if ahead < 0:
            read = data.read[index]
            names += [words[data.kinds[index]]] if data.kinds[index] else []
            figures = [shown(data.sold[index]), "–" if read is None else shown(read), "", *("" for _l in data.levels)]
        else:
            fan = [shown(level[ahead]) if ahead < len(level) else "" for level in data.quantiles]
            figures = ["", "", shown(data.middle[ahead]), *fan]
        rows.append((day.isoformat(), *figures, ", ".join(names)))
    return rows
