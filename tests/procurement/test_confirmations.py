"""What the supplier may answer to an order, line by line, and what the planner makes of it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from procurement.models import LineResponse, PurchaseOrder
from procurement.selectors import on_order_quantities
from procurement.services.confirmations import LineAnswer, decide_response, respond_to_order
from procurement.services.orders import send_order
from procurement.services.receipts import ReceivedLine, receive_goods
from tests.cast import NOW, World
from tests.procurement.buying import NEED_BY, TODAY, approved_order, confirmed_order, event_kinds, sent_order

EARLIER, LATER = NEED_BY - timedelta(days=4), NEED_BY + timedelta(days=7)


def answer(world: World, order: PurchaseOrder, *answers: LineAnswer) -> PurchaseOrder:
    respond_to_order(order.pk, list(answers), actor=world.northwind_user, now=NOW)
    order.refresh_from_db()
    return order


def decide(world: World, order: PurchaseOrder, *, accept: bool) -> LineResponse:
    pending = LineResponse.objects.get(line__order=order, decision="pending")
    decided = decide_response(pending.pk, accept=accept, actor=world.planner, now=NOW)
    order.refresh_from_db()
    return decided


def test_when_every_line_is_accepted_the_order_is_confirmed(world: World) -> None:
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()

    answer(world, order, LineAnswer(mugs.pk, "accept"))
    assert order.status == "sent"
    answer(world, order, LineAnswer(lamps.pk, "accept", promised_on=EARLIER, note="By air"))

    assert (order.status, order.confirmed_at) == ("confirmed", NOW)
    assert [(x.status, x.promised_on) for x in order.lines.all()] == [("accepted", NEED_BY), ("accepted", EARLIER)]
    response = lamps.responses.get()
    assert (response.kind, response.proposed_on, response.note) == ("accept", EARLIER, "By air")
    assert (response.decision, response.responded_by, response.responded_at) == (
        "none_needed",
        world.northwind_user,
        NOW,
    )
    assert event_kinds(order)[-3:] == ["answered", "answered", "confirmed"]


def test_a_need_by_day_that_has_passed_is_promised_for_today(world: World) -> None:
    order = approved_order(world)
    late = NOW + timedelta(days=30)
    send_order(order.pk, actor=world.planner, now=late)

    respond_to_order(order.pk, [LineAnswer(order.lines.get().pk, "accept")], actor=world.northwind_user, now=late)

    assert order.lines.get().promised_on == late.date()


def test_a_change_waits_for_the_planner_and_counts_for_nothing_until_then(world: World) -> None:
    order = sent_order(world)
    line = order.lines.get()

    answer(world, order, LineAnswer(line.pk, "change", quantity=Decimal(80), promised_on=LATER, note="Short of clay"))

    line.refresh_from_db()
    assert (order.status, line.status, line.quantity, line.promised_on) == ("sent", "change_proposed", 100, None)
    response = line.responses.get()
    assert (response.decision, response.proposed_quantity, response.proposed_on) == ("pending", 80, LATER)
    assert on_order_quantities() == {(world.mug.pk, world.main.pk): Decimal(100)}


def test_an_accepted_change_comes_into_force(world: World) -> None:
    order = sent_order(world)
    line = order.lines.get()
    answer(world, order, LineAnswer(line.pk, "change", quantity=Decimal(80), promised_on=LATER))

    response = decide(world, order, accept=True)

    line.refresh_from_db()
    assert (line.status, line.quantity, line.original_quantity, line.promised_on) == ("accepted", 80, 100, LATER)
    assert (response.decision, response.decided_by, response.decided_at) == ("accepted", world.planner, NOW)
    assert order.status == "confirmed"
    assert on_order_quantities() == {(world.mug.pk, world.main.pk): Decimal(80)}


def test_a_declined_change_asks_the_supplier_again(world: World) -> None:
    order = sent_order(world)
    line = order.lines.get()
    answer(world, order, LineAnswer(line.pk, "change", quantity=Decimal(80)))

    decide(world, order, accept=False)

    line.refresh_from_db()
    assert (order.status, line.status, line.quantity, line.promised_on) == ("sent", "open", 100, None)
    answer(world, order, LineAnswer(line.pk, "accept"))
    assert order.status == "confirmed"


def test_a_rejected_line_is_no_longer_on_order(world: World) -> None:
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()

    answer(world, order, LineAnswer(mugs.pk, "reject", note="Mould broken"), LineAnswer(lamps.pk, "accept"))

    assert order.status == "confirmed"
    assert on_order_quantities() == {(world.lamp.pk, world.main.pk): Decimal(6)}


def test_when_every_line_is_rejected_the_order_is_cancelled(world: World) -> None:
    order = sent_order(world)

    answer(world, order, LineAnswer(order.lines.get().pk, "reject"))

    assert (order.status, order.closed_at) == ("cancelled", NOW)
    assert order.events.last().kind == "cancelled"
    assert order.events.last().detail == {"reason": "Every line was rejected by the supplier."}


def test_a_late_notice_waits_while_the_agreement_stands(world: World) -> None:
    order = confirmed_order(world)
    line = order.lines.get()

    answer(world, order, LineAnswer(line.pk, "change", promised_on=LATER, note="Strike at the port"))
    line.refresh_from_db()
    assert (order.status, line.status, line.promised_on) == ("confirmed", "change_proposed", NEED_BY)
    decide(world, order, accept=True)

    line.refresh_from_db()
    assert (order.status, line.status, line.promised_on) == ("confirmed", "accepted", LATER)


def test_a_declined_late_notice_leaves_the_agreement_as_it_was(world: World) -> None:
    order = confirmed_order(world)
    line = order.lines.get()
    answer(world, order, LineAnswer(line.pk, "change", promised_on=LATER))

    decide(world, order, accept=False)

    line.refresh_from_db()
    assert (order.status, line.status, line.promised_on) == ("confirmed", "accepted", NEED_BY)


def test_a_change_down_to_what_came_completes_the_order(world: World) -> None:
    order = confirmed_order(world)
    line = order.lines.get()
    receive_goods(order.pk, [ReceivedLine(line.pk, Decimal(80))], key="a", actor=world.clerk, now=NOW)
    answer(world, order, LineAnswer(line.pk, "change", quantity=Decimal(80)))

    decide(world, order, accept=True)

    assert (order.status, order.lines.get().quantity) == ("received", 80)


def test_goods_that_came_meanwhile_forbid_a_change_below_them(world: World) -> None:
    order = confirmed_order(world)
    line = order.lines.get()
    answer(world, order, LineAnswer(line.pk, "change", quantity=Decimal(50)))
    receive_goods(order.pk, [ReceivedLine(line.pk, Decimal(60))], key="a", actor=world.clerk, now=NOW)

    with pytest.raises(Conflict, match="60 of line 1 were received already; decline the change"):
        decide(world, order, accept=True)

    assert decide(world, order, accept=False).decision == "declined"


def test_a_decision_is_made_once(world: World) -> None:
    order = sent_order(world)
    answer(world, order, LineAnswer(order.lines.get().pk, "change", quantity=Decimal(80)))
    response = decide(world, order, accept=False)

    with pytest.raises(Conflict, match="does not wait for a decision"):
        decide_response(response.pk, accept=True, actor=world.planner, now=NOW)

    assert order.lines.get().quantity == 100
    with pytest.raises(NotFound, match="There is no such answer"):
        decide_response(999999, accept=True, actor=world.planner, now=NOW)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"kind": "perhaps"}, "Line 1 MUG needs an answer: accept, change or reject."),
        ({"kind": "change"}, "Line 1 MUG has no other quantity and no other day."),
        (
            {"kind": "change", "quantity": Decimal(100), "promised_on": NEED_BY},
            "Line 1 MUG has no other quantity and no other day.",
        ),
        (
            {"kind": "change", "quantity": Decimal(0)},
            "Line 1 MUG has a quantity that must be greater than zero; reject the line if nothing will come.",
        ),
        (
            {"kind": "accept", "quantity": Decimal(99)},
            "Line 1 MUG has another quantity; propose a change instead.",
        ),
        (
            {"kind": "accept", "promised_on": TODAY - timedelta(days=1)},
            "Line 1 MUG is promised for a day that has passed.",
        ),
        (
            {"kind": "accept", "promised_on": date(9999, 12, 31)},
            "Line 1 MUG is promised for a day more than three years ahead.",
        ),
        (
            {"kind": "change", "promised_on": date(2029, 3, 3)},
            "Line 1 MUG is promised for a day more than three years ahead.",
        ),
        ({"kind": "reject", "note": "x" * 501}, "Line 1 MUG has a note of more than 500 characters."),
    ],
)
def test_an_answer_that_is_wrong_in_itself_is_refused(world: World, given: dict, why: str) -> None:
    order = sent_order(world)

    with pytest.raises(ValidationFailed) as refused:
        answer(world, order, LineAnswer(order.lines.get().pk, **given))

    assert str(refused.value) == why
    assert not LineResponse.objects.exists()


def test_every_wrong_answer_is_named_and_none_is_taken(world: World) -> None:
    order, other = sent_order(world, lamps=6), sent_order(world, supplier=world.outsider, mugs=5)
    mugs, lamps = order.lines.all()
    stranger = other.lines.get()

    with pytest.raises(ValidationFailed) as refused:
        answer(
            world,
            order,
            LineAnswer(mugs.pk, "accept"),
            LineAnswer(mugs.pk, "reject"),
            LineAnswer(lamps.pk, "change"),
            LineAnswer(stranger.pk, "accept"),
        )

    assert [item["line_id"] for item in refused.value.items] == [mugs.pk, lamps.pk, stranger.pk]
    assert f"Line {stranger.pk} is not on this order" in str(refused.value)
    assert not LineResponse.objects.exists()
    with pytest.raises(ValidationFailed, match="No line was answered"):
        answer(world, order)


def test_a_line_is_answered_once_and_a_waiting_one_not_again(world: World) -> None:
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()
    answer(world, order, LineAnswer(mugs.pk, "accept"), LineAnswer(lamps.pk, "change", quantity=Decimal(5)))

    with pytest.raises(Conflict) as refused:
        answer(world, order, LineAnswer(mugs.pk, "reject"), LineAnswer(lamps.pk, "accept"))

    assert str(refused.value) == (
        "Line 1 MUG was accepted already; propose a change if something is different now; "
        "Line 2 LAMP waits for the buyer's decision."
    )
    assert LineResponse.objects.count() == 2


def test_a_line_that_came_in_part_cannot_be_rejected_and_one_that_came_in_full_not_changed(world: World) -> None:
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()
    arrived = [ReceivedLine(mugs.pk, Decimal(40)), ReceivedLine(lamps.pk, Decimal(6))]
    receive_goods(order.pk, arrived, key="a", actor=world.clerk, now=NOW)

    with pytest.raises(Conflict, match="Line 1 MUG was received in part and cannot be rejected"):
        answer(world, order, LineAnswer(mugs.pk, "reject"))
    with pytest.raises(Conflict, match="Line 2 LAMP was received in full"):
        answer(world, order, LineAnswer(lamps.pk, "change", promised_on=LATER))


def test_an_accept_for_a_later_day_is_a_change_that_waits_for_the_planner(world: World) -> None:
    order = sent_order(world)
    line = order.lines.get()

    answer(world, order, LineAnswer(line.pk, "accept", quantity=Decimal(100), promised_on=LATER, note="By boat"))

    line.refresh_from_db()
    assert (order.status, line.status, line.promised_on) == ("sent", "change_proposed", None)
    response = line.responses.get()
    assert (response.kind, response.decision, response.note) == ("change", "pending", "By boat")
    assert (response.proposed_quantity, response.proposed_on) == (None, LATER)
    assert order.events.last().detail["answers"][0]["kind"] == "change"
    decide(world, order, accept=True)
    line.refresh_from_db()
    assert (order.status, line.status, line.quantity, line.promised_on) == ("confirmed", "accepted", 100, LATER)


def test_an_accept_for_the_need_by_day_itself_or_for_today_when_that_has_passed_needs_no_decision(world: World) -> None:
    order, late = sent_order(world), sent_order(world)
    respond_to_order(
        order.pk,
        [LineAnswer(order.lines.get().pk, "accept", promised_on=NEED_BY)],
        actor=world.northwind_user,
        now=NOW,
    )
    after = NOW + timedelta(days=30)
    answers = [LineAnswer(late.lines.get().pk, "accept", promised_on=after.date())]
    respond_to_order(late.pk, answers, actor=world.northwind_user, now=after)

    assert [(o.lines.get().status, o.lines.get().promised_on) for o in (order, late)] == [
        ("accepted", NEED_BY),
        ("accepted", after.date()),
    ]


def test_a_change_may_go_three_years_ahead(world: World) -> None:
    order = sent_order(world)

    answer(world, order, LineAnswer(order.lines.get().pk, "change", promised_on=date(2029, 3, 2)))

    assert LineResponse.objects.get().proposed_on == date(2029, 3, 2)
