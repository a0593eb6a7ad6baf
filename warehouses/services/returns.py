"""What a customer sends back: matched to the order it came from, and put away where it may or may not be sold again."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_order
from warehouses.models import Location, SalesOrder, SalesOrderLine, SalesReturn, SalesReturnLine, StockMovement
from warehouses.services.order_states import order_lines
from warehouses.services.reservations import reserve_backorders
from warehouses.services.stock import Move, is_storable, post_movements

_Kind = Location.Kind
_NOTHING = Decimal(0)
_UNSOLD = (_Kind.QUARANTINE, _Kind.RETURNS)  # where goods that are not restocked lie, the first kind a warehouse has


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """`restock`: the units are as new and go back to storage; else they are set aside and cannot be sold."""

    sku_code: str
    quantity: Decimal
    restock: bool


@one_transaction
def receive_return(
    *,
    channel_code: str,
    external_id: str,
    order_external_id: str,
    lines: Sequence[ReturnLine],
    now: datetime,
    actor: Any = None,
) -> tuple[SalesReturn, bool]:
    """Take goods back; (return, True), or (the return recorded before, False).

    Units are matched to the order's lines of their SKU, first line first. What is restocked goes to storage of the
    line's warehouse and serves who waits; what is not goes to its quarantine or returns location, and is not booked
    when there is none. Locks the order, then the levels. Raises ValidationFailed with every fault (more than was
    shipped among them) and Conflict when the number was used for another return.
    """
    channel, order = _named(channel_code, external_id, order_external_id)
    locked_order(order.pk)
    if known := _recorded(channel, external_id, order, lines):
        return known, False
    order_rows = order_lines(order)
    _refuse_faults(lines, order_rows)
    places = _places({row.warehouse_id for row in order_rows})
    try:
        with transaction.atomic():
            sales_return = SalesReturn.objects.create(
                channel=channel,
                external_id=external_id,
                customer_reference=order.customer_reference,
                returned_at=now,
            )
    except IntegrityError as exc:  # a twin for ANOTHER order: one for this order would have waited for its lock
        raise _other_contents(channel, external_id) from exc
    rows = _matched(sales_return, lines, order_rows)
    SalesReturnLine.objects.bulk_create(rows)
    SalesOrderLine.objects.bulk_update(order_rows, ["returned_quantity"])
    post_movements(_moves(sales_return, rows, places), happened_at=now, actor=actor)
    if back := {row.sku_id for row in rows if row.is_restocked}:
        reserve_backorders(back, now=now)
    return sales_return, True


def _named(channel_code: str, external_id: str, order_external_id: str) -> tuple[Channel, SalesOrder]:
    items = []
    if not external_id.strip() or len(external_id) > 64:
        items.append({"line": 0, "field": "external_id", "message": _("The return's number has 1 to 64 characters.")})
    channel = Channel.objects.filter(code=channel_code).first()
    order = SalesOrder.objects.filter(channel=channel, external_id=order_external_id).first() if channel else None
    if channel is None:
        items.append({"line": 0, "field": "channel_code", "message": _("There is no such channel.")})
    elif order is None:
        items.append({"line": 0, "field": "order_external_id", "message": _("The channel has no such order.")})
    if items or channel is None or order is None:
        raise ValidationFailed(_("The return cannot be recorded."), items=items)
    return channel, order


def _recorded(channel: Channel, external_id: str, order: SalesOrder, lines: Sequence[ReturnLine]) -> SalesReturn | None:
    """The return of this number, if there is one. Raises Conflict when it says something else."""
    sales_return = SalesReturn.objects.filter(channel=channel, external_id=external_id).first()
    if sales_return is None:
        return None
    stored: Counter[tuple[str, bool]] = Counter()
    orders = set()
    for row in sales_return.lines.select_related("sku", "order_line"):
        stored[row.sku.code, row.is_restocked] += row.quantity  # type: ignore[assignment]
        orders.add(row.order_line.order_id if row.order_line else None)
    given: Counter[tuple[str, bool]] = Counter()
    for line in lines:
        given[line.sku_code, line.restock] += line.quantity  # type: ignore[assignment]
    if stored != given or orders != {order.pk}:
        raise _other_contents(channel, external_id)
    return sales_return


def _other_contents(channel: Channel, external_id: str) -> Conflict:
    message = _("Return %(number)s of %(channel)s is recorded already, with other contents.")
    return Conflict(message % {"number": external_id, "channel": channel.code}, code="already_recorded")


def _refuse_faults(lines: Sequence[ReturnLine], order_rows: Sequence[SalesOrderLine]) -> None:
    returnable: dict[str, Decimal] = defaultdict(Decimal)
    for row in order_rows:
        returnable[row.sku.code] += row.shipped_quantity - row.returned_quantity
    left = dict(returnable)
    items = [] if lines else [{"line": 0, "field": "lines", "message": _("The return has no lines.")}]
    for number, line in enumerate(lines, start=1):
        if line.sku_code not in left:
            items.append({"line": number, "field": "sku_code", "message": _("The order has no such SKU.")})
        elif not is_storable(line.quantity) or line.quantity <= 0:
            message = _("The quantity must be above zero, with at most three digits after the point.")
            items.append({"line": number, "field": "quantity", "message": message})
        else:
            left[line.sku_code] -= line.quantity
            if left[line.sku_code] < 0:
                message = _("Only %s were shipped and not yet returned.") % plain(returnable[line.sku_code])
                items.append({"line": number, "field": "quantity", "message": message})
    if items:
        raise ValidationFailed(_("The return cannot be recorded."), items=items)


def _places(warehouse_ids: set[int]) -> dict[tuple[int, bool], int]:
    """(warehouse id, restock?) → the location goods go to: the first by code, quarantine before returns."""
    locations = Location.objects.filter(warehouse__in=warehouse_ids, is_active=True).order_by("code")
    places: dict[tuple[int, bool], int] = {}
    for kind in (_Kind.STORAGE, *_UNSOLD):
        for location in locations:
            if location.kind == kind:
                places.setdefault((location.warehouse_id, kind == _Kind.STORAGE), location.pk)
    return places


def _matched(
    sales_return: SalesReturn, lines: Sequence[ReturnLine], order_rows: Sequence[SalesOrderLine]
) -> list[SalesReturnLine]:
    """One row for each order line a returned quantity falls on; counts it on the (unsaved) order line."""
    rows: list[SalesReturnLine] = []
    for line in lines:
        left = line.quantity
        for row in order_rows:
            part = (
                min(left, row.shipped_quantity - row.returned_quantity) if row.sku.code == line.sku_code else _NOTHING
            )
            if part <= 0:
                continue
            left -= part
            row.returned_quantity += part
            rows.append(
                SalesReturnLine(
                    sales_return=sales_return,
                    line_number=len(rows) + 1,
                    sku=row.sku,
                    order_line=row,
                    kind=SalesReturnLine.Kind.RETURN,
                    quantity=part,
                    unit_price=row.unit_price,
                    is_restocked=line.restock,
                )
            )
    return rows


def _moves(
    sales_return: SalesReturn, rows: Sequence[SalesReturnLine], places: Mapping[tuple[int, bool], int]
) -> list[Move]:
    moves = []
    for row in rows:
        warehouse_id = row.order_line.warehouse_id  # type: ignore[union-attr]
        location_id = places.get((warehouse_id, row.is_restocked))
        if location_id is None and row.is_restocked:
            item = {"line": row.line_number, "field": "restock", "message": _("The warehouse has no storage location.")}
            raise ValidationFailed(_("The return cannot be recorded."), items=[item])
        if location_id is None:
            continue
        moves.append(
            Move(
                kind=StockMovement.Kind.RETURN,
                sku_id=row.sku_id,
                location_id=location_id,
                quantity=row.quantity,
                unit_cost=row.sku.unit_cost,
                reference=sales_return.external_id,
                idempotency_key=f"return:{sales_return.pk}:{row.line_number}",
            )
        )
    return moves
