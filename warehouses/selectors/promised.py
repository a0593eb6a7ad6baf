"""When what waits of an order should be served: its place in the queue against what is expected."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from warehouses.models import SalesOrder, SalesOrderLine
from warehouses.selectors.inbound import Inbound, inbound_supply
from warehouses.selectors.sales import waiting_lines
from warehouses.selectors.stock import Position, stock_positions

_NOTHING = Decimal(0)
_NOWHERE = Position()


@dataclass(frozen=True, slots=True)
class LinePromise:
    """What waits of an order line, and the day it should be served; None when no supply is known for it."""

    line: SalesOrderLine
    waiting: Decimal
    on: date | None


def promised_dates(order: SalesOrder, *, now: datetime) -> list[LinePromise]:
    """When the units of the order that wait will be there: those before it in the queue of the same SKU and warehouse
    (channel's priority, then the oldest order) are served first, from what is free, then from what arrives."""
    today = timezone.localdate(now)
    mine: list[Any] = list(
        waiting_lines().filter(order=order).select_related("sku", "warehouse").order_by("line_number")
    )
    if not mine:
        return []
    sku_ids = sorted({line.sku_id for line in mine})
    positions, inbound = stock_positions(sku_ids, today=today), inbound_supply(sku_ids)
    queue = waiting_lines(sku_ids).order_by("order__channel__priority", "order__ordered_at", "order_id", "line_number")
    needed: dict[int, Decimal] = {}
    ahead: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    columns = ("pk", "sku_id", "warehouse_id", "backordered")
    for row in queue.values(*columns):
        place = row["sku_id"], row["warehouse_id"]
        ahead[place] += row["backordered"]
        needed[row["pk"]] = ahead[place]
    return [
        LinePromise(line, line.backordered, _day_of(needed.get(line.pk, _NOTHING), line, positions, inbound, today))
        for line in mine
    ]


def _day_of(
    needed: Decimal,
    line: SalesOrderLine,
    positions: Mapping[tuple[int, int], Position],
    inbound: Mapping[int, list[Inbound]],
    today: date,
) -> date | None:
    there = positions.get((line.sku_id, line.warehouse_id), _NOWHERE).available
    if there >= needed:
        return today
    for row in inbound.get(line.sku_id, ()):
        if row.warehouse_id == line.warehouse_id and row.on >= today:
            there += row.quantity
            if there >= needed:
                return row.on
    return None
