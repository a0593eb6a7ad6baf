"""What the tests of buying start from: a proposal of the plan, an order in a given state."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from config.kernel.models import Job
from forecasting.models import ForecastRun
from procurement.models import Proposal, PurchaseOrder
from procurement.services.confirmations import LineAnswer, respond_to_order
from procurement.services.orders import add_to_draft, approve_order, send_order
from tests.cast import NOW, World

TODAY = NOW.date()
NEED_BY = TODAY + timedelta(days=14)


def make_proposal(world: World, sku: Any, quantity: int, *, warehouse: Any = None, **more: Any) -> Proposal:
    """An open proposal to buy `quantity` of the SKU from its preferred supplier, for MAIN unless told."""
    item = sku.supplier_items.get(is_preferred=True)
    numbers = {
        name: Decimal(0) for name in ("safety_stock", "reorder_point", "order_up_to_level", "inventory_position")
    }
    fields = {
        "run": make_run(),
        "supplier": item.supplier,
        "unit_cost": item.unit_cost,
        "currency": item.supplier.currency,
        "need_by": NEED_BY,
        **numbers,
        **more,
    }
    return Proposal.objects.create(sku=sku, warehouse=warehouse or world.main, quantity=Decimal(quantity), **fields)


def make_run() -> ForecastRun:
    job = Job.objects.create(kind="plan")
    return ForecastRun.objects.create(
        job=job, as_of=date(2026, 3, 1), horizon_days=28, quantile_levels=[0.5, 0.95], input_fingerprint="f"
    )


def draft_order(world: World, *, mugs: int = 100, lamps: int = 0, supplier: Any = None) -> PurchaseOrder:
    """A draft for MAIN: line 1 mugs, line 2 lamps where asked, from Northwind; from the outsider: that many teas."""
    supplier = supplier or world.northwind
    wanted = [(world.tea, mugs)] if supplier == world.outsider else [(world.mug, mugs), (world.lamp, lamps)]
    for sku, quantity in wanted:
        if quantity:
            line = add_to_draft(
                supplier.pk,
                warehouse_id=world.main.pk,
                sku_id=sku.pk,
                quantity=Decimal(quantity),
                need_by=NEED_BY,
                actor=world.planner,
                now=NOW,
            )
    return line.order


def approved_order(world: World, **more: Any) -> PurchaseOrder:
    return approve_order(draft_order(world, **more).pk, actor=world.planner, now=NOW)


def sent_order(world: World, **more: Any) -> PurchaseOrder:
    return send_order(approved_order(world, **more).pk, actor=world.planner, now=NOW)


def confirmed_order(world: World, **more: Any) -> PurchaseOrder:
    order = sent_order(world, **more)
    answers = [LineAnswer(line.pk, "accept") for line in order.lines.all()]
    return respond_to_order(order.pk, answers, actor=world.northwind_user, now=NOW)


def event_kinds(order: PurchaseOrder) -> list[str]:
    return list(order.events.values_list("kind", flat=True))
