"""A purchase order by hand: the form, its suggestions, and a line more on a draft's page."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from procurement.models import PurchaseOrder, SupplierItem
from tests.cast import World
from tests.kernel.test_export_admin import enter
from tests.procurement.buying import draft_order, sent_order
from tests.procurement.test_buying_admin import press, said

ORDERS = "/admin/procurement/purchaseorder/"


def send(client: Client, world: World, *rows: tuple[str, str], **more: Any) -> Any:
    form = {"supplier": world.northwind.pk, "warehouse": world.main.pk, "key": str(uuid4()), **more}
    return client.post(f"{ORDERS}new/", {**form, "sku": [r[0] for r in rows], "quantity": [r[1] for r in rows]})


def lines() -> list[tuple[str, Decimal]]:
    return list(PurchaseOrder.objects.get().lines.order_by("line_number").values_list("sku__code", "quantity"))


def test_the_page_asks_for_supplier_and_warehouse_first(world: World) -> None:
    planner = enter(world.planner)

    assert "New purchase order" in planner.get(ORDERS).content.decode()
    first = planner.get(f"{ORDERS}new/").content.decode()
    then = planner.get(f"{ORDERS}new/?supplier={world.northwind.pk}&warehouse={world.main.pk}").content.decode()

    assert "Put on the draft" not in first
    assert "Put on the draft" in then
    assert "There is an open draft" not in then


def test_several_items_make_one_draft_and_lead_to_it(world: World) -> None:
    response = send(enter(world.planner), world, ("MUG", "100"), ("lamp", "20"), ("", ""))

    order = PurchaseOrder.objects.get()
    assert lines() == [("MUG", Decimal(100)), ("LAMP", Decimal(20))]
    assert (order.status, order.supplier, order.warehouse, order.created_by) == (
        "draft", world.northwind, world.main, world.planner,
    )  # fmt: skip
    assert response.headers["Location"] == f"{ORDERS}{order.pk}/change/"
    assert said(response) == [f"2 lines are on {order.number}."]


def test_pressing_twice_orders_once(world: World) -> None:
    planner, key = enter(world.planner), str(uuid4())

    send(planner, world, ("MUG", "100"), key=key)
    second = send(planner, world, ("MUG", "100"), key=key)

    assert lines() == [("MUG", Decimal(100))]
    assert said(second)[-1] == f"This had been added to {PurchaseOrder.objects.get().number} already."


def test_the_same_form_with_other_lines_is_refused(world: World) -> None:
    planner, key = enter(world.planner), str(uuid4())
    send(planner, world, ("MUG", "100"), key=key)

    second = send(planner, world, ("MUG", "105"), key=key)

    assert said(second)[-1] == "This form was sent before with other lines; load the page again."
    assert lines() == [("MUG", Decimal(100))]


def test_an_open_draft_is_named_and_gets_the_lines(world: World) -> None:
    draft, planner = draft_order(world, mugs=100), enter(world.planner)

    page = planner.get(f"{ORDERS}new/?supplier={world.northwind.pk}&warehouse={world.main.pk}").content.decode()
    send(planner, world, ("LAMP", "20"))

    assert f'href="{ORDERS}{draft.pk}/change/">{draft.number}' in page
    assert lines() == [("MUG", Decimal(100)), ("LAMP", Decimal(20))]


def test_every_line_that_cannot_be_ordered_is_said_nothing_is_and_what_was_typed_stays(world: World) -> None:
    response = send(enter(world.planner), world, ("MUG", "52"), ("TEA", "5"), ("NOPE", "1"), ("LAMP", "20"))

    told = " ".join(said(response))
    assert response.status_code == 200
    assert "52 is not a multiple of the pack size of 5" in told
    assert "does not sell TEA" in told
    assert "There is no SKU NOPE." in told
    assert not PurchaseOrder.objects.exists()
    assert 'value="NOPE"' in response.content.decode()
    assert send(enter(world.planner), world, ("LAMP", "20")).status_code == 302


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("MUG", "abc")], "“abc” is not a number."),
        ([("MUG", "")], "Every line needs a SKU and a quantity: MUG"),
        ([("", "5")], "Every line needs a SKU and a quantity: –"),
        ([], "Enter at least one SKU with a quantity."),
        ([("MUG", "-5")], "Nothing was ordered."),
    ],
)
def test_what_makes_no_sense_is_said(world: World, rows: list[tuple[str, str]], told: str) -> None:
    assert said(send(enter(world.planner), world, *rows))[0].startswith(told)
    assert not PurchaseOrder.objects.exists()


def test_a_supplier_or_warehouse_that_is_not_there_is_asked_for_again(world: World) -> None:
    planner = enter(world.planner)

    for wrong in ({"supplier": "9" * 30}, {"supplier": "x"}, {"warehouse": "0"}, {"warehouse": "²"}):
        response = send(planner, world, ("MUG", "100"), **wrong)
        assert said(response)[-1] == "Choose a supplier and a warehouse."


def test_suggestions_are_the_supplier_s_items_only(world: World) -> None:
    planner = enter(world.planner)

    def suggested(**asked: Any) -> list[str]:
        found = planner.get(f"{ORDERS}new/items/", asked).json()["items"]
        return [item["value"] for item in found]

    assert suggested(supplier=world.northwind.pk) == ["LAMP", "MUG"]
    assert suggested(supplier=world.northwind.pk, q="mu") == ["MUG"]
    assert suggested(supplier=world.northwind.pk, q="tea") == []
    assert suggested(supplier=world.outsider.pk, q="TEA") == ["TEA"]
    assert suggested() == []
    SupplierItem.objects.filter(sku=world.mug).update(is_active=False)
    assert suggested(supplier=world.northwind.pk) == ["LAMP"]


def test_a_line_is_added_to_a_draft_once_and_taken_off_again(world: World) -> None:
    order, planner = draft_order(world, mugs=100), enter(world.planner)
    form = {"sku": "LAMP", "quantity": "20", "key": "form-1"}
    assert 'name="sku"' in planner.get(f"{ORDERS}{order.pk}/change/").content.decode()

    press(planner, order, "add-line", **form)
    press(planner, order, "add-line", **form)
    assert lines() == [("MUG", Decimal(100)), ("LAMP", Decimal(20))]

    press(planner, order, "remove-line", line=order.lines.get(sku=world.mug).pk)
    assert lines() == [("LAMP", Decimal(20))]


def test_a_line_for_an_order_that_is_no_draft_any_more_opens_no_other_draft(world: World) -> None:
    order = sent_order(world, mugs=100)

    response = press(enter(world.planner), order, "add-line", sku="LAMP", quantity="20", key="k")

    assert said(response) == ["This order is no draft any more; load the page again."]
    assert lines() == [("MUG", Decimal(100))]


@pytest.mark.parametrize("role", ["clerk", "viewer"])
def test_others_find_no_button_and_may_order_nothing(world: World, role: str) -> None:
    order, client = draft_order(world, mugs=100), enter(getattr(world, role))

    assert "New purchase order" not in client.get(ORDERS).content.decode()
    assert 'name="sku"' not in client.get(f"{ORDERS}{order.pk}/change/").content.decode()
    assert client.get(f"{ORDERS}new/").status_code == 403
    assert client.get(f"{ORDERS}new/items/?supplier={world.northwind.pk}").status_code == 403
    assert send(client, world, ("LAMP", "20")).status_code == 403
    assert press(client, order, "add-line", sku="LAMP", quantity="20").status_code == 403
    assert lines() == [("MUG", Decimal(100))]
