"""A supplier against another over the API (S2), and what a supplier's documents hold at all (S4).

Northwind is the neighbour whose order, answer and receipt exist; Otto of the outsider looks for them.
"""

from decimal import Decimal
from typing import Any

import pytest

from procurement.models import LineResponse, PurchaseOrder, PurchaseOrderLine, Receipt
from procurement.services.confirmations import LineAnswer, respond_to_order
from procurement.services.receipts import ReceivedLine, receive_goods
from tests.cast import NOW, World
from tests.permissions.test_every_route import INSIDE, TABLE, S
from tests.procurement.buying import draft_order, make_proposal, sent_order

# They answer a question and have no page for a row.
ANSWERS = (
    "scan",
    "events",
    "stock-value",
    "cost-of-goods",
    "putaway",
    "available-to-promise",
    "forecast-accuracy",
    "forecast-value-added",
    "signals",
    "recommendable",
)
MINE = ("purchase-orders", "line-responses", "receipts")


@pytest.fixture
def theirs(world: World) -> PurchaseOrder:
    """Northwind's order: one line answered and received in part, one to be decided; and a draft nobody sent."""
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()
    answers = [LineAnswer(mugs.pk, "accept"), LineAnswer(lamps.pk, "change", quantity=Decimal(5), note="secret")]
    respond_to_order(order.pk, answers, actor=world.northwind_user, now=NOW)
    receive_goods(order.pk, [ReceivedLine(mugs.pk, Decimal(7))], key="k", actor=world.clerk, now=NOW)
    draft_order(world)
    return order


@pytest.fixture
def otto(world: World, api: Any) -> Any:
    return api(world.outsider_user)


def secrets(order: PurchaseOrder) -> list[str]:
    return [order.number, "MUG", "LAMP", "NORTHWIND", "secret", *order.receipts.values_list("number", flat=True)]


def rows(client: Any, path: str) -> list[dict]:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_the_neighbour_sees_what_was_sent_and_no_draft(world: World, api: Any, theirs: PurchaseOrder) -> None:
    """The control: what follows proves nothing unless there is something to see."""
    nora = api(world.northwind_user)

    assert [len(rows(nora, f"{resource}/")) for resource in MINE] == [1, 2, 1]
    assert PurchaseOrder.objects.count() == 2


@pytest.mark.parametrize(
    "query",
    [
        "",
        "page_size=200",
        "page_size=1",
        "ordering=created_at",
        "ordering=-sent_at",
        "status=sent",
        "status__in=draft,approved,sent,confirmed,partially_received,received,cancelled",
        "supplier=NORTHWIND",
        "warehouse=MAIN",
        "sku=MUG",
        "created_at__gte=2000-01-01T00:00:00Z",
        "number={number}",
    ],
)
def test_no_filter_ordering_or_page_size_shows_the_neighbours_orders(
    world: World, otto: Any, theirs: PurchaseOrder, query: str
) -> None:
    answer = otto.get("/api/v1/purchase-orders/?" + query.format(number=theirs.number))

    assert answer.status_code == 200
    assert answer.json() == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize(
    "path",
    [
        "line-responses/",
        "line-responses/?decision=pending",
        "line-responses/?kind=change",
        "line-responses/?order={number}",
        "line-responses/?ordering=responded_at",
        "receipts/",
        "receipts/?order={number}",
        "receipts/?delivery_note=",
        "receipts/?ordering=-received_at",
    ],
)
def test_no_list_shows_the_neighbours_answers_and_receipts(
    world: World, otto: Any, theirs: PurchaseOrder, path: str
) -> None:
    answer = otto.get("/api/v1/" + path.format(number=theirs.number))

    assert answer.status_code == 200
    assert answer.json() == {"next": None, "previous": None, "results": []}


def test_a_cursor_of_the_neighbour_opens_nothing(world: World, api: Any, otto: Any, theirs: PurchaseOrder) -> None:
    following = api(world.northwind_user).get("/api/v1/line-responses/?page_size=1").json()["next"]

    assert otto.get(following).json()["results"] == []


def test_the_neighbours_documents_read_like_ones_that_do_not_exist(
    world: World, otto: Any, theirs: PurchaseOrder
) -> None:
    answer_id = LineResponse.objects.get(decision="pending").pk
    pairs = [
        (f"purchase-orders/{theirs.number}/", "purchase-orders/PO-999999/"),
        (f"line-responses/{answer_id}/", "line-responses/999999/"),
        (f"receipts/{Receipt.objects.get().number}/", "receipts/GR-999999/"),
    ]

    for real, invented in pairs:
        first, second = otto.get(f"/api/v1/{real}"), otto.get(f"/api/v1/{invented}")
        assert (first.status_code, first.content) == (404, second.content)


def test_the_neighbours_order_cannot_be_answered_nor_its_lines_smuggled_in(
    world: World, otto: Any, theirs: PurchaseOrder
) -> None:
    mine, line = sent_order(world, supplier=world.outsider, mugs=5), theirs.lines.get(line_number=1)
    before = list(PurchaseOrderLine.objects.filter(order=theirs).order_by("pk").values()), LineResponse.objects.count()
    body = {"answers": [{"line_id": line.pk, "kind": "change", "quantity": "1"}]}

    theirs_answer = otto.post(f"/api/v1/purchase-orders/{theirs.number}/respond/", body)
    smuggled = otto.post(f"/api/v1/purchase-orders/{mine.number}/respond/", body)

    assert (theirs_answer.status_code, smuggled.status_code) == (404, 422)
    for word in secrets(theirs):
        assert word.encode() not in smuggled.content
    after = list(PurchaseOrderLine.objects.filter(order=theirs).order_by("pk").values()), LineResponse.objects.count()
    assert after == before


def test_one_suppliers_key_tells_another_nothing(world: World, api: Any, otto: Any, theirs: PurchaseOrder) -> None:
    mine, key = sent_order(world, supplier=world.outsider, mugs=5), {"Idempotency-Key": "answer-1"}
    lamps = theirs.lines.get(line_number=1)
    nora = api(world.northwind_user)
    body = {"answers": [{"line_id": lamps.pk, "kind": "change", "quantity": "90"}]}
    path = f"/api/v1/purchase-orders/{theirs.number}/respond/"

    first = nora.post(path, body, headers=key)
    replay = otto.post(path, body, headers=key)
    own = otto.post(
        f"/api/v1/purchase-orders/{mine.number}/respond/",
        {"answers": [{"line_id": mine.lines.get().pk, "kind": "accept"}]},
        headers=key,
    )

    assert (first.status_code, replay.status_code, own.status_code) == (200, 404, 200)


def test_a_supplier_is_refused_everywhere_else(world: World, otto: Any, theirs: PurchaseOrder) -> None:
    make_proposal(world, world.mug, 40)

    for resource, rules in TABLE.items():
        if "read" in rules and S not in rules["read"]:
            rows = [] if resource in ANSWERS else [f"/api/v1/{resource}/1/"]
            for path in (f"/api/v1/{resource}/", *rows):
                answer = otto.get(path)
                assert answer.status_code == 403, path
                assert set(answer.json()) == {"type", "title", "status", "detail", "code"}
    assert all(rules["read"] >= INSIDE - {"clerk"} for rules in TABLE.values() if "read" in rules)


def test_an_inactive_supplier_sees_nothing_any_more(world: World, api: Any, theirs: PurchaseOrder) -> None:
    nora = api(world.northwind_user)
    world.northwind.is_active = False
    world.northwind.save()

    assert [len(rows(nora, f"{resource}/")) for resource in MINE] == [0, 0, 0]
    assert nora.get(f"/api/v1/purchase-orders/{theirs.number}/").status_code == 404


def test_a_role_taken_away_counts_at_once(world: World, api: Any, theirs: PurchaseOrder) -> None:
    nora = api(world.northwind_user)
    world.northwind_user.groups.clear()

    assert nora.get("/api/v1/purchase-orders/").status_code == 403


# --- S4: the fields a supplier may read ---------------------------------------------------------------------------

ORDER = {
    "number",
    "supplier",
    "warehouse",
    "status",
    "currency",
    "note",
    "created_at",
    "approved_at",
    "sent_at",
    "confirmed_at",
    "closed_at",
    "lines",
}
LINE = {
    "id",
    "line_number",
    "sku",
    "sku_name",
    "status",
    "quantity",
    "original_quantity",
    "unit_cost",
    "need_by",
    "promised_on",
    "expected_on",
    "received_quantity",
    "outstanding_quantity",
    "responses",
}
ANSWER = {"id", "kind", "proposed_quantity", "proposed_on", "note", "decision", "responded_at", "decided_at"}
RECEIPT = {"number", "order", "delivery_note", "received_at", "recorded_at", "lines"}


def test_a_supplier_reads_these_fields_and_no_others(world: World, api: Any, theirs: PurchaseOrder) -> None:
    """A new field must be allowed here first: nothing of our costs, prices, stock, plans or people."""
    nora = api(world.northwind_user)
    [order], [receipt] = rows(nora, "purchase-orders/"), rows(nora, "receipts/")

    assert set(order) == ORDER
    assert set(order["lines"][0]) == LINE
    assert set(order["lines"][0]["responses"][0]) == ANSWER
    assert set(rows(nora, "line-responses/")[0]) == ANSWER | {"order", "line_id", "line_number", "sku"}
    assert set(receipt) == RECEIPT
    assert set(receipt["lines"][0]) == {"line_id", "line_number", "sku", "quantity"}


def test_a_supplier_reads_no_word_about_us(world: World, api: Any, theirs: PurchaseOrder) -> None:
    make_proposal(world, world.tea, 40)
    nora = api(world.northwind_user)

    text = b"".join(nora.get(f"/api/v1/{resource}/").content for resource in MINE).decode()

    # 4.00 and 20.00 are Northwind's own prices; 9.00, 45.00 and 2.00 are ours.
    for word in ("OUTSIDER", "pia", "carl", "9.0000", "45.0000", "2.0000", "proposal", "on_hand", "margin", "actor"):
        assert word not in text.replace("change_proposed", "").replace("proposed_", ""), word


@pytest.mark.parametrize("field", ["unit_cost", "status", "promised_on", "quantity"])
def test_what_a_supplier_may_not_write_is_not_written(
    world: World, api: Any, theirs: PurchaseOrder, field: str
) -> None:
    nora = api(world.northwind_user)
    before = list(PurchaseOrderLine.objects.order_by("pk").values())

    patched = nora.patch(f"/api/v1/purchase-orders/{theirs.number}/lines/1/", {field: "1"})
    ordered = nora.post("/api/v1/purchase-orders/", {field: "1"})

    assert (patched.status_code, ordered.status_code) == (403, 403)
    assert list(PurchaseOrderLine.objects.order_by("pk").values()) == before
