"""A cart as a channel sends it, and every fault in it at once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import Channel, KitPart, Sku
from config.kernel.errors import InsufficientStock, ValidationFailed
from config.kernel.fields import plain
from warehouses.services.stock import is_storable

MAX_LINES = 200
MAX_TEXT = 64
MAX_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class CartItem:
    """So many units of a SKU; lines are numbered from 1 in the order given."""

    sku_code: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class WantedLine:
    """A line whose names were found; `parts` of a kit: (part's SKU id, units in one kit), else the SKU itself."""

    number: int
    sku: Sku
    quantity: Decimal
    parts: Sequence[tuple[int, Decimal]]


def checked_items(
    channel: Channel | None,
    external_id: str,
    items: Sequence[CartItem],
    ttl_minutes: int | None,
    routes: Sequence[int],
) -> list[WantedLine]:
    """The lines with their SKUs and parts found. Raises ValidationFailed naming every fault of the cart."""
    skus = {sku.code: sku for sku in Sku.objects.filter(code__in={item.sku_code for item in items})}
    parts: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    if kits := [sku.pk for sku in skus.values() if sku.is_kit]:
        for kit_id, part_id, units in KitPart.objects.filter(kit__in=kits).values_list("kit_id", "part_id", "quantity"):
            parts[kit_id].append((part_id, units))
    faults = [*_head_faults(channel, external_id, items, ttl_minutes, routes)]
    for number, item in enumerate(items, start=1):
        faults += [{"line": number, "field": f, "message": m} for f, m in _line_faults(item, skus, parts)]
    if faults:
        raise ValidationFailed(_("The cart cannot be held."), items=faults)
    return [
        WantedLine(number, sku, item.quantity, parts[sku.pk] if sku.is_kit else [(sku.pk, Decimal(1))])
        for number, item in enumerate(items, start=1)
        for sku in [skus[item.sku_code]]
    ]


def _head_faults(
    channel: Channel | None,
    external_id: str,
    items: Sequence[CartItem],
    ttl_minutes: int | None,
    routes: Sequence[int],
) -> Iterator[dict[str, Any]]:
    def fault(field: str, message: str) -> dict[str, Any]:
        return {"line": 0, "field": field, "message": message}

    if channel is None:
        yield fault("channel_code", _("There is no such channel."))
    elif not channel.is_active:
        yield fault("channel_code", _("This channel is not active."))
    elif not routes:
        yield fault("channel_code", _("No warehouse serves this channel."))
    if not external_id.strip():
        yield fault("external_id", _("The cart's number is missing."))
    elif len(external_id) > MAX_TEXT:
        yield fault("external_id", _("At most %d characters.") % MAX_TEXT)
    if message := _time_fault(ttl_minutes):
        yield fault("ttl_minutes", message)
    if not items:
        yield fault("lines", _("The cart has no lines; release it instead."))
    elif len(items) > MAX_LINES:
        yield fault("lines", _("At most %d lines.") % MAX_LINES)


def _line_faults(
    item: CartItem, skus: Mapping[str, Sku], parts: Mapping[int, Sequence[tuple[int, Decimal]]]
) -> Iterator[tuple[str, str]]:
    sku = skus.get(item.sku_code)
    if sku is None:
        yield "sku_code", _("There is no such SKU.")
    elif sku.status == Sku.Status.DISCONTINUED:
        yield "sku_code", _("This SKU is discontinued.")
    elif sku.is_kit and not parts.get(sku.pk):
        yield "sku_code", _("This kit has no parts.")
    if not is_storable(item.quantity):
        yield "quantity", _("At most eleven digits before the point and three after it.")
    elif item.quantity <= 0:
        yield "quantity", _("The quantity must be above zero.")
    elif sku is not None and sku.is_kit and item.quantity % 1:
        yield "quantity", _("Kits are sold whole.")


def _time_fault(ttl_minutes: int | None) -> str:
    is_right = ttl_minutes is None or 1 <= ttl_minutes <= MAX_MINUTES
    return "" if is_right else _("Between 1 and %d minutes.") % MAX_MINUTES


def refuse_time(ttl_minutes: int | None) -> None:
    if message := _time_fault(ttl_minutes):
        items = [{"field": "ttl_minutes", "message": message}]
        raise ValidationFailed(_("The cart cannot be held for so long."), items=items)


def short_of(shortages: Sequence[tuple[WantedLine, Decimal]]) -> InsufficientStock:
    items = [
        {
            "line": line.number,
            "sku": line.sku.code,
            "requested": plain(line.quantity),
            "available": plain(available),
            "short_by": plain(line.quantity - available),
        }
        for line, available in shortages
    ]
    named = "; ".join(_("line %(line)d (%(sku)s): short by %(short_by)s") % item for item in items[:20])
    return InsufficientStock(_("Not enough stock: %(named)s.") % {"named": named}, items=items)
