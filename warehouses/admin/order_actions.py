"""What the buttons of a sales order's page do: ship what is reserved, call off what is not shipped."""

import uuid

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import PageAction
from config.kernel.admin.reading import typed_quantity
from config.kernel.errors import ValidationFailed
from warehouses.models import SalesOrder
from warehouses.services.sales import cancel_order, ship_order

SHIP, CANCEL = "warehouses.add_shipment", "warehouses.cancel_salesorder"


def is_open(order: SalesOrder) -> bool:
    return order.status in SalesOrder.OPEN and not order.is_history


def _ship(request: HttpRequest, order: SalesOrder) -> str:
    """Boxes left empty or at 0 stay behind. The key of the form makes a double click one shipment."""
    quantities = {}
    for line in order.lines.select_related("sku"):
        quantity = typed_quantity(request.POST.get(f"ship-{line.line_number}"), name=line.sku.code)
        if quantity:
            quantities[line.line_number] = quantity
    if not quantities:
        raise ValidationFailed(_("Enter what leaves: at least one line with more than 0 units."))
    now = timezone.now()
    key = request.POST.get("key") or f"admin:{uuid.uuid4()}"
    shipment = ship_order(order.pk, key=key, now=now, actor=request.user, quantities=quantities)
    words = _("%(shipment)s was booked.") if shipment.shipped_at == now else _("%(shipment)s had been booked already.")
    return words % {"shipment": shipment.number}


def _cancel(request: HttpRequest, order: SalesOrder) -> str:
    cancel_order(order.pk, now=timezone.now(), actor=request.user)
    return _("What was not shipped is cancelled, and its reservations are free again.")


PAGE_ACTIONS = (
    PageAction("ship", gettext_lazy("Ship"), SHIP, _ship, in_bar=False),
    PageAction(
        "cancel",
        gettext_lazy("Cancel what is not shipped"),
        CANCEL,
        _cancel,
        style="danger",
        confirm=gettext_lazy("Cancel what has not been shipped of this order?"),
        is_offered=is_open,
    ),
)
