"""From a proposal to a receipt through the API, with exact numbers."""

from decimal import Decimal
from typing import Any

import pytest

from config.kernel.models import Job
from monitoring.models import Alert
from procurement.models import Proposal, PurchaseOrder, Receipt
from procurement.services.confirmations import LineAnswer, respond_to_order
from tests.cast import NOW
from tests.procurement.buying import approved_order, draft_order, make_proposal, sent_order
from warehouses.models import StockLevel

DRAFT = {
    "supplier": "NORTHWIND",
    "warehouse": "MAIN",
    "lines": [{"sku": "MUG", "quantity": "100", "need_by": "2026-04-01"}, {"sku": "LAMP", "quantity": "6"}],
}


def post(client: Any, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    answer = client.post(f"/api/v1/{path}", {} if body is None else body, **more)
    return answer.status_code, answer.json()


# --- proposals ----------------------------------------------------------------------------------------------------


def test_proposals_are_accepted_as_they_are_or_with_another_quantity(world: Any, api: Any) -> None:
    mugs, lamps = make_proposal(world, world.mug, 40), make_proposal(world, world.lamp, 8)
    tea = make_proposal(world, world.tea, 12)
    decisions = [{"proposal": mugs.pk, "quantity": "100"}, {"proposal": lamps.pk}, {"proposal": tea.pk}]

    status, orders = post(api(world.planner), "proposals/accept/", {"proposals": decisions})

    assert status == 200
    told = {o["supplier"]: [(li["sku"], li["quantity"], li["unit_cost"]) for li in o["lines"]] for o in orders}
    assert told == {
        "NORTHWIND": [("MUG", "100", "3.5000"), ("LAMP", "8", "20.0000")],
        "OUTSIDER": [("TEA", "12", "2.0000")],
    }
    assert {o["status"] for o in orders} == {"draft"}
    mugs.refresh_from_db()
    assert (mugs.status, mugs.accepted_quantity, mugs.decided_by) == ("accepted", 100, world.planner)


def test_a_quantity_the_supplier_does_not_sell_is_refused_with_all_the_others(world: Any, api: Any) -> None:
    mugs, lamps = make_proposal(world, world.mug, 40), make_proposal(world, world.lamp, 8)
    decisions = [{"proposal": mugs.pk, "quantity": "7"}, {"proposal": lamps.pk}]

    status, problem = post(api(world.planner), "proposals/accept/", {"proposals": decisions})

    assert status == 422
    assert [(item["proposal"], item["sku"], item["quantity"]) for item in problem["items"]] == [(mugs.pk, "MUG", "7")]
    assert set(Proposal.objects.values_list("status", flat=True)) == {"open"}
    assert PurchaseOrder.objects.count() == 0


def test_proposals_are_dismissed_with_a_note_and_only_once(world: Any, api: Any) -> None:
    mugs = make_proposal(world, world.mug, 40)
    planner = api(world.planner)

    first = post(planner, "proposals/dismiss/", {"proposals": [mugs.pk], "note": "discontinued"})
    second = post(planner, "proposals/dismiss/", {"proposals": [mugs.pk]})
    unknown = post(planner, "proposals/accept/", {"proposals": [{"proposal": 999_999}]})

    assert first == (200, {"dismissed": 1})
    assert (second[0], second[1]["code"]) == (409, "already_decided")
    assert (unknown[0], unknown[1]["items"]) == (404, [{"proposal": 999_999}])
    mugs.refresh_from_db()
    assert (mugs.status, mugs.decision_note) == ("dismissed", "discontinued")


# --- the draft ----------------------------------------------------------------------------------------------------


def test_a_draft_is_filled_changed_and_emptied_line_by_line(world: Any, api: Any) -> None:
    planner = api(world.planner)

    status, order = post(planner, "purchase-orders/", DRAFT)
    path = f"/api/v1/purchase-orders/{order['number']}/lines"
    cheaper = planner.patch(f"{path}/1/", {"quantity": "50"})
    later = planner.patch(f"{path}/2/", {"need_by": "2026-05-01"})
    shorter = planner.delete(f"{path}/2/")
    gone = planner.delete(f"{path}/2/")

    assert (status, order["status"], order["currency"]) == (201, "draft", "GBP")
    assert [(li["line_number"], li["sku"], li["quantity"], li["unit_cost"]) for li in order["lines"]] == [
        (1, "MUG", "100", "3.5000"),
        (2, "LAMP", "6", "20.0000"),
    ]
    assert order["lines"][0]["need_by"] == "2026-04-01"
    assert (cheaper.json()["lines"][0]["quantity"], cheaper.json()["lines"][0]["unit_cost"]) == ("50", "4.0000")
    assert (later.json()["lines"][1]["quantity"], later.json()["lines"][1]["need_by"]) == ("6", "2026-05-01")
    assert (shorter.status_code, len(shorter.json()["lines"])) == (200, 1)
    assert gone.status_code == 404


def test_every_line_that_cannot_be_bought_is_named_and_none_is_added(world: Any, api: Any) -> None:
    lines = [
        {"sku": "MUG", "quantity": "12"},
        {"sku": "TEA", "quantity": "5"},
        {"sku": "LAMP", "quantity": "5"},
    ]

    status, problem = post(api(world.planner), "purchase-orders/", DRAFT | {"lines": lines})

    assert (status, [(item["line"], item["sku"]) for item in problem["items"]]) == (422, [(1, "MUG"), (2, "TEA")])
    assert PurchaseOrder.objects.count() == 0


def test_a_line_of_an_order_that_is_no_draft_stays(world: Any, api: Any) -> None:
    order = sent_order(world)
    path = f"/api/v1/purchase-orders/{order.number}/lines/1/"

    answers = [api(world.planner).patch(path, {"quantity": "50"}), api(world.planner).delete(path)]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(409, "wrong_state"), (409, "wrong_state")]
    assert order.lines.get().quantity == 100


# --- approve, send, cancel ----------------------------------------------------------------------------------------


def test_below_the_minimum_order_value_only_on_purpose(world: Any, api: Any) -> None:
    world.northwind.minimum_order_value = Decimal("500")
    world.northwind.save()
    path = f"purchase-orders/{draft_order(world).number}/approve/"

    refused = post(api(world.planner), path)
    overridden = post(api(world.planner), path, {"override_minimum": True})

    assert (refused[0], refused[1]["code"]) == (422, "below_minimum_order_value")
    assert (overridden[0], overridden[1]["status"]) == (200, "approved")


def test_an_order_is_approved_sent_and_cancelled_each_from_its_state(world: Any, api: Any) -> None:
    planner, path = api(world.planner), f"purchase-orders/{draft_order(world).number}"

    too_early = post(planner, f"{path}/send/")
    approved = post(planner, f"{path}/approve/")
    sent = post(planner, f"{path}/send/")
    cancelled = post(planner, f"{path}/cancel/", {"reason": "no longer needed"})
    too_late = post(planner, f"{path}/send/")

    assert (too_early[0], too_early[1]["code"]) == (409, "wrong_state")
    assert [approved[1]["status"], sent[1]["status"], cancelled[1]["status"]] == ["approved", "sent", "cancelled"]
    assert (too_late[0], too_late[1]["code"]) == (409, "wrong_state")


# --- the supplier's answer ----------------------------------------------------------------------------------------


def test_a_supplier_answers_and_the_planner_decides(world: Any, api: Any) -> None:
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()
    answers = [
        {"line_id": mugs.pk, "kind": "accept"},
        {"line_id": lamps.pk, "kind": "change", "quantity": "4", "note": "short of glass"},
    ]
    supplier, planner = api(world.northwind_user), api(world.planner)

    status, answered = post(supplier, f"purchase-orders/{order.number}/respond/", {"answers": answers})
    [waiting] = planner.get(f"/api/v1/line-responses/?decision=pending&order={order.number}").json()["results"]
    decided = post(planner, f"line-responses/{waiting['id']}/decide/", {"accept": True})
    again = post(planner, f"line-responses/{waiting['id']}/decide/", {"accept": False})

    assert (status, answered["status"]) == (200, "sent")
    assert [line["status"] for line in answered["lines"]] == ["accepted", "change_proposed"]
    assert (waiting["order"], waiting["line_id"], waiting["line_number"], waiting["sku"]) == (
        order.number,
        lamps.pk,
        2,
        "LAMP",
    )
    assert (waiting["proposed_quantity"], waiting["note"]) == ("4", "short of glass")
    assert (decided[0], decided[1]["decision"]) == (200, "accepted")
    assert (again[0], again[1]["code"]) == (409, "already_decided")
    lamps.refresh_from_db()
    order.refresh_from_db()
    assert (lamps.quantity, order.status) == (4, "confirmed")


def test_an_answer_that_is_wrong_names_its_line(world: Any, api: Any) -> None:
    order = sent_order(world)
    line = order.lines.get()
    path = f"purchase-orders/{order.number}/respond/"
    body = {"answers": [{"line_id": line.pk, "kind": "accept", "promised_on": "2020-01-01"}]}

    past = post(api(world.northwind_user), path, body)
    unknown = post(api(world.northwind_user), path, {"answers": [{"line_id": 999_999, "kind": "accept"}]})

    assert (past[0], past[1]["items"][0]["line_id"]) == (422, line.pk)
    assert (unknown[0], unknown[1]["items"][0]["line_id"]) == (422, 999_999)


# --- receipts -----------------------------------------------------------------------------------------------------


def test_goods_arrive_in_parts_too_many_are_refused_and_the_rest_is_closed_short(world: Any, api: Any) -> None:
    order = sent_order(world)
    line = order.lines.get()
    clerk, key = api(world.clerk), {"Idempotency-Key": "note-7"}

    def body(quantity: str) -> dict:
        lines = [{"line_id": line.pk, "quantity": quantity}]
        return {"order": order.number, "delivery_note": "7", "lines": lines}

    first = clerk.post("/api/v1/receipts/", body("60"), headers=key)
    repeated = clerk.post("/api/v1/receipts/", body("60"), headers=key)
    altered = clerk.post("/api/v1/receipts/", body("61"), headers=key)
    over = post(clerk, "receipts/", body("41"))
    closed = post(api(world.planner), f"purchase-orders/{order.number}/close-short/", {"reason": "sold out"})
    after = post(clerk, "receipts/", body("1"))

    assert first.status_code == 201
    assert first.headers["Location"] == f"/api/v1/receipts/{first.json()['number']}/"
    assert first.json()["lines"] == [{"line_id": line.pk, "line_number": 1, "sku": "MUG", "quantity": "60"}]
    assert repeated.content == first.content
    assert (altered.status_code, altered.json()["code"]) == (422, "idempotency_key_reused")
    assert (over[0], over[1]["items"][0]["line_id"]) == (422, line.pk)
    assert (closed[0], closed[1]["status"], closed[1]["lines"][0]["quantity"]) == (200, "received", "60")
    assert (after[0], after[1]["code"]) == (409, "wrong_state")
    assert Receipt.objects.count() == 1
    assert StockLevel.objects.get(sku=world.mug, location=world.receiving).on_hand == 60


def test_two_deliveries_without_a_key_are_two_receipts(world: Any, api: Any) -> None:
    order = sent_order(world)
    line = order.lines.get()
    body = {"order": order.number, "lines": [{"line_id": line.pk, "quantity": "10"}]}
    clerk = api(world.clerk)

    answers = [post(clerk, "receipts/", body)[0] for _ in range(2)]

    assert answers == [201, 201]
    assert Receipt.objects.count() == 2


def test_goods_for_an_order_nobody_has_sent_or_known_are_refused(world: Any, api: Any) -> None:
    order = approved_order(world)
    lines = [{"line_id": order.lines.get().pk, "quantity": "1"}]

    not_sent = post(api(world.clerk), "receipts/", {"order": order.number, "lines": lines})
    unknown = post(api(world.clerk), "receipts/", {"order": "PO-999999", "lines": lines})
    elsewhere = post(
        api(world.clerk), "receipts/", {"order": order.number, "lines": lines, "location": world.north_shelf.pk}
    )

    assert (not_sent[0], not_sent[1]["code"]) == (409, "wrong_state")
    assert unknown[0] == 404
    assert elsewhere[0] in (409, 422)
    assert Receipt.objects.count() == 0


# --- plans, jobs, alerts ------------------------------------------------------------------------------------------


def test_a_plan_is_started_once_for_a_key_and_can_be_called_off(world: Any, api: Any) -> None:
    planner, key = api(world.planner), {"Idempotency-Key": "tonight"}

    first = planner.post("/api/v1/planning-runs/", {"as_of": "2026-03-01"}, headers=key)
    again = planner.post("/api/v1/planning-runs/", {"as_of": "2026-03-01"}, headers=key)
    job = planner.get(first.headers["Location"]).json()
    cancelled = post(planner, f"jobs/{job['id']}/cancel/")
    too_late = post(planner, f"jobs/{job['id']}/cancel/")

    assert (first.status_code, again.content) == (202, first.content)
    assert (job["kind"], job["state"], job["actor"]) == ("plan", "queued", "pia")
    assert job["parameters"] == {
        "as_of": "2026-03-01",
        "force": False,
        "mode": None,
        "is_update": False,
        "refreshes": True,
    }
    assert (cancelled[0], cancelled[1]["state"]) == (200, "cancelled")
    assert too_late[0] == 409
    assert Job.objects.filter(kind="plan").count() == 1


def test_an_alert_is_acknowledged_by_the_first_who_says_so(world: Any, api: Any) -> None:
    alert = Alert.objects.create(
        kind="failed_job", severity="warning", subject="j", message="m", opened_at=NOW, last_seen_at=NOW
    )
    path = f"alerts/{alert.pk}/acknowledge/"

    first, second = post(api(world.planner), path), post(api(world.clerk), path)
    alert.acknowledged_at, alert.acknowledged_by, alert.resolved_at = None, None, NOW
    alert.save()
    resolved = post(api(world.planner), path)

    assert (first[0], first[1]["acknowledged_by"]) == (200, "pia")
    assert (second[0], second[1]["acknowledged_by"]) == (200, "pia")
    assert (resolved[0], resolved[1]["code"]) == (409, "already_resolved")


@pytest.mark.parametrize("kind", ["accept", "change"])
def test_an_order_that_was_answered_shows_the_answer_in_its_line(world: Any, api: Any, kind: str) -> None:
    order = sent_order(world)
    line = order.lines.get()
    quantity = Decimal(90) if kind == "change" else None
    respond_to_order(order.pk, [LineAnswer(line.pk, kind, quantity=quantity)], actor=world.northwind_user, now=NOW)

    [shown] = api(world.viewer).get(f"/api/v1/purchase-orders/{order.number}/").json()["lines"]

    assert [answer["kind"] for answer in shown["responses"]] == [kind]
    assert shown["outstanding_quantity"] == "100"
