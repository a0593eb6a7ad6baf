"""What a supplier charges for a quantity, and which quantities it sells."""

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from config.kernel.fields import plain
from procurement.models import SupplierItem

_LARGEST = Decimal("99999999999.999")
_MONEY = Decimal("0.0001")


def items_of(supplier_id: int, sku_ids: Iterable[int]) -> dict[int, SupplierItem]:
    """SKU id → what the supplier sells of it now, with price breaks loaded."""
    rows = SupplierItem.objects.filter(supplier=supplier_id, sku__in=set(sku_ids), is_active=True)
    return {item.sku_id: item for item in rows.select_related("sku", "supplier").prefetch_related("price_breaks")}


def unit_cost_for(item: SupplierItem, quantity: Decimal) -> Decimal:
    """What a unit costs when `quantity` is bought at once: the price of the highest break reached, or, where breaks are
    incremental, the mean over the units below and above them. From 100 on 3.50, below 4.00: 150 units at 3.50, or at
    (100 · 4 + 50 · 3.50) / 150 = 3.8333 where only the units above the break are cheaper."""
    reached = sorted(
        (b.minimum_quantity, b.unit_cost) for b in item.price_breaks.all() if b.minimum_quantity <= quantity
    )
    if item.discount != SupplierItem.Discount.INCREMENTAL or quantity <= 0:
        return reached[-1][1] if reached else item.unit_cost
    steps = [(Decimal(0), item.unit_cost), *reached]
    ends = [*(start for start, _cost in reached), quantity]
    total = sum(((end - start) * cost for (start, cost), end in zip(steps, ends, strict=True)), Decimal(0))
    return (total / quantity).quantize(_MONEY)


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
    if item.maximum_order_quantity is not None and quantity > item.maximum_order_quantity:
        return _("%(given)s is above the %(maximum)s the supplier delivers in one order") % {
            **named,
            "maximum": plain(item.maximum_order_quantity),
        }
    if item.pallet_size is not None and quantity % item.pallet_size:
        return _("%(given)s is not a multiple of the pallet of %(pallet)s") % {
            **named,
            "pallet": plain(item.pallet_size),
        }
    if quantity % item.pack_size:
        return _("%(given)s is not a multiple of the pack size of %(pack)s") % {**named, "pack": plain(item.pack_size)}
    return ""
