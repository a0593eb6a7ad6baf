"""Bars over time, and the small picture of a stock position against its reorder point."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.kernel.charts.canvas import Board, Figure, shown


def bar_chart(
    labels: Sequence[Any],
    values: Sequence[float],
    *,
    title: Any,
    value_name: Any,
    line: Sequence[float | None] = (),
    line_name: Any = "",
    css: str = "h-bar",
    height: int = 200,
) -> Figure:
    """Bars in order, with an optional line over them on the same scale (None = no point). Labels are words or days."""
    known = [v for v in line if v is not None]
    has_line = bool(known)
    labels = [date_format(label, "MONTH_DAY_FORMAT") if isinstance(label, date) else label for label in labels]
    ends = {"first": labels[0], "last": labels[-1]} if labels else {"first": "–", "last": "–"}
    return Figure(
        title=title,
        summary=_("From %(first)s to %(last)s: %(total)s in all.") % {**ends, "total": shown(sum(values), 0)},
        draw=lambda board: _draw(board, labels, values, line, css),
        lowest=0,
        highest=max([4.0, *values, *known]),
        columns=("", value_name, *((line_name,) if has_line else ())),
        rows=[
            (label, shown(values[i]), *((_or_blank(line, i),) if has_line else ())) for i, label in enumerate(labels)
        ],
        legend=[(css, value_name), ("h-median", line_name)] if has_line else (),
        height=height,
    )


def _or_blank(line: Sequence[float | None], index: int) -> str:
    value = line[index] if index < len(line) else None
    return "" if value is None else shown(value)


def _draw(board: Board, labels: Sequence[Any], values: Sequence[float], line: Sequence[Any], css: str) -> None:
    count = max(len(labels), 1)
    for index, value in enumerate(values):
        words = f"{labels[index]}: {shown(value)}"
        board.bar((index + 0.15) / count, (index + 0.85) / count, value, css, words)
    points = [((i + 0.5) / count, v) for i, v in enumerate(line) if v is not None]
    if points:
        board.line(points, "h-median")
    board.ticks([((i + 0.5) / count, label) for i, label in enumerate(labels)])


def level_bar(position: float, reorder_point: float, order_up_to: float) -> SafeString:
    """Position as a bar from 0 to the order-up-to level, with a tick at the reorder point; the words say the same."""
    top = max(position, reorder_point, order_up_to, 1e-9) * 1.04
    width = 120.0
    filled = max(position, 0.0) / top * width
    tick = reorder_point / top * width
    css = "h-low" if position <= reorder_point else "h-ok"
    words = _("Position %(position)s, reorder point %(point)s") % {
        "position": shown(position, 0),
        "point": shown(reorder_point, 0),
    }
    return format_html(
        '<span class="h-level"><svg viewBox="0 0 {} 14" role="img" aria-label="{}"><rect class="h-track" x="0" y="4" '
        'width="{}" height="6" rx="3"/><rect class="{}" x="0" y="4" width="{}" height="6" rx="3"/>'
        '<line class="h-point" x1="{}" x2="{}" y1="0" y2="14"/></svg><small>{} / {}</small></span>',
        width, words, width, css, f"{filled:.1f}", f"{tick:.1f}", f"{tick:.1f}", shown(position, 0),
        shown(reorder_point, 0),
    )  # fmt: skip
