"""The supplier's pages: what they show, what they take, what they keep to themselves."""

import csv
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from procurement.models import PurchaseOrder
from procurement.portal.export import safe_cell
from procurement.services.confirmations import LineAnswer, decide_response, respond_to_order
from procurement.services.orders import approve_order, cancel_order, send_order
from procurement.services.receipts import ReceivedLine, receive_goods
from procurement.templatetags.portal import amount, price, units
from tests.cast import NOW, PASSWORD, World, make_user
from tests.procurement.buying import NEED_BY, confirmed_order, draft_order, sent_order

EARLIER, LATER = NEED_BY - timedelta(days=4), NEED_BY + timedelta(days=7)


def as_user(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="config.kernel.policy.RoleBackend")
    return client


@pytest.fixture
def portal(world: World, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Nora of Northwind, on the day of the cast."""
    monkeypatch.setattr("procurement.portal.views.timezone.now", lambda: NOW)
    return as_user(world.northwind_user)


def text_of(response: Any) -> str:
    """The page's words, one space between them."""
    import re

    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def answer(portal: Client, order: PurchaseOrder, line: Any, **fields: Any) -> Any:
    return portal.post(
        f"/portal/orders/{order.number}/respond/", {f"line-{line.pk}-{name}": value for name, value in fields.items()}
    )


# --- the door -----------------------------------------------------------------------------------------------------


def test_a_supplier_logs_in_and_lands_on_the_orders(world: World) -> None:
    order, client = sent_order(world), Client()
    asked = client.get("/portal/")
    assert (asked.status_code, asked["Location"]) == (302, "/portal/login/?next=/portal/")

    client.post("/portal/login/", {"username": "nora", "password": PASSWORD, "next": "/portal/"})

    assert order.number in text_of(client.get("/portal/"))
    assert client.get("/portal/login/")["Location"] == "/"
    assert client.get("/portal/logout/").status_code == 405
    client.post("/portal/logout/")
    assert client.get("/portal/").status_code == 302


def test_a_wrong_password_and_an_unknown_user_read_the_same(world: World) -> None:
    wrong = Client().post("/portal/login/", {"username": "nora", "password": "no"})
    unknown = Client().post("/portal/login/", {"username": "nobody", "password": "no"})

    assert (wrong.status_code, unknown.status_code) == (200, 200)
    refusal = "Please enter a correct username and password."
    assert refusal in text_of(wrong)
    assert refusal in text_of(unknown)


def test_login_does_not_send_anybody_to_another_site(world: World) -> None:
    response = Client().post(
        "/portal/login/", {"username": "nora", "password": PASSWORD, "next": "https://evil.example/"}
    )

    assert response["Location"] == "/"


@pytest.mark.parametrize("role", ["planner", "clerk", "viewer", "integration"])
def test_our_own_people_are_told_where_they_belong(world: World, role: str) -> None:
    order = sent_order(world)
    client = as_user(getattr(world, role))

    for address in ("/portal/", "/portal/orders.csv", f"/portal/orders/{order.number}/"):
        response = client.get(address)
        assert response.status_code == 403
        assert "These pages are for suppliers" in text_of(response)
        assert order.number not in text_of(response)
    assert client.post(f"/portal/orders/{order.number}/respond/", {"accept_all": "1"}).status_code == 403
    assert order.lines.get().status == "open"


def test_a_user_without_a_role_or_a_supplier_sees_no_order(world: World) -> None:
    from config.kernel.policy import SUPPLIER

    order = sent_order(world)

    assert as_user(make_user("nobody")).get("/portal/").status_code == 403
    unlinked = as_user(make_user("lost", SUPPLIER)).get("/portal/?status=all")
    assert unlinked.status_code == 200
    assert order.number not in text_of(unlinked)


# --- the list -----------------------------------------------------------------------------------------------------


def test_the_list_shows_what_waits_and_what_it_is_worth(world: World, portal: Client) -> None:
    order = sent_order(world, lamps=6)

    page = text_of(portal.get("/portal/"))

    assert "1 order waits for your answer." in page
    assert f"{order.number} Sent 2 lines to answer Deliver to Leeds" in page
    assert "470.00 GBP" in page


def test_drafts_and_approved_orders_are_none_of_the_suppliers_business(world: World, portal: Client) -> None:
    draft = draft_order(world)
    assert "No open orders" in text_of(portal.get("/portal/"))

    approve_order(draft.pk, actor=world.planner, now=NOW)

    assert draft.number not in text_of(portal.get("/portal/?status=all"))
    assert portal.get(f"/portal/orders/{draft.number}/").status_code == 404
    cancel_order(draft.pk, actor=world.planner, now=NOW)
    assert draft.number not in text_of(portal.get("/portal/?status=done"))


def test_each_filter_shows_its_orders(world: World, portal: Client) -> None:
    done = confirmed_order(world)
    receive_goods(done.pk, [ReceivedLine(done.lines.get().pk, Decimal(100))], key="k", actor=world.clerk, now=NOW)
    confirmed, unanswered = confirmed_order(world), sent_order(world)

    shown = {}
    for status in ("open", "to_answer", "confirmed", "done", "all", "nonsense"):
        page = text_of(portal.get("/portal/", {"status": status}))
        shown[status] = {o for o in (done, confirmed, unanswered) if o.number in page}

    assert shown == {
        "open": {confirmed, unanswered},
        "to_answer": {unanswered},
        "confirmed": {confirmed},
        "done": {done},
        "all": {done, confirmed, unanswered},
        "nonsense": {confirmed, unanswered},
    }


def test_search_finds_numbers_and_skus_and_says_when_it_finds_nothing(world: World, portal: Client) -> None:
    mugs, lamps = sent_order(world), sent_order(world, mugs=0, lamps=6)

    assert mugs.number in text_of(portal.get("/portal/?q=mug"))
    assert lamps.number not in text_of(portal.get("/portal/?q=mug"))
    assert lamps.number in text_of(portal.get("/portal/", {"q": lamps.number[-3:]}))
    assert "Nothing found for “<b>'”" in text_of(portal.get("/portal/?q=<b>'")).replace("&lt;", "<").replace(
        "&gt;", ">"
    ).replace("&#x27;", "'")
    assert portal.get("/portal/?q=%00&page=x&sort=%00").status_code == 200


def test_the_list_is_sorted_as_asked_and_paged_by_twenty_five(world: World, portal: Client) -> None:
    orders = [sent_order(world, mugs=10 * n) for n in range(1, 28)]

    def numbers(query: str) -> list[str]:
        return [order.number for order in portal.get(f"/portal/?{query}").context["page"]]

    assert numbers("sort=newest") == [o.number for o in reversed(orders[2:])]
    assert numbers("sort=newest&page=2") == [orders[1].number, orders[0].number]
    assert numbers("sort=oldest")[0] == orders[0].number
    assert numbers("sort=value")[0] == orders[-1].number
    assert "Page 2 of 2" in text_of(portal.get("/portal/?page=2"))


def test_the_list_costs_the_same_for_two_orders_and_for_twenty(
    world: World, portal: Client, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    sent_order(world, mugs=10)
    sent_order(world, mugs=20)
    with CaptureQueriesContext(connection) as two:
        portal.get("/portal/")
    for n in range(1, 19):
        sent_order(world, mugs=10 * n)

    with django_assert_num_queries(len(two)):
        portal.get("/portal/")


# --- the export ---------------------------------------------------------------------------------------------------


def test_the_export_is_what_the_list_shows_line_by_line(world: World, portal: Client) -> None:
    order = sent_order(world, lamps=6)
    world.mug.name = "=HYPERLINK(1)"
    world.mug.save()

    response = portal.get("/portal/orders.csv")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(response.content.decode("utf-8-sig").splitlines()))
    assert [(r["Order"], r["SKU"], r["Ordered"], r["Unit price"], r["Need by"]) for r in rows] == [
        (order.number, "MUG", "100", "3.5", "2026-03-16"),
        (order.number, "LAMP", "6", "20", "2026-03-16"),
    ]
    assert rows[0]["Name"] == "'=HYPERLINK(1)"
    assert portal.get("/portal/orders.csv?q=nothing").content.decode("utf-8-sig").count("\n") == 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\x00"])
def test_text_that_a_spreadsheet_would_run_is_quoted(start: str) -> None:
    assert safe_cell(f"{start}1+1") == "'" + f"{start}1+1".replace("\x00", "")


def test_numbers_stay_numbers() -> None:
    assert safe_cell(Decimal("-3.5")) == Decimal("-3.5")
    assert (units(Decimal("1200.500")), units(Decimal("100.000"))) == ("1,200.5", "100")
    assert (price(Decimal("3.5000")), price(Decimal("0.0125"))) == ("3.50", "0.0125")
    assert amount(Decimal("12345.675")) == "12,345.68"


# --- the order ----------------------------------------------------------------------------------------------------


def test_the_order_shows_its_lines_at_the_suppliers_own_price(world: World, portal: Client) -> None:
    order = sent_order(world)
    PurchaseOrder.objects.filter(pk=order.pk).update(note="Label <every> box")

    page = text_of(portal.get(f"/portal/orders/{order.number}/"))

    assert "1 MUG Mug To answer Ordered 100 Unit price 3.50 GBP Line total 350.00 GBP" in page
    assert "Need by 2026-03-16 Promised – Received 0" in page
    assert "Label &lt;every&gt; box" in page
    assert "Accept all lines as ordered" in page


def test_accept_all_lines_as_ordered_confirms_the_order(world: World, portal: Client) -> None:
    order = sent_order(world, lamps=6)

    response = portal.post(f"/portal/orders/{order.number}/respond/", {"accept_all": "1"}, follow=True)

    order.refresh_from_db()
    assert order.status == "confirmed"
    assert [line.promised_on for line in order.lines.all()] == [NEED_BY, NEED_BY]
    assert "Thank you. 2 lines were answered." in text_of(response)
    assert "Accept all" not in text_of(response)


def test_a_proposed_change_is_shown_until_the_planner_decides(world: World, portal: Client) -> None:
    order = sent_order(world)
    line = order.lines.get()

    sent = answer(portal, order, line, kind="change", quantity="80", promised_on=LATER.isoformat(), note="Kiln broke")

    assert (sent.status_code, sent["Location"]) == (302, f"/portal/orders/{order.number}/")
    page = text_of(portal.get(f"/portal/orders/{order.number}/"))
    assert "You proposed 80 units. You proposed delivery on 2026-03-23. The buyer has not decided yet" in page
    assert "Line 1 (MUG): change proposed Kiln broke" in page
    decide_response(line.responses.get().pk, accept=False, actor=world.planner, now=NOW)
    page = text_of(portal.get(f"/portal/orders/{order.number}/"))
    assert "The buyer declined your change. Please answer this line again as it was ordered." in page
    assert "Line 1: change declined" in page


def test_only_answered_lines_are_sent(world: World, portal: Client) -> None:
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()

    portal.post(
        f"/portal/orders/{order.number}/respond/",
        {
            f"line-{mugs.pk}-kind": "accept",
            f"line-{mugs.pk}-promised_on": EARLIER.isoformat(),
            f"line-{lamps.pk}-kind": "",
        },
    )

    assert [(x.status, x.promised_on) for x in order.lines.all()] == [("accepted", EARLIER), ("open", None)]


def test_a_rejection_asks_for_a_reason_before_anything_is_sent(world: World, portal: Client) -> None:
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()
    fields = {f"line-{mugs.pk}-kind": "accept", f"line-{lamps.pk}-kind": "reject"}

    response = portal.post(f"/portal/orders/{order.number}/respond/", fields)

    assert response.status_code == 422
    assert "Say why you cannot deliver this line." in text_of(response)
    assert [x.status for x in order.lines.all()] == ["open", "open"]
    portal.post(f"/portal/orders/{order.number}/respond/", {**fields, f"line-{lamps.pk}-note": "Not made any more"})
    assert [x.status for x in order.lines.all()] == ["accepted", "rejected"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"kind": "change", "quantity": "x"}, "Enter a number."),
        ({"kind": "change", "quantity": "1.2345"}, "Ensure that there are no more than 3 decimal places."),
        ({"kind": "change", "quantity": "-5"}, "has a quantity that must be greater than zero"),
        ({"kind": "change", "quantity": "NaN"}, "Enter a number."),
        ({"kind": "change", "promised_on": "soon"}, "Enter a valid date."),
        ({"kind": "accept", "promised_on": "2020-01-01"}, "is promised for a day that has passed"),
        ({"kind": "perhaps"}, "Select a valid choice."),
        ({"kind": "change", "quantity": "90", "note": "x" * 501}, "Ensure this value has at most 500 characters"),
        ({"kind": "change", "quantity": "90", "note": "a\x00b"}, "Null characters are not allowed."),
        ({"kind": ""}, "No line was answered."),
    ],
)
def test_a_wrong_answer_comes_back_with_its_reason_and_changes_nothing(
    world: World, portal: Client, fields: dict, why: str
) -> None:
    order = sent_order(world)

    response = answer(portal, order, order.lines.get(), **fields)

    assert response.status_code == 422
    assert why in text_of(response)
    assert order.lines.get().status == "open"


def test_a_late_notice_is_given_on_an_accepted_line_and_nothing_else_is(world: World, portal: Client) -> None:
    order = confirmed_order(world)
    line = order.lines.get()
    assert "Something has changed?" in text_of(portal.get(f"/portal/orders/{order.number}/"))

    assert answer(portal, order, line, kind="reject", note="no").status_code == 422
    answer(portal, order, line, kind="change", quantity="100", promised_on=LATER.isoformat(), note="Port strike")

    line.refresh_from_db()
    assert (line.status, line.promised_on) == ("change_proposed", NEED_BY)


def test_an_answer_that_comes_too_late_is_explained(world: World, portal: Client) -> None:
    order = sent_order(world)
    line = order.lines.get()
    cancel_order(order.pk, actor=world.planner, now=NOW)

    response = portal.post(f"/portal/orders/{order.number}/respond/", {"accept_all": "1"}, follow=True)
    again = answer(portal, order, line, kind="accept")

    assert f"{order.number} is cancelled and cannot be answered." in text_of(response)
    assert again.status_code == 302
    assert order.lines.get().status == "open"


def test_the_history_and_the_received_units_follow_the_deliveries(world: World, portal: Client) -> None:
    order = confirmed_order(world)
    rows = [ReceivedLine(order.lines.get().pk, Decimal(30))]
    receive_goods(order.pk, rows, key="k", actor=world.clerk, now=NOW + timedelta(days=9))

    page = text_of(portal.get(f"/portal/orders/{order.number}/"))

    assert "Goods received: MUG × 30" in page
    assert page.index("Goods received") < page.index("Order confirmed") < page.index("Order sent")
    assert "Received 30" in page


def test_the_printable_view_totals_what_was_not_rejected(world: World, portal: Client) -> None:
    order = sent_order(world, lamps=6)
    lamps = order.lines.get(line_number=2)
    respond_to_order(order.pk, [LineAnswer(lamps.pk, "reject")], actor=world.northwind_user, now=NOW)

    page = text_of(portal.get(f"/portal/orders/{order.number}/print/"))

    assert "Total without rejected lines 350.00 GBP" in page
    assert "Lamp (Rejected)" in page


# --- the fences ---------------------------------------------------------------------------------------------------


def test_no_page_carries_inline_code_and_every_page_forbids_it(world: World, portal: Client) -> None:
    order = sent_order(world)
    addresses = ["/portal/", f"/portal/orders/{order.number}/", f"/portal/orders/{order.number}/print/"]

    for response in [portal.get(a) for a in addresses] + [Client().get("/portal/login/")]:
        html = response.content.decode()
        assert "default-src 'self'" in response["Content-Security-Policy"]
        assert "unsafe-inline" not in response["Content-Security-Policy"]
        assert " style=" not in html
        assert "<style" not in html
        assert " onclick" not in html
        assert html.count("<script") == html.count("<script src=")
        assert "no-store" in response["Cache-Control"] or "no-cache" in response["Cache-Control"]


def test_an_answer_without_the_forms_token_is_refused(world: World) -> None:
    order = sent_order(world)
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.northwind_user, backend="config.kernel.policy.RoleBackend")

    response = client.post(f"/portal/orders/{order.number}/respond/", {"accept_all": "1"})

    assert response.status_code == 403
    assert order.lines.get().status == "open"


def test_a_role_taken_away_closes_the_pages_at_once(world: World, portal: Client) -> None:
    order = sent_order(world)
    assert portal.get("/portal/").status_code == 200

    world.northwind_user.groups.clear()

    assert portal.get("/portal/").status_code == 403
    assert portal.post(f"/portal/orders/{order.number}/respond/", {"accept_all": "1"}).status_code == 403


def test_the_language_is_switched_and_kept(world: World, portal: Client) -> None:
    portal.post("/i18n/setlang/", {"language": "zh-hans", "next": "/portal/"})

    page = portal.get("/portal/").content.decode()

    assert '<html lang="zh-hans">' in page


def test_a_mail_says_the_order_was_sent_in_words_a_supplier_reads(
    world: World, django_capture_on_commit_callbacks: Any, mailoutbox: Any
) -> None:
    order = approve_order(draft_order(world).pk, actor=world.planner, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        send_order(order.pk, actor=world.planner, now=NOW)

    assert mailoutbox[0].body.startswith("Dear Northwind,")


def test_an_accept_for_a_later_day_tells_the_supplier_that_it_waits_for_the_buyer(world: World, portal: Client) -> None:
    order = sent_order(world)
    line = order.lines.get()
    assert "A day later than “Need by” is sent as a change" in text_of(portal.get(f"/portal/orders/{order.number}/"))

    answer(portal, order, line, kind="accept", promised_on=LATER.isoformat())

    line.refresh_from_db()
    assert (line.status, line.promised_on) == ("change_proposed", None)
    shown = text_of(portal.get(f"/portal/orders/{order.number}/"))
    assert "Line 1 MUG waits for the buyer: the day is later than the one asked for." in shown


def test_nobody_promises_the_last_day_of_the_calendar(world: World, portal: Client) -> None:
    order = sent_order(world)

    response = answer(portal, order, order.lines.get(), kind="accept", promised_on="9999-12-31")

    assert response.status_code == 422
    assert "is promised for a day more than three years ahead" in text_of(response)
    assert order.lines.get().status == "open"
