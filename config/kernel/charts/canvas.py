"""The drawing board of every chart: scales, axes, words for a screen reader, and the table behind the picture."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

LEFT, RIGHT, TOP, BOTTOM = 44, 10, 10, 24


@dataclass(frozen=True, slots=True)
class Figure:
    """A finished chart: its title, what it says in a sentence, the drawing for two widths, and its numbers."""

    title: Any
    summary: Any
    draw: Callable[["Board"], None]
    lowest: float
    highest: float
    columns: Sequence[Any]
    rows: Sequence[Sequence[Any]]
    legend: Sequence[tuple[str, Any]] = ()
    height: int = 220
    shift: float = 0.0  # added to what the axis says, where its zero would waste the room

    def __html__(self) -> SafeString:
        legend = format_html_join("", '<span class="h-key"><i class="{}"></i>{}</span>', self.legend)
        return format_html(
            '<figure class="h-chart">{}{}<figcaption>{}</figcaption>{}</figure>',
            self._svg(1040, "h-wide"),
            self._svg(480, "h-narrow"),
            legend,
            self._table(),
        )

    __str__ = __html__

    def _svg(self, width: int, css: str) -> SafeString:
        board = Board(width, self.height, self.lowest, self.highest)
        board.grid(self.shift)
        self.draw(board)
        return format_html(
            '<svg class="{}" viewBox="0 0 {} {}" role="img"><title>{}</title><desc>{}</desc>{}</svg>',
            css, width, self.height, self.title, self.summary, mark_safe("".join(board.marks)),  # noqa: S308
        )  # fmt: skip

    def _table(self) -> SafeString:
        if not self.rows:
            return mark_safe("")
        head = format_html_join("", "<th scope='col'>{}</th>", ((column,) for column in self.columns))
        body = format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in self.rows))
        return format_html(
            '<details class="h-data"><summary>{}</summary><div class="h-scroll"><table class="h-table">'
            "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></details>",
            _("Show the numbers"), head, body,
        )  # fmt: skip


def _cells(row: Sequence[Any]) -> SafeString:
    first, *rest = row
    return format_html("<th scope='row'>{}</th>{}", first, format_html_join("", "<td>{}</td>", ((c,) for c in rest)))


class Board:
    """One drawing area in user units; y grows upwards for callers. Marks are collected as SVG text."""

    def __init__(self, width: int, height: int, lowest: float, highest: float) -> None:
        self.width, self.height = width, height
        self.step = nice_step(max(highest - min(lowest, 0.0), 1e-9) / 4)
        self.lowest = math.floor(min(lowest, 0.0) / self.step) * self.step
        self.highest = max(math.ceil(highest / self.step) * self.step, self.lowest + self.step)
        self.marks: list[str] = []

    @property
    def is_narrow(self) -> bool:
        return self.width < 600

    def x(self, share: float) -> float:
        """`share` 0 is the left edge of the plot, 1 the right one."""
        return LEFT + share * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        bounded = min(max(value, self.lowest), self.highest)
        return TOP + (self.highest - bounded) / (self.highest - self.lowest) * (self.height - TOP - BOTTOM)

    def grid(self, shift: float = 0.0) -> None:
        value = self.lowest
        while value <= self.highest + self.step / 2:
            y = self.y(value)
            self.marks.append(f'<line class="h-grid" x1="{LEFT}" x2="{self.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            self.text(LEFT - 6, y + 4, compact(round(value + shift, 9)), "end")
            value += self.step

    def text(self, x: float, y: float, words: Any, anchor: str = "middle", css: str = "h-tick") -> None:
        self.marks.append(f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>')

    def ticks(self, labels: Sequence[tuple[float, Any]]) -> None:
        """Words under the plot at these shares; thinned so that they do not touch."""
        longest = max((len(str(words)) for _share, words in labels), default=0)
        room = (7 * longest + 16) / (self.width - LEFT - RIGHT)
        last = -1.0
        for share, words in labels:
            anchor = "start" if share < room / 2 else "end" if share > 1 - room / 2 else "middle"
            if share - last >= (1.5 * room if anchor == "end" else room):
                self.text(self.x(share), self.height - 6, words, anchor)
                last = share + room / 2 if anchor == "start" else share

    def rule(self, share: float, words: Any = "", css: str = "h-now") -> None:
        x = self.x(share)
        self.marks.append(f'<line class="{css}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{self.height - BOTTOM}"/>')
        if words:
            self.text(x + 5, TOP + 10, words, "start", "h-note")

    def line(self, points: Sequence[tuple[float, float]], css: str) -> None:
        path = " ".join(f"{self.x(s):.1f},{self.y(v):.1f}" for s, v in points)
        self.marks.append(f'<polyline class="{css}" points="{path}"/>')

    def area(self, upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]], css: str) -> None:
        path = " ".join(f"{self.x(s):.1f},{self.y(v):.1f}" for s, v in [*upper, *reversed(lower)])
        self.marks.append(f'<polygon class="{css}" points="{path}"/>')

    def bar(self, left: float, right: float, value: float, css: str, words: Any = "") -> None:
        x0, x1, y0, y1 = self.x(left), self.x(right), self.y(max(value, 0)), self.y(min(value, 0))
        title = f"<title>{escape(words)}</title>" if words else ""
        size = f'x="{x0:.1f}" y="{y0:.1f}" width="{max(x1 - x0, 0.6):.1f}" height="{max(y1 - y0, 0):.1f}"'
        self.marks.append(f'<rect class="{css}" {size}>{title}</rect>')

    def band(self, left: float, right: float, css: str) -> None:
        """A vertical band over the whole height, for days that were special."""
        x0, x1 = self.x(left), self.x(right)
        self.marks.append(
            f'<rect class="{css}" x="{x0:.1f}" y="{TOP}" width="{max(x1 - x0, 0.6):.1f}" '
            f'height="{self.height - TOP - BOTTOM}"/>'
        )

    def ribbon(self, left: float, right: float, css: str, words: Any) -> None:
        """A low strip along the bottom of the plot for days that were special, named when pointed at."""
        x0, x1, y = self.x(left), self.x(right), self.height - BOTTOM
        size = f'x="{x0:.1f}" y="{y}" width="{max(x1 - x0, 1.5):.1f}" height="5"'
        self.marks.append(f'<rect class="{css}" {size}><title>{escape(words)}</title></rect>')

    def dot(self, share: float, value: float, css: str, words: Any) -> None:
        place = f'cx="{self.x(share):.1f}" cy="{self.y(value):.1f}" r="4"'
        self.marks.append(f'<circle class="{css}" {place}><title>{escape(words)}</title></circle>')


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 2.5, 5 × a power of ten that is at least `rough`: 0.7 → 1, 13 → 20."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * (1 - 1e-9))


def compact(value: float) -> str:
    """A tick's number: 950, 1.5k, 2M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def shown(value: float, digits: int = 1) -> str:
    return number_format(round(value, digits), digits if value % 1 else 0)
