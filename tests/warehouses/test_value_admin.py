"""Stock value, landed costs and the change of valuation as a planner meets them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import OPENED_AT, World
from tests.kernel.test_export_admin import enter
from tests.procurement.test_buying_admin import said
from tests.warehouses.test_cost_of_goods import sold
from tests.warehouses.test_valuation import book, open_layers
from warehouses.models import LandedCost
from warehouses.selectors.company import stock_rules

pytestmark = pytest.mark.django_db
VALUE = "/admin/warehouses/stockvalue/"
COSTS = "/admin/warehouses/landedcost/"


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_page_shows_totals_rows_and_the_way_to_the_movements(world: World) -> None:
    shown = text(enter(world.viewer).get(VALUE))

    assert "320.00" in shown
    assert "240.00" in shown
    assert f"/admin/warehouses/stockmovement/?sku__id__exact={world.mug.pk}" in shown
    assert "Stock value, half a year" in shown


def test_a_minute_means_its_end_and_the_time_is_the_viewers(world: World) -> None:
    client = enter(world.viewer)
    opened = timezone.localtime(OPENED_AT)

    then = text(client.get(VALUE, {"at": opened.strftime("%Y-%m-%dT%H:%M")}))
    before = text(client.get(VALUE, {"at": (opened - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M")}))

    assert "320.00" in then
    assert "Nothing was in stock then." in before


def test_one_warehouse_one_sku_and_the_other_clock(world: World) -> None:
    client = enter(world.planner)

    assert "80.00" in text(client.get(VALUE, {"warehouse": "NORTH", "sku": "MUG"}))
    # The cast's stock of January was written when the test ran.
    assert "Nothing was in stock then." in text(client.get(VALUE, {"at": "2026-03-02T09:00", "clock": "recorded"}))


@pytest.mark.parametrize(
    "asked", [{"at": "soon"}, {"sku": "NONE"}, {"after": "x-y"}, {"clock": "sun"}, {"at": "9999-12-31T23:59"}]
)
def test_what_cannot_be_read_breaks_nothing(world: World, asked: dict) -> None:
    assert enter(world.viewer).get(VALUE, asked).status_code == 200


def test_the_export_holds_every_row_of_the_moment(world: World) -> None:
    answer = enter(world.viewer).get(f"{VALUE}export/", {"at": "2026-03-02T09:00", "warehouse": "MAIN"})

    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "sku,name,warehouse,quantity,value,at,clock"
    assert [line.split(",")[:5] for line in lines[1:]] == [
        ["MUG", "Mug", "MAIN", "100.000", "200.0000"],
        ["LAMP", "Lamp", "MAIN", "20.000", "40.0000"],
    ]


def test_a_clerk_sees_no_values(world: World) -> None:
    client = enter(world.clerk)
    order, _shipment = sold(world, "A", 4, sku="MUG")

    for address in (VALUE, f"{VALUE}export/", COSTS, f"{COSTS}new/", "/admin/warehouses/balancesheet/"):
        assert client.get(address).status_code == 403
    assert "Cost of goods sold" not in text(client.get(f"/admin/warehouses/salesorder/{order.pk}/change/"))


def test_orders_and_shipments_show_what_their_goods_had_cost(world: World) -> None:
    order, shipment = sold(world, "A", 4, sku="MUG")
    client = enter(world.viewer)

    for page in (f"salesorder/{order.pk}", f"shipment/{shipment.pk}"):
        shown = text(client.get(f"/admin/warehouses/{page}/change/"))
        assert "Cost of goods sold" in shown
        assert "8.00" in shown


def test_a_planner_changes_the_valuation_and_a_viewer_cannot(world: World) -> None:
    book("receipt", world.tea, world.shelf, 1, "2.00")
    book("receipt", world.tea, world.shelf, 1, "4.00")
    rules = stock_rules()
    address = f"/admin/warehouses/stockrules/{rules.pk}/do/switch-valuation/"

    assert enter(world.viewer).post(address).status_code == 403
    answer = enter(world.planner).post(address, follow=True)

    assert said(answer) == ["Stock is now valued by: Moving average."]
    assert stock_rules().valuation == "avco"
    assert open_layers(world.tea) == [(2, 6)]


def test_a_landed_cost_is_typed_refused_corrected_and_recorded(world: World) -> None:
    book("receipt", world.tea, world.shelf, 10, "2.00", reference="GR-1")
    client = enter(world.planner)
    form = {"kind": "duty", "basis": "value", "amount": "1,005.00", "receipts": "GR-1, GR-2", "note": "", "key": "k"}
    assert "New landed cost" in text(client.get(COSTS))

    refused = client.post(f"{COSTS}new/", form)
    assert "There is no receipt GR-2." in text(refused)
    assert 'value="1,005.00"' in refused.content.decode()

    done = client.post(f"{COSTS}new/", form | {"receipts": "GR-1"}, follow=True)
    assert said(done) == ["Recorded."]
    assert "1,005.00" in text(done)
    assert open_layers(world.tea) == [(10, 1025)]
    assert said(client.post(f"{COSTS}new/", form | {"receipts": "GR-1"}, follow=True)) == [
        "This had been recorded already."
    ]
    assert LandedCost.objects.count() == 1


@pytest.mark.parametrize(
    "wrong", [{"amount": "1,5"}, {"amount": "lots"}, {"happened_at": "soon"}, {"kind": "x"}, {"basis": ""}]
)
def test_a_landed_cost_that_cannot_be_read_is_refused(world: World, wrong: dict) -> None:
    book("receipt", world.tea, world.shelf, 10, "2.00", reference="GR-1")
    form = {"kind": "duty", "basis": "value", "amount": "5", "receipts": "GR-1", "key": "k"}

    assert enter(world.planner).post(f"{COSTS}new/", form | wrong).status_code == 200
    assert not LandedCost.objects.exists()
