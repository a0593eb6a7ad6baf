"""What leaves the house for an order: its reservations are used up and the ledger gets the sale movements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from config.kernel.fields import plain
from config.kernel.numbers import next_number
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_order
from warehouses.models import Location, Reservation, SalesOrderLine, Shipment, StockMovement, Warehouse
from warehouses.services.order_states import (
    open_quantity,
    order_lines,
    parts_by_kit,
    require_open,
    save_lines,
    units_fault,
)
from warehouses.services.pick_tasks import pick_tasks_follow, was_released
from warehouses.services.reservations import shrink
from warehouses.services.stock import Move, post_movements

MAX_KEY = 255
MAX_CARRIER, MAX_TRACKING = 64, 100
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Held:
    """The reservations of an order by line, what is picked first, then the oldest."""

    rows: Mapping[int, Sequence[Reservation]]
    warehouse_id: int | None = None
    """Only what lies there counts."""

    @classmethod
    def by(cls, lines: Sequence[SalesOrderLine]) -> "_Held":
        rows: dict[int, list[Reservation]] = {line.pk: [] for line in lines}
        found = Reservation.objects.filter(line__in=rows).select_related("level__location").order_by("pk")
        for row in sorted(found, key=lambda row: row.level.location.kind != Location.Kind.PACKING):
            rows[row.line_id].append(row)  # type: ignore[index]
        return cls(rows)

    def at(self, warehouse_id: int | None) -> "_Held":
        return self if warehouse_id is None else _Held(self.rows, warehouse_id)

    def of(self, line: SalesOrderLine) -> list[Reservation]:
        here = self.warehouse_id
        return [row for row in self.rows[line.pk] if here is None or row.level.location.warehouse_id == here]

    def units(self, line: SalesOrderLine) -> Decimal:
        return sum((row.quantity for row in self.of(line)), _NOTHING)

    def warehouses(self, lines: Sequence[SalesOrderLine]) -> set[int]:
        return {row.level.location.warehouse_id for line in lines for row in self.of(line)}


@one_transaction
def ship_order(
    order_id: int,
    *,
    key: str,
    now: datetime,
    actor: Any = None,
    quantities: Mapping[int, Decimal] | None = None,
    warehouse_code: str | None = None,
    carrier: str = "",
    tracking_code: str = "",
) -> Shipment:
    """Ship what is reserved: the whole rest of the order, or `quantities` (line number → units), as one parcel.

    With a warehouse what is reserved there leaves: all of it, or `quantities` of it. Of a kit the parts leave. What is
    picked leaves first. Locks the order and the levels it ships from. The same key again returns the first shipment.
    Raises NotFound, Conflict (wrong state; key of another order; `several_warehouses` when the goods lie in more than
    one and none is named), ValidationFailed for quantities that make no sense, and InsufficientStock naming every line
    with fewer units reserved than asked.
    """
    _refuse_bad_words(key, carrier, tracking_code)
    order = locked_order(order_id)
    earlier = Shipment.objects.filter(key=key).first()
    if earlier and earlier.order_id == order.pk and quantities in (None, _sent(earlier, order_lines(order))):
        return earlier
    if earlier:
        raise Conflict(_("This key was used for another shipment."), code="idempotency_key_reused")
    require_open(order)
    lines = order_lines(order)
    held = _Held.by(lines).at(_warehouse_id(warehouse_code))
    asked = _asked(lines, quantities, held)
    number = next_number("warehouses_shipment_number", "SH")
    try:
        with transaction.atomic():
            shipment = Shipment.objects.create(
                number=number,
                key=key,
                order=order,
                warehouse_id=_one_warehouse(lines, asked, held),
                carrier=carrier,
                tracking_code=tracking_code,
                shipped_at=now,
                actor=actor,
            )
    except IntegrityError as exc:
        raise Conflict(_("This key was used for another order's shipment."), code="idempotency_key_reused") from exc
    _consume(lines, asked, held, shipment=shipment, actor=actor)
    save_lines(order, lines)
    if was_released(order):
        pick_tasks_follow([order.pk], now=now)
    return shipment


def _sent(shipment: Shipment, lines: Sequence[SalesOrderLine]) -> dict[int, Decimal]:
    """Line number → units that left with this shipment, kits counted whole."""
    by_number = {line.line_number: line for line in lines}
    numbers = {line.pk: line.line_number for line in lines}
    left: dict[int, Decimal] = defaultdict(Decimal)
    moves = StockMovement.objects.filter(kind=StockMovement.Kind.SALE, reference=shipment.number)
    for key, quantity in moves.values_list("idempotency_key", "quantity"):
        left[int(key.split(":")[2])] -= quantity
    sent: dict[int, Decimal] = {}
    for number, units in left.items():
        line = by_number[number]
        sent[numbers[line.kit_line_id or line.pk]] = units / (line.units_per_kit or 1)
    return sent


def _refuse_bad_words(key: str, carrier: str, tracking_code: str) -> None:
    if not key or len(key) > MAX_KEY:
        raise ValidationFailed(_("The key of a shipment has 1 to %d characters.") % MAX_KEY)
    items = [
        {"line": 0, "field": field, "message": _("At most %d characters.") % most}
        for field, text, most in (("carrier", carrier, MAX_CARRIER), ("tracking_code", tracking_code, MAX_TRACKING))
        if len(text) > most
    ]
    if items:
        raise ValidationFailed(_("This cannot be shipped."), items=items)


def _warehouse_id(code: str | None) -> int | None:
    if not code:
        return None
    found = Warehouse.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        item = {"line": 0, "field": "warehouse_code", "message": _("There is no such warehouse.")}
        raise ValidationFailed(_("This cannot be shipped."), items=[item])
    return found


def _asked(
    lines: Sequence[SalesOrderLine], quantities: Mapping[int, Decimal] | None, held: _Held
) -> dict[int, Decimal]:
    """Line id → units to ship, each within what is open and what is reserved; of kits those of their parts."""
    kits = parts_by_kit(lines)
    can = {line.pk: _can_leave(line, kits, held) for line in lines if not line.kit_line_id}
    still_open = {line.line_number: open_quantity(line) for line in lines}
    if quantities is not None:
        _refuse_quantities(quantities, {line.line_number: line for line in lines})
        asked = dict(quantities)
    elif held.warehouse_id is None:
        asked = {line.line_number: still_open[line.line_number] for line in lines if line.pk in can}
    else:
        asked = {line.line_number: can[line.pk] for line in lines if line.pk in can}
        if not any(asked.values()):
            raise Conflict(_("Nothing of this order is reserved there."), code="nothing_reserved")
    items = [
        {
            "line": line.line_number,
            "sku": line.sku.code,
            "requested": plain(asked[line.line_number]),
            "available": plain(can[line.pk]),
            "short_by": plain(asked[line.line_number] - can[line.pk]),
        }
        for line in lines
        if line.pk in can and asked.get(line.line_number, _NOTHING) > can[line.pk]
    ]
    if items:
        named = "; ".join(_("line %(line)s (%(sku)s): short by %(short_by)s") % item for item in items[:20])
        raise InsufficientStock(_("Not enough is reserved: %(named)s.") % {"named": named}, items=items)
    units: dict[int, Decimal] = {}
    for line in lines:
        if quantity := asked.get(line.line_number, _NOTHING) if line.pk in can else _NOTHING:
            for part in kits.get(line.pk, [line]):
                units[part.pk] = quantity * (part.units_per_kit or 1) if line.is_kit else quantity
    return units


def _can_leave(line: SalesOrderLine, kits: Mapping[int, Sequence[SalesOrderLine]], held: _Held) -> Decimal:
    """Units reserved; of a kit the whole kits that one warehouse, or each of several, can send."""
    if not line.is_kit:
        return held.units(line)
    parts = kits[line.pk]
    return sum(
        (
            min(held.at(place).units(part) // (part.units_per_kit or 1) for part in parts)
            for place in held.warehouses(parts)
        ),
        _NOTHING,
    )


def _refuse_quantities(quantities: Mapping[int, Decimal], lines: Mapping[int, SalesOrderLine]) -> None:
    items = [
        {"line": number, "field": "quantity", "message": message}
        for number, quantity in sorted(quantities.items())
        if (message := units_fault(lines.get(number), quantity))
    ]
    if items or not quantities:
        raise ValidationFailed(_("This cannot be shipped."), items=items)


def _one_warehouse(lines: Sequence[SalesOrderLine], asked: Mapping[int, Decimal], held: _Held) -> int:
    """The warehouse the parcel leaves from. Raises Conflict when the goods lie in several, and none is named."""
    places = held.warehouses([line for line in lines if line.pk in asked])
    if len(places) > 1:
        codes = list(Warehouse.objects.filter(pk__in=places).order_by("code").values_list("code", flat=True))
        message = _("The goods lie in %(warehouses)s: name the warehouse that ships.")
        raise Conflict(
            message % {"warehouses": ", ".join(codes)},
            items=[{"warehouse": code} for code in codes],
            code="several_warehouses",
        )
    return places.pop()


def _consume(
    lines: Sequence[SalesOrderLine], asked: Mapping[int, Decimal], held: _Held, *, shipment: Shipment, actor: Any
) -> None:
    """Use the lines' reservations up, and post what leaves as one posting."""
    moves: list[Move] = []
    left_over: dict[int, Decimal] = defaultdict(Decimal)
    numbers = {line.pk: line.line_number for line in lines}
    for line in lines:
        left = asked.get(line.pk, _NOTHING)
        line.shipped_quantity += left
        line.reserved_quantity -= left
        for row in held.of(line) if left else ():
            if not left:
                break
            part = min(left, row.quantity)
            left -= part
            left_over[row.pk] = row.quantity - part
            if row.level.location.kind == Location.Kind.PACKING:
                line.picked_quantity -= part
            moves.append(_sale_move(line, row, part, shipment, numbers[line.kit_line_id or line.pk]))
    post_movements(moves, happened_at=shipment.shipped_at, actor=actor)
    shrink(list(left_over.items()))


def _sale_move(
    line: SalesOrderLine, row: Reservation, quantity: Decimal, shipment: Shipment, document_line: int
) -> Move:
    return Move(
        kind=StockMovement.Kind.SALE,
        sku_id=line.sku_id,
        location_id=row.level.location_id,
        lot_id=row.level.lot_id,
        status=row.level.status,
        quantity=-quantity,
        release=quantity,
        unit_cost=line.sku.unit_cost,
        reference=shipment.number,
        idempotency_key=f"shipment:{shipment.number}:{line.line_number}:{row.level_id}",
        line=document_line,
    )
