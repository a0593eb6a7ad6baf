"""What a customer sends back: matched to the order it came from, and put away where it may or may not be sold again."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_order
from warehouses.models import (
    Location,
    SalesOrder,
    SalesOrderLine,
    SalesReturn,
    SalesReturnLine,
    StockMovement,
    StockStatus,
)
from warehouses.services.backorders import reserve_backorders
from warehouses.services.departures import Departure, Departures, departures_of
from warehouses.services.order_states import mirror_kits, order_lines, parts_by_kit, write_counters
from warehouses.services.stock import Move, is_storable, post_movements

_Kind = Location.Kind
_NOTHING = Decimal(0)
_UNSOLD = (_Kind.QUARANTINE, _Kind.RETURNS)  # where goods that are not restocked lie, the first kind a warehouse has


Places = Mapping[tuple[int, bool], int]
"""(warehouse id, restock?) → where goods go"""


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """`restock`: the units are as new and go back to storage; else they are set aside and cannot be sold.

    Damaged units are set aside as damaged. `lot_code` is the lot they left with; unsaid, the one that left first.
    `order_line` is the number of the order's line they belong to, where more than one has the SKU; unsaid, the first.
    """

    sku_code: str
    quantity: Decimal
    restock: bool
    lot_code: str = ""
    is_damaged: bool = False
    order_line: int | None = None

    @property
    def is_sellable(self) -> bool:
        return self.restock and not self.is_damaged


@dataclass(frozen=True, slots=True)
class _Match:
    """Units of a return's line (`number`) that fall on an order line; `stock`: what is stocked, of a kit its parts."""

    number: int
    line: ReturnLine
    row: SalesOrderLine
    quantity: Decimal
    stock: Sequence[tuple[SalesOrderLine, Decimal]]


@one_transaction
def receive_return(
    *,
    channel_code: str,
    external_id: str,
    order_external_id: str,
    lines: Sequence[ReturnLine],
    now: datetime,
    actor: Any = None,
) -> tuple[SalesReturn, bool]:
    """Take goods back; (return, True), or (the return recorded before, False).

    Units are matched to the order's lines of their SKU, first line first; of a kit its parts come back. They keep the
    lot and the cost with which they left. What is restocked goes to storage of the line's warehouse and serves who
    waits; what is not goes to its quarantine or returns location, and is not booked when there is none. Locks the
    order, then the levels. Raises ValidationFailed with every fault (more than was shipped among them) and Conflict
    when the number was used for another return.
    """
    channel, order = _named(channel_code, external_id, order_external_id)
    locked_order(order.pk)
    if known := _recorded(channel, external_id, order, lines):
        return known, False
    order_rows = order_lines(order)
    departures = departures_of(order, {row.sku_id for row in order_rows})
    matches = _matched(lines, order_rows, departures)
    places = _places({row.warehouse_id for row in order_rows})
    try:
        with transaction.atomic():
            sales_return = SalesReturn.objects.create(
                channel=channel,
                external_id=external_id,
                customer_reference=order.customer_reference,
                returned_at=now,
            )
    except IntegrityError as exc:  # a twin for ANOTHER order: one for this order would have waited for its lock
        raise _other_contents(channel, external_id) from exc
    SalesReturnLine.objects.bulk_create(_rows(sales_return, matches))
    mirror_kits(order_rows)
    write_counters(order_rows)
    post_movements(_moves(sales_return, matches, places, departures), happened_at=now, actor=actor)
    if back := {row.sku_id for match in matches if match.line.is_sellable for row, _units in match.stock}:
        reserve_backorders(back, now=now)
    return sales_return, True


def _named(channel_code: str, external_id: str, order_external_id: str) -> tuple[Channel, SalesOrder]:
    items = []
    if not external_id.strip() or len(external_id) > 64:
        items.append({"line": 0, "field": "external_id", "message": _("The return's number has 1 to 64 characters.")})
    channel = Channel.objects.filter(code=channel_code).first()
    order = SalesOrder.objects.filter(channel=channel, external_id=order_external_id).first() if channel else None
    if channel is None:
        items.append({"line": 0, "field": "channel_code", "message": _("There is no such channel.")})
    elif order is None:
        items.append({"line": 0, "field": "order_external_id", "message": _("The channel has no such order.")})
    if items or channel is None or order is None:
        raise ValidationFailed(_("The return cannot be recorded."), items=items)
    return channel, order


def _recorded(channel: Channel, external_id: str, order: SalesOrder, lines: Sequence[ReturnLine]) -> SalesReturn | None:
    """The return of this number, if there is one. Raises Conflict when it says something else."""
    sales_return = SalesReturn.objects.filter(channel=channel, external_id=external_id).first()
    if sales_return is None:
        return None
    stored: Counter[tuple[str, bool]] = Counter()
    orders = set()
    for row in sales_return.lines.select_related("sku", "order_line"):
        stored[row.sku.code, row.is_restocked] += row.quantity  # type: ignore[assignment]
        orders.add(row.order_line.order_id if row.order_line else None)
    given: Counter[tuple[str, bool]] = Counter()
    for line in lines:
        given[line.sku_code, line.is_sellable] += line.quantity  # type: ignore[assignment]
    if stored != given or orders != {order.pk}:
        raise _other_contents(channel, external_id)
    return sales_return


def _other_contents(channel: Channel, external_id: str) -> Conflict:
    message = _("Return %(number)s of %(channel)s is recorded already, with other contents.")
    return Conflict(message % {"number": external_id, "channel": channel.code}, code="already_recorded")


def _places(warehouse_ids: set[int]) -> Places:
    """(warehouse id, restock?) → the location goods go to: the first by code, quarantine before returns."""
    bins = Location.objects.filter(warehouse__in=warehouse_ids, is_active=True, level=Location.Level.BIN)
    locations = bins.order_by("code")
    places: dict[tuple[int, bool], int] = {}
    for kind in (_Kind.STORAGE, *_UNSOLD):
        for location in locations:
            if location.kind == kind:
                places.setdefault((location.warehouse_id, kind == _Kind.STORAGE), location.pk)
    return places


def _matched(lines: Sequence[ReturnLine], order_rows: Sequence[SalesOrderLine], departures: Departures) -> list[_Match]:
    """Which order lines the units fall on, counted on the (unsaved) lines. Raises ValidationFailed with every fault."""
    kits = parts_by_kit(order_rows)
    at_first: dict[str, Decimal] = defaultdict(Decimal)
    for row in order_rows:
        at_first[row.sku.code] += _returnable(row, kits)
    items = [] if lines else [{"line": 0, "field": "lines", "message": _("The return has no lines.")}]
    matches: list[_Match] = []
    lots: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for number, line in enumerate(lines, start=1):
        lots[line.sku_code, line.lot_code] += line.quantity if is_storable(line.quantity) else _NOTHING
        rows = [row for row in order_rows if row.sku.code == line.sku_code]
        if line.order_line is not None:
            rows = [row for row in rows if row.line_number == line.order_line]
        fault = _line_fault(line, rows, departures, lots[line.sku_code, line.lot_code])
        if fault is None:
            left = line.quantity
            for row in rows:
                if (part := min(left, _returnable(row, kits))) > 0:
                    left -= part
                    matches.append(_match(number, line, row, part, kits))
            if left:
                fault = "quantity", _("Only %s were shipped and not yet returned.") % plain(at_first[line.sku_code])
        if fault is not None:
            items.append({"line": number, "field": fault[0], "message": fault[1]})
    if items:
        raise ValidationFailed(_("The return cannot be recorded."), items=items)
    return matches


def _line_fault(
    line: ReturnLine, rows: Sequence[SalesOrderLine], departures: Departures, of_lot: Decimal
) -> tuple[str, str] | None:
    """`of_lot`: units of this SKU and lot that this line and those before it name."""
    if not rows:
        return "sku_code", _("The order has no such SKU.")
    if not is_storable(line.quantity) or line.quantity <= 0:
        return "quantity", _("The quantity must be above zero, with at most three digits after the point.")
    if rows[0].is_kit and line.quantity != line.quantity // 1:
        return "quantity", _("Kits come back whole; name their parts otherwise.")
    if rows[0].is_kit and line.lot_code:
        return "lot_code", _("A kit has no lot; name its parts.")
    if line.lot_code and of_lot > (there := departures.left(rows[0].sku_id, line.lot_code)):
        return "lot_code", _("Of lot %(lot)s only %(units)s were shipped and not yet returned.") % {
            "lot": line.lot_code,
            "units": plain(there),
        }
    return None


def _returnable(row: SalesOrderLine, kits: Mapping[int, Sequence[SalesOrderLine]]) -> Decimal:
    if not row.is_kit:
        return row.shipped_quantity - row.returned_quantity
    return min(_returnable(part, kits) // (part.units_per_kit or 1) for part in kits[row.pk])


def _match(
    number: int, line: ReturnLine, row: SalesOrderLine, part: Decimal, kits: Mapping[int, Sequence[SalesOrderLine]]
) -> _Match:
    stock = [(each, part * (each.units_per_kit or 1)) for each in kits[row.pk]] if row.is_kit else [(row, part)]
    for stocked, units in stock:
        stocked.returned_quantity += units
    return _Match(number, line, row, part, stock)


def _rows(sales_return: SalesReturn, matches: Sequence[_Match]) -> list[SalesReturnLine]:
    return [
        SalesReturnLine(
            sales_return=sales_return,
            line_number=place,
            sku=match.row.sku,
            order_line=match.row,
            kind=SalesReturnLine.Kind.RETURN,
            quantity=match.quantity,
            unit_price=match.row.unit_price,
            is_restocked=match.line.is_sellable,
        )
        for place, match in enumerate(matches, start=1)
    ]


def _moves(sales_return: SalesReturn, matches: Sequence[_Match], places: Places, departures: Departures) -> list[Move]:
    moves: list[Move] = []
    # Named lots first, so that a line that names none does not take them away.
    for match in sorted(matches, key=lambda match: not match.line.lot_code):
        for row, units in match.stock:
            location_id = _place(match, row.warehouse_id, places)
            if location_id is None:
                continue
            back = departures.take(row.sku_id, units, lot_code=match.line.lot_code)
            if missing := units - sum((one.units for one in back), _NOTHING):
                back.append(Departure(None, "", missing, row.sku.unit_cost))
            moves += [
                Move(
                    kind=StockMovement.Kind.RETURN,
                    sku_id=row.sku_id,
                    location_id=location_id,
                    lot_id=one.lot_id,
                    status=(StockStatus.DAMAGED if match.line.is_damaged else StockStatus.AVAILABLE).value,
                    quantity=one.units,
                    unit_cost=one.unit_cost,
                    reference=sales_return.external_id,
                    idempotency_key=f"return:{sales_return.pk}:{len(moves) + place}",
                    line=match.number,
                )
                for place, one in enumerate(back, start=1)
            ]
    return moves


def _place(match: _Match, warehouse_id: int, places: Places) -> int | None:
    """Damaged goods are known by their status, so storage takes them where nothing is set aside."""
    location_id = places.get((warehouse_id, match.line.is_sellable))
    if location_id is None and match.line.is_damaged:
        location_id = places.get((warehouse_id, True))
    if location_id is None and match.line.is_sellable:
        item = {"line": match.number, "field": "restock", "message": _("The warehouse has no storage location.")}
        raise ValidationFailed(_("The return cannot be recorded."), items=[item])
    return location_id
