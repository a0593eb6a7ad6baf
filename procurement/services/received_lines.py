"""What is said to have arrived, checked line by line: every fault of a delivery is named at once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import PackUnit
from config.kernel.errors import ValidationFailed
from config.kernel.fields import plain
from procurement.models import PurchaseOrderLine
from procurement.services.pricing import number_fault
from warehouses.models import Lot, StockStatus
from warehouses.services.lots import LotName, lots_named

TAKEN_AS = (StockStatus.AVAILABLE, StockStatus.QUARANTINE, StockStatus.DAMAGED, StockStatus.BLOCKED)
MAX_LOT = 64


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """So many units of an order line arrived: in `unit` where one is named (a box), of a lot, as good or set aside."""

    line_id: int
    quantity: Decimal
    lot_code: str = ""
    expires_on: date | None = None
    unit: str = ""
    status: str = StockStatus.AVAILABLE.value


@dataclass(frozen=True, slots=True)
class Arrived:
    """A checked part of a delivery, in units of the SKU."""

    line: PurchaseOrderLine
    quantity: Decimal
    lot_code: str
    expires_on: date | None
    status: str

    @property
    def lot_name(self) -> LotName | None:
        return (self.line.sku_id, self.lot_code) if self.lot_code else None


Sizes = Mapping[tuple[int, str], Decimal]
"""(sku id, pack unit) → units in it"""


def checked_arrivals(
    given: Sequence[ReceivedLine], lines: Mapping[int, PurchaseOrderLine], *, tolerance: Decimal, today: date
) -> tuple[list[Arrived], dict[LotName, Lot]]:
    """The parts in units, and the lots of theirs that are known. A line may come in parts, of several lots or statuses.

    Raises ValidationFailed naming every part that is unknown, no quantity, of a unit the SKU is not kept in, of a lot
    that expired or is known to expire on another day, named twice, rejected, or (all parts of a line together) above
    what the supplier's over-receipt tolerance allows.
    """
    if not given:
        raise ValidationFailed(_("No line was received."))
    sizes = pack_sizes(given)
    with_lot = (row for row in given if row.lot_code and row.line_id in lines)
    known = lots_named((lines[row.line_id].sku_id, row.lot_code) for row in with_lot)
    totals: dict[int, Decimal] = defaultdict(Decimal)
    days: dict[tuple[int, str], date] = {}
    seen: set[tuple[int, str, str]] = set()
    arrived, faults = [], []
    for row in given:
        line = lines.get(row.line_id)
        if line is None:
            faults.append(_named(row, None, _("is not on this order")))
            continue
        size = _size(row, line, sizes)
        quantity = row.quantity * (size or 1) if row.quantity.is_finite() else row.quantity
        found = list(_part_faults(row, line, size, quantity, known, days, seen, today))
        if not found:
            totals[line.pk] += quantity
            found = _total_faults(line, totals[line.pk], tolerance)
        faults += [_named(row, line, text) for text in found]
        arrived.append(Arrived(line, quantity, row.lot_code, row.expires_on, row.status))
    if faults:
        named = "; ".join(fault["message"] for fault in faults)
        raise ValidationFailed(_("Nothing was received: %(named)s.") % {"named": named}, items=faults)
    return arrived, known


def pack_sizes(given: Sequence[ReceivedLine]) -> Sizes:
    """The sizes of the pack units that are named; no query where none is."""
    codes = {row.unit for row in given if row.unit}
    if not codes:
        return {}
    return {(unit.sku_id, unit.code): unit.units for unit in PackUnit.objects.filter(code__in=codes)}


def _size(row: ReceivedLine, line: PurchaseOrderLine, sizes: Sizes) -> Decimal | None:
    """Units in one of what the part is counted in; None when the SKU is not kept in it."""
    return Decimal(1) if row.unit in ("", line.sku.unit) else sizes.get((line.sku_id, row.unit))


def _part_faults(
    row: ReceivedLine,
    line: PurchaseOrderLine,
    size: Decimal | None,
    quantity: Decimal,
    known: Mapping[LotName, Lot],
    days: dict[tuple[int, str], date],
    seen: set[tuple[int, str, str]],
    today: date,
) -> Iterator[str]:
    if size is None:
        yield _("it is not kept in “%s”") % row.unit
    wrong = number_fault(quantity)
    if wrong:
        yield _("the quantity %(wrong)s") % {"wrong": wrong}
    if line.status == PurchaseOrderLine.Status.REJECTED:
        yield _("the supplier rejected it")
    part = (row.line_id, row.lot_code, row.status)
    if part in seen:
        yield _("is named twice")
    seen.add(part)
    if row.status not in TAKEN_AS:
        yield _("there is no status %s") % row.status
    yield from _lot_faults(row, line, known, days, today)


def _lot_faults(
    row: ReceivedLine,
    line: PurchaseOrderLine,
    known: Mapping[LotName, Lot],
    days: dict[tuple[int, str], date],
    today: date,
) -> Iterator[str]:
    if not row.lot_code:
        if row.expires_on is not None:
            yield _("a day it expires needs a lot")
        return
    if len(row.lot_code) > MAX_LOT:
        yield _("the lot's code is longer than %d characters") % MAX_LOT
    lot = known.get((line.sku_id, row.lot_code))
    expires_on = (lot.expires_on if lot else None) or days.get((line.sku_id, row.lot_code))
    if row.expires_on is not None and expires_on is not None and row.expires_on != expires_on:
        words = {"lot": row.lot_code, "day": expires_on.isoformat()}
        yield _("lot %(lot)s is known to expire on %(day)s") % words
    expires_on = expires_on or row.expires_on
    if expires_on is not None:
        days.setdefault((line.sku_id, row.lot_code), expires_on)
        if expires_on < today and row.status == StockStatus.AVAILABLE:
            words = {"lot": row.lot_code, "day": expires_on.isoformat()}
            yield _("lot %(lot)s expired on %(day)s; take it into quarantine or leave it") % words


def _total_faults(line: PurchaseOrderLine, quantity: Decimal, tolerance: Decimal) -> list[str]:
    at_most = line.quantity * (1 + tolerance) - line.received_quantity
    if quantity <= at_most:
        return []
    words = {
        "ordered": plain(line.quantity),
        "received": plain(line.received_quantity),
        "tolerance": plain(tolerance * 100),
        "at_most": plain(max(at_most, Decimal(0)).quantize(Decimal("0.001"), rounding=ROUND_DOWN)),
        "given": plain(quantity),
    }
    return [
        _(
            "ordered %(ordered)s, received %(received)s, tolerance %(tolerance)s %%, at most %(at_most)s more; "
            "%(given)s given"
        )
        % words
    ]


def _named(row: ReceivedLine, line: PurchaseOrderLine | None, fault: str) -> dict[str, Any]:
    name = f"{line.line_number} {line.sku.code}" if line else str(row.line_id)
    message = _("line %(line)s: %(fault)s") % {"line": name, "fault": fault}
    where = {"line": line.line_number} if line else {}
    return {**where, "line_id": row.line_id, "quantity": plain(row.quantity), "message": message}
