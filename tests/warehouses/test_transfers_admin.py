"""Transfers on their pages: written, held, sent, received, written off; moves and statuses on a level's page."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import KitPart
from tests.cast import NOW, World, make_location, make_lot, make_sku, put_stock
from tests.kernel.test_export_admin import enter
from tests.procurement.test_buying_admin import said
from tests.warehouses.test_shipping_admin import press
from warehouses.models import Location, StockLevel, Transfer
from warehouses.services.adjustments import adjust_stock
from warehouses.services.transfers import TransferItem, create_transfer, reserve_transfer, ship_transfer

pytestmark = pytest.mark.django_db


def page(user: Any, address: str) -> str:
    response = enter(user).get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def form(**more: Any) -> dict[str, Any]:
    return {
        "source": "MAIN",
        "destination": "NORTH",
        "key": "admin:form-1",
        "sku": ["MUG", "LAMP", ""],
        "quantity": ["30", "2", ""],
        "unit": ["", "", ""],
        "lot": ["", "", ""],
        **more,
    }


def sent(world: World, units: int = 30) -> Transfer:
    items = [TransferItem("MUG", Decimal(units))]
    transfer, _new = create_transfer(items, source_code="MAIN", destination_code="NORTH", key="T", now=NOW)
    reserve_transfer(transfer.pk, now=NOW)
    return ship_transfer(transfer.pk, key="S", now=NOW)


def test_a_clerk_writes_a_transfer_and_takes_it_its_whole_way(world: World) -> None:
    clerk = enter(world.clerk)
    assert "New transfer" in clerk.get("/admin/warehouses/transfer/").content.decode()
    assert clerk.get("/admin/warehouses/transfer/new/").status_code == 200

    made = clerk.post("/admin/warehouses/transfer/new/", form())
    transfer = Transfer.objects.get()
    assert made["Location"] == f"/admin/warehouses/transfer/{transfer.pk}/change/"
    clerk.post("/admin/warehouses/transfer/new/", form())
    assert Transfer.objects.count() == 1

    press(clerk, transfer, "reserve")
    assert "Send the goods" in page(world.clerk, made["Location"])
    press(clerk, transfer, "ship", **{"ship-1": "30", "ship-2": "2", "key": "a"})
    assert "Take in" in page(world.clerk, made["Location"])
    press(clerk, transfer, "receive", **{"good-1": "28", "damaged-1": "1", "good-2": "2", "key": "b"})
    press(clerk, transfer, "close-short")

    transfer.refresh_from_db()
    assert transfer.status == "received"
    lines = transfer.lines.order_by("pk").values_list("received_quantity", "lost_quantity")
    assert list(lines) == [(29, 1), (2, 0)]
    assert "Transfer in" in page(world.viewer, made["Location"])


def test_what_was_typed_stays_when_it_is_refused(world: World) -> None:
    refused = enter(world.clerk).post("/admin/warehouses/transfer/new/", form(sku=["CUP", "LAMP", ""]), follow=True)

    text = refused.content.decode()
    assert "There is no SKU CUP." in text
    assert 'value="CUP"' in text
    assert not Transfer.objects.exists()


def test_more_than_is_under_way_is_refused_on_the_page(world: World) -> None:
    transfer = sent(world)

    answer = press(enter(world.clerk), transfer, "receive", **{"good-1": "31", "key": "b"})

    assert any("Only 30 of this line are under way." in text for text in said(answer))


def test_a_viewer_looks_and_may_do_nothing(world: World) -> None:
    transfer, viewer = sent(world), enter(world.viewer)

    text = page(world.viewer, f"/admin/warehouses/transfer/{transfer.pk}/change/")
    answers = [press(viewer, transfer, verb).status_code for verb in ("reserve", "ship", "receive", "cancel")]

    assert "Take in" not in text
    assert answers == [403] * 4
    assert viewer.get("/admin/warehouses/transfer/new/").status_code == 403
    assert viewer.get("/admin/warehouses/transfer/new/skus/?q=M").status_code == 403


def test_the_table_says_what_is_in_transit_and_leaves_as_a_file(world: World) -> None:
    transfer = sent(world)

    assert transfer.number in page(world.viewer, "/admin/warehouses/transfer/?status__exact=in_transit")
    found = enter(world.clerk).get("/admin/warehouses/transfer/new/skus/?q=mu").json()
    assert found == {"items": [{"value": "MUG", "label": "Mug"}]}
    response = enter(world.viewer).get("/admin/warehouses/transfer/export/")
    assert response.status_code == 200


def test_units_are_moved_and_set_aside_on_the_page_of_their_level(world: World) -> None:
    make_location(world.main, "A-02")
    level, clerk = StockLevel.objects.get(sku=world.lamp, location=world.shelf), enter(world.clerk)
    address = f"/admin/warehouses/stocklevel/{level.pk}/change/"
    assert "Move to another bin" in page(world.clerk, address)
    assert "Move to another bin" not in page(world.viewer, address)

    moved = press(clerk, level, "move", quantity="4", to="A-02", key="a")
    press(clerk, level, "change-status", quantity="3", status="damaged", reason="damaged", key="b")
    nowhere = press(clerk, level, "move", quantity="4", to="B-99", key="c")

    rows = StockLevel.objects.filter(sku=world.lamp, on_hand__gt=0)
    assert sorted(rows.values_list("location__code", "status", "on_hand")) == [
        ("A-01", "available", 13),
        ("A-01", "damaged", 3),
        ("A-02", "available", 4),
    ]
    assert "4 moved to A-02." in said(moved)
    assert "There is no place B-99 in this warehouse." in said(nowhere)


def test_the_history_goes_back_page_by_page_with_its_balances(world: World) -> None:
    place = {"sku_id": world.lamp.pk, "location_id": world.shelf.pk}
    for n in range(60):
        adjust_stock(**place, quantity=Decimal(1), reason="found", key=str(n), now=NOW)
    adjust_stock(**place, quantity=Decimal(7), reason="found", key="d", now=NOW, status="damaged")
    level = StockLevel.objects.get(sku=world.lamp, location=world.shelf, status="available")
    address = f"/admin/warehouses/stocklevel/{level.pk}/change/"

    first = page(world.viewer, address)
    link = first.split("?before=")[1].split('"')[0]
    second = page(world.viewer, f"{address}?before={link}")

    assert '<td class="n">80</td>' in first
    assert '<td class="n">31</td>' in first
    assert '<td class="n">30</td>' not in first
    assert '<td class="n">30</td>' in second
    assert second.count("Found") - second.count(">Found</option>") == 10


def test_the_tree_of_a_warehouse_has_its_totals(world: World) -> None:
    zone = Location.objects.create(warehouse=world.main, code="Z", level="zone")
    world.shelf.parent, world.shelf.capacity_units = zone, Decimal(240)
    world.shelf.save()

    text = page(world.viewer, f"/admin/warehouses/warehouse/{world.main.pk}/change/")
    export = enter(world.viewer).get(f"/admin/warehouses/warehouse/{world.main.pk}/places/export/").content.decode()

    assert "50 %" in text
    assert "MAIN,,Z,zone,storage,true,120.000,2,240.000,0.5000" in export
    assert "MAIN,Z,A-01,bin,storage,true,120.000,2,240.000,0.5000" in export
    assert "LAMP" in page(world.viewer, f"/admin/warehouses/location/{zone.pk}/change/")


def test_a_place_that_would_break_the_tree_is_refused_in_the_form(world: World) -> None:
    body = {
        "warehouse": world.main.pk,
        "code": "A-01",
        "level": "zone",
        "kind": "storage",
        "sequence": "0",
        "is_active": "on",
    }

    answer = enter(world.planner).post(f"/admin/warehouses/location/{world.shelf.pk}/change/", body)

    assert "only a bin holds stock" in answer.content.decode()
    assert Location.objects.get(pk=world.shelf.pk).level == "bin"


def test_lots_that_expire_soon_are_found(world: World) -> None:
    from datetime import timedelta

    from django.utils import timezone

    today = timezone.localdate()
    for code, days in (("PAST", -1), ("SOON", 5), ("LATER", 60), ("EMPTY", 5)):
        lot = make_lot(world.tea, code, expires_on=today + timedelta(days=days))
        if code != "EMPTY":
            put_stock(world.tea, world.shelf, 3, lot=lot)

    def found(days: str) -> set[str]:
        text = page(world.viewer, f"/admin/warehouses/lot/?expiring={days}")
        return {code for code in ("PAST", "SOON", "LATER", "EMPTY") if f">{code}<" in text}

    assert (found("past"), found("7"), found("90")) == ({"PAST"}, {"SOON"}, {"SOON", "LATER"})


def act(world: World, kit: Any, verb: str, quantity: str) -> Any:
    body = {"quantity": quantity, "location": str(world.shelf.pk), "key": verb}
    return enter(world.clerk).post(f"/admin/catalog/sku/{kit.pk}/do/{verb}/", body)


def test_kits_are_put_together_on_the_page_of_the_kit(world: World) -> None:
    kit = make_sku("SET", is_kit=True)
    KitPart.objects.create(kit=kit, part=world.mug, quantity=Decimal(3))
    address = f"/admin/catalog/sku/{kit.pk}/change/"
    assert "Kits that can be put together" in page(world.clerk, address)
    assert "formaction" not in page(world.viewer, address)

    done = act(world, kit, "assemble", "5")
    act(world, kit, "disassemble", "1")

    assert "5 × SET were put together." in said(done)
    assert StockLevel.objects.get(sku=kit).on_hand == 4
    assert page(world.planner, address)
