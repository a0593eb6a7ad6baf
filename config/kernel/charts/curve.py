"""What one thing costs in another: points on two number axes, joined into a curve, and some that stand out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.kernel.charts.canvas import Board, Figure, compact, nice_step, shown


@dataclass(frozen=True, slots=True)
class Point:
    """`low`/`high` bound y. `css` names its colour: h-average, h-median or h-second."""

    x: float
    y: float
    name: Any
    css: str = "h-second"
    low: float | None = None
    high: float | None = None


def curve_chart(
    curve: Sequence[Point],
    points: Sequence[Point],
    *,
    title: Any,
    x_name: Any,
    y_name: Any,
    curve_name: Any,
    height: int = 280,
) -> Figure:
    """y is a share drawn in %; its axis begins a little below the least share, x at 0 or a little below the least."""
    everything = [*curve, *points]
    least = min([0.99, *(p.y if p.low is None else min(p.low, p.y) for p in everything)])
    floor = max(5 * int((100 * least - 0.5) // 5), 0)
    legend: list[tuple[str, Any]] = [("h-second", curve_name)] if curve else []
    return Figure(
        title=title,
        summary="; ".join(f"{p.name}: {_percent(p.y)}, {shown(p.x, 0)}" for p in points),
        draw=lambda board: _draw(board, curve, points, floor, x_name),
        lowest=0,
        highest=100 - floor,
        columns=("", x_name, y_name),
        rows=[(p.name, shown(p.x, 0), _percent(p.y)) for p in (*points, *curve)],
        legend=[*legend, *((p.css, p.name) for p in points)],
        height=height,
        shift=floor,
    )


def _percent(share: float) -> str:
    return f"{shown(100 * share, 1)} %"


def _draw(board: Board, curve: Sequence[Point], points: Sequence[Point], floor: float, x_name: Any) -> None:
    values = [p.x for p in (*curve, *points)]
    if not values:
        return
    spread = max(values) - min(values)
    first = max(min(values) - 0.15 * max(spread, 0.1 * max(values)), 0.0)
    last = max(values) + 0.12 * max(spread, 0.1 * max(values), 1e-9)
    step = nice_step(max(last - first, 1e-9) / (3 if board.is_narrow else 6))

    def share(x: float) -> float:
        return (x - first) / max(last - first, 1e-9)

    mark, ticks = step * -(-first // step), []
    while mark <= last:
        ticks.append((share(mark), compact(round(mark, 6))))
        mark += step
    board.ticks(ticks)
    board.text(board.width - 12, board.height - 30, x_name, "end", "h-note")
    board.line([(share(p.x), 100 * p.y - floor) for p in curve], "h-second")
    for p in curve:
        board.dot(share(p.x), 100 * p.y - floor, "h-second", f"{p.name}: {_percent(p.y)}, {shown(p.x, 0)}")
    for p in points:
        if p.low is not None and p.high is not None:
            board.line([(share(p.x), 100 * p.low - floor), (share(p.x), 100 * p.high - floor)], p.css)
        board.dot(share(p.x), 100 * p.y - floor, f"{p.css} h-big", f"{p.name}: {_percent(p.y)}, {shown(p.x, 0)}")
