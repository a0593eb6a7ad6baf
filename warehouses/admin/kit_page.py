"""On the page of a SKU that is a kit: how many can be put together where, and the form that does it."""

import uuid
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import KitPart, Sku
from config.kernel.admin import PageAction, panel, render_panel
from config.kernel.admin.reading import typed_id, typed_quantity
from config.kernel.errors import ValidationFailed
from config.kernel.fields import plain
from warehouses.models import Location, Warehouse
from warehouses.selectors.stock import stock_positions
from warehouses.services.assembly import assemble_kit, disassemble_kit

ASSEMBLE = "warehouses.assemble_kit"
MOST_PLACES = 500


def _assemble(request: HttpRequest, kit: Sku) -> str:
    quantity = _act(request, kit, assemble_kit)
    return _("%(quantity)s × %(kit)s were put together.") % {"quantity": plain(quantity), "kit": kit.code}


def _disassemble(request: HttpRequest, kit: Sku) -> str:
    quantity = _act(request, kit, disassemble_kit)
    return _("%(quantity)s × %(kit)s were taken apart.") % {"quantity": plain(quantity), "kit": kit.code}


def _act(request: HttpRequest, kit: Sku, service: Any) -> Decimal:
    quantity = typed_quantity(request.POST.get("quantity"))
    if quantity is None:
        raise ValidationFailed(_("Enter how many kits."))
    service(
        kit.pk,
        quantity=quantity,
        location_id=typed_id(request.POST.get("location")),
        key=(request.POST.get("key") or f"admin:{uuid.uuid4()}")[:200],
        now=timezone.now(),
        actor=request.user,
    )
    return quantity


KIT_ACTIONS = (
    PageAction("assemble", gettext_lazy("Put together"), ASSEMBLE, _assemble, in_bar=False),
    PageAction("disassemble", gettext_lazy("Take apart"), ASSEMBLE, _disassemble, in_bar=False),
)
# The page belongs to the catalogue, which does not know of stock: what can be done with a kit is added to it from here.
_sku_admin: Any = admin.site.get_model_admin(Sku)
_sku_admin.page_actions = (*_sku_admin.page_actions, *KIT_ACTIONS)


@panel("catalog.sku", order=15, permission="warehouses.view_stocklevel")
def kit_panel(request: HttpRequest, sku: Sku) -> SafeString | None:
    """The parts with what is available of each by warehouse; None for a SKU that is no kit."""
    parts = list(KitPart.objects.filter(kit=sku).select_related("part").order_by("pk")) if sku.is_kit else []
    if not parts:
        return None
    warehouses = list(Warehouse.objects.filter(is_active=True))
    positions = stock_positions([part.part_id for part in parts], today=timezone.localdate())
    rows = []
    for part in parts:
        cells = [positions.get((part.part_id, place.pk)) for place in warehouses]
        rows.append({"part": part, "available": [cell.available if cell else Decimal(0) for cell in cells]})
    possible = [
        min((row["available"][n] / row["part"].quantity).to_integral_value(ROUND_FLOOR) for row in rows)  # type: ignore[index, attr-defined]
        for n in range(len(warehouses))
    ]
    bins = Location.objects.filter(warehouse__in=warehouses, level=Location.Level.BIN, is_active=True)
    context = {
        "kit": sku,
        "rows": rows,
        "warehouses": warehouses,
        "possible": possible,
        "may_assemble": request.user.has_perm(ASSEMBLE),
        "places": bins.exclude(kind=Location.Kind.IN_TRANSIT).select_related("warehouse")[:MOST_PLACES],
        "assemble_url": reverse("admin:catalog_sku_do", args=[sku.pk, "assemble"]),
        "disassemble_url": reverse("admin:catalog_sku_do", args=[sku.pk, "disassemble"]),
        "key": f"admin:{uuid.uuid4()}",
    }
    return render_panel("admin/house/kit.html", request, context)
