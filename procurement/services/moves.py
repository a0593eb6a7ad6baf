"""Whether what is on order comes when it is needed: sooner, later or not at all would be better, and what that saves.

Orders serve demand first in, first out: a line is needed on the day on which the stock and the lines before it are used
up. Two levels part the two wishes, so that a plan does not ask for one thing today and the other tomorrow: sooner only
when half the safety stock would be used up before the line comes, later only when the line would come a review period
before any of it is touched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from procurement.models import ActionMessage
from procurement.services.projection import ExpectedDemand

if TYPE_CHECKING:
    from procurement.engine.replenishment_types import ReplenishmentInput

Kind = ActionMessage.Kind
DAYS_A_YEAR = 365.0
_STOCK = (
    ("on_hand", "OH", "stock"),
    ("reserved", "RS", "stock"),
    ("backordered", "BO", "orders"),
    ("in_transit", "TR", "transfers"),
)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line still to come. `waits` says that a change of the supplier's is not decided yet: no message meanwhile."""

    line_id: int
    expected_on: date
    units: float
    unit_cost: float
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Watched:
    """A SKU at a warehouse with lines on order: what the engine was given, what it decided, and what limits moving."""

    item: "ReplenishmentInput"
    safety_stock: float
    demand: ExpectedDemand
    frozen_days: int
    dampening_days: int
    unit_loss: float


@dataclass(frozen=True, slots=True)
class Move:
    """What a message says. `to_date` is None for a line that is not needed at all."""

    line_id: int
    kind: str
    from_date: date
    to_date: date | None
    units: float
    value: float
    explanation: list[dict[str, Any]]


def moves_of(watched: Watched, lines: Sequence[OpenLine], *, today: date) -> Iterator[Move]:
    """The moves worth asking for, in the order the lines come.

    Worked: 60 on hand, 10 a day, safety stock 20, a line expected in 12 days: half the safety stock is touched on day 5
    (60 − 10 = 50 units last 5 days), so it is to come 7 days sooner.
    """
    earlier = 0.0
    for line in sorted(lines, key=lambda line: (line.expected_on, line.line_id)):
        if not line.waits and (line.expected_on - today).days > watched.frozen_days:
            move = _move_of(watched, line, earlier, today)
            if move is not None:
                yield move
        earlier += line.units


def _move_of(watched: Watched, line: OpenLine, earlier: float, today: date) -> Move | None:
    item, demand = watched.item, watched.demand
    stock = item.on_hand - item.reserved - item.backordered + item.in_transit + earlier
    safety, expected = max(watched.safety_stock, 0.0), (line.expected_on - today).days
    worth = max(watched.dampening_days, 1)
    sooner = _days_of(stock, safety / 2, demand)
    if sooner is not None and expected - sooner >= worth:
        short = min(max(demand.until(expected) - max(stock, 0.0), 0.0), line.units)
        return _told(watched, line, Kind.EXPEDITE, earlier, today, sooner, short * watched.unit_loss)
    needed = _days_of(stock, safety, demand)
    if needed is None or needed > item.maximum_cover_days + expected:
        return _told(watched, line, Kind.CANCEL, earlier, today, None, line.units * line.unit_cost)
    later = needed - int(item.review_days)
    if later - expected >= worth:
        a_day = line.units * line.unit_cost * item.holding_cost_rate_per_year / DAYS_A_YEAR
        return _told(watched, line, Kind.DEFER, earlier, today, later, a_day * (later - expected))
    return None


def _days_of(stock: float, kept: float, demand: ExpectedDemand) -> int | None:
    """How many days the stock above `kept` lasts; 0 where customers wait for more than there is, whatever is asked."""
    return 0 if stock < 0.0 else demand.days_covered(max(stock - kept, 0.0))


def _told(
    watched: Watched, line: OpenLine, kind: str, earlier: float, today: date, to_day: int | None, value: float
) -> Move:
    from procurement.engine.explanation import Derivation, to_records

    item, derivation = watched.item, Derivation()
    for code, symbol, source in _STOCK:
        derivation.given(code, symbol, getattr(item, code), "units", source)
    derivation.given("earlier_receipts", "ER", earlier, "units", "purchase orders")
    derivation.given("safety_stock", "SS", max(watched.safety_stock, 0.0), "units", "policy")
    stock = "on_hand - reserved - backordered + in_transit + earlier_receipts"
    derivation.derive("stock_before", "I", stock, "units")
    kept = "safety_stock / 2" if kind == Kind.EXPEDITE else "safety_stock"
    derivation.derive("spendable_stock", "I−SS", f"max(0, stock_before - {kept})", "units")
    expected = (line.expected_on - today).days
    derivation.given("expected_in_days", "te", expected, "days", "purchase orders")
    derivation.given("demand_until_expected", "D(te)", watched.demand.until(expected), "units", "forecast")
    if to_day is not None:
        derivation.given("needed_in_days", "tn", to_day, "days", "forecast")
        derivation.derive("days_moved", "tn−te", "needed_in_days - expected_in_days", "days")
    return Move(
        line_id=line.line_id,
        kind=kind,
        from_date=line.expected_on,
        to_date=None if to_day is None else today + timedelta(days=to_day),
        units=line.units,
        value=value,
        explanation=to_records(derivation.terms),
    )


def as_units(value: float) -> Decimal:
    """Floats become Decimals here, on their way out: three decimals, as quantities are stored."""
    return Decimal(repr(value)).quantize(Decimal("0.001"))
