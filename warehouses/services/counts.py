"""Counted stock becomes the stock: the difference to each level is posted, as opening stock the first time.

Counting the same again posts nothing, so a count that was interrupted is simply recorded again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils.translation import gettext as _

from catalog.selectors import sku_ids_by_code
from catalog.services.costs import set_missing_unit_costs
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import LevelKey, locked_levels_by_key
from warehouses.models import Location, Lot, StockMovement
from warehouses.selectors.counting import open_lines
from warehouses.services.backorders import reserve_backorders
from warehouses.services.stock import Move, is_storable, post_movements

_Kind = StockMovement.Kind


@dataclass(frozen=True, slots=True)
class CountedStock:
    """What was counted in one place; `line` names it in a rejection. No location: the warehouse's first storage."""

    line: int
    sku_code: str
    warehouse_code: str
    quantity: Decimal
    location_code: str = ""
    lot_code: str = ""
    expires_on: date | None = None
    unit_cost: Decimal | None = None


@dataclass(slots=True)
class CountOutcome:
    opened: int = 0
    adjusted: int = 0
    unchanged: int = 0
    rejected: dict[int, str] = field(default_factory=dict)
    """line → reason"""

    def add(self, other: "CountOutcome") -> None:
        self.opened += other.opened
        self.adjusted += other.adjusted
        self.unchanged += other.unchanged
        self.rejected |= other.rejected


@one_transaction
def record_counts(
    counted: Sequence[CountedStock],
    *,
    now: datetime,
    actor: Any = None,
    reference: str = "",
    seen: dict[LevelKey, int] | None = None,
) -> CountOutcome:
    """Bring the levels to what was counted; a place that cannot be taken is rejected alone. Locks the levels.

    Rejected: unknown SKU, warehouse or location, a place counted twice or counted on an open sheet, a lot of another
    expiry date, a quantity below zero or below what is reserved there. A SKU without a unit cost gets the one told.
    `seen` (level → line) is shared by the blocks of one file.
    """
    outcome = CountOutcome()
    places = dict(_places(counted, outcome, {} if seen is None else seen))
    levels = locked_levels_by_key(places)
    # A sheet's own variance of such a level is not booked yet: the difference would be booked twice.
    counted_on = {
        key: line.sheet.number for key, line in open_lines(places).items() if line.counted_quantity is not None
    }
    never_moved = _never_moved([key for key, level in levels.items() if not level.on_hand])
    run = uuid4().hex
    moves = []
    for key, count in places.items():
        difference = count.quantity - levels[key].on_hand
        if key in counted_on:
            outcome.rejected[count.line] = _("it is being counted on %s") % counted_on[key]
        elif count.quantity < levels[key].reserved:
            reason = _("only %(counted)s counted, but %(reserved)s are reserved")
            outcome.rejected[count.line] = reason % {
                "counted": plain(count.quantity),
                "reserved": plain(levels[key].reserved),
            }
        elif not difference:
            outcome.unchanged += 1
        else:
            is_opening = key in never_moved
            outcome.opened += is_opening
            outcome.adjusted += not is_opening
            moves.append(_move(key, count, difference, is_opening, reference, f"count:{run}:{count.line}"))
    post_movements(moves, happened_at=now, actor=actor)
    _set_missing_costs(places, outcome)
    if more := {move.sku_id for move in moves if move.quantity > 0}:
        reserve_backorders(more, now=now)
    return outcome


def _set_missing_costs(places: Mapping[LevelKey, CountedStock], outcome: CountOutcome) -> None:
    """The first cost told of each SKU whose own is 0, so that its stock has a value."""
    told: dict[int, Decimal] = {}
    for key, count in places.items():
        if count.unit_cost and count.line not in outcome.rejected:
            told.setdefault(key[0], round(count.unit_cost, 4))
    set_missing_unit_costs(told)


def _move(
    key: LevelKey, count: CountedStock, difference: Decimal, is_opening: bool, reference: str, idempotency_key: str
) -> Move:
    return Move(
        kind=_Kind.OPENING if is_opening else _Kind.COUNT,
        sku_id=key[0],
        location_id=key[1],
        lot_id=key[2],
        quantity=difference,
        unit_cost=count.unit_cost,
        reference=reference,
        reason="count",
        idempotency_key=idempotency_key,
    )


def _places(
    counted: Sequence[CountedStock], outcome: CountOutcome, seen: dict[LevelKey, int]
) -> Iterator[tuple[LevelKey, CountedStock]]:
    """The level each count is of; rejects what has none."""
    skus = sku_ids_by_code(count.sku_code for count in counted)
    locations = _locations({count.warehouse_code for count in counted})
    lots = _lots(counted, skus)
    for count in counted:
        location_id = locations.get((count.warehouse_code, count.location_code))
        lot = lots.get((skus.get(count.sku_code, 0), count.lot_code)) if count.lot_code else None
        reason = ""
        if count.sku_code not in skus:
            reason = _("unknown SKU %s") % count.sku_code
        elif location_id is None and count.location_code:
            reason = _("unknown location %s") % f"{count.warehouse_code}/{count.location_code}"
        elif location_id is None:
            reason = _("unknown warehouse %s, or it has no storage location") % count.warehouse_code
        elif not is_storable(count.quantity) or count.quantity < 0:
            reason = _("the quantity is negative, too large or finer than a thousandth")
        elif lot and count.expires_on and lot.expires_on != count.expires_on:
            reason = _("lot %(lot)s expires on %(day)s") % {"lot": lot.code, "day": lot.expires_on}
        if not reason and location_id is not None:
            key = LevelKey(skus[count.sku_code], location_id, lot.pk if lot else None)
            if seen.setdefault(key, count.line) == count.line:
                yield key, count
                continue
            reason = _("counted already in line %d") % seen[key]
        outcome.rejected[count.line] = reason


def _locations(warehouse_codes: set[str]) -> dict[tuple[str, str], int]:
    """(warehouse code, location code) → id; the empty location code stands for the first storage bin. What is in
    transit is received or closed short with its transfer, never counted."""
    found: dict[tuple[str, str], int] = {}
    places = Location.objects.filter(warehouse__code__in=warehouse_codes).order_by("code")
    rows = places.exclude(kind=Location.Kind.IN_TRANSIT)
    columns = ("pk", "warehouse__code", "code", "kind", "is_active", "level")
    for pk, warehouse, code, kind, is_active, level in rows.values_list(*columns):
        found[warehouse, code] = pk
        if kind == Location.Kind.STORAGE and is_active and level == Location.Level.BIN:
            found.setdefault((warehouse, ""), pk)
    return found


def _lots(counted: Sequence[CountedStock], skus: Mapping[str, int]) -> dict[tuple[int, str], Lot]:
    """(SKU, lot code) → lot, made where missing."""
    wanted = {(skus[c.sku_code], c.lot_code): c.expires_on for c in counted if c.lot_code and c.sku_code in skus}
    if not wanted:
        return {}
    new = [
        Lot(sku_id=sku, code=code, expires_on=expires_on)
        for (sku, code), expires_on in sorted(wanted.items(), key=lambda item: item[0])
    ]
    Lot.objects.bulk_create(new, ignore_conflicts=True, batch_size=2000)
    rows = Lot.objects.filter(sku__in={sku for sku, _code in wanted}, code__in={code for _sku, code in wanted})
    return {(lot.sku_id, lot.code): lot for lot in rows}


def _never_moved(keys: Sequence[LevelKey]) -> set[LevelKey]:
    movements = StockMovement.objects.order_by().filter(sku__in={key[0] for key in keys})
    moved = {LevelKey(*row) for row in movements.values_list("sku_id", "location_id", "lot_id", "status").distinct()}
    return set(keys) - moved
