"""A chart for a cell of a table: some weeks of demand and, dotted, what is expected next; its words say the same."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from config.kernel.charts.canvas import shown

WIDTH, HEIGHT, EDGE = 96.0, 26.0, 2.0


def sparkline(past: Sequence[float], ahead: Sequence[float]) -> SafeString:
    """Units a week, the oldest first; nothing is drawn where there is nothing but zeros."""
    values = [*past, *ahead]
    if not any(values):
        return mark_safe('<span class="h-soft">–</span>')
    words = _("%(past)s a week lately, %(ahead)s expected") % {
        "past": shown(sum(past[-4:]) / max(len(past[-4:]), 1), 0),
        "ahead": shown(sum(ahead) / max(len(ahead), 1), 0) if ahead else "–",
    }
    return format_html(
        '<svg class="h-spark" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}"><title>{}</title>'
        '<polyline class="h-average" points="{}"/><polyline class="h-median" points="{}"/></svg>',
        WIDTH, HEIGHT, WIDTH, HEIGHT, words, words,
        _path(values, 0, len(past)), _path(values, max(len(past) - 1, 0), len(values)) if ahead else "",
    )  # fmt: skip


def _path(values: Sequence[float], first: int, last: int) -> str:
    top, span = max(values), max(len(values) - 1, 1)
    points = (
        (EDGE + i / span * (WIDTH - 2 * EDGE), HEIGHT - EDGE - max(values[i], 0) / top * (HEIGHT - 2 * EDGE))
        for i in range(first, last)
    )
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
