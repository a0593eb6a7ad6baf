"""The pages of a SKU, a forecast, a proposal, orders and alerts: what they show, to whom, and safely."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.models import Alert
from monitoring.services.alerts import evaluate_alerts
from tests.cast import NOW, World
from tests.kernel.test_export_admin import enter
from tests.monitoring.forecasts import expect, make_run
from tests.procurement.buying import make_proposal, sent_order
from warehouses.models import SalesOrder
from warehouses.services.sales import Sale, SaleLine, record_sale

TERM = {
    "code": "reorder_point", "symbol": "s", "value": 34.0, "unit": "units",
    "formula": "round_up(max(0, forecast_quantile), 1)", "source": "calculated",
}  # fmt: skip


def page(user: Any, address: str) -> str:
    response = enter(user).get(f"/admin/{address}/change/")
    assert response.status_code == 200
    return response.content.decode()


def test_a_sku_s_page_shows_stock_forecast_orders_and_alerts(world: World) -> None:
    expect(make_run(), world.lamp, world.main, per_day=3, method="croston_sba", reason="Demand is rare.")
    order = sent_order(world, mugs=0, lamps=40)
    evaluate_alerts(now=NOW)

    shown = page(world.viewer, f"catalog/sku/{world.lamp.pk}")

    assert "LAMP in Leeds runs out on" in shown
    assert "Croston (SBA)" in shown
    assert "Demand is rare." in shown
    assert 'class="h-fan"' in shown
    assert order.number in shown
    assert "Northwind" in shown


def test_a_clerk_sees_the_stock_of_a_sku_but_no_forecast(world: World) -> None:
    expect(make_run(), world.lamp, world.main, per_day=3, method="croston_sba")

    shown = page(world.clerk, f"catalog/sku/{world.lamp.pk}")

    assert "On hand" in shown
    assert "Croston (SBA)" not in shown


def test_a_chart_has_words_and_numbers_for_whoever_cannot_see_it(world: World) -> None:
    forecast = expect(make_run(), world.lamp, world.main, per_day=3)

    shown = page(world.viewer, f"forecasting/forecast/{forecast.pk}")

    assert "<title>Demand and forecast of LAMP in Leeds</title>" in shown
    assert "126 are expected in the next 42 days." in shown
    assert "Show the numbers" in shown


def test_a_forecast_s_page_ranks_the_candidates(world: World) -> None:
    tried = {"candidates": {"naive": {"pinball": 0.9, "wape": 0.8}, "theta": {"pinball": 0.2, "wape": 0.3}}, "folds": 5}
    forecast = expect(make_run(), world.lamp, world.main, per_day=3, method="theta", scores=tried)

    shown = page(world.viewer, f"forecasting/forecast/{forecast.pk}")

    assert shown.index(">Theta") < shown.index(">Last value")


def test_a_proposal_s_page_explains_itself_term_by_term(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, per_day=3)
    proposal = make_proposal(world, world.mug, 50, run=run, explanation=[TERM], warnings=["minimum_exceeds_need"])

    shown = page(world.viewer, f"procurement/proposal/{proposal.pk}")

    assert "Reorder point" in shown
    assert "round_up(max(0, forecast_quantile), 1)" in shown
    assert "The minimum order quantity is more than is needed." in shown
    assert 'class="h-median"' in shown


def test_a_sales_order_s_page_shows_what_waits(world: World) -> None:
    line = SaleLine(sku_code="LAMP", quantity=Decimal(25), unit_price=Decimal(45))  # 20 are there
    order, _new = record_sale(Sale(channel_code="WEB", external_id="A-1", ordered_at=NOW, lines=(line,)), now=NOW)

    shown = page(world.clerk, f"warehouses/salesorder/{order.pk}")

    assert order.status == SalesOrder.Status.BACKORDERED
    assert '<td class="n h-bad">5</td>' in shown


def test_names_from_outside_are_shown_as_text(world: World) -> None:
    world.lamp.name = "<script>alert(1)</script>"
    world.lamp.save()
    run = make_run()
    forecast = expect(run, world.lamp, world.main, per_day=3, reason="<img src=x>")
    proposal = make_proposal(world, world.lamp, 5, run=run)
    evaluate_alerts(now=NOW)
    alert = Alert.objects.get()

    for address in (
        f"catalog/sku/{world.lamp.pk}",
        f"forecasting/forecast/{forecast.pk}",
        f"procurement/proposal/{proposal.pk}",
        f"monitoring/alert/{alert.pk}",
    ):
        shown = page(world.planner, address)
        assert "<script>alert" not in shown
        assert "<img src=x>" not in shown


@pytest.mark.parametrize("orders", [1, 6])
def test_a_sku_s_page_costs_the_same_with_more_orders(world: World, orders: int) -> None:
    expect(make_run(), world.mug, world.main, per_day=3)
    for n in range(orders):
        sent_order(world, mugs=100 + n * 5)
    client = enter(world.viewer)

    with CaptureQueriesContext(connection) as queries:
        client.get(f"/admin/catalog/sku/{world.mug.pk}/change/")

    # Eight panels and the form: availability alone reads nine tables (channels, routes, listings, stock, backorders,
    # quotas, transfers, purchases, kits), once for all channels; the outlook reads the demand as the forecast does
    # (sales, decisions, days in stock) for all warehouses at once.
    assert len(queries) <= 40


def test_acknowledging_names_who_looks_after_it(world: World) -> None:
    expect(make_run(), world.tea, world.main, per_day=1)
    evaluate_alerts(now=NOW)
    alert = Alert.objects.get()

    assert enter(world.viewer).post(f"/admin/monitoring/alert/{alert.pk}/do/acknowledge/").status_code == 403
    enter(world.clerk).post(f"/admin/monitoring/alert/{alert.pk}/do/acknowledge/")

    alert.refresh_from_db()
    assert alert.acknowledged_by == world.clerk
