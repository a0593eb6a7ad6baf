"""What a planner says of the demand reaches proposals, promises and alerts; demand already ordered counts once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import localdate, now

from forecasting.services.overrides import set_override
from monitoring.selectors.figures import planned_pairs
from monitoring.selectors.risks import stockout_risks
from procurement.models import Proposal
from procurement.services.aims import planned_items
from procurement.services.promising import held_back
from procurement.services.proposals import propose_reorders
from tests.cast import NOW, World
from tests.forecasting.looking_ahead import entry, expect, make_run
from warehouses.services.sales import Sale, SaleLine, record_sale

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def planned(world: World, run: Any) -> dict[str, float]:
    propose_reorders(run, items=planned_items(), now=NOW)
    proposal = Proposal.objects.get(sku=world.mug, warehouse=world.main, status=Proposal.Status.OPEN)
    return {term["code"]: term["value"] for term in proposal.explanation}


def order(mugs: int) -> None:
    line = SaleLine("MUG", Decimal(mugs), Decimal(9), warehouse_code="MAIN")
    record_sale(Sale(channel_code="WEB", external_id="W-1", ordered_at=NOW, lines=(line,)), now=NOW)


def test_a_doubled_forecast_doubles_what_is_planned_for(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 10, protection_days=21, protection_mean=210, protection_quantiles=[210, 300])
    before = planned(world, run)

    set_override(entry(value="2", last=31), author=world.planner, now=NOW)
    after = planned(world, run)

    assert (before["protection_mean"], after["protection_mean"]) == (210, 420)
    assert after["reorder_point"] == 2 * before["reorder_point"]
    assert after["inventory_position"] == before["inventory_position"]


def test_an_order_of_today_lowers_the_position_and_the_demand_still_expected_alike(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 10, protection_days=21, protection_mean=210, protection_quantiles=[210, 300])
    before = planned(world, run)

    order(6)
    after = planned(world, run)

    assert after["inventory_position"] == before["inventory_position"] - 6
    assert after["protection_mean"] == before["protection_mean"] - 6
    assert after["reorder_point"] == before["reorder_point"] - 6
    # What is missing is what was missing before the order came in: it was expected.
    assert after["order_up_to_level"] - after["inventory_position"] == pytest.approx(
        before["order_up_to_level"] - before["inventory_position"]
    )


def test_an_order_far_above_the_days_forecast_is_new_demand(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 10, protection_days=21, protection_mean=210, protection_quantiles=[210, 300])

    order(60)
    after = planned(world, run)

    assert after["protection_mean"] == 200  # ten were expected today
    assert after["inventory_position"] == 40


def test_alerts_and_kpis_go_by_the_override(world: World) -> None:
    run = make_run()
    expect(run, world.lamp, world.main, 1)
    assert stockout_risks(today=TODAY) == []

    set_override(entry("LAMP", value="2", last=31), author=world.planner, now=NOW)

    (risk,) = stockout_risks(today=TODAY)
    assert (risk.sku_code, risk.days_of_cover) == ("LAMP", 10.0)
    assert planned_pairs(run, today=TODAY) == [(world.lamp.pk, world.main.pk)]
    set_override(entry("LAMP", value="0", last=31, warehouse_code="MAIN"), author=world.planner, now=NOW)
    assert planned_pairs(run, today=TODAY) == []
    assert stockout_risks(today=TODAY) == []


def test_the_safety_stock_held_back_from_channels_follows_the_override(world: World) -> None:
    today = localdate()
    expect(make_run(today - timedelta(days=1)), world.lamp, world.main, 1)
    before = held_back([world.lamp.pk])[world.lamp.pk, world.main.pk]
    line = entry("LAMP", value="2", starts_on=today, ends_on=today + timedelta(days=30))

    set_override(line, author=world.planner, now=now())

    assert held_back([world.lamp.pk])[world.lamp.pk, world.main.pk] == 2 * before
