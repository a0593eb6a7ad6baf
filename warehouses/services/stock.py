"""The one writer of stock (step 3 of the story): movements go into the ledger, levels follow in the same transaction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, InsufficientStock
from config.kernel.fields import plain
from warehouses.locks import LevelKey, locked_levels_by_key
from warehouses.models import StockLevel, StockMovement


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a posting. `quantity` is signed; `release` is the part of the level's reservation it uses up (≥ 0)."""

    kind: str
    sku_id: int
    location_id: int
    quantity: Decimal
    idempotency_key: str
    lot_id: int | None = None
    release: Decimal = Decimal(0)
    unit_cost: Decimal | None = None
    reference: str = ""
    reason: str = ""

    @property
    def level_key(self) -> LevelKey:
        return (self.sku_id, self.location_id, self.lot_id)


def post_movements(moves: Sequence[Move], *, happened_at: datetime, actor: Any = None) -> list[StockMovement]:
    """Post all of `moves` or none; returns the ledger rows in the order of `moves`.

    Locks the levels in primary-key order. Moves whose idempotency key is in the ledger already are returned as they
    stand and not posted again; the same key with other contents raises Conflict. Raises InsufficientStock naming every
    level that would fall below its reservations (or below zero); then nothing is written.
    """
    if not moves:
        return []
    with transaction.atomic():
        levels = locked_levels_by_key(move.level_key for move in moves)
        posted = _already_posted(moves)
        fresh = [move for move in moves if move.idempotency_key not in posted]
        if len({move.idempotency_key for move in fresh}) < len(fresh):
            raise Conflict(_("Two moves of one posting carry the same idempotency key."))
        _apply(fresh, levels)
        rows = StockMovement.objects.bulk_create(
            [
                StockMovement(
                    kind=move.kind,
                    sku_id=move.sku_id,
                    location_id=move.location_id,
                    lot_id=move.lot_id,
                    quantity=move.quantity,
                    unit_cost=move.unit_cost,
                    reference=move.reference,
                    reason=move.reason,
                    idempotency_key=move.idempotency_key,
                    actor=actor,
                    happened_at=happened_at,
                )
                for move in fresh
            ],
            batch_size=2000,
        )
        by_key = posted | {row.idempotency_key: row for row in rows}
        return [by_key[move.idempotency_key] for move in moves]


def change_reservations(deltas: dict[int, Decimal], levels: dict[int, StockLevel]) -> None:
    """Add to `reserved` of levels the caller has locked (level id → signed units). The database refuses a wrong sum."""
    _write([(level_id, levels[level_id].on_hand, levels[level_id].reserved + d) for level_id, d in deltas.items() if d])


def _already_posted(moves: Sequence[Move]) -> dict[str, StockMovement]:
    rows = StockMovement.objects.in_bulk([m.idempotency_key for m in moves], field_name="idempotency_key")
    for move in moves:
        row = rows.get(move.idempotency_key)
        if row and (row.sku_id, row.location_id, row.lot_id, row.quantity) != (*move.level_key, move.quantity):
            raise Conflict(
                _("Idempotency key %(key)s was used for another movement.") % {"key": move.idempotency_key},
                code="idempotency_key_reused",
            )
    return rows


def _apply(moves: Sequence[Move], levels: dict[LevelKey, StockLevel]) -> None:
    deltas: dict[LevelKey, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for move in moves:
        deltas[move.level_key][0] += move.quantity
        deltas[move.level_key][1] += move.release
    shortages, changes = [], []
    for key, (quantity, release) in deltas.items():
        level = levels[key]
        on_hand, reserved = level.on_hand + quantity, level.reserved - release
        if reserved < 0 or on_hand < reserved:
            shortages.append((level, -quantity, level.on_hand - reserved))
        changes.append((level.pk, on_hand, reserved))
    if shortages:
        raise _insufficient(shortages)
    _write(changes)


def _write(changes: Sequence[tuple[int, Decimal, Decimal]]) -> None:
    if not changes:
        return
    ids, on_hand, reserved = zip(*changes, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE warehouses_stocklevel level SET on_hand = new.on_hand, reserved = new.reserved, updated_at = now() "
            "FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS new(id, on_hand, reserved) "
            "WHERE level.id = new.id",
            [list(ids), list(on_hand), list(reserved)],
        )


def _insufficient(shortages: list[tuple[StockLevel, Decimal, Decimal]]) -> InsufficientStock:
    items = [
        {
            "sku": level.sku.code,
            "location": str(level.location),
            "requested": plain(asked),
            "available": plain(free),
            "short_by": plain(asked - free),
        }
        for level, asked, free in shortages
    ]
    named = "; ".join(_("%(sku)s at %(location)s: short by %(short_by)s") % item for item in items[:20])
    return InsufficientStock(_("Not enough stock: %(named)s.") % {"named": named}, items=items)
