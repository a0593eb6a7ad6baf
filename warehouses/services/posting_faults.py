"""Why a posting cannot be made: places that are closed or full, lots that are over, units that are not there.

Asked when the levels are locked and before the first row is written, so that a document hears everything at once.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils.translation import gettext as _

from config.kernel.errors import InsufficientStock, ValidationFailed
from config.kernel.fields import plain
from warehouses.locks import LevelKey, LockedLevel, lock_places
from warehouses.models import StockLevel, StockMovement
from warehouses.services.posting import PoolKey

if TYPE_CHECKING:
    from warehouses.services.stock import Move

QUANTITY_LIMIT = Decimal(10) ** 11
WORTH_LIMIT = Decimal(10) ** 14
_NOTHING = Decimal(0)
_Kind = StockMovement.Kind


def place_faults(
    moves: Sequence["Move"], levels: Mapping[LevelKey, LockedLevel], *, today: Any
) -> list[dict[str, Any]]:
    faults = []
    coming: dict[tuple[int, int, int | None], Decimal] | None = None
    for place, move in enumerate(moves, start=1):
        level = levels[move.level_key]
        if level.is_open and level.is_bin and (level.expires_on is None or level.expires_on >= today):
            continue
        message = ""
        coming = _coming_in(moves) if coming is None else coming
        if not level.is_open and move.quantity > 0 and coming[move.sku_id, move.location_id, move.lot_id] > 0:
            message = _("The warehouse or the location is closed.")
        elif move.quantity > 0 and not level.is_bin:
            message = _("Stock lies in bins; this location only holds bins together.")
        elif move.kind == _Kind.SALE and level.expires_on and level.expires_on < today:
            message = _("The lot expired on %s.") % level.expires_on.isoformat()
        if message:
            faults.append(_fault(move, place, "location", message))
    return faults


def _coming_in(moves: Sequence["Move"]) -> dict[tuple[int, int, int | None], Decimal]:
    """(SKU, location, lot) → what comes in; what only changes its status where it lies comes to nothing."""
    sums: dict[tuple[int, int, int | None], Decimal] = defaultdict(Decimal)
    for move in moves:
        sums[move.sku_id, move.location_id, move.lot_id] += move.quantity
    return sums


def _fault(move: "Move", place: int, field: str, message: str) -> dict[str, Any]:
    where = {"move": place} if move.line is None else {"line": move.line}
    return {**where, "field": field, "message": message}


def room_faults(
    sums: Mapping[LevelKey, Sequence[Decimal]],
    levels: Mapping[LevelKey, LockedLevel],
    lines: Mapping[LevelKey, int | None],
) -> list[dict[str, Any]]:
    """Places that would hold more than they can. Locks them, so that two postings do not fill the same room.

    What is in transit to a warehouse has its room there: it is refused when it is sent, not when it stands at the door.
    """
    coming: dict[int, Decimal] = defaultdict(Decimal)
    by_warehouse: dict[int, Decimal] = defaultdict(Decimal)
    first_line: dict[int, int | None] = {}
    for key, (quantity, *_rest) in sums.items():
        level = levels[key]
        coming[level.location_id] += quantity
        by_warehouse[level.warehouse_id] += quantity
        first_line.setdefault(level.location_id, lines[key])
    locations = [pk for pk, quantity in coming.items() if quantity > 0]
    warehouses = [pk for pk, quantity in by_warehouse.items() if quantity > 0]
    lock_places(locations, warehouses)
    faults = []
    with connection.cursor() as cursor:
        cursor.execute(_ROOM, [locations, warehouses])
        for is_location, pk, name, capacity, there in cursor.fetchall():
            more = coming[pk] if is_location else by_warehouse[pk]
            if there + more > capacity:
                words = {"place": name, "capacity": plain(capacity), "there": plain(there), "more": plain(more)}
                message = _("%(place)s holds %(capacity)s; %(there)s are there, %(more)s more do not fit.") % words
                line = first_line.get(pk) if is_location else next(iter(lines.values()))
                where = {} if line is None else {"line": line}
                faults.append({**where, "field": "location", "message": message, "code": "capacity_exceeded"})
    return faults


def refuse_too_much(
    moves: Sequence["Move"], warehouses: Sequence[int], pools: Mapping[PoolKey, tuple[int, Any]]
) -> None:
    """Units or worth beyond what a column of the books can hold."""
    coming: dict[PoolKey, list[Decimal]] = {}
    faults = []
    for place, (move, warehouse_id) in enumerate(zip(moves, warehouses, strict=True), start=1):
        if move.is_internal or move.quantity < 0:
            continue
        key = move.sku_id, warehouse_id
        pool = pools[key][1]
        totals = coming.setdefault(key, [pool.quantity, pool.value])
        totals[0] += move.quantity
        cost = _NOTHING
        if not move.carries:
            cost = pool.unit_cost() if move.unit_cost is None else move.unit_cost
            totals[1] += move.quantity * cost
        if totals[0] >= QUANTITY_LIMIT:
            faults.append(_fault(move, place, "quantity", _("The books cannot hold so much.")))
        elif cost >= WORTH_LIMIT or totals[1] >= WORTH_LIMIT:
            faults.append(_fault(move, place, "unit_cost", _("The books cannot hold so much worth.")))
    if faults:
        raise ValidationFailed(_("The stock cannot be moved: %s") % faults[0]["message"], items=faults)


Shortage = tuple[LockedLevel, int | None, Decimal, Decimal]
"""(level, the document's line, asked, free)"""


def insufficient(shortages: Sequence[Shortage]) -> InsufficientStock:
    items = named_shortages(shortages)
    named = "; ".join(_("%(sku)s at %(location)s: short by %(short_by)s") % item for item in items[:20])
    return InsufficientStock(_("Not enough stock: %(named)s.") % {"named": named}, items=items)


def named_shortages(shortages: Sequence[Shortage]) -> list[dict[str, Any]]:
    names = StockLevel.objects.select_related("sku", "location__warehouse", "lot").in_bulk(
        [level.pk for level, *_rest in shortages]
    )
    return [
        {
            **({} if line is None else {"line": line}),
            "sku": names[level.pk].sku.code,
            "location": str(names[level.pk].location),
            "lot": lot.code if (lot := names[level.pk].lot) else "",
            "requested": plain(asked),
            "available": plain(free),
            "short_by": plain(asked - free),
        }
        for level, line, asked, free in shortages
    ]


_ROOM = """
SELECT true, location.id, warehouse.code || '/' || location.code, location.capacity_units,
       (SELECT coalesce(sum(on_hand), 0) FROM warehouses_stocklevel level WHERE level.location_id = location.id)
FROM warehouses_location location JOIN warehouses_warehouse warehouse ON warehouse.id = location.warehouse_id
WHERE location.id = ANY(%s) AND location.capacity_units IS NOT NULL
UNION ALL
SELECT false, warehouse.id, warehouse.code, warehouse.capacity_units,
       (SELECT coalesce(sum(level.on_hand), 0) FROM warehouses_stocklevel level
        JOIN warehouses_location location ON location.id = level.location_id
        WHERE location.warehouse_id = warehouse.id)
FROM warehouses_warehouse warehouse WHERE warehouse.id = ANY(%s) AND warehouse.capacity_units IS NOT NULL
"""
