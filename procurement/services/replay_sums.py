"""What replays add up to: a few sums for each world and segment, from which every figure and its interval comes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from procurement.engine.replay.result import ReplayResult

SUMS = (
    "demand", "short", "demand_value", "short_value", "cycles", "cycles_short", "stock_value_days", "orders",
    "stockout_days", "wasted_value", "holding", "ordering", "stockout", "waste", "total",
)  # fmt: skip
ALL = ""
# figure → (above, below, whether it is one minus their ratio); below None: a sum over the days.
FIGURES: dict[str, tuple[str, str | None, bool]] = {
    "fill_rate": ("short", "demand", True),
    "fill_rate_value": ("short_value", "demand_value", True),
    "cycle_service": ("cycles_short", "cycles", True),
    "stock_value": ("stock_value_days", None, False),
    "orders": ("orders", None, False),
    "stockout_days": ("stockout_days", None, False),
    "wasted_value": ("wasted_value", None, False),
    "cost_holding": ("holding", None, False),
    "cost_ordering": ("ordering", None, False),
    "cost_stockout": ("stockout", None, False),
    "cost_total": ("total", None, False),
}


@dataclass(slots=True)
class Tally:
    """Sums (M, len(SUMS)) by segment, of one policy; ALL holds them together."""

    scenarios: int
    by_segment: "dict[str, NDArray[np.float64]]" = field(default_factory=dict)

    def add(self, result: "ReplayResult", segments: Sequence[str]) -> None:
        import numpy as np

        sums = _of_items(result)
        names = np.array(segments)
        for segment in (ALL, *sorted(set(segments) - {ALL})):
            chosen = sums if segment == ALL else sums[:, names == segment]
            held = self.by_segment.setdefault(segment, np.zeros((self.scenarios, len(SUMS))))
            held += chosen.sum(axis=1)


def _of_items(result: "ReplayResult") -> "NDArray[np.float64]":
    """(M, N, len(SUMS))"""
    import numpy as np

    replay, costs = result.replay, result.costs()
    parts = {
        "demand": result.demand,
        "short": result.short,
        "demand_value": result.demand * replay.unit_price,
        "short_value": result.short * replay.unit_price,
        "cycles": result.cycles,
        "cycles_short": result.cycles_short,
        "stock_value_days": result.stock_days * replay.unit_cost / replay.counted_days,
        "orders": result.orders,
        "stockout_days": result.stockout_days,
        "wasted_value": result.wasted * replay.unit_cost,
        **{kind: costs[kind] for kind in ("holding", "ordering", "stockout", "waste", "total")},
    }
    return np.stack([parts[name] for name in SUMS], axis=-1)


def figures(today: Tally, challenger: Tally, segment: str = ALL) -> dict[str, dict[str, list[float | None]]]:
    """figure → today, challenger and challenger − today, each [value, low, high] at 95 %; worlds are the clusters, and
    both policies met the same ones, so that chance cancels out of the difference."""
    from procurement.engine.replay.estimates import interval

    found = {}
    for name in FIGURES:
        ours, theirs = (_linear(tally.by_segment[segment], name) for tally in (today, challenger))
        apart = interval(theirs[0] - ours[0], theirs[1] - ours[1])
        found[name] = {
            "today": _bounded(name, _listed(interval(*ours))),
            "challenger": _bounded(name, _listed(interval(*theirs))),
            "difference": _listed(apart),
        }
    return found


def value_of(tally: Tally, name: str, segment: str = ALL) -> float | None:
    return _number(_linear(tally.by_segment[segment], name)[0])


def _linear(sums: "NDArray[np.float64]", name: str) -> tuple[float, Any]:
    """The figure and how much each world moves it."""
    import numpy as np

    from procurement.engine.replay.estimates import linearised

    above, below, is_left = FIGURES[name]
    over = np.ones(len(sums)) if below is None else sums[:, SUMS.index(below)]
    value, influence = linearised(sums[:, SUMS.index(above)], over)
    return (1.0 - value, -influence) if is_left else (value, influence)


def _listed(estimate: Any) -> list[float | None]:
    return [_number(value) for value in (estimate.value, estimate.low, estimate.high)]


def _bounded(name: str, estimate: list[float | None]) -> list[float | None]:
    """No interval reaches below nothing, nor that of a share beyond the whole."""
    most = 1.0 if FIGURES[name][2] else float("inf")
    return [None if value is None else min(max(value, 0.0), most) for value in estimate]


def _number(value: float) -> float | None:
    """JSON knows no nan."""
    return float(value) if value == value and abs(value) != float("inf") else None
