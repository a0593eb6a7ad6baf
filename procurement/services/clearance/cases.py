"""Which stock is too much, and everything the engine needs to price its ways out. Reads only, many SKUs at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from typing import TYPE_CHECKING

from django.db.models import Sum

from catalog.models import Sku
from forecasting.models import Forecast, ForecastRun
from forecasting.selectors.adjusted import adjusted_forecasts
from procurement.models import ClearanceProposal, SupplierItem
from procurement.selectors_optimising import open_transfer_quantities
from procurement.services.aims import DEFAULT_POLICY, Pair, PlannedItem, planned_items
from procurement.services.clearance.elasticities import elasticities_of
from procurement.services.moving_costs import MovingCosts
from warehouses.models import StockLevel, Warehouse
from warehouses.selectors.stock import Position, stock_positions, usable

if TYPE_CHECKING:
    from procurement.engine.clearance import ClearanceCase
    from procurement.engine.clearance.ways_out import Elsewhere

Cause = ClearanceProposal.Cause

# What a unit left at the end still brings, as a share of its cost: fresh for next year, out of the range, expired.
SALVAGE = {Cause.OVERSTOCK: 0.5, Cause.END_OF_LIFE: 0.1, Cause.EXPIRY: 0.0}
END_OF_LIFE_DAYS, SHORTEST_END = 90, 14
EXPIRY_DAYS = 180
LEAST_EXCESS = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """One stock that is too much: for whom, why, and the engine's case."""

    pair: Pair
    cause: str
    case: "ClearanceCase"
    warehouses: Mapping[str, int]
    supplier_id: int | None
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class _Demand:
    daily: float
    daily_sd: float


@dataclass(frozen=True, slots=True)
class _World:
    """What holds for the SKUs of one chunk."""

    today: date
    skus: Mapping[int, Sku]
    items: Mapping[Pair, PlannedItem]
    suppliers: Mapping[int, SupplierItem]
    stock: Mapping[Pair, Position]
    demand: Mapping[Pair, _Demand]
    lots: Mapping[Pair, Sequence[tuple[date, float]]]
    places: Mapping[int, str]
    moving: MovingCosts
    bound: Mapping[Pair, Decimal]

    def free(self, pair: Pair) -> float:
        """Available, and what other advice is about to bring or take."""
        free = self.stock.get(pair, Position()).available + self.bound.get(pair, Decimal(0))
        return max(float(free), 0.0)


def cases_of(run: ForecastRun, sku_ids: Collection[int], *, today: date) -> list[Found]:
    """The stocks of these SKUs that are too much; at most 24 queries, however many SKUs."""
    world = _world(run, sku_ids, today)
    wanted = [
        (pair, cause, *found)
        for pair in world.stock
        if pair[1] in world.places and (cause := _cause(world, pair)) and (found := _excess(world, pair, cause))
    ]
    wanted = [one for one in wanted if one[2] >= LEAST_EXCESS]
    if not wanted:
        return []
    categories = {pk: sku.product.category_id for pk, sku in world.skus.items()}
    elasticity = elasticities_of([one[0] for one in wanted], categories, until=run.as_of)
    return [_found(world, pair, cause, excess, days, stock, elasticity) for pair, cause, excess, days, stock in wanted]


def _world(run: ForecastRun, sku_ids: Collection[int], today: date) -> _World:
    skus = {sku.pk: sku for sku in Sku.objects.filter(pk__in=sku_ids).select_related("product")}
    rows = Forecast.objects.filter(run=run, sku__in=skus).only(
        "sku_id", "warehouse_id", "protection_days", "protection_mean", "protection_sd", "protection_quantiles"
    )
    demand = {
        (row.sku_id, row.warehouse_id): _Demand(
            row.protection_mean / row.protection_days, row.protection_sd / sqrt(row.protection_days)
        )
        for row in adjusted_forecasts(run, rows, on=today, sku_ids=list(skus))
    }
    sold = SupplierItem.objects.filter(sku__in=skus, is_preferred=True, is_active=True).select_related("supplier")
    return _World(
        today=today,
        skus=skus,
        items=planned_items(list(skus), today=today),
        suppliers={item.sku_id: item for item in sold},
        stock=stock_positions(list(skus), today=today),
        demand=demand,
        lots=_expiring(skus, today),
        places=dict(Warehouse.objects.filter(is_active=True).values_list("pk", "code")),
        moving=MovingCosts(),
        bound=open_transfer_quantities(),
    )


def _expiring(sku_ids: Collection[int], today: date) -> dict[Pair, list[tuple[date, float]]]:
    """Usable units by expiry day, of lots that expire within half a year. One query."""
    rows = (
        StockLevel.objects.filter(usable(today), sku__in=sku_ids, on_hand__gt=0)
        .filter(lot__expires_on__lte=today + timedelta(days=EXPIRY_DAYS))
        .order_by("sku_id", "location__warehouse_id", "lot__expires_on")
        .values_list("sku_id", "location__warehouse_id", "lot__expires_on")
        .annotate(units=Sum("on_hand") - Sum("reserved"))
    )
    lots: dict[Pair, list[tuple[date, float]]] = defaultdict(list)
    for sku, warehouse, day, units in rows:
        if units > 0:
            lots[sku, warehouse].append((day, float(units)))
    return lots


def _cause(world: _World, pair: Pair) -> str:
    """The most pressing one: what expires, then what ends, then what is simply too much."""
    sku = world.skus.get(pair[0])
    if sku is None or world.free(pair) <= 0:
        return ""
    if world.lots.get(pair):
        return Cause.EXPIRY
    if sku.status != Sku.Status.ACTIVE or sku.discontinued_on is not None:
        return Cause.END_OF_LIFE
    return Cause.OVERSTOCK


def _excess(world: _World, pair: Pair, cause: str) -> tuple[float, float, float] | None:
    """(excess, days, stock) of the pair; lots that will sell in time leave the question to the rest of the stock."""
    from procurement.engine.clearance import excess_stock

    demand, stock = world.demand.get(pair, _Demand(0.0, 0.0)), world.free(pair)
    if cause == Cause.EXPIRY:
        lots = [(float((day - world.today).days), units) for day, units in world.lots[pair]]
        days = max(until for until, _units in lots)
        stock = min(stock, sum(units for _until, units in lots))
        found = excess_stock(stock, daily_mean=demand.daily, daily_sd=demand.daily_sd, days=days, lots=lots)
        return min(found.units, stock), days, stock
    days = _days(world, pair, cause)
    if cause == Cause.OVERSTOCK and pair not in world.demand:
        return None  # nothing is known of its demand: no ground to call it too much
    if demand.daily * days > 2.0 * stock:
        return None
    found = excess_stock(stock, daily_mean=demand.daily, daily_sd=demand.daily_sd, days=days)
    return found.units, days, stock


def _days(world: _World, pair: Pair, cause: str) -> float:
    if cause == Cause.OVERSTOCK:
        policy = world.items[pair].policy if pair in world.items else DEFAULT_POLICY
        return float(policy.maximum_cover_days)
    ends = world.skus[pair[0]].discontinued_on
    return float(max((ends - world.today).days, SHORTEST_END)) if ends else float(END_OF_LIFE_DAYS)


def _found(
    world: _World, pair: Pair, cause: str, excess: float, days: float, stock: float, elasticity: Mapping[Pair, float]
) -> Found:
    from procurement.engine.clearance import ClearanceCase

    sku, item = world.skus[pair[0]], world.suppliers.get(pair[0])
    demand = world.demand.get(pair, _Demand(0.0, 0.0))
    policy = world.items[pair].policy if pair in world.items else DEFAULT_POLICY
    cost = float(sku.unit_cost or (item.unit_cost if item else 0))
    credit = None if item is None or item.return_credit is None else float(item.return_credit) * cost
    case = ClearanceCase(
        key=sku.code,
        stock=stock,
        excess=min(excess, stock),
        price=float(sku.unit_price),
        daily_mean=demand.daily,
        daily_sd=demand.daily_sd,
        days=days,
        elasticity=elasticity[pair],
        unit_cost=cost,
        holding_cost=float(policy.holding_cost_rate) * cost / 365.0,
        salvage=SALVAGE[Cause(cause)] * cost,
        return_value=credit,
        return_fixed_cost=float(item.supplier.freight_cost) if item else 0.0,
        elsewhere=tuple(_elsewhere(world, pair, excess, days, cost)),
    )
    expires = world.lots[pair][0][0] if cause == Cause.EXPIRY else None
    places = {code: pk for pk, code in world.places.items()}
    return Found(pair, cause, case, places, item.supplier_id if item else None, expires)


def _elsewhere(world: _World, pair: Pair, excess: float, days: float, cost: float) -> "list[Elsewhere]":
    """The warehouses that would sell some of the excess beyond their own stock in the same days."""
    from procurement.engine.clearance.excess import demand_over, expected_sales
    from procurement.engine.clearance.ways_out import Elsewhere

    found = []
    for warehouse, code in world.places.items():
        other = (pair[0], warehouse)
        if warehouse == pair[1] or other not in world.demand:
            continue
        mean, sd = demand_over(days, world.demand[other].daily, world.demand[other].daily_sd)
        units, there = min(excess, max(mean - world.free(other), 0.0)), world.free(other)
        if units >= LEAST_EXCESS:
            sold = expected_sales(there + units, mean, sd) - expected_sales(there, mean, sd)
            sku = world.skus[pair[0]]
            moving = world.moving.between(pair[1], warehouse, sku, cost)
            found.append(Elsewhere(code, units, min(sold, units), float(sku.unit_price), moving.unit, moving.fixed))
    return found
