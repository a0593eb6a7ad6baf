"""What a channel's events leave to do for one order, done with the services people use: ship, cancel, take back."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum

from config.kernel.errors import DomainError
from warehouses.engine.fold import LineCounters, OrderFacts, Step, next_steps
from warehouses.models import Reservation, SalesOrder, SalesReturnLine, Shipment
from warehouses.services.backorders import reserve_backorders
from warehouses.services.cancelling import cancel_order
from warehouses.services.order_states import mark_delivered, order_lines, parts_by_kit, set_status
from warehouses.services.reopening import reopen_units
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.shipments import ship_order

_NOTHING = Decimal(0)


def bring_to(
    order: SalesOrder, facts: OrderFacts, *, moments: Mapping[str, datetime], now: datetime, actor: Any
) -> dict[str, DomainError]:
    """Do what is left to do; action → why it could not be done (yet). The order is locked by the caller.

    `moments` says for each kind of event when it last happened. Each action is a savepoint: an order whose shipment
    waits for stock is cancelled and returned as far as its events say so. Steps are keyed by the total they lead to, so
    doing them again does nothing.
    """
    failed: dict[str, DomainError] = {}
    by_action: dict[str, list[Step]] = defaultdict(list)
    # Delivered is asked anew each time: a parcel that leaves later belongs to the same delivery.
    for step in next_steps(_recorded(order), facts):
        by_action[step.action].append(step)
    for action, todo in by_action.items():
        moment = min(moments.get(_KIND[action], now), now)
        try:
            with transaction.atomic():
                _ACTIONS[action](order, todo, moment, now, actor)
        except DomainError as error:
            failed[action] = error
    _close(order)
    return failed


def _close(order: SalesOrder) -> None:
    """An order whose rest was called off after all that left had arrived is delivered."""
    order.refresh_from_db(fields=["status"])
    if order.status == SalesOrder.Status.SHIPPED and not order.shipments.filter(delivered_at=None).exists():
        set_status(order, SalesOrder.Status.DELIVERED)


def _recorded(order: SalesOrder) -> dict[Any, LineCounters]:
    restocked: dict[int, Decimal] = dict(
        SalesReturnLine.objects.filter(order_line__order=order, is_restocked=True)
        .order_by()
        .values("order_line")
        .annotate(units=Sum("quantity"))
        .values_list("order_line", "units")
    )
    return {
        line.line_number: LineCounters(
            line.cancelled_quantity, line.shipped_quantity, line.returned_quantity, restocked.get(line.pk, _NOTHING)
        )
        for line in order.lines.filter(kit_line=None)
    }


def _uncancel(order: SalesOrder, steps: Sequence[Step], moment: datetime, now: datetime, actor: Any) -> None:
    reopen_units(order.pk, _quantities(steps), now=now)


def _cancel(order: SalesOrder, steps: Sequence[Step], moment: datetime, now: datetime, actor: Any) -> None:
    cancel_order(order.pk, quantities=_quantities(steps), now=now, actor=actor)


def _ship(order: SalesOrder, steps: Sequence[Step], moment: datetime, now: datetime, actor: Any) -> None:
    """One parcel from each warehouse that holds some of it. What is reserved for it is what can be promised now."""
    lines = list(order.lines.all())
    if any(line.reserved_quantity < line.quantity - line.shipped_quantity - line.cancelled_quantity for line in lines):
        reserve_backorders({line.sku_id for line in lines if not line.is_kit}, now=now)
    totals = {line.line_number: line.shipped_quantity for line in lines}
    for warehouse, quantities in _by_warehouse(order, _quantities(steps)).items():
        for number, units in quantities.items():
            totals[number] += units
        key = _key("shipment", order, warehouse or "", sorted((n, totals[n].normalize()) for n in quantities))
        ship_order(order.pk, key=key, quantities=quantities, warehouse_code=warehouse, now=moment, actor=actor)


def _by_warehouse(order: SalesOrder, wanted: Mapping[int, Decimal]) -> dict[str | None, dict[int, Decimal]]:
    """Warehouse code → line number → units, from where they are reserved; what is not reserved stays in the first
    parcel, whose shipment then says what is short."""
    lines = order_lines(order)
    kits = parts_by_kit(lines)
    held: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    reservations = Reservation.objects.filter(line__order=order).select_related("level__location__warehouse")
    for row in reservations.order_by("pk"):
        held[row.line_id, row.level.location.warehouse.code] += row.quantity  # type: ignore[index]
    places = sorted({place for _line, place in held})
    parcels: dict[str | None, dict[int, Decimal]] = {}
    for line in lines:
        left = wanted.get(line.line_number, _NOTHING)
        parts = [(part.pk, part.units_per_kit or Decimal(1)) for part in kits.get(line.pk, [])]
        for place in places:
            here = min((held[pk, place] // per for pk, per in parts), default=held[line.pk, place])
            if (units := min(left, here)) > 0:
                parcels.setdefault(place, {})[line.line_number] = units
                left -= units
        if left > 0:
            first = next(iter(parcels), None)
            quantities = parcels.setdefault(first, {})
            quantities[line.line_number] = quantities.get(line.line_number, _NOTHING) + left
    return parcels


def _take_back(order: SalesOrder, steps: Sequence[Step], moment: datetime, now: datetime, actor: Any) -> None:
    lines = {line.line_number: line for line in order_lines(order)}
    back = [
        ReturnLine(lines[step.line].sku.code, step.quantity, step.restock, order_line=step.line)  # type: ignore
        for step in steps
    ]
    reached = [(n, line.returned_quantity.normalize()) for n, line in sorted(lines.items())]
    receive_return(
        channel_code=order.channel.code,
        external_id=_key("return", order, reached, [(s.line, s.quantity.normalize(), s.restock) for s in steps]),
        order_external_id=order.external_id,
        lines=back,
        now=moment,
        actor=actor,
    )


def _deliver(order: SalesOrder, steps: Sequence[Step], moment: datetime, now: datetime, actor: Any) -> None:
    for shipment in Shipment.objects.filter(order=order, delivered_at=None).order_by("pk"):
        mark_delivered(order.pk, shipment_number=shipment.number, now=moment, actor=actor)


def _quantities(steps: Iterable[Step]) -> dict[int, Decimal]:
    return {step.line: step.quantity for step in steps}  # type: ignore[misc]


def _key(kind: str, order: SalesOrder, *parts: Any) -> str:
    digest = hashlib.sha256(repr((order.pk, *parts)).encode()).hexdigest()
    return f"event-{kind}-{digest[:40]}"


_ACTIONS = {"uncancel": _uncancel, "ship": _ship, "cancel": _cancel, "return": _take_back, "deliver": _deliver}
_KIND = {"uncancel": "shipped", "ship": "shipped", "cancel": "cancelled", "return": "returned", "deliver": "delivered"}
