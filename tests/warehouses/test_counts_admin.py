"""Counting as people do it in the admin: asked for, entered on the page, printed, approved."""

from typing import Any

import pytest
from django.test import Client

from config.kernel.labels.symbols import bar_runs
from tests.cast import World, make_user
from tests.kernel.test_export_admin import enter, rows_of
from tests.procurement.test_buying_admin import said
from tests.warehouses.counting import count, sheet_of
from tests.warehouses.floor import lies
from tests.warehouses.test_shipping_admin import press
from warehouses.models import CountSheet, Task

pytestmark = pytest.mark.django_db
LIST = "/admin/warehouses/countsheet/"


def page(client: Client, sheet: CountSheet) -> str:
    return client.get(f"{LIST}{sheet.pk}/change/").content.decode()


def test_a_count_is_asked_for_and_leads_to_its_page(world: World) -> None:
    client = enter(world.clerk)
    assert "Choose what to count" in client.get(f"{LIST}new/").content.decode()
    form = client.get(f"{LIST}new/?warehouse=MAIN").content.decode()
    assert '<option value="A-01">A-01' in form

    response = client.post(
        f"{LIST}new/",
        {"warehouse": "MAIN", "skus": "MUG, LAMP", "location": ["A-01"], "blind": "1", "note": "Shelf A", "key": "k"},
    )

    sheet = CountSheet.objects.get()
    assert response.url == f"{LIST}{sheet.pk}/change/"
    assert (sheet.is_blind, sheet.note, sheet.actor, sheet.lines.count()) == (True, "Shelf A", world.clerk, 2)
    assert said(response) == [f"{sheet.number} has 2 lines."]


def test_what_was_typed_stays_when_it_is_refused(world: World) -> None:
    response = enter(world.clerk).post(f"{LIST}new/", {"warehouse": "MAIN", "skus": "NONE", "due_class": ["A"]})

    assert response.status_code == 200
    assert ">NONE</textarea>" in response.content.decode()
    assert "There is no SKU NONE." in " ".join(said(response))
    assert not CountSheet.objects.exists()


def test_counts_are_entered_on_the_page_and_the_books_stay_unsaid_until_then(world: World) -> None:
    sheet, client = sheet_of(), enter(world.clerk)
    shown = page(client, sheet)
    assert 'name="count-1"' in shown
    assert "Books" not in shown
    assert ">100<" not in shown

    response = press(client, sheet, "count", **{"count-1": "20", "count-2": ""})
    assert said(response) == ["The counts are saved; lines are left to be counted."]
    response = press(client, sheet, "count", **{"count-1": "20", "count-2": "98"})

    assert said(response)[1:] == [f"{sheet.number} is counted, and the stock is right again."]
    assert lies(world.mug, world.shelf) == (98, 0)
    shown = page(client, sheet)
    assert "Books" in shown
    assert "−2" in shown


def test_what_is_no_number_or_nothing_at_all_is_said(world: World) -> None:
    sheet, client = sheet_of(), enter(world.clerk)

    for typed in ("abc", "-1", "1.2345", "NaN", ""):
        assert said(press(client, sheet, "count", **{"count-1": typed}))

    assert not sheet.lines.exclude(counted_quantity=None).exists()


def test_the_one_who_counts_again_sees_neither_the_books_nor_the_first_count(world: World) -> None:
    sheet, second = sheet_of(), make_user("cora", "Warehouse clerk")
    press(enter(world.clerk), sheet, "count", **{"count-1": "20", "count-2": "37"})

    shown = page(enter(second), sheet)

    assert "count again" in shown
    assert 'name="count-2"' in shown
    assert 'name="count-1"' not in shown
    assert ">37<" not in shown
    assert 'value="37"' not in shown
    assert "37 " not in shown.split("<tbody>")[1]


def test_a_planner_approves_and_the_clerk_cannot(world: World) -> None:
    sheet = sheet_of()
    press(enter(world.clerk), sheet, "count", **{"count-1": "20", "count-2": "37"})
    sheet = count(sheet, MUG=38, by=make_user("cora", "Warehouse clerk"))
    planner = enter(world.planner)
    shown = page(planner, sheet)
    assert "Approve and post" in shown
    assert "Have it counted again" in shown
    assert "Approve and post" not in page(enter(world.clerk), sheet)

    assert press(enter(world.clerk), sheet, "approve").status_code == 403
    press(planner, sheet, "approve")

    sheet.refresh_from_db()
    assert (sheet.status, sheet.approved_by) == ("posted", world.planner)
    assert lies(world.mug, world.shelf) == (38, 0)


def test_found_stock_is_added_on_the_page(world: World) -> None:
    sheet, client = sheet_of(), enter(world.clerk)

    tea = {"found-sku": "TEA", "found-location": "A-01", "found-lot": "", "found-status": "available"}
    refused = press(client, sheet, "count", **{"count-1": "20", "found-sku": "NONE", "found-location": "A-01"})
    wrong = press(client, sheet, "count", **{**tea, "found-sku": "NONE", "found-quantity": "4", "count-1": "20"})
    press(client, sheet, "count", **{**tea, "found-quantity": "4", "count-1": "20", "count-2": "100"})

    assert "which SKU, where, and how many" in " ".join(said(refused))
    assert "There is no SKU NONE." in " ".join(said(wrong))
    sheet.refresh_from_db()
    assert (sheet.status, lies(world.tea, world.shelf)) == ("posted", (4, 0))


def test_a_sheet_goes_to_the_scanners_and_is_called_off(world: World) -> None:
    sheet = sheet_of()

    assert said(press(enter(world.clerk), sheet, "tasks")) == ["2 tasks wait."]
    press(enter(world.planner), sheet, "cancel")

    sheet.refresh_from_db()
    assert sheet.status == "cancelled"
    assert set(Task.objects.values_list("state", flat=True)) == {"cancelled"}


def test_the_list_shows_progress_and_accuracy_and_its_export_tells_no_expected_quantity(world: World) -> None:
    count(sheet_of("NORTH", key="N"), MUG=40)
    sheet = sheet_of()
    count(sheet, MUG=99)
    client = enter(world.viewer)

    shown = client.get(LIST).content.decode()
    exported = rows_of(client.get(f"{LIST}export/?status__exact=open"))

    assert "1 / 2" in shown
    assert "New count" not in shown
    assert exported[1][:4] == [sheet.number, "MAIN", "open", "person"]
    assert exported[1][6:8] == ["2", "1"]
    assert "100.000" not in str(exported)
    assert client.get(f"{LIST}?q={sheet.number}").status_code in (200, 302)


def test_the_warehouse_says_how_right_its_books_are(world: World) -> None:
    sheet_of()

    shown = enter(world.planner).get(f"/admin/warehouses/warehouse/{world.main.pk}/change/").content.decode()

    assert "Open count sheets" in shown


def test_the_sheet_is_printed_with_codes_and_a_blind_one_without_quantities(world: World) -> None:
    sheet = sheet_of()

    blind = enter(world.clerk).get(f"{LIST}{sheet.pk}/print/")
    sheet.is_blind = False
    sheet.save()
    seeing = enter(world.clerk).get(f"{LIST}{sheet.pk}/print/")

    assert blind["Content-Type"] == "application/pdf"
    assert blind.content.startswith(b"%PDF")
    assert len(seeing.content) > len(blind.content)
    assert bar_runs(sheet.number)
    assert enter(world.clerk).get(f"{LIST}999999/print/").status_code == 404


def test_a_scan_of_the_number_opens_the_sheet(world: World) -> None:
    sheet = sheet_of()

    response = enter(world.clerk).get(f"/admin/scan/?code={sheet.number}")

    assert response.url.endswith(f"{LIST}{sheet.pk}/change/")


@pytest.mark.parametrize("role", ["viewer", "planner"])
def test_others_see_the_sheet_but_may_not_count(world: World, role: str) -> None:
    sheet, client = sheet_of(), enter(getattr(world, role))

    assert 'name="count-1"' not in page(client, sheet)
    assert press(client, sheet, "count", **{"count-1": "1"}).status_code == 403


def test_a_viewer_may_not_ask_for_a_count(world: World) -> None:
    client: Any = enter(world.viewer)

    assert client.get(f"{LIST}new/").status_code == 403
