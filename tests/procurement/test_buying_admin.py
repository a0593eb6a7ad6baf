"""Steps 10 and 12 as people do them in the admin: accept or dismiss, approve and send, decide, receive."""

from decimal import Decimal
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client

from config.kernel.models import Job
from procurement.models import LineResponse, Proposal, PurchaseOrder, Receipt
from procurement.services.confirmations import LineAnswer, respond_to_order
from tests.cast import NOW, World
from tests.kernel.test_export_admin import enter
from tests.procurement.buying import confirmed_order, draft_order, make_proposal, sent_order

PROPOSALS = "/admin/procurement/proposal/"


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def press(client: Client, row: Any, verb: str, **fields: Any) -> Any:
    return client.post(f"/admin/procurement/{row._meta.model_name}/{row.pk}/do/{verb}/", fields)


def run_action(client: Client, action: str, rows: list[Proposal], **fields: Any) -> Any:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0"}
    return client.post(PROPOSALS, {**chosen, **fields})


def test_a_proposal_is_accepted_with_another_quantity_on_its_page(world: World) -> None:
    proposal = make_proposal(world, world.mug, 50)

    response = press(enter(world.planner), proposal, "accept", quantity="60")

    proposal.refresh_from_db()
    assert (proposal.status, proposal.accepted_quantity) == ("accepted", Decimal(60))
    assert proposal.order_line.order.number in said(response)[0]


def test_a_quantity_the_supplier_does_not_sell_is_said_and_nothing_happens(world: World) -> None:
    proposal = make_proposal(world, world.mug, 50)  # packs of 5

    response = press(enter(world.planner), proposal, "accept", quantity="52")

    proposal.refresh_from_db()
    assert proposal.status == "open"
    assert "MUG" in said(response)[0]
    assert not PurchaseOrder.objects.exists()


def test_what_is_no_number_is_said_and_nothing_happens(world: World) -> None:
    proposal = make_proposal(world, world.mug, 50)

    for typed in ("abc", "1e999999", "NaN", "1.2345"):
        response = press(enter(world.planner), proposal, "accept", quantity=typed)
        assert typed in said(response)[0]

    proposal.refresh_from_db()
    assert proposal.status == "open"


def test_selected_proposals_are_accepted_with_the_quantities_shown(world: World) -> None:
    mugs, lamps, teas = (make_proposal(world, sku, 20) for sku in (world.mug, world.lamp, world.tea))
    boxes = {f"quantity-{mugs.pk}": "35", f"quantity-{lamps.pk}": "20", f"quantity-{teas.pk}": "99"}

    response = run_action(enter(world.planner), "accept_selected", [mugs, lamps], **boxes)

    assert "2 proposals were accepted" in said(response)[0]
    order = PurchaseOrder.objects.get()
    assert list(order.lines.values_list("sku__code", "quantity")) == [("MUG", Decimal(35)), ("LAMP", Decimal(20))]
    teas.refresh_from_db()
    assert teas.status == "open"


def test_selected_proposals_are_dismissed_with_the_note(world: World) -> None:
    proposals = [make_proposal(world, sku, 20) for sku in (world.mug, world.lamp)]

    run_action(enter(world.planner), "dismiss_selected", proposals, note="Season is over")

    assert set(Proposal.objects.values_list("status", "decision_note")) == {("dismissed", "Season is over")}


def test_a_viewer_sees_proposals_but_can_decide_nothing(world: World) -> None:
    proposal = make_proposal(world, world.mug, 50)
    viewer = enter(world.viewer)

    assert b"quantity-" not in viewer.get(PROPOSALS).content
    assert press(viewer, proposal, "accept").status_code == 403
    run_action(viewer, "accept_selected", [proposal])

    proposal.refresh_from_db()
    assert proposal.status == "open"


def test_a_draft_is_changed_approved_and_sent_from_its_page(world: World) -> None:
    order = draft_order(world, mugs=100)
    planner = enter(world.planner)

    press(planner, order, "change-line", line=order.lines.get().pk, quantity="120")
    response = press(planner, order, "approve-and-send")

    order.refresh_from_db()
    assert (order.status, order.lines.get().quantity) == ("sent", Decimal(120))
    assert said(response)[-1] == "Approved and sent: the supplier sees it in the portal."


def test_below_the_minimum_order_value_nothing_is_approved_unless_meant(world: World) -> None:
    world.northwind.minimum_order_value = Decimal(1000)
    world.northwind.save()
    order, planner = draft_order(world, mugs=100), enter(world.planner)

    press(planner, order, "approve-and-send")
    order.refresh_from_db()
    assert order.status == "draft"
    assert (
        "Approve below the minimum"
        in planner.get(f"/admin/procurement/purchaseorder/{order.pk}/change/").content.decode()
    )

    press(planner, order, "approve-small")
    order.refresh_from_db()
    assert order.status == "approved"


def test_a_line_of_another_order_cannot_be_changed_through_this_one(world: World) -> None:
    order, other = draft_order(world, mugs=100), draft_order(world, mugs=30, supplier=world.outsider)

    response = press(enter(world.planner), order, "change-line", line=other.lines.get().pk, quantity="40")

    assert said(response) == ["This line is not on the order any more."]
    assert other.lines.get().quantity == Decimal(30)


def test_the_supplier_s_change_is_accepted_on_the_order_s_page(world: World) -> None:
    order = sent_order(world, mugs=100)
    answer = LineAnswer(order.lines.get().pk, "change", quantity=Decimal(80), promised_on=NOW.date())
    respond_to_order(order.pk, [answer], actor=world.northwind_user, now=NOW)
    response = LineResponse.objects.get()
    planner = enter(world.planner)

    assert (
        b"The supplier proposes changes" in planner.get(f"/admin/procurement/purchaseorder/{order.pk}/change/").content
    )
    press(planner, order, "accept-change", response=response.pk)

    assert order.lines.get().quantity == Decimal(80)


def test_a_clerk_receives_a_delivery_once_however_often_the_button_is_pressed(world: World) -> None:
    order = confirmed_order(world, mugs=100)
    line, clerk = order.lines.get(), enter(world.clerk)
    form = {f"received-{line.pk}": "60", "key": "admin:form-1", "delivery_note": "DN-7"}

    first, second = press(clerk, order, "receive", **form), press(clerk, order, "receive", **form)

    line.refresh_from_db()
    receipt = Receipt.objects.get()
    assert (line.received_quantity, receipt.delivery_note) == (Decimal(60), "DN-7")
    assert said(first) == [f"{receipt.number} was booked."]
    assert said(second)[-1] == f"{receipt.number} had been booked already."


def test_a_planner_may_not_receive_and_a_clerk_may_not_approve(world: World) -> None:
    assert press(enter(world.planner), confirmed_order(world), "receive").status_code == 403
    assert press(enter(world.clerk), draft_order(world), "approve").status_code == 403


def test_the_plan_button_queues_one_plan_and_leads_to_it(world: World) -> None:
    planner = enter(world.planner)

    first, second = planner.post(f"{PROPOSALS}run-plan/"), planner.post(f"{PROPOSALS}run-plan/")

    job = Job.objects.get(kind="plan")
    assert (job.state, job.actor) == ("queued", world.planner)
    assert first.headers["Location"] == second.headers["Location"] == f"/admin/kernel/job/{job.pk}/change/"
    assert enter(world.viewer).post(f"{PROPOSALS}run-plan/").status_code == 403
    assert planner.get(f"{PROPOSALS}run-plan/").status_code == 405


def test_a_rejected_line_is_worth_nothing_in_the_list_and_on_the_page(world: World) -> None:
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()
    answers = [LineAnswer(mugs.pk, "reject"), LineAnswer(lamps.pk, "accept")]
    respond_to_order(order.pk, answers, actor=world.northwind_user, now=NOW)
    client = enter(world.planner)

    listed = client.get("/admin/procurement/purchaseorder/").content.decode()
    page = client.get(f"/admin/procurement/purchaseorder/{order.pk}/change/").content.decode()

    assert "120.00 GBP" in listed
    assert "470.00" not in listed
    assert "<dt>Value</dt><dd>120.00 GBP</dd>" in page
