"""A channel's order (step 2 of the story): recorded once, its stock reserved, or called off.

Lock order: the order, then its stock levels (see warehouses.locks).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel.errors import Conflict
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_order
from warehouses.models import SalesOrder, SalesOrderLine
from warehouses.services.order_states import TRANSITIONS, order_lines, require_open, save_lines, status_of
from warehouses.services.reservations import hold, locked_free_stock, release, reserve_backorders
from warehouses.services.sale_checks import CheckedLine, Sale, SaleLine, checked_lines
from warehouses.services.shipments import ship_order

__all__ = ["TRANSITIONS", "Sale", "SaleLine", "cancel_order", "record_sale", "reserve_backorders", "ship_order"]

_Status = SalesOrder.Status

_NOTHING = Decimal(0)


@one_transaction
def record_sale(sale: Sale, *, now: datetime, actor: Any = None) -> tuple[SalesOrder, bool]:
    """Record the order and reserve its stock; (order, True), or (the order recorded before, False).

    A line is wholly served from the first of the channel's warehouses that can; if none can, the one with most gives
    what it has and the rest is backordered. Lines of one SKU share what is free. Locks the usable levels of its SKUs.
    Raises ValidationFailed with every fault of the order, Conflict when the number was used for another order.
    """
    channel = Channel.objects.filter(code=sale.channel_code).first()
    if channel and (known := _recorded(channel, sale)):
        return known, False
    lines = checked_lines(sale, channel, now=now)
    assert channel is not None  # noqa: S101 (checked_lines has refused the order)
    try:
        with transaction.atomic():
            order = SalesOrder.objects.create(
                channel=channel,
                external_id=sale.external_id,
                status=_Status.RESERVED,
                customer_reference=sale.customer_reference,
                ship_to_country=sale.ship_to_country,
                currency=channel.currency,
                ordered_at=sale.ordered_at or now,
            )
    except IntegrityError:
        # A twin was faster: the insert has waited on the unique index until its transaction ended.
        if known := _recorded(channel, sale):
            return known, False
        raise
    _reserve(order, lines, now=now)
    return order, True


@one_transaction
def cancel_order(order_id: int, *, now: datetime, actor: Any = None) -> SalesOrder:
    """Call off what was not shipped and let its stock go, to whoever waits for it.

    Locks the order and its reserved levels. Raises NotFound, and Conflict when the order is shipped or cancelled.
    """
    order = locked_order(order_id)
    require_open(order)
    lines = order_lines(order)
    freed = [line.sku_id for line in lines if line.reserved_quantity]
    release(lines)
    for line in lines:
        line.cancelled_quantity = line.quantity - line.shipped_quantity
        line.reserved_quantity = _NOTHING
    save_lines(order, lines)
    if freed:
        reserve_backorders(freed, now=now)
    return order


def _recorded(channel: Channel, sale: Sale) -> SalesOrder | None:
    """The order of this number, if there is one. Raises Conflict when it says something else than `sale`."""
    order = SalesOrder.objects.filter(channel=channel, external_id=sale.external_id).first()
    if order is None:
        return None
    stored = [
        (line.sku.code, line.quantity, line.unit_price, line.warehouse.code)
        for line in order.lines.select_related("sku", "warehouse").order_by("line_number")
    ]
    given = [
        (line.sku_code, line.quantity, line.unit_price, line.warehouse_code or place)
        for line, (*_rest, place) in zip(sale.lines, stored, strict=False)
    ]
    same = (
        len(sale.lines) == len(stored)
        and given == stored
        and sale.ordered_at in (None, order.ordered_at)
        and (sale.customer_reference, sale.ship_to_country) == (order.customer_reference, order.ship_to_country)
    )
    if not same:
        message = _("Order %(number)s of %(channel)s is recorded already, with other contents.")
        raise Conflict(message % {"number": sale.external_id, "channel": channel.code}, code="already_recorded")
    return order


def _reserve(order: SalesOrder, lines: Sequence[CheckedLine], *, now: datetime) -> None:
    warehouses = {warehouse for line in lines for warehouse in line.warehouse_ids}
    free = locked_free_stock({line.sku.pk for line in lines}, warehouses, now=now)
    rows, taken = [], []
    for line in lines:
        warehouse = free.choose(line.sku.pk, line.warehouse_ids, line.quantity)
        parts = free.take(line.sku.pk, warehouse, line.quantity)
        taken.append(parts)
        rows.append(
            SalesOrderLine(
                order=order,
                line_number=line.number,
                sku=line.sku,
                warehouse_id=warehouse,
                quantity=line.quantity,
                unit_price=line.unit_price,
                reserved_quantity=sum(parts.values(), _NOTHING),
            )
        )
    rows = SalesOrderLine.objects.bulk_create(rows)
    hold(list(zip(rows, taken, strict=True)))
    if (status := status_of(rows)) != order.status:
        order.status = status
        order.save(update_fields=["status"])
