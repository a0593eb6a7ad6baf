"""What leaves the house for an order: its reservations are used up and the ledger gets the sale movements."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from config.kernel.fields import plain
from config.kernel.numbers import next_number
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_order
from warehouses.models import Reservation, SalesOrderLine, Shipment, StockMovement
from warehouses.services.order_states import open_quantity, order_lines, require_open, save_lines
from warehouses.services.stock import Move, is_storable, post_movements

MAX_KEY = 255
_NOTHING = Decimal(0)


@one_transaction
def ship_order(
    order_id: int,
    *,
    key: str,
    now: datetime,
    actor: Any = None,
    quantities: Mapping[int, Decimal] | None = None,
) -> Shipment:
    """Ship what is reserved: the whole rest of the order, or `quantities` (line number → units).

    Locks the order and the levels it ships from. The same key again returns the first shipment. Raises NotFound,
    Conflict (wrong state, key of another order), ValidationFailed for quantities that make no sense, and
    InsufficientStock naming every line with fewer units reserved than asked.
    """
    _refuse_bad_key(key)
    order = locked_order(order_id)
    earlier = Shipment.objects.filter(key=key).first()
    if earlier and earlier.order_id == order.pk:
        return earlier
    if earlier:
        raise Conflict(_("This key was used for another order's shipment."), code="idempotency_key_reused")
    require_open(order)
    lines = order_lines(order)
    asked = _asked(lines, quantities)
    number = next_number("warehouses_shipment_number", "SH")
    try:
        with transaction.atomic():
            shipment = Shipment.objects.create(number=number, key=key, order=order, shipped_at=now, actor=actor)
    except IntegrityError as exc:
        raise Conflict(_("This key was used for another order's shipment."), code="idempotency_key_reused") from exc
    _consume(lines, asked, shipment=shipment, actor=actor)
    save_lines(order, lines)
    return shipment


def _refuse_bad_key(key: str) -> None:
    if not key or len(key) > MAX_KEY:
        raise ValidationFailed(_("The key of a shipment has 1 to %d characters.") % MAX_KEY)


def _asked(lines: Sequence[SalesOrderLine], quantities: Mapping[int, Decimal] | None) -> dict[int, Decimal]:
    """Line number → units to ship, each within what is open and what is reserved."""
    still_open = {line.line_number: open_quantity(line) for line in lines}
    if quantities is None:
        asked = {number: quantity for number, quantity in still_open.items() if quantity}
    else:
        _refuse_quantities(quantities, still_open)
        asked = dict(quantities)
    items = [
        {
            "line": line.line_number,
            "sku": line.sku.code,
            "requested": plain(asked[line.line_number]),
            "available": plain(line.reserved_quantity),
            "short_by": plain(asked[line.line_number] - line.reserved_quantity),
        }
        for line in lines
        if asked.get(line.line_number, _NOTHING) > line.reserved_quantity
    ]
    if items:
        named = "; ".join(_("line %(line)s (%(sku)s): short by %(short_by)s") % item for item in items[:20])
        raise InsufficientStock(_("Not enough is reserved: %(named)s.") % {"named": named}, items=items)
    return asked


def _refuse_quantities(quantities: Mapping[int, Decimal], still_open: Mapping[int, Decimal]) -> None:
    def fault(number: int, quantity: Decimal) -> str:
        if number not in still_open:
            return _("The order has no such line.")
        if not is_storable(quantity) or quantity <= 0:
            return _("The quantity must be above zero, with at most three digits after the point.")
        if quantity > still_open[number]:
            return _("Only %s of this line are still open.") % plain(still_open[number])
        return ""

    items = [
        {"line": number, "field": "quantity", "message": message}
        for number, quantity in sorted(quantities.items())
        if (message := fault(number, quantity))
    ]
    if items or not quantities:
        raise ValidationFailed(_("This cannot be shipped."), items=items)


def _consume(lines: Sequence[SalesOrderLine], asked: Mapping[int, Decimal], *, shipment: Shipment, actor: Any) -> None:
    """Use the lines' reservations up in the order they were made, and post what leaves as one posting."""
    by_line: dict[int, list[Reservation]] = {line.pk: [] for line in lines}
    for row in Reservation.objects.filter(line__in=by_line).select_related("level").order_by("pk"):
        by_line[row.line_id].append(row)
    moves: list[Move] = []
    used_up: list[Reservation] = []
    smaller: list[Reservation] = []
    for line in lines:
        left = asked.get(line.line_number, _NOTHING)
        line.shipped_quantity += left
        line.reserved_quantity -= left
        for row in by_line[line.pk]:
            if not left:
                break
            part = min(left, row.quantity)
            left -= part
            row.quantity -= part
            (smaller if row.quantity else used_up).append(row)
            moves.append(_sale_move(line, row, part, shipment))
    post_movements(moves, happened_at=shipment.shipped_at, actor=actor)
    Reservation.objects.filter(pk__in=[row.pk for row in used_up]).delete()
    Reservation.objects.bulk_update(smaller, ["quantity"])


def _sale_move(line: SalesOrderLine, row: Reservation, quantity: Decimal, shipment: Shipment) -> Move:
    return Move(
        kind=StockMovement.Kind.SALE,
        sku_id=line.sku_id,
        location_id=row.level.location_id,
        lot_id=row.level.lot_id,
        quantity=-quantity,
        release=quantity,
        unit_cost=line.sku.unit_cost,
        reference=shipment.number,
        idempotency_key=f"shipment:{shipment.number}:{line.line_number}:{row.level_id}",
    )
