"""The codes of the warehouses: what the labels of SKUs, locations, lots and orders say, and how a scan of them is read.

`L:MAIN/A-01` a location · `T:MUG/B7` a lot · `O:WEB/1001` an order · `S:MUG` a SKU whose bare code would be read as
something else · `SH-000012` a shipment. Other documents register theirs in the same way, where they live:

    numbered("TR-", "warehouses.transfer", type="transfer")          # its number is its code
    @reads_mark("X", "warehouses.cart") def cart(text): …            # what follows "X:"
"""

from collections.abc import Mapping
from datetime import date

from django.db.models import Q

from catalog.models import Channel, Sku
from config.kernel.scanning import Scanned, found, numbered, pair_splits, plain_reader, reads_gs1, reads_mark
from config.kernel.scanning.gs1 import CONTENT, COUNT, EXPIRY, GTIN, LOT, SERIAL, UNITS, day_of, gtin_forms
from warehouses.models import Location, Lot, SalesOrder

__all__ = ["found", "location_code", "lot_code", "order_code"]

SKU, LOCATION, LOT_MODEL, ORDER = "catalog.sku", "warehouses.location", "warehouses.lot", "warehouses.salesorder"


def location_code(location: Location) -> str:
    return f"L:{location.warehouse.code}/{location.code}"


def lot_code(lot: Lot) -> str:
    return f"T:{lot.sku.code}/{lot.code}"


def order_code(order: SalesOrder) -> str:
    return f"O:{order.channel.code}/{order.external_id}"


def _sku(sku: Sku, said: Mapping[str, str] | None = None) -> Scanned:
    codes = {"sku": sku.code, "barcode": sku.barcode, **(said or {})}
    return Scanned("sku", SKU, sku.pk, {name: code for name, code in codes.items() if code})


def _lot(lot: Lot, said: Mapping[str, str] | None = None) -> Scanned:
    codes = {"sku": lot.sku.code, "barcode": lot.sku.barcode, "lot": lot.code, **(said or {})}
    if lot.expires_on:
        codes["expires_on"] = lot.expires_on.isoformat()
    return Scanned("lot", LOT_MODEL, lot.pk, {name: code for name, code in codes.items() if code})


def _only_sku(condition: Q) -> Sku | None:
    skus = list(Sku.objects.filter(condition)[:2])
    return skus[0] if len(skus) == 1 else None


def sku_by_gtin(text: str) -> Sku | None:
    """The one SKU with this barcode, written with or without leading zeros."""
    return _only_sku(Q(barcode__in=gtin_forms(text)))


@reads_mark("S", SKU)
def marked_sku(code: str) -> Scanned | None:
    sku = _only_sku(Q(code=code))
    return _sku(sku) if sku else None


@plain_reader(SKU, order=10)
def plain_sku(text: str) -> Scanned | None:
    """By code or barcode; a text that is one SKU's code and another's barcode means neither."""
    sku = _only_sku(Q(code=text) | Q(barcode__in=gtin_forms(text)))
    return _sku(sku) if sku else None


@reads_mark("L", LOCATION)
def marked_location(text: str) -> Scanned | None:
    wanted = Q(pk__in=[])
    for warehouse, code in pair_splits(text):
        wanted |= Q(warehouse__code=warehouse, code=code)
    return _only_location(wanted)


@plain_reader(LOCATION, order=30)
def plain_location(text: str) -> Scanned | None:
    return _only_location(Q(code=text))


def _only_location(condition: Q) -> Scanned | None:
    places = list(Location.objects.filter(condition).select_related("warehouse")[:2])
    if len(places) != 1:
        return None
    codes = {"warehouse": places[0].warehouse.code, "location": places[0].code}
    return Scanned("location", LOCATION, places[0].pk, codes)


@reads_mark("T", LOT_MODEL)
def marked_lot(text: str) -> Scanned | None:
    wanted = Q(pk__in=[])
    for sku, code in pair_splits(text):
        wanted |= Q(sku__code=sku, code=code)
    lots = list(Lot.objects.filter(wanted).select_related("sku")[:2])
    return _lot(lots[0]) if len(lots) == 1 else None


@reads_mark("O", ORDER)
def marked_order(text: str) -> Scanned | None:
    wanted = Q(pk__in=[])
    for channel, number in pair_splits(text):
        wanted |= Q(channel__code=channel, external_id=number)
    return _only_order(wanted)


@plain_reader(ORDER, order=20)
def plain_order(text: str) -> Scanned | None:
    """By the number alone; the channels are named so that the unique index serves."""
    return _only_order(Q(channel_id__in=list(Channel.objects.values_list("pk", flat=True)), external_id=text))


def _only_order(condition: Q) -> Scanned | None:
    orders = list(SalesOrder.objects.filter(condition).select_related("channel")[:2])
    if len(orders) != 1:
        return None
    return Scanned("order", ORDER, orders[0].pk, {"channel": orders[0].channel.code, "order": orders[0].external_id})


@reads_gs1
def trade_item(elements: Mapping[str, str], today: date) -> Scanned | None:
    """A supplier's carton: its GTIN names the SKU, its batch the lot if we know it; the rest is passed on."""
    gtin = elements.get(GTIN) or elements.get(CONTENT)
    sku = sku_by_gtin(gtin) if gtin else None
    if gtin is None or sku is None:
        return None
    expires_on = day_of(elements[EXPIRY], today=today) if EXPIRY in elements else None
    said = {
        "gtin": gtin,
        "lot": elements.get(LOT, ""),
        "serial": elements.get(SERIAL, ""),
        "quantity": elements.get(UNITS) or elements.get(COUNT) or "",
        "expires_on": expires_on.isoformat() if expires_on else "",
    }
    lot = Lot.objects.filter(sku=sku, code=said["lot"]).select_related("sku").first() if said["lot"] else None
    return _lot(lot, said) if lot else _sku(sku, said)


numbered("SH-", "warehouses.shipment", type="shipment")
numbered("TR-", "warehouses.transfer", type="transfer")
numbered("CT-", "warehouses.countsheet", type="count_sheet")
numbered("TK-", "warehouses.task", type="task")
