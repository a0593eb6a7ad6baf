"""What left for an order and did not come back: by SKU the lots, and the cost at which they left."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from warehouses.models import SalesOrder, SalesReturn, StockMovement

_NOTHING = Decimal(0)
_Kind = StockMovement.Kind


@dataclass(slots=True)
class Departure:
    lot_id: int | None
    lot_code: str
    units: Decimal
    unit_cost: Decimal


@dataclass(slots=True)
class Departures:
    """Taking from it makes it smaller, so the lines of one return share it."""

    by_sku: dict[int, list[Departure]] = field(default_factory=lambda: defaultdict(list))

    def left(self, sku_id: int, lot_code: str) -> Decimal:
        """Units of this lot that left and did not come back."""
        return sum((one.units for one in self.by_sku[sku_id] if one.lot_code == lot_code), _NOTHING)

    def take(self, sku_id: int, units: Decimal, *, lot_code: str = "") -> list[Departure]:
        """Up to so many units, of the lot where one is named, those that left first first."""
        taken = []
        for one in self.by_sku[sku_id]:
            part = min(one.units, units)
            if part > 0 and lot_code in ("", one.lot_code):
                one.units -= part
                units -= part
                taken.append(Departure(one.lot_id, one.lot_code, part, one.unit_cost))
        return taken


def departures_of(order: SalesOrder, sku_ids: Collection[int]) -> Departures:
    """Read from the ledger; nothing of an imported order, or of one that left before the ledger began, is in it."""
    found = Departures()
    sold = StockMovement.objects.filter(
        kind=_Kind.SALE, sku__in=sku_ids, reference__in=list(order.shipments.values_list("number", flat=True))
    )
    for move in sold.select_related("lot").order_by("pk"):
        cost = (move.value / move.quantity) if move.value else (move.unit_cost or _NOTHING)
        lot_code = move.lot.code if move.lot else ""
        found.by_sku[move.sku_id].append(Departure(move.lot_id, lot_code, -move.quantity, cost))
    for sku_id, lot_code, units in _came_back(order, sku_ids):
        # A unit without lot takes any: the lot it left with was not known when it came back.
        found.take(sku_id, units, lot_code=lot_code)
    return found


def _came_back(order: SalesOrder, sku_ids: Collection[int]) -> list[tuple[int, str, Decimal]]:
    returns = dict(SalesReturn.objects.filter(lines__order_line__order=order).values_list("pk", "external_id"))
    if not returns:
        return []
    keys = tuple(f"return:{pk}:" for pk in returns)
    moves = StockMovement.objects.filter(
        kind=_Kind.RETURN, sku__in=sku_ids, reference__in=set(returns.values())
    ).select_related("lot")
    return [
        (move.sku_id, move.lot.code if move.lot else "", move.quantity)
        for move in moves.order_by("pk")
        if move.idempotency_key.startswith(keys)
    ]
