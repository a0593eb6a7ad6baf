"""Lines over time, for figures such as stock value or fill rate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from config.kernel.charts.canvas import Board, Figure, shown


@dataclass(frozen=True, slots=True)
class Line:
    """One series on the days of its chart; None where nothing is known."""

    name: Any
    values: Sequence[float | None]
    css: str = "h-average"


def line_chart(
    days: Sequence[date],
    lines: Sequence[Line],
    *,
    title: Any,
    height: int = 200,
    highest: float | None = None,
    is_filled: bool = False,
    say: Callable[[float], str] = shown,
) -> Figure:
    known = [v for line in lines for v in line.values if v is not None]
    top = highest if highest is not None else max([*known, 1e-9])
    latest = [(line.name, next((v for v in reversed(line.values) if v is not None), None)) for line in lines]
    summary = "; ".join(f"{name}: {say(value)}" for name, value in latest if value is not None)
    return Figure(
        title=title,
        summary=summary or _("No figures yet."),
        draw=lambda board: _draw(board, days, lines, is_filled),
        lowest=0,
        highest=top,
        columns=(_("Day"), *(line.name for line in lines)),
        rows=[
            (day.isoformat(), *("" if line.values[i] is None else say(line.values[i] or 0.0) for line in lines))
            for i, day in enumerate(days)
        ],
        legend=[(line.css, line.name) for line in lines] if len(lines) > 1 else (),
        height=height,
    )


def _draw(board: Board, days: Sequence[date], lines: Sequence[Line], is_filled: bool) -> None:
    span = max(len(days) - 1, 1)
    for line in lines:
        for points in _unbroken(line.values, span):
            if is_filled:
                board.area(points, [(s, board.lowest) for s, _v in points], "h-under")
            board.line(points, line.css)
    board.ticks([(i / span, date_format(day, "MONTH_DAY_FORMAT")) for i, day in enumerate(days)])


def _unbroken(values: Sequence[float | None], span: int) -> list[list[tuple[float, float]]]:
    """Stretches without a gap."""
    parts: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            parts.append([])
        else:
            parts[-1].append((index / span, value))
    return [part for part in parts if part]
