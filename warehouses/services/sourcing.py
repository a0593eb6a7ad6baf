"""Which warehouses serve an order: what the engine chooses by stock, cost, parcels and rank, and the reasons kept."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from config.kernel.fields import plain
from warehouses.engine.distance import DistanceRate, RateRow, haversine_km, parcel_rate
from warehouses.engine.sourcing import choose_sources
from warehouses.engine.sourcing_types import Candidate, Line, Reason, Sourcing
from warehouses.models import ShippingRate
from warehouses.services.free_stock import FreeStock
from warehouses.services.sale_checks import CheckedLine, Sale
from warehouses.services.sale_facts import Place, SaleFacts

# Where no rate is known, a kilometre counts so much: enough to prefer the nearer warehouse.
COST_PER_KM = Decimal("0.01")
LATE_ORDERS = timedelta(days=7)
"""An order recorded today may be so old; the day's orders are looked for among these."""
_NOTHING = Decimal(0)
_ONE = Decimal(1)
_ANYWHERE = ""


@dataclass(slots=True)
class SourcedLine:
    """A line with what was taken for it: level id → units, of a kit one such mapping a part.

    `served` counts as the line does (whole kits); `warehouse_id` is where the rest waits, else where most leaves.
    """

    line: CheckedLine
    warehouse_id: int
    served: Decimal
    taken: list[dict[int, Decimal]]

    @property
    def short_by(self) -> Decimal:
        return self.line.quantity - self.served


def source_order(
    sale: Sale, facts: SaleFacts, lines: Sequence[CheckedLine], free: FreeStock, *, now: datetime
) -> tuple[list[SourcedLine], dict[str, Any]]:
    """Take stock for the lines; (the lines in their order, the choice and its reasons for `SalesOrder.sourcing`).

    Lines that name a warehouse are served there first; for the others the engine chooses among the channel's routes,
    and a parcel that is sent anyway costs nothing more.
    """
    found: dict[int, SourcedLine] = {}
    used: set[int] = set()
    for line in lines:
        if line.named:
            found[line.number] = _from_named(line, line.named.pk, free)
            used |= {line.named.pk} if found[line.number].served else set()
    why: dict[str, Any] = {}
    if chosen := [line for line in lines if line.number not in found]:
        why = _choose(sale, facts, chosen, free, found, used, now=now)
    if named := [line.number for line in lines if line.named]:
        why["named"] = named
    return [found[line.number] for line in lines], why


def needed_skus(lines: Iterable[CheckedLine]) -> set[int]:
    """The stocked SKUs of the lines: of a kit its parts."""
    return {sku.pk for line in lines for sku, _each in (line.parts or ((line.sku, _ONE),))}


def _from_named(line: CheckedLine, warehouse_id: int, free: FreeStock) -> SourcedLine:
    if line.parts:
        can = min(free.available(part.pk, warehouse_id) // each for part, each in line.parts)
    else:
        can = free.available(line.sku.pk, warehouse_id)
    served = max(min(can, line.quantity), _NOTHING)
    sourced = SourcedLine(line, warehouse_id, served, [{} for _part in line.parts or (None,)])
    _take(sourced, warehouse_id, served, free)
    return sourced


def _choose(
    sale: Sale,
    facts: SaleFacts,
    lines: Sequence[CheckedLine],
    free: FreeStock,
    found: dict[int, SourcedLine],
    used: set[int],
    *,
    now: datetime,
) -> dict[str, Any]:
    """Let the engine choose for these lines, and add them to `found` with their stock taken; what it said of it."""
    wanted = [_engine_line(line) for line in lines]
    weight = sum((line.weight_kg * line.quantity for line in wanted), _NOTHING)
    routes = [place.pk for place in facts.routes]
    known: dict[tuple[Hashable, Hashable], Decimal] = {
        (sku_id, warehouse): units
        for sku_id in needed_skus(lines)
        for warehouse, units in free.available_together(sku_id, routes).items()
    }
    choice = choose_sources(
        wanted,
        _candidates(sale, facts, weight, used, now=now),
        known,
        split_penalty=facts.split_penalty,
        may_split=facts.channel is not None and facts.channel.allows_split,
    )
    for line in lines:
        found[line.number] = _from_choice(line, choice, free, otherwise=routes[0])
    codes = {place.pk: place.code for place in facts.routes}
    return {"cost": plain(choice.cost), "reasons": [_written(reason, codes) for reason in choice.reasons]}


def _from_choice(line: CheckedLine, choice: Sourcing, free: FreeStock, *, otherwise: int) -> SourcedLine:
    sourced = SourcedLine(line, otherwise, _NOTHING, [{} for _part in line.parts or (None,)])
    most = _NOTHING
    for part in choice.parts:
        if part.line == line.number:
            warehouse: Any = part.warehouse
            _take(sourced, warehouse, part.quantity, free)
            sourced.served += part.quantity
            if part.quantity > most:
                most, sourced.warehouse_id = part.quantity, warehouse
    for rest in choice.waiting:
        if rest.line == line.number and rest.warehouse is not None:
            place: Any = rest.warehouse
            sourced.warehouse_id = place
    return sourced


def _take(sourced: SourcedLine, warehouse_id: int, quantity: Decimal, free: FreeStock) -> None:
    needs = sourced.line.parts or ((sourced.line.sku, _ONE),)
    for taken, (sku, each) in zip(sourced.taken, needs, strict=True):
        for level_id, units in free.take(sku.pk, warehouse_id, quantity * each).items():
            taken[level_id] = taken.get(level_id, _NOTHING) + units


def _engine_line(line: CheckedLine) -> Line:
    if line.parts:
        weight = line.sku.weight_kg or sum((part.weight_kg * each for part, each in line.parts), _NOTHING)
        parts = tuple((part.pk, each) for part, each in line.parts)
        return Line(line.number, line.quantity, weight_kg=weight, parts=parts)
    return Line(line.number, line.quantity, line.sku.pk, line.sku.weight_kg)


def _candidates(sale: Sale, facts: SaleFacts, weight: Decimal, used: set[int], *, now: datetime) -> list[Candidate]:
    places = facts.routes
    costs = _parcel_costs(sale, facts, weight)
    full = _full_today(places, now=now)
    candidates = []
    for rank, place in enumerate(places):
        cost, per_kg = costs.get(place.pk, (_NOTHING, _NOTHING))
        if place.pk in used:
            cost = _NOTHING
        is_free = place.pk in used or place.pk not in full
        candidates.append(Candidate(place.pk, rank, cost, per_kg, has_capacity=is_free))
    return candidates


def _parcel_costs(sale: Sale, facts: SaleFacts, weight: Decimal) -> dict[int, tuple[Decimal, Decimal]]:
    """Warehouse id → what a parcel to the order's address costs, and what each kg does.

    By the table of rates where there is one, else by distance; a warehouse of which neither is known costs as much as
    the dearest that is, so that what is unknown is not preferred. Nothing at all is known: all cost nothing.
    """
    distances = _distances(sale, facts.routes)
    if not facts.has_rates and not distances:
        return {}
    rows: dict[int, list[RateRow]] = {}
    if facts.has_rates:
        table = ShippingRate.objects.filter(
            warehouse__in=[place.pk for place in facts.routes], country__in=(sale.ship_to_country, _ANYWHERE)
        )
        for rate in table:
            far = Decimal(repr(round(distances.get(rate.warehouse_id, 0.0), 3)))
            base = rate.base_cost + rate.cost_per_km * far
            rows.setdefault(rate.warehouse_id, []).append(RateRow(rate.country, rate.up_to_kg, base, rate.cost_per_kg))
    costs = {}
    for place in facts.routes:
        rate_known = parcel_rate(
            weight,
            destinations=(sale.ship_to_country, _ANYWHERE),
            rows=rows.get(place.pk, ()),
            distance_km=distances.get(place.pk),
            distance_rate=DistanceRate(_NOTHING, COST_PER_KM),
        )
        if rate_known:
            costs[place.pk] = (rate_known.parcel_cost, rate_known.cost_per_kg)
    dearest = max(costs.values(), key=lambda cost: cost[0] + cost[1] * weight, default=(_NOTHING, _NOTHING))
    return {place.pk: costs.get(place.pk, dearest) for place in facts.routes}


def _distances(sale: Sale, places: Iterable[Place]) -> dict[int, float]:
    if sale.ship_to_latitude is None or sale.ship_to_longitude is None:
        return {}
    there = (float(sale.ship_to_latitude), float(sale.ship_to_longitude))
    return {
        place.pk: haversine_km((float(place.latitude), float(place.longitude)), there)
        for place in places
        if place.latitude is not None and place.longitude is not None
    }


def _full_today(places: Iterable[Place], *, now: datetime) -> set[int]:
    """Warehouses whose orders of the day are used up, by the calendar of each.

    Read, not locked: orders that arrive at one moment may be a few more than the limit, which is a plan and no law.
    """
    limited = [place for place in places if place.orders_a_day is not None]
    full = set()
    for place in limited:
        midnight = now.astimezone(ZoneInfo(place.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        with connection.cursor() as cursor:
            cursor.execute(_ORDERS_TODAY, {"place": place.pk, "since": midnight, "ordered": midnight - LATE_ORDERS})
            if cursor.fetchone()[0] >= (place.orders_a_day or 0):
                full.add(place.pk)
    return full


def _written(reason: Reason, codes: Mapping[int, str]) -> dict[str, Any]:
    said: dict[str, Any] = {"code": reason.code}
    for name, value in reason.params.items():
        if name == "warehouse":
            said[name] = codes.get(value, "")
        elif name == "warehouses":
            said[name] = [codes[warehouse] for warehouse in value]
        else:
            said[name] = plain(value) if isinstance(value, Decimal) else value
    return said


_ORDERS_TODAY = """
SELECT count(DISTINCT line.order_id)
FROM warehouses_salesorder placed JOIN warehouses_salesorderline line ON line.order_id = placed.id
WHERE placed.ordered_at >= %(ordered)s AND placed.recorded_at >= %(since)s AND NOT placed.is_history
  AND placed.status <> 'cancelled'
  AND (line.warehouse_id = %(place)s OR EXISTS (
    SELECT FROM warehouses_reservation held JOIN warehouses_stocklevel level ON level.id = held.level_id
    JOIN warehouses_location location ON location.id = level.location_id
    WHERE held.line_id = line.id AND location.warehouse_id = %(place)s))
"""
