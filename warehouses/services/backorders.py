"""Who waits for stock, and gets it when it comes in."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from config.kernel.transactions import one_transaction
from warehouses.engine.rationing import Claim, fair_share
from warehouses.locks import locked_waiting_orders
from warehouses.models import ChannelRoute, Reservation, SalesOrder, SalesOrderLine, StockRules
from warehouses.selectors.company import stock_rules
from warehouses.selectors.sales import waiting_lines
from warehouses.services.free_stock import FreeStock, unbusy_free_stock
from warehouses.services.order_states import RELEASED, mirror_kits, parts_by_kit, status_of, write_counters
from warehouses.services.pick_tasks import pick_tasks_follow, released_among
from warehouses.services.reservations import hold, use_quotas

_NOTHING = Decimal(0)


@one_transaction
def reserve_backorders(sku_ids: Iterable[int] | None = None, *, now: datetime) -> int:
    """Give free stock to lines that wait for it, as the company rations; how many lines got some.

    To be called in the transaction that made stock free (receipt, return, cancellation, adjustment). It never waits for
    a lock (see warehouses.locks), so an order, quota or level that is busy elsewhere is passed over; the task
    `warehouses.reserve_backorders` comes back for it. A line is served from its own warehouse first, then, where the
    channel may send several parcels, from its other warehouses by rank. What waits at a closed warehouse is served from
    the channel's others, of an order that leaves in one parcel from one of them. Kits are served whole. Other channels'
    quotas are left alone.
    """
    waiting = waiting_lines(sku_ids)
    orders = locked_waiting_orders(waiting)
    if not orders:
        return 0
    # Read again now that the orders are ours: a rival may have shipped or cancelled lines since the first look. Of a
    # kit all parts are needed, whatever SKU came in.
    every = list(
        SalesOrderLine.objects.filter(order__in=orders).select_related("order__channel", "warehouse").order_by("pk")
    )
    wanted = _waiting_units(every, None if sku_ids is None else set(sku_ids))
    if not wanted:
        return 0
    served = _serve(wanted, now=now)
    if served:
        _save_served(every, {line.pk for line in served}, now=now)
    return len(served)


Wanted = tuple[SalesOrderLine, list[SalesOrderLine]]
"""What waits together: (line, [line]) of a plain line, (kit line, its parts) of a kit."""


def _waiting_units(lines: Sequence[SalesOrderLine], sku_ids: set[int] | None) -> list[Wanted]:
    """By channel priority, then the oldest order."""
    kits = parts_by_kit(lines)
    wanted: list[Wanted] = [
        (line, kits.get(line.pk, [line]))
        for line in lines
        if not line.kit_line_id and (line.pk in kits or not line.is_kit)
    ]
    wanted = [
        (line, members)
        for line, members in wanted
        if any(_waits(part) and (sku_ids is None or part.sku_id in sku_ids) for part in members)
    ]
    return sorted(
        wanted,
        key=lambda one: (
            one[0].order.channel.priority,
            one[0].order.ordered_at,
            one[0].order_id,
            one[0].line_number,
        ),
    )


def _waits(line: SalesOrderLine) -> Decimal:
    """Units owed and not reserved."""
    return line.quantity - line.reserved_quantity - line.shipped_quantity - line.cancelled_quantity


def _serve(wanted: Sequence[Wanted], *, now: datetime) -> list[SalesOrderLine]:
    """Hold what can be held for them, and count it on the (unsaved) lines; returns the lines that got some."""
    places = _places_of(wanted)
    members = [part for _line, parts in wanted for part in parts]
    free = unbusy_free_stock(
        {part.sku_id for part in members}, {place for known in places.values() for place in known}, now=now
    )
    held: dict[int, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    lying = _parts_lying(wanted)
    _keep_to_one(wanted, places, free)
    if stock_rules().rationing == StockRules.Rationing.FAIR_SHARE:
        shares = _fair_shares(wanted, places, free)
        for one in wanted:
            _serve_one(one, places[one[0].pk][:1], free, held, lying, at_most=shares)
    for one in wanted:
        _serve_one(one, places[one[0].pk], free, held, lying)
    served = [part for part in members if held.get(part.pk)]
    hold([(part, held[part.pk]) for part in served])
    if free.quota_used:
        _note_quotas(served, held, free)
    return served


def _places_of(wanted: Sequence[Wanted]) -> dict[int, list[int]]:
    """Line id → the warehouses it may be served from: its own, then its channel's others by rank. A closed one serves
    nobody any more; the others do so in its place, whatever the channel says of parcels (see `_keep_to_one`)."""
    channels = {
        line.order.channel_id
        for line, _parts in wanted
        if line.order.channel.allows_split or not line.warehouse.is_active
    }
    others: dict[int, list[int]] = defaultdict(list)
    routes = ChannelRoute.objects.filter(channel__in=channels, warehouse__is_active=True).order_by("rank", "pk")
    for channel_id, warehouse_id in routes.values_list("channel_id", "warehouse_id"):
        others[channel_id].append(warehouse_id)
    places = {}
    for line, _parts in wanted:
        own, more = [line.warehouse_id], others[line.order.channel_id]
        if line.line_number in line.order.sourcing.get("named", ()):  # the channel said from where
            places[line.pk] = own
        elif not line.warehouse.is_active:
            places[line.pk] = more or own
        else:
            places[line.pk] = list(dict.fromkeys(own + more)) if line.order.channel.allows_split else own
    return places


def _keep_to_one(wanted: Sequence[Wanted], places: dict[int, list[int]], free: FreeStock) -> None:
    """Of orders that leave in one parcel and waited at a closed warehouse: one warehouse for all such lines, where some
    of the order is reserved already, else the first by rank that has something for it."""
    moved: dict[int, list[Wanted]] = defaultdict(list)
    for line, parts in wanted:
        if not line.order.channel.allows_split and len(places[line.pk]) > 1:
            moved[line.order_id].append((line, parts))
    if not moved:
        return
    held = Reservation.objects.filter(line__order__in=moved).order_by("pk")
    lying: dict[int, list[int]] = defaultdict(list)
    for order_id, warehouse_id in held.values_list("line__order_id", "level__location__warehouse_id"):
        lying[order_id].append(warehouse_id)
    for order_id, rows in moved.items():
        routes, mine = places[rows[0][0].pk], free.for_channel(rows[0][0].order.channel_id)
        known = [warehouse for warehouse in lying[order_id] if warehouse in routes]
        able = (
            warehouse
            for warehouse in routes
            if any(all(mine.available(part.sku_id, warehouse) >= _each(part) for part in parts) for _, parts in rows)
        )
        chosen = known[0] if known else next(able, routes[0])
        for line, _parts in rows:
            places[line.pk] = [chosen]


Lying = dict[tuple[int, int], Decimal]
"""(line id of a kit's part, warehouse id) → units that are reserved for it there"""


def _parts_lying(wanted: Sequence[Wanted]) -> Lying:
    lying: Lying = defaultdict(Decimal)
    if parts := [part for line, members in wanted if line.is_kit for part in members]:
        for row in Reservation.objects.filter(line__in=parts).select_related("level__location"):
            lying[row.line_id, row.level.location.warehouse_id] += row.quantity  # type: ignore[index]
    return lying


def _serve_one(
    one: Wanted,
    places: Sequence[int],
    free: FreeStock,
    held: dict[int, dict[int, Decimal]],
    lying: Lying,
    *,
    at_most: Mapping[int, Decimal] | None = None,
) -> None:
    """Take for a plain line what there is, for a kit whole kits of one warehouse at a time: of a part that lies there
    already (the others had to give way, or were not found) only what is missing."""
    line, parts = one
    mine = free.for_channel(line.order.channel_id)
    for warehouse in places:
        if line.is_kit:
            kits = min(
                (lying[part.pk, warehouse] + min(mine.available(part.sku_id, warehouse), *_limits(part, at_most)))
                // _each(part)
                for part in parts
            )
            amounts = [kits * _each(part) - lying[part.pk, warehouse] for part in parts]
        else:
            amounts = [min(mine.available(line.sku_id, warehouse), *_limits(line, at_most))]
        for part, amount in zip(parts, amounts, strict=True):
            if amount > 0:
                for level_id, units in mine.take(part.sku_id, warehouse, amount).items():
                    held[part.pk][level_id] += units
                    part.reserved_quantity += units
                    lying[part.pk, warehouse] += units


def _limits(line: SalesOrderLine, at_most: Mapping[int, Decimal] | None) -> tuple[Decimal, ...]:
    return (_waits(line),) if at_most is None else (_waits(line), at_most.get(line.pk, _NOTHING))


def _each(part: SalesOrderLine) -> Decimal:
    return part.units_per_kit or Decimal(1)


def _fair_shares(wanted: Sequence[Wanted], places: Mapping[int, Sequence[int]], free: FreeStock) -> dict[int, Decimal]:
    """Line id → its share of what is free in the first of its warehouses; of each SKU and warehouse on its own."""
    claims: dict[tuple[int, int], list[Claim]] = defaultdict(list)
    for line, parts in wanted:
        for part in parts:
            if waits := _waits(part):
                order = line.order
                claim = Claim(part.pk, waits, order.ordered_at, order.channel.priority)
                claims[part.sku_id, places[line.pk][0]].append(claim)
    shares: dict[int, Decimal] = {}
    for (sku_id, warehouse_id), asked in claims.items():
        shares |= fair_share(free.available(sku_id, warehouse_id), asked)  # type: ignore[arg-type]
    return shares


def _note_quotas(served: Sequence[SalesOrderLine], held: Mapping[int, Mapping[int, Decimal]], free: FreeStock) -> None:
    """Count what was used of quotas, and say so on the orders, so that a cancellation can give it back."""
    use_quotas(free.quota_used)
    left = dict(free.quota_used)
    owners = {quota.pk: (sku, quota.channel_id) for sku, quotas in free.quotas.items() for quota in quotas}
    changed: dict[int, SalesOrder] = {}
    for line in served:
        for pk, (sku_id, channel_id) in owners.items():
            used = min(left.get(pk, _NOTHING), sum(held[line.pk].values(), _NOTHING))
            if used and (sku_id, channel_id) == (line.sku_id, line.order.channel_id):
                left[pk] -= used
                order = changed.setdefault(line.order_id, line.order)
                said = order.sourcing.get("quota", {})
                said = {**said, str(pk): f"{Decimal(said.get(str(pk), 0)) + used:f}"}
                order.sourcing = {**order.sourcing, "quota": said}
    SalesOrder.objects.bulk_update(changed.values(), ["sourcing"])


def _save_served(every: Sequence[SalesOrderLine], served: set[int], *, now: datetime) -> None:
    """Save the counters of the served lines and their kits, and the states of their orders. What an order that is being
    picked got is picked too."""
    by_order: dict[int, list[SalesOrderLine]] = defaultdict(list)
    for line in every:
        by_order[line.order_id].append(line)
    touched = {line.order_id for line in every if line.pk in served}
    lines = [line for order_id in touched for line in by_order[order_id]]
    mirror_kits(lines)
    write_counters(lines)
    changed: dict[str, list[int]] = defaultdict(list)
    for order_id in touched:
        order = by_order[order_id][0].order
        status = status_of(by_order[order_id], is_released=order.status in RELEASED)
        if status != order.status:
            changed[status].append(order_id)
    for status, order_ids in changed.items():
        SalesOrder.objects.filter(pk__in=order_ids).update(status=status)
    orders = [by_order[order_id][0].order for order_id in touched]
    being_picked = {order.pk for order in orders if order.status in RELEASED}
    if sent_in_part := [order for order in orders if order.status == SalesOrder.Status.PARTIALLY_SHIPPED]:
        being_picked |= released_among(sent_in_part)
    if being_picked:
        pick_tasks_follow(sorted(being_picked), now=now)
