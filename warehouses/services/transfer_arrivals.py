"""What becomes of a transfer's goods in transit: they arrive, good or damaged, or are written off as lost.

in-transit bin ──move──▶ receiving, or the bin that was chosen
               └─scrap─▶ lost under way
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.models import Location, StockMovement, StockStatus, Transfer, TransferLine
from warehouses.services.backorders import reserve_backorders
from warehouses.services.places import ensure_places
from warehouses.services.reservations import release
from warehouses.services.stock import Move, post_movements
from warehouses.services.transfer_checks import Quantities, refuse_key, refuse_quantities
from warehouses.services.transfer_moves import (
    as_before,
    booked,
    ledger_key,
    line_of,
    locked_transfer,
    transfer_lines,
)
from warehouses.services.transfer_states import Action, next_status, status_after_receipt, under_way

_Kind = StockMovement.Kind
_NOTHING = Decimal(0)
LOST = "lost: lost under way"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived of a line: units that are well, and units that are damaged."""

    line_number: int
    good: Decimal = _NOTHING
    damaged: Decimal = _NOTHING


@one_transaction
def receive_transfer(
    transfer_id: int,
    arrivals: Sequence[Arrival] | None = None,
    *,
    key: str,
    now: datetime,
    actor: Any = None,
    location_id: int | None = None,
) -> Transfer:
    """Take in what arrived, line by line, good or damaged; without `arrivals` all that is under way. Once a key.

    The units go from transit to `location_id`, else to the destination's receiving bin; orders that wait are served.
    Locks transfer → levels. Raises NotFound, Conflict (wrong state, key used for other quantities), and
    ValidationFailed naming every line of which more is said to have arrived than is under way.
    """
    refuse_key(key)
    transfer = locked_transfer(transfer_id)
    if (received := booked(transfer, "in", key)) is not None:
        return as_before(transfer, received, _totals(arrivals))
    next_status(transfer, Action.RECEIVE_PART)
    lines = transfer_lines(transfer)
    coming = {line.line_number: under_way(line) for line in lines}
    if arrivals is None:
        arrivals = [Arrival(number, quantity) for number, quantity in coming.items() if quantity]
    _refuse_arrivals(arrivals, coming)
    place = _receiving(transfer, location_id)
    moves = _in_moves(transfer, arrivals, key, place)
    post_movements(moves, happened_at=now, actor=actor)
    totals = _totals(arrivals) or {}
    for line in lines:
        line.received_quantity += totals.get(line.line_number, _NOTHING)
    TransferLine.objects.bulk_update(lines, ["received_quantity"])
    _settle(transfer, status_after_receipt(transfer, lines), now=now)
    reserve_backorders({move.sku_id for move in moves}, now=now)
    return transfer


@one_transaction
def close_transfer_short(transfer_id: int, *, now: datetime, actor: Any = None) -> Transfer:
    """What never arrived is written off where it was last, in transit; what never left stays, free again.

    Locks transfer → levels → value pools. Raises NotFound, and Conflict when nothing was sent or all has arrived.
    """
    transfer = locked_transfer(transfer_id)
    status = next_status(transfer, Action.CLOSE_SHORT)
    lines = transfer_lines(transfer)
    moves = [
        Move(
            kind=_Kind.SCRAP,
            sku_id=lot.sku_id,
            location_id=lot.location_id,
            lot_id=lot.lot_id,
            quantity=-lot.quantity,
            reference=transfer.number,
            reason=LOST,
            idempotency_key=ledger_key(transfer, "lost", "close", lot.line, str(nth)),
            line=lot.line,
        )
        for nth, lot in enumerate(_in_transit(transfer))
    ]
    post_movements(moves, happened_at=now, actor=actor)
    freed = [line.sku_id for line in lines if line.reserved_quantity]
    release(line for line in lines if line.reserved_quantity)
    for line in lines:
        line.lost_quantity += under_way(line)
        line.reserved_quantity = _NOTHING
    TransferLine.objects.bulk_update(lines, ["lost_quantity", "reserved_quantity"])
    _settle(transfer, status, now=now)
    if freed:
        reserve_backorders(freed, now=now)
    return transfer


def _settle(transfer: Transfer, status: str, *, now: datetime) -> None:
    transfer.status = status
    transfer.closed_at = now if status in Transfer.DONE else None
    transfer.save(update_fields=["status", "closed_at"])


@dataclass(slots=True)
class _UnderWay:
    """Units of one line and lot that lie in transit."""

    line: int
    sku_id: int
    location_id: int
    lot_id: int | None
    expires_on: date
    quantity: Decimal


def _in_transit(transfer: Transfer) -> list[_UnderWay]:
    """What of this transfer lies in transit now, by line, what expires first first: the sum of its own movements."""
    rows: dict[tuple[int, int, int | None], _UnderWay] = {}
    moved = StockMovement.objects.filter(reference=transfer.number, location__kind=Location.Kind.IN_TRANSIT)
    for move in moved.select_related("lot").order_by("pk"):
        line = line_of(move.idempotency_key)
        row = rows.setdefault(
            (line, move.location_id, move.lot_id),
            _UnderWay(
                line,
                move.sku_id,
                move.location_id,
                move.lot_id,
                (move.lot.expires_on if move.lot else None) or date.max,
                _NOTHING,
            ),
        )
        row.quantity += move.quantity
    there = (row for row in rows.values() if row.quantity > 0)
    return sorted(there, key=lambda row: (row.line, row.expires_on, row.lot_id or 0))


def _in_moves(transfer: Transfer, arrivals: Sequence[Arrival], key: str, place: Location) -> list[Move]:
    """Out of transit and into the bin, lot by lot."""
    lots: dict[int, list[_UnderWay]] = defaultdict(list)
    for row in _in_transit(transfer):
        lots[row.line].append(row)
    moves: list[Move] = []
    for arrival in arrivals:
        for status, quantity in ((StockStatus.AVAILABLE, arrival.good), (StockStatus.DAMAGED, arrival.damaged)):
            left = quantity
            for row in lots[arrival.line_number]:
                part = min(left, row.quantity)
                if not part:
                    continue
                left -= part
                row.quantity -= part
                what = f"{status}.{row.location_id}.{row.lot_id or 0}"
                shared: dict[str, Any] = {
                    "kind": _Kind.MOVE,
                    "sku_id": row.sku_id,
                    "lot_id": row.lot_id,
                    "reference": transfer.number,
                    "is_internal": True,
                    "line": arrival.line_number,
                }
                moves += [
                    Move(
                        location_id=row.location_id,
                        quantity=-part,
                        idempotency_key=ledger_key(transfer, "in", key, arrival.line_number, f"{what}.out"),
                        **shared,
                    ),
                    Move(
                        location_id=place.pk,
                        quantity=part,
                        status=status,
                        idempotency_key=ledger_key(transfer, "in", key, arrival.line_number, what),
                        **shared,
                    ),
                ]
    return moves


def _refuse_arrivals(arrivals: Sequence[Arrival], coming: Quantities) -> None:
    numbers = [arrival.line_number for arrival in arrivals]
    if len(set(numbers)) < len(numbers):
        raise ValidationFailed(_("A line is named twice."))
    for part in ({a.line_number: a.good for a in arrivals}, {a.line_number: a.damaged for a in arrivals}):
        if any(not quantity.is_finite() or quantity < 0 for quantity in part.values()):
            refuse_quantities(part, coming, too_many="%s")
    refuse_quantities(_totals(arrivals) or {}, coming, too_many=_("Only %s of this line are under way."))


def _totals(arrivals: Sequence[Arrival] | None) -> dict[int, Decimal] | None:
    return None if arrivals is None else {a.line_number: a.good + a.damaged for a in arrivals}


def _receiving(transfer: Transfer, location_id: int | None) -> Location:
    if location_id is None:
        kinds = (Location.Kind.RECEIVING,)
        return ensure_places(transfer.destination_id, kinds=kinds)[Location.Kind.RECEIVING]
    place = Location.objects.filter(pk=location_id, warehouse=transfer.destination_id).first()
    if place is None or place.kind == Location.Kind.IN_TRANSIT:
        items = [{"field": "location", "message": _("Choose a bin of the warehouse it goes to.")}]
        raise ValidationFailed(_("This is no place to receive the transfer in."), items=items)
    return place
