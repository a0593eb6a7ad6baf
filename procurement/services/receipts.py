"""Goods arrive for a purchase order, wholly or in part (step 12 of the story), and stock goes up once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.fields import plain
from config.kernel.numbers import next_number
from config.kernel.transactions import one_transaction
from procurement.locks import locked_lines, locked_order
from procurement.models import PurchaseOrder, PurchaseOrderLine, Receipt, ReceiptLine
from procurement.services.pricing import number_fault
from procurement.services.states import Action, next_status, record, settle
from warehouses.models import Location, StockMovement
from warehouses.services.sales import reserve_backorders
from warehouses.services.stock import Move, post_movements

KEY_LENGTH = 240


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """So many units of an order line arrived."""

    line_id: int
    quantity: Decimal


@one_transaction
def receive_goods(
    order_id: int,
    lines: Sequence[ReceivedLine],
    *,
    key: str,
    actor: Any,
    now: datetime,
    delivery_note: str = "",
    location_id: int | None = None,
) -> tuple[Receipt, bool]:
    """Book a delivery: all of `lines` or none. Returns the receipt and whether it is new.

    The same `key` with the same contents returns the first receipt; with other contents it raises Conflict. Stock goes
    to `location_id`, else to the warehouse's receiving location, else to its storage; orders that wait for it get it.

    Locks order → lines → levels, so that two clerks cannot book the same delivery twice past the tolerance. Raises
    NotFound, Conflict (wrong state), and ValidationFailed naming every line that is unknown, not positive, rejected, or
    above what the supplier's over-receipt tolerance allows.
    """
    _refuse_bad_header(key, delivery_note)
    order = locked_order(order_id)
    first = _first_receipt(key, order, lines, delivery_note)
    if first is not None:
        return first, False
    next_status(order, Action.RECEIVE_PART)
    order_lines = locked_lines(order)
    by_id = {line.pk: line for line in order_lines}
    _refuse_wrong_lines(order, lines, by_id)
    location = _location(order, location_id)
    receipt = _new_receipt(order, key=key, delivery_note=delivery_note, actor=actor, now=now)
    arrived = [(by_id[row.line_id], row.quantity) for row in lines]
    ReceiptLine.objects.bulk_create(
        [ReceiptLine(receipt=receipt, order_line=line, quantity=quantity) for line, quantity in arrived]
    )
    moves = [_move(line, quantity, location, receipt) for line, quantity in arrived]
    post_movements(moves, happened_at=now, actor=actor)
    for line, quantity in arrived:
        line.received_quantity += quantity
    PurchaseOrderLine.objects.bulk_update([line for line, _quantity in arrived], ["received_quantity"])
    told = [{"line": line.line_number, "sku": line.sku.code, "quantity": plain(q)} for line, q in arrived]
    record(order, "goods_received", actor=actor, now=now, receipt=receipt.number, lines=told)
    settle(order, order_lines, actor=actor, now=now)
    sku_ids = sorted({line.sku_id for line, _quantity in arrived})
    reserve_backorders(sku_ids, now=now)
    return receipt, True


def _refuse_bad_header(key: str, delivery_note: str) -> None:
    if not key or len(key) > KEY_LENGTH:
        raise ValidationFailed(_("A receipt needs a key of 1 to %(length)s characters.") % {"length": KEY_LENGTH})
    if len(delivery_note) > 80:
        raise ValidationFailed(_("The delivery note's number is longer than 80 characters."))


def _first_receipt(key: str, order: PurchaseOrder, lines: Sequence[ReceivedLine], delivery_note: str) -> Receipt | None:
    receipt = Receipt.objects.filter(idempotency_key=key).first()
    if receipt is None:
        return None
    booked = {row.order_line_id: row.quantity for row in receipt.lines.all()}
    asked = {row.line_id: row.quantity for row in lines}
    if (receipt.order_id, receipt.delivery_note, booked) != (order.pk, delivery_note, asked):
        raise _key_reused(key)
    return receipt


def _new_receipt(order: PurchaseOrder, *, key: str, delivery_note: str, actor: Any, now: datetime) -> Receipt:
    number = next_number("procurement_receipt_number", "GR")
    try:
        with transaction.atomic():
            return Receipt.objects.create(
                number=number,
                order=order,
                idempotency_key=key,
                delivery_note=delivery_note,
                received_at=now,
                actor=actor,
            )
    except IntegrityError as exc:  # the key was used for another order at this very moment
        raise _key_reused(key) from exc


def _key_reused(key: str) -> Conflict:
    return Conflict(_("The key %(key)s was used for another receipt.") % {"key": key}, code="idempotency_key_reused")


def _location(order: PurchaseOrder, location_id: int | None) -> Location:
    places = Location.objects.filter(warehouse=order.warehouse_id, is_active=True).order_by("pk")
    if location_id is not None:
        chosen = places.filter(pk=location_id).first()
        if chosen is None:
            raise ValidationFailed(_("This is no location of %(place)s.") % {"place": order.warehouse.name})
        return chosen
    for kind in (Location.Kind.RECEIVING, Location.Kind.STORAGE):
        place = places.filter(kind=kind).first()
        if place is not None:
            return place
    raise Conflict(_("%(place)s has no receiving and no storage location.") % {"place": order.warehouse.name})


def _move(line: PurchaseOrderLine, quantity: Decimal, location: Location, receipt: Receipt) -> Move:
    return Move(
        kind=StockMovement.Kind.RECEIPT,
        sku_id=line.sku_id,
        location_id=location.pk,
        quantity=quantity,
        unit_cost=line.unit_cost,
        reference=receipt.number,
        idempotency_key=f"receipt:{receipt.number}:{line.line_number}",
    )


def _refuse_wrong_lines(
    order: PurchaseOrder, given: Sequence[ReceivedLine], lines: Mapping[int, PurchaseOrderLine]
) -> None:
    if not given:
        raise ValidationFailed(_("No line was received."))
    tolerance = order.supplier.over_receipt_tolerance
    faults: list[dict[str, Any]] = []
    seen: set[int] = set()
    for row in given:
        line = lines.get(row.line_id)
        fault = _("is not on this order") if line is None else _line_fault(line, row.quantity, tolerance)
        if row.line_id in seen:
            fault = _("is named twice")
        seen.add(row.line_id)
        if fault:
            name = f"{line.line_number} {line.sku.code}" if line else str(row.line_id)
            message = _("line %(line)s: %(fault)s") % {"line": name, "fault": fault}
            faults.append({"line_id": row.line_id, "quantity": plain(row.quantity), "message": message})
    if faults:
        named = "; ".join(fault["message"] for fault in faults)
        raise ValidationFailed(_("Nothing was received: %(named)s.") % {"named": named}, items=faults)


def _line_fault(line: PurchaseOrderLine, quantity: Decimal, tolerance: Decimal) -> str:
    wrong = number_fault(quantity)
    if wrong:
        return _("the quantity %(wrong)s") % {"wrong": wrong}
    if line.status == PurchaseOrderLine.Status.REJECTED:
        return _("the supplier rejected it")
    at_most = line.quantity * (1 + tolerance) - line.received_quantity
    if quantity <= at_most:
        return ""
    return _(
        "ordered %(ordered)s, received %(received)s, tolerance %(tolerance)s %%, at most %(at_most)s more; "
        "%(given)s given"
    ) % {
        "ordered": plain(line.quantity),
        "received": plain(line.received_quantity),
        "tolerance": plain(tolerance * 100),
        "at_most": plain(max(at_most, Decimal(0)).quantize(Decimal("0.001"), rounding=ROUND_DOWN)),
        "given": plain(quantity),
    }
