"""What a plan proposes line by line is settled order by order where the supplier's terms, room or money tie the lines.

Each line keeps the plan's own cost: a lot beyond the long-run average cost per day (`lot_sizing`), so that an order
without binding limits stays as it was. What is below its reorder point has to be ordered, up to that point at least;
what is above it may fill an order up. Where that does not fit, units short are weighed instead, and the row says which
limit would have to give way by how much. One budget a group is taken into account: the one that has least left.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from forecasting.models import ForecastRun
from procurement.models import JointOrder
from procurement.services.aims import Pair, PlannedItem
from procurement.services.joint_limits import (
    Group,
    OpenBudget,
    container_of,
    is_coupled,
    open_budgets,
    rooms,
    terms_of,
)

if TYPE_CHECKING:
    from procurement.engine.explanation import Term
    from procurement.engine.joint import JointAnswer, JointLine, JointProblem, LongRun, Relaxation
    from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult

GROUP_SECONDS = 5.0
ALL_SECONDS = 60.0
GAP = 1e-4
_MONEY = {"budget", "minimum_value", "free_freight_from"}


@dataclass(frozen=True, slots=True)
class JointChange:
    """One line's quantity as settled with the others of its order; `terms` go on from the plan's explanation."""

    quantity: float
    unit_cost: float
    terms: tuple["Term", ...]
    joint_order: JointOrder

    def applied_to(self, result: "ReplenishmentResult") -> "ReplenishmentResult":
        """The result with this quantity and an explanation that adds up to it."""
        return replace(
            result,
            order_quantity=self.quantity,
            unit_cost=self.unit_cost,
            explanation=(*result.explanation, *self.terms),
        )


@dataclass(frozen=True, slots=True)
class _Case:
    """An order to be settled: its pairs, the model of it, and the budget it falls under. `fallback` forces nothing and
    weighs the units short instead."""

    group: Group
    pairs: tuple[Pair, ...]
    problem: "JointProblem"
    fallback: "JointProblem"
    budget: OpenBudget | None


def settle_jointly(
    run: ForecastRun,
    items: Mapping[Pair, PlannedItem],
    inputs: Mapping[Pair, "ReplenishmentInput"],
    results: Mapping[Pair, "ReplenishmentResult"],
    *,
    now: datetime,
) -> dict[Pair, JointChange]:
    """The lines whose quantity changes (to 0 too), with the saved `JointOrder` rows behind them.

    The rows of an earlier look at the same run are replaced. A fixed number of queries; each order has `GROUP_SECONDS`
    to be solved, all together `ALL_SECONDS`. Orders nothing couples are left alone and get no row.
    """
    today = timezone.localdate(now)
    groups = _groups(items, results)
    room, budgets = rooms({warehouse for _supplier, warehouse in groups}), open_budgets(today)
    cases = [
        case
        for group, pairs in sorted(groups.items())
        if (case := _case(group, pairs, items, inputs, results, room, budgets)) is not None
    ]
    JointOrder.objects.filter(run=run).delete()
    settled = [(case, *solved) for case, solved in zip(cases, _solve(cases), strict=True)]
    rows = [_row(run, case, items, results, answer, needs) for case, answer, needs in settled]
    JointOrder.objects.bulk_create(rows)
    changes: dict[Pair, JointChange] = {}
    for (case, answer, _needs), row in zip(settled, rows, strict=True):
        changes |= _changes(case, answer, results, row)
    return changes


def _groups(
    items: Mapping[Pair, PlannedItem], results: Mapping[Pair, "ReplenishmentResult"]
) -> dict[Group, list[Pair]]:
    """Orders with at least one line to buy."""
    groups: dict[Group, list[Pair]] = defaultdict(list)
    for pair in sorted(results):
        groups[items[pair].item.supplier_id, pair[1]].append(pair)
    return {group: pairs for group, pairs in groups.items() if any(results[p].order_quantity > 0 for p in pairs)}


def _case(
    group: Group,
    pairs: Sequence[Pair],
    items: Mapping[Pair, PlannedItem],
    inputs: Mapping[Pair, "ReplenishmentInput"],
    results: Mapping[Pair, "ReplenishmentResult"],
    room: Mapping[int, float],
    budgets: Iterable[OpenBudget],
) -> _Case | None:
    from procurement.engine.joint import JointProblem, Room

    supplier = items[pairs[0]].item.supplier
    concerned = [budget for budget in budgets if budget.concerns(group, supplier)]
    budget = min(concerned, key=lambda one: one.left, default=None)
    units = room.get(group[1], math.inf)
    if not (is_coupled(supplier) or budget or math.isfinite(units)):
        return None
    lines = [_line(items[pair], inputs[pair], results[pair], budget) for pair in pairs]
    problem = JointProblem(
        lines=tuple(forced for forced, _free in lines),
        terms=terms_of(supplier),
        container=container_of(supplier),
        room=Room(units=units),
        budget=budget.left if budget else math.inf,
        time_limit=GROUP_SECONDS,
        gap=GAP,
        start=tuple(results[pair].order_quantity for pair in pairs),
    )
    return _Case(group, tuple(pairs), problem, replace(problem, lines=tuple(free for _forced, free in lines)), budget)


def _line(
    planned: PlannedItem, item: "ReplenishmentInput", result: "ReplenishmentResult", budget: OpenBudget | None
) -> tuple["JointLine", "JointLine"]:
    """(the line as it has to be ordered, the same unforced), with the plan's costs. What the long-run cost cannot price
    (no demand, free stock) stays as planned."""
    from procurement.engine.joint import JointLine
    from procurement.engine.lot_sizing import price_bands
    from procurement.engine.reorder_point import demand_curve

    sku, planned_units = planned.item.sku, result.order_quantity
    cheapest = min(cost for _start, cost in price_bands(item))
    holding = item.holding_cost_rate_per_year * cheapest / 365.0
    long_run = _long_run(item, result, holding)
    ceiling = math.inf if item.maximum_stock is None else item.maximum_stock - result.inventory_position
    most = max(planned_units, min(ceiling, item.order_maximum or math.inf, _cover(item, result)))
    least = min(max(result.reorder_point - result.inventory_position, 0.0), planned_units)
    share = min(max(item.service_level, 0.5), 0.999)
    short = item.stockout_cost_per_unit or holding * item.review_days * share / (1.0 - share)
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
        volume=float(sku.volume_litres or 0),
        weight=float(sku.weight_kg or 0),
        stockout_cost=short,
        replacement_cost=cheapest,
        in_budget=budget is None or budget.covers(planned),
        long_run=long_run,
    )
    forced = replace(
        line,
        minimum=min(max(low, least), line.maximum),
        stockout_cost=0.0,
        line_cost=item.fixed_cost_per_line,
        must_order=planned_units > 0.0,
    )
    return forced, line


def _cover(item: "ReplenishmentInput", result: "ReplenishmentResult") -> float:
    """Units until the stock would outlast the policy's longest cover or its shelf life."""
    days = min(item.maximum_cover_days, item.shelf_life_days or math.inf)
    return days * item.mean_daily_demand - max(result.inventory_position, 0.0)


def _long_run(item: "ReplenishmentInput", result: "ReplenishmentResult", holding: float) -> "LongRun | None":
    """The lot's cost beyond the long-run average: K·d/Q* + h·Q*/2 a day, as in `lot_sizing.derive_need`."""
    from procurement.engine.joint import LongRun

    demand, lot = item.mean_daily_demand, result.economic_order_quantity
    if min(demand, lot, holding) <= 0.0:
        return None
    given = {term.code: term.value for term in result.explanation}
    return LongRun(
        average_cost_per_day=item.fixed_cost_per_line * demand / lot + holding * lot / 2.0,
        holding_cost_per_unit_day=holding,
        mean_daily_demand=demand,
        cycle_stock=result.inventory_position - result.reorder_point + given.get("expected_undershoot", 0.0),
    )


def _solve(cases: Sequence[_Case]) -> list[tuple["JointAnswer", tuple["Relaxation", ...]]]:
    """(answer, what would have to give way) for each case; those of one budget after each other, on what is left."""
    answers = []
    left: dict[int, float] = {}
    seconds = ALL_SECONDS
    for case in cases:
        key = case.budget.budget.pk if case.budget else None
        money = case.problem.budget if key is None else left.get(key, case.problem.budget)
        limit = max(0.2, min(GROUP_SECONDS, seconds))
        answer, needs = _settle(case, money, limit)
        seconds -= answer.seconds
        if key is not None:
            left[key] = max(0.0, money - answer.spent)
        answers.append((answer, needs))
    return answers


def _settle(case: _Case, budget: float, seconds: float) -> tuple["JointAnswer", tuple["Relaxation", ...]]:
    """All that is needed, if it fits; else the units that are missed least."""
    from procurement.engine.joint import solve_joint

    answer = solve_joint(replace(case.problem, budget=budget, time_limit=seconds))
    if answer.status != "infeasible":
        return answer, ()
    return solve_joint(replace(case.fallback, budget=budget, time_limit=seconds)), answer.relaxations


def _row(
    run: ForecastRun,
    case: _Case,
    items: Mapping[Pair, PlannedItem],
    results: Mapping[Pair, "ReplenishmentResult"],
    answer: "JointAnswer",
    needs: tuple["Relaxation", ...],
) -> JointOrder:
    optimal = answer.status == "optimal" and not needs
    status = JointOrder.Status.OPTIMAL if optimal else JointOrder.Status.FEASIBLE
    if answer.status == "infeasible":
        status = JointOrder.Status.INFEASIBLE
    return JointOrder(
        run=run,
        supplier_id=case.group[0],
        warehouse_id=case.group[1],
        budget=case.budget.budget if case.budget else None,
        status=status,
        currency=items[case.pairs[0]].item.supplier.currency,
        line_count=len(case.pairs),
        cost=answer.cost,
        bound=answer.bound,
        gap=answer.gap,
        seconds=answer.seconds,
        binding=[
            {"name": u.name, "limit": u.limit, "used": u.used, "slack": u.slack, "saved_per_unit": u.saved_per_unit}
            for u in answer.usages
            if u.is_binding
        ],
        relaxations=[{"name": r.name, "limit": r.limit, "needed": r.needed, "relax_by": r.relax_by} for r in needs],
        lines=[
            {"sku": items[pair].item.sku.code, "before": results[pair].order_quantity, "after": quantity}
            for pair, quantity in zip(case.pairs, answer.quantities, strict=True)
        ],
    )


def _changes(
    case: _Case, answer: "JointAnswer", results: Mapping[Pair, "ReplenishmentResult"], row: JointOrder
) -> dict[Pair, JointChange]:
    """Nothing changes where even the least order does not fit: the plan's quantities stay, the row says why."""
    if answer.status == "infeasible":
        return {}
    changes = {}
    for pair, line, quantity in zip(case.pairs, case.problem.lines, answer.quantities, strict=True):
        if abs(quantity - results[pair].order_quantity) > 1e-6:
            terms = _terms(results[pair], quantity, row)
            changes[pair] = JointChange(quantity, _unit_cost(line, quantity), terms, row)
    return changes


def _unit_cost(line: "JointLine", quantity: float) -> float:
    """What a unit of the order costs on average; the plain price where nothing is ordered."""
    import numpy as np

    from procurement.engine.joint.costs import purchase_costs

    return float(purchase_costs(line, np.array([quantity]))[0]) / quantity if quantity else line.unit_cost


def _terms(result: "ReplenishmentResult", quantity: float, row: JointOrder) -> tuple["Term", ...]:
    """The limits that bind, then the difference and the sum, in the terms of the explanation before."""
    from procurement.engine.explanation import Derivation

    derivation = Derivation()
    derivation.given("order_quantity", "Q", result.order_quantity, "units", "calculated")
    for limit in [*row.binding, *row.relaxations]:
        unit = "money" if limit["name"] in _MONEY else "units"
        code = f"joint_{limit['name'].split(' of ')[0]}"
        if code not in derivation.values:
            derivation.given(code, "L", limit["limit"], unit, "joint order")
    derivation.given("joint_difference", "ΔQ", quantity - result.order_quantity, "units", "joint order")
    derivation.derive("joint_quantity", "Q′", "order_quantity + joint_difference", "units", "joint order")
    return tuple(derivation.terms[1:])
