"""Stock that stays in its warehouse: from bin to bin, or from one status to another where it lies."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.models import Location, StockLevel, StockMovement, StockStatus
from warehouses.services.backorders import reserve_backorders
from warehouses.services.pick_tasks import picking_goes_on
from warehouses.services.stock import Move, is_storable, post_movements
from warehouses.services.unreserving import Freed, free_up

MAX_KEY = 255
MAX_REASON = 200
MAX_REFERENCE = 80


@dataclass(frozen=True, slots=True)
class StockMove:
    """Units of one level that go to another bin of the same warehouse, with their lot and their status."""

    sku_id: int
    from_location_id: int
    to_location_id: int
    quantity: Decimal
    lot_id: int | None = None
    status: str = StockStatus.AVAILABLE.value


@one_transaction
def move_stock(
    moves: Sequence[StockMove], *, key: str, now: datetime, actor: Any = None, reason: str = "", reference: str = ""
) -> Sequence[StockMovement]:
    """Move free units from bin to bin, all or none; two movements each (out, in). The same key again moves no more.

    Locks the levels. Reserved units do not move: InsufficientStock names every line that is short. Raises
    ValidationFailed with every fault (another warehouse, a place in transit, no quantity, a closed or full place),
    Conflict when the key was used for other moves.
    """
    items = [*_header_faults(key=key, reason=reason, reference=reference), *_move_faults(moves)]
    if items:
        raise ValidationFailed(_("The stock cannot be moved: %s") % items[0]["message"], items=items)
    ledger_key = f"move:{_digest(key)}"
    _refuse_other_contents(ledger_key, len(moves))
    posted = post_movements(
        [
            half
            for line, move in enumerate(moves, start=1)
            for half in _halves(move, line, ledger_key, reason, reference)
        ],
        happened_at=now,
        actor=actor,
    )
    reserve_backorders({move.sku_id for move in moves}, now=now)
    return posted


@one_transaction
def change_status(
    *,
    sku_id: int,
    location_id: int,
    quantity: Decimal,
    from_status: str,
    to_status: str,
    reason: str,
    key: str,
    now: datetime,
    actor: Any = None,
    lot_id: int | None = None,
    unreserve: bool = False,
) -> Sequence[StockMovement]:
    """Give units another status where they lie: available, quarantine, damaged, blocked. Once a key.

    Only free units change, unless `unreserve`: then reservations give way (see `unreserving.free_up`), and their lines
    wait or get other stock. Units that become available serve who waits. Locks the holders' documents (with
    `unreserve`), then the levels. Raises ValidationFailed, InsufficientStock, Conflict.
    """
    items = [*_header_faults(key=key, reason=reason, needs_reason=True), *_quantity_faults(quantity, line=None)]
    for field, status in (("from_status", from_status), ("to_status", to_status)):
        if status not in StockStatus.values:
            items.append({"field": field, "message": _("There is no status %s.") % status})
    if from_status == to_status:
        items.append({"field": "to_status", "message": _("It has this status already.")})
    if Location.objects.filter(pk=location_id, kind=Location.Kind.IN_TRANSIT).exists():
        items.append({"field": "location", "message": _in_transit()})
    if items:
        raise ValidationFailed(_("The status cannot be changed: %s") % items[0]["message"], items=items)
    ledger_key = f"status:{_digest(key)}"
    freed = _freed(sku_id, location_id, lot_id, from_status, quantity, ledger_key) if unreserve else Freed()
    posted = post_movements(
        [
            Move(
                kind=StockMovement.Kind.MOVE,
                sku_id=sku_id,
                location_id=location_id,
                lot_id=lot_id,
                status=status,
                quantity=signed,
                reason=reason,
                idempotency_key=f"{ledger_key}:{half}",
                is_internal=True,
            )
            for half, status, signed in (("out", from_status, -quantity), ("in", to_status, quantity))
        ],
        happened_at=now,
        actor=actor,
    )
    reserve_backorders({sku_id, *freed.skus}, now=now)
    picking_goes_on(freed.orders, now=now)
    return posted


def _freed(sku_id: int, location_id: int, lot_id: int | None, status: str, quantity: Decimal, ledger_key: str) -> Freed:
    """Reservations give way once a key: a twin waits here until the first is done, and then finds it posted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ledger_key])
    if StockMovement.objects.filter(idempotency_key=f"{ledger_key}:out").exists():
        return Freed()
    level = StockLevel.objects.filter(sku=sku_id, location=location_id, lot=lot_id, status=status).first()
    if level is None or level.on_hand < quantity:
        return Freed()
    return free_up({level.pk: quantity})


def _halves(move: StockMove, line: int, key: str, reason: str, reference: str) -> list[Move]:
    return [
        Move(
            kind=StockMovement.Kind.MOVE,
            sku_id=move.sku_id,
            location_id=location_id,
            lot_id=move.lot_id,
            status=move.status,
            quantity=quantity,
            reason=reason,
            reference=reference,
            idempotency_key=f"{key}:{line}:{half}",
            is_internal=True,
            line=line,
        )
        for half, location_id, quantity in (
            ("out", move.from_location_id, -move.quantity),
            ("in", move.to_location_id, move.quantity),
        )
    ]


def _move_faults(moves: Sequence[StockMove]) -> list[dict[str, Any]]:
    if not moves:
        return [{"field": "lines", "message": _("Nothing is named.")}]
    ids = {pk for move in moves for pk in (move.from_location_id, move.to_location_id)}
    places = Location.objects.in_bulk(ids)
    return [fault for line, move in enumerate(moves, start=1) for fault in _faults_of(move, line, places)]


def _faults_of(move: StockMove, line: int, places: Mapping[int, Location]) -> list[dict[str, Any]]:
    items = _quantity_faults(move.quantity, line=line)
    ends = {
        "from_location": places.get(move.from_location_id),
        "to_location": places.get(move.to_location_id),
    }
    for field, place in ends.items():
        if place is None:
            items.append({"line": line, "field": field, "message": _("There is no such place.")})
        elif place.kind == Location.Kind.IN_TRANSIT:
            items.append({"line": line, "field": field, "message": _in_transit()})
    start, end = ends.values()
    if start is not None and end is not None and start.pk == end.pk:
        items.append({"line": line, "field": "to_location", "message": _("It lies there already.")})
    elif start is not None and end is not None and start.warehouse_id != end.warehouse_id:
        message = _("The place is in another warehouse: write a transfer.")
        items.append({"line": line, "field": "to_location", "message": message})
    if move.status not in StockStatus.values:
        items.append({"line": line, "field": "status", "message": _("There is no status %s.") % move.status})
    return items


def _quantity_faults(quantity: Decimal, *, line: int | None) -> list[dict[str, Any]]:
    if is_storable(quantity) and quantity > 0:
        return []
    where = {} if line is None else {"line": line}
    message = _("The quantity must be above zero, with at most three digits after the point.")
    return [{**where, "field": "quantity", "message": message}]


def _header_faults(*, key: str, reason: str, reference: str = "", needs_reason: bool = False) -> list[dict[str, Any]]:
    items = []
    if not key or len(key) > MAX_KEY:
        items.append({"field": "key", "message": _("The key has 1 to %d characters.") % MAX_KEY})
    if len(reason) > MAX_REASON or (needs_reason and not reason.strip()):
        items.append({"field": "reason", "message": _("Give a reason of at most %d characters.") % MAX_REASON})
    if len(reference) > MAX_REFERENCE:
        items.append({"field": "reference", "message": _("At most %d characters.") % MAX_REFERENCE})
    return items


def _refuse_other_contents(key: str, count: int) -> None:
    """Movements that differ are refused by the ledger itself; here: fewer or more of them than before."""
    there = StockMovement.objects.filter(idempotency_key__startswith=f"{key}:").count()
    if there and there != 2 * count:
        raise Conflict(_("This key was used for other moves."), code="idempotency_key_reused")


def _in_transit() -> str:
    return _("What is in transit is received or closed short with its transfer.")


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:48]
