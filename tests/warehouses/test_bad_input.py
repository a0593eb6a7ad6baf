"""Bad input over the API: every fault of a document in one problem, line and reason named, and not one row changed.

A table: document × fault. Every body has a line that is well beside the faulty ones, so a half-written document shows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from catalog.models import PackUnit
from procurement.models import PurchaseOrder, PurchaseOrderLine
from tests.cast import NOW, World, make_location, make_lot, make_warehouse, put_stock
from tests.procurement.buying import draft_order, sent_order
from tests.warehouses.selling import make_kit, sell
from warehouses.models import Location, Transfer
from warehouses.services.carts import CartItem, hold_cart, release_cart
from warehouses.services.count_sheets import CountChoice, cancel_count, make_count_sheet
from warehouses.services.sales import cancel_order, ship_order
from warehouses.services.transfers import TransferItem, create_transfer, reserve_transfer, ship_transfer

pytestmark = pytest.mark.django_db
Body = dict[str, Any]


@dataclass(frozen=True)
class House:
    """The cast's world with everything that can be wrong: a closed warehouse and bin, a bin for 5, an expired lot."""

    world: World
    docs: dict[str, Any]

    def path(self, text: str) -> str:
        return "/api/v1/" + text.format(**self.docs)


@pytest.fixture
def house(world: World) -> House:
    shut = make_warehouse("SHUT")
    put_stock(world.mug, make_location(shut, "S-01"), 30)
    closed = make_location(world.main, "CLOSED")
    put_stock(world.lamp, closed, 3)
    Location.objects.create(warehouse=world.main, code="TINY", capacity_units=Decimal(5))
    PackUnit.objects.create(sku=world.mug, code="box", units=Decimal(12))
    expired = make_lot(world.tea, "OLD", expires_on=date(2026, 3, 1))
    put_stock(world.tea, world.shelf, 5, lot=expired)
    make_kit("SET", (world.mug, 2), (world.lamp, 1))
    ids = _documents(world, shut)
    closed.is_active = shut.is_active = False
    closed.save()
    shut.save()
    tiny, shut_bin = (Location.objects.get(code=code).pk for code in ("TINY", "CLOSED"))
    return House(world, {**ids, "tiny": tiny, "closed": shut_bin})


def _documents(world: World, shut: Any) -> dict[str, Any]:
    """A document of each kind, in the states the table needs; every one but the transfers' is of MAIN."""
    shipped = sell(("MUG", 4), ("LAMP", 2), number="SHIPPED")
    ship_order(shipped.pk, key="S", now=NOW)
    cancelled = sell(("MUG", 1), number="CANCELLED")
    cancel_order(cancelled.pk, now=NOW)
    cart, _new = hold_cart(channel_code="WEB", external_id="OVER", lines=[CartItem("MUG", Decimal(1))], now=NOW)
    release_cart(cart.pk, now=NOW)
    sheet, _new = make_count_sheet("MAIN", CountChoice(["A-01"]), key="C", now=NOW)
    off, _new = make_count_sheet("NORTH", CountChoice(), key="D", now=NOW)
    cancel_count(off.pk, now=NOW)
    buying = sent_order(world, mugs=100, lamps=10)
    elsewhere = sent_order(world, mugs=40)
    PurchaseOrder.objects.filter(pk=elsewhere.pk).update(warehouse=shut)
    unsent = draft_order(world)
    lines = PurchaseOrderLine.objects.filter(order__in=[buying, elsewhere, unsent]).order_by("order_id", "line_number")
    mugs, lamps, of_shut, of_unsent = lines.values_list("pk", flat=True)
    return {
        "open": sell(("MUG", 3), ("LAMP", 2), number="OPEN").pk,
        "shipped": shipped.pk,
        "cancelled": cancelled.pk,
        "cart": cart.pk,
        "draft_transfer": _transfer("A", ("MUG", 10), ("LAMP", 4)).number,
        "huge_transfer": _transfer("B", ("MUG", 1000), ("LAMP", 1), ("TEA", 2)).number,
        "sent_transfer": _sent(_transfer("E", ("MUG", 6), ("LAMP", 6), source="MAIN")).number,
        "sheet": sheet.number,
        "cancelled_sheet": off.number,
        "po": buying.number,
        "unsent_po": unsent.number,
        "shut_po": elsewhere.number,
        "mugs": mugs,
        "lamps": lamps,
        "of_unsent": of_unsent,
        "of_shut": of_shut,
    }


def _transfer(key: str, *lines: tuple[str, int], source: str = "MAIN") -> Transfer:
    items = [TransferItem(sku, Decimal(units)) for sku, units in lines]
    return create_transfer(items, source_code=source, destination_code="NORTH", key=key, now=NOW)[0]


def _sent(transfer: Transfer) -> Transfer:
    reserve_transfer(transfer.pk, now=NOW)
    return ship_transfer(transfer.pk, key="S", now=NOW)


def everything() -> dict[str, str]:
    """A fingerprint of every row of every table that a document may write."""
    models = [m for app in ("warehouses", "procurement", "kernel") for m in apps.get_app_config(app).get_models()]
    tables = sorted({model._meta.db_table for model in models if model._meta.managed})
    sql = " UNION ALL ".join(
        f"SELECT '{table}', count(*) || ' rows ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') "  # noqa: S608
        f"FROM {table} t"
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return dict(cursor.fetchall())


# --- the table ----------------------------------------------------------------------------------------------------


def order(*lines: Body, **more: Any) -> Body:
    rows = [{"unit_price": "9.00", **line} for line in lines]
    return {"channel": "WEB", "external_id": "BAD", "ordered_at": "2026-03-02T08:00:00Z", "lines": rows, **more}


def cart(*lines: Body) -> Body:
    return {"channel": "WEB", "external_id": "BAD", "lines": list(lines)}


def receipt(order: str, *lines: Body, **more: Any) -> Body:
    return {"order": order, "lines": list(lines), **more}


def transfer(*lines: Body, **more: Any) -> Body:
    return {"source": "MAIN", "destination": "NORTH", "lines": list(lines), **more}


def give_back(*lines: Body, order: str = "SHIPPED") -> Body:
    return {"channel": "WEB", "external_id": "R-BAD", "order_external_id": order, "lines": list(lines)}


def adjust(**more: Any) -> Body:
    return {"sku": "MUG", "warehouse": "MAIN", "location": "A-01", "quantity": "1", "reason": "found", **more}


def move(*lines: Body) -> Body:
    rows = [{"sku": "MUG", "from_location": "A-01", "to_location": "DOCK", "quantity": "1", **line} for line in lines]
    return {"warehouse": "MAIN", "lines": rows}


def restate(**more: Any) -> Body:
    place = {"sku": "MUG", "warehouse": "MAIN", "location": "A-01"}
    return {**place, "quantity": "1", "to_status": "blocked", "reason": "wet", **more}


def assemble(**more: Any) -> Body:
    return {"kit": "SET", "warehouse": "MAIN", "location": "A-01", "quantity": "1", **more}


def line(sku: str = "MUG", quantity: str = "1", **more: Any) -> Body:
    return {"sku": sku, "quantity": quantity, **more}


# role, path, body, status, and of every fault (line, field) or (line, short by)
Case = tuple[str, str, Callable[[dict[str, Any]], Body], int, list[tuple[Any, str]]]
GOOD = line()
NONE = (line(quantity="0"), line("LAMP", "-1"))
FAULTS: dict[str, Case] = {
    # orders
    "order: zero, negative, unknown SKU, wrong unit, closed warehouse": (
        "integration",
        "orders/",
        lambda d: order(
            GOOD, *NONE, line("NOPE"), line(unit="crate"), line(warehouse="SHUT"), line("LAMP", unit="box")
        ),
        422,
        [(2, "quantity"), (3, "quantity"), (4, "sku"), (5, "unit"), (6, "warehouse"), (7, "unit")],
    ),
    "order: too many digits, no number": (
        "integration",
        "orders/",
        lambda d: order(GOOD, line(quantity="0.0001"), line(quantity="many"), line(quantity="NaN")),
        400,
        [(2, "quantity"), (3, "quantity"), (4, "quantity")],
    ),
    "order: every short line, one whose only lot has expired": (
        "integration",
        "orders/",
        lambda d: order(line("LAMP", "99"), GOOD, line("TEA", "2"), on_short="refuse"),
        409,
        [(1, "89"), (3, "2")],
    ),
    "shipping: zero, no such line, more than is open": (
        "clerk",
        "orders/{open}/ship/",
        lambda d: {"lines": [{"line_number": n, "quantity": q} for n, q in ((1, "0"), (2, "3"), (9, "1"))]},
        422,
        [(1, "quantity"), (2, "quantity"), (9, "quantity")],
    ),
    "shipping: cancelled": ("clerk", "orders/{cancelled}/ship/", lambda d: {}, 409, []),
    "cancelling: negative, no such line, more than is open": (
        "clerk",
        "orders/{open}/cancel/",
        lambda d: {"lines": [{"line_number": n, "quantity": q} for n, q in ((1, "-1"), (2, "3"), (9, "1"))]},
        422,
        [(1, "quantity"), (2, "quantity"), (9, "quantity")],
    ),
    "cancelling: shipped": ("clerk", "orders/{shipped}/cancel/", lambda d: {}, 409, []),
    # carts
    "cart: zero, negative, unknown SKU": (
        "integration",
        "carts/",
        lambda d: cart(GOOD, *NONE, line("NOPE")),
        422,
        [(2, "quantity"), (3, "quantity"), (4, "sku")],
    ),
    "cart: every short line": (
        "integration",
        "carts/",
        lambda d: cart(line("LAMP", "99"), GOOD, line("TEA", "2")),
        409,
        [(1, "89"), (3, "2")],
    ),
    "cart: released": ("integration", "carts/{cart}/renew/", lambda d: {}, 409, []),
    # receipts
    "receipt: zero, negative, wrong unit, expired lot, too much, no such line": (
        "clerk",
        "receipts/",
        lambda d: receipt(
            d["po"],
            {"line_id": d["mugs"], "quantity": "1"},
            {"line_id": d["mugs"], "quantity": "0", "lot": "A"},
            {"line_id": d["mugs"], "quantity": "-1", "lot": "B"},
            {"line_id": d["mugs"], "quantity": "1", "lot": "C", "unit": "crate"},
            {"line_id": d["mugs"], "quantity": "1", "lot": "D", "expires_on": "2026-03-01"},
            {"line_id": d["lamps"], "quantity": "11"},
            {"line_id": 10**9, "quantity": "1"},
        ),
        422,
        [(1, ""), (1, ""), (1, ""), (1, ""), (2, ""), (None, "")],
    ),
    "receipt: closed warehouse": (
        "clerk",
        "receipts/",
        lambda d: receipt(d["shut_po"], {"line_id": d["of_shut"], "quantity": "1"}),
        422,
        [(1, "location")],
    ),
    "receipt: closed bin": (
        "clerk",
        "receipts/",
        lambda d: receipt(d["po"], {"line_id": d["mugs"], "quantity": "1"}, location=d["closed"]),
        422,
        [(None, "location")],
    ),
    "receipt: no room": (
        "clerk",
        "receipts/",
        lambda d: receipt(d["po"], {"line_id": d["mugs"], "quantity": "6"}, location=d["tiny"]),
        422,
        [(1, "location")],
    ),
    "receipt: not sent yet": (
        "clerk",
        "receipts/",
        lambda d: receipt(d["unsent_po"], {"line_id": d["of_unsent"], "quantity": "1"}),
        409,
        [],
    ),
    # transfers
    "transfer: zero, negative, unknown SKU and lot, expired lot, wrong unit": (
        "clerk",
        "transfers/",
        lambda d: transfer(
            GOOD,
            *(line("LAMP", "0"), line("TEA", "-1")),
            line("NOPE"),
            line(lot="NOPE"),
            line("TEA", lot="OLD"),
            line("SET", unit="crate"),
        ),
        422,
        [(2, "quantity"), (3, "quantity"), (4, "sku"), (5, "lot"), (6, "lot"), (7, "unit")],
    ),
    "transfer: closed warehouse": (
        "clerk",
        "transfers/",
        lambda d: transfer(GOOD, line("LAMP", "0"), destination="SHUT"),
        422,
        [(None, "destination"), (2, "quantity")],
    ),
    "transfer: every short line is named when it is reserved": (
        "clerk",
        "transfers/{huge_transfer}/reserve/",
        lambda d: {},
        409,
        [(1, "913"), (3, "2")],
    ),
    "transfer: nothing is held yet": ("clerk", "transfers/{draft_transfer}/ship/", lambda d: {}, 409, []),
    "transfer: more than is under way, no such line": (
        "clerk",
        "transfers/{sent_transfer}/receive/",
        lambda d: {"lines": [{"line_number": n, "good": q} for n, q in ((1, "7"), (2, "6"), (9, "1"))]},
        422,
        [(1, "quantity"), (9, "line")],
    ),
    "transfer: fewer than none arrived": (
        "clerk",
        "transfers/{sent_transfer}/receive/",
        lambda d: {"lines": [{"line_number": 1, "good": "-1", "damaged": "2"}, {"line_number": 2, "good": "6"}]},
        400,
        [(1, "good")],
    ),
    "transfer: on its way": ("planner", "transfers/{sent_transfer}/cancel/", lambda d: {}, 409, []),
    # counts
    "count: negative, no such line": (
        "clerk",
        "count-sheets/{sheet}/counts/",
        lambda d: {"lines": [{"line_number": n, "quantity": q} for n, q in ((1, "5"), (2, "-1"), (99, "1"))]},
        422,
        [(2, "quantity"), (99, "line")],
    ),
    "count: unknown SKU, lot and place": (
        "clerk",
        "count-sheets/{sheet}/found/",
        lambda d: {"sku": "MUG", "location": "NOPE", "lot": "NOPE", "quantity": "1"},
        422,
        [(None, "location"), (None, "lot")],
    ),
    "count: negative of what was found": (
        "clerk",
        "count-sheets/{sheet}/found/",
        lambda d: {"sku": "MUG", "location": "DOCK", "quantity": "-1"},
        422,
        [(4, "quantity")],
    ),
    "count: called off": (
        "clerk",
        "count-sheets/{cancelled_sheet}/counts/",
        lambda d: {"lines": [{"line_number": 1, "quantity": "1"}]},
        409,
        [],
    ),
    # adjustments
    "adjustment: zero": (
        "clerk", "stock-movements/", lambda d: adjust(quantity="0"), 422, [(None, "quantity")],
    ),
    "adjustment: zero, unknown lot and place": (
        "clerk",
        "stock-movements/",
        lambda d: adjust(quantity="0", lot="NOPE", location="NOPE"),
        422,
        [(None, "location"), (None, "lot"), (None, "quantity")],
    ),
    "adjustment: closed": (
        "clerk", "stock-movements/", lambda d: adjust(location="CLOSED"), 422, [(None, "location")],
    ),
    "adjustment: closed warehouse": (
        "clerk", "stock-movements/", lambda d: adjust(warehouse="SHUT", location="S-01"), 422, [(None, "location")],
    ),
    "adjustment: no room": (
        "clerk", "stock-movements/", lambda d: adjust(location="TINY", quantity="6"), 422, [(None, "location")],
    ),
    "adjustment: five of three": (
        "clerk", "stock-movements/", lambda d: adjust(sku="LAMP", location="CLOSED", quantity="-5"), 409, [(None, "2")],
    ),
    # moves and changes of status
    "move: zero, negative, unknown SKU, lot and place": (
        "clerk",
        "stock-moves/",
        lambda d: move({}, {"quantity": "0"}, {"sku": "NOPE", "quantity": "-1"}, {"lot": "NOPE"}, {"to_location": "?"}),
        422,
        [(2, "quantity"), (3, "sku"), (3, "quantity"), (4, "lot"), (5, "to_location")],
    ),
    "move: zero, where it lies": (
        "clerk",
        "stock-moves/",
        lambda d: move({}, {"quantity": "0"}, {"to_location": "A-01"}),
        422,
        [(2, "quantity"), (3, "to_location")],
    ),
    "move: closed, full and short": (
        "clerk",
        "stock-moves/",
        lambda d: move(
            {}, {"to_location": "CLOSED"}, {"to_location": "TINY", "quantity": "6"}, {"sku": "LAMP", "quantity": "99"}
        ),
        422,
        [(2, "location"), (3, "location"), (4, "89")],
    ),
    "change of status: zero, unknown lot": (
        "clerk",
        "status-changes/",
        lambda d: restate(quantity="0", lot="NOPE"),
        422,
        [(None, "lot"), (None, "quantity")],
    ),
    "change of status: as it is": (
        "clerk", "status-changes/", lambda d: restate(to_status="available"), 422, [(None, "to_status")],
    ),
    "change of status: short": (
        "clerk", "status-changes/", lambda d: restate(sku="LAMP", quantity="99"), 409, [(None, "89")],
    ),
    # returns
    "return: zero, negative, unknown SKU and lot, more than left": (
        "clerk",
        "returns/",
        lambda d: give_back(GOOD, *NONE, line("TEA"), line(lot="NOPE"), line("LAMP", "3")),
        422,
        [(2, "quantity"), (3, "quantity"), (4, "sku"), (5, "lot"), (6, "quantity")],
    ),
    "return: not shipped": (
        "clerk", "returns/", lambda d: give_back(GOOD, line("LAMP"), order="OPEN"), 422,
        [(1, "quantity"), (2, "quantity")],
    ),
    # kits
    "kit: negative, unknown place": (
        "clerk", "kit-assemblies/", lambda d: assemble(quantity="-1", location="NOPE"), 422,
        [(None, "location"), (None, "quantity")],
    ),
    "kit: zero": ("clerk", "kit-assemblies/", lambda d: assemble(quantity="0"), 422, [(None, "quantity")]),
    "kit: every part that is short": (
        "clerk", "kit-assemblies/", lambda d: assemble(quantity="60"), 409, [(None, "33"), (None, "50")],
    ),
    "kit: no kits to take apart": (
        "clerk", "kit-assemblies/", lambda d: assemble(disassemble=True), 409, [(None, "1")],
    ),
    "kit: closed": ("clerk", "kit-assemblies/", lambda d: assemble(location="CLOSED"), 422, [(None, "location")]),
    "kit: no room": (
        "clerk", "kit-assemblies/", lambda d: assemble(location="TINY", quantity="6"), 422, [(None, "location")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS.values(), ids=FAULTS)
def test_every_fault_is_named_and_nothing_is_written(house: House, api: Any, case: Case) -> None:
    role, path, body, status, faults = case
    client = api(getattr(house.world, role))
    before = everything()

    answer = client.post(house.path(path), body(house.docs), headers={"Idempotency-Key": "bad"})

    problem = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), problem
    items = problem.get("items", [])
    assert [(item.get("line"), item.get("short_by") or item.get("field", "")) for item in items] == faults
    assert all(item.get("message") or item.get("short_by") for item in items)
    assert (problem["code"], problem["detail"]) != ("", "")
    assert everything() == before


# One good body of every kind of document, and what makes another document of it.
GOODS: dict[str, tuple[str, str, Callable[[dict[str, Any]], Body], Body]] = {
    "order": ("integration", "orders/", lambda d: order(GOOD), {"customer_reference": "C"}),
    "shipment": ("clerk", "orders/{open}/ship/", lambda d: {}, {"carrier": "Post"}),
    "cancellation": (
        "clerk", "orders/{open}/cancel/", lambda d: {}, {"lines": [{"line_number": 1, "quantity": "1"}]},
    ),
    "cart": ("integration", "carts/", lambda d: cart(GOOD), {"ttl_minutes": 5}),
    "receipt": (
        "clerk", "receipts/", lambda d: receipt(d["po"], {"line_id": d["mugs"], "quantity": "1"}),
        {"delivery_note": "D"},
    ),
    "transfer": ("clerk", "transfers/", lambda d: transfer(GOOD), {"note": "N"}),
    "arrival": (
        "clerk", "transfers/{sent_transfer}/receive/", lambda d: {}, {"lines": [{"line_number": 1, "good": "1"}]},
    ),
    "count": (
        "clerk",
        "count-sheets/{sheet}/counts/",
        lambda d: {"lines": [{"line_number": 1, "quantity": "1"}]},
        {"lines": [{"line_number": 1, "quantity": "2"}]},
    ),
    "adjustment": ("clerk", "stock-movements/", lambda d: adjust(), {"quantity": "2"}),
    "move": ("clerk", "stock-moves/", lambda d: move({}), {"reason": "R"}),
    "change of status": ("clerk", "status-changes/", lambda d: restate(), {"quantity": "2"}),
    "return": ("clerk", "returns/", lambda d: give_back(GOOD), {"external_id": "R-2"}),
    "kit": ("clerk", "kit-assemblies/", lambda d: assemble(), {"quantity": "2"}),
}  # fmt: skip


@pytest.mark.parametrize("document", GOODS)
def test_the_same_key_writes_once_and_with_another_body_nothing(house: House, api: Any, document: str) -> None:
    role, path, body, change = GOODS[document]
    client, path = api(getattr(house.world, role)), house.path(path)
    first = client.post(path, body(house.docs), headers={"Idempotency-Key": "k"})
    written = everything()

    again = client.post(path, body(house.docs), headers={"Idempotency-Key": "k"})
    other = client.post(path, {**body(house.docs), **change}, headers={"Idempotency-Key": "k"})

    assert first.status_code in (200, 201), first.json()
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert everything() == written


def test_the_fingerprint_sees_a_single_row(house: House) -> None:
    """The negative control of the two tests above."""
    before = everything()

    put_stock(house.world.tea, house.world.shelf, 1)

    changed = {table for table, rows in everything().items() if rows != before[table]}
    assert {"warehouses_stocklevel", "warehouses_stockmovement", "warehouses_costlayer"} <= changed
