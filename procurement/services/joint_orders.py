"""What a plan proposes line by line is settled order by order where the supplier's terms, room or money tie the lines.

Each line keeps the plan's own cost: a lot beyond the long-run average cost per day (`lot_sizing`), so that an order
without binding limits stays as it was. What is below its reorder point has to be ordered, up to that point at least;
what is above it may fill an order up. Where that does not fit, units short are weighed instead, and the row says which
limit would have to give way by how much. Budgets and room that several orders share go where they are worth most, and
are never exceeded. An order too small for its supplier waits for the next review where that costs less than filling it.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from forecasting.models import ForecastRun
from procurement.models import JointOrder
from procurement.services.aims import Pair, PlannedItem
from procurement.services.joint_cases import case_of
from procurement.services.joint_limits import Group, open_budgets, rooms
from procurement.services.joint_solving import Settled, settle

if TYPE_CHECKING:
    from procurement.engine.explanation import Term
    from procurement.engine.joint import JointLine
    from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult

_UNITS = {
    "budget": "money", "minimum_value": "money", "free_freight_from": "money", "container_volume": "litres",
    "warehouse_volume": "litres", "container_weight": "kg",
}  # fmt: skip


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


def settle_jointly(
    run: ForecastRun,
    items: Mapping[Pair, PlannedItem],
    inputs: Mapping[Pair, "ReplenishmentInput"],
    results: Mapping[Pair, "ReplenishmentResult"],
    *,
    now: datetime,
) -> dict[Pair, JointChange]:
    """The lines of every order that something couples, with the saved `JointOrder` rows behind them; a quantity may be
    0, and what did not change has no terms.

    The rows of an earlier look at the same run are replaced. A fixed number of queries; see `joint_solving` for how
    long the solver may take. Orders nothing couples are left alone and get no row.
    """
    today = timezone.localdate(now)
    groups = _groups(items, results)
    room, budgets = rooms({warehouse for _supplier, warehouse in groups}), open_budgets(today)
    found = (case_of(group, pairs, items, inputs, results, room, budgets) for group, pairs in sorted(groups.items()))
    settled = [_left_to_the_planner(one, results) for one in settle([case for case in found if case is not None])]
    JointOrder.objects.filter(run=run).delete()
    rows = [_row(run, one, items, results) for one in settled]
    JointOrder.objects.bulk_create(rows)
    changes: dict[Pair, JointChange] = {}
    for one, row in zip(settled, rows, strict=True):
        changes |= _changes(one, results, row)
    return changes


def _left_to_the_planner(one: Settled, results: Mapping[Pair, "ReplenishmentResult"]) -> Settled:
    """An order that cannot reach its supplier's minimum stays as the plan has it: what is short must not vanish from
    the board, where a planner fills it up, asks the supplier, or lets it wait."""
    below_minimum = bool(one.needs) and all(need.name == "minimum_value" for need in one.needs)
    if not below_minimum or any(quantity > 0.0 for quantity in one.answer.quantities):
        return one
    planned = tuple(results[pair].order_quantity for pair in one.case.pairs)
    return replace(one, answer=replace(one.answer, quantities=planned, status="infeasible"))


def _groups(
    items: Mapping[Pair, PlannedItem], results: Mapping[Pair, "ReplenishmentResult"]
) -> dict[Group, list[Pair]]:
    """Orders with at least one line to buy."""
    groups: dict[Group, list[Pair]] = defaultdict(list)
    for pair in sorted(results):
        groups[items[pair].item.supplier_id, pair[1]].append(pair)
    return {group: pairs for group, pairs in groups.items() if any(results[p].order_quantity > 0 for p in pairs)}


def _row(
    run: ForecastRun,
    one: Settled,
    items: Mapping[Pair, PlannedItem],
    results: Mapping[Pair, "ReplenishmentResult"],
) -> JointOrder:
    case, answer, needs = one.case, one.answer, one.needs
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
            for u in one.binding
        ],
        relaxations=[{"name": r.name, "limit": r.limit, "needed": r.needed, "relax_by": r.relax_by} for r in needs],
        lines=[
            {"sku": items[pair].item.sku.code, "before": results[pair].order_quantity, "after": quantity}
            for pair, quantity in zip(case.pairs, answer.quantities, strict=True)
        ],
    )


def _changes(one: Settled, results: Mapping[Pair, "ReplenishmentResult"], row: JointOrder) -> dict[Pair, JointChange]:
    changes = {}
    for pair, line, quantity in zip(one.case.pairs, one.case.problem.lines, one.answer.quantities, strict=True):
        result = results[pair]
        if abs(quantity - result.order_quantity) > 1e-6:
            terms = _terms(result, quantity, row)
            changes[pair] = JointChange(quantity, _unit_cost(line, quantity), terms, row)
        else:
            changes[pair] = JointChange(result.order_quantity, result.unit_cost, (), row)
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
        kind = limit["name"].split(" of ")[0]
        unit, code = _UNITS.get(kind, "units"), f"joint_{kind}"
        if code not in derivation.values:
            derivation.given(code, "L", limit["limit"], unit, "joint order")
    derivation.given("joint_difference", "ΔQ", quantity - result.order_quantity, "units", "joint order")
    derivation.derive("joint_quantity", "Q′", "order_quantity + joint_difference", "units", "joint order")
    return tuple(derivation.terms[1:])
