"""The model of one order for the solver: the plan's own costs line by line, and what ties the lines together."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from procurement.models import Supplier
from procurement.services.aims import Pair, PlannedItem
from procurement.services.joint_limits import Group, OpenBudget, Rooms, container_of, is_coupled, terms_of

if TYPE_CHECKING:
    from procurement.engine.joint import JointLine, JointProblem, LongRun, Pool
    from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult

GAP = 1e-4


@dataclass(frozen=True, slots=True)
class Case:
    """An order to be settled: its pairs, the model of it, and the budget that has least left for it. `fallback` forces
    nothing and weighs the units short instead; `may_wait`: too small, and what waiting costs is known."""

    group: Group
    pairs: tuple[Pair, ...]
    problem: "JointProblem"
    fallback: "JointProblem"
    budget: OpenBudget | None
    may_wait: bool


def case_of(
    group: Group,
    pairs: Sequence[Pair],
    items: Mapping[Pair, PlannedItem],
    inputs: Mapping[Pair, "ReplenishmentInput"],
    results: Mapping[Pair, "ReplenishmentResult"],
    rooms: Rooms,
    budgets: Iterable[OpenBudget],
) -> Case | None:
    """None where nothing couples the lines."""
    from procurement.engine.joint import JointProblem

    supplier = items[pairs[0]].item.supplier
    concerned = [budget for budget in budgets if budget.concerns(group, supplier)]
    pools = tuple(_pools(group, [items[pair] for pair in pairs], rooms, concerned))
    if not (is_coupled(supplier) or pools):
        return None
    lines = [_line(items[pair], inputs[pair], results[pair]) for pair in pairs]
    problem = JointProblem(
        lines=tuple(forced for forced, _free in lines),
        terms=terms_of(supplier),
        container=container_of(supplier),
        pools=pools,
        gap=GAP,
        start=tuple(results[pair].order_quantity for pair in pairs),
    )
    fallback = replace(problem, lines=tuple(free for _forced, free in lines))
    tightest = min(concerned, key=lambda one: one.left, default=None)
    asked = [pair for pair in pairs if results[pair].order_quantity > 0]
    may_wait = _is_too_small(supplier, asked, results) and all(inputs[p].stockout_cost_per_unit for p in asked)
    return Case(group, tuple(pairs), problem, fallback, tightest, may_wait)


def _is_too_small(supplier: Supplier, asked: Sequence[Pair], results: Mapping[Pair, "ReplenishmentResult"]) -> bool:
    value = sum(results[pair].order_quantity * results[pair].unit_cost for pair in asked)
    return value < float(supplier.minimum_order_value)


def _pools(
    group: Group, planned: Sequence[PlannedItem], rooms: Rooms, budgets: Iterable[OpenBudget]
) -> Iterable["Pool"]:
    """What this order shares with others: every budget it falls under, and the room where it goes."""
    from procurement.engine.joint import Pool

    for budget in budgets:
        members = tuple(budget.covers(item) for item in planned)
        yield Pool(name=f"budget of {budget.budget.name}", limit=budget.left, members=members)
    if group[1] in rooms:
        code, units = rooms[group[1]]
        yield Pool(name=f"warehouse_units of {code}", limit=units, members=(True,) * len(planned), of="units")


def _line(
    planned: PlannedItem, item: "ReplenishmentInput", result: "ReplenishmentResult"
) -> tuple["JointLine", "JointLine"]:
    """(the line as it has to be ordered, the same unforced), with the plan's costs. What the long-run cost cannot price
    (no demand, free stock) stays as planned.

    The order's fixed cost is charged once; a line that joins before it has to gives up the K/N it would have cost at
    its own time, for which the long-run average makes allowance.
    """
    from procurement.engine.joint import JointLine
    from procurement.engine.reorder_point import demand_curve

    sku, planned_units = planned.item.sku, result.order_quantity
    usual = _usual_price(item, result)
    holding = item.holding_cost_rate_per_year * usual / 365.0
    long_run = _long_run(item, result, holding)
    ceiling = math.inf if item.maximum_stock is None else item.maximum_stock - result.inventory_position
    most = max(planned_units, min(ceiling, item.order_maximum or math.inf, _cover(item, result)))
    least = min(max(result.reorder_point - result.inventory_position, 0.0), planned_units)
    low, high = item.minimum_order_quantity, most
    if long_run is None:
        low = high = least = planned_units
    line = JointLine(
        id=item.sku_key,
        curve=demand_curve(item),
        position=result.inventory_position,
        unit_cost=item.unit_cost,
        price_breaks=item.price_breaks,
        is_incremental=item.incremental,
        minimum=min(low, max(high, 0.0)),
        maximum=max(high, 0.0),
        pack=item.pack_size,
        pallet=_pallet(item, result),
        volume=float(sku.volume_litres or 0),
        weight=float(sku.weight_kg or 0),
        stockout_cost=_unit_short(item, result, holding),
        replacement_cost=usual,
        line_cost=0.0 if planned_units > 0.0 else item.fixed_cost_per_line,
        long_run=long_run,
    )
    forced = replace(
        line,
        minimum=min(max(low, least), line.maximum),
        stockout_cost=0.0,
        must_order=planned_units > 0.0,
    )
    return forced, line


def _usual_price(item: "ReplenishmentInput", result: "ReplenishmentResult") -> float:
    """What a unit costs in the lots that the plan buys in the long run: a price only larger lots would get is not what
    a unit is replaced at."""
    from procurement.engine.lot_sizing import price_bands

    given = {term.code: term.value for term in result.explanation}
    return given.get("economic_unit_cost", min(cost for _start, cost in price_bands(item)))


def _unit_short(item: "ReplenishmentInput", result: "ReplenishmentResult", holding: float) -> float:
    """Money a unit short: the policy's, else what makes the service aimed for pay: h·R·β/(1 − β)."""
    given = {term.code: term.value for term in result.explanation}
    aim = item.service_level
    if item.target_kind != "cycle_service_level":
        aim = given.get("expected_cycle_service_level", item.service_level)
    share = min(max(aim, 0.5), 0.999)
    return item.stockout_cost_per_unit or holding * item.review_days * share / (1.0 - share)


def _pallet(item: "ReplenishmentInput", result: "ReplenishmentResult") -> float | None:
    """Whole pallets stay whole; where the plan did without them, or they hold no whole packs, packs do."""
    pallet = item.pallet_size
    if not pallet or result.order_quantity <= 0.0:
        return None
    ratios = (pallet / item.pack_size, result.order_quantity / pallet)
    return pallet if all(ratio >= 1.0 and abs(ratio - round(ratio)) < 1e-9 * ratio for ratio in ratios) else None


def _cover(item: "ReplenishmentInput", result: "ReplenishmentResult") -> float:
    """Units until the stock would outlast the policy's longest cover or its shelf life."""
    days = min(item.maximum_cover_days, item.shelf_life_days or math.inf)
    return days * item.mean_daily_demand - max(result.inventory_position, 0.0)


def _long_run(item: "ReplenishmentInput", result: "ReplenishmentResult", holding: float) -> "LongRun | None":
    """The lot's cost beyond the long-run average: K·d/Q* + h·Q*/2 a day, as in `lot_sizing.derive_need`; 0 where orders
    cost nothing and lots are as small as can be."""
    from procurement.engine.joint import LongRun

    demand, lot = item.mean_daily_demand, result.economic_order_quantity
    if min(demand, holding) <= 0.0:
        return None
    ordering = item.fixed_cost_per_line * demand / lot if lot > 0.0 else 0.0
    given = {term.code: term.value for term in result.explanation}
    return LongRun(
        average_cost_per_day=ordering + holding * lot / 2.0,
        holding_cost_per_unit_day=holding,
        mean_daily_demand=demand,
        cycle_stock=result.inventory_position - result.reorder_point + given.get("expected_undershoot", 0.0),
    )
