"""From the engine's decision to a proposal, dated and with everything that went into it."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from forecasting.models import ForecastRun
from procurement.models import JointOrder, Proposal
from procurement.services.aims import Pair, PlannedItem
from procurement.services.inputs import in_supplier_currency, stockout_cost
from procurement.services.moves import OpenLine, Watched, as_units
from procurement.services.projection import ExpectedDemand, runs_out_on
from procurement.services.snapshots import snapshot_of

if TYPE_CHECKING:
    from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult


def wanted_proposal(
    run: ForecastRun,
    pair: Pair,
    planned: PlannedItem,
    item: "ReplenishmentInput",
    result: "ReplenishmentResult",
    demand: ExpectedDemand,
    lines: Sequence[OpenLine],
    *,
    today: date,
    is_expedited: bool,
    joint_order: JointOrder | None = None,
) -> Proposal:
    """Not saved. Units on drafts arrive when a proposal of today would: they are ours to send."""
    from procurement.engine.explanation import to_records

    need_by, snapshot = planned.need_by(today), snapshot_of(item)
    arrivals = [(line.expected_on, line.units) for line in lines]
    if item.in_draft:
        arrivals.append((need_by, item.in_draft))
    stock = item.on_hand - item.reserved - item.backordered + item.in_transit
    return Proposal(
        run=run,
        sku_id=pair[0],
        warehouse_id=pair[1],
        supplier_id=planned.item.supplier_id,
        quantity=as_units(result.order_quantity),
        unit_cost=Decimal(repr(result.unit_cost)).quantize(Decimal("0.0001")),
        currency=planned.item.supplier.currency,
        safety_stock=as_units(result.safety_stock),
        reorder_point=as_units(result.reorder_point),
        order_up_to_level=as_units(result.order_up_to_level),
        inventory_position=as_units(result.inventory_position),
        need_by=need_by,
        days_of_cover=result.days_of_cover,
        joint_order=joint_order,
        stockout_on=runs_out_on(stock, arrivals, demand, today=today),
        expected_shortage=result.expected_shortage,
        snapshot=snapshot,
        edition=str(snapshot["edition"]),
        explanation=to_records(result.explanation),
        warnings=[*result.warnings, *(["expedite_open_order"] if is_expedited else [])],
    )


def watched_item(
    planned: PlannedItem, item: "ReplenishmentInput", result: "ReplenishmentResult", demand: ExpectedDemand
) -> Watched:
    """What an expedited unit saves is the policy's cost of a unit short, else the margin at the list price."""
    loss = in_supplier_currency(planned, stockout_cost(planned))
    price = in_supplier_currency(planned, float(planned.item.sku.unit_price)) or 0.0
    return Watched(
        item=item,
        safety_stock=result.safety_stock,
        demand=demand,
        frozen_days=planned.policy.frozen_days,
        dampening_days=planned.policy.dampening_days,
        unit_loss=max(price - float(planned.item.unit_cost), 0.0) if loss is None else loss,
    )
