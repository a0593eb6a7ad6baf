"""What the buttons of a sales order's page do: ship what is reserved, call off what is not shipped."""

import uuid
from decimal import Decimal

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.admin import PageAction
from config.kernel.admin.reading import typed_quantity
from config.kernel.errors import ValidationFailed
from warehouses.models import Reservation, SalesOrder, Task
from warehouses.services.picking import release_for_picking
from warehouses.services.sales import cancel_order, mark_delivered, ship_order

SHIP, CANCEL = "warehouses.add_shipment", "warehouses.cancel_salesorder"
RELEASE, DELIVER = "warehouses.release_salesorder", "warehouses.deliver_salesorder"


def is_open(order: SalesOrder) -> bool:
    return order.status in SalesOrder.OPEN and not order.is_history


def is_reserved(order: SalesOrder) -> bool:
    """Whether there is something to send to the floor that is not there yet."""
    if not is_open(order):
        return False
    held = Reservation.objects.filter(line__order=order)
    tasks = Task.objects.filter(kind=Task.Kind.PICK, state__in=Task.WAITING, subject_id__in=held.values("pk"))
    return held.count() > tasks.values("subject_id").distinct().count()


def has_left(order: SalesOrder) -> bool:
    return order.status == SalesOrder.Status.SHIPPED and not order.is_history and order.shipments.exists()


def _typed(request: HttpRequest, order: SalesOrder, name: str) -> dict[int, Decimal]:
    """Line number → units, from the boxes of this name; those left empty or at 0 are left out."""
    quantities = {}
    for line in order.lines.filter(kit_line=None).select_related("sku"):
        quantity = typed_quantity(request.POST.get(f"{name}-{line.line_number}"), name=line.sku.code)
        if quantity:
            quantities[line.line_number] = quantity
    return quantities


def _ship(request: HttpRequest, order: SalesOrder) -> str:
    """Boxes left empty or at 0 stay behind. The key of the form makes a double click one shipment."""
    quantities = _typed(request, order, "ship")
    if not quantities:
        raise ValidationFailed(_("Enter what leaves: at least one line with more than 0 units."))
    now = timezone.now()
    shipment = ship_order(
        order.pk,
        key=request.POST.get("key") or f"admin:{uuid.uuid4()}",
        now=now,
        actor=request.user,
        quantities=quantities,
        warehouse_code=request.POST.get("warehouse") or None,
        carrier=request.POST.get("carrier", "").strip(),
        tracking_code=request.POST.get("tracking_code", "").strip(),
    )
    words = _("%(shipment)s was booked.") if shipment.shipped_at == now else _("%(shipment)s had been booked already.")
    return words % {"shipment": shipment.number}


def _cancel(request: HttpRequest, order: SalesOrder) -> str:
    cancel_order(order.pk, now=timezone.now(), actor=request.user)
    return _("What was not shipped is cancelled, and its reservations are free again.")


def _cancel_units(request: HttpRequest, order: SalesOrder) -> str:
    quantities = _typed(request, order, "cancel")
    if not quantities:
        raise ValidationFailed(_("Enter what is called off: at least one line with more than 0 units."))
    cancel_order(order.pk, quantities=quantities, now=timezone.now(), actor=request.user)
    return _("These units are cancelled; what was reserved of them is free again.")


def _release(request: HttpRequest, order: SalesOrder) -> str:
    tasks = release_for_picking(order.pk, now=timezone.now(), actor=request.user)
    count = len(tasks)
    return ngettext("%d pick task waits for this order.", "%d pick tasks wait for this order.", count) % count


def _deliver(request: HttpRequest, order: SalesOrder) -> str:
    mark_delivered(order.pk, now=timezone.now(), actor=request.user)
    return _("The order is delivered.")


PAGE_ACTIONS = (
    PageAction(
        "release", gettext_lazy("Release for picking"), RELEASE, _release, style="primary", is_offered=is_reserved
    ),
    PageAction("deliver", gettext_lazy("Delivered"), DELIVER, _deliver, style="primary", is_offered=has_left),
    PageAction("cancel_units", gettext_lazy("Cancel units"), CANCEL, _cancel_units, in_bar=False),
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
