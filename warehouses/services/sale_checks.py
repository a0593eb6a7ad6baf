"""A channel's order as it arrives, and every fault in it at once: nothing is written before an order is clean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import Sku
from config.kernel.errors import ValidationFailed
from warehouses.services.sale_facts import Place, SaleFacts, SkuFacts
from warehouses.services.stock import is_storable

CLOCK_SKEW = timedelta(minutes=5)
MAX_LINES = 1000
MAX_TEXT = 64
PRICE_LIMIT = Decimal(10) ** 14
PRICE_STEP = Decimal("0.0001")
BACKORDER, REFUSE = "backorder", "refuse"


@dataclass(frozen=True, slots=True)
class SaleLine:
    """`unit_price` is of one unit of the SKU, in the channel's currency; without a warehouse sourcing chooses.

    `unit` is what the quantity counts: a unit of the SKU when empty, else one of its pack units.
    """

    sku_code: str
    quantity: Decimal
    unit_price: Decimal
    warehouse_code: str | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """One order of a channel. Lines are numbered from 1 in the order given; no `ordered_at` means now.

    `on_short`: what is short waits ("backorder", where the channel takes backorders), or the order is refused.
    `cart_external_id`: the cart whose units the order takes over; one that holds nothing (any more) changes nothing.
    """

    channel_code: str
    external_id: str
    ordered_at: datetime | None
    lines: Sequence[SaleLine]
    customer_reference: str = ""
    ship_to_country: str = ""
    ship_to_latitude: Decimal | None = None
    ship_to_longitude: Decimal | None = None
    on_short: str = BACKORDER
    cart_external_id: str = ""


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line whose names were found, its quantity in units of the SKU; of a kit the parts and the units in one kit."""

    number: int
    sku: SkuFacts
    quantity: Decimal
    unit_price: Decimal
    named: Place | None
    parts: Sequence[tuple[SkuFacts, Decimal]] = ()


def checked_lines(sale: Sale, facts: SaleFacts, *, now: datetime) -> list[CheckedLine]:
    """The lines with their SKUs and warehouses found. Raises ValidationFailed naming every fault of the order."""
    items = [*_head_faults(sale, facts, now)]
    for number, line in enumerate(sale.lines, start=1):
        items += [{"line": number, "field": f, "message": m} for f, m in _line_faults(line, facts)]
    if facts.channel and not facts.routes and any(not line.warehouse_code for line in sale.lines):
        items.append({"line": 0, "field": "channel_code", "message": _("No warehouse serves this channel.")})
    if items:
        raise ValidationFailed(_("The order cannot be recorded."), items=items)
    return [
        CheckedLine(
            number,
            sku := facts.skus[line.sku_code],
            units_of(line, facts),
            line.unit_price,
            facts.named[line.warehouse_code] if line.warehouse_code else None,
            facts.parts[sku.pk] if sku.is_kit else (),
        )
        for number, line in enumerate(sale.lines, start=1)
    ]


def units_of(line: SaleLine, facts: SaleFacts) -> Decimal:
    """The line's quantity in units of its SKU; as it stands where the SKU or the unit is unknown."""
    sku = facts.skus.get(line.sku_code)
    if sku is None or not line.unit or line.unit == sku.unit:
        return line.quantity
    return line.quantity * facts.packs.get((sku.pk, line.unit), Decimal(1))


def _head_faults(sale: Sale, facts: SaleFacts, now: datetime) -> Iterator[dict[str, Any]]:
    """Faults of the order as a whole carry line 0."""

    def fault(field: str, message: str) -> dict[str, Any]:
        return {"line": 0, "field": field, "message": message}

    if facts.channel is None:
        yield fault("channel_code", _("There is no such channel."))
    elif not facts.channel.is_active:
        yield fault("channel_code", _("This channel is not active."))
    if not sale.external_id.strip():
        yield fault("external_id", _("The order number is missing."))
    for field in ("external_id", "customer_reference", "ship_to_country", "cart_external_id"):
        if len(getattr(sale, field)) > MAX_TEXT:
            yield fault(field, _("At most %d characters.") % MAX_TEXT)
    if sale.ship_to_latitude is not None or sale.ship_to_longitude is not None:
        yield from (fault("ship_to_latitude", message) for message in _place_faults(sale))
    if sale.ordered_at and sale.ordered_at.tzinfo is None:
        yield fault("ordered_at", _("The time needs its time zone."))
    elif sale.ordered_at and sale.ordered_at > now + CLOCK_SKEW:
        yield fault("ordered_at", _("The order lies in the future."))
    if sale.on_short not in (BACKORDER, REFUSE):
        yield fault("on_short", _("Either backorder or refuse."))
    if not sale.lines:
        yield fault("lines", _("The order has no lines."))
    if len(sale.lines) > MAX_LINES:
        yield fault("lines", _("At most %d lines.") % MAX_LINES)


def _place_faults(sale: Sale) -> Iterator[str]:
    latitude, longitude = sale.ship_to_latitude, sale.ship_to_longitude
    if latitude is None or longitude is None:
        yield _("Latitude and longitude belong together.")
    elif not (latitude.is_finite() and longitude.is_finite() and abs(latitude) <= 90 and abs(longitude) <= 180):
        yield _("There is no such place on Earth.")


def _line_faults(line: SaleLine, facts: SaleFacts) -> Iterator[tuple[str, str]]:
    sku = facts.skus.get(line.sku_code)
    if sku is None:
        yield "sku_code", _("There is no such SKU.")
    elif sku.status == Sku.Status.DISCONTINUED.value:
        yield "sku_code", _("This SKU is discontinued.")
    elif line.unit and line.unit != sku.unit and (sku.pk, line.unit) not in facts.packs:
        yield "unit", _("Wrong unit: this SKU is not sold by the %(unit)s.") % {"unit": line.unit}
    if not is_storable(line.quantity) or not is_storable(units_of(line, facts)):
        yield "quantity", _("At most eleven digits before the point and three after it.")
    elif line.quantity <= 0:
        yield "quantity", _("The quantity must be above zero.")
    elif sku is not None and sku.is_kit:
        yield from _kit_faults(line, sku, facts)
    yield from _price_faults(line.unit_price)
    if line.warehouse_code and line.warehouse_code not in facts.named:
        yield "warehouse_code", _("There is no such warehouse, or it is not active.")


def _kit_faults(line: SaleLine, sku: SkuFacts, facts: SaleFacts) -> Iterator[tuple[str, str]]:
    parts = facts.parts.get(sku.pk)
    quantity = units_of(line, facts)
    if not parts:
        yield "sku_code", _("This kit has no parts.")
    elif any(part.is_kit for part, _each in parts):
        yield "sku_code", _("A part of this kit is a kit itself.")
    elif quantity != quantity // 1:
        yield "quantity", _("Kits are sold whole.")
    elif not all(is_storable(quantity * each) for _part, each in parts):
        yield "quantity", _("At most eleven digits before the point and three after it.")


def _price_faults(price: Decimal) -> Iterator[tuple[str, str]]:
    if not price.is_finite() or abs(price) >= PRICE_LIMIT:
        yield "unit_price", _("Not a price.")
    elif price < 0:
        yield "unit_price", _("The price must not be negative.")
    elif price != price.quantize(PRICE_STEP):
        yield "unit_price", _("At most four digits after the point.")
