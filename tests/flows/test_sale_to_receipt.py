"""The whole story once: a sale becomes demand, a forecast, a proposal, a purchase order, an answer, a receipt, stock.

Through the real API, a real Celery worker and the real portal; the thirteen headings are those of the README.
"""

import csv
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Sku
from config.kernel.models import Job
from forecasting.models import DemandHistory, Forecast
from forecasting.selectors import daily_demand
from monitoring.models import Alert
from procurement.models import Proposal, PurchaseOrder
from tests.cast import PASSWORD
from tests.procurement.planning_world import keep_apart
from tests.worker import needs_worker
from warehouses.models import SalesOrder, StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels

pytestmark = [pytest.mark.django_db(transaction=True), needs_worker]


def ninety_days_of_mugs(path: Path, today: datetime) -> Path:
    """A shop's export: 6 mugs a day in one order, for ninety days up to yesterday."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
        )
        for back in range(90, 0, -1):
            when = (today - timedelta(days=back)).replace(hour=11, minute=0, second=0)
            rows.writerow([f"H{back}", "MUG", "Mug", 6, f"{when:%Y-%m-%d %H:%M:%S}", "9.00", "C1", "United Kingdom"])
    return path


def wait_for(job_id: str) -> Job:
    """The job once it has ended; the worker is given a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = Job.objects.get(pk=job_id)
        if job.state not in Job.OPEN:
            return job
        time.sleep(0.2)
    raise AssertionError("the worker did not end the job within a minute")


def test_a_sale_travels_to_a_receipt(transactional_db: None, world: Any, api: Any, tmp_path: Path) -> None:
    from django.core.management import call_command

    now = timezone.now()
    keep_apart(world.mug, world.north)  # this story is of buying: the 40 mugs of NORTH stay where they are
    call_command("import_sales", str(ninety_days_of_mugs(tmp_path / "shop.csv", now)), channel="WEB", warehouse="MAIN")
    shop, planner, clerk = api(world.integration), api(world.planner), api(world.clerk)

    # 1. a channel's order arrives
    order = {
        "channel": "WEB",
        "external_id": "W-1001",
        "ordered_at": datetime.now(UTC).isoformat(),
        "lines": [{"sku": "MUG", "quantity": "95", "unit_price": "9.00"}],
    }
    arrived = shop.post("/api/v1/orders/", order, headers={"Idempotency-Key": "W-1001"})
    assert arrived.status_code == 201, arrived.content

    # 2. it is recorded once, stock is reserved
    again = shop.post("/api/v1/orders/", order, headers={"Idempotency-Key": "W-1001"})
    assert again.content == arrived.content
    assert SalesOrder.objects.filter(external_id="W-1001").count() == 1
    level = StockLevel.objects.get(sku=world.mug, location=world.shelf)
    assert (level.on_hand, level.reserved) == (100, 95)

    # 3. stock moves
    shipped = shop.post(f"/api/v1/orders/{arrived.json()['id']}/ship/", {}, headers={"Idempotency-Key": "ship-1"})
    assert shipped.status_code == 201, shipped.content
    level.refresh_from_db()
    assert (level.on_hand, level.reserved) == (5, 0)
    assert StockMovement.objects.get(kind="sale").quantity == -95

    # 4. demand is read as a series (step 5's plan reads it; gaps are zeros)
    # 5. the nightly run starts: the same plan, asked for over the API, done by the worker
    started = planner.post("/api/v1/planning-runs/", {}, headers={"Idempotency-Key": "plan-1"})
    assert started.status_code == 202, started.content
    job = wait_for(started.json()["job"])
    assert (job.state, job.error) == (Job.State.DONE, "")
    yesterday = now.date() - timedelta(days=1)
    series = daily_demand(world.mug.pk, warehouse_id=world.main.pk, start=yesterday - timedelta(days=6), end=yesterday)
    assert [quantity for _day, quantity in series] == [Decimal(6)] * 7
    assert DemandHistory.objects.filter(sku=world.mug, day__lte=yesterday).count() == 90

    # 6. load, forecast, save with method, reason and error
    forecast = Forecast.objects.get(sku=world.mug, warehouse=world.main)
    assert forecast.method
    assert forecast.reason
    assert forecast.protection_days == 21
    assert forecast.protection_mean == pytest.approx(126, rel=0.05)

    # 7. candidates are compared on held-out weeks
    assert {"naive", "seasonal_naive"} & set(forecast.scores["candidates"]) or forecast.fallback

    # 8. position against policy for each SKU and warehouse
    proposal = Proposal.objects.get(sku=world.mug, warehouse=world.main)
    assert proposal.inventory_position == 5

    # 9. safety stock, reorder point, order quantity
    terms = {term["code"]: term["value"] for term in proposal.explanation}
    assert terms["on_hand"] == 5.0
    assert terms["order_quantity"] == float(proposal.quantity)
    assert proposal.quantity % 5 == 0
    assert proposal.quantity >= 10

    # 10. a planner accepts; one supplier's proposals become one PO; it is approved and sent
    accepted = planner.post(
        "/api/v1/proposals/accept/",
        {"proposals": [{"proposal": proposal.pk}]},
        headers={"Idempotency-Key": "accept-1"},
    )
    assert accepted.status_code == 200, accepted.content
    [draft] = accepted.json()
    number = draft["number"]
    assert [draft["status"], draft["supplier"], len(draft["lines"])] == ["draft", "NORTHWIND", 1]
    replan = planner.post("/api/v1/planning-runs/", {}, headers={"Idempotency-Key": "plan-2"})
    assert wait_for(replan.json()["job"]).result["proposals_new"] == 0
    assert planner.post(f"/api/v1/purchase-orders/{number}/approve/", {}).status_code == 200
    assert planner.post(f"/api/v1/purchase-orders/{number}/send/", {}).json()["status"] == "sent"

    # 11. the supplier confirms, or counters: half the quantity, in the portal; the planner accepts the change
    line = PurchaseOrder.objects.get(number=number).lines.get()
    half = Decimal(int(line.quantity / 2))
    portal = Client()
    signed_in = portal.post("/portal/login/", {"username": "nora", "password": PASSWORD})
    assert (signed_in.status_code, signed_in.headers["Location"]) == (302, "/")
    answer_in_portal(portal, number, line.pk, quantity=half, promised_on=line.need_by)
    [response] = planner.get("/api/v1/line-responses/?decision=pending").json()["results"]
    decided = planner.post(f"/api/v1/line-responses/{response['id']}/decide/", {"accept": True})
    assert decided.status_code == 200, decided.content
    line.refresh_from_db()
    assert (line.quantity, line.promised_on) == (half, line.need_by)
    assert PurchaseOrder.objects.get(number=number).status == "confirmed"
    stranger = Client()
    stranger.force_login(world.outsider_user, backend="config.kernel.policy.RoleBackend")
    assert stranger.get(f"/portal/orders/{number}/").status_code == 404

    # 12. goods arrive, wholly or in part: 5 first, then the rest; one more than the tolerance is refused
    part = {"order": number, "lines": [{"line_id": line.pk, "quantity": "5"}], "delivery_note": "DN-1"}
    assert clerk.post("/api/v1/receipts/", part, headers={"Idempotency-Key": "r1"}).status_code == 201
    assert PurchaseOrder.objects.get(number=number).status == "partially_received"
    too_much = {"order": number, "lines": [{"line_id": line.pk, "quantity": str(half)}]}
    refused = clerk.post("/api/v1/receipts/", too_much, headers={"Idempotency-Key": "r2"})
    assert refused.status_code in (409, 422)
    assert "MUG" in refused.json()["detail"]
    rest = {"order": number, "lines": [{"line_id": line.pk, "quantity": str(half - 5)}]}
    assert clerk.post("/api/v1/receipts/", rest, headers={"Idempotency-Key": "r3"}).status_code == 201
    assert PurchaseOrder.objects.get(number=number).status == "received"
    received = StockLevel.objects.get(sku=world.mug, location=world.receiving)
    assert received.on_hand == half

    # 13. alerts, KPIs, live screens
    from monitoring.services.alerts import evaluate_alerts

    evaluate_alerts(now=timezone.now())
    assert not Alert.objects.filter(kind=Alert.Kind.LEDGER_DRIFT).exists()
    assert drifting_levels() == []
    assert Sku.objects.get(code="MUG").levels.count() == 3
    assert planner.get("/api/v1/kpis/").status_code == 200


def answer_in_portal(portal: Client, number: str, line_id: int, *, quantity: Decimal, promised_on: Any) -> None:
    """Fill in the portal's own form as a person would: propose another quantity for this line."""
    page = portal.get(f"/portal/orders/{number}/")
    assert page.status_code == 200
    fields = {
        f"line-{line_id}-kind": "change",
        f"line-{line_id}-quantity": f"{quantity:f}",
        f"line-{line_id}-promised_on": promised_on.isoformat(),
        f"line-{line_id}-note": "we have only half",
    }
    sent = portal.post(f"/portal/orders/{number}/respond/", fields)
    assert sent.status_code == 302, sent.content
