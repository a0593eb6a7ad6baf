"""Units that were called off and left all the same: the one way back from cancelled, and only for physical facts."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_order
from warehouses.models import SalesOrder
from warehouses.services.backorders import reserve_backorders
from warehouses.services.order_states import mirror_kits, order_lines, parts_by_kit, status_of, write_counters


@one_transaction
def reopen_units(order_id: int, quantities: Mapping[int, Decimal], *, now: datetime) -> SalesOrder:
    """Owe the customer again what was cancelled (line number → units), and reserve it where stock is free.

    The table of transitions has no way back for people; a channel that says "shipped" tells what has happened, so the
    state follows the lines here. Locks the order, then the levels it reserves. Raises NotFound, Conflict for imported
    history, and ValidationFailed naming every line of which less was cancelled.
    """
    order = locked_order(order_id)
    if order.is_history:
        raise Conflict(_("The order is history; it never touched our stock."), code="wrong_state")
    lines = order_lines(order)
    by_number = {line.line_number: line for line in lines}
    kits = parts_by_kit(lines)
    items = [
        {"line": number, "message": _("Only %s of this line were cancelled.") % plain(cancelled)}
        for number, units in sorted(quantities.items())
        if units > (cancelled := by_number[number].cancelled_quantity if number in by_number else Decimal(0))
    ]
    if items:
        raise ValidationFailed(_("The order cannot be opened again."), items=items)
    for number, units in quantities.items():
        line = by_number[number]
        for part in kits.get(line.pk, [line]):
            part.cancelled_quantity -= units * (part.units_per_kit or 1) if line.is_kit else units
    mirror_kits(lines)
    write_counters(lines)
    order.status = status_of(lines)
    order.save(update_fields=["status"])
    reserve_backorders({line.sku_id for line in lines if not line.is_kit}, now=now)
    return order
