"""A transfer is asked for, its stock is held at the source, or it is called off. What moves: `transfer_moves`.

State table: `transfer_states`. Locks: the transfer (its lines change only with it) → levels (see warehouses.locks).
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from config.kernel.fields import plain
from config.kernel.numbers import next_number
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_levels
from warehouses.models import StockLevel, Transfer, TransferLine
from warehouses.selectors.stock import usable
from warehouses.services.backorders import reserve_backorders
from warehouses.services.reservations import FreeStock, hold, release
from warehouses.services.transfer_arrivals import Arrival, close_transfer_short, receive_transfer
from warehouses.services.transfer_checks import (
    TransferItem,
    checked_items,
    checked_warehouses,
    fault,
    refuse_key,
    same_transfer,
)
from warehouses.services.transfer_moves import locked_transfer, ship_transfer
from warehouses.services.transfer_states import Action, next_status, to_ship

__all__ = [
    "Arrival",
    "TransferItem",
    "cancel_transfer",
    "close_transfer_short",
    "create_transfer",
    "receive_transfer",
    "reserve_transfer",
    "ship_transfer",
]

MAX_NOTE = 200
_NOTHING = Decimal(0)


@one_transaction
def create_transfer(
    items: Sequence[TransferItem],
    *,
    source_code: str,
    destination_code: str,
    key: str,
    now: datetime,
    actor: Any = None,
    expected_on: date | None = None,
    note: str = "",
) -> tuple[Transfer, bool]:
    """Write the transfer down as a draft, which may be short of stock; (transfer, True), or the one with this key.

    Raises ValidationFailed with every fault of every line at once (unknown SKU, closed warehouse, quantity, unit, lot
    of another SKU, expired lot), Conflict when the key was used for another transfer. A transfer that is there is the
    answer even if it could not be written now (its lot has expired since).
    """
    refuse_key(key)
    ends, faults = checked_warehouses(source_code, destination_code)
    if known := Transfer.objects.filter(key=key).first():
        checked, line_faults = checked_items(items, today=None)
        if line_faults or not same_transfer(known, ends, checked, expected_on=expected_on, note=note):
            raise _key_reused()
        return known, False
    checked, line_faults = checked_items(items, today=timezone.localdate(now))
    faults += line_faults
    if expected_on is not None and expected_on < timezone.localdate(now):
        faults.append(fault("expected_on", _("The day it is expected on is over.")))
    if len(note) > MAX_NOTE:
        faults.append(fault("note", _("At most %d characters.") % MAX_NOTE))
    if faults:
        raise ValidationFailed(_("The transfer cannot be written: %s") % faults[0]["message"], items=faults)
    transfer = Transfer(
        number=next_number("warehouses_transfer_number", "TR"),
        key=key,
        source=ends["source"],
        destination=ends["destination"],
        expected_on=expected_on,
        note=note,
        created_at=now,
        actor=actor,
    )
    try:
        with transaction.atomic():
            transfer.save(force_insert=True)
    except IntegrityError as exc:  # a twin was faster; the insert has waited until its transaction ended
        known = Transfer.objects.filter(key=key).first()
        if known is None or not same_transfer(known, ends, checked, expected_on=expected_on, note=note):
            raise _key_reused() from exc
        return known, False
    TransferLine.objects.bulk_create(
        [
            TransferLine(transfer=transfer, line_number=item.number, sku=item.sku, lot=item.lot, quantity=item.quantity)
            for item in checked
        ]
    )
    return transfer, True


@one_transaction
def reserve_transfer(transfer_id: int, *, now: datetime, actor: Any = None) -> Transfer:
    """Hold at the source what has not left and is not held yet: all of it or nothing. Doing it again changes nothing.

    Locks the transfer, then the usable levels of its SKUs at the source. Raises NotFound, Conflict (wrong state), and
    InsufficientStock naming every line that is short.
    """
    transfer = locked_transfer(transfer_id)
    status = next_status(transfer, Action.RESERVE)
    lines = lines_of(transfer)
    missing = {line.pk: to_ship(line) - line.reserved_quantity for line in lines}
    lacking = [line for line in lines if missing[line.pk]]
    if lacking:
        parts = _taken(transfer, lacking, missing, today=timezone.localdate(now))
        hold(parts)
        for line, taken in parts:
            line.reserved_quantity += sum(taken.values(), _NOTHING)
        TransferLine.objects.bulk_update(lacking, ["reserved_quantity"])
    transfer.status = status
    transfer.save(update_fields=["status"])
    return transfer


@one_transaction
def cancel_transfer(transfer_id: int, *, now: datetime, actor: Any = None) -> Transfer:
    """Call off a transfer of which nothing has left; what it held is free again, for whoever waits.

    Locks the transfer, then the levels it holds. Raises NotFound, and Conflict once something is under way.
    """
    transfer = locked_transfer(transfer_id)
    status = next_status(transfer, Action.CANCEL)
    lines = lines_of(transfer)
    freed = [line.sku_id for line in lines if line.reserved_quantity]
    release(lines)
    for line in lines:
        line.reserved_quantity = _NOTHING
    TransferLine.objects.bulk_update(lines, ["reserved_quantity"])
    transfer.status, transfer.closed_at = status, now
    transfer.save(update_fields=["status", "closed_at"])
    if freed:
        reserve_backorders(freed, now=now)
    return transfer


def lines_of(transfer: Transfer) -> list[TransferLine]:
    """The transfer's lines with their SKUs and lots; they change only while the transfer is locked."""
    return list(transfer.lines.select_related("sku", "lot").order_by("line_number"))


def _taken(
    transfer: Transfer, lines: Sequence[TransferLine], missing: dict[int, Decimal], *, today: date
) -> list[tuple[TransferLine, dict[int, Decimal]]]:
    """What each line takes of which level; lines that name a lot take first. Raises InsufficientStock with all."""
    sku_ids, source = {line.sku_id for line in lines}, transfer.source_id
    levels = locked_levels(
        StockLevel.objects.filter(
            usable(today), Q(sku_id__in=sku_ids), location__warehouse_id=source, on_hand__gt=0
        ).select_related("location__warehouse", "lot")
    )
    free = FreeStock.of(levels)
    parts, short = [], []
    for line in sorted(lines, key=lambda line: (line.lot_id is None, line.line_number)):
        own = free
        if line.lot_id is not None:
            own = FreeStock.of(level for level in levels if level.lot_id == line.lot_id)
            own.taken.update(free.taken)
        available = own.available(line.sku_id, source)
        taken = own.take(line.sku_id, source, missing[line.pk])
        if own is not free:
            free.taken.update(own.taken)
        if available < missing[line.pk]:
            short.append(_shortage(line, missing[line.pk], available))
        parts.append((line, taken))
    if short:
        short.sort(key=lambda item: item["line"])
        named = "; ".join(_("line %(line)s (%(sku)s): short by %(short_by)s") % item for item in short[:20])
        raise InsufficientStock(_("Not enough stock at the source: %(named)s.") % {"named": named}, items=short)
    return parts


def _shortage(line: TransferLine, asked: Decimal, available: Decimal) -> dict[str, Any]:
    return {
        "line": line.line_number,
        "sku": line.sku.code,
        "lot": line.lot.code if line.lot else "",
        "requested": plain(asked),
        "available": plain(available),
        "short_by": plain(asked - available),
    }


def _key_reused() -> Conflict:
    return Conflict(_("This key was used for another transfer."), code="idempotency_key_reused")
