"""A supplier against another (S2): on every page and through every selector, nothing of the other is there.

Northwind is the neighbour whose order, line, answer and receipt exist; Otto of the outsider looks for them.
"""

import csv
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from procurement.models import (
    LineResponse,
    PurchaseOrder,
    PurchaseOrderEvent,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
)
from procurement.portal import urls
from procurement.selectors import order_history, orders_found, orders_to_answer, supplier_portal_orders
from procurement.services.confirmations import LineAnswer, respond_to_order
from procurement.services.receipts import ReceivedLine, receive_goods
from tests.cast import NOW, World
from tests.procurement.buying import make_proposal, sent_order

VISIBLE = (PurchaseOrder, PurchaseOrderLine, LineResponse, Receipt, ReceiptLine)


@pytest.fixture
def theirs(world: World) -> PurchaseOrder:
    """Northwind's order: one line answered and received in part, one waiting for a decision."""
    order = sent_order(world, lamps=6)
    mugs, lamps = order.lines.all()
    answers = [LineAnswer(mugs.pk, "accept"), LineAnswer(lamps.pk, "change", quantity=Decimal(5), note="secret")]
    respond_to_order(order.pk, answers, actor=world.northwind_user, now=NOW)
    receive_goods(order.pk, [ReceivedLine(mugs.pk, Decimal(7))], key="k", actor=world.clerk, now=NOW)
    return order


@pytest.fixture
def otto(world: World) -> Client:
    client = Client()
    client.force_login(world.outsider_user, backend="config.kernel.policy.RoleBackend")
    return client


def secrets(order: PurchaseOrder) -> list[str]:
    return [order.number, "MUG", "LAMP", "Northwind", "secret", *order.receipts.values_list("number", flat=True)]


def test_the_neighbours_rows_exist_and_the_neighbour_sees_them(world: World, theirs: PurchaseOrder) -> None:
    """The control: what follows proves nothing unless there is something to see."""
    assert [model.objects.for_actor(world.northwind_user).count() for model in VISIBLE] == [1, 2, 2, 1, 1]


def test_no_model_shows_the_outsider_a_row(world: World, theirs: PurchaseOrder) -> None:
    assert [model.objects.for_actor(world.outsider_user).count() for model in VISIBLE] == [0, 0, 0, 0, 0]


def test_no_model_but_the_named_ones_shows_a_supplier_anything(world: World, theirs: PurchaseOrder) -> None:
    make_proposal(world, world.mug, 40)
    seen = {
        model
        for model in apps.get_models()
        if hasattr(model._default_manager, "for_actor")
        and model._default_manager.for_actor(world.northwind_user).exists()
    }

    assert seen == set(VISIBLE)
    assert PurchaseOrderEvent.objects.exists()


def test_every_selector_gives_the_outsider_nothing(world: World, theirs: PurchaseOrder) -> None:
    mine = supplier_portal_orders(world.outsider_user)

    assert list(mine) == []
    assert list(orders_to_answer(mine)) == []
    assert list(orders_found(mine, "MUG")) == []
    told = [entry.text for entry in order_history(theirs, world.outsider_user)]
    assert told == ["Order sent"]


@pytest.mark.parametrize("page", ["", "print/"])
def test_the_neighbours_order_reads_like_one_that_does_not_exist(
    world: World, otto: Client, theirs: PurchaseOrder, page: str
) -> None:
    real = otto.get(f"/portal/orders/{theirs.number}/{page}")
    invented = otto.get(f"/portal/orders/PO-999999/{page}")

    assert (real.status_code, invented.status_code) == (404, 404)
    words = real.content.decode().replace(theirs.number, "PO-999999")
    assert without_tokens(words) == without_tokens(invented.content.decode())


def without_tokens(html: str) -> list[str]:
    return [line for line in html.splitlines() if "csrfmiddlewaretoken" not in line]


def test_the_neighbours_order_cannot_be_answered(world: World, otto: Client, theirs: PurchaseOrder) -> None:
    before = list(PurchaseOrderLine.objects.order_by("pk").values()), LineResponse.objects.count()
    line = theirs.lines.get(line_number=2)

    for fields in ({"accept_all": "1"}, {f"line-{line.pk}-kind": "reject", f"line-{line.pk}-note": "no"}):
        assert otto.post(f"/portal/orders/{theirs.number}/respond/", fields).status_code == 404

    assert (list(PurchaseOrderLine.objects.order_by("pk").values()), LineResponse.objects.count()) == before


def test_a_neighbours_line_cannot_be_smuggled_into_ones_own_answer(
    world: World, otto: Client, theirs: PurchaseOrder
) -> None:
    mine, line = sent_order(world, supplier=world.outsider, mugs=5), theirs.lines.get(line_number=1)
    before = PurchaseOrderLine.objects.filter(order=theirs).order_by("pk").values_list("status", "promised_on")
    stood = list(before)

    response = otto.post(
        f"/portal/orders/{mine.number}/respond/",
        {f"line-{line.pk}-kind": "change", f"line-{line.pk}-quantity": "1"},
    )

    assert response.status_code == 422
    assert list(before.all()) == stood
    assert LineResponse.objects.filter(line=line).count() == 1


@pytest.mark.parametrize(
    "query",
    [
        "",
        "status=all",
        "status=done",
        "status=to_answer",
        "status=confirmed",
        "q=MUG",
        "q=LAMP&status=all",
        "q=PO&status=all",
        "q=%25&status=all",
        "sort=value&status=all",
        "sort=due&status=all",
        "page=2&status=all",
        "supplier=NORTHWIND&status=all",
        "warehouse=MAIN&supplier__code=NORTHWIND",
    ],
)
def test_no_filter_search_order_or_export_tells_of_the_neighbour(
    world: World, otto: Client, theirs: PurchaseOrder, query: str
) -> None:
    page, export = otto.get(f"/portal/?{query}"), otto.get(f"/portal/orders.csv?{query}")

    assert (page.status_code, export.status_code) == (200, 200)
    assert page.context["page"].paginator.count == 0
    assert page.context["to_answer"] == 0
    assert list(csv.DictReader(export.content.decode("utf-8-sig").splitlines())) == []
    typed = query.partition("q=")[2].partition("&")[0]
    for word in secrets(theirs):
        assert word == typed or word.encode() not in page.content, word
        assert word.encode() not in export.content, word


def test_ones_own_order_shows_nothing_of_the_neighbour_nor_of_us(
    world: World, otto: Client, theirs: PurchaseOrder
) -> None:
    make_proposal(world, world.tea, 40)
    mine = sent_order(world, supplier=world.outsider, mugs=5)

    html = "".join(
        otto.get(f"/portal/{page}").content.decode()
        for page in ("", "orders.csv", f"orders/{mine.number}/", f"orders/{mine.number}/print/")
    )

    assert mine.number in html
    for word in (*secrets(theirs), "pia", "carl", world.planner.email, "OUTSIDER@", "proposal", "on_hand"):
        assert word not in html, word


def test_an_inactive_supplier_sees_nothing_any_more(world: World, theirs: PurchaseOrder) -> None:
    client = Client()
    client.force_login(world.northwind_user, backend="config.kernel.policy.RoleBackend")
    assert client.get(f"/portal/orders/{theirs.number}/").status_code == 200

    world.northwind.is_active = False
    world.northwind.save()

    assert client.get(f"/portal/orders/{theirs.number}/").status_code == 404
    assert client.get("/portal/?status=all").context["page"].paginator.count == 0


def test_every_address_of_the_portal_is_looked_at_here() -> None:
    """A new page fails this test until it is asked about the neighbour above."""
    assert {pattern.name for pattern in urls.urlpatterns} == {
        "orders",
        "login",
        "logout",
        "export",
        "order",
        "respond",
        "print",
    }


def test_a_supplier_may_do_nothing_but_read_and_answer(world: World) -> None:
    rights: Any = world.northwind_user.get_all_permissions()

    assert rights == {
        "procurement.view_purchaseorder",
        "procurement.view_purchaseorderline",
        "procurement.view_lineresponse",
        "procurement.view_receipt",
        "procurement.view_receiptline",
        "procurement.respond_purchaseorder",
    }
