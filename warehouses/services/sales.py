"""A channel's order (step 2 of the story): recorded once, its warehouses chosen, its stock reserved.

Lock order: the cart, quotas, stock levels (see warehouses.locks); the new order is written last, in one statement.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, InsufficientStock
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.models import SalesOrder
from warehouses.services.backorders import reserve_backorders
from warehouses.services.cancelling import cancel_order
from warehouses.services.carts import cart_skus, expire_due_carts, stocked_skus, take_over_cart
from warehouses.services.free_stock import locked_free_stock
from warehouses.services.order_states import TRANSITIONS, mark_delivered
from warehouses.services.order_writing import write_order
from warehouses.services.reservations import use_quotas
from warehouses.services.sale_checks import BACKORDER, REFUSE, CheckedLine, Sale, SaleLine, checked_lines, units_of
from warehouses.services.sale_facts import SaleFacts, sale_facts
from warehouses.services.shipments import ship_order
from warehouses.services.sourcing import SourcedLine, needed_skus, source_order

__all__ = [
    "BACKORDER",
    "REFUSE",
    "TRANSITIONS",
    "Sale",
    "SaleLine",
    "cancel_order",
    "mark_delivered",
    "record_sale",
    "reserve_backorders",
    "ship_order",
]


def record_sale(sale: Sale, *, now: datetime, actor: Any = None) -> tuple[SalesOrder, bool]:
    """Record the order and reserve its stock; (order, True), or (the order recorded before, False).

    Warehouses are chosen by `sourcing.source_order`; a line may be reserved over several of them when none has all of
    it. Lines of one SKU, and kits with common parts, share what is free; other channels' quotas are left alone. What is
    short is backordered, or the order is refused: where the channel takes no backorders, or the sale says so.

    Locks the open quotas of its SKUs, where there are any, and the usable levels; three statements for an order without
    kits, quotas, rates and pack units. A new order carries its lines as `written_lines`. Raises ValidationFailed with
    every fault of the order, InsufficientStock with every short line, Conflict when the number was used for another.

    What the sale's cart holds is freed for it in the same transaction. An order that would be refused ends the carts of
    its SKUs whose time is over first, and is tried again.
    """
    try:
        return _record_once(sale, now=now)
    except InsufficientStock as short:
        if not expire_due_carts(stocked_skus([str(item["sku"]) for item in short.items]), now=now):
            raise
    return _record_once(sale, now=now)


def _record_once(sale: Sale, *, now: datetime) -> tuple[SalesOrder, bool]:
    """In a transaction of its own, or as a part of the caller's: nothing is written before the last statement, so only
    an order that may be refused after its levels are locked, or frees a cart, needs a savepoint (to let them go)."""
    return (_record if connection.in_atomic_block else one_transaction(_record))(sale, now=now)


def _record(sale: Sale, *, now: datetime) -> tuple[SalesOrder, bool]:
    facts = sale_facts(
        sale.channel_code,
        sale.external_id,
        {line.sku_code for line in sale.lines},
        {line.warehouse_code for line in sale.lines if line.warehouse_code},
        {line.unit for line in sale.lines if line.unit},
    )
    if facts.known_id and (known := _recorded(sale, facts)):
        return known, False
    lines = checked_lines(sale, facts, now=now)
    assert facts.channel  # noqa: S101 (checked_lines has refused the order)
    may_be_undone = sale.cart_external_id or sale.on_short == REFUSE or not facts.channel.allows_backorders
    with transaction.atomic() if may_be_undone else nullcontext():
        return _reserve(sale, facts, lines, now=now)


def _reserve(sale: Sale, facts: SaleFacts, lines: Sequence[CheckedLine], *, now: datetime) -> tuple[SalesOrder, bool]:
    """Choose, lock, take and write. Quotas come before levels, levels last."""
    assert facts.channel  # noqa: S101 (an order without one was refused)
    places = {place.pk: place for place in (*facts.routes, *facts.named.values())}
    cart = None
    if sale.cart_external_id:
        needed, reach = needed_skus(lines), list(places)
        cart = take_over_cart(facts.channel.pk, sale.cart_external_id, sku_ids=needed, warehouse_ids=reach, now=now)
    has_quota = any(line.sku.has_quota or line.parts for line in lines)
    free = locked_free_stock(
        needed_skus(lines), list(places), now=now, channel_id=facts.channel.pk if has_quota else None
    )
    sourced, why = source_order(sale, facts, lines, free, now=now)
    if sale.on_short == REFUSE or not facts.channel.allows_backorders:
        short = [line for line in sourced if line.short_by]
        if short and (known := _recorded(sale, facts)):  # a twin was faster, and took the last
            return known, False
        _refuse_short(short)
    if free.quota_used:
        why = {**why, "quota": {str(pk): plain(units) for pk, units in free.quota_used.items() if units}}
        use_quotas(free.quota_used)
    codes = {pk: place.code for pk, place in places.items()}
    order = write_order(sale, facts.channel, sourced, why, codes=codes, now=now)
    if order is not None:
        if cart is not None:  # it may have held more than was ordered
            reserve_backorders(cart_skus(cart), now=now)
        return order, True
    return _twin(sale, facts, free.quota_used), False


def _twin(sale: Sale, facts: SaleFacts, quota_used: dict[int, Decimal]) -> SalesOrder:
    """The order that was recorded under this number while ours waited for it; what ours took of quotas is put back."""
    use_quotas({pk: -units for pk, units in quota_used.items()})
    known = _recorded(sale, facts)
    if known is None:
        raise AssertionError("an order that stops another from being written can be read")
    return known


def _refuse_short(short: Sequence[SourcedLine]) -> None:
    items = [
        {
            "line": one.line.number,
            "sku": one.line.sku.code,
            "requested": plain(one.line.quantity),
            "available": plain(one.served),
            "short_by": plain(one.short_by),
        }
        for one in short
    ]
    if items:
        named = "; ".join(_("line %(line)s (%(sku)s): short by %(short_by)s") % item for item in items[:20])
        raise InsufficientStock(_("Not enough stock: %(named)s.") % {"named": named}, items=items)


def _recorded(sale: Sale, facts: SaleFacts) -> SalesOrder | None:
    """The order of this number, if there is one. Raises Conflict when it says something else than `sale`."""
    if facts.channel is None:
        return None
    order = SalesOrder.objects.filter(channel=facts.channel.pk, external_id=sale.external_id).first()
    if order is None:
        return None
    stored = [
        (line.sku.code, line.quantity, line.unit_price, line.warehouse.code)
        for line in order.lines.filter(kit_line=None).select_related("sku", "warehouse").order_by("line_number")
    ]
    given = [
        (line.sku_code, units_of(line, facts), line.unit_price, line.warehouse_code or place)
        for line, (*_rest, place) in zip(sale.lines, stored, strict=False)
    ]
    same = (
        len(sale.lines) == len(stored)
        and given == stored
        and sale.ordered_at in (None, order.ordered_at)
        and (sale.customer_reference, sale.ship_to_country) == (order.customer_reference, order.ship_to_country)
        and sale.ship_to_latitude in (None, order.ship_to_latitude)
        and sale.ship_to_longitude in (None, order.ship_to_longitude)
    )
    if not same:
        message = _("Order %(number)s of %(channel)s is recorded already, with other contents.")
        raise Conflict(message % {"number": sale.external_id, "channel": facts.channel.code}, code="already_recorded")
    return order
