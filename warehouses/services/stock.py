"""The one writer of stock (step 3 of the story): movements go into the ledger, levels follow at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from config.kernel.fields import plain
from warehouses.locks import LevelKey, locked_levels_by_key
from warehouses.models import StockLevel, StockMovement

QUANTITY_LIMIT = Decimal(10) ** 11
QUANTITY_STEP = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a posting. `quantity` is signed; `release` (≥ 0) is how much of the level's reservation it uses."""

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
    stand and not posted again. Raises Conflict when a key was used for another movement, ValidationFailed for a
    quantity that cannot be stored exactly or a place that does not exist, and InsufficientStock naming every level
    that would fall below its reservations (or below zero). All of that is known before the first row is written, so
    a caller's transaction needs no savepoint: five statements whatever the number of moves.
    """
    if not moves:
        return []
    _refuse_malformed(moves)
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        levels = locked_levels_by_key(move.level_key for move in moves)
        posted = _already_posted(moves)
        fresh = [move for move in moves if move.idempotency_key not in posted]
        changes = _changes(fresh, levels)
        rows = _insert(fresh, happened_at=happened_at, actor=actor)
        _write(changes)
        by_key = posted | {row.idempotency_key: row for row in rows}
        return [by_key[move.idempotency_key] for move in moves]


def change_reservations(deltas: Mapping[int, Decimal]) -> None:
    """Add to `reserved` of levels the caller has locked (level id → signed units). The database refuses a wrong sum."""
    _write([(level_id, Decimal(0), delta) for level_id, delta in deltas.items() if delta])


def is_storable(quantity: Decimal) -> bool:
    """Whether the ledger can keep the quantity exactly: finite, three decimals, at most eleven digits before them."""
    return quantity.is_finite() and abs(quantity) < QUANTITY_LIMIT and quantity == quantity.quantize(QUANTITY_STEP)


def _refuse_malformed(moves: Sequence[Move]) -> None:
    items = []
    for place, move in enumerate(moves, start=1):
        if not is_storable(move.quantity) or not move.quantity:
            items.append({"move": place, "field": "quantity", "message": _("Not a quantity: %s.") % move.quantity})
        if not is_storable(move.release) or move.release < 0:
            items.append({"move": place, "field": "release", "message": _("Not a quantity: %s.") % move.release})
    if items:
        raise ValidationFailed(_("A quantity is zero, too large or finer than a thousandth."), items=items)
    if len({move.idempotency_key for move in moves}) < len(moves):
        raise Conflict(_("Two moves of one posting carry the same idempotency key."), code="idempotency_key_reused")


def _already_posted(moves: Sequence[Move]) -> dict[str, StockMovement]:
    """Read after the levels are locked: a twin with the same key wants the same level, and has committed by now."""
    rows = StockMovement.objects.in_bulk([m.idempotency_key for m in moves], field_name="idempotency_key")
    for move in moves:
        row = rows.get(move.idempotency_key)
        if row and (row.kind, row.sku_id, row.location_id, row.lot_id, row.quantity) != (
            move.kind,
            *move.level_key,
            move.quantity,
        ):
            raise _reused(move.idempotency_key)
    return rows


def _changes(moves: Sequence[Move], levels: Mapping[LevelKey, StockLevel]) -> list[tuple[int, Decimal, Decimal]]:
    """(level id, change of on_hand, change of reserved), one a level. Raises InsufficientStock with every shortage."""
    sums: dict[LevelKey, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for move in moves:
        sums[move.level_key][0] += move.quantity
        sums[move.level_key][1] += move.release
    shortages = []
    for key, (quantity, release) in sums.items():
        level = levels[key]
        if release > level.reserved:
            shortages.append((level, release, level.reserved))
        elif level.on_hand + quantity < level.reserved - release:
            shortages.append((level, -quantity, level.on_hand - level.reserved + release))
    if shortages:
        raise _insufficient(shortages)
    return [(levels[key].pk, quantity, -release) for key, (quantity, release) in sums.items()]


def _insert(moves: Sequence[Move], *, happened_at: datetime, actor: Any) -> list[StockMovement]:
    rows = [
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
        for move in moves
    ]
    try:
        return StockMovement.objects.bulk_create(rows, batch_size=2000)
    except IntegrityError as exc:
        # A twin with one of these keys on ANOTHER level, committed between our look at the ledger and now.
        if "idempotency_key" in str(exc):
            raise _reused(moves[0].idempotency_key) from exc
        raise


def _write(changes: Sequence[tuple[int, Decimal, Decimal]]) -> None:
    if not changes:
        return
    ids, on_hand, reserved = zip(*changes, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE warehouses_stocklevel level SET on_hand = level.on_hand + change.on_hand, "
            "reserved = level.reserved + change.reserved, updated_at = now() "
            "FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS change(id, on_hand, reserved) "
            "WHERE level.id = change.id",
            [list(ids), list(on_hand), list(reserved)],
        )


def _reused(key: str) -> Conflict:
    return Conflict(
        _("Idempotency key %(key)s was used for another movement.") % {"key": key}, code="idempotency_key_reused"
    )


def _insufficient(shortages: Sequence[tuple[StockLevel, Decimal, Decimal]]) -> InsufficientStock:
    names = StockLevel.objects.select_related("sku", "location__warehouse", "lot").in_bulk(
        [level.pk for level, _asked, _free in shortages]
    )
    items = [
        {
            "sku": names[level.pk].sku.code,
            "location": str(names[level.pk].location),
            "lot": lot.code if (lot := names[level.pk].lot) else "",
            "requested": plain(asked),
            "available": plain(free),
            "short_by": plain(asked - free),
        }
        for level, asked, free in shortages
    ]
    named = "; ".join(_("%(sku)s at %(location)s: short by %(short_by)s") % item for item in items[:20])
    return InsufficientStock(_("Not enough stock: %(named)s.") % {"named": named}, items=items)
