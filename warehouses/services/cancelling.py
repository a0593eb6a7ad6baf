"""What is called off: units that were not shipped, wholly or by line; their stock goes to whoever waits for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_order
from warehouses.models import SalesOrder, SalesOrderLine
from warehouses.services.backorders import reserve_backorders
from warehouses.services.order_states import (
    open_quantity,
    order_lines,
    parts_by_kit,
    require_open,
    save_lines,
    units_fault,
)
from warehouses.services.picking import on_order_cancelled
from warehouses.services.reservations import release_units, return_quotas

_NOTHING = Decimal(0)


@one_transaction
def cancel_order(
    order_id: int, *, now: datetime, actor: Any = None, quantities: Mapping[int, Decimal] | None = None
) -> SalesOrder:
    """Call off what was not shipped, or `quantities` of it (line number → units), and let its stock go.

    Possible at every step before shipment. Of a line what still waits is called off first, then what is reserved, then
    what is picked: that lies in packing for nobody, and tasks are made to put it back. What was used of the channel's
    quotas is given back. Locks the order, its quotas, its reserved levels. Raises NotFound, ValidationFailed with every
    fault of the quantities, and Conflict when the order is shipped or cancelled.
    """
    order = locked_order(order_id)
    require_open(order)
    lines = order_lines(order)
    off = _units_off(lines, quantities)
    freed: dict[int, Decimal] = {}
    for line in lines:
        units = off.get(line.pk, _NOTHING)
        waits = open_quantity(line) - line.reserved_quantity
        freed[line.pk] = _NOTHING if line.is_kit else max(units - waits, _NOTHING)
        line.cancelled_quantity += units
        line.reserved_quantity -= freed[line.pk]
    return_quotas(order, lines)
    release_units(freed, lines)
    save_lines(order, lines)
    on_order_cancelled(order, now=now)
    if back := [line.sku_id for line in lines if freed[line.pk]]:
        reserve_backorders(back, now=now)
    return order


def _units_off(lines: Sequence[SalesOrderLine], quantities: Mapping[int, Decimal] | None) -> dict[int, Decimal]:
    """Line id → units to call off; of a kit those of its parts, the kit's own line follows them."""
    if quantities is None:
        return {line.pk: open_quantity(line) for line in lines if not line.is_kit}
    by_number = {line.line_number: line for line in lines}
    kits = parts_by_kit(lines)
    items = [
        {"line": number, "field": "quantity", "message": message}
        for number, quantity in sorted(quantities.items())
        if (message := units_fault(by_number.get(number), quantity))
    ]
    if items or not quantities:
        raise ValidationFailed(_("This cannot be cancelled."), items=items)
    off: dict[int, Decimal] = {}
    for number, quantity in quantities.items():
        line = by_number[number]
        for part in kits.get(line.pk, [line]):
            off[part.pk] = quantity * (part.units_per_kit or 1) if line.is_kit else quantity
    return off
