"""Stock as it is likely to run: with and without an order, the band it may stray in, and the levels of the policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from config.kernel.charts.canvas import Board, Figure, shown


@dataclass(frozen=True, slots=True)
class StockData:
    """Units at the end of each day from `first` on. `low` … `high` is the band without the order; `with_order` is empty
    where there is none. `arrivals` are (day of the chart, units, what it is)."""

    first: date
    without: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    with_order: Sequence[float] = ()
    arrivals: Sequence[tuple[int, float, str]] = ()
    reorder_point: float | None = None
    safety_stock: float | None = None
    band_name: Any = ""

    @property
    def days(self) -> int:
        return len(self.without)


def stock_chart(data: StockData, *, title: Any, height: int = 220) -> Figure:
    levels = [level for level in (data.reorder_point, data.safety_stock) if level is not None]
    return Figure(
        title=title,
        summary=_summary(data),
        draw=lambda board: _draw(board, data),
        lowest=min([0.0, *data.without]),
        highest=max([1.0, *data.high, *data.without, *data.with_order, *levels]),
        columns=(_("Day"), _("Without the order"), _("Low"), _("High"), _("With the order"), _("Arrives")),
        rows=_rows(data),
        legend=_legend(data),
        height=height,
    )


def _summary(data: StockData) -> str:
    empty = next((n for n, units in enumerate(data.without) if units <= 0), None)
    if empty is None:
        return _("%(units)s units are left after %(days)s days without the order.") % {
            "units": shown(data.without[-1] if data.without else 0.0, 0),
            "days": data.days,
        }
    day = date_format(data.first + timedelta(empty), "MONTH_DAY_FORMAT")
    return _("Without the order, stock is expected to run out on %(day)s.") % {"day": day}


def _legend(data: StockData) -> list[tuple[str, Any]]:
    legend: list[tuple[str, Any]] = [("h-second", _("Without the order")), ("h-fan", data.band_name)]
    if data.with_order:
        legend.insert(0, ("h-average", _("With the order")))
    if data.reorder_point is not None:
        legend.append(("h-rop", _("Reorder point %(units)s") % {"units": shown(data.reorder_point, 0)}))
    if data.safety_stock is not None:
        legend.append(("h-safety", _("Safety stock %(units)s") % {"units": shown(data.safety_stock, 0)}))
    if data.arrivals:
        legend.append(("h-arrival", _("Arrives")))
    return legend


def _draw(board: Board, data: StockData) -> None:
    days = max(data.days, 1)
    places = [(n + 0.5) / days for n in range(data.days)]

    def points(values: Sequence[float]) -> list[tuple[float, float]]:
        return list(zip(places, values, strict=False))

    for level, css in ((data.reorder_point, "h-rop"), (data.safety_stock, "h-safety")):
        if level is not None:
            board.line([(0.0, level), (1.0, level)], css)
    board.area(points(data.high), points(data.low), "h-fan")
    board.line(points(data.without), "h-second")
    if data.with_order:
        board.line(points(data.with_order), "h-average")
    for day, units, name in data.arrivals:
        if 0 <= day < days:
            words = _("%(day)s: %(units)s arrive (%(name)s)") % {
                "day": date_format(data.first + timedelta(day), "MONTH_DAY_FORMAT"),
                "units": shown(units, 0),
                "name": name,
            }
            board.ribbon(day / days, (day + 1) / days, "h-arrival", words)
    mondays = [n for n in range(data.days) if (data.first + timedelta(n)).weekday() == 0]
    board.ticks([((n + 0.5) / days, date_format(data.first + timedelta(n), "MONTH_DAY_FORMAT")) for n in mondays])


def _rows(data: StockData) -> list[tuple[str, ...]]:
    arriving: dict[int, list[str]] = {}
    for day, units, name in data.arrivals:
        arriving.setdefault(day, []).append(f"{shown(units, 0)} ({name})")
    return [
        (
            (data.first + timedelta(n)).isoformat(),
            shown(data.without[n]),
            shown(data.low[n]),
            shown(data.high[n]),
            shown(data.with_order[n]) if data.with_order else "",
            ", ".join(arriving.get(n, ())),
        )
        for n in range(data.days)
    ]
