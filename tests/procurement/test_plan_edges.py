"""Edges of the plan: customers who wait, suppliers paid in other money, dismissed lines, numbers too large to keep."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from procurement.engine.replenishment_types import ReplenishmentInput
from procurement.models import JointOrder, Policy, Proposal
from procurement.services.aims import planned_items
from procurement.services.decisions import dismiss_proposals
from procurement.services.inputs import in_supplier_currency, stockout_cost
from procurement.services.moves import Move, OpenLine, Watched, moves_of
from procurement.services.projection import ExpectedDemand
from procurement.services.proposals import propose_reorders
from tests.cast import NOW, World
from tests.forecasting.looking_ahead import expect, make_run

TODAY = NOW.date()


def moves_without_demand(*, backordered: float) -> list[Move]:
    item = ReplenishmentInput(
        sku_key="MUG",
        mean_daily_demand=0.0,
        lead_time_days=14.0,
        review_days=7.0,
        protection_mean=0.0,
        protection_sd=0.0,
        protection_quantiles={0.5: 0.0, 0.95: 0.0},
        service_level=0.95,
        backordered=backordered,
        unit_cost=4.0,
    )
    watched = Watched(item, 0.0, ExpectedDemand([0.0] * 28), frozen_days=7, dampening_days=3, unit_loss=5.0)
    return list(moves_of(watched, [OpenLine(1, TODAY + timedelta(20), 10.0, 4.0)], today=TODAY))


def test_a_line_customers_wait_for_is_asked_for_sooner_though_nothing_more_is_forecast() -> None:
    (waited_for,) = moves_without_demand(backordered=10.0)
    (needless,) = moves_without_demand(backordered=0.0)

    assert (waited_for.kind, waited_for.to_date) == ("expedite", TODAY)
    assert (needless.kind, needless.to_date) == ("cancel", None)


@pytest.mark.django_db
def test_a_line_dismissed_before_fills_no_order_up(world: World) -> None:
    world.northwind.minimum_order_value, world.northwind.fixed_order_cost = 6000, 20
    world.northwind.save()
    run = make_run()
    for sku in (world.mug, world.lamp):
        expect(run, sku, world.main, 10)
    propose_reorders(run, now=NOW)
    lamp = Proposal.objects.get(sku=world.lamp, warehouse=world.main)
    dismiss_proposals([lamp.pk], actor=world.planner, now=NOW)

    propose_reorders(run, now=NOW)

    assert [line["sku"] for line in JointOrder.objects.get().lines] == ["MUG"]
    mugs = Proposal.objects.get(sku=world.mug, warehouse=world.main, status="open")
    assert mugs.quantity * mugs.unit_cost >= 6000


@pytest.mark.django_db
def test_money_of_ours_is_told_in_the_suppliers_by_what_a_unit_costs_in_both(world: World, settings: Any) -> None:
    settings.COMPANY_CURRENCY = "GBP"
    Policy.objects.create(name="all", stockout_cost_share="0.5")
    world.northwind.currency = "USD"
    world.northwind.save()
    world.mug.unit_cost = Decimal("3.20")  # the supplier takes 4.00 dollars
    world.mug.save()
    world.lamp.unit_cost = Decimal(0)
    world.lamp.save()

    items = planned_items()
    mug, lamp = items[world.mug.pk, world.main.pk], items[world.lamp.pk, world.main.pk]

    assert stockout_cost(mug) == 4.5
    assert in_supplier_currency(mug, 4.5) == pytest.approx(5.625)
    assert in_supplier_currency(lamp, 4.5) is None
    assert in_supplier_currency(items[world.tea.pk, world.main.pk], 4.5) == 4.5


@pytest.mark.django_db
def test_a_number_too_large_to_keep_is_told_and_the_others_are_planned(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 10)
    expect(run, world.lamp, world.main, 1e11)

    counts = propose_reorders(run, now=NOW)

    assert Proposal.objects.filter(sku=world.mug, status="open").exists()
    assert not Proposal.objects.filter(sku=world.lamp).exists()
    assert [told.split(":")[0] for told in counts.unplannable] == ["LAMP"]
