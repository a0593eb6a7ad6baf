"""Stock that is expected on a day, and stock that is held back: told by whoever knows, asked by the promises.

Warehouses knows its own transfers; buying registers its orders and safety stocks from the right (its AppConfig).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F

from config.kernel.lookups import is_one_of
from warehouses.models import Transfer, TransferLine

Pair = tuple[int, int]
"""(sku id, warehouse id)"""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Units of a SKU expected in a warehouse on a day; `reference` is the document's number."""

    sku_id: int
    warehouse_id: int
    on: date
    quantity: Decimal
    reference: str


InboundFunction = Callable[[Collection[int]], Iterable[Inbound]]
SafetyFunction = Callable[[Collection[int]], dict[Pair, Decimal]]

_INBOUND: list[InboundFunction] = []
_SAFETY: list[SafetyFunction] = []


def register_inbound(function: InboundFunction) -> None:
    """`function(sku ids)` tells what is expected of them; it costs a constant number of queries."""
    if function not in _INBOUND:
        _INBOUND.append(function)


def register_safety_stock(function: SafetyFunction) -> None:
    """`function(sku ids)` tells the units to hold back, (sku id, warehouse id) → units above zero."""
    if function not in _SAFETY:
        _SAFETY.append(function)


def inbound_supply(sku_ids: Collection[int]) -> dict[int, list[Inbound]]:
    """sku id → what is expected of it, the earliest first."""
    found: dict[int, list[Inbound]] = defaultdict(list)
    for function in _INBOUND:
        for inbound in function(sku_ids):
            found[inbound.sku_id].append(inbound)
    for rows in found.values():
        rows.sort(key=lambda row: (row.on, row.reference))
    return found


def safety_stocks(sku_ids: Collection[int]) -> dict[Pair, Decimal]:
    """(sku id, warehouse id) → units held back for safety; pairs with none are left out."""
    found: dict[Pair, Decimal] = defaultdict(Decimal)
    for function in _SAFETY:
        for pair, quantity in function(sku_ids).items():
            found[pair] += quantity
    return found


def transfers_under_way(sku_ids: Collection[int] | None = None) -> list[Inbound]:
    """What other warehouses sent and the destination expects on a day, of all SKUs when none are named; undated
    transfers promise nothing."""
    left = F("shipped_quantity") - F("received_quantity") - F("lost_quantity")
    under_way = TransferLine.objects.filter(transfer__status__in=Transfer.MOVING, transfer__expected_on__isnull=False)
    if sku_ids is not None:
        under_way = under_way.filter(is_one_of("sku_id", sku_ids))
    lines = under_way.annotate(left=left).filter(left__gt=0).order_by("pk")
    rows = lines.values_list("sku_id", "transfer__destination_id", "transfer__expected_on", "left", "transfer__number")
    return [Inbound(*row) for row in rows]  # type: ignore[arg-type]  # a day is there: see the filter


register_inbound(transfers_under_way)
