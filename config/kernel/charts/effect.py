"""An effect look by look: the estimate with its interval, the line of no effect, and a limit not to be crossed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from config.kernel.charts.canvas import Board, Figure, shown


@dataclass(frozen=True, slots=True)
class Seen:
    """The effect on a day, and the bounds of its interval."""

    day: date
    effect: float
    low: float
    high: float


def effect_chart(
    looks: Sequence[Seen],
    *,
    title: Any,
    limit: float | None = None,
    limit_name: Any = "",
    height: int = 220,
    say: Callable[[float], str] = shown,
) -> Figure:
    """Looks in the order of their days. The first intervals are wide: they run off the plot rather than flatten it."""
    settled = looks[len(looks) // 2 :]
    bounds = [value for look in settled for value in (look.low, look.high)] + [look.effect for look in looks]
    bounds += [0.0, *([limit] if limit is not None else [])]
    legend: list[tuple[str, Any]] = [("h-average", _("Effect")), ("h-fan", _("Its interval, valid at every look"))]
    if limit is not None:
        legend.append(("h-safety", limit_name))
    last = looks[-1] if looks else None
    words = {"effect": say(last.effect), "low": say(last.low), "high": say(last.high)} if last else {}
    return Figure(
        title=title,
        summary=_("%(effect)s, between %(low)s and %(high)s") % words if last else _("No figures yet."),
        draw=lambda board: _draw(board, looks, limit),
        lowest=min(bounds),
        highest=max(max(bounds), 1e-9),
        columns=(_("Day"), _("Effect"), _("At least"), _("At most")),
        rows=[(one.day.isoformat(), say(one.effect), say(one.low), say(one.high)) for one in looks],
        legend=legend,
        height=height,
    )


def _draw(board: Board, looks: Sequence[Seen], limit: float | None) -> None:
    if not looks:
        return
    first, span = looks[0].day, max((looks[-1].day - looks[0].day).days, 1)
    places = [(look.day - first).days / span for look in looks]
    upper, lower = (
        [(x, getattr(look, side)) for x, look in zip(places, looks, strict=True)] for side in ("high", "low")
    )
    if len(looks) > 1:
        board.area(upper, lower, "h-fan")
    else:
        board.line([upper[0], lower[0]], "h-average")
    board.line([(0.0, 0.0), (1.0, 0.0)], "h-second")
    if limit is not None:
        board.line([(0.0, limit), (1.0, limit)], "h-safety")
    board.line([(x, look.effect) for x, look in zip(places, looks, strict=True)], "h-average")
    board.dot(places[-1], looks[-1].effect, "h-average", shown(looks[-1].effect, 2))
    board.ticks([(x, date_format(look.day, "MONTH_DAY_FORMAT")) for x, look in zip(places, looks, strict=True)])
