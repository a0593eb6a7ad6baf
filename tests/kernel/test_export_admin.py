"""What leaves the house as CSV: disarmed formulas, true numbers, and only the rows a person may see."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from config.kernel.admin import escaped
from config.kernel.admin import export as export_module
from config.kernel.policy import SUPPLIER
from tests.cast import World, make_sku, make_user

BACKEND = "config.kernel.policy.RoleBackend"


def enter(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def rows_of(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\x00x"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert escaped(text) == "'" + text


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (Decimal("-3.500"), "-3.500"),
        (-7, "-7"),
        (-0.25, "-0.25"),
        (None, ""),
        (True, "true"),
        ("plain", "plain"),
        ("a=b", "a=b"),
        ({"a": 1}, '{"a": 1}'),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), "2026-03-02T09:00:00+00:00"),
    ],
)
def test_numbers_stay_numbers_and_the_rest_is_plain(value: Any, cell: str) -> None:
    assert escaped(value) == cell


def test_a_table_is_exported_with_its_filters_and_its_names_for_others(world: World) -> None:
    make_sku("=CMD")

    rows = rows_of(enter(world.viewer).get("/admin/catalog/sku/export/?q=CMD"))

    assert rows[0][:4] == ["id", "code", "name", "product.code"]
    assert [row[1] for row in rows[1:]] == ["'=CMD"]


def test_the_ledger_keeps_its_signs(world: World) -> None:
    rows = rows_of(enter(world.clerk).get("/admin/warehouses/stockmovement/export/"))

    quantity = rows[0].index("quantity")
    assert sorted(row[quantity] for row in rows[1:]) == ["100.000", "20.000", "40.000"]


def test_a_long_table_is_walked_in_parts_and_nothing_is_lost_between_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "CHUNK", 2)

    rows = rows_of(enter(world.viewer).get("/admin/catalog/sku/export/"))

    assert [row[1] for row in rows[1:]] == ["MUG", "LAMP", "TEA"]


def test_a_supplier_gets_no_file_and_no_page_even_as_staff(world: World) -> None:
    insider = make_user("mole", SUPPLIER)
    insider.is_staff = True
    insider.save()

    for user in (world.northwind_user, insider):
        for path in ("", "catalog/sku/", "catalog/sku/export/", "procurement/purchaseorder/", "kernel/job/"):
            response = enter(user).get(f"/admin/{path}")
            assert (response.status_code, response.headers["Location"]) == (302, f"/admin/login/?next=/admin/{path}")


def test_a_machine_has_no_business_in_the_admin(world: World) -> None:
    assert enter(world.integration).get("/admin/").status_code == 302


def test_a_role_without_the_right_gets_no_file(world: World) -> None:
    assert enter(world.clerk).get("/admin/procurement/proposal/export/").status_code == 403
    assert enter(world.clerk).get("/admin/forecasting/forecast/export/").status_code == 403
