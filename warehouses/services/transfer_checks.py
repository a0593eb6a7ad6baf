"""What is asked of a transfer, checked as a whole: every fault of every line is named at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import PackUnit, Sku
from config.kernel.errors import ValidationFailed
from config.kernel.fields import plain
from warehouses.models import Lot, Transfer, Warehouse
from warehouses.services.stock import is_storable

MAX_KEY = 200
Quantities = Mapping[int, Decimal]
"""line number → units"""


@dataclass(frozen=True, slots=True)
class TransferItem:
    """One line as it is asked for; `quantity` is in `unit` where one is named (a box), else in units of the SKU."""

    sku_code: str
    quantity: Decimal
    lot_code: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class CheckedItem:
    number: int
    sku: Sku
    lot: Lot | None
    quantity: Decimal


def fault(field: str, message: str, *, line: int | None = None, sku: str = "") -> dict[str, Any]:
    where = {} if line is None else {"line": line}
    return {**where, "field": field, **({"sku": sku} if sku else {}), "message": message}


def refuse_key(key: str) -> None:
    if not key or len(key) > MAX_KEY:
        raise ValidationFailed(_("The key has 1 to %d characters.") % MAX_KEY)


def checked_warehouses(source_code: str, destination_code: str) -> tuple[dict[str, Warehouse], list[dict[str, Any]]]:
    """The two warehouses by field, and what is wrong with them."""
    codes = {"source": source_code, "destination": destination_code}
    rows = {row.code: row for row in Warehouse.objects.filter(code__in=codes.values())}
    found = {field: rows[code] for field, code in codes.items() if code in rows}
    faults = [
        fault(field, _("There is no warehouse %s.") % code) for field, code in codes.items() if field not in found
    ]
    faults += [fault(field, _("%s is closed.") % row.name) for field, row in found.items() if not row.is_active]
    if source_code == destination_code and found:
        faults.append(fault("destination", _("A transfer goes to another warehouse.")))
    return found, faults


def checked_items(
    items: Sequence[TransferItem], *, today: date | None
) -> tuple[list[CheckedItem], list[dict[str, Any]]]:
    """The lines with their rows, and every fault of every line; without `today` expired lots are none."""
    skus = {sku.code: sku for sku in Sku.objects.filter(code__in={item.sku_code for item in items})}
    lots = _lots(items)
    units = {
        (unit.sku_id, unit.code): unit.units
        for unit in PackUnit.objects.filter(code__in={item.unit for item in items if item.unit})
    }
    checked, faults, seen = [], [], set()
    for number, item in enumerate(items, start=1):
        sku = skus.get(item.sku_code)
        lot = lots.get((item.sku_code, item.lot_code)) if item.lot_code else None
        found = list(_item_faults(item, sku, lot, units, today))
        if (item.sku_code, item.lot_code) in seen:
            found.append(("sku", _("It is named twice.")))
        seen.add((item.sku_code, item.lot_code))
        if found or sku is None:
            faults += [fault(field, text, line=number, sku=item.sku_code) for field, text in found]
        else:
            size = Decimal(1) if item.unit in ("", sku.unit) else units[sku.pk, item.unit]
            checked.append(CheckedItem(number, sku, lot, item.quantity * size))
    if not items:
        faults.append(fault("lines", _("A transfer needs at least one line.")))
    return checked, faults


def _item_faults(
    item: TransferItem, sku: Sku | None, lot: Lot | None, units: Mapping[tuple[int, str], Decimal], today: date | None
) -> Iterator[tuple[str, str]]:
    if sku is None:
        yield "sku", _("There is no SKU %s.") % item.sku_code
    is_unit = sku is not None and item.unit in ("", sku.unit)
    size = Decimal(1) if is_unit or sku is None else units.get((sku.pk, item.unit))
    if size is None:
        yield "unit", _("It is not kept in “%s”.") % item.unit
    if not item.quantity.is_finite() or item.quantity <= 0 or not is_storable(item.quantity * (size or 1)):
        yield "quantity", _("The quantity must be above zero, with at most three digits after the point.")
    if item.lot_code and sku is not None and lot is None:
        yield "lot", _("%(sku)s has no lot %(lot)s.") % {"sku": sku.code, "lot": item.lot_code}
    if today is not None and lot is not None and lot.expires_on and lot.expires_on < today:
        yield "lot", _("The lot expired on %s.") % lot.expires_on.isoformat()


def _lots(items: Sequence[TransferItem]) -> dict[tuple[str, str], Lot]:
    named = [item for item in items if item.lot_code]
    if not named:
        return {}
    rows = Lot.objects.filter(
        sku__code__in={item.sku_code for item in named}, code__in={item.lot_code for item in named}
    )
    return {(lot.sku.code, lot.code): lot for lot in rows.select_related("sku")}


def same_transfer(
    transfer: Transfer,
    ends: Mapping[str, Warehouse],
    items: Sequence[CheckedItem],
    *,
    expected_on: date | None,
    note: str,
) -> bool:
    """Whether the transfer that has the key says the same."""
    if (transfer.expected_on, transfer.note) != (expected_on, note):
        return False
    lines = transfer.lines.order_by("line_number")
    there = [(line.sku_id, line.lot_id, line.quantity) for line in lines]
    asked = [(item.sku.pk, item.lot.pk if item.lot else None, item.quantity) for item in items]
    route = (transfer.source_id, transfer.destination_id)
    return there == asked and route == tuple(ends[field].pk for field in ("source", "destination") if field in ends)


def refuse_quantities(quantities: Quantities, at_most: Quantities, *, too_many: Any) -> None:
    """Raises ValidationFailed naming every line that is unknown, not a quantity, or above what is possible.

    `too_many` is the sentence with %s for what is possible.
    """
    items = []
    for number, quantity in sorted(quantities.items()):
        if number not in at_most:
            items.append(fault("line", _("The transfer has no such line."), line=number))
        elif not is_storable(quantity) or quantity < 0:
            items.append(
                fault("quantity", _("The quantity must not be below zero, nor finer than a thousandth."), line=number)
            )
        elif quantity > at_most[number]:
            items.append(fault("quantity", str(too_many) % plain(at_most[number]), line=number))
    if not items and not any(quantities.values()):
        items.append(fault("lines", _("Nothing is named.")))
    if items:
        named = "; ".join(item["message"] for item in items[:5])
        raise ValidationFailed(_("Nothing was booked: %s") % named, items=items)
