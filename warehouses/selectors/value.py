"""What stock is worth, row by row, and what the goods that left had cost (COGS)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import DecimalField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from catalog.models import Sku
from warehouses.models import LandedCostLine, StockMovement
from warehouses.selectors.as_of import Clock, WorthRow, stock_as_of

NOTHING = Decimal(0)
_FIRST_SKUS, _MOST_SKUS = 100, 20_000
_Kind = StockMovement.Kind


@dataclass(frozen=True, slots=True)
class CostOfGoods:
    """Cost of goods sold: what left with sales, less what came back, and landed costs that came after the goods had
    gone (`expensed`)."""

    sold: Decimal = NOTHING
    returned: Decimal = NOTHING
    expensed: Decimal = NOTHING

    @property
    def net(self) -> Decimal:
        return self.sold - self.returned + self.expensed


def worth_rows(
    at: datetime,
    *,
    clock: str = Clock.HAPPENED,
    sku_ids: Collection[int] | None = None,
    warehouse_ids: Collection[int] | None = None,
    after: tuple[int, int] = (0, 0),
) -> Iterator[WorthRow]:
    """SKU × warehouse as of `at`, by SKU id and warehouse id, behind the pair `after`.

    SKUs are read some hundred at a time, ever more of them, so that a page costs as little as the rows it shows and the
    whole list is read in a few statements.
    """
    size, reached = _FIRST_SKUS, after[0] - 1
    while True:
        chosen = Sku.objects.filter(pk__gt=reached)
        if sku_ids is not None:
            chosen = chosen.filter(pk__in=sku_ids)
        part = list(chosen.order_by("pk").values_list("pk", flat=True)[:size])
        if not part:
            return
        found = stock_as_of(at, clock=clock, sku_ids=part, warehouse_ids=warehouse_ids)
        for pair, worth in found.items():
            if pair > after:
                yield WorthRow(*pair, worth.quantity, worth.value)
        reached, size = part[-1], min(size * 4, _MOST_SKUS)


def cost_of_shipment() -> Coalesce:
    """An expression for querysets of shipments: what the goods of each had cost."""
    sold = (
        StockMovement.objects.filter(kind=_Kind.SALE, reference=OuterRef("number"))
        .order_by()
        .values("reference")
        .annotate(cost=-Sum("value"))
        .values("cost")
    )
    money = DecimalField(max_digits=18, decimal_places=4)
    return Coalesce(Subquery(sold, output_field=money), NOTHING, output_field=money)


def cost_of_goods_by_shipment(numbers: Iterable[str]) -> dict[str, Decimal]:
    """Shipment number → what its goods had cost; a shipment without movements is left out."""
    sold = StockMovement.objects.filter(kind=_Kind.SALE, reference__in=list(numbers)).order_by()
    return {number: -value for number, value in sold.values_list("reference").annotate(value=Sum("value"))}


def cost_of_goods_by_order(order_ids: Iterable[int]) -> dict[int, CostOfGoods]:
    """Order id → its cost of goods sold, net of what was sent back; orders of which nothing left are left out."""
    found: dict[int, dict[str, Decimal]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_ORDER, {"orders": list(order_ids)})
        for order_id, kind, value in cursor.fetchall():
            found.setdefault(order_id, {})[kind] = value
    return {order_id: _cost(sums) for order_id, sums in found.items()}


def cost_of_goods_by_channel(start: datetime, end: datetime) -> dict[int, CostOfGoods]:
    """Channel id → cost of what left and came back in [start, end), by when it happened. Landed costs that were
    expensed belong to no channel: `expensed_landed_costs`."""
    found: dict[int, dict[str, Decimal]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_CHANNEL, {"start": start, "end": end})
        for channel_id, kind, value in cursor.fetchall():
            found.setdefault(channel_id, {})[kind] = value
    return {channel_id: _cost(sums) for channel_id, sums in found.items()}


def expensed_landed_costs(start: datetime, end: datetime) -> Decimal:
    """Landed costs of [start, end) on goods that were gone by then."""
    lines = LandedCostLine.objects.filter(landed_cost__happened_at__gte=start, landed_cost__happened_at__lt=end)
    return lines.aggregate(total=Sum("expensed"))["total"] or NOTHING


def cost_of_goods_sold(start: datetime, end: datetime) -> CostOfGoods:
    """All channels in [start, end), with the landed costs that were expensed."""
    channels = cost_of_goods_by_channel(start, end).values()
    return CostOfGoods(
        sold=sum((cost.sold for cost in channels), NOTHING),
        returned=sum((cost.returned for cost in channels), NOTHING),
        expensed=expensed_landed_costs(start, end),
    )


def _cost(sums: Mapping[str, Decimal]) -> CostOfGoods:
    return CostOfGoods(sold=-sums.get(_Kind.SALE, NOTHING), returned=sums.get(_Kind.RETURN, NOTHING))


# A return's movements are found by their keys: its number is the channel's own, and two channels may use one number.
_BY_ORDER = """
SELECT shipment.order_id, move.kind, sum(move.value)
FROM warehouses_shipment shipment
JOIN warehouses_stockmovement move ON move.reference = shipment.number AND move.kind = 'sale'
WHERE shipment.order_id = ANY(%(orders)s) GROUP BY 1, 2
UNION ALL
SELECT line.order_id, move.kind, sum(move.value)
FROM warehouses_salesorderline line
JOIN warehouses_salesreturnline back ON back.order_line_id = line.id
JOIN warehouses_stockmovement move
  ON move.idempotency_key = 'return:' || back.sales_return_id || ':' || back.line_number AND move.kind = 'return'
WHERE line.order_id = ANY(%(orders)s) GROUP BY 1, 2
"""

_BY_CHANNEL = """
SELECT orders.channel_id, move.kind, sum(move.value)
FROM warehouses_stockmovement move
JOIN warehouses_shipment shipment ON shipment.number = move.reference
JOIN warehouses_salesorder orders ON orders.id = shipment.order_id
WHERE move.kind = 'sale' AND move.happened_at >= %(start)s AND move.happened_at < %(end)s GROUP BY 1, 2
UNION ALL
SELECT back.channel_id, move.kind, sum(move.value)
FROM warehouses_stockmovement move
JOIN warehouses_salesreturn back ON back.id = split_part(move.idempotency_key, ':', 2)::bigint
WHERE move.kind = 'return' AND move.idempotency_key ~ '^return:[0-9]{1,18}:'
  AND move.happened_at >= %(start)s AND move.happened_at < %(end)s GROUP BY 1, 2
"""
