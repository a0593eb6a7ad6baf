"""Stock that will not sell in time becomes a proposal with the way out that brings most back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import CalendarEvent, Sku
from config.kernel.errors import Conflict, NotFound
from config.kernel.models import OutboxEvent
from forecasting.models import ForecastRun
from procurement.engine.explanation import from_records, replay
from procurement.models import ClearanceProposal, SupplierItem
from procurement.services.clearance import accept_clearances, dismiss_clearances, propose_clearances
from tests.cast import NOW, make_lot, put_stock
from tests.procurement.planning_world import sell_daily
from tests.procurement.test_planning import TEN_A_DAY, YESTERDAY, plan
from warehouses.models import StockLevel, Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(world: Any) -> ForecastRun:
    """Mugs sell ten a day in MAIN and none in NORTH, where 5,000 lie: years of cover."""
    Sku.objects.update(unit_cost=Decimal(4))
    sell_daily(world.mug, world.web, world.main, quantities=TEN_A_DAY, until=YESTERDAY)
    sell_daily(world.mug, world.market, world.north, quantities=[0] * 59 + [1], until=YESTERDAY)
    plan()
    ClearanceProposal.objects.all().delete()
    put_stock(world.mug, world.north_shelf, 5000)
    StockLevel.objects.filter(sku=world.lamp).delete()
    return ForecastRun.objects.get()


def test_stock_for_years_is_proposed_with_the_best_way_out(world: Any, run: ForecastRun) -> None:
    counts = propose_clearances(run, now=NOW)

    found = ClearanceProposal.objects.get(sku=world.mug, warehouse=world.north)
    assert (counts.new, found.cause) == (1, "overstock")
    assert found.expected_recovery > found.recovery_if_kept
    assert {row["way_out"] for row in found.alternatives} >= {"keep", "transfer", "write_off"}
    assert found.alternatives[0]["way_out"] == found.way_out
    terms = from_records(found.explanation)
    assert replay(terms) == terms


def test_looking_again_changes_nothing(run: ForecastRun) -> None:
    propose_clearances(run, now=NOW)
    before = list(ClearanceProposal.objects.values())

    counts = propose_clearances(run, now=NOW)

    assert (counts.new, counts.withdrawn, counts.refreshed) == (0, 0, 0)
    assert list(ClearanceProposal.objects.values()) == before


def test_stock_that_sells_within_the_longest_cover_is_left_alone(world: Any, run: ForecastRun) -> None:
    propose_clearances(run, now=NOW)

    assert not ClearanceProposal.objects.filter(warehouse=world.main).exists()


def test_a_lot_that_expires_before_it_sells_is_the_more_pressing_cause(world: Any, run: ForecastRun) -> None:
    soon = make_lot(world.mug, "SOON", expires_on=NOW.date() + timedelta(days=10))
    put_stock(world.mug, world.shelf, 400, lot=soon)

    propose_clearances(run, now=NOW)

    found = ClearanceProposal.objects.get(warehouse=world.main)
    assert (found.cause, found.expires_on) == ("expiry", soon.expires_on)
    assert 200 < found.quantity <= 400


def test_goods_a_supplier_takes_back_at_full_credit_go_back(world: Any, run: ForecastRun) -> None:
    Sku.objects.filter(pk=world.mug.pk).update(status=Sku.Status.PHASE_OUT, unit_price=Decimal("4.10"))
    SupplierItem.objects.filter(sku=world.mug).update(return_credit=Decimal(1))

    propose_clearances(run, now=NOW)

    found = ClearanceProposal.objects.get(warehouse=world.north)
    assert (found.cause, found.way_out, found.supplier) == ("end_of_life", "return", world.northwind)


def test_an_accepted_markdown_is_a_promotion_the_forecast_reads(world: Any, run: ForecastRun) -> None:
    row = _proposal(world, run, way_out="markdown", discount=Decimal("0.3"))

    accept_clearances([row.pk], actor=world.planner, now=NOW)

    event = CalendarEvent.objects.get(sku=world.mug)
    assert (event.kind, event.discount, event.starts_on) == (
        "promotion", Decimal("0.3"), NOW.date() + timedelta(days=1),
    )  # fmt: skip
    told = OutboxEvent.objects.get(kind="clearance.accepted")
    assert told.payload["way_out"] == "markdown"


def test_an_accepted_transfer_is_a_draft_transfer(world: Any, run: ForecastRun) -> None:
    row = _proposal(world, run, way_out="transfer", target=world.main)

    accept_clearances([row.pk], actor=world.planner, now=NOW)

    transfer = Transfer.objects.get(key=f"clearance:{row.pk}")
    assert (transfer.status, transfer.lines.get().quantity) == ("draft", Decimal(25))


def test_what_was_decided_cannot_be_decided_again(world: Any, run: ForecastRun) -> None:
    row = _proposal(world, run, way_out="write_off")
    accept_clearances([row.pk], actor=world.planner, now=NOW)

    with pytest.raises(Conflict):
        dismiss_clearances([row.pk], actor=world.planner, now=NOW)

    with pytest.raises(NotFound):
        accept_clearances([row.pk + 1], actor=world.planner, now=NOW)


def test_a_dismissed_proposal_keeps_quiet_for_four_weeks(world: Any, run: ForecastRun) -> None:
    propose_clearances(run, now=NOW)
    ids = list(ClearanceProposal.objects.values_list("pk", flat=True))
    dismiss_clearances(ids, actor=world.planner, now=NOW, note="the fair takes them")

    assert propose_clearances(run, now=NOW + timedelta(days=27)).new == 0
    assert propose_clearances(run, now=NOW + timedelta(days=29)).new == 1


def _proposal(world: Any, run: ForecastRun, **more: Any) -> ClearanceProposal:
    fields = {
        "cause": "overstock",
        "quantity": 25,
        "value_at_risk": 100,
        "expected_recovery": 80,
        "recovery_if_kept": 60,
    }
    return ClearanceProposal.objects.create(run=run, sku=world.mug, warehouse=world.north, **fields, **more)
