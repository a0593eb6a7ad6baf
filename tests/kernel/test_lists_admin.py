"""Every list of the admin opens for a viewer, and costs the same number of queries however many rows it shows."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.kernel.models import Job
from tests.cast import NOW, World, make_sku, make_user, put_stock
from tests.kernel.test_export_admin import enter
from tests.monitoring.forecasts import expect, make_run
from tests.procurement.buying import draft_order, make_proposal, sent_order

ROWS = 5  # each list is measured with one row more and with five more


def count(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def fill(world: World, run: Any, n: int) -> None:
    """Another SKU with stock, a forecast, a proposal, a late line and a job."""
    sku = make_sku(f"SKU-{n}")
    put_stock(sku, world.shelf, 10)
    world.northwind.items.create(sku=sku, unit_cost="3.00")
    expect(run, sku, world.main, per_day=5)
    make_proposal(world, sku, 7, run=run)
    Job.objects.create(kind="import", actor=world.planner)


@pytest.mark.parametrize(
    "path",
    [
        "catalog/sku/",
        "warehouses/stocklevel/",
        "warehouses/stockmovement/",
        "forecasting/forecast/",
        "procurement/proposal/",
        "procurement/supplieritem/",
        "procurement/purchaseorder/",
        "kernel/job/",
    ],
)
def test_a_list_costs_the_same_with_more_rows(world: World, path: str) -> None:
    run, client = make_run(), enter(world.planner)
    draft_order(world)
    fill(world, run, 0)
    few = count(client, f"/admin/{path}")
    for n in range(1, ROWS):
        fill(world, run, n)
        sent_order(world, mugs=100 + 5 * n)

    assert count(client, f"/admin/{path}") == few


def test_every_list_and_its_export_open_for_whoever_may_see_them(world: World) -> None:
    boss = make_user("boss", is_superuser=True)
    boss.is_staff = True
    boss.save()
    client = enter(boss)

    for model, model_admin in admin.site._registry.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert client.get(address).status_code == 200, address
        assert client.get(address + "?q=x").status_code == 200, address
        if hasattr(model_admin, "export"):
            assert b"".join(client.get(address + "export/").streaming_content), address


def test_the_dashboard_opens_for_every_role_within_25_queries(world: World) -> None:
    run = make_run()
    for n in range(3):
        fill(world, run, n)

    for user in (world.planner, world.viewer, world.clerk):
        client = enter(user)
        count(client, "/admin/")  # the sums of a run are kept from here on
        assert count(client, "/admin/") <= 25


def test_a_job_tells_its_progress_to_its_page(world: World) -> None:
    job = Job.objects.create(
        kind="plan", state=Job.State.RUNNING, step="Forecasting", done=3, total=4, started_at=NOW, heartbeat_at=NOW
    )

    page = enter(world.viewer).get(f"/admin/kernel/job/{job.pk}/status/").content.decode()

    assert "data-job-open" in page
    assert "Forecasting · 3 / 4" in page


def test_only_who_may_cancel_a_job_can(world: World) -> None:
    job = Job.objects.create(kind="plan", state=Job.State.QUEUED)
    address = f"/admin/kernel/job/{job.pk}/do/cancel/"

    assert enter(world.viewer).post(address).status_code == 403
    job.refresh_from_db()
    assert job.state == "queued"

    assert enter(world.planner).get(address).status_code == 405
    assert enter(world.planner).post(address).status_code == 302
    job.refresh_from_db()
    assert job.state == "cancelled"
