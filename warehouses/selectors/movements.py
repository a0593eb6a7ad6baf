"""The history of one level, with what lay there after each movement."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from warehouses.models import StockLevel, StockMovement


@dataclass(frozen=True, slots=True)
class HistoryRow:
    movement: StockMovement
    balance: Decimal


def movements_of(level: StockLevel) -> QuerySet[StockMovement]:
    """The movements a level sums up, latest first."""
    moves = StockMovement.objects.filter(
        sku=level.sku_id, location=level.location_id, lot=level.lot_id, status=level.status
    )
    return moves.order_by("-happened_at", "-pk")


def history_page(level: StockLevel, *, size: int, before: int | None = None) -> tuple[list[HistoryRow], int | None]:
    """Up to `size` movements with the balance after each, and the id to go on `before`; None when these are the last.

    Read from the newest backwards: the newest left what lies there now, each older one left so much less. Further back
    than the first page, what came after it is summed up first, so a page costs the same however long the history is.
    """
    moves, balance = movements_of(level), level.on_hand
    start = moves.filter(pk=before).first() if before else None
    if start is not None:
        older = Q(happened_at__lt=start.happened_at) | Q(happened_at=start.happened_at, pk__lt=start.pk)
        newer = moves.exclude(older).order_by().aggregate(units=Sum("quantity"))["units"]
        moves, balance = moves.filter(older), balance - (newer or Decimal(0))
    found = list(moves.select_related("actor")[: size + 1])
    rows = []
    for move in found[:size]:
        rows.append(HistoryRow(move, balance))
        balance -= move.quantity
    return rows, found[size - 1].pk if len(found) > size else None
