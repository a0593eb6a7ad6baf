"""Goods arrive for a purchase order, wholly or in part (step 12 of the story), and stock goes up once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.fields import plain
from config.kernel.numbers import next_number
from config.kernel.transactions import one_transaction
from procurement.locks import locked_lines, locked_order
from procurement.models import PurchaseOrder, PurchaseOrderLine, Receipt, ReceiptLine
from procurement.services.received_lines import Arrived, ReceivedLine, checked_arrivals, pack_sizes
from procurement.services.states import Action, next_status, record, settle
from warehouses.models import Location, Lot, StockMovement, StockStatus
from warehouses.services.lots import LotName, make_lots
from warehouses.services.sales import reserve_backorders
from warehouses.services.stock import Move, post_movements

__all__ = ["ReceivedLine", "receive_goods"]

KEY_LENGTH = 240


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
    to `location_id`, else to the warehouse's receiving location, else to its storage; what is not taken as available
    goes to its quarantine, where it has one. Lots are made where missing. Orders that wait for the goods get them.

    Locks order → lines → levels, so that two clerks cannot book the same delivery twice past the tolerance. Raises
    NotFound, Conflict (wrong state), and ValidationFailed naming every fault of every line (see `checked_arrivals`).
    """
    _refuse_bad_header(key, delivery_note)
    order = locked_order(order_id)
    first = _first_receipt(key, order, lines, delivery_note)
    if first is not None:
        return first, False
    next_status(order, Action.RECEIVE_PART)
    order_lines = locked_lines(order)
    by_id = {line.pk: line for line in order_lines}
    arrived, known_lots = checked_arrivals(
        lines, by_id, tolerance=order.supplier.over_receipt_tolerance, today=timezone.localdate(now)
    )
    places = _places(order, location_id)
    receipt = _new_receipt(order, key=key, delivery_note=delivery_note, actor=actor, now=now)
    totals = _totals((part.line.pk, part.quantity) for part in arrived)
    ReceiptLine.objects.bulk_create(
        [ReceiptLine(receipt=receipt, order_line_id=line_id, quantity=total) for line_id, total in totals.items()]
    )
    post_movements(_moves(arrived, known_lots, places, receipt, now=now), happened_at=now, actor=actor)
    received = [line for line in order_lines if line.pk in totals]
    for line in received:
        line.received_quantity += totals[line.pk]
    _save_received(received)
    told = [{"line": line.line_number, "sku": line.sku.code, "quantity": plain(totals[line.pk])} for line in received]
    record(order, "goods_received", actor=actor, now=now, receipt=receipt.number, lines=told)
    settle(order, order_lines, actor=actor, now=now)
    reserve_backorders(sorted({line.sku_id for line in received}), now=now)
    return receipt, True


def _refuse_bad_header(key: str, delivery_note: str) -> None:
    if not key or len(key) > KEY_LENGTH:
        raise ValidationFailed(_("A receipt needs a key of 1 to %(length)s characters.") % {"length": KEY_LENGTH})
    if len(delivery_note) > 80:
        raise ValidationFailed(_("The delivery note's number is longer than 80 characters."))


def _first_receipt(key: str, order: PurchaseOrder, lines: Sequence[ReceivedLine], delivery_note: str) -> Receipt | None:
    """The receipt this key has made, when it says the same of every lot and status. Raises Conflict otherwise."""
    receipt = Receipt.objects.filter(idempotency_key=key).first()
    if receipt is None:
        return None
    skus = dict(order.lines.values_list("pk", "sku_id"))
    sizes = pack_sizes(lines)
    asked = _totals(
        (
            (skus.get(row.line_id, 0), row.lot_code, row.status),
            row.quantity * sizes.get((skus.get(row.line_id, 0), row.unit), Decimal(1)),
        )
        for row in lines
        if row.quantity.is_finite()
    )
    moves = StockMovement.objects.filter(reference=receipt.number, kind=StockMovement.Kind.RECEIPT)
    booked = _totals(
        ((sku_id, lot or "", status), quantity)
        for sku_id, lot, status, quantity in moves.values_list("sku_id", "lot__code", "status", "quantity")
    )
    if (receipt.order_id, receipt.delivery_note, booked) != (order.pk, delivery_note, asked):
        raise _key_reused(key)
    return receipt


def _totals(parts: Iterable[tuple[Any, Decimal]]) -> dict[Any, Decimal]:
    totals: dict[Any, Decimal] = defaultdict(Decimal)
    for name, quantity in parts:
        totals[name] += quantity
    return dict(totals)


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


def _places(order: PurchaseOrder, location_id: int | None) -> tuple[int, int]:
    """(where available goods go, where those go that are set aside): location ids."""
    places = Location.objects.filter(warehouse=order.warehouse_id, is_active=True)
    if location_id is not None:
        if not places.filter(pk=location_id).exclude(kind=Location.Kind.IN_TRANSIT).exists():
            message = _("This is no location of %(place)s.") % {"place": order.warehouse.name}
            raise ValidationFailed(message, items=[{"field": "location", "message": message}])
        return location_id, location_id
    bins = places.filter(level=Location.Level.BIN).order_by("-pk")
    wanted = (Location.Kind.RECEIVING, Location.Kind.STORAGE, Location.Kind.QUARANTINE)
    found = dict(bins.filter(kind__in=wanted).values_list("kind", "pk"))
    good = found.get(Location.Kind.RECEIVING) or found.get(Location.Kind.STORAGE)
    if good is None:
        raise Conflict(_("%(place)s has no receiving and no storage location.") % {"place": order.warehouse.name})
    return good, found.get(Location.Kind.QUARANTINE, good)


def _moves(
    arrived: Sequence[Arrived],
    known: Mapping[LotName, Lot],
    places: tuple[int, int],
    receipt: Receipt,
    *,
    now: datetime,
) -> list[Move]:
    """One movement a part; the second part of a line has its number behind the line's in the key."""
    named = {part.lot_name: part.expires_on for part in arrived if part.lot_name}
    named |= {part.lot_name: part.expires_on for part in arrived if part.lot_name and part.expires_on}
    lots = make_lots(named, received_on=timezone.localdate(now), known=known)
    moves: list[Move] = []
    parts: dict[int, int] = defaultdict(int)
    for part in arrived:
        line = part.line
        parts[line.pk] += 1
        nth = f":{parts[line.pk]}" if parts[line.pk] > 1 else ""
        moves.append(
            Move(
                kind=StockMovement.Kind.RECEIPT,
                sku_id=line.sku_id,
                location_id=places[part.status != StockStatus.AVAILABLE],
                lot_id=lots[part.lot_name].pk if part.lot_name else None,
                status=part.status,
                quantity=part.quantity,
                unit_cost=line.unit_cost,
                reference=receipt.number,
                idempotency_key=f"receipt:{receipt.number}:{line.line_number}{nth}",
                line=line.line_number,
            )
        )
    return moves


def _save_received(lines: Sequence[PurchaseOrderLine]) -> None:
    """One UPDATE whatever the number of lines; the ORM's own grows with the square of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procurement_purchaseorderline line SET received_quantity = new.received "
            "FROM unnest(%s::bigint[], %s::numeric[]) AS new(id, received) WHERE line.id = new.id",
            [[line.pk for line in lines], [line.received_quantity for line in lines]],
        )
