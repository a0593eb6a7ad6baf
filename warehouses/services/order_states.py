"""The states of a sales order: what may follow what, and how the lines decide it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, NotFound
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_order
from warehouses.models import SalesOrder, SalesOrderLine
from warehouses.services.stock import is_storable

_Status = SalesOrder.Status
_NOTHING = Decimal(0)

# from → to. Staying is allowed while open; what is done only goes on to delivered.
TRANSITIONS: Mapping[str, frozenset[str]] = {
    _Status.RECEIVED: frozenset({_Status.RESERVED, _Status.BACKORDERED, _Status.CANCELLED}),
    _Status.BACKORDERED: frozenset(
        {_Status.RESERVED, _Status.ALLOCATED, _Status.PICKED, _Status.PARTIALLY_SHIPPED, _Status.CANCELLED}
    ),
    _Status.RESERVED: frozenset(
        {
            _Status.BACKORDERED,
            _Status.ALLOCATED,
            _Status.PICKED,
            _Status.PARTIALLY_SHIPPED,
            _Status.SHIPPED,
            _Status.CANCELLED,
        }
    ),
    _Status.ALLOCATED: frozenset(
        {
            _Status.RESERVED,
            _Status.BACKORDERED,
            _Status.PICKED,
            _Status.PARTIALLY_SHIPPED,
            _Status.SHIPPED,
            _Status.CANCELLED,
        }
    ),
    # More was reserved, or the picked part was called off and the rest still waits.
    _Status.PICKED: frozenset(
        {
            _Status.ALLOCATED,
            _Status.RESERVED,
            _Status.BACKORDERED,
            _Status.PARTIALLY_SHIPPED,
            _Status.SHIPPED,
            _Status.CANCELLED,
        }
    ),
    # The rest of a partly shipped order, called off, leaves what was shipped.
    _Status.PARTIALLY_SHIPPED: frozenset({_Status.SHIPPED}),
    _Status.SHIPPED: frozenset({_Status.DELIVERED}),
    _Status.DELIVERED: frozenset(),
    _Status.CANCELLED: frozenset(),
}
RELEASED = (_Status.ALLOCATED, _Status.PICKED)


def require_open(order: SalesOrder) -> None:
    """Raises Conflict when nothing can happen to the order any more, or it is only history."""
    if order.is_history or order.status not in SalesOrder.OPEN:
        raise _wrong_state(order)


def order_lines(order: SalesOrder) -> list[SalesOrderLine]:
    """The order's lines with their SKUs, kits and parts among them; they change only while the order is locked."""
    return list(order.lines.select_related("sku").order_by("line_number"))


def parts_by_kit(lines: Iterable[SalesOrderLine]) -> dict[int, list[SalesOrderLine]]:
    """The id of a kit's line → the lines of its parts."""
    parts: dict[int, list[SalesOrderLine]] = {}
    for line in lines:
        if line.kit_line_id:
            parts.setdefault(line.kit_line_id, []).append(line)
    return parts


def open_quantity(line: SalesOrderLine) -> Decimal:
    """Units still owed to the customer, reserved or not."""
    return line.quantity - line.shipped_quantity - line.cancelled_quantity


def units_fault(line: SalesOrderLine | None, quantity: Decimal) -> str:
    """Why so many units of an order's line can be neither shipped nor cancelled; empty when they can."""
    if line is None:
        return _("The order has no such line.")
    if line.kit_line_id:
        return _("A part goes with its kit; name the line of the kit.")
    if not is_storable(quantity) or quantity <= 0:
        return _("The quantity must be above zero, with at most three digits after the point.")
    if quantity > open_quantity(line):
        return _("Only %s of this line are still open.") % plain(open_quantity(line))
    if line.is_kit and quantity != quantity // 1:
        return _("Kits are shipped and cancelled whole.")
    return ""


def status_of(lines: Sequence[SalesOrderLine], *, is_released: bool = False) -> str:
    """What the lines' counters say; `is_released`: picking has begun. Kits say what their parts say."""
    lines = [line for line in lines if not line.is_kit]
    has_left = any(line.shipped_quantity for line in lines)
    if not any(open_quantity(line) for line in lines):
        return _Status.SHIPPED if has_left else _Status.CANCELLED
    if has_left:
        return _Status.PARTIALLY_SHIPPED
    if is_released and any(line.reserved_quantity for line in lines):
        is_picked = all(line.picked_quantity == line.reserved_quantity for line in lines)
        return _Status.PICKED if is_picked else _Status.ALLOCATED
    is_covered = all(line.reserved_quantity == open_quantity(line) for line in lines)
    return _Status.RESERVED if is_covered else _Status.BACKORDERED


def save_lines(order: SalesOrder, lines: Sequence[SalesOrderLine], *, is_released: bool | None = None) -> None:
    """Save the lines' quantities and the state they put the order in. Raises Conflict when the table forbids it.

    The lines are all of the order's. Whole kits are counted from their parts. `is_released` True begins the picking;
    an order that is being picked stays so until nothing of it is reserved.
    """
    mirror_kits(lines)
    write_counters(lines)
    set_status(order, status_of(lines, is_released=order.status in RELEASED if is_released is None else is_released))


def set_status(order: SalesOrder, status: str) -> None:
    """Raises Conflict when the table forbids the change."""
    if status == order.status:
        return
    if status not in TRANSITIONS[order.status]:
        raise Conflict(
            _("An order cannot go from %(old)s to %(new)s.") % {"old": order.status, "new": status}, code="wrong_state"
        )
    order.status = status
    order.save(update_fields=["status"])


def mark_allocated(order: SalesOrder) -> None:
    """Picking of what is reserved begins (the order is locked by the caller). Raises Conflict when nothing is reserved,
    or when the order's state does not allow it; an order of which a part has left stays partially shipped."""
    require_open(order)
    lines = order_lines(order)
    if not any(line.reserved_quantity for line in lines):
        raise Conflict(_("Nothing of this order is reserved."), code="nothing_reserved")
    set_status(order, status_of(lines, is_released=True))


@one_transaction
def mark_delivered(
    order_id: int, *, now: datetime, shipment_number: str | None = None, actor: Any = None
) -> SalesOrder:
    """One shipment, or all of the order, reached the customer; the order is delivered when all has left and arrived.

    Locks the order. Raises NotFound, and Conflict when there is nothing that could have arrived.
    """
    order = locked_order(order_id)
    shipments = list(order.shipments.order_by("pk"))
    if shipment_number is not None:
        named = [shipment for shipment in shipments if shipment.number == shipment_number]
        if not named:
            raise NotFound(_("The order has no such shipment."))
        if named[0].delivered_at:
            raise Conflict(_("This shipment was delivered already."), code="wrong_state")
    elif order.status != _Status.SHIPPED:
        raise _wrong_state(order)
    else:
        named = [shipment for shipment in shipments if not shipment.delivered_at]
    for shipment in named:
        shipment.delivered_at = now
        shipment.save(update_fields=["delivered_at"])
    if order.status == _Status.SHIPPED and all(shipment.delivered_at for shipment in shipments):
        set_status(order, _Status.DELIVERED)
    return order


def mirror_kits(lines: Sequence[SalesOrderLine]) -> None:
    """The counters of a kit's line: so many whole kits as every part allows. What is open of it is never negative."""
    kits = parts_by_kit(lines)
    for line in lines:
        if parts := kits.get(line.pk):
            line.reserved_quantity = whole_kits(parts, "reserved_quantity")
            line.picked_quantity = whole_kits(parts, "picked_quantity")
            line.shipped_quantity = whole_kits(parts, "shipped_quantity")
            line.cancelled_quantity = whole_kits(parts, "cancelled_quantity")
            line.returned_quantity = whole_kits(parts, "returned_quantity")


def whole_kits(parts: Iterable[SalesOrderLine], counter: str) -> Decimal:
    return min(getattr(part, counter) // part.units_per_kit for part in parts)  # type: ignore[no-any-return]


def write_counters(lines: Sequence[SalesOrderLine]) -> None:
    """Save what was reserved, picked, shipped, cancelled and returned of these lines, in one statement."""
    columns = [[getattr(line, name) for line in lines] for name in ("pk", *_COUNTERS)]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_COUNTERS, columns)


def _wrong_state(order: SalesOrder) -> Conflict:
    status = _Status(order.status).label
    return Conflict(_("The order is %(status)s.") % {"status": str(status).lower()}, code="wrong_state")


_COUNTERS = ("reserved_quantity", "picked_quantity", "shipped_quantity", "cancelled_quantity", "returned_quantity")

_WRITE_COUNTERS = """
UPDATE warehouses_salesorderline line
SET reserved_quantity = new.reserved, picked_quantity = new.picked, shipped_quantity = new.shipped,
    cancelled_quantity = new.cancelled, returned_quantity = new.returned
FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[])
     AS new(id, reserved, picked, shipped, cancelled, returned)
WHERE line.id = new.id
"""
