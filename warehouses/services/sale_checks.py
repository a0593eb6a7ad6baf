"""A channel's order as it arrives, and every fault in it at once: nothing is written before an order is clean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import Channel, Sku
from config.kernel.errors import ValidationFailed
from warehouses.models import ChannelRoute, Warehouse
from warehouses.services.stock import is_storable

CLOCK_SKEW = timedelta(minutes=5)
MAX_LINES = 1000
MAX_TEXT = 64
PRICE_LIMIT = Decimal(10) ** 14
PRICE_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class SaleLine:
    """`unit_price` is in the channel's currency; without a warehouse the channel's routes choose."""

    sku_code: str
    quantity: Decimal
    unit_price: Decimal
    warehouse_code: str | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """One order of a channel. Lines are numbered from 1 in the order given; no `ordered_at` means now."""

    channel_code: str
    external_id: str
    ordered_at: datetime | None
    lines: Sequence[SaleLine]
    customer_reference: str = ""
    ship_to_country: str = ""


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line whose names were found: the warehouses that may serve it, best first."""

    number: int
    sku: Sku
    quantity: Decimal
    unit_price: Decimal
    warehouse_ids: Sequence[int]


def checked_lines(sale: Sale, channel: Channel | None, *, now: datetime) -> list[CheckedLine]:
    """The lines with their SKUs and warehouses found. Raises ValidationFailed naming every fault of the order."""
    skus = {sku.code: sku for sku in Sku.objects.filter(code__in={line.sku_code for line in sale.lines})}
    named = {line.warehouse_code for line in sale.lines if line.warehouse_code}
    warehouses = (
        dict(Warehouse.objects.filter(code__in=named, is_active=True).values_list("code", "pk")) if named else {}
    )
    routes = _routes(channel)
    items = [*_head_faults(sale, channel, now)]
    for number, line in enumerate(sale.lines, start=1):
        items += [{"line": number, "field": f, "message": m} for f, m in _line_faults(line, skus, warehouses)]
    if channel and not routes and any(not line.warehouse_code for line in sale.lines):
        items.append({"line": 0, "field": "channel_code", "message": _("No warehouse serves this channel.")})
    if items:
        raise ValidationFailed(_("The order cannot be recorded."), items=items)
    return [
        CheckedLine(
            number=number,
            sku=skus[line.sku_code],
            quantity=line.quantity,
            unit_price=line.unit_price,
            warehouse_ids=[warehouses[line.warehouse_code]] if line.warehouse_code else routes,
        )
        for number, line in enumerate(sale.lines, start=1)
    ]


def _routes(channel: Channel | None) -> list[int]:
    routes = ChannelRoute.objects.filter(channel=channel, warehouse__is_active=True).order_by("rank", "pk")
    return list(routes.values_list("warehouse_id", flat=True)) if channel else []


def _head_faults(sale: Sale, channel: Channel | None, now: datetime) -> Iterator[dict[str, Any]]:
    """Faults of the order as a whole carry line 0."""

    def fault(field: str, message: str) -> dict[str, Any]:
        return {"line": 0, "field": field, "message": message}

    if channel is None:
        yield fault("channel_code", _("There is no such channel."))
    elif not channel.is_active:
        yield fault("channel_code", _("This channel is not active."))
    if not sale.external_id.strip():
        yield fault("external_id", _("The order number is missing."))
    for field in ("external_id", "customer_reference", "ship_to_country"):
        if len(getattr(sale, field)) > MAX_TEXT:
            yield fault(field, _("At most %d characters.") % MAX_TEXT)
    if sale.ordered_at and sale.ordered_at.tzinfo is None:
        yield fault("ordered_at", _("The time needs its time zone."))
    elif sale.ordered_at and sale.ordered_at > now + CLOCK_SKEW:
        yield fault("ordered_at", _("The order lies in the future."))
    if not sale.lines:
        yield fault("lines", _("The order has no lines."))
    if len(sale.lines) > MAX_LINES:
        yield fault("lines", _("At most %d lines.") % MAX_LINES)


def _line_faults(line: SaleLine, skus: dict[str, Sku], warehouses: dict[str, int]) -> Iterator[tuple[str, str]]:
    sku = skus.get(line.sku_code)
    if sku is None:
        yield "sku_code", _("There is no such SKU.")
    elif sku.status == Sku.Status.DISCONTINUED:
        yield "sku_code", _("This SKU is discontinued.")
    if not is_storable(line.quantity):
        yield "quantity", _("At most eleven digits before the point and three after it.")
    elif line.quantity <= 0:
        yield "quantity", _("The quantity must be above zero.")
    if not line.unit_price.is_finite() or abs(line.unit_price) >= PRICE_LIMIT:
        yield "unit_price", _("Not a price.")
    elif line.unit_price < 0:
        yield "unit_price", _("The price must not be negative.")
    elif line.unit_price != line.unit_price.quantize(PRICE_STEP):
        yield "unit_price", _("At most four digits after the point.")
    if line.warehouse_code and line.warehouse_code not in warehouses:
        yield "warehouse_code", _("There is no such warehouse, or it is not active.")
