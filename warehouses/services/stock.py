"""The one writer of stock (step 3 of the story): movements go into the ledger, levels and values follow at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, overload

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, ValidationFailed
from warehouses.engine.layers import rounded
from warehouses.locks import LevelKey, LockedLevel, locked_levels_by_key
from warehouses.models import StockMovement, StockStatus
from warehouses.services.posting import MovementRow, PoolKey, change_reserved, write_posting
from warehouses.services.posting_faults import (
    QUANTITY_LIMIT,
    insufficient,
    named_shortages,
    place_faults,
    refuse_too_much,
    room_faults,
)
from warehouses.services.valuing import PostedMove, locked_pools, read_layers, value_moves

QUANTITY_STEP = Decimal("0.001")
_NOTHING = Decimal(0)
_Kind = StockMovement.Kind


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a posting. `quantity` is signed.

    `release` (≥ 0) is how much of the level's reservation it uses up, `hold` (≥ 0) how much of what comes in is
    reserved at once (picked goods stay reserved in packing). `carries` names the keys of moves of this posting whose
    value it takes on, by `weight` where several share them. `is_internal`: within one warehouse, where value neither
    comes nor goes; such moves of one SKU and warehouse add up to zero. `line` is the document's line, for faults.
    """

    kind: str
    sku_id: int
    location_id: int
    quantity: Decimal
    idempotency_key: str
    lot_id: int | None = None
    status: str = StockStatus.AVAILABLE.value
    release: Decimal = _NOTHING
    hold: Decimal = _NOTHING
    unit_cost: Decimal | None = None
    reference: str = ""
    reason: str = ""
    carries: tuple[str, ...] = ()
    weight: Decimal = Decimal(1)
    is_internal: bool = False
    line: int | None = None

    @property
    def level_key(self) -> LevelKey:
        return LevelKey(self.sku_id, self.location_id, self.lot_id, self.status)


class PostedRows(Sequence[StockMovement]):
    """The ledger's rows of a posting in the order of its moves, each made only when somebody asks for it."""

    def __init__(self, makers: Sequence[Callable[[], StockMovement]]) -> None:
        self._makers = makers

    def __len__(self) -> int:
        return len(self._makers)

    @overload
    def __getitem__(self, place: int) -> StockMovement: ...

    @overload
    def __getitem__(self, place: slice) -> list[StockMovement]: ...

    def __getitem__(self, place: int | slice) -> StockMovement | list[StockMovement]:
        if isinstance(place, slice):
            return [make() for make in self._makers[place]]
        return self._makers[place]()


def post_movements(moves: Sequence[Move], *, happened_at: datetime, actor: Any = None) -> Sequence[StockMovement]:
    """Post all of `moves` or none; returns the ledger rows in the order of `moves`.

    Locks the levels in primary-key order, then the value pools. Moves whose idempotency key is in the ledger already
    are returned as they stand and not posted again. Raises Conflict when a key was used for another movement;
    ValidationFailed for a quantity that cannot be stored exactly, and for a place that does not exist, is closed, is no
    bin or has no room, or a lot that is expired; InsufficientStock naming every level that would fall below its
    reservations (or below zero). All of that is known before the first row is written, so a caller's transaction
    needs no savepoint: five statements whatever the number of moves (seven where a place's capacity is limited).
    """
    if not moves:
        return []
    _refuse_malformed(moves)
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        levels = locked_levels_by_key(move.level_key for move in moves)
        pools, posted = locked_pools(_pool_keys(moves, levels), [move.idempotency_key for move in moves])
        _refuse_reused(moves, posted)
        fresh = [move for move in moves if move.idempotency_key not in posted] if posted else moves
        changes = _changes(fresh, levels, happened_at=happened_at)
        rows = _write(fresh, levels, changes, pools, happened_at=happened_at, actor=actor) if fresh else {}
        if not posted:
            return PostedRows(list(rows.values()))
        return PostedRows(
            [rows.get(m.idempotency_key) or partial(_as_posted, m, posted[m.idempotency_key]) for m in moves]
        )


def change_reservations(deltas: Mapping[int, Decimal], *, sku_ids: Iterable[int]) -> None:
    """Add to `reserved` of levels the caller has locked (level id → signed units), and say that these SKUs changed."""
    change_reserved(deltas, told=sku_ids)


def is_storable(quantity: Decimal) -> bool:
    """Whether the ledger can keep the quantity exactly: finite, three decimals, at most eleven digits before them."""
    return quantity.is_finite() and abs(quantity) < QUANTITY_LIMIT and quantity == quantity.quantize(QUANTITY_STEP)


def _refuse_malformed(moves: Sequence[Move]) -> None:
    items = []
    for place, move in enumerate(moves, start=1):
        if not is_storable(move.quantity) or not move.quantity:
            items.append({"move": place, "field": "quantity", "message": _("Not a quantity: %s.") % move.quantity})
        for field in ("release", "hold"):
            units = getattr(move, field)
            if units is not _NOTHING and (not is_storable(units) or units < 0):
                items.append({"move": place, "field": field, "message": _("Not a quantity: %s.") % units})
    if items:
        raise ValidationFailed(_("A quantity is zero, too large or finer than a thousandth."), items=items)
    if len({move.idempotency_key for move in moves}) < len(moves):
        raise Conflict(_("Two moves of one posting carry the same idempotency key."), code="idempotency_key_reused")


def _pool_keys(moves: Sequence[Move], levels: Mapping[LevelKey, LockedLevel]) -> set[PoolKey]:
    return {(m.sku_id, levels[m.level_key].warehouse_id) for m in moves if not m.is_internal}


def _refuse_reused(moves: Sequence[Move], posted: Mapping[str, PostedMove]) -> None:
    for move in moves if posted else ():
        row = posted.get(move.idempotency_key)
        if row and (row.kind, row.sku_id, row.location_id, row.lot_id, row.status, row.quantity) != (
            move.kind,
            *move.level_key,
            move.quantity,
        ):
            raise _reused(move.idempotency_key)


def _changes(
    moves: Sequence[Move], levels: Mapping[LevelKey, LockedLevel], *, happened_at: datetime
) -> list[tuple[int, Decimal, Decimal]]:
    """(level id, change of on_hand, change of reserved), one a level. Raises with every fault and every shortage."""
    sums: dict[LevelKey, list[Decimal]] = defaultdict(lambda: [_NOTHING, _NOTHING, _NOTHING])
    lines: dict[LevelKey, int | None] = {}
    for move in moves:
        key = move.level_key
        lines.setdefault(key, move.line)
        total = sums[key]
        total[0] += move.quantity
        total[1] += move.release
        total[2] += move.hold
    faults = place_faults(moves, levels, today=timezone.localdate(happened_at))
    if any(levels[key].is_limited and total[0] > 0 for key, total in sums.items()):
        faults += room_faults(sums, levels, lines)
    shortages = []
    for key, (quantity, release, hold) in sums.items():
        level = levels[key]
        if level.on_hand + quantity >= QUANTITY_LIMIT:
            where = {} if lines[key] is None else {"line": lines[key]}
            faults.append({**where, "field": "quantity", "message": _("The books cannot hold so much.")})
        if release > level.reserved:
            shortages.append((level, lines[key], release, level.reserved))
        elif level.on_hand + quantity < level.reserved - release + hold:
            shortages.append((level, lines[key], -quantity, level.on_hand - level.reserved + release - hold))
    if faults:
        items = [*faults, *named_shortages(shortages)] if shortages else faults
        raise ValidationFailed(_("The stock cannot be moved: %s") % items[0]["message"], items=items)
    if shortages:
        raise insufficient(shortages)
    return [(levels[key].pk, total[0], total[2] - total[1]) for key, total in sums.items()]


def _write(
    moves: Sequence[Move],
    levels: Mapping[LevelKey, LockedLevel],
    changes: Sequence[tuple[int, Decimal, Decimal]],
    pools: Mapping[PoolKey, tuple[int, Any]],
    *,
    happened_at: datetime,
    actor: Any,
) -> dict[str, Callable[[], StockMovement]]:
    """Idempotency key → what makes its row, in the order of the moves."""
    warehouses = [levels[move.level_key].warehouse_id for move in moves]
    _refuse_unbalanced(moves, warehouses)
    refuse_too_much(moves, warehouses, pools)
    leaving: dict[PoolKey, Decimal] = defaultdict(Decimal)
    for move, warehouse_id in zip(moves, warehouses, strict=True):
        if move.quantity < 0 and not move.is_internal:
            leaving[move.sku_id, warehouse_id] -= move.quantity
    read_layers(pools, leaving)
    values = value_moves(moves, warehouses, pools, happened_at=happened_at)
    rows: list[MovementRow] = [
        (
            move.kind,
            move.sku_id,
            move.location_id,
            move.lot_id,
            move.status,
            move.quantity,
            None if move.is_internal else rounded(value / move.quantity),
            value,
            move.reference,
            move.reason,
            move.idempotency_key,
        )
        for move, value in zip(moves, values, strict=True)
    ]
    actor_id = getattr(actor, "pk", None)
    try:
        written = write_posting(
            rows,
            levels=changes,
            pools=pools,
            told={move.sku_id for move in moves},
            happened_at=happened_at,
            actor_id=actor_id,
        )
    except IntegrityError as exc:
        # A twin with one of these keys on ANOTHER level, committed between our look at the ledger and now.
        if "idempotency_key" in str(exc):
            raise _reused(moves[0].idempotency_key) from exc
        raise
    return {row[-1]: partial(_movement, row, *written[row[-1]], happened_at, actor_id) for row in rows}


def _refuse_unbalanced(moves: Sequence[Move], warehouses: Sequence[int]) -> None:
    """A fault of the caller's code, not of its input: units that change warehouse must take their value along."""
    sums: dict[PoolKey, Decimal] = defaultdict(Decimal)
    for move, warehouse_id in zip(moves, warehouses, strict=True):
        if move.is_internal:
            sums[move.sku_id, warehouse_id] += move.quantity
    if any(sums.values()):
        raise ValueError("internal moves of a SKU in a warehouse do not add up to zero")


def _movement(
    row: MovementRow, pk: int, recorded_at: datetime, happened_at: datetime, actor_id: int | None
) -> StockMovement:
    values: list[Any] = [pk, *row, actor_id, happened_at, recorded_at]
    return StockMovement(*values)


def _as_posted(move: Move, row: PostedMove) -> StockMovement:
    """The row as it stands in the ledger."""
    return StockMovement(
        pk=row.pk,
        kind=row.kind,
        sku_id=row.sku_id,
        location_id=row.location_id,
        lot_id=row.lot_id,
        status=row.status,
        quantity=row.quantity,
        unit_cost=row.unit_cost,
        value=row.value,
        reference=row.reference,
        reason=row.reason,
        idempotency_key=move.idempotency_key,
        actor_id=row.actor_id,
        happened_at=row.happened_at,
        recorded_at=row.recorded_at,
    )


def _reused(key: str) -> Conflict:
    return Conflict(
        _("Idempotency key %(key)s was used for another movement.") % {"key": key}, code="idempotency_key_reused"
    )
