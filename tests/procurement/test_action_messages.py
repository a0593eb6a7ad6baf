"""Orders on their way: asked to come sooner, later or not at all, once while it is true, instead of a second order."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict
from config.kernel.models import OutboxEvent
from procurement.models import ActionMessage, Proposal, PurchaseOrderLine
from procurement.services.message_decisions import accept_messages, dismiss_messages
from procurement.services.projection import ExpectedDemand, runs_out_on
from procurement.services.proposals import propose_reorders
from tests.cast import NOW, World, put_stock
from tests.forecasting.looking_ahead import expect, make_run
from tests.procurement.buying import confirmed_order, event_kinds, sent_order

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


@pytest.fixture
def run(world: World) -> Any:
    """Ten mugs a day at MAIN, where 100 are on hand."""
    run = make_run()
    expect(run, world.mug, world.main, 10, protection_days=21, protection_mean=210, protection_quantiles=[210, 240])
    return run


def order_due(world: World, day: date, *, mugs: int = 400) -> PurchaseOrderLine:
    line = confirmed_order(world, mugs=mugs).lines.get()
    PurchaseOrderLine.objects.filter(pk=line.pk).update(promised_on=day)
    line.refresh_from_db()
    return line


def message_of(line: PurchaseOrderLine) -> ActionMessage:
    return ActionMessage.objects.get(line=line, status="open")


def test_stock_lasts_as_long_as_demand_lets_it() -> None:
    demand = ExpectedDemand([10.0] * 5, tail=2.0)

    assert [demand.days_covered(units) for units in (0.0, 25.0, 30.0, 56.0)] == [0, 2, 3, 8]
    assert ExpectedDemand([1.0]).days_covered(5) is None
    assert runs_out_on(100, [(TODAY + timedelta(9), 50.0)], ExpectedDemand([10.0] * 60), today=TODAY) == (
        TODAY + timedelta(15)
    )


def test_a_late_order_is_asked_for_sooner_and_no_second_one_is_proposed(world: World, run: Any) -> None:
    line = order_due(world, TODAY + timedelta(30))

    propose_reorders(run, now=NOW)

    message = message_of(line)
    assert (message.kind, message.from_date) == ("expedite", TODAY + timedelta(30))
    assert TODAY + timedelta(7) <= message.to_date <= TODAY + timedelta(10)  # type: ignore[operator]
    assert not Proposal.objects.filter(sku=world.mug, warehouse=world.main).exists()


def test_an_order_far_too_early_is_put_off_by_what_is_on_hand(world: World, run: Any) -> None:
    put_stock(world.mug, world.shelf, 400)
    line = order_due(world, TODAY + timedelta(10))

    propose_reorders(run, now=NOW)

    message = message_of(line)
    terms = {term["code"]: term["value"] for term in message.explanation}
    assert message.kind == "defer"
    assert terms["stock_before"] == 500
    assert terms["days_moved"] == (message.to_date - message.from_date).days  # type: ignore[operator]


def test_an_order_that_nobody_will_need_is_to_be_cancelled(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 0, protection_days=21, protection_mean=0, protection_quantiles=[0, 0])
    line = order_due(world, TODAY + timedelta(20))

    propose_reorders(run, now=NOW)

    assert (message_of(line).kind, message_of(line).to_date) == ("cancel", None)
    assert message_of(line).value == Decimal(400) * line.unit_cost


@pytest.mark.parametrize("days", [0, 5, 7])
def test_what_comes_within_the_frozen_horizon_is_left_alone(world: World, run: Any, days: int) -> None:
    put_stock(world.mug, world.shelf, 4000)
    order_due(world, TODAY + timedelta(days))

    propose_reorders(run, now=NOW)

    assert not ActionMessage.objects.exists()


def test_planning_twice_says_nothing_twice(world: World, run: Any) -> None:
    line = order_due(world, TODAY + timedelta(30))
    propose_reorders(run, now=NOW)
    first = message_of(line)

    counts = propose_reorders(run, now=NOW)

    assert (counts.messages.changed, message_of(line).pk) == (0, first.pk)


def test_a_message_whose_truth_has_ended_is_superseded(world: World, run: Any) -> None:
    line = order_due(world, TODAY + timedelta(30))
    propose_reorders(run, now=NOW)
    put_stock(world.mug, world.shelf, 200)

    propose_reorders(run, now=NOW)

    assert list(line.action_messages.values_list("status", flat=True)) == ["superseded"]


def test_a_dismissed_message_keeps_quiet_until_the_date_changes(world: World, run: Any) -> None:
    line = order_due(world, TODAY + timedelta(30))
    propose_reorders(run, now=NOW)
    dismiss_messages([message_of(line).pk], actor=world.planner, now=NOW, note="let it be")

    propose_reorders(run, now=NOW)
    quiet = ActionMessage.objects.filter(status="open").count()
    PurchaseOrderLine.objects.filter(pk=line.pk).update(promised_on=TODAY + timedelta(40))
    propose_reorders(run, now=NOW)

    assert quiet == 0
    assert message_of(line).from_date == TODAY + timedelta(40)


def test_an_accepted_message_asks_the_supplier_and_keeps_the_promise(
    world: World, run: Any, mailoutbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    line = order_due(world, TODAY + timedelta(30))
    propose_reorders(run, now=NOW)
    message = message_of(line)

    with django_capture_on_commit_callbacks(execute=True):
        accept_messages([message.pk], actor=world.planner, now=NOW)

    line.refresh_from_db()
    assert (line.need_by, line.promised_on) == (message.to_date, TODAY + timedelta(30))
    assert "move_asked" in event_kinds(line.order)
    assert OutboxEvent.objects.filter(kind="purchase_order.move_asked").count() == 1
    assert mailoutbox[-1].to == ["orders@northwind.example"]
    propose_reorders(run, now=NOW)
    assert not ActionMessage.objects.filter(status="open").exists()


def test_an_accepted_cancellation_takes_the_line_off_and_the_empty_order_with_it(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 0, protection_days=21, protection_mean=0, protection_quantiles=[0, 0])
    line = order_due(world, TODAY + timedelta(20))
    propose_reorders(run, now=NOW)

    accept_messages([message_of(line).pk], actor=world.planner, now=NOW)

    line.refresh_from_db()
    assert (line.quantity, line.order.status) == (0, "cancelled")


def test_a_line_that_changed_after_the_plan_is_not_moved(world: World, run: Any) -> None:
    line = order_due(world, TODAY + timedelta(30))
    propose_reorders(run, now=NOW)
    PurchaseOrderLine.objects.filter(pk=line.pk).update(promised_on=TODAY + timedelta(12))

    with pytest.raises(Conflict) as refused:
        accept_messages([message_of(line).pk], actor=world.planner, now=NOW)

    assert refused.value.code == "changed_since"
    assert message_of(line).status == "open"


def test_the_api_lists_accepts_and_dismisses(world: World, run: Any, api: Any) -> None:
    line = order_due(world, TODAY + timedelta(30))
    propose_reorders(run, now=NOW)
    client = api(world.planner)

    (row,) = client.get("/api/v1/action-messages/?status=open&kind=expedite").json()["results"]
    answer = client.post(f"/api/v1/action-messages/{row['id']}/dismiss/", {"note": "no"}, format="json")
    again = client.post(f"/api/v1/action-messages/{row['id']}/accept/", {}, format="json")

    assert (row["order"], row["sku"], row["line_id"]) == (line.order.number, "MUG", line.pk)
    assert (answer.status_code, answer.json()["status"], again.status_code) == (200, "dismissed", 409)


def test_an_order_not_answered_yet_is_simply_wanted_on_the_other_day(world: World, run: Any) -> None:
    line = sent_order(world, mugs=400).lines.get()
    PurchaseOrderLine.objects.filter(pk=line.pk).update(need_by=TODAY + timedelta(30))
    propose_reorders(run, now=NOW)
    message = message_of(line)

    accept_messages([message.pk], actor=world.planner, now=NOW)

    line.refresh_from_db()
    assert line.expected_on == message.to_date
