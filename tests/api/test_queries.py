"""A page costs the same number of queries whether it holds three rows or twelve."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import CalendarEvent, Category, Listing
from config.kernel.models import Job
from forecasting.models import AggregateForecast, ChannelForecast, DemandHistory, Forecast, ForecastOverride
from monitoring.models import Alert, KpiSnapshot
from procurement.models import (
    ActionMessage,
    BuyingBudget,
    ClearanceProposal,
    Experiment,
    JointOrder,
    LineResponse,
    Policy,
    PolicyChange,
    PolicyReplay,
    PriceBreak,
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    Scenario,
    ServiceCorrection,
    TransferProposal,
)
from tests.cast import (
    NOW,
    make_channel,
    make_item,
    make_location,
    make_lot,
    make_sku,
    make_supplier,
    make_warehouse,
    put_stock,
)
from tests.procurement.buying import NEED_BY, make_proposal, make_run
from warehouses.models import (
    Cart,
    CartLine,
    ChannelEvent,
    ChannelQuota,
    CountLine,
    CountSheet,
    LandedCost,
    SalesImport,
    SalesOrder,
    SalesOrderLine,
    SalesReturn,
    SalesReturnLine,
    Shipment,
    StockDrift,
    Task,
    Transfer,
    TransferLine,
)


def sku_with_item(world: Any, n: int) -> Any:
    sku = make_sku(f"Q{n}")
    item = make_item(world.northwind, sku)
    PriceBreak.objects.create(item=item, minimum_quantity=10, unit_cost=1)
    return sku


def sales_order(world: Any, n: int) -> SalesOrder:
    order = SalesOrder.objects.create(
        channel=make_channel(f"C{n}"), external_id=f"Q-{n}", status="shipped", currency="GBP", ordered_at=NOW
    )
    for k in (1, 2):
        SalesOrderLine.objects.create(
            order=order,
            line_number=k,
            sku=make_sku(f"Q{n}-{k}"),
            warehouse=make_warehouse(f"QW{n}-{k}"),
            quantity=1,
            unit_price=1,
        )
    return order


def action_message(world: Any, n: int) -> None:
    ActionMessage.objects.create(
        run=make_run(), line=purchase_order(world, n), kind="expedite", from_date=NEED_BY, to_date=NEED_BY, quantity=5
    )


def sales_return(world: Any, n: int) -> None:
    row = SalesReturn.objects.create(channel=make_channel(f"C{n}"), external_id=f"R-{n}", returned_at=NOW)
    SalesReturnLine.objects.create(
        sales_return=row, line_number=1, sku=make_sku(f"Q{n}"), kind="return", quantity=1, unit_price=1
    )


def purchase_order(world: Any, n: int) -> PurchaseOrderLine:
    order = PurchaseOrder.objects.create(
        number=f"PO-Q{n}",
        supplier=make_supplier(f"QS{n}"),
        warehouse=make_warehouse(f"QW{n}"),
        currency="GBP",
        status="sent",
        sent_at=NOW,
    )
    for k in (1, 2):
        line = PurchaseOrderLine.objects.create(
            order=order,
            line_number=k,
            sku=make_sku(f"Q{n}-{k}"),
            quantity=5,
            original_quantity=5,
            unit_cost=1,
            need_by=NEED_BY,
        )
        LineResponse.objects.create(
            line=line, kind="accept", decision="none_needed", responded_by=world.northwind_user, responded_at=NOW
        )
    return line


def receipt(world: Any, n: int) -> None:
    line = purchase_order(world, n)
    row = Receipt.objects.create(number=f"GR-Q{n}", order=line.order, received_at=NOW)
    ReceiptLine.objects.create(receipt=row, order_line=line, quantity=1)


def forecast(world: Any, n: int) -> None:
    Forecast.objects.create(
        run=make_run(),
        sku=make_sku(f"Q{n}"),
        warehouse=make_warehouse(f"QW{n}"),
        method="naive",
        reason="r",
        mean=[1.0],
        quantiles=[[1.0], [2.0]],
        protection_days=7,
        protection_mean=7,
        protection_sd=1,
        protection_quantiles=[7.0, 9.0],
    )


def override(world: Any, n: int) -> None:
    ForecastOverride.objects.create(
        sku=make_sku(f"Q{n}"),
        warehouse=make_warehouse(f"QW{n}"),
        channel=make_channel(f"C{n}"),
        value=2,
        starts_on=NEED_BY,
        ends_on=NEED_BY,
        expires_on=NEED_BY,
        reason="r",
        author=world.planner,
        withdrawn_by=world.viewer,
        withdrawn_at=NOW,
    )


def demand(world: Any, n: int) -> None:
    DemandHistory.objects.create(
        sku=make_sku(f"Q{n}"),
        channel=make_channel(f"C{n}"),
        warehouse=make_warehouse(f"QW{n}"),
        day=NEED_BY,
        quantity=1,
        ordered=1,
    )


def shipment(world: Any, n: int) -> None:
    Shipment.objects.create(number=f"SH-Q{n}", key=f"q{n}", order=sales_order(world, n), shipped_at=NOW)


def sales_import(world: Any, n: int) -> None:
    SalesImport.objects.create(
        file_name="f",
        file_sha256=f"{n:064}",
        channel=make_channel(f"C{n}"),
        warehouse=make_warehouse(f"QW{n}"),
        started_at=NOW,
        finished_at=NOW,
    )


def alert(world: Any, n: int) -> None:
    Alert.objects.create(
        kind="failed_job",
        severity="warning",
        subject=f"q{n}",
        message="m",
        opened_at=NOW,
        last_seen_at=NOW,
        acknowledged_by=world.planner,
        acknowledged_at=NOW,
    )


def lot_with_stock(world: Any, n: int) -> None:
    sku = make_sku(f"Q{n}")
    put_stock(sku, make_location(make_warehouse(f"QW{n}"), "A"), 1, lot=make_lot(sku, f"L{n}"))


def count_sheet(world: Any, n: int) -> None:
    sheet = CountSheet.objects.create(
        number=f"CT-Q{n}", key=f"q{n}", warehouse=make_warehouse(f"QW{n}"), created_at=NOW, actor=world.clerk
    )
    place = make_location(sheet.warehouse, "A")
    CountLine.objects.create(sheet=sheet, line_number=1, sku=make_sku(f"Q{n}"), location=place)


def transfer(world: Any, n: int) -> None:
    places = make_warehouse(f"QW{n}"), make_warehouse(f"QX{n}")
    row = Transfer.objects.create(
        number=f"TR-Q{n}", key=f"q{n}", source=places[0], destination=places[1], created_at=NOW, actor=world.clerk
    )
    TransferLine.objects.create(transfer=row, line_number=1, sku=make_sku(f"Q{n}"), quantity=1)


def task(world: Any, n: int) -> None:
    place = make_location(make_warehouse(f"QW{n}"), "A")
    Task.objects.create(
        number=f"TK-Q{n}",
        kind="count",
        warehouse=place.warehouse,
        sku=make_sku(f"Q{n}"),
        from_location=place,
        created_at=NOW,
    )


def cart(world: Any, n: int) -> None:
    row = Cart.objects.create(
        channel=make_channel(f"C{n}"), external_id=f"q{n}", state="released", expires_at=NOW + timedelta(minutes=5)
    )
    CartLine.objects.create(cart=row, line_number=1, sku=make_sku(f"Q{n}"), quantity=1)


def clearance(world: Any, n: int) -> ClearanceProposal:
    money = {"value_at_risk": 100, "expected_recovery": 80, "recovery_if_kept": 60}
    place = {"sku": make_sku(f"QC{n}"), "warehouse": make_warehouse(f"QC{n}"), "target": world.main}
    return ClearanceProposal.objects.create(
        run=make_run(), cause="overstock", way_out="transfer", quantity=5, supplier=world.northwind, **money, **place
    )


def joint_order(world: Any, n: int) -> JointOrder:
    days = {"starts_on": NOW.date(), "ends_on": NOW.date()}
    return JointOrder.objects.create(
        run=make_run(),
        supplier=make_supplier(f"QJ{n}"),
        warehouse=make_warehouse(f"QJ{n}"),
        budget=BuyingBudget.objects.create(name=f"q{n}", amount=1, **days),
        status="optimal",
        currency="GBP",
        line_count=1,
        seconds=0.1,
    )


ROWS: dict[str, Callable[[Any, int], Any]] = {
    "categories": lambda world, n: Category.objects.create(
        code=f"Q{n}", name="q", parent=Category.objects.create(code=f"QP{n}", name="p")
    ),
    "products": lambda world, n: make_sku(f"Q{n}"),
    "skus": lambda world, n: make_sku(f"Q{n}"),
    "channels": lambda world, n: make_channel(f"C{n}"),
    "listings": lambda world, n: Listing.objects.create(
        channel=make_channel(f"C{n}"), sku=make_sku(f"Q{n}"), unit_price=1
    ),
    "calendar-events": lambda world, n: CalendarEvent.objects.create(
        kind="holiday",
        name="q",
        starts_on=NEED_BY,
        ends_on=NEED_BY,
        sku=make_sku(f"Q{n}"),
        channel=make_channel(f"C{n}"),
    ),
    "warehouses": lambda world, n: make_warehouse(f"QW{n}"),
    "locations": lambda world, n: make_location(make_warehouse(f"QW{n}"), "A"),
    "lots": lambda world, n: make_lot(make_sku(f"Q{n}"), "L"),
    "stock-levels": lot_with_stock,
    "stock-movements": lot_with_stock,
    "count-sheets": count_sheet,
    "transfers": transfer,
    "tasks": task,
    "carts": cart,
    "quotas": lambda world, n: ChannelQuota.objects.create(
        channel=make_channel(f"C{n}"), sku=make_sku(f"Q{n}"), quantity=1
    ),
    "channel-events": lambda world, n: ChannelEvent.objects.create(
        channel=make_channel(f"C{n}"), event_id=f"q{n}", order_external_id="q", kind="order", occurred_at=NOW
    ),
    "stock-drifts": lambda world, n: StockDrift.objects.create(
        kind="level", subject=f"q{n}", found_at=NOW, last_seen_at=NOW
    ),
    "landed-costs": lambda world, n: LandedCost.objects.create(
        number=f"LC-Q{n}", key=f"q{n}", kind="freight", amount=1, happened_at=NOW, actor=world.planner
    ),
    "orders": sales_order,
    "order-lines": sales_order,
    "shipments": shipment,
    "returns": sales_return,
    "sales-imports": sales_import,
    "demand": demand,
    "forecast-runs": lambda world, n: make_run(),
    "forecasts": forecast,
    "channel-forecasts": lambda world, n: ChannelForecast.objects.create(
        run=make_run(),
        sku=make_sku(f"Q{n}"),
        warehouse=make_warehouse(f"QW{n}"),
        channel=make_channel(f"C{n}"),
        share=1,
        mean=[],
        quantiles=[],
        protection_mean=7,
        protection_quantiles=[7.0, 9.0],
    ),
    "forecast-levels": lambda world, n: AggregateForecast.objects.create(
        run=make_run(),
        level="category_warehouse",
        category=Category.objects.create(code=f"Q{n}", name="q"),
        warehouse=make_warehouse(f"QW{n}"),
        mean=[1.0],
        quantiles=[[1.0], [2.0]],
        horizon_mean=1,
        horizon_quantiles=[1.0, 2.0],
    ),
    "forecast-overrides": override,
    "suppliers": lambda world, n: make_supplier(f"QS{n}"),
    "supplier-items": sku_with_item,
    "policies": lambda world, n: Policy.objects.create(
        name="q", sku=make_sku(f"Q{n}"), warehouse=make_warehouse(f"QW{n}"), service_level=Decimal("0.9")
    ),
    "proposals": lambda world, n: make_proposal(world, sku_with_item(world, n), 5, warehouse=make_warehouse(f"QW{n}")),
    "action-messages": action_message,
    "transfer-proposals": lambda world, n: TransferProposal.objects.create(
        run=make_run(), sku=make_sku(f"QT{n}"), source=make_warehouse(f"QT{n}"), target=world.main, quantity=5
    ),
    "clearance-proposals": clearance,
    "joint-orders": joint_order,
    "policy-replays": lambda world, n: PolicyReplay.objects.create(name=f"q{n}", job=Job.objects.create(kind="x")),
    "scenarios": lambda world, n: Scenario.objects.create(
        name=f"q{n}", run=make_run(), supplier=make_supplier(f"QS{n}"), warehouse=make_warehouse(f"QW{n}")
    ),
    "experiments": lambda world, n: Experiment.objects.create(
        name=f"q{n}", warehouse=make_warehouse(f"QW{n}"), category=Category.objects.create(code=f"Q{n}", name="q")
    ),
    "policy-changes": lambda world, n: PolicyChange.objects.create(policy_name=f"q{n}", changed_at=NOW),
    "service-corrections": lambda world, n: ServiceCorrection.objects.create(
        warehouse=make_warehouse(f"QW{n}"),
        segment="A lumpy",
        asked=0.95,
        realised=0.9,
        item_count=12,
        days=56,
        learned_at=NOW,
    ),
    "purchase-orders": purchase_order,
    "line-responses": purchase_order,
    "receipts": receipt,
    "alerts": alert,
    "kpis": lambda world, n: KpiSnapshot.objects.create(taken_at=NOW + timedelta(hours=n)),
    "jobs": lambda world, n: Job.objects.create(kind="plan", actor=world.planner),
}


@pytest.mark.parametrize("resource", ROWS)
def test_a_page_costs_the_same_whatever_it_holds(world: Any, api: Any, resource: str) -> None:
    client, path = api(world.viewer), f"/api/v1/{resource}/?page_size=200"

    def count() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(path)
        assert answer.status_code == 200, answer.content
        return len(answer.json()["results"]), len(seen)

    for n in range(3):
        ROWS[resource](world, n)
    few = count()
    for n in range(3, 12):
        ROWS[resource](world, n)
    many = count()

    assert many[0] >= few[0] + 9
    assert many[1] == few[1]
    assert many[1] <= 8


def test_every_list_is_counted(world: Any) -> None:
    from tests.permissions.test_every_route import TABLE

    # These answer a question: a scan, a feed, a moment's worth, a shipment's cost, where to put what has arrived.
    answers = {"scan", "events", "stock-value", "cost-of-goods", "available-to-promise", "putaway"}
    answers |= {"forecast-accuracy", "forecast-value-added", "signals", "recommendable"}
    assert {*ROWS, *answers} == {resource for resource, rules in TABLE.items() if "read" in rules}
