"""The buyer's side of a purchase order: the draft, approving, sending, cancelling, closing short."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from config.kernel.errors import Conflict, NotFound, PermissionRefused, ValidationFailed
from procurement.models import PurchaseOrder
from procurement.selectors import draft_quantities, on_order_quantities
from procurement.services.confirmations import LineAnswer, decide_response, respond_to_order
from procurement.services.decisions import Decision, accept_proposals
from procurement.services.orders import (
    add_to_draft,
    approve_order,
    cancel_order,
    change_draft_line,
    close_short,
    remove_draft_line,
    send_order,
)
from procurement.services.receipts import ReceivedLine, receive_goods
from procurement.services.states import TRANSITIONS
from tests.cast import NOW, World
from tests.procurement.buying import (
    NEED_BY,
    TODAY,
    approved_order,
    confirmed_order,
    draft_order,
    event_kinds,
    make_proposal,
    sent_order,
)

ALL = ("draft", "approved", "sent", "confirmed", "partially_received", "received", "cancelled")


def add_mugs(world: World, quantity: str, **more: Any) -> Any:
    return add_to_draft(
        world.northwind.pk,
        warehouse_id=world.main.pk,
        sku_id=world.mug.pk,
        quantity=Decimal(quantity),
        actor=world.planner,
        now=NOW,
        **more,
    )


def order_in(world: World, status: str) -> PurchaseOrder:
    """100 mugs on an order in this state."""
    if status == "draft":
        return draft_order(world)
    if status == "approved":
        return approved_order(world)
    if status == "sent":
        return sent_order(world)
    order = confirmed_order(world)
    if status == "cancelled":
        return cancel_order(order.pk, actor=world.planner, now=NOW)
    if status in ("partially_received", "received"):
        lines = [ReceivedLine(order.lines.get().pk, Decimal(100 if status == "received" else 30))]
        receive_goods(order.pk, lines, key="first", actor=world.clerk, now=NOW)
        order.refresh_from_db()
    return order


# --- the draft ----------------------------------------------------------------------------------------------------


def test_a_line_added_by_hand_is_needed_after_the_lead_time(world: World) -> None:
    line = add_mugs(world, "100")

    assert (line.need_by, line.unit_cost, line.order.currency) == (TODAY + timedelta(days=14), Decimal("3.50"), "GBP")
    assert line.proposal is None
    assert draft_quantities() == {(world.mug.pk, world.main.pk): Decimal(100)}
    assert on_order_quantities() == {}


def test_the_same_sku_again_adds_to_its_line_and_keeps_the_earlier_day(world: World) -> None:
    add_mugs(world, "60", need_by=NEED_BY)

    line = add_mugs(world, "40", need_by=NEED_BY + timedelta(days=9))

    assert (line.line_number, line.quantity, line.unit_cost, line.need_by) == (1, 100, Decimal("3.50"), NEED_BY)


def test_what_the_supplier_does_not_sell_cannot_be_ordered_from_it(world: World) -> None:
    with pytest.raises(ValidationFailed, match="Northwind does not sell TEA; add it to its items first"):
        add_to_draft(
            world.northwind.pk,
            warehouse_id=world.main.pk,
            sku_id=world.tea.pk,
            quantity=Decimal(10),
            actor=world.planner,
            now=NOW,
        )
    with pytest.raises(ValidationFailed, match="MUG: 12 is not a multiple of the pack size of 5"):
        add_mugs(world, "12")
    with pytest.raises(NotFound):
        add_to_draft(0, warehouse_id=world.main.pk, sku_id=1, quantity=Decimal(1), actor=world.planner, now=NOW)

    assert not PurchaseOrder.objects.exists()


def test_another_quantity_on_a_draft_is_priced_anew(world: World) -> None:
    line = draft_order(world, mugs=100).lines.get()

    change_draft_line(line.pk, quantity=Decimal(50), actor=world.planner, now=NOW)

    line.refresh_from_db()
    assert (line.quantity, line.original_quantity, line.unit_cost) == (50, 50, Decimal("4.00"))
    assert line.order.events.last().detail == {"sku": "MUG", "from": "100", "to": "50"}


def test_a_line_taken_off_leaves_its_proposal_decided(world: World) -> None:
    proposal = make_proposal(world, world.mug, 40)
    [order] = accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW)

    remove_draft_line(order.lines.get().pk, actor=world.planner, now=NOW)

    proposal.refresh_from_db()
    assert (order.lines.count(), proposal.status) == (0, "accepted")
    with pytest.raises(ValidationFailed, match="has no lines"):
        approve_order(order.pk, actor=world.planner, now=NOW)


@pytest.mark.parametrize("status", ALL[1:])
def test_only_a_drafts_lines_can_be_changed(world: World, status: str) -> None:
    line = order_in(world, status).lines.get()

    with pytest.raises(Conflict, match="its lines cannot be changed"):
        change_draft_line(line.pk, quantity=Decimal(50), actor=world.planner, now=NOW)
    with pytest.raises(Conflict, match="its lines cannot be changed"):
        remove_draft_line(line.pk, actor=world.planner, now=NOW)

    line.refresh_from_db()
    assert line.quantity == 100


# --- approving ----------------------------------------------------------------------------------------------------


def test_approving_puts_the_units_on_order(world: World) -> None:
    order = draft_order(world)

    approve_order(order.pk, actor=world.planner, now=NOW)

    order.refresh_from_db()
    assert (order.status, order.approved_by, order.approved_at) == ("approved", world.planner, NOW)
    assert on_order_quantities([world.mug.pk]) == {(world.mug.pk, world.main.pk): Decimal(100)}
    assert draft_quantities() == {}
    assert order.events.last().detail == {"value": "350.00", "below_minimum": False}


def test_below_the_minimum_order_value_it_says_by_how_much(world: World) -> None:
    world.northwind.minimum_order_value = Decimal(400)
    world.northwind.save()
    order = draft_order(world)

    with pytest.raises(ValidationFailed) as refused:
        approve_order(order.pk, actor=world.planner, now=NOW)

    assert refused.value.code == "below_minimum_order_value"
    assert str(refused.value) == (
        f"{order.number} is worth 350.00 GBP, 50.00 below the supplier's minimum order value of 400.00; "
        "add lines or approve anyway."
    )
    order.refresh_from_db()
    assert order.status == "draft"
    assert approve_order(order.pk, actor=world.planner, now=NOW, override_minimum=True).status == "approved"


def test_a_large_order_is_approved_by_somebody_else(world: World) -> None:
    from config.kernel.policy import PLANNER
    from tests.cast import make_user

    order, second = draft_order(world), make_user("paul", PLANNER)

    with pytest.raises(PermissionRefused, match=r"worth more than 349\.99 GBP; somebody else has to approve it"):
        approve_order(order.pk, actor=world.planner, now=NOW, second_person_above=Decimal("349.99"))

    assert approve_order(order.pk, actor=second, now=NOW, second_person_above=Decimal("349.99")).approved_by == second


# --- sending ------------------------------------------------------------------------------------------------------


def test_sending_mails_the_supplier_after_the_commit(
    world: World, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://buy.example"
    order = approved_order(world)

    with django_capture_on_commit_callbacks(execute=True):
        send_order(order.pk, actor=world.planner, now=NOW)
        assert mail.outbox == []

    [letter] = mail.outbox
    assert (letter.to, letter.subject) == (["orders@northwind.example"], f"Purchase order {order.number}")
    assert f"https://buy.example/portal/orders/{order.number}/" in letter.body
    assert "1. MUG Mug: 100 × 3.50 GBP, need by 2026-03-16" in letter.body
    order.refresh_from_db()
    assert (order.status, order.sent_at) == ("sent", NOW)
    assert event_kinds(order) == ["created", "lines_added", "approved", "sent", "mail_sent"]


def test_a_mail_that_fails_undoes_nothing_and_is_noted(
    world: World, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    order = approved_order(world)

    with django_capture_on_commit_callbacks(execute=True):
        send_order(order.pk, actor=world.planner, now=NOW)

    order.refresh_from_db()
    assert order.status == "sent"
    assert order.events.last().kind == "mail_failed"
    assert order.events.last().detail["why"] == "ConnectionRefusedError"


def test_a_supplier_without_an_address_gets_the_order_in_the_portal_only(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    world.northwind.email = ""
    world.northwind.save()
    order = approved_order(world)

    with django_capture_on_commit_callbacks(execute=True):
        send_order(order.pk, actor=world.planner, now=NOW)

    assert mail.outbox == []
    assert event_kinds(order)[-2:] == ["sent", "mail_skipped"]


# --- cancelling and closing short ---------------------------------------------------------------------------------


def test_cancelling_a_sent_order_takes_it_off_order_and_tells_the_supplier(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    order = sent_order(world)

    with django_capture_on_commit_callbacks(execute=True):
        cancel_order(order.pk, actor=world.planner, now=NOW, reason="Ordered twice")

    order.refresh_from_db()
    assert (order.status, order.closed_at) == ("cancelled", NOW)
    assert order.events.get(kind="cancelled").detail == {"reason": "Ordered twice"}
    assert on_order_quantities() == {}
    assert [letter.subject for letter in mail.outbox] == [f"Purchase order {order.number} is cancelled"]


def test_a_draft_is_cancelled_in_silence(world: World, django_capture_on_commit_callbacks: Any) -> None:
    order = draft_order(world)

    with django_capture_on_commit_callbacks(execute=True):
        cancel_order(order.pk, actor=world.planner, now=NOW)

    assert mail.outbox == []


def test_a_cancelled_order_leaves_no_change_waiting(world: World) -> None:
    order = sent_order(world)
    answer = LineAnswer(order.lines.get().pk, "change", quantity=Decimal(80))
    respond_to_order(order.pk, [answer], actor=world.northwind_user, now=NOW)

    cancel_order(order.pk, actor=world.planner, now=NOW)

    response = order.lines.get().responses.get()
    assert response.decision == "declined"
    with pytest.raises(Conflict, match="is cancelled and its answers cannot be decided"):
        decide_response(response.pk, accept=True, actor=world.planner, now=NOW)


def test_closing_short_drops_what_will_not_come(world: World) -> None:
    order = order_in(world, "partially_received")

    close_short(order.pk, actor=world.planner, now=NOW, reason="Out of production")

    order.refresh_from_db()
    line = order.lines.get()
    assert (order.status, line.quantity, line.original_quantity, line.received_quantity) == ("received", 30, 100, 30)
    assert on_order_quantities() == {}
    assert order.events.last().detail == {
        "reason": "Out of production",
        "dropped": [{"sku": "MUG", "quantity": "70"}],
    }


# --- the table of states ------------------------------------------------------------------------------------------

ACTIONS: dict[str, tuple[Any, str, set[str]]] = {
    "approve": (lambda w, o: approve_order(o.pk, actor=w.planner, now=NOW), "cannot be approved", {"draft"}),
    "send": (lambda w, o: send_order(o.pk, actor=w.planner, now=NOW), "cannot be sent", {"approved"}),
    "cancel": (
        lambda w, o: cancel_order(o.pk, actor=w.planner, now=NOW),
        "cannot be cancelled",
        {"draft", "approved", "sent", "confirmed"},
    ),
    "close short": (
        lambda w, o: close_short(o.pk, actor=w.planner, now=NOW),
        "cannot be closed short",
        {"partially_received"},
    ),
    "answer": (
        lambda w, o: respond_to_order(
            o.pk,
            [LineAnswer(o.lines.get().pk, "change", quantity=Decimal(90))],
            actor=w.northwind_user,
            now=NOW,
        ),
        "cannot be answered",
        {"sent", "confirmed", "partially_received"},
    ),
    "receive": (
        lambda w, o: receive_goods(
            o.pk, [ReceivedLine(o.lines.get().pk, Decimal(1))], key="again", actor=w.clerk, now=NOW
        ),
        "cannot be received",
        {"sent", "confirmed", "partially_received"},
    ),
}


@pytest.mark.parametrize("status", ALL)
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_outside_the_table_is_a_conflict_that_says_why(world: World, action: str, status: str) -> None:
    act, refusal, allowed = ACTIONS[action]
    order = order_in(world, status)
    before = order.events.count()

    if status in allowed:
        act(world, order)
        assert order.events.count() > before
        return
    with pytest.raises(Conflict) as refused:
        act(world, order)

    named = PurchaseOrder.Status(status).label.lower()
    assert str(refused.value) == f"{order.number} is {named} and {refusal}."
    order.refresh_from_db()
    assert (order.status, order.events.count()) == (status, before)


def test_every_state_stands_in_the_table_and_the_done_ones_lead_nowhere() -> None:
    assert set(TRANSITIONS) == set(PurchaseOrder.Status)
    assert all(TRANSITIONS[status] == {} for status in PurchaseOrder.DONE)


def test_an_unknown_order_or_line_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="There is no such purchase order"):
        approve_order(999999, actor=world.planner, now=NOW)
    with pytest.raises(NotFound, match="There is no such order line"):
        change_draft_line(999999, quantity=Decimal(1), actor=world.planner, now=NOW)
