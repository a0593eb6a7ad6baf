"""What a supplier charges for a quantity, and which quantities it sells."""

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from config.kernel.fields import plain
from procurement.models import SupplierItem

_LARGEST = Decimal("99999999999.999")


def items_of(supplier_id: int, sku_ids: Iterable[int]) -> dict[int, SupplierItem]:
    """SKU id → what the supplier sells of it now, with price breaks loaded."""
    rows = SupplierItem.objects.filter(supplier=supplier_id, sku__in=set(sku_ids), is_active=True)
    return {item.sku_id: item for item in rows.select_related("sku", "supplier").prefetch_related("price_breaks")}


def unit_cost_for(item: SupplierItem, quantity: Decimal) -> Decimal:
    """The price of every unit when `quantity` is bought at once: that of the highest break reached (all units)."""
    reached = [b for b in item.price_breaks.all() if b.minimum_quantity <= quantity]
    return max(reached, key=lambda b: b.minimum_quantity).unit_cost if reached else item.unit_cost


def number_fault(quantity: Decimal) -> str:
    """Why this is no quantity of goods, or ""."""
    if not quantity.is_finite() or quantity <= 0:
        return _("must be greater than zero")
    if quantity > _LARGEST or quantity != quantity.quantize(Decimal("0.001")):
        return _("has more than 11 digits before or 3 after the point")
    return ""


def quantity_fault(item: SupplierItem, quantity: Decimal) -> str:
    """Why the supplier does not sell this quantity of the item, or ""."""
    fault = number_fault(quantity)
    if fault:
        return fault
    named = {"given": plain(quantity)}
    if quantity < item.minimum_order_quantity:
        return _("%(given)s is below the minimum order quantity of %(minimum)s") % {
            **named,
            "minimum": plain(item.minimum_order_quantity),
        }
    if quantity % item.pack_size:
        return _("%(given)s is not a multiple of the pack size of %(pack)s") % {**named, "pack": plain(item.pack_size)}
    return ""
