"""A transfer leaves its source and is in transit at its destination. What becomes of it there: `transfer_arrivals`.

    source bins ──transfer_out──▶ transfer_in, in the destination's in-transit bin

Value and lots go along. The in-transit bin is shared by all transfers to that warehouse; which line units under way
belong to is said by the idempotency keys of the movements (see `ledger_key`).
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, InsufficientStock
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_document
from warehouses.models import Location, Reservation, StockMovement, Transfer, TransferLine
from warehouses.services.places import ensure_places
from warehouses.services.stock import Move, post_movements
from warehouses.services.transfer_checks import Quantities, refuse_key, refuse_quantities
from warehouses.services.transfer_states import Action, next_status, to_ship

_Kind = StockMovement.Kind
_NOTHING = Decimal(0)


@one_transaction
def ship_transfer(
    transfer_id: int, *, key: str, now: datetime, actor: Any = None, quantities: Quantities | None = None
) -> Transfer:
    """Send what is held: the whole rest, or `quantities` (line number → units). The same key again sends nothing more.

    Uses up the reservations at the source bins; the goods are at once in the destination's in-transit bin, with their
    lots and their value. Locks transfer → levels → value pools. Raises NotFound, Conflict (wrong state, key used for
    other quantities), ValidationFailed, and InsufficientStock naming every line with less held than asked.
    """
    refuse_key(key)
    transfer = locked_transfer(transfer_id)
    if (sent := booked(transfer, "out", key)) is not None:
        return as_before(transfer, sent, quantities)
    status = next_status(transfer, Action.SHIP)
    lines = transfer_lines(transfer)
    asked = _asked(lines, quantities)
    transit = ensure_places(transfer.destination_id, kinds=(Location.Kind.IN_TRANSIT,))[Location.Kind.IN_TRANSIT]
    moves = _out_moves(transfer, lines, asked, key, transit)
    post_movements(moves, happened_at=now, actor=actor)
    for line in lines:
        line.shipped_quantity += asked.get(line.line_number, _NOTHING)
        line.reserved_quantity -= asked.get(line.line_number, _NOTHING)
    TransferLine.objects.bulk_update(lines, ["reserved_quantity", "shipped_quantity"])
    transfer.status, transfer.shipped_at = status, transfer.shipped_at or now
    transfer.save(update_fields=["status", "shipped_at"])
    return transfer


def locked_transfer(transfer_id: int) -> Transfer:
    return locked_document(Transfer, transfer_id, missing=_("There is no such transfer."))  # type: ignore[no-any-return]


def transfer_lines(transfer: Transfer) -> list[TransferLine]:
    return list(transfer.lines.select_related("sku").order_by("line_number"))


def _asked(lines: Sequence[TransferLine], quantities: Quantities | None) -> dict[int, Decimal]:
    """Line number → units to send, within what has not left and within what is held."""
    left = {line.line_number: to_ship(line) for line in lines}
    if quantities is None:
        quantities = {number: quantity for number, quantity in left.items() if quantity}
    refuse_quantities(quantities, left, too_many=_("Only %s of this line have not left yet."))
    items = [
        {
            "line": line.line_number,
            "sku": line.sku.code,
            "requested": plain(quantities[line.line_number]),
            "available": plain(line.reserved_quantity),
            "short_by": plain(quantities[line.line_number] - line.reserved_quantity),
        }
        for line in lines
        if quantities.get(line.line_number, _NOTHING) > line.reserved_quantity
    ]
    if items:
        named = "; ".join(_("line %(line)s (%(sku)s): short by %(short_by)s") % item for item in items[:20])
        raise InsufficientStock(_("Not enough is reserved: %(named)s.") % {"named": named}, items=items)
    return {number: quantity for number, quantity in quantities.items() if quantity}


def _out_moves(
    transfer: Transfer, lines: Sequence[TransferLine], asked: Quantities, key: str, transit: Location
) -> list[Move]:
    """Each part of a reservation leaves its bin and comes in in transit; the lines' reservations shrink."""
    by_line: dict[int, list[Reservation]] = defaultdict(list)
    held = Reservation.objects.filter(transfer_line__in=lines).select_related("level").order_by("pk")
    for row in held:
        by_line[row.transfer_line_id].append(row)  # type: ignore[index]
    moves: list[Move] = []
    used_up: list[Reservation] = []
    smaller: list[Reservation] = []
    for line in lines:
        left = asked.get(line.line_number, _NOTHING)
        for row in by_line[line.pk]:
            part = min(left, row.quantity)
            if not part:
                break
            left -= part
            row.quantity -= part
            (smaller if row.quantity else used_up).append(row)
            out = ledger_key(transfer, "out", key, line.line_number, str(row.level_id))
            shared: dict[str, Any] = {"sku_id": line.sku_id, "lot_id": row.level.lot_id, "reference": transfer.number}
            moves += [
                Move(
                    kind=_Kind.TRANSFER_OUT,
                    location_id=row.level.location_id,
                    quantity=-part,
                    release=part,
                    idempotency_key=out,
                    line=line.line_number,
                    **shared,
                ),
                Move(
                    kind=_Kind.TRANSFER_IN,
                    location_id=transit.pk,
                    quantity=part,
                    carries=(out,),
                    idempotency_key=ledger_key(transfer, "transit", key, line.line_number, str(row.level_id)),
                    line=line.line_number,
                    **shared,
                ),
            ]
    Reservation.objects.filter(pk__in=[row.pk for row in used_up]).delete()
    Reservation.objects.bulk_update(smaller, ["quantity"])
    return moves


def ledger_key(transfer: Transfer, verb: str, key: str, line: int, what: str) -> str:
    """`transfer:TR-000001:out:<caller's key>:<line>:<what>`: at most 120 characters, found again by its start."""
    return f"{_start(transfer, verb, key)}{line}:{what}"


def _start(transfer: Transfer, verb: str, key: str) -> str:
    return f"transfer:{transfer.number}:{verb}:{hashlib.sha256(key.encode()).hexdigest()[:32]}:"


def line_of(idempotency_key: str) -> int:
    return int(idempotency_key.split(":")[4])


def booked(transfer: Transfer, verb: str, key: str) -> dict[int, Decimal] | None:
    """Line number → units this key has moved already; None when it has not been used."""
    start = _start(transfer, verb, key)
    rows = StockMovement.objects.filter(Q(reference=transfer.number), idempotency_key__startswith=start)
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for used, quantity in rows.filter(quantity__lt=0).values_list("idempotency_key", "quantity"):
        sums[line_of(used)] -= quantity
    return dict(sums) or None


def as_before(transfer: Transfer, booked: Mapping[int, Decimal], asked: Quantities | None) -> Transfer:
    """The transfer as it stands, when the same was asked under the key before. Raises Conflict otherwise."""
    if asked is not None and {number: units for number, units in asked.items() if units} != booked:
        raise Conflict(_("This key was used for other quantities."), code="idempotency_key_reused")
    return transfer
