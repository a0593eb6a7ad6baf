"""The states of a sales order: what may follow what, and how the lines decide it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict
from warehouses.models import SalesOrder, SalesOrderLine

_Status = SalesOrder.Status

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
    _Status.PICKED: frozenset({_Status.ALLOCATED, _Status.PARTIALLY_SHIPPED, _Status.SHIPPED, _Status.CANCELLED}),
    # The rest of a partly shipped order, called off, leaves what was shipped.
    _Status.PARTIALLY_SHIPPED: frozenset({_Status.SHIPPED}),
    _Status.SHIPPED: frozenset({_Status.DELIVERED}),
    _Status.DELIVERED: frozenset(),
    _Status.CANCELLED: frozenset(),
}


def require_open(order: SalesOrder) -> None:
    """Raises Conflict when nothing can happen to the order any more, or it is only history."""
    if order.is_history or order.status not in SalesOrder.OPEN:
        status = _Status(order.status).label
        raise Conflict(_("The order is %(status)s.") % {"status": str(status).lower()}, code="wrong_state")


def order_lines(order: SalesOrder) -> list[SalesOrderLine]:
    """The order's lines with their SKUs; they change only while the order is locked."""
    return list(order.lines.select_related("sku").order_by("line_number"))


def open_quantity(line: SalesOrderLine) -> Decimal:
    """Units still owed to the customer, reserved or not."""
    return line.quantity - line.shipped_quantity - line.cancelled_quantity


def status_of(lines: Sequence[SalesOrderLine]) -> str:
    if not any(open_quantity(line) for line in lines):
        return _Status.SHIPPED if any(line.shipped_quantity for line in lines) else _Status.CANCELLED
    if any(line.shipped_quantity for line in lines):
        return _Status.PARTIALLY_SHIPPED
    is_covered = all(line.reserved_quantity == open_quantity(line) for line in lines)
    return _Status.RESERVED if is_covered else _Status.BACKORDERED


def save_lines(order: SalesOrder, lines: Sequence[SalesOrderLine]) -> None:
    """Save the lines' quantities and the state they put the order in. Raises Conflict when the table forbids it."""
    SalesOrderLine.objects.bulk_update(lines, ["reserved_quantity", "shipped_quantity", "cancelled_quantity"])
    status = status_of(lines)
    if status == order.status:
        return
    if status not in TRANSITIONS[order.status]:
        raise Conflict(
            _("An order cannot go from %(old)s to %(new)s.") % {"old": order.status, "new": status}, code="wrong_state"
        )
    order.status = status
    order.save(update_fields=["status"])
